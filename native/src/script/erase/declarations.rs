//! What goes of imports, exports and signatures.

use oxc_ast::ast::{
    ArrowFunctionExpression, Declaration, ImportDeclaration, ImportDeclarationSpecifier, TSThisParameter,
};
use oxc_span::{GetSpan, Span};

use super::{Eraser, Import};

impl Eraser<'_> {
    pub(super) fn imported(&mut self, specifier: &str, span: Span) {
        self.imports.push(Import { specifier: specifier.to_owned(), at: span.start as usize });
    }

    pub(super) fn import(&mut self, it: &ImportDeclaration<'_>) {
        if it.import_kind.is_type() {
            return self.whole(it.span);
        }
        let Some(specifiers) = &it.specifiers else {
            return self.imported(&it.source.value, it.source.span);
        };
        let is_for_types = |specifier: &ImportDeclarationSpecifier<'_>| {
            let is_marked = matches!(specifier, ImportDeclarationSpecifier::ImportSpecifier(it) if it.import_kind.is_type());
            is_marked || (self.is_typescript && !self.used.contains(specifier.local().name.as_str()))
        };
        let for_types: Vec<bool> = specifiers.iter().map(is_for_types).collect();
        if !for_types.is_empty() && for_types.iter().all(|is| *is) {
            return self.whole(it.span);
        }
        for (specifier, _) in specifiers.iter().zip(for_types).filter(|(_, is_for_types)| *is_for_types) {
            self.specifier(specifier.span());
        }
        self.imported(&it.source.value, it.source.span);
    }

    /// Whether an exported declaration is for types alone.
    pub(super) fn is_for_types(declaration: &Declaration<'_>) -> bool {
        match declaration {
            Declaration::TSTypeAliasDeclaration(_) | Declaration::TSInterfaceDeclaration(_) => true,
            Declaration::TSExternalModuleDeclaration(_) | Declaration::TSGlobalDeclaration(_) => true,
            Declaration::TSEnumDeclaration(it) => it.declare,
            Declaration::TSNamespaceDeclaration(it) => it.declare,
            Declaration::ClassDeclaration(it) => it.declare,
            Declaration::VariableDeclaration(it) => it.declare,
            Declaration::FunctionDeclaration(it) => it.declare || it.body.is_none(),
            Declaration::TSImportEqualsDeclaration(it) => it.import_kind.is_type(),
        }
    }

    /// `this` as a parameter, with the comma behind it.
    pub(super) fn this_parameter(&mut self, it: &TSThisParameter<'_>) {
        self.specifier(it.span);
    }

    /// No line may end between the parameters of an arrow function and its arrow: brackets move where the type has lines.
    pub(super) fn arrow_signature(&mut self, it: &ArrowFunctionExpression<'_>) {
        if let Some(types) = &it.type_parameters {
            self.span(types.span);
            if self.has_lines(types.span)
                && let Some(bracket) = self.character(types.span.end, it.params.span.end, b'(')
            {
                self.blank(bracket, bracket + 1);
                self.marks.push((types.span.start as usize, b'('));
            }
        }
        if let Some(returned) = &it.return_type {
            self.span(returned.span);
            let bracket = self.source[..returned.span.start as usize].rfind(')');
            if self.has_lines(returned.span)
                && let Some(bracket) = bracket
            {
                self.blank(bracket as u32, bracket as u32 + 1);
                self.marks.push((returned.span.end as usize - 1, b')'));
            }
        }
    }

    pub(super) fn has_lines(&self, span: Span) -> bool {
        self.source[span.start as usize..span.end as usize].contains(['\n', '\r'])
    }
}
