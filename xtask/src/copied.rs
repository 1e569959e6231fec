//! Checks that each example can be copied out of the repository.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use xshell::cmd;

use crate::project::Project;
use crate::vite::Vite;
use crate::{examples, npm, pack};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Copies every example into an empty folder, installs what its `package.json` names and the packed plugin, starts its Vite,
/// and asks for the page and for the first endpoint that Vite prints.
pub(crate) fn run(project: &Project) -> Result<()> {
    let tarball = pack::pack(project)?;
    for name in examples::names(project)? {
        one(project, &name, &tarball).with_context(|| format!("examples/{name} on its own"))?;
    }
    Ok(())
}

fn one(project: &Project, name: &str, tarball: &Path) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("switchboard-example-").tempdir()?;
    copy(project, name, folder.path())?;
    install(project, folder.path(), tarball)?;
    let mut vite = Vite::start(&folder.path().join("node_modules"), folder.path())?;
    let tried = talk(&mut vite);
    let (path, status) = tried.with_context(|| format!("Vite printed:\n{}", vite.server.printed()))?;
    println!("{name}: the page is there, and {path} is answered {status}");
    Ok(())
}

/// Asks for the page and for an endpoint: which, and how it is answered.
fn talk(vite: &mut Vite) -> Result<(String, String)> {
    let url = format!("ws://127.0.0.1:{}", vite.port);
    vite.server.wait_for_line(&url)?;
    let path = endpoint(&vite.server.printed(), &url)?;
    let page = ask(vite.port, "/", "Accept: text/html\r\n")?;
    ensure!(page == "200", "the page is answered {page}");
    let status = ask(vite.port, &path, UPGRADE)?;
    // Those that want to know who comes answer 401.
    ensure!(["101", "401"].contains(&&*status), "{path} is answered {status}");
    Ok((path, status))
}

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Copies what belongs to the repository, and nothing that lies beside it.
fn copy(project: &Project, name: &str, to: &Path) -> Result<()> {
    let _here = project.shell.push_dir(project.examples().join(name));
    for file in cmd!(project.shell, "git ls-files").read()?.lines() {
        let target = to.join(file);
        std::fs::create_dir_all(target.parent().unwrap_or(to))?;
        std::fs::copy(project.examples().join(name).join(file), target)
            .with_context(|| format!("cannot copy {file}"))?;
    }
    Ok(())
}

fn install(project: &Project, folder: &Path, tarball: &Path) -> Result<()> {
    let _here = project.shell.push_dir(folder);
    let npm = npm::program("npm")?;
    let install =
        cmd!(project.shell, "{npm} install --no-audit --no-fund --prefer-offline --silent --save-dev");
    Ok(install.arg(tarball).run()?)
}

/// The path of the first endpoint among the lines that Vite has printed, with something in place of its parameters.
fn endpoint(printed: &str, url: &str) -> Result<String> {
    let start = printed.find(url).context("no endpoint is printed")? + url.len();
    let path = printed[start..].split_whitespace().next().unwrap_or_default();
    let segment = |segment: &str| match (
        segment.split_once("(?:"),
        segment.starts_with('{') || segment.contains('*'),
    ) {
        // One of several words.
        (Some((_, words)), true) => words.split(['|', ')']).next().unwrap_or_default().to_owned(),
        (None, true) => "1".to_owned(),
        (_, false) => segment.to_owned(),
    };
    Ok(path.split('/').map(segment).collect::<Vec<_>>().join("/"))
}

/// The status that a request is answered with.
fn ask(port: u16, path: &str, headers: &str) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{headers}\r\n")?;
    let mut head = Vec::new();
    while head.len() < "HTTP/1.1 200".len() {
        let mut byte = [0];
        if stream.read(&mut byte)? == 0 {
            bail!("{path} is not answered");
        }
        head.push(byte[0]);
    }
    let line = String::from_utf8_lossy(&head).into_owned();
    Ok(line.split(' ').nth(1).unwrap_or_default().to_owned())
}
