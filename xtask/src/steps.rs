//! Runs named steps one after another and reports the result of each.

use std::time::Instant;

use anyhow::{Result, anyhow};

/// What a step came to when it did not fail.
pub(crate) enum Outcome {
    /// It ran and found nothing wrong.
    Passed,
    /// It could not run on this machine; the text says what is missing and how to get it.
    Skipped(String),
}

/// The steps run so far. The first failure ends the run.
#[derive(Default)]
pub(crate) struct Steps {
    passed: usize,
    skipped: Vec<String>,
}

impl Steps {
    /// Runs one step that always can run.
    pub(crate) fn run(&mut self, name: &str, step: impl FnOnce() -> Result<()>) -> Result<()> {
        self.run_or_skip(name, || step().map(|()| Outcome::Passed))
    }

    /// Runs one step that may say it has been skipped.
    pub(crate) fn run_or_skip(&mut self, name: &str, step: impl FnOnce() -> Result<Outcome>) -> Result<()> {
        println!("\n=== {name}");
        let started = Instant::now();
        let outcome = step();
        let seconds = started.elapsed().as_secs_f64();
        match outcome {
            Ok(Outcome::Passed) => {
                println!("=== {name}: passed in {seconds:.1} s");
                self.passed += 1;
                Ok(())
            }
            Ok(Outcome::Skipped(reason)) => {
                println!("=== {name}: SKIPPED: {reason}");
                self.skipped.push(format!("{name}: {reason}"));
                Ok(())
            }
            Err(error) => {
                println!("=== {name}: FAILED after {seconds:.1} s");
                self.print_total(1);
                Err(anyhow!("{name}: {error:#}"))
            }
        }
    }

    /// Prints the total. The last line is `steps: N passed, 0 failed`, with the skipped ones if any.
    pub(crate) fn finish(self) {
        self.print_total(0);
    }

    fn print_total(&self, failed: usize) {
        println!();
        for skipped in &self.skipped {
            println!("skipped: {skipped}");
        }
        let skipped = match self.skipped.len() {
            0 => String::new(),
            count => format!(", {count} skipped"),
        };
        println!("steps: {} passed, {failed} failed{skipped}", self.passed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_its_step() {
        let mut steps = Steps::default();
        steps.run("first", || Ok(())).unwrap();
        steps.run_or_skip("second", || Ok(Outcome::Skipped("nothing there".into()))).unwrap();
        let error = steps.run("third", || Err(anyhow!("broken"))).unwrap_err();
        assert_eq!(error.to_string(), "third: broken");
        assert_eq!((steps.passed, steps.skipped.len()), (1, 1));
    }
}
