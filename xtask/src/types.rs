//! Checks that what users copy compiles: the examples, and the TypeScript and JavaScript of the documentation.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::json;
use xshell::cmd;

use crate::project::Project;
use crate::{examples, npm};

/// What the documentation imports beside what the examples do, by its place in `npm/node_modules`.
const PACKAGES: [&str; 2] = ["@types/node", "zod"];

/// What Vitest's declarations need of happy-dom, whose own do not compile with the oldest Node's.
const HAPPY_DOM: &str = "export declare class Window { constructor(options?: { settings?: object }) }";

/// A block of code in a document.
pub(crate) struct Block {
    /// `ts` or `js`.
    pub(crate) language: String,
    /// Where it stands, counted from 1.
    line: usize,
    pub(crate) code: String,
}

/// Type-checks the examples' TypeScript, and every block of TypeScript or JavaScript in a Markdown file, against the
/// built plugin, as strictly as a new project of Vite's does and with all declarations that they draw in.
pub(crate) fn run(project: &Project) -> Result<()> {
    examples::link_packages(project)?;
    let folder = tempfile::Builder::new().prefix("switchboard-types-").tempdir()?;
    let modules = folder.path().join("node_modules");
    examples::link_packages_into(project, &modules)?;
    for package in PACKAGES {
        examples::link_folder(&project.npm().join("node_modules").join(package), &modules.join(package))?;
    }
    let mut count = 0;
    for document in documents(project)? {
        let text = std::fs::read_to_string(project.path(&document))?;
        for block in blocks(&text) {
            let name =
                format!("{}-line-{}.{}", document.replace(['/', '.'], "-"), block.line, block.language);
            std::fs::write(folder.path().join(name), module(&block.code))?;
            count += 1;
        }
    }
    if count == 0 {
        bail!("no document has a block of TypeScript or JavaScript");
    }
    let examples = project.examples();
    let (top, below) =
        (format!("{}/*/*.ts", examples.display()), format!("{}/*/tests/*.ts", examples.display()));
    check(project, folder.path(), &["*.ts", "*.js", &top, &below])?;
    println!("{count} blocks of code and the examples compile");
    Ok(())
}

/// Type-checks files of a folder that has its own `node_modules`, with the compiler that the plugin is developed with.
pub(crate) fn check(project: &Project, folder: &Path, files: &[&str]) -> Result<()> {
    let configuration = json!({
        "compilerOptions": {
            "target": "es2023",
            "lib": ["ES2023", "DOM"],
            "module": "esnext",
            "moduleResolution": "bundler",
            "types": ["node"],
            "typeRoots": ["node_modules/@types"],
            "strict": true,
            "skipLibCheck": false,
            "checkJs": true,
            "verbatimModuleSyntax": true,
            "erasableSyntaxOnly": true,
            "allowImportingTsExtensions": true,
            "noEmit": true,
            "paths": { "happy-dom": ["./happy-dom.d.ts"] },
        },
        "include": files,
    });
    std::fs::write(folder.join("happy-dom.d.ts"), HAPPY_DOM)?;
    std::fs::write(folder.join("tsconfig.json"), configuration.to_string())?;
    let compiler = project.npm().join("node_modules/typescript/bin/tsc");
    let node = npm::program("node")?;
    cmd!(project.shell, "{node} {compiler} --project {folder}")
        .run()
        .context("what users copy does not compile")
}

/// The Markdown files of this repository.
fn documents(project: &Project) -> Result<Vec<String>> {
    let files =
        cmd!(project.shell, "git ls-files --cached --others --exclude-standard *.md").quiet().read()?;
    Ok(files.lines().filter(|file| project.path(file).is_file()).map(str::to_owned).collect())
}

/// The blocks of TypeScript and JavaScript in a document.
pub(crate) fn blocks(document: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in document.lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        match (&mut open, fence) {
            (None, Some(language)) => {
                open = Some(Block {
                    language: language.trim().to_owned(),
                    line: index + 2,
                    code: String::new(),
                });
            }
            (Some(_), Some("")) => {
                blocks.extend(open.take().filter(|block| matches!(block.language.as_str(), "ts" | "js")));
            }
            (Some(block), _) => {
                block.code.push_str(line);
                block.code.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// A block as a module of its own, so that no two share their names.
fn module(code: &str) -> String {
    match code.lines().any(|line| line.starts_with("import ") || line.starts_with("export ")) {
        true => code.to_owned(),
        false => format!("{code}export {{}}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_with_their_lines() {
        let found = blocks(
            "a\n```ts\nlet a\n\nlet b\n```\n```sh\nnpm i\n```\n  ```js\n  let c\n  ```\n```\nplain\n```\n",
        );
        let found: Vec<_> =
            found.iter().map(|block| (block.language.as_str(), block.line, block.code.as_str())).collect();
        assert_eq!(found, [("ts", 3, "let a\n\nlet b\n"), ("js", 11, "  let c\n")]);
    }

    #[test]
    fn a_block_without_imports_becomes_a_module() {
        assert_eq!(module("let a\n"), "let a\nexport {}\n");
        assert_eq!(module("import 'a'\n"), "import 'a'\n");
    }
}
