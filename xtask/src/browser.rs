//! Finds the browser that the browser tests drive.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::project::find_program;

/// What to do where no browser is found.
pub(crate) const HOW_TO_GET_ONE: &str =
    "no Chromium found: `apt-get install chromium`, or set CHROMIUM to the path of a Chromium or Chrome";

/// The names under which systems install it, most specific first.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Where macOS keeps it.
const APPLICATIONS: [&str; 2] = [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// `$CHROMIUM` if it is set, or else the first one that is installed.
pub(crate) fn find() -> Result<Option<PathBuf>> {
    if let Some(chosen) = std::env::var_os("CHROMIUM").filter(|value| !value.is_empty()) {
        let chosen = PathBuf::from(chosen);
        if !chosen.is_file() {
            bail!("CHROMIUM is {}, which is no file", chosen.display());
        }
        return Ok(Some(chosen));
    }
    let application = || APPLICATIONS.iter().map(PathBuf::from).find(|path| path.is_file());
    Ok(find_program(&NAMES).or_else(application))
}
