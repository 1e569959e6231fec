//! Autobahn|Testsuite in a Python 2.7 of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;
use xshell::cmd;

use crate::project::{Project, find_program};

/// The testsuite's version; `xtask/autobahn/requirements.txt` has the same.
pub(super) const VERSION: &str = "25.10.1";

/// How many cases there are.
pub(super) const ALL_CASES: usize = 517;

/// How many [`quick_cases`] are.
pub(super) const QUICK_CASES: usize = 326;

/// Our name in its reports.
pub(super) const AGENT: &str = "Switchboard";

pub(super) const HOW_TO_GET_PYTHON: &str = "there is no Python 2.7, which Autobahn|Testsuite runs on; install one (pyenv install 2.7.18) or name it in PYTHON27";

/// The last one that makes environments for Python 2.7.
const VIRTUALENV: &str = "virtualenv==20.15.1";

/// Longer than all cases take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(90 * 60);

/// The testsuite, ready to run.
pub(super) struct Testsuite {
    wstest: PathBuf,
}

impl Testsuite {
    /// Installs it below the target folder if it is not there; `None` where there is no Python 2.7.
    pub(super) fn install(project: &Project) -> Result<Option<Self>> {
        let requirements = project.path("xtask/autobahn/requirements.txt");
        let wanted = std::fs::read(&requirements)?;
        let folder = project.target().join("autobahn/python");
        let installed = folder.join("requirements.txt");
        let wstest = folder.join("venv/bin/wstest");
        if wstest.exists() && std::fs::read(&installed).is_ok_and(|installed| installed == wanted) {
            return Ok(Some(Self { wstest }));
        }
        let Some(python) = find_python(project)? else { return Ok(None) };
        let shell = &project.shell;
        shell.remove_path(&folder)?;
        let (tool, venv) = (folder.join("tool"), folder.join("venv"));
        let pip = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet"];
        cmd!(shell, "{python} {pip...} --target {tool} {VIRTUALENV}").run()?;
        let virtualenv = cmd!(shell, "{python} -m virtualenv --quiet --no-download {venv}");
        virtualenv.env("PYTHONPATH", &tool).run()?;
        cmd!(shell, "{venv}/bin/python {pip...} --no-deps --requirement {requirements}").run()?;
        shell.copy_file(&requirements, &installed)?;
        Ok(Some(Self { wstest }))
    }

    /// Plays the cases against a server. Returns the report's index, in `folder`.
    pub(super) fn run(&self, url: &str, folder: &Path, cases: &[String]) -> Result<PathBuf> {
        if folder.exists() {
            std::fs::remove_dir_all(folder)?;
        }
        std::fs::create_dir_all(folder)?;
        let specification = folder.join("specification.json");
        let text = json!({
            "outdir": folder,
            "options": { "failByDrop": false },
            "servers": [{ "agent": AGENT, "url": url }],
            "cases": cases,
            "exclude-cases": [],
            "exclude-agent-cases": {},
        });
        std::fs::write(&specification, text.to_string())?;
        let log = folder.join("wstest.log");
        println!("playing against {url}; the log is {}", log.display());
        let output = std::fs::File::create(&log)?;
        let mut command = std::process::Command::new(&self.wstest);
        command.args(["--mode", "fuzzingclient", "--spec"]).arg(&specification).current_dir(folder);
        command.stdin(Stdio::null()).stderr(output.try_clone()?).stdout(output);
        let mut child = command.spawn().context("cannot start wstest")?;
        let started = Instant::now();
        let status = loop {
            match child.try_wait()? {
                Some(status) => break status,
                None if started.elapsed() > PATIENCE => {
                    child.kill()?;
                    child.wait()?;
                    bail!("the testsuite is not done after {} minutes", PATIENCE.as_secs() / 60);
                }
                None => std::thread::sleep(Duration::from_millis(200)),
            }
        };
        if !status.success() {
            bail!("the testsuite ended with {status}:\n{}", std::fs::read_to_string(&log)?);
        }
        Ok(folder.join("index.json"))
    }
}

/// Everything about framing, UTF-8 and closing; of large messages the smaller ones, and of each compression setting the
/// six smallest sizes.
pub(super) fn quick_cases() -> Vec<String> {
    let whole = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"];
    let large = ["9.1.1", "9.1.2", "9.1.3", "9.2.1", "9.2.2", "9.2.3", "9.7.1"];
    let settings = (1..=5).map(|setting| (12, setting)).chain((1..=7).map(|setting| (13, setting)));
    let compressed = settings
        .flat_map(|(section, setting)| (1..=6).map(move |size| format!("{section}.{setting}.{size}")));
    whole.iter().chain(&large).map(|case| (*case).to_owned()).chain(compressed).collect()
}

/// The first interpreter that is a Python 2.7 with what the testsuite needs of its standard library.
fn find_python(project: &Project) -> Result<Option<PathBuf>> {
    let named = std::env::var_os("PYTHON27").map(PathBuf::from);
    let on_path = ["python2.7", "python2", "python"].iter().filter_map(|name| find_program(&[name]));
    let candidates = named.into_iter().chain(on_path).chain(pyenv_versions()?);
    let check = "import sys, ssl, zlib; sys.exit(sys.version_info[:2] != (2, 7))";
    let is_usable = |python: &PathBuf| {
        let check = cmd!(project.shell, "{python} -c {check}");
        check.quiet().ignore_stdout().ignore_stderr().run().is_ok()
    };
    let mut candidates = candidates;
    Ok(candidates.find(is_usable))
}

/// pyenv's own programs work only for the version that is switched on; these work always.
fn pyenv_versions() -> Result<Vec<PathBuf>> {
    let home = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let home = home.or_else(|| std::env::home_dir().map(|home| home.join(".pyenv")));
    let Some(versions) = home.map(|home| home.join("versions")).filter(|versions| versions.is_dir()) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for version in std::fs::read_dir(versions)? {
        let version = version?;
        if version.file_name().to_string_lossy().starts_with("2.7") {
            found.push(version.path().join("bin/python"));
        }
    }
    found.sort();
    Ok(found)
}
