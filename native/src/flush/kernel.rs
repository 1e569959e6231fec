//! What the kernel holds of what was written to a stream.

use tokio::net::TcpStream;

/// How many bytes the client's system has not acknowledged; 0 where the kernel does not tell.
#[cfg(target_os = "linux")]
pub(super) fn unacknowledged_bytes(stream: &TcpStream) -> usize {
    use std::os::fd::AsRawFd;

    let mut bytes: libc::c_int = 0;
    // SIOCOUTQ of tcp(7), under the name it has for terminals.
    // SAFETY: the file descriptor belongs to `stream`, and this request writes one `int`.
    #[allow(unsafe_code)]
    let result = unsafe { libc::ioctl(stream.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if result == 0 { usize::try_from(bytes).unwrap_or(0) } else { 0 }
}

/// How many bytes the client's system has not acknowledged; 0 where the kernel does not tell.
#[cfg(not(target_os = "linux"))]
pub(super) fn unacknowledged_bytes(_: &TcpStream) -> usize {
    0
}
