//! TypeScript without its types: each is replaced by spaces, so that lines and columns stay what they are.
//!
//! [`declarations`] has what goes of imports, exports and signatures, [`blanks`] how it is replaced, [`visit`] the walk.

mod blanks;
mod declarations;
mod visit;

use std::collections::HashSet;

use oxc_ast::ast::{Program, Statement};
use oxc_ast_visit::Visit;

/// What is found while types are erased.
pub(super) struct Erased {
    pub(super) code: String,
    /// What the module imports, in the order of the text; what was imported for types alone is not there.
    pub(super) imports: Vec<Import>,
}

/// One import, or a re-export.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Import {
    pub(super) specifier: String,
    /// Where it stands in the text, in bytes.
    pub(super) at: usize,
}

/// Something that is more than a type, and so cannot be erased.
#[derive(Debug, PartialEq)]
pub(super) struct Refused {
    /// Where it stands in the text, in bytes.
    pub(super) at: usize,
    /// What it is, and what to write instead.
    pub(super) message: &'static str,
}

/// Erases the types of a program. `is_typescript`: imports that nothing uses as a value are for types, and go too.
pub(super) fn erase(source: &str, program: &Program<'_>, is_typescript: bool) -> Result<Erased, Refused> {
    let mut eraser = Eraser {
        source,
        blanks: Vec::new(),
        marks: Vec::new(),
        refused: None,
        used: HashSet::new(),
        imports: Vec::new(),
        is_typescript,
    };
    // Whether an import is used is known only after all else.
    eraser.visit_program(program);
    for statement in &program.body {
        if let Statement::ImportDeclaration(import) = statement {
            eraser.import(import);
        }
    }
    if let Some(refused) = eraser.refused {
        return Err(refused);
    }
    eraser.imports.sort_by_key(|import| import.at);
    Ok(Erased { code: eraser.code(), imports: eraser.imports })
}

struct Eraser<'s> {
    source: &'s str,
    /// From where to where spaces stand instead.
    blanks: Vec<(usize, usize)>,
    /// Single characters to write instead.
    marks: Vec<(usize, u8)>,
    refused: Option<Refused>,
    /// The names that are used as values.
    used: HashSet<String>,
    imports: Vec<Import>,
    is_typescript: bool,
}
