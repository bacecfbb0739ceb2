//! A running hash of everything that happened: cheap, and the same on every machine.

use std::hash::{Hash, Hasher};

/// A hash of 64 bits over a sequence of values. Equal sequences have equal digests. Unequal sequences have different
/// ones with the likelihood of any good hash, but not against an adversary.
///
/// Each word is mixed in by the multiply-and-fold step of wyhash, which takes about a nanosecond.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Digest(u64);

impl Digest {
    const START: u64 = 0x243f_6a88_85a3_08d3;
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

    /// The digest of nothing.
    pub const fn new() -> Self {
        Self(Self::START)
    }

    /// Adds a word.
    pub const fn word(&mut self, word: u64) {
        let product = ((self.0 ^ word) as u128).wrapping_mul((Self::FACTOR ^ word.rotate_left(32)) as u128 | 1);
        self.0 = (product as u64) ^ ((product >> 64) as u64) ^ self.0.rotate_left(23);
    }

    /// Adds a value.
    pub fn value(&mut self, value: &impl Hash) {
        value.hash(self);
    }

    /// The digest so far.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}

/// Lets derived `Hash` implementations feed a digest. Whatever is added counts as 64-bit words, so that neither the
/// byte order nor the width of the machine matters.
impl Hasher for Digest {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.word(u64::from_le_bytes(last));
        self.word(bytes.len() as u64);
    }

    fn write_u8(&mut self, number: u8) {
        self.word(u64::from(number));
    }

    fn write_u32(&mut self, number: u32) {
        self.word(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.word(number);
    }

    fn write_usize(&mut self, number: usize) {
        self.word(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.word(number as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(words: &[u64]) -> u64 {
        let mut digest = Digest::new();
        words.iter().for_each(|word| digest.word(*word));
        digest.get()
    }

    #[test]
    fn order_number_and_value_of_words_all_count() {
        let sequences: [&[u64]; 8] = [&[], &[0], &[0, 0], &[1], &[1, 2], &[2, 1], &[u64::MAX], &[1 << 63]];
        for (position, one) in sequences.iter().enumerate() {
            for other in &sequences[..position] {
                assert_ne!(digest(one), digest(other), "{one:?} and {other:?}");
            }
        }
    }

    #[test]
    fn the_value_is_fixed_for_every_machine() {
        let mut digest = Digest::new();
        digest.value(&(7u64, "text", Some(3u32)));
        assert_eq!(digest.get(), 4_715_263_444_188_421_772);
    }
}
