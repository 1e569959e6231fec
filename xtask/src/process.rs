//! Servers that a task starts, reads from and ends again.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How long a server may take until it listens.
const START_TIME: Duration = Duration::from_secs(60);

/// A running child process. Dropping it ends it.
pub(crate) struct Server {
    child: Child,
    lines: Receiver<String>,
    /// What it printed so far, for the message of a failure.
    printed: Vec<String>,
}

impl Server {
    /// Starts the command with both its outputs read line by line and without colours.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let command = command.env("NO_COLOR", "1").env_remove("FORCE_COLOR").stdin(Stdio::null());
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let (sender, lines) = mpsc::channel();
        if let Some(output) = child.stdout.take() {
            forward(output, sender.clone());
        }
        if let Some(output) = child.stderr.take() {
            forward(output, sender);
        }
        Ok(Self { child, lines, printed: Vec::new() })
    }

    /// Reads on until a line holds `http://HOST:PORT` or `HOST:PORT` for this host; returns that port.
    pub(crate) fn wait_for_port(&mut self, host: &str) -> Result<u16> {
        let end = Instant::now() + START_TIME;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    let port = port_of(&line, host);
                    self.printed.push(line);
                    if let Some(port) = port {
                        return Ok(port);
                    }
                }
                Err(RecvTimeoutError::Timeout) => bail!("it does not listen yet:\n{}", self.printed()),
                Err(RecvTimeoutError::Disconnected) => bail!("it ended early:\n{}", self.printed()),
            }
        }
    }

    /// Reads on until a line holds this text; one that was read before does not count.
    pub(crate) fn wait_for_line(&mut self, text: &str) -> Result<()> {
        let end = Instant::now() + START_TIME;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    let is_it = line.contains(text);
                    self.printed.push(line);
                    if is_it {
                        return Ok(());
                    }
                }
                Err(_) => bail!("it never printed {text:?}:\n{}", self.printed()),
            }
        }
    }

    /// The process's id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub(crate) fn exit_status(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Asks it to end, as systems do.
    #[cfg(unix)]
    pub(crate) fn terminate(&self) -> Result<()> {
        let status = Command::new("kill").args(["-TERM", &self.id().to_string()]).status()?;
        if status.success() { Ok(()) } else { bail!("cannot end process {}", self.id()) }
    }

    /// Waits until both its outputs are closed, and then for its end.
    pub(crate) fn wait(&mut self, within: Duration) -> Result<ExitStatus> {
        let end = Instant::now() + within;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => self.printed.push(line),
                Err(RecvTimeoutError::Disconnected) => return Ok(self.child.wait()?),
                Err(RecvTimeoutError::Timeout) => bail!("it does not end:\n{}", self.printed()),
            }
        }
    }

    /// Everything it has printed up to now.
    pub(crate) fn printed(&mut self) -> String {
        self.printed.extend(self.lines.try_iter());
        self.printed.join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only for a process that has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn forward(output: impl Read + Send + 'static, lines: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if lines.send(line).is_err() {
                break;
            }
        }
    });
}

fn port_of(line: &str, host: &str) -> Option<u16> {
    let after = line.split_once(&format!("{host}:"))?.1;
    let digits = after.find(|character: char| !character.is_ascii_digit()).unwrap_or(after.len());
    after[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_found_in_what_servers_print() {
        assert_eq!(port_of("  ➜  Local:   http://127.0.0.1:5173/", "127.0.0.1"), Some(5173));
        assert_eq!(port_of("listening on 127.0.0.1:41234", "127.0.0.1"), Some(41234));
        assert_eq!(port_of("VITE v8.3.8 ready in 300 ms", "127.0.0.1"), None);
    }
}
