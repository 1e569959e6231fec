//! What a route plays, and how it is read.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::handler::name_of;
use super::index::{Index, IndexBuilder};
use super::scenario::{Program, ScenarioScript};

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
}

impl Loading {
    pub(super) fn of_recording(_file: &str) -> Self {
        Loading::Lines(Box::default())
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
                let text = std::str::from_utf8(held).map_err(|error| format!("it is not UTF-8: {error}"))?;
                match kind {
                    Whole::Scenario => scenario(file, text).map(Some),
                }
            }
        }
    }
}

fn scenario(file: &str, text: &str) -> Result<Material, String> {
    let script = ScenarioScript::from_file(file, text).map_err(|error| error.to_string())?;
    script.check().map_err(|error| error.to_string())?;
    let program = script.compile(name_of(file)).map_err(|error| error.to_string())?;
    Ok(Material::Scenario(Arc::new(program)))
}
