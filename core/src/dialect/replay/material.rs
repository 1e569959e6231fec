//! What a route plays, and how it is read.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::index::{Index, IndexBuilder};
use super::scenario::{Program, ScenarioScript};
use crate::recording::har::{Har, MAX_FILE};

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
    /// The file of a scenario.
    Scenario(BytesMut),
    /// A HAR file, and those that lie beside it.
    Har(Box<HarFiles>),
}

/// Files that become a recording together.
#[derive(Debug, Default)]
pub(super) struct HarFiles {
    /// What was read of the present file.
    held: BytesMut,
    /// The HAR file, when it was read.
    har: Option<Har>,
    /// The names of files beside it that are still to be read, the next one last.
    wanted: Vec<String>,
    /// Those that were read.
    attached: HashMap<String, Bytes>,
}

/// What is to be done after a part of a file.
pub(super) enum Progress {
    /// Read the next part.
    Continue,
    /// Read this file, which lies beside the other one.
    Beside(String),
    /// All is known.
    Done(Material),
}

impl Loading {
    pub(super) fn of_recording(file: &str) -> Self {
        match file.rsplit_once('.') {
            Some((_, end)) if end.eq_ignore_ascii_case("har") => Loading::Har(Box::default()),
            _ => Loading::Lines(Box::default()),
        }
    }

    pub(super) fn of_scenario() -> Self {
        Loading::Scenario(BytesMut::new())
    }

    /// The next bytes of the present file.
    pub(super) fn push(&mut self, file: &str, part: &[u8], is_last: bool) -> Result<Progress, String> {
        match self {
            Loading::Lines(builder) => {
                builder.push(part, is_last).map_err(|error| error.to_string())?;
                if !is_last {
                    return Ok(Progress::Continue);
                }
                let index = Arc::new(std::mem::take(builder).finish()?);
                Ok(Progress::Done(Material::Recording { index, content: None }))
            }
            Loading::Scenario(held) => {
                hold(held, part, MAX_SCENARIO)?;
                if !is_last {
                    return Ok(Progress::Continue);
                }
                let text = std::str::from_utf8(held).map_err(|error| format!("it is not UTF-8: {error}"))?;
                scenario(file, text).map(Progress::Done)
            }
            Loading::Har(files) => files.push(part, is_last),
        }
    }
}

impl HarFiles {
    fn push(&mut self, part: &[u8], is_last: bool) -> Result<Progress, String> {
        hold(&mut self.held, part, usize::try_from(MAX_FILE).unwrap_or(usize::MAX))?;
        if !is_last {
            return Ok(Progress::Continue);
        }
        let text = std::mem::take(&mut self.held).freeze();
        if self.har.is_none() {
            let har = Har::parse(&text).map_err(|error| error.to_string())?;
            self.wanted = har.attachments().map(str::to_owned).collect();
            self.har = Some(har);
        } else if let Some(name) = self.wanted.pop() {
            self.attached.insert(name, text);
        }
        if let Some(next) = self.wanted.last() {
            return Ok(Progress::Beside(next.clone()));
        }
        let Some(har) = self.har.take() else { return Ok(Progress::Continue) };
        let attached = |name: &str| self.attached.remove(name).ok_or_else(|| "it was not read".to_owned());
        let recording = har.into_recording(attached).map_err(|error| error.to_string())?;
        let lines = recording.to_lines().map_err(|error| error.to_string())?;
        let mut builder = IndexBuilder::default();
        builder.push(&lines, true).map_err(|error| error.to_string())?;
        let index = Arc::new(builder.finish()?);
        Ok(Progress::Done(Material::Recording { index, content: Some(lines.into()) }))
    }
}

fn hold(held: &mut BytesMut, part: &[u8], most: usize) -> Result<(), String> {
    if held.len() + part.len() > most {
        return Err(format!("it is longer than {} MiB", most >> 20));
    }
    held.extend_from_slice(part);
    Ok(())
}

fn scenario(file: &str, text: &str) -> Result<Material, String> {
    let script = ScenarioScript::from_file(file, text).map_err(|error| error.to_string())?;
    script.check().map_err(|error| error.to_string())?;
    let program = script.compile(name_of(file)).map_err(|error| error.to_string())?;
    Ok(Material::Scenario(Arc::new(program)))
}

/// The name of a file without its folders, for reports that clients may see.
pub(super) fn name_of(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or(file)
}
