//! From steps to a program: loops and labels become places.

use std::collections::{BTreeSet, HashMap};

use super::step::{ScenarioStep, Verb, Within};
use super::{Alternative, Instruction, Program, ScenarioScript};
use crate::schema::ConfigError;
use crate::schema::nearest;
use crate::template::{Source, Template, ValueTemplate};

/// How many steps a scenario has at most.
const MAX_STEPS: usize = 100_000;

/// What a label is replaced by until all are known.
const UNKNOWN: usize = usize::MAX;

impl ScenarioScript {
    /// The program. `name` is the scenario's key or file; paths of errors are relative to it.
    pub(crate) fn compile(&self, name: &str) -> Result<Program, ConfigError> {
        let mut compiler = Compiler::default();
        let variables = self.variables.iter();
        compiler.steps.extend(variables.map(|(name, value)| Instruction::Set(name.clone(), value.clone())));
        compiler.steps(&self.steps, "")?;
        compiler.resolve()?;
        let Compiler { mut steps, loops, .. } = compiler;
        for step in &mut steps {
            if let Instruction::Expect { path, .. } = step {
                path.insert_str(0, name);
            }
        }
        Ok(Program { name: name.to_owned(), steps, mismatch: self.mismatch, loops })
    }

    /// Checks labels, variables, and what else depends on several steps.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        self.compile("")?;
        self.check_sources(&mut |_, _| Ok(()))
    }

    /// Shows `check` what each placeholder stands for, with its path, up to the first error.
    pub(crate) fn check_sources(
        &self,
        check: &mut impl FnMut(&str, &Source) -> Result<(), ConfigError>,
    ) -> Result<(), ConfigError> {
        let mut names: BTreeSet<&str> = self.variables.keys().map(String::as_str).collect();
        each_verb(&self.steps, "", &mut |_, verb| {
            if let Verb::Set(variables) = verb {
                names.extend(variables.keys().map(String::as_str));
            }
            Ok(())
        })?;
        let mut check = |path: &str, source: &Source| match source {
            Source::Let(name, _) if !names.contains(name.as_str()) => {
                let message = format!("no step and no variable sets {name:?}");
                let suggestion = nearest(name, names.iter().copied()).map(str::to_owned);
                Err(ConfigError { suggestion, ..ConfigError::at(path, message) })
            }
            source => check(path, source),
        };
        let mut value =
            |path: &str, value: &ValueTemplate| value.check(&mut |source: &Source| check(path, source));
        for (name, initial) in &self.variables {
            value(&format!("variables.{name}"), initial)?;
        }
        each_verb(&self.steps, "", &mut |path, verb| match verb {
            Verb::Send(message) => value(&format!("{path}.send"), message),
            Verb::Set(variables) => {
                variables.iter().try_for_each(|(name, set)| value(&format!("{path}.set.{name}"), set))
            }
            _ => Ok(()),
        })?;
        each_verb(&self.steps, "", &mut |path, verb| match verb {
            Verb::Do(actions) => actions.iter().enumerate().try_for_each(|(index, action)| {
                action.check(&mut |source| check(&format!("{path}.do[{index}]"), source))
            }),
            Verb::Close { reason, .. } => {
                reason.sources().try_for_each(|source| check(&format!("{path}.close.reason"), source))
            }
            _ => Ok(()),
        })
    }
}

/// Shows each verb with the path of its step, those within others too.
fn each_verb<'s>(
    steps: &'s [ScenarioStep],
    parent: &str,
    each: &mut impl FnMut(&str, &'s Verb) -> Result<(), ConfigError>,
) -> Result<(), ConfigError> {
    for (index, ScenarioStep(verb)) in steps.iter().enumerate() {
        let path = format!("{parent}[{index}]");
        each(&path, verb)?;
        match verb {
            Verb::Loop { steps, .. } => each_verb(steps, &format!("{path}.loop.steps"), each)?,
            Verb::Choose { choices, .. } => {
                for (index, choice) in choices.iter().enumerate() {
                    each_verb(&choice.steps, &format!("{path}.choose[{index}].steps"), each)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

#[derive(Default)]
struct Compiler {
    steps: Vec<Instruction>,
    loops: usize,
    labels: HashMap<String, usize>,
    /// Instructions that go to a label: their place, the label, and the path of the step.
    jumps: Vec<(usize, String, String)>,
}

impl Compiler {
    fn steps(&mut self, steps: &[ScenarioStep], parent: &str) -> Result<(), ConfigError> {
        for (index, ScenarioStep(verb)) in steps.iter().enumerate() {
            let path = format!("{parent}[{index}]");
            self.step(verb, &path)?;
            if self.steps.len() > MAX_STEPS {
                return Err(ConfigError::at(path, format!("a scenario has at most {MAX_STEPS} steps")));
            }
        }
        Ok(())
    }

    fn step(&mut self, verb: &Verb, path: &str) -> Result<(), ConfigError> {
        let here = self.steps.len();
        match verb {
            Verb::Expect { pattern, within } => {
                let alternatives = vec![Alternative { pattern: pattern.clone(), to: here + 1 }];
                self.expect(alternatives, within.as_ref(), path);
            }
            Verb::Choose { choices, within } => {
                let alternatives =
                    choices.iter().map(|choice| Alternative { pattern: choice.pattern.clone(), to: UNKNOWN });
                self.expect(alternatives.collect(), within.as_ref(), path);
                let mut exits = Vec::new();
                for (index, choice) in choices.iter().enumerate() {
                    let place = self.steps.len();
                    if let Instruction::Expect { alternatives, .. } = &mut self.steps[here] {
                        alternatives[index].to = place;
                    }
                    self.steps(&choice.steps, &format!("{path}.choose[{index}].steps"))?;
                    exits.push(self.steps.len());
                    self.steps.push(Instruction::Goto(UNKNOWN));
                }
                let end = self.steps.len();
                for exit in exits {
                    self.steps[exit] = Instruction::Goto(end);
                }
            }
            Verb::Loop { times, steps } => {
                let counter = self.loops;
                self.loops += 1;
                self.steps.push(Instruction::Enter { counter });
                self.steps(steps, &format!("{path}.loop.steps"))?;
                self.steps.push(Instruction::Repeat { counter, times: *times, to: here + 1 });
            }
            Verb::Label(label) => {
                if self.labels.insert(label.clone(), here).is_some() {
                    return Err(ConfigError::at(
                        format!("{path}.label"),
                        format!("{label:?} stands here twice"),
                    ));
                }
            }
            Verb::Goto(label) => {
                self.jumps.push((here, label.clone(), format!("{path}.goto")));
                self.steps.push(Instruction::Goto(UNKNOWN));
            }
            Verb::Set(variables) => {
                let variables = variables.iter();
                self.steps
                    .extend(variables.map(|(name, value)| Instruction::Set(name.clone(), value.clone())));
            }
            Verb::Do(actions) => self.steps.extend(actions.iter().cloned().map(Instruction::Do)),
            Verb::Send(value) => self.steps.push(Instruction::Send(value.clone())),
            Verb::SendBinary(bytes) => self.steps.push(Instruction::SendBinary(bytes.clone())),
            Verb::Wait(ms) => self.steps.push(Instruction::Wait(*ms)),
            Verb::Fault(faults) => self.steps.push(Instruction::Fault(faults.clone())),
            Verb::Close { code, reason } => {
                let reason: Template = reason.clone();
                self.steps.push(Instruction::Close { code: *code, reason });
            }
            Verb::Terminate => self.steps.push(Instruction::Terminate),
        }
        Ok(())
    }

    fn expect(&mut self, alternatives: Vec<Alternative>, within: Option<&Within>, path: &str) {
        if let Some(Within { otherwise, .. }) = within {
            self.jumps.push((self.steps.len(), otherwise.clone(), format!("{path}.otherwise")));
        }
        let within = within.map(|within| (within.ms, UNKNOWN));
        self.steps.push(Instruction::Expect { alternatives, within, path: path.to_owned() });
    }

    /// Puts places where labels are named.
    fn resolve(&mut self) -> Result<(), ConfigError> {
        for (place, label, path) in std::mem::take(&mut self.jumps) {
            let Some(&to) = self.labels.get(&label) else {
                let suggestion = nearest(&label, self.labels.keys().map(String::as_str)).map(str::to_owned);
                let message = format!("no step has the label {label:?}");
                return Err(ConfigError { suggestion, ..ConfigError::at(path, message) });
            };
            match &mut self.steps[place] {
                Instruction::Expect { within: Some((_, otherwise)), .. } => *otherwise = to,
                step => *step = Instruction::Goto(to),
            }
        }
        Ok(())
    }
}
