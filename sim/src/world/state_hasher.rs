//! A hash of 128 bits over values, by which states are told apart.

use std::hash::{Hash, Hasher};

use xxhash_rust::xxh3::xxh3_128;

/// Gathers what is fed to it, and hashes it as one. Among a thousand million states two unequal ones have the same hash with a
/// probability of about one in 10^21.
///
/// Numbers are written little-endian and at their full width, so that every machine computes the same.
#[derive(Clone, Debug, Default)]
pub(super) struct StateHasher(Vec<u8>);

impl StateHasher {
    /// What is enough for a few nodes.
    const ROOM: usize = 1 << 13;

    pub(super) fn new() -> Self {
        Self(Vec::with_capacity(Self::ROOM))
    }

    /// The hash of what was fed.
    pub(super) fn hash(&self) -> u128 {
        xxh3_128(&self.0)
    }

    /// The hash of a value by itself, which is not fed.
    pub(super) fn aside(&mut self, value: &impl Hash) -> u128 {
        let before = self.0.len();
        value.hash(self);
        let hash = xxh3_128(&self.0[before..]);
        self.0.truncate(before);
        hash
    }
}

impl Hasher for StateHasher {
    /// Half of the hash, for who wants no more.
    fn finish(&self) -> u64 {
        self.hash() as u64
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn write_u8(&mut self, number: u8) {
        self.0.push(number);
    }

    fn write_u16(&mut self, number: u16) {
        self.write(&number.to_le_bytes());
    }

    fn write_u32(&mut self, number: u32) {
        self.write(&number.to_le_bytes());
    }

    fn write_u64(&mut self, number: u64) {
        self.write(&number.to_le_bytes());
    }

    fn write_u128(&mut self, number: u128) {
        self.write(&number.to_le_bytes());
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_same_bytes_on_every_machine() {
        let mut state = StateHasher::new();
        (1_u16, 2_usize, 3_u64, 4_u8, -1_i32).hash(&mut state);
        let bytes = [&[1, 0][..], &[2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4], &[0xff; 4]].concat();
        assert_eq!(state.0, bytes);
    }

    #[test]
    fn what_is_hashed_aside_is_not_fed() {
        let mut state = StateHasher::new();
        7_u64.hash(&mut state);
        let before = state.hash();
        assert_ne!(state.aside(&8_u64), state.aside(&9_u64));
        assert_eq!(state.hash(), before);
    }
}
