//! The official test suite of JSON Schema, against the validator of the core.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use xshell::cmd;

use crate::npm;
use crate::project::{Project, find_program};
use crate::steps::Outcome;

/// The source distribution of the package `jsonschema` holds the suite, the other package the meta-schemas. Neither is run.
const SUITE: &str = "jsonschema==4.26.0";
const META_SCHEMAS: &str = "jsonschema-specifications==2025.9.1";

/// The npm package with the JSON Schema of AsyncAPI, and where it is packed and unpacked.
const ASYNCAPI: &str = "@asyncapi/specs@6.11.1";
const ASYNCAPI_PACKED: &str = "asyncapi-specs-6.11.1.tgz";
const ASYNCAPI_SCHEMA: &str = "asyncapi/package/schemas/3.0.0.json";

/// Whose AsyncAPI documents are held to it.
const CONFIGURATIONS: [&str; 3] =
    ["native/switchboard.toml", "examples/phoenix/switchboard.toml", "examples/auth/switchboard.toml"];

/// Where the table of what passes stands.
const TABLE: &str = "core/src/contract/schema/README.md";

/// Plays the suite, whose passing tests have to be those that the table says, and holds AsyncAPI documents of configurations to
/// AsyncAPI's own schema.
pub(crate) fn run(project: &Project) -> Result<Outcome> {
    let Some(python) = find_program(&["python3", "python"]) else {
        return Ok(Outcome::Skipped("there is no Python 3, whose pip fetches the test suite".into()));
    };
    let (suite, meta) = fetch(project, &python)?;
    let program = project.example("schema_suite")?;
    let table = cmd!(project.shell, "{program} {suite} {meta}").read();
    let table = table.context("a required test of the suite fails")?;
    let documented = std::fs::read_to_string(project.path(TABLE))?;
    println!("{table}");
    ensure!(
        documented.contains(table.trim()),
        "the table in {TABLE} is another one; write the one above there"
    );
    let schema = fetch_asyncapi(project, &python)?;
    let program = project.example("asyncapi_valid")?;
    let configurations = CONFIGURATIONS.map(|file| project.path(file));
    cmd!(project.shell, "{program} {schema} {configurations...}").run()?;
    Ok(Outcome::Passed)
}

/// The schema of AsyncAPI, below the target folder.
fn fetch_asyncapi(project: &Project, python: &Path) -> Result<PathBuf> {
    let folder = project.target().join("schemas");
    let schema = folder.join(ASYNCAPI_SCHEMA);
    if !schema.exists() {
        let (shell, npm) = (&project.shell, npm::program("npm")?);
        std::fs::create_dir_all(&folder)?;
        cmd!(shell, "{npm} pack --silent --pack-destination {folder} {ASYNCAPI}").run()?;
        let (archive, target) = (folder.join(ASYNCAPI_PACKED), folder.join("asyncapi"));
        cmd!(shell, "{python} -m tarfile -e {archive} {target}").run()?;
    }
    Ok(schema)
}

/// The folder of the suite and that of the meta-schemas, below the target folder.
fn fetch(project: &Project, python: &Path) -> Result<(PathBuf, PathBuf)> {
    let folder = project.target().join("schemas").join(format!("{SUITE}-{META_SCHEMAS}"));
    let suite = folder.join(SUITE.replace("==", "-")).join("json");
    let meta = folder.join("meta/jsonschema_specifications/schemas/draft202012");
    // It is fetched last.
    if !meta.exists() {
        let (shell, pip) = (&project.shell, ["-m", "pip", "--disable-pip-version-check"]);
        let source = ["--quiet", "--no-deps", "--no-binary", "jsonschema", SUITE];
        cmd!(shell, "{python} {pip...} download {source...} --dest {folder}").run()?;
        let archive = folder.join(format!("{}.tar.gz", SUITE.replace("==", "-")));
        cmd!(shell, "{python} -m tarfile -e {archive} {folder}").run()?;
        let target = folder.join("meta");
        cmd!(shell, "{python} {pip...} install --quiet --no-deps --target {target} {META_SCHEMAS}").run()?;
    }
    Ok((suite, meta))
}
