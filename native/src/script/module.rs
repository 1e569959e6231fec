//! The modules of handler files: what imports what.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Component, Path, PathBuf};

use super::error::ScriptError;
use super::source::{EXTENSIONS, Source, place};

/// The package that handler files may import.
pub(super) const PACKAGE: &str = "vite-plugin-switchboard";

/// One module: what it is made of, and what it imports.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Module {
    pub(super) file: PathBuf,
    pub(super) source: Source,
    /// By specifier: the names of modules.
    pub(super) imports: HashMap<String, String>,
}

/// All modules of the handler files, by their names: paths relative to the root, with `/` between parts.
pub(super) type Modules = BTreeMap<String, Module>;

/// Reads the modules of these files, and what they import. `before` are those that were read the last time.
pub(super) fn read(root: &Path, files: &[PathBuf], before: &Modules) -> Result<Modules, ScriptError> {
    let mut modules = Modules::new();
    let mut next: Vec<PathBuf> = files.to_vec();
    while let Some(file) = next.pop() {
        let name = name(root, &file);
        if modules.contains_key(&name) {
            continue;
        }
        let source = source(&file, &name, before.get(&name))?;
        let mut imports = HashMap::new();
        for import in &source.imports {
            if import.specifier == PACKAGE {
                continue;
            }
            let found = resolve(&file, &import.specifier)
                .map_err(|message| ScriptError::new(place(&name, &source.text, import.at), message))?;
            imports.insert(import.specifier.clone(), self::name(root, &found));
            next.push(found);
        }
        modules.insert(name, Module { file, source, imports });
    }
    Ok(modules)
}

/// A file that is as it was is not parsed again.
fn source(file: &Path, name: &str, before: Option<&Module>) -> Result<Source, ScriptError> {
    match (before, std::fs::read_to_string(file)) {
        (Some(before), Ok(text)) if before.source.text == text => Ok(before.source.clone()),
        (_, Ok(text)) => Source::parse(text, name),
        _ => Source::read(file, name),
    }
}

/// The modules that a module consists of: itself, and what it imports.
pub(super) fn closure<'m>(modules: &'m Modules, entry: &'m str) -> HashSet<&'m str> {
    let mut found = HashSet::new();
    let mut next = vec![entry];
    while let Some(name) = next.pop() {
        if found.insert(name)
            && let Some(module) = modules.get(name)
        {
            next.extend(module.imports.values().map(String::as_str));
        }
    }
    found
}

/// A file's path as users write it: relative to the root, with `/` between parts.
pub(super) fn name(root: &Path, file: &Path) -> String {
    let (root, file) = (plain(root), plain(file));
    let shared = root.components().zip(file.components()).take_while(|(one, other)| one == other).count();
    if shared == 0 {
        return file.to_string_lossy().replace('\\', "/");
    }
    let up = root.components().skip(shared).map(|_| "..".to_owned());
    let down = file.components().skip(shared).map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// A path without `.` and `..`.
pub(super) fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            other => plain.push(other),
        }
    }
    plain
}

/// The file that a specifier means, as Vite finds it.
fn resolve(importer: &Path, specifier: &str) -> Result<PathBuf, String> {
    if !specifier.starts_with("./") && !specifier.starts_with("../") && specifier != "." && specifier != ".."
    {
        return Err(format!(
            "cannot import {specifier}: handler files on the native server import {PACKAGE} and files of their own by \
             relative paths; for packages of npm and for Node's modules serve them with attach() on Node, or in Vite"
        ));
    }
    let folder = importer.parent().unwrap_or(Path::new(""));
    let path = plain(&folder.join(specifier));
    let with = |extension: &str| {
        let mut path = path.clone().into_os_string();
        path.push(format!(".{extension}"));
        PathBuf::from(path)
    };
    let mut candidates = vec![path.clone()];
    // TypeScript has one write the name of what a file is compiled to.
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("js") => candidates.push(path.with_extension("ts")),
        Some("mjs") => candidates.push(path.with_extension("mts")),
        _ => {}
    }
    candidates.extend(EXTENSIONS.map(with));
    candidates.push(with("json"));
    candidates.extend(EXTENSIONS.map(|extension| path.join(format!("index.{extension}"))));
    let found = candidates.into_iter().find(|candidate| candidate.is_file());
    found.ok_or_else(|| format!("cannot import {specifier}: there is no such file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_relative_to_the_root() {
        for (file, expected) in [
            ("/a/b/ws/chat.ts", "ws/chat.ts"),
            ("/a/b/./ws/../x.ts", "x.ts"),
            ("/a/common/x.ts", "../common/x.ts"),
        ] {
            assert_eq!(name(Path::new("/a/b"), Path::new(file)), expected);
        }
    }

    #[test]
    fn packages_are_refused() {
        for specifier in ["zod", "node:fs", "/etc/passwd", "https://example.com/a.js"] {
            let message = resolve(Path::new("/a/b.ts"), specifier).unwrap_err();
            assert!(
                message.contains(&format!("cannot import {specifier}: ")) && message.contains("attach()"),
                "{message}"
            );
        }
    }
}
