//! Recordings on real sockets and in real files.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;

use support::raw::{Raw, upgrade_request};
use support::{Running, start};
use switchboard::recording::{EventKind, Line, Lines, Side};
use switchboard::{Config, RecordSettings, Server};

/// A folder of this test alone, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("switchboard-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn echo(record: Option<&str>) -> Running {
    let record = record.map(|file| format!("record = '{file}'\n")).unwrap_or_default();
    let config = format!("[[routes]]\npattern = '/echo'\ndialect = 'echo'\nsubprotocols = ['*']\n{record}");
    start(Server::builder().config(Config::from_toml(&config).unwrap())).await
}

async fn open(server: &Running, path: &str, headers: &str) -> Raw {
    let mut raw = Raw::connect(server.address).await;
    raw.write(upgrade_request(path, headers).as_bytes()).await;
    let head = raw.head().await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    raw
}

fn read(file: &str) -> Vec<Line> {
    let mut lines = Lines::default();
    lines.push(&std::fs::read(file).unwrap());
    let mut read: Vec<Line> =
        std::iter::from_fn(|| lines.next_line().unwrap()).map(|placed| placed.line).collect();
    read.extend(lines.finish().unwrap().map(|placed| placed.line));
    read
}

/// Waits until the file has so many lines.
async fn until_lines(file: &str, count: usize) -> Vec<Line> {
    let waited = async {
        loop {
            if Path::new(file).exists() && read(file).len() >= count {
                return read(file);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waited).await.unwrap()
}

#[tokio::test]
async fn a_route_is_recorded_as_it_happens_without_secrets() {
    let folder = Folder::new("route");
    let file = folder.path("deep/er/session.jsonl");
    let server = echo(Some(&file)).await;
    let headers = "Authorization: Bearer s3cr3t\r\nCookie: sid=s3cr3t\r\nSec-WebSocket-Protocol: base64url.bearer.phx.s3cr3t\r\n";
    let mut raw = open(&server, "/echo?token=s3cr3t&x=1", headers).await;
    raw.send(0x81, br#"{"password": "s3cr3t"}"#).await;
    assert_eq!(raw.frame().await.payload, br#"{"password": "s3cr3t"}"#);
    raw.send(0x82, b"\xff\x00Bearer s3cr3t").await;
    raw.frame().await;
    // Nothing has ended yet, and everything is there.
    let lines = until_lines(&file, 6).await;
    let texts: Vec<_> = lines
        .iter()
        .filter_map(|line| match line {
            Line::Event(event) => Some(event),
            _ => None,
        })
        .filter_map(|event| match &event.kind {
            EventKind::Message { from, message } => Some((*from, message.payload().to_vec())),
            _ => None,
        })
        .collect();
    let expected = [br#"{"password": "***"}"#.to_vec(), b"\xff\x00Bearer ******".to_vec()];
    assert_eq!(texts[0], (Side::Client, expected[0].clone()));
    assert_eq!(texts[3], (Side::Server, expected[1].clone()));
    raw.send(0x88, b"\x0f\xa0token=s3cr3t").await;
    raw.frame().await;
    until_lines(&file, 7).await;
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("s3cr3t") && text.contains("/echo?token=***&x=1"), "{text}");
}

#[tokio::test]
async fn a_file_goes_on_behind_a_line_that_a_crash_has_torn() {
    let folder = Folder::new("torn");
    let file = folder.path("session.jsonl");
    std::fs::write(&file, "{\"switchboard\":\"recording\",\"version\":1,\"startedAt\":\"2026-11-22T05:00:00.000Z\"}\n{\"at\":1,\"ty").unwrap();
    let server = echo(Some(&file)).await;
    let _raw = open(&server, "/echo", "").await;
    let lines = until_lines(&file, 3).await;
    assert!(matches!(&lines[1], Line::Header(_)) && matches!(&lines[2], Line::Event(_)), "{lines:?}");
}

#[tokio::test]
async fn recordings_are_started_and_complete_when_they_are_stopped() {
    let folder = Folder::new("started");
    let (file, all) = (folder.path("chat.jsonl"), folder.path("all.jsonl"));
    let server = echo(None).await;
    let mut raw = open(&server, "/echo", "").await;
    let recordings = server.switchboard.recordings();
    let recording = recordings.route("/echo").start(&*file).unwrap();
    assert!(recordings.start(&*file).is_err(), "twice the same file");
    let mut settings = RecordSettings::new(&*all);
    settings.mask = vec!["[0-9]+".to_owned()];
    let other = recordings.start(settings).unwrap();
    for _ in 0..100 {
        raw.send(0x81, b"say 42").await;
        raw.frame().await;
    }
    assert!(recording.stop().await);
    assert_eq!(read(&file).len(), 202, "a header, an opening, and each message twice");
    assert!(!recording.stop().await);
    assert!(other.stop().await);
    let text = std::fs::read_to_string(&all).unwrap();
    assert!(text.contains("say ***") && !text.contains("say 42"), "{text}");
}

#[tokio::test]
async fn a_stopping_server_writes_the_ends_of_its_connections() {
    let folder = Folder::new("stop");
    let file = folder.path("session.jsonl");
    let server = echo(Some(&file)).await;
    let mut raw = open(&server, "/echo", "").await;
    let switchboard = server.switchboard.clone();
    let drained = tokio::spawn(async move { switchboard.drain(Duration::from_secs(5)).await });
    let frame = raw.frame().await;
    raw.send(0x88, &frame.payload).await;
    drained.await.unwrap();
    let lines = read(&file);
    let Some(Line::Event(last)) = lines.last() else { panic!("{lines:?}") };
    assert!(matches!(&last.kind, EventKind::Close { frame, .. } if frame.code.0 == 1001), "{last:?}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_ends_the_recording_alone() {
    let folder = Folder::new("file");
    std::fs::write(folder.path("taken"), "").unwrap();
    let server = echo(Some(&folder.path("taken/session.jsonl"))).await;
    let mut raw = open(&server, "/echo", "").await;
    for _ in 0..3 {
        raw.send(0x81, b"still here").await;
        assert_eq!(raw.frame().await.payload, b"still here");
    }
    let ended = async {
        while server.switchboard.stats().recording_bytes > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ended).await.unwrap();
}
