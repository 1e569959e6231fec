//! `switchboard convert`: recordings from and to HAR files.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::Args;
use flate2::read::ZlibDecoder;
use switchboard_core::recording::har::{self, HarWriter};
use switchboard_core::recording::{EventKind, Line, Lines, Mask};
use zip::ZipArchive;

use crate::cli::StartError;

/// How much of a recording is read at once, in bytes.
const PART: usize = 256 << 10;

/// Convert a recording from or to HAR
///
/// Reads .jsonl, and .har as Chrome's network panel, Playwright and mitmproxy write it, also in Playwright's .zip and
/// mitmproxy's .zhar. Writes .jsonl, and .har that Chrome's network panel imports. Credentials are masked.
#[derive(Args, Clone, Debug)]
pub(crate) struct Convert {
    /// The file to read: .jsonl, .har, .zip or .zhar
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The file to write: .jsonl or .har
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// Mask what this regular expression matches, too; can be given more than once
    #[arg(long, value_name = "PATTERN")]
    mask: Vec<String>,
    /// Keep credentials as they are
    #[arg(long, conflicts_with = "mask")]
    reveal: bool,
}

/// The file that is written, and what is said about it.
struct Output {
    /// Nothing with `--reveal`.
    mask: Option<Mask>,
    form: Form,
    connections: usize,
    messages: usize,
}

enum Form {
    Lines(BufWriter<File>),
    Har(HarWriter),
}

impl Convert {
    /// Does it, and says how much there was. What was at OUT is replaced when all went well.
    pub(crate) fn run(&self) -> Result<(), StartError> {
        let mask = Mask::new(&self.mask).map_err(|error| StartError::file(Path::new("--mask"), &error))?;
        let unfinished = beside(&self.output);
        let written =
            |error: io::Error| StartError::file(&self.output, &format!("cannot be written: {error}"));
        let form = match extension(&self.output).as_str() {
            "jsonl" => Form::Lines(BufWriter::new(File::create(&unfinished).map_err(written)?)),
            "har" => Form::Har(HarWriter::default()),
            _ => return Err(StartError::file(&self.output, &"expected a name that ends in .jsonl or .har")),
        };
        let mask = (!self.reveal).then_some(mask);
        let mut output = Output { mask, form, connections: 0, messages: 0 };
        let mut notes = Vec::new();
        let result = self.read(&mut output, &mut notes).and_then(|()| {
            let (connections, messages) = (output.connections, output.messages);
            notes.insert(0, format!("connections: {connections}, messages: {messages}"));
            let left_out = output.finish(&unfinished).map_err(written)?;
            if left_out > 0 {
                notes.push(format!(
                    "events without a place in HAR (faults, gaps, what lacks its opening): {left_out}"
                ));
            }
            fs::rename(&unfinished, &self.output).map_err(written)
        });
        if result.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        result?;
        for note in notes {
            // Standard output may be closed.
            let _ = writeln!(io::stdout(), "{}: {note}", self.output.display());
        }
        Ok(())
    }

    fn read(&self, output: &mut Output, notes: &mut Vec<String>) -> Result<(), StartError> {
        let unreadable =
            |error: io::Error| StartError::file(&self.input, &format!("cannot be read: {error}"));
        let folder = self.input.parent().unwrap_or(Path::new(""));
        match extension(&self.input).as_str() {
            "jsonl" => {
                let mut file = File::open(&self.input).map_err(unreadable)?;
                self.read_lines(&mut file, output, notes)
            }
            "har" => {
                let text = File::open(&self.input).and_then(limited).map_err(unreadable)?;
                let attached = |name: &str| {
                    let text = File::open(folder.join(name)).and_then(limited);
                    text.map(Bytes::from).map_err(|error| format!("{name} cannot be read: {error}"))
                };
                self.read_har(&text, attached, output, notes)
            }
            "zhar" => {
                let file = File::open(&self.input).map_err(unreadable)?;
                let text = limited(ZlibDecoder::new(file)).map_err(unreadable)?;
                self.read_har(&text, |name| Err(format!("there is no {name} in it")), output, notes)
            }
            "zip" => {
                let file = File::open(&self.input).map_err(unreadable)?;
                let mut archive = ZipArchive::new(file).map_err(|error| unreadable(error.into()))?;
                let names = archive.file_names().flatten().filter(|name| name.ends_with(".har"));
                let names: Vec<String> = names.map(Cow::into_owned).collect();
                let [name] = &names[..] else {
                    return Err(StartError::file(&self.input, &"expected one file that ends in .har in it"));
                };
                let mut unpack =
                    |name: &str| archive.by_name(name).map_err(io::Error::from).and_then(limited);
                let text = unpack(name).map_err(unreadable)?;
                let attached = |name: &str| {
                    let text = unpack(name).map(Bytes::from);
                    text.map_err(|error| format!("{name} cannot be read: {error}"))
                };
                self.read_har(&text, attached, output, notes)
            }
            _ => {
                let message = "expected a name that ends in .jsonl, .har, .zip or .zhar";
                Err(StartError::file(&self.input, &message))
            }
        }
    }

    fn read_lines(
        &self,
        file: &mut File,
        output: &mut Output,
        notes: &mut Vec<String>,
    ) -> Result<(), StartError> {
        let mut lines = Lines::default();
        let mut part = vec![0; PART];
        loop {
            let length = file.read(&mut part);
            let length =
                length.map_err(|error| StartError::file(&self.input, &format!("cannot be read: {error}")))?;
            lines.push(&part[..length]);
            loop {
                let next = if length > 0 { lines.next_line() } else { lines.finish() };
                match next.map_err(|error| StartError::file(&self.input, &error))? {
                    Some(placed) => self.write(output, placed.line)?,
                    None => break,
                }
            }
            if length == 0 {
                break;
            }
        }
        if lines.is_torn() {
            notes.push(format!(
                "line {} of {} was torn and is left out",
                lines.number(),
                self.input.display()
            ));
        }
        Ok(())
    }

    fn read_har(
        &self,
        text: &[u8],
        attached: impl FnMut(&str) -> Result<Bytes, String>,
        output: &mut Output,
        notes: &mut Vec<String>,
    ) -> Result<(), StartError> {
        let recording = har::read(text, attached).map_err(|error| StartError::file(&self.input, &error))?;
        let name = self.input.display();
        if recording.skipped > 0 {
            notes.push(format!("entries of {name} that are no WebSockets: {}", recording.skipped));
        }
        if recording.unanswered > 0 {
            notes.push(format!(
                "{} WebSockets of {name} have no answer and are left out",
                recording.unanswered
            ));
        }
        self.write(output, Line::Header(recording.header))?;
        recording.events.into_iter().try_for_each(|event| self.write(output, Line::Event(event)))
    }

    fn write(&self, output: &mut Output, line: Line) -> Result<(), StartError> {
        output
            .push(line)
            .map_err(|error| StartError::file(&self.output, &format!("cannot be written: {error}")))
    }
}

impl Output {
    fn push(&mut self, line: Line) -> io::Result<()> {
        if let Line::Event(event) = &line {
            match event.kind {
                EventKind::Open(_) | EventKind::Refuse(_) => self.connections += 1,
                EventKind::Message { .. } => self.messages += 1,
                EventKind::Close { .. } | EventKind::Fault { .. } => {}
            }
        }
        let line = match &self.mask {
            Some(mask) => mask.line(line),
            None => line,
        };
        match &mut self.form {
            Form::Har(writer) => writer.push(line),
            Form::Lines(file) => {
                let mut bytes = Vec::new();
                line.write(&mut bytes);
                file.write_all(&bytes)?;
            }
        }
        Ok(())
    }

    /// Writes what is left; gives how many events the form has no place for.
    fn finish(self, file: &Path) -> io::Result<usize> {
        match self.form {
            Form::Lines(mut file) => file.flush().map(|()| 0),
            Form::Har(writer) => {
                let written = writer.finish();
                fs::write(file, written.text)?;
                Ok(written.left_out)
            }
        }
    }
}

/// All of it, within the limit.
fn limited(file: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(har::MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > har::MAX_FILE {
        return Err(io::Error::other(format!("it has more than {} MiB", har::MAX_FILE >> 20)));
    }
    Ok(bytes)
}

/// In small letters.
fn extension(path: &Path) -> String {
    path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase()).unwrap_or_default()
}

/// The name of the file until it is complete.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".unfinished");
    path.with_file_name(name)
}
