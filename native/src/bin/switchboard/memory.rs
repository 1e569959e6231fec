//! A setting of the C library's allocator, for memory that large messages need for a short time.

/// Keeps up to 16 MiB of freed memory in the process. By default glibc gives back all but 128 KiB at once, and each burst
/// of large messages would map, zero and fault it in again.
pub(crate) fn keep_freed() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const BYTES: libc::c_int = 16 << 20;
        // SAFETY: it sets a number in the allocator, before any other thread was started. What else is unsafe, the library's
        // `flush/ring.rs` lists.
        #[allow(unsafe_code)]
        let is_set = unsafe { libc::mallopt(libc::M_TRIM_THRESHOLD, BYTES) };
        if is_set == 0 {
            tracing::debug!("the allocator gives freed memory back as it likes");
        }
    }
}
