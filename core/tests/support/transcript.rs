//! Reads golden transcripts and compares what was heard with what should have been. The format is described in
//! `core/tests/transcripts/README.md`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// What plain requests show to the control API.
pub const CONTROL_TOKEN: &str = "transcript";

/// One file.
#[derive(Debug)]
pub struct Transcript {
    pub name: String,
    pub config: String,
    /// Files beside the configuration, by name.
    pub files: Vec<(String, String)>,
    /// A handler file that does the same as the configuration's routes.
    pub handlers: Option<String>,
    pub lines: Vec<(usize, Line)>,
}

/// One line of a script.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    Connects { who: String, path: String, headers: Vec<(String, String)> },
    Gets { who: String, status: u16, path: String, headers: Vec<(String, String)> },
    IsDropped { path: String, headers: Vec<(String, String)> },
    Says { who: String, text: String },
    SaysBinary { who: String, bytes: Vec<u8> },
    Pings { who: String, text: String },
    Pongs { who: String, text: String },
    Closes { who: String, frame: Option<(u16, String)> },
    Vanishes { who: String },
    Hears { who: String, expected: Expected },
    HearsNothing { who: String },
    Wait { ms: u64 },
    Http { method: String, path: String, body: String, status: u16, expected: Option<String> },
}

/// What should come next.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    Json(String),
    Text(String),
    Binary(Vec<u8>),
    Ping(String),
    Pong(String),
    Close(u16, Option<String>),
    Broken(String),
}

/// All transcripts below `root`, in order of their names.
pub fn all(root: &Path) -> Vec<Transcript> {
    let mut files = Vec::new();
    collect(root, &mut files);
    files.sort();
    assert!(!files.is_empty(), "no transcripts below {}", root.display());
    files.iter().map(|file| read(root, file)).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "txt") {
            files.push(path);
        }
    }
}

fn read(root: &Path, file: &Path) -> Transcript {
    let text = std::fs::read_to_string(file).unwrap();
    let name = file.strip_prefix(root).unwrap().display().to_string();
    let (head, script) = text.split_once("--- script\n").unwrap_or_else(|| panic!("{name}: no --- script"));
    let (_, config) = head.split_once("--- config\n").unwrap_or_else(|| panic!("{name}: no --- config"));
    let (config, handlers) = match config.split_once("--- handlers\n") {
        Some((config, handlers)) => (config, Some(handlers.to_owned())),
        None => (config, None),
    };
    let mut parts = config.split("--- file ");
    let config = parts.next().unwrap_or_default().to_owned();
    let files = parts.map(|part| part.split_once('\n').unwrap_or_else(|| panic!("{name}: --- file NAME")));
    let files = files.map(|(name, text)| (name.trim().to_owned(), text.to_owned())).collect();
    let first = head.lines().count() + 2;
    let lines = script
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|(index, line)| {
            let parsed =
                parse(line).unwrap_or_else(|| panic!("{name}:{}: not a line: {line}", first + index));
            (first + index, parsed)
        })
        .collect();
    Transcript { name, config, files, handlers, lines }
}

fn parse(line: &str) -> Option<Line> {
    let (who, rest) = line.split_once(' ')?;
    let (verb, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let (name, text) = (who.to_owned(), rest.to_owned());
    let hears = |expected| Some(Line::Hears { who: name.clone(), expected });
    match (who, verb) {
        ("wait", ms) => Some(Line::Wait { ms: ms.parse().ok()? }),
        ("http", method) => parse_http(method, rest),
        (_, "connects") => {
            let (path, headers) = parse_target(rest)?;
            Some(Line::Connects { who: name, path, headers })
        }
        (_, "gets") => {
            let (status, target) = rest.split_once(" for ")?;
            let (path, headers) = parse_target(target)?;
            Some(Line::Gets { who: name, status: status.parse().ok()?, path, headers })
        }
        (_, "is-dropped") => {
            let (path, headers) = parse_target(rest.strip_prefix("for ")?)?;
            Some(Line::IsDropped { path, headers })
        }
        (_, "says") => Some(Line::Says { who: name, text }),
        (_, "says-binary") => Some(Line::SaysBinary { who: name, bytes: hex(rest)? }),
        (_, "pings") => Some(Line::Pings { who: name, text }),
        (_, "pongs") => Some(Line::Pongs { who: name, text }),
        (_, "closes") if rest.is_empty() => Some(Line::Closes { who: name, frame: None }),
        (_, "closes") => {
            let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
            Some(Line::Closes { who: name, frame: Some((code.parse().ok()?, reason.to_owned())) })
        }
        (_, "vanishes") => Some(Line::Vanishes { who: name }),
        (_, "hears") => hears(Expected::Json(text)),
        (_, "hears-exactly") => hears(Expected::Text(text)),
        (_, "hears-binary") => hears(Expected::Binary(hex(rest)?)),
        (_, "is-pinged") => hears(Expected::Ping(text)),
        (_, "is-ponged") => hears(Expected::Pong(text)),
        (_, "is-closed") => {
            let (code, reason) =
                rest.split_once(' ').map_or((rest, None), |(code, reason)| (code, Some(reason)));
            hears(Expected::Close(code.parse().ok()?, reason.map(str::to_owned)))
        }
        (_, "hears-broken") => hears(Expected::Broken(text)),
        (_, "hears-nothing") => Some(Line::HearsNothing { who: name }),
        _ => None,
    }
}

fn parse_target(text: &str) -> Option<(String, Vec<(String, String)>)> {
    let (path, headers) = text.split_once(" with ").unwrap_or((text, ""));
    let headers = headers.split(';').filter(|header| !header.trim().is_empty()).map(|header| {
        let (name, value) = header.split_once(':')?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    });
    Some((path.to_owned(), headers.collect::<Option<_>>()?))
}

fn parse_http(method: &str, rest: &str) -> Option<Line> {
    let (request, answer) = rest.rsplit_once(" = ")?;
    let (path, body) = request.split_once(' ').unwrap_or((request, ""));
    let (status, expected) =
        answer.split_once(' ').map_or((answer, None), |(status, json)| (status, Some(json.to_owned())));
    let (path, body) = (path.to_owned(), body.to_owned());
    Some(Line::Http { method: method.to_owned(), path, body, status: status.parse().ok()?, expected })
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<_> = text.chars().filter(|c| !c.is_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).ok()).collect()
}

/// The values that `<=name>` stands for.
#[derive(Debug, Default)]
pub struct Names(HashMap<String, Value>);

impl Names {
    /// `text` with every `<=name>` replaced by the value that was taken.
    pub fn fill(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        for (name, value) in &self.0 {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            filled = filled.replace(&format!("<={name}>"), &value);
        }
        filled
    }

    /// Whether the JSON in `heard` is what `expected` says; takes the values that it names for the first time.
    pub fn matches(&mut self, expected: &str, heard: &str) -> Result<(), String> {
        let parse =
            |text: &str| serde_json::from_str::<Value>(text).map_err(|error| format!("{text}: {error}"));
        let (wanted, got) = (parse(expected)?, parse(heard)?);
        if self.same(&wanted, &got) { Ok(()) } else { Err(format!("expected {expected}\n     got {heard}")) }
    }

    fn same(&mut self, wanted: &Value, got: &Value) -> bool {
        match (wanted, got) {
            (Value::String(pattern), got) if pattern.starts_with('<') && pattern.ends_with('>') => {
                match pattern.as_str() {
                    "<any>" => true,
                    "<string>" => got.is_string(),
                    "<number>" => got.is_number(),
                    _ => match pattern[1..pattern.len() - 1].strip_prefix('=') {
                        Some(name) => self.0.entry(name.to_owned()).or_insert_with(|| got.clone()) == got,
                        None => wanted == got,
                    },
                }
            }
            (Value::Array(wanted), Value::Array(got)) => {
                wanted.len() == got.len()
                    && wanted.iter().zip(got).all(|(wanted, got)| self.same(wanted, got))
            }
            (Value::Object(wanted), Value::Object(got)) => {
                wanted.len() == got.len()
                    && wanted
                        .iter()
                        .all(|(key, wanted)| got.get(key).is_some_and(|got| self.same(wanted, got)))
            }
            (Value::Number(wanted), Value::Number(got)) => wanted.as_f64() == got.as_f64(),
            (wanted, got) => wanted == got,
        }
    }
}
