//! The inspector: its page and its files are for its own origin, and nothing beside them is given away.

use anyhow::{Result, ensure};

use super::case::Case;
use super::case::Outcome::Status;
use super::config::CONTROL_TOKEN;
use super::target::{HostKind, Target};
use super::wire::Peer;

pub(super) fn cases(kind: HostKind) -> Vec<Case> {
    let mut cases = Vec::new();
    // Who asks for the page, for what it asks first, and for a file of it.
    for (name, host, lines, status) in [
        ("who types its address", "localhost", "Sec-Fetch-Site: none\r\n", 200),
        ("the page itself", "localhost", "Sec-Fetch-Site: same-origin\r\n", 200),
        (
            "a link of another site",
            "localhost",
            "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n",
            403,
        ),
        (
            "a frame of another port",
            "localhost",
            "Sec-Fetch-Site: same-site\r\nSec-Fetch-Dest: iframe\r\n",
            403,
        ),
        (
            "a script of another site",
            "localhost",
            "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: script\r\n",
            403,
        ),
        (
            "a page that says two things",
            "localhost",
            "Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site\r\n",
            403,
        ),
        ("a page of another port", "localhost", "Origin: http://localhost:1\r\n", 403),
        ("a page that was opened as a file", "localhost", "Origin: null\r\n", 403),
        ("a page of a name that was pointed here", "evil.example", "Sec-Fetch-Site: same-origin\r\n", 403),
    ] {
        for file in ["", "start.json", "main.js"] {
            let bytes = request("GET", &format!("/__switchboard/{file}"), host, lines);
            cases.push(Case::request(
                format!("{name} wants {}", if file.is_empty() { "it" } else { file }),
                bytes,
                Status(status),
            ));
        }
    }
    for (name, path) in [
        ("the folder above", "/__switchboard/../Cargo.toml"),
        ("the folder above, encoded", "/__switchboard/%2e%2e/%2e%2e/package.json"),
        ("the folder above, encoded twice", "/__switchboard/%252e%252e%252fpackage.json"),
        ("a slash in a name", "/__switchboard/..%2f..%2fetc%2fpasswd"),
        ("a backslash in a name", "/__switchboard/..%5c..%5cpackage.json"),
        ("a path of the machine", "/__switchboard//etc/passwd"),
        ("a zero in a name", "/__switchboard/main.js%00.html"),
        ("a file that is not there", "/__switchboard/constructor"),
        ("another case", "/__SWITCHBOARD/main.js"),
    ] {
        cases.push(Case::story(format!("{name} gives nothing away"), move |target| nothing(target, path)));
    }
    let token = format!("Authorization: Bearer {CONTROL_TOKEN}\r\n");
    let recordings = "/__switchboard/api/v1/recordings";
    for (name, path, lines, status) in [
        ("a recording without the token", format!("{recordings}/a.jsonl"), "", 401),
        ("a recording that is not there", format!("{recordings}/nothing.jsonl"), &*token, 404),
        ("a recording in the folder above", format!("{recordings}/..%2f..%2fa.jsonl"), &token, 400),
        ("a recording of the machine", format!("{recordings}/%2fetc%2fpasswd"), &token, 400),
        ("a recording with a long name", format!("{recordings}/{}.jsonl", "x".repeat(4_000)), &token, 400),
        ("a long query", format!("/__switchboard/?{}", "x".repeat(6_000)), "", 200),
    ] {
        cases.push(Case::request(name, request("GET", &path, "localhost", lines), Status(status)));
    }
    // Vite answers what its middlewares leave.
    if kind == HostKind::Native {
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"] {
            let bytes = request(method, "/__switchboard/main.js", "localhost", "Content-Length: 0\r\n");
            cases.push(Case::request(format!("{method} for a file"), bytes, Status(404)));
        }
    }
    cases
}

/// Whatever the status is: the answer has neither a file of the machine, nor the token, nor one of the project.
fn nothing(target: &Target, path: &str) -> Result<()> {
    let mut peer = Peer::connect(target.port)?;
    peer.write(&request("GET", path, "localhost", ""))?;
    let answer = String::from_utf8_lossy(&peer.rest()?).into_owned();
    ensure!(answer.starts_with("HTTP/1.1 "), "it is answered {answer:.100}");
    for secret in ["root:x:", "[workspace]", "\"dependencies\"", CONTROL_TOKEN] {
        ensure!(!answer.contains(secret), "{path} gives {secret} away: {answer:.300}");
    }
    Ok(())
}

fn request(method: &str, path: &str, host: &str, lines: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{lines}\r\n").into_bytes()
}
