//! A stream whose writes have to get on.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// So many bytes have to be taken within the deadline, or all that there is.
const PROGRESS: usize = 64 * 1024;

/// Fails a write that blocks when the other side takes less than 64 KiB, and not all there is, within a time. HTTP itself
/// would wait for ever for a client that asks and does not read.
pub(crate) struct WriteDeadline<S> {
    stream: S,
    time: Duration,
    blocked: Option<Blocked>,
}

struct Blocked {
    deadline: Pin<Box<Sleep>>,
    /// Bytes taken since.
    taken: usize,
}

impl<S> WriteDeadline<S> {
    pub(crate) fn new(stream: S, time: Duration) -> Self {
        Self { stream, time, blocked: None }
    }

    pub(crate) fn into_inner(self) -> S {
        self.stream
    }

    fn wrote(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if let (Poll::Ready(Ok(taken)), Some(blocked)) = (&result, &mut self.blocked) {
            blocked.taken += taken;
            if blocked.taken >= PROGRESS {
                self.blocked = None;
            }
        }
        self.or_late(context, result)
    }

    /// The result, or an error when it has taken too long.
    fn or_late<T>(&mut self, context: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            return result;
        }
        let time = self.time;
        let begin = || Blocked { deadline: Box::pin(tokio::time::sleep(time)), taken: 0 };
        let blocked = self.blocked.get_or_insert_with(begin);
        match blocked.deadline.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WriteDeadline<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WriteDeadline<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(context, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.wrote(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// HTTP flushes when it has written all there is.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(context);
        if result.is_ready() {
            self.blocked = None;
        }
        self.or_late(context, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(context);
        self.or_late(context, result)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_is_given_up_and_who_reads_slowly_is_not() {
        let time = Duration::from_secs(10);
        let (_client, server) = tokio::io::duplex(1000);
        let mut server = WriteDeadline::new(server, time);
        server.write_all(&[0; 1000]).await.expect("room");
        let error = server.write_all(&[0]).await.expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);

        // 1,000 bytes in 9 s are little, but all there is each time.
        let (mut client, server) = tokio::io::duplex(1000);
        let mut server = WriteDeadline::new(server, time);
        let reading = tokio::spawn(async move {
            let mut buffer = [0; 1000];
            let mut read = 0;
            while let Ok(length @ 1..) = client.read(&mut buffer).await {
                read += length;
                tokio::time::sleep(Duration::from_secs(9)).await;
            }
            read
        });
        for _ in 0..6 {
            server.write_all(&[0; 1000]).await.expect("taken in time");
            server.flush().await.expect("flushed");
        }
        drop(server);
        assert_eq!(reading.await.expect("the reader"), 6000);

        // A reader of one byte at a time does not get on.
        let (mut client, server) = tokio::io::duplex(1000);
        let mut server = WriteDeadline::new(server, time);
        let reading = tokio::spawn(async move {
            while client.read_u8().await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        let error = server.write_all(&[0; 100_000]).await.expect_err("too slow");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(server);
        reading.await.expect("the reader");
    }
}
