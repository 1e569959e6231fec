//! The file of a recording as the body of a response.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Response};
use switchboard_core::control::RecordingFile;
use tokio::sync::mpsc;

use crate::host::Host;

/// How much is read at once, in bytes.
const CHUNK: usize = 64 << 10;

/// How many chunks wait for a client that reads slowly.
const AHEAD: usize = 4;

/// Sends what the file holds when all that was recorded so far is written. Lines that come later are left out, as the response
/// has told its length.
pub(crate) async fn send(host: &Arc<Host>, response: Response<()>, file: RecordingFile) -> Response<Body> {
    host.files_written(Some(&file.path)).await;
    let opened = tokio::task::spawn_blocking(move || open(&file.path)).await;
    let Ok(Ok((file, length))) = opened else { return RecordingFile::missing().map(Body::from) };
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || read(file.take(length), &sender));
    let body = stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
    let (mut parts, ()) = response.into_parts();
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    Response::from_parts(parts, Body::from_stream(body))
}

/// What is no file, such as a pipe, might never be opened.
fn open(path: &str) -> io::Result<(File, u64)> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

/// Reads until the end, or until nobody takes it any more.
fn read(mut file: impl Read, sender: &mpsc::Sender<io::Result<Bytes>>) {
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = match file.read(&mut chunk) {
            Ok(0) => return,
            Ok(length) => Ok(Bytes::copy_from_slice(&chunk[..length])),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let is_over = read.is_err();
        if sender.blocking_send(read).is_err() || is_over {
            return;
        }
    }
}
