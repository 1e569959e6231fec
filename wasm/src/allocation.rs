//! How much memory is in use: that of a WASM module never shrinks, and so does not show what was given back.

#![allow(unsafe_code)]
#![cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "elsewhere only the test uses it"))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, counting.
struct Counting;

/// Without threads an atomic number costs what any other does.
static BYTES: AtomicUsize = AtomicUsize::new(0);

#[cfg_attr(target_arch = "wasm32", global_allocator)]
static ALLOCATOR: Counting = Counting;

/// How many bytes are allocated.
pub(crate) fn bytes() -> usize {
    BYTES.load(Ordering::Relaxed)
}

// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as our caller promises.
        let allocated = unsafe { System.alloc(layout) };
        if !allocated.is_null() {
            BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        }
        allocated
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as our caller promises.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as our caller promises.
        let allocated = unsafe { System.alloc_zeroed(layout) };
        if !allocated.is_null() {
            BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        }
        allocated
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as our caller promises.
        let allocated = unsafe { System.realloc(memory, layout, size) };
        if !allocated.is_null() {
            BYTES.fetch_add(size, Ordering::Relaxed);
            BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        }
        allocated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_back_counts_no_more() {
        let small = Layout::array::<u8>(100).expect("a layout");
        let large = Layout::array::<u8>(1_000).expect("a layout");
        // SAFETY: each piece is used with the layout that it has, and given back once.
        unsafe {
            let first = ALLOCATOR.alloc(small);
            let second = ALLOCATOR.alloc_zeroed(small);
            assert_eq!(bytes(), 200);
            let first = ALLOCATOR.realloc(first, small, large.size());
            assert_eq!(bytes(), 1_100);
            ALLOCATOR.dealloc(first, large);
            ALLOCATOR.dealloc(second, small);
        }
        assert_eq!(bytes(), 0);
    }
}
