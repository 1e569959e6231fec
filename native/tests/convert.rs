//! `switchboard convert`.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const HEADER: &str = r#"{"switchboard":"recording","version":1,"startedAt":"2026-11-22T05:00:00.000Z","source":"wss://example.com"}"#;

/// As Playwright writes it with `content: "attach"`.
const HAR: &str = r#"{"log":{"version":"1.2","entries":[
{"startedDateTime":"2026-11-22T05:00:00.000Z","request":{"url":"https://example.com/"},"_resourceType":"document"},
{"startedDateTime":"2026-11-22T05:00:00.000Z","request":{"url":"wss://example.com/feed?token=opensesame","headers":
[{"name":"Cookie","value":"session=opensesame"}]},"response":{"status":101,"headers":[],"content":{"_file":"f.jsonl"}},
"_resourceType":"websocket"}]}}"#;

const FRAMES: &str = r#"{"type":"send","time":1795323600001,"opcode":1,"data":"{\"token\": \"opensesame\"}"}
{"type":"receive","time":1795323600002.5,"opcode":1,"data":"card 1234"}
{"type":"receive","time":1795323600003,"opcode":2,"data":"AAH/"}
"#;

const REVEALED: &str = r#"
{"at":0,"connection":1,"type":"open","path":"/feed?token=opensesame","headers":[["cookie","session=opensesame"]],"status":101}
{"at":1,"connection":1,"type":"message","from":"client","json":{"token": "opensesame"}}
{"at":2.5,"connection":1,"type":"message","from":"server","text":"card 1234"}
{"at":3,"connection":1,"type":"message","from":"server","binary":"AAH/"}
"#;

const MASKED: &str = r#"
{"at":0,"connection":1,"type":"open","path":"/feed?token=***","headers":[["cookie","***"]],"status":101}
{"at":1,"connection":1,"type":"message","from":"client","json":{"token": "***"}}
{"at":2.5,"connection":1,"type":"message","from":"server","text":"card 1234"}
{"at":3,"connection":1,"type":"message","from":"server","binary":"AAH/"}
"#;

/// A folder for one test, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("switchboard-convert-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    fn with(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.0.join(name), bytes).expect("a file");
        self
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).expect("a file")
    }

    fn names(&self) -> Vec<String> {
        let files = std::fs::read_dir(&self.0).expect("a folder");
        let mut names: Vec<_> =
            files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
        command.arg("convert").args(arguments).current_dir(&self.0).output().expect("the program")
    }

    /// What is printed.
    fn convert(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// What is said about what is wrong.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).expect("UTF-8")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn zipped() -> Vec<u8> {
    let mut archive = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in [("har.har", HAR), ("f.jsonl", FRAMES)] {
        archive.start_file(name, SimpleFileOptions::default()).expect("a file");
        archive.write_all(text.as_bytes()).expect("written");
    }
    archive.finish().expect("an archive").into_inner()
}

fn deflated(text: &str) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).expect("written");
    encoder.finish().expect("deflated")
}

#[test]
fn credentials_are_masked_unless_they_are_to_be_revealed() {
    let folder = Folder::new("mask").with("a.har", HAR).with("f.jsonl", FRAMES);
    assert_eq!(
        folder.convert(&["a.har", "a.jsonl"]),
        "a.jsonl: connections: 1, messages: 3\na.jsonl: entries of a.har that are no WebSockets: 1\n"
    );
    assert_eq!(folder.read("a.jsonl"), format!("{HEADER}{MASKED}"));
    folder.convert(&["a.har", "a.jsonl", "--mask", "card [0-9]+", "--mask", "nothing"]);
    assert_eq!(folder.read("a.jsonl"), format!("{HEADER}{}", MASKED.replace("card 1234", "***")));
    folder.convert(&["a.har", "a.jsonl", "--reveal"]);
    assert_eq!(folder.read("a.jsonl"), format!("{HEADER}{REVEALED}"));
    // The other way, too.
    folder.convert(&["a.jsonl", "b.har"]);
    assert!(!folder.read("b.har").contains("opensesame"));
    folder.convert(&["a.jsonl", "a.jsonl"]);
    assert_eq!(folder.read("a.jsonl"), format!("{HEADER}{MASKED}"));
    assert_eq!(folder.names(), ["a.har", "a.jsonl", "b.har", "f.jsonl"]);
}

#[test]
fn archives() {
    let inline = HAR.replace(r#""content":{"_file":"f.jsonl"}"#, r#""content":{}"#);
    let folder = Folder::new("archives").with("a.zip", zipped()).with("a.zhar", deflated(&inline));
    folder.convert(&["a.zip", "a.jsonl", "--reveal"]);
    assert_eq!(folder.read("a.jsonl"), format!("{HEADER}{REVEALED}"));
    folder.convert(&["a.zhar", "b.jsonl"]);
    assert_eq!(folder.read("b.jsonl").lines().count(), 2);
}

#[test]
fn to_har_and_back() {
    let text = format!("{HEADER}{REVEALED}");
    let more = r#"{"at":4,"connection":1,"type":"close","by":"server","code":4001,"reason":"gone"}
{"at":5,"connection":2,"type":"refuse","path":"/","status":403,"reason":"not you"}
"#;
    let torn = "{\"at\":6,\"type\":\"gap\",\"missed\":1}\n{\"at\":7,\"connec";
    let folder = Folder::new("back").with("a.jsonl", format!("{text}{more}{torn}"));
    assert_eq!(
        folder.convert(&["a.jsonl", "a.har", "--reveal"]),
        "a.har: connections: 2, messages: 3\na.har: line 9 of a.jsonl was torn and is left out\na.har: events without a place in HAR (faults, \
         gaps, what lacks its opening): 1\n"
    );
    folder.convert(&["a.har", "b.jsonl", "--reveal"]);
    assert_eq!(folder.read("b.jsonl"), format!("{text}{more}"));
}

#[test]
fn mistakes_are_named_and_leave_the_old_file() {
    let damaged = |from: &str, to: &str| HAR.replacen(from, to, 1);
    let folder = Folder::new("mistakes")
        .with("out.jsonl", "as it was")
        .with("no.har", r#"{"log":{"entries":[]}}"#)
        .with(
            "time.har",
            damaged(
                r#""startedDateTime":"2026-11-22T05:00:00.000Z","request":{"url":"wss"#,
                r#""startedDateTime":7,"request":{"url":"wss"#,
            ),
        )
        .with("alone.har", damaged("f.jsonl", "gone.jsonl"))
        .with("up.har", damaged("f.jsonl", "../f.jsonl"))
        .with("frames.har", HAR)
        .with("f.jsonl", FRAMES.replace("receive", "received"))
        .with(
            "by.jsonl",
            format!("{HEADER}\n{{\"at\":1,\"connection\":1,\"type\":\"close\",\"by\":\"me\"}}\n"),
        )
        .with("not.zip", "PK")
        .with("not.zhar", "PK");
    for (arguments, expected) in [
        (&["no.har", "out.jsonl"][..], "no.har: log.entries: there is no WebSocket among 0 entries"),
        (
            &["time.har", "out.jsonl"],
            "time.har: line 3: log.entries[1].startedDateTime: expected text, got the number 7",
        ),
        (
            &["alone.har", "out.jsonl"],
            "alone.har: log.entries[1].response.content._file: gone.jsonl cannot be read",
        ),
        (
            &["up.har", "out.jsonl"],
            "up.har: line 5: log.entries[1].response.content._file: expected the name of a file in",
        ),
        (
            &["frames.har", "out.jsonl"],
            "frames.har: log.entries[1].response.content._file: f.jsonl, line 2: type: expected",
        ),
        (&["by.jsonl", "out.jsonl"], "by.jsonl: line 2: by: expected \"client\""),
        (&["not.zip", "out.jsonl"], "not.zip: cannot be read"),
        (&["not.zhar", "out.jsonl"], "not.zhar: cannot be read"),
        (&["none.har", "out.jsonl"], "none.har: cannot be read"),
        (&["none.txt", "out.jsonl"], "none.txt: expected a name that ends in .jsonl, .har, .zip or .zhar"),
        (&["no.har", "out.txt"], "out.txt: expected a name that ends in .jsonl or .har"),
        (&["no.har", "nowhere/out.jsonl"], "nowhere/out.jsonl: cannot be written"),
        (&["no.har", "out.jsonl", "--mask", "("], "--mask: [0]: not a regular expression"),
        (
            &["no.har", "out.jsonl", "--mask", "x", "--reveal"],
            "the argument '--mask <PATTERN>' cannot be used with '--reveal'",
        ),
    ] {
        let error = folder.refused(arguments);
        assert!(error.starts_with(&format!("error: {expected}")), "{arguments:?}: {error}");
        assert_eq!(folder.read("out.jsonl"), "as it was");
    }
    assert!(!folder.names().iter().any(|name| name.contains("unfinished")));
}
