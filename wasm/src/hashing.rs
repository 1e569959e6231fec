//! Keys of hashes that nobody can foresee.

use std::collections::hash_map::RandomState;
use std::hint::black_box;

/// Keys the hashes of all maps that are made from now on. In WebAssembly the standard library has no randomness: its keys
/// are where the stack and the heap are when it makes the first map, and one more for each map. Names that collide under
/// them could be found once for every server, so all three are moved by random bytes.
pub(crate) fn key(seed: &[u8; 32]) {
    let number = |at: usize| usize::from(seed[at]) | usize::from(seed[at + 1]) << 8;
    // Up to a MiB, 64 KiB and 65,536 maps.
    let heap = black_box(Vec::<u8>::with_capacity(number(0) * 16));
    below(number(2) % 1024, &mut || {
        black_box(RandomState::new());
    });
    for _ in 0..number(4) {
        black_box(RandomState::new());
    }
    drop(heap);
}

/// Does something at this depth of the stack.
#[inline(never)]
fn below(depth: usize, act: &mut dyn FnMut()) {
    let frame = black_box([0u8; 64]);
    match depth {
        0 => act(),
        _ => below(depth - 1, act),
    }
    black_box(&frame);
}
