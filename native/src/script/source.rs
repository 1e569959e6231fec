//! A file of handlers: its text, and what of it the interpreter gets.

use std::path::Path;

use oxc_allocator::Allocator;
use oxc_parser::Parser;
use oxc_span::SourceType;

use super::erase::{Import, erase};
use super::error::ScriptError;

/// The extensions of modules.
pub(super) const EXTENSIONS: [&str; 4] = ["mjs", "js", "mts", "ts"];

/// A module without its types.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Source {
    /// As it was written.
    pub(super) text: String,
    /// As the interpreter gets it. Lines and columns are the same.
    pub(super) code: String,
    pub(super) imports: Vec<Import>,
}

impl Source {
    /// Reads a file. `name` is what errors call it.
    pub(super) fn read(file: &Path, name: &str) -> Result<Self, ScriptError> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| ScriptError::new(name, format!("cannot be read: {error}")))?;
        Self::parse(text, name)
    }

    /// Makes a module of its text; the extension of `name` says which language it is.
    pub(super) fn parse(text: String, name: &str) -> Result<Self, ScriptError> {
        let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
        let source_type = match extension {
            Some("ts" | "mts") => SourceType::ts().with_module(true),
            Some("js" | "mjs") => SourceType::mjs(),
            Some("json") => return json(text, name),
            _ => {
                let known = EXTENSIONS.map(|known| format!(".{known}")).join(", ");
                return Err(ScriptError::new(name, format!("is none of {known}, which handler files are")));
            }
        };
        let allocator = Allocator::default();
        let parsed = Parser::new(&allocator, &text, source_type).parse();
        if let Some(mistake) = parsed.diagnostics.iter().next() {
            let at = mistake.labels.first().map_or(0, |label| label.offset());
            return Err(ScriptError::new(place(name, &text, at as usize), mistake.message.to_string()));
        }
        let erased = erase(&text, &parsed.program, source_type.is_typescript());
        match erased {
            Ok(erased) => Ok(Self { code: erased.code, imports: erased.imports, text }),
            Err(refused) => Err(ScriptError::new(place(name, &text, refused.at), refused.message)),
        }
    }
}

/// A JSON file as a module: the value is its default export.
fn json(text: String, name: &str) -> Result<Source, ScriptError> {
    match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(value) => Ok(Source { code: format!("export default {value}"), imports: Vec::new(), text }),
        Err(error) => {
            let place = format!("{name}:{}:{}", error.line(), error.column());
            Err(ScriptError::new(place, format!("no JSON: {error}")))
        }
    }
}

/// A place in a file, as editors understand it: lines and columns are counted from 1, columns in characters.
pub(super) fn place(name: &str, text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{name}:{line}:{column}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn erased(text: &str) -> String {
        let source = Source::parse(text.to_owned(), "a.ts").unwrap();
        assert_eq!(source.code.lines().count(), text.lines().count(), "{}", source.code);
        for (code, written) in source.code.lines().zip(text.lines()) {
            assert_eq!(code.chars().count(), written.chars().count(), "{code}");
        }
        source.code
    }

    /// What is left, without the spaces.
    fn left(text: &str) -> String {
        let words: Vec<String> = erased(text).split_whitespace().map(str::to_owned).collect();
        words.join(" ")
    }

    fn refused(text: &str) -> String {
        Source::parse(text.to_owned(), "a.ts").unwrap_err().to_string()
    }

    #[test]
    fn types_become_spaces() {
        for (text, expected) in [
            ("const a: number = 1", "const a = 1"),
            ("let a!: string; a = b as unknown as string", "let a ; a = b"),
            ("let äöü: Größe = <Größe>1; x", "let äöü = 1; x"),
            (
                "function f<T extends {}>(this: Window, a?: T, ...b: T[]): asserts a is T {}",
                "function f ( a , ...b ) {}",
            ),
            ("const f = async <T,>(a: T): Promise<T> => a!", "const f = async (a ) => a"),
            ("interface A { a: 1 }\ntype B = A\n(a)()", "; ; (a)()"),
            ("const x = 1\ninterface A {}\n(x)", "const x = 1 ; (x)"),
            ("f<string>(a satisfies B)[0]!.c", "f (a )[0] .c"),
            ("declare const a: 1; declare function b(): void; declare enum C { D }", "; ; ;"),
            ("function f(a: 1): void; function f(a: 2): void; function f(a) {}", "; ; function f(a) {}"),
            (
                "export type { A } from './a'; export { type B, c }; const c = 1",
                "; export { c }; const c = 1",
            ),
            ("export interface A {} export default interface B {}", "; ;"),
            ("for (const a of b as string[]) c!(a)", "for (const a of b ) c (a)"),
            ("try {} catch (e: unknown) {}", "try {} catch (e ) {}"),
            ("label: for (;;) break label", "label: for (;;) break label"),
            ("const o = { a: b as c, d: <e>f }", "const o = { a: b , d: f }"),
            ("const { a, b }: { a: 1; b: 2 } = c", "const { a, b } = c"),
            ("new Map<string, Set<string>>()", "new Map ()"),
            ("a ? (b): c => d : e", "a ? (b) => d : e"),
        ] {
            assert_eq!(left(text), expected, "{text}");
        }
    }

    #[test]
    fn classes_lose_what_javascript_does_not_have() {
        let text = "abstract class A<T> extends B<T> implements C, D<T> {\n  private a?: string = ''\n  readonly b!: number\n  \
                    declare c: 1\n  abstract d(): void\n  public static readonly e = 1\n  protected async f?(): Promise<void> {}\n  \
                    [key: string]: unknown\n  private ['g'] = 1\n  override get h(): 1 { return 1 }\n  constructor(a: 1);\n  \
                    constructor(a: 1) { super() }\n}";
        let expected = "class A extends B { ; a = '' ; b ; ; ; static e = 1 ; async f () {} ; ; ['g'] = 1 ; get h() { return 1 } ; \
                        constructor(a ) { super() } }";
        assert_eq!(left(text), expected);
    }

    #[test]
    fn an_arrow_stays_on_the_line_of_its_parameters() {
        assert_eq!(left("const f = (a): {\n  b: 1\n} => c"), "const f = (a ) => c");
        assert_eq!(left("const f = async <\n  T\n>(a: T) => c"), "const f = async ( a ) => c");
    }

    #[test]
    fn imports_for_types_go() {
        let text = "import type { A } from './a'\nimport { type B, c } from './b'\nimport { D, e } from './d'\nimport { F } from './f'\n\
                    import './g'\nimport h, * as i from './h'\nexport { j } from './j'\nexport * from './k'\nc(e, h)\n\
                    await import('./l')\nlet x: D | F | typeof i";
        let source = Source::parse(text.to_owned(), "a.ts").unwrap();
        let specifiers: Vec<&str> = source.imports.iter().map(|import| import.specifier.as_str()).collect();
        assert_eq!(specifiers, ["./b", "./d", "./g", "./h", "./j", "./k", "./l"]);
        assert!(
            left(text)
                .starts_with("; import { c } from './b' import { e } from './d' ; import './g' import h,"),
            "{}",
            left(text)
        );
    }

    #[test]
    fn a_javascript_module_keeps_its_imports() {
        let source = Source::parse("import { a } from './a'".to_owned(), "a.js").unwrap();
        assert_eq!((source.imports.len(), source.code.as_str()), (1, "import { a } from './a'"));
    }

    #[test]
    fn what_is_more_than_a_type_says_what_to_write() {
        for (text, expected) in [
            ("\n  enum A { B }", "a.ts:2:3: an enum is more than a type; write an object: const Color"),
            ("const enum A { B }", "a.ts:1:1: an enum"),
            ("namespace A { export const b = 1 }", "a.ts:1:1: a namespace with values is more than a type"),
            (
                "class A { constructor(private b: 1) {} }",
                "a.ts:1:23: a parameter with a modifier is more than a type",
            ),
            ("@a class B {}", "a.ts:1:1: decorators are not supported"),
            ("import a = require('a')", "a.ts:1:1: import = is not of ES modules"),
            ("export = 1", "a.ts:1:1: export = is not of ES modules"),
            ("const a =", "a.ts:1:10: Unexpected token"),
            ("ä(] ", "a.ts:1:3: Unexpected token"),
        ] {
            let message = refused(text);
            assert!(message.starts_with(expected), "{text}: {message}");
        }
    }

    #[test]
    fn other_files_are_named() {
        let error = |text: &str, name: &str| Source::parse(text.to_owned(), name).unwrap_err().to_string();
        assert!(error("", "a.tsx").starts_with("a.tsx: is none of .mjs, .js, .mts, .ts"));
        assert!(error("{\n", "a.json").starts_with("a.json:2:0: no JSON"));
    }
}
