//! What a route plays, and how it is read.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::handler::name_of;
use super::index::{Index, IndexBuilder};
use super::scenario::{Program, ScenarioScript};
use crate::recording::har;

/// How long the file of a scenario may be, in bytes.
const MAX_SCENARIO: usize = 16 << 20;

/// What conversations are played from.
#[derive(Clone, Debug)]
pub(super) enum Material {
    /// A recording, whose parts are read from its file or from memory.
    Recording {
        index: Arc<Index>,
        content: Option<Bytes>,
    },
    Scenario(Arc<Program>),
}

/// Reads a file for what is in it.
#[derive(Debug)]
pub(super) enum Loading {
    Lines(Box<IndexBuilder>),
    /// A file that is read whole, up to so many bytes.
    Whole {
        held: BytesMut,
        most: usize,
        kind: Whole,
    },
}

/// The files that are read whole.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whole {
    Scenario,
    Har,
}

impl Loading {
    pub(super) fn of_recording(file: &str) -> Self {
        match file.rsplit_once('.') {
            Some((_, end)) if end.eq_ignore_ascii_case("har") => {
                let most = usize::try_from(har::MAX_FILE).unwrap_or(usize::MAX);
                Loading::Whole { held: BytesMut::new(), most, kind: Whole::Har }
            }
            _ => Loading::Lines(Box::default()),
        }
    }

    pub(super) fn of_scenario() -> Self {
        Loading::Whole { held: BytesMut::new(), most: MAX_SCENARIO, kind: Whole::Scenario }
    }

    /// The next bytes; gives what is in the file with the last ones.
    pub(super) fn push(
        &mut self,
        file: &str,
        part: &[u8],
        is_last: bool,
    ) -> Result<Option<Material>, String> {
        match self {
            Loading::Lines(builder) => {
                builder.push(part, is_last).map_err(|error| error.to_string())?;
                if !is_last {
                    return Ok(None);
                }
                let index = Arc::new(std::mem::take(builder).finish()?);
                Ok(Some(Material::Recording { index, content: None }))
            }
            Loading::Whole { held, most, kind } => {
                if held.len() + part.len() > *most {
                    return Err(format!("it is longer than {} MiB", *most >> 20));
                }
                held.extend_from_slice(part);
                if !is_last {
                    return Ok(None);
                }
                match kind {
                    Whole::Scenario => scenario(file, held).map(Some),
                    Whole::Har => har(file, held).map(Some),
                }
            }
        }
    }
}

/// A HAR file becomes a recording in memory.
fn har(file: &str, text: &[u8]) -> Result<Material, String> {
    // It would have to be fetched from the host first.
    let attached = |name: &str| {
        let file = name_of(file);
        Err(format!(
            "{name} is not read by a replay; \"switchboard convert {file} session.jsonl\" makes one recording of both"
        ))
    };
    let recording = har::read(text, attached).map_err(|error| error.to_string())?;
    let lines = Bytes::from(recording.to_lines().map_err(|error| error.to_string())?);
    let mut builder = IndexBuilder::default();
    builder.push(&lines, true).map_err(|error| error.to_string())?;
    Ok(Material::Recording { index: Arc::new(builder.finish()?), content: Some(lines) })
}

fn scenario(file: &str, text: &[u8]) -> Result<Material, String> {
    let text = std::str::from_utf8(text).map_err(|error| format!("it is not UTF-8: {error}"))?;
    let script = ScenarioScript::from_file(file, text).map_err(|error| error.to_string())?;
    script.check().map_err(|error| error.to_string())?;
    let program = script.compile(name_of(file)).map_err(|error| error.to_string())?;
    Ok(Material::Scenario(Arc::new(program)))
}
