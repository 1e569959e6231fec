//! Which files are handlers.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use super::error::ScriptError;
use super::module;
use super::source::EXTENSIONS;

/// The files that the patterns mean, sorted: files, folders with all that is below them, and globs. One that begins with `!`
/// takes files out.
pub(super) fn find(root: &Path, patterns: &[String]) -> Result<Vec<PathBuf>, ScriptError> {
    let mut found = Vec::new();
    let (mut out, mut globs) = (Vec::new(), Vec::new());
    for pattern in patterns {
        if let Some(pattern) = pattern.strip_prefix('!') {
            out.push(glob(pattern)?);
            continue;
        }
        let path = module::plain(&root.join(pattern));
        if path.is_file() {
            found.push(path);
        } else if path.is_dir() {
            walk(&path, &mut |file| found.push(file));
        } else if pattern.contains(['*', '?', '[', '{']) {
            globs.push(glob(pattern)?);
        } else {
            return Err(ScriptError::new(pattern, "there is no such file or folder"));
        }
    }
    if !globs.is_empty() {
        walk(root, &mut |file| {
            if globs.iter().any(|glob| glob.is_match(module::name(root, &file))) {
                found.push(file);
            }
        });
    }
    found.retain(|file| is_handler(file) && !out.iter().any(|glob| glob.is_match(module::name(root, file))));
    found.sort();
    found.dedup();
    Ok(found)
}

/// The folders in which files may come and go.
pub(super) fn folders(root: &Path, patterns: &[String]) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for pattern in patterns.iter().filter(|pattern| !pattern.starts_with('!')) {
        let path = module::plain(&root.join(pattern));
        let is_glob = !path.exists() && pattern.contains(['*', '?', '[', '{']);
        let literal = pattern.split('/').take_while(|part| !part.contains(['*', '?', '[', '{']));
        let base = if is_glob { root.join(literal.collect::<PathBuf>()) } else { path };
        if base.is_dir() {
            below(&base, &mut folders);
        } else if let Some(folder) = base.parent() {
            folders.push(folder.to_owned());
        }
    }
    folders
}

fn below(folder: &Path, folders: &mut Vec<PathBuf>) {
    folders.push(folder.to_owned());
    for path in entries(folder).filter(|path| path.is_dir()) {
        below(&path, folders);
    }
}

fn walk(folder: &Path, each: &mut impl FnMut(PathBuf)) {
    for path in entries(folder) {
        match path.is_dir() {
            true => walk(&path, each),
            false => each(path),
        }
    }
}

/// What is in a folder, but neither hidden nor of packages.
fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !name.starts_with('.') && name != "node_modules" && !path.is_symlink()
    })
}

/// Never handlers: other languages, declarations, tests, and files whose name begins with `_`, which others import.
fn is_handler(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
    let is_other = [".d", ".test", ".spec"].iter().any(|end| stem.ends_with(end));
    EXTENSIONS.contains(&extension) && !name.starts_with('_') && !is_other
}

fn glob(pattern: &str) -> Result<GlobMatcher, ScriptError> {
    let plain = pattern.trim_start_matches("./").trim_start_matches('/');
    let glob = GlobBuilder::new(plain).literal_separator(true).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|error| ScriptError::new(pattern, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_folders_and_globs_are_found() {
        let root = std::env::temp_dir().join(format!("switchboard-find-{}", std::process::id()));
        for file in [
            "ws/chat.ts",
            "ws/[room].ts",
            "ws/deep/a.js",
            "ws/_own.ts",
            "ws/chat.test.ts",
            "ws/types.d.ts",
            "ws/a.css",
            "ws/node_modules/b.ts",
            "ws/.hidden/c.ts",
            "other.mts",
        ] {
            let file = root.join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "").unwrap();
        }
        let found = |patterns: &[&str]| {
            let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
            let files = find(&root, &patterns).map_err(|error| error.to_string());
            files
                .map(|files| files.iter().map(|file| module::name(&root, file)).collect::<Vec<_>>().join(" "))
        };
        let all = "ws/[room].ts ws/chat.ts ws/deep/a.js";
        for (patterns, expected) in [
            (&["ws"][..], all),
            (&["./ws/**/*.{ts,js}"], all),
            (&["ws/*.ts"], "ws/[room].ts ws/chat.ts"),
            (&["ws/[room].ts"], "ws/[room].ts"),
            (&["ws", "!ws/deep/**"], "ws/[room].ts ws/chat.ts"),
            (&["other.mts", "ws/chat.ts", "ws/chat.ts"], "other.mts ws/chat.ts"),
            (&["none/*.ts"], ""),
        ] {
            assert_eq!(found(patterns).as_deref(), Ok(expected), "{patterns:?}");
        }
        assert_eq!(found(&["none.ts"]), Err("none.ts: there is no such file or folder".to_owned()));
        std::fs::remove_dir_all(&root).unwrap();
    }
}
