//! The clock of a server, as the control API shows and moves it.

use serde::Deserialize;

/// The longest time that is advanced at once, in ms: 366 days.
const MOST: u64 = 366 * 24 * 60 * 60 * 1_000;

/// What a host can do with its clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HostClock {
    /// It shows real time, and nobody can change that.
    #[default]
    Real,
    /// It shows real time, and can be stopped.
    Running,
    /// It only moves when it is told to.
    Manual,
}

/// What is to be done with a host's clock. Only the host can do it: moving the clock runs timers, and waits for what they start.
///
/// Where [`Engine::request_from`](crate::Engine::request_from) gives a response with this among its extensions, the host
/// carries it out. Then it asks the same path with GET, in the name of the same client, and answers that. The response is a 202
/// for hosts that do not know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockStep {
    /// Time stands still from now on.
    Pause,
    /// Time passes by itself from now on.
    Resume,
    /// Move on by so many ms, and run everything that is due on the way.
    Advance(u64),
    /// Move on to the next timer, and run it.
    RunNext,
}

/// What is done with the clock: exactly one of `pause`, `resume`, `advance` and `runNext`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "json-schema", schemars(rename = "ControlMoveClock"))]
pub(crate) struct MoveClock {
    /// Time stands still from now on.
    #[serde(default)]
    pause: bool,
    /// Time passes by itself from now on, beginning where it stood.
    #[serde(default)]
    resume: bool,
    /// Moves on by so many ms, at most 366 days, and runs everything that is due on the way: heartbeats, timeouts, delays,
    /// feeds, retries. The answer comes when what they have started is done.
    advance: Option<u64>,
    /// Moves on to the next timer, and runs it.
    #[serde(default)]
    run_next: bool,
}

impl MoveClock {
    /// The step; otherwise what is wrong with it.
    pub(crate) fn step(self) -> Result<ClockStep, String> {
        match (self.pause, self.resume, self.advance, self.run_next) {
            (true, false, None, false) => Ok(ClockStep::Pause),
            (false, true, None, false) => Ok(ClockStep::Resume),
            (false, false, Some(time), false) if time > MOST => {
                Err(format!("advance: expected at most {MOST} ms, which are 366 days, got {time}"))
            }
            (false, false, Some(time), false) => Ok(ClockStep::Advance(time)),
            (false, false, None, true) => Ok(ClockStep::RunNext),
            (false, false, None, false) => Err(
                "what is to be done? Write {\"advance\": 30000}, {\"runNext\": true}, {\"pause\": true} or {\"resume\": true}"
                    .to_owned(),
            ),
            _ => Err("write one of advance, runNext, pause and resume".to_owned()),
        }
    }
}

impl ClockStep {
    /// Why a clock cannot do this, if it cannot.
    pub(crate) fn refusal(self, clock: HostClock) -> Option<&'static str> {
        match (clock, self) {
            (HostClock::Real, _) => Some(
                "the clock of this server shows real time; only servers in Node have one that can be moved",
            ),
            (HostClock::Running, ClockStep::Advance(_) | ClockStep::RunNext) => {
                Some("the clock runs; stop it before with {\"pause\": true}")
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::body;

    #[test]
    fn a_body_names_one_step() {
        for (text, expected) in [
            (r#"{"pause":true}"#, Ok(ClockStep::Pause)),
            (r#"{"resume":true}"#, Ok(ClockStep::Resume)),
            (r#"{"advance":0}"#, Ok(ClockStep::Advance(0))),
            (r#"{"advance":31622400000}"#, Ok(ClockStep::Advance(MOST))),
            (r#"{"runNext":true,"pause":false}"#, Ok(ClockStep::RunNext)),
            (r#"{"advance":31622400001}"#, Err("advance: expected at most 31622400000 ms")),
            (r#"{"advance":-1}"#, Err("advance: expected a whole number")),
            (r#"{"advance":1,"pause":true}"#, Err("write one of advance")),
            ("", Err("what is to be done?")),
            (r#"{"runNext":false}"#, Err("what is to be done?")),
            (r#"{"advanced":1}"#, Err("advanced: unknown key; did you mean \"advance\"?")),
        ] {
            match (body::read::<MoveClock>(text.as_bytes()).and_then(MoveClock::step), expected) {
                (Err(error), Err(expected)) => assert!(error.starts_with(expected), "{text}: {error}"),
                (step, expected) => assert_eq!(step, expected.map_err(str::to_owned), "{text}"),
            }
        }
    }

    #[test]
    fn only_a_clock_that_stands_is_moved() {
        for (clock, step, can) in [
            (HostClock::Real, ClockStep::Pause, false),
            (HostClock::Real, ClockStep::Advance(1), false),
            (HostClock::Running, ClockStep::Pause, true),
            (HostClock::Running, ClockStep::Resume, true),
            (HostClock::Running, ClockStep::Advance(1), false),
            (HostClock::Running, ClockStep::RunNext, false),
            (HostClock::Manual, ClockStep::RunNext, true),
            (HostClock::Manual, ClockStep::Resume, true),
        ] {
            assert_eq!(step.refusal(clock).is_none(), can, "{clock:?} {step:?}");
        }
    }
}
