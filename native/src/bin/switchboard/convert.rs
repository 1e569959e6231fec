//! `switchboard convert`: recordings from and to HAR files.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::Args;
use flate2::read::ZlibDecoder;
use switchboard_core::recording::conversion::Conversion;
use switchboard_core::recording::har;
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

impl Convert {
    /// Does it, and says how much there was. What was at OUT is replaced when all went well.
    pub(crate) fn run(&self) -> Result<(), StartError> {
        let form = extension(&self.output);
        let conversion = Conversion::new(&self.mask, self.reveal, form == "har");
        let mut conversion = conversion.map_err(|error| StartError::file(Path::new("--mask"), &error))?;
        if !["har", "jsonl"].contains(&form.as_str()) {
            return Err(StartError::file(&self.output, &"expected a name that ends in .jsonl or .har"));
        }
        let unfinished = beside(&self.output);
        let written = |error: io::Error| self.unwritable(&error);
        let mut output = BufWriter::new(File::create(&unfinished).map_err(written)?);
        let result = self.read(&mut conversion, &mut output).and_then(|()| {
            conversion.finish();
            output.write_all(&conversion.take()).and_then(|()| output.flush()).map_err(written)?;
            fs::rename(&unfinished, &self.output).map_err(written)
        });
        if result.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        result?;
        for note in conversion.notes(&self.input.display().to_string()) {
            // Standard output may be closed.
            let _ = writeln!(io::stdout(), "{}: {note}", self.output.display());
        }
        Ok(())
    }

    fn unwritable(&self, error: &io::Error) -> StartError {
        StartError::file(&self.output, &format!("cannot be written: {error}"))
    }

    fn read(&self, conversion: &mut Conversion, output: &mut impl Write) -> Result<(), StartError> {
        let unreadable =
            |error: io::Error| StartError::file(&self.input, &format!("cannot be read: {error}"));
        let folder = self.input.parent().unwrap_or(Path::new(""));
        match extension(&self.input).as_str() {
            "jsonl" => {
                let mut file = File::open(&self.input).map_err(unreadable)?;
                self.read_lines(&mut file, conversion, output)
            }
            "har" => {
                let text = File::open(&self.input).and_then(limited).map_err(unreadable)?;
                let attached = |name: &str| {
                    let text = File::open(folder.join(name)).and_then(limited);
                    text.map(Bytes::from).map_err(|error| format!("{name} cannot be read: {error}"))
                };
                self.read_har(&text, attached, conversion)
            }
            "zhar" => {
                let file = File::open(&self.input).map_err(unreadable)?;
                let text = limited(ZlibDecoder::new(file)).map_err(unreadable)?;
                self.read_har(&text, |name| Err(format!("there is no {name} in it")), conversion)
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
                self.read_har(&text, attached, conversion)
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
        conversion: &mut Conversion,
        output: &mut impl Write,
    ) -> Result<(), StartError> {
        let mut part = vec![0; PART];
        loop {
            let length = file.read(&mut part);
            let length =
                length.map_err(|error| StartError::file(&self.input, &format!("cannot be read: {error}")))?;
            conversion.lines(&part[..length]).map_err(|error| StartError::file(&self.input, &error))?;
            output.write_all(&conversion.take()).map_err(|error| self.unwritable(&error))?;
            if length == 0 {
                return Ok(());
            }
        }
    }

    fn read_har(
        &self,
        text: &[u8],
        attached: impl FnMut(&str) -> Result<Bytes, String>,
        conversion: &mut Conversion,
    ) -> Result<(), StartError> {
        conversion.har(text, attached).map_err(|error| StartError::file(&self.input, &error))
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
