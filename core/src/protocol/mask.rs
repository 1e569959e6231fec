//! The client's masking (RFC 6455 section 5.3): payload byte `i` XOR mask byte `i mod 4`.

/// Masks or unmasks `payload` in place; `offset` is how many payload bytes came before it.
pub(super) fn apply(payload: &mut [u8], mask: [u8; 4], offset: usize) {
    let turn = offset % 4;
    let key: [u8; 8] = std::array::from_fn(|i| mask[(turn + i) % 4]);
    let word = u64::from_ne_bytes(key);
    let (words, tail) = payload.as_chunks_mut::<8>();
    for bytes in words {
        *bytes = (u64::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    for (byte, key) in tail.iter_mut().zip(key) {
        *byte ^= key;
    }
}

/// What a whole payload says, unmasked on the way into memory of its own.
pub(super) fn unmasked(payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    if payload.len() <= PIECE {
        let mut plain = payload.to_vec();
        apply(&mut plain, mask, 0);
        return plain;
    }
    let mut plain = Vec::with_capacity(payload.len());
    for piece in payload.chunks(PIECE) {
        let begin = plain.len();
        plain.extend_from_slice(piece);
        apply(&mut plain[begin..], mask, begin);
    }
    plain
}

/// What fits the processor's nearest cache, so that a payload is fetched once and not twice.
const PIECE: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_and_offset_equals_the_definition() {
        let mask = [0x37, 0xfa, 0x21, 0x3d];
        for length in 0..70 {
            let plain: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let expected: Vec<u8> = plain.iter().enumerate().map(|(i, b)| b ^ mask[i % 4]).collect();
            for split in 0..=length {
                let mut bytes = plain.clone();
                let (head, tail) = bytes.split_at_mut(split);
                apply(head, mask, 0);
                apply(tail, mask, split);
                assert_eq!(bytes, expected, "length {length}, split {split}");
            }
        }
    }

    #[test]
    fn a_copy_is_what_unmasking_in_place_gives() {
        let mask = [0x37, 0xfa, 0x21, 0x3d];
        for length in [0, 1, 7, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 5] {
            let masked: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            let mut expected = masked.clone();
            apply(&mut expected, mask, 0);
            assert_eq!(unmasked(&masked, mask), expected, "length {length}");
        }
    }
}
