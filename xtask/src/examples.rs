//! The examples, and how they find the packages they import.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::project::Project;

/// What the examples import, and where it is below `npm/`.
const PACKAGES: [(&str, &str); 13] = [
    (".bin", "node_modules/.bin"),
    ("@playwright/test", "node_modules/@playwright/test"),
    ("@testing-library/dom", "node_modules/@testing-library/dom"),
    ("@testing-library/react", "node_modules/@testing-library/react"),
    ("@types/react", "node_modules/@types/react"),
    ("@types/react-dom", "node_modules/@types/react-dom"),
    ("happy-dom", "node_modules/happy-dom"),
    ("phoenix", "node_modules/phoenix"),
    ("react", "node_modules/react"),
    ("react-dom", "node_modules/react-dom"),
    ("vite", "node_modules/vite"),
    ("vite-plugin-switchboard", "."),
    ("vitest", "node_modules/vitest"),
];

/// The folder of one example; an unknown name is answered with the known ones.
pub(crate) fn find(project: &Project, name: &str) -> Result<PathBuf> {
    let known = names(project)?;
    if !known.iter().any(|example| example == name) {
        bail!("there is no example {name}; there are {}", known.join(", "));
    }
    Ok(project.examples().join(name))
}

/// The declarative configuration of an example, where rules can express it.
pub(crate) fn native_configuration(project: &Project, name: &str) -> Result<PathBuf> {
    let configuration = find(project, name)?.join("switchboard.toml");
    if !configuration.is_file() {
        bail!(
            "the example {name} needs JavaScript callbacks: it has no switchboard.toml for the native server"
        );
    }
    Ok(configuration)
}

/// Lets every example import the plugin from this repository and the Vite it is developed with, so
/// that none needs an installation of its own.
pub(crate) fn link_packages(project: &Project) -> Result<()> {
    link_packages_into(project, &project.examples().join("node_modules"))
}

/// Links the same into another `node_modules` folder.
pub(crate) fn link_packages_into(project: &Project, modules: &Path) -> Result<()> {
    for (package, place) in PACKAGES {
        let link = modules.join(package);
        // The folder of a scope, or `modules` itself.
        std::fs::create_dir_all(link.parent().unwrap_or(modules))?;
        if link.symlink_metadata().is_err() {
            let target = project.npm().join(place);
            link_folder(&target, &link).with_context(|| format!("cannot link {}", link.display()))?;
        }
    }
    Ok(())
}

/// The names of all examples.
pub(crate) fn names(project: &Project) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(project.examples())? {
        let folder = entry?.path();
        if folder.join("vite.config.ts").is_file() {
            names.extend(folder.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

/// Makes `link` stand for the folder `target`.
#[cfg(unix)]
pub(crate) fn link_folder(target: &Path, link: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

/// Makes `link` stand for the folder `target`.
#[cfg(windows)]
pub(crate) fn link_folder(target: &Path, link: &Path) -> std::io::Result<()> {
    std::os::windows::fs::symlink_dir(target, link)
}
