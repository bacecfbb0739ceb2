//! A hash of 128 bits over values, by which states are told apart.

use std::cell::RefCell;
use std::hash::{Hash, Hasher};

use xxhash_rust::xxh3::xxh3_128;

/// Takes what is fed to it as one sequence of bytes, and hashes that. Among a thousand million states two unequal ones have the
/// same hash with a probability of about one in 10^21.
///
/// Numbers are taken little-endian and at their full width, so that every machine computes the same.
pub(crate) struct StateHasher {
    fed: Vec<u8>,
}

thread_local! {
    /// Memory of hashers that are done, for the next ones: one hash often needs others.
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

impl StateHasher {
    /// Memory beyond that is given back.
    const KEPT: usize = 1 << 16;

    pub(crate) fn new() -> Self {
        Self { fed: SPARE.with_borrow_mut(Vec::pop).unwrap_or_default() }
    }

    /// The hash of one value.
    pub(crate) fn of(value: &(impl Hash + ?Sized)) -> u128 {
        let mut state = Self::new();
        value.hash(&mut state);
        state.hash()
    }

    /// The hash of what was fed.
    pub(crate) fn hash(mut self) -> u128 {
        let hash = xxh3_128(&self.fed);
        if self.fed.capacity() <= Self::KEPT {
            self.fed.clear();
            SPARE.with_borrow_mut(|spare| spare.push(self.fed));
        }
        hash
    }
}

impl Hasher for StateHasher {
    /// Half of the hash, for who wants no more.
    fn finish(&self) -> u64 {
        xxh3_128(&self.fed) as u64
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        self.fed.extend_from_slice(bytes);
    }

    #[inline]
    fn write_u8(&mut self, number: u8) {
        self.fed.push(number);
    }

    #[inline]
    fn write_u16(&mut self, number: u16) {
        self.write(&number.to_le_bytes());
    }

    #[inline]
    fn write_u32(&mut self, number: u32) {
        self.write(&number.to_le_bytes());
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.write(&number.to_le_bytes());
    }

    #[inline]
    fn write_u128(&mut self, number: u128) {
        self.write(&number.to_le_bytes());
    }

    #[inline]
    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_same_bytes_on_every_machine() {
        let bytes = [&[1, 0][..], &[2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4], &[0xff; 4]].concat();
        assert_eq!(StateHasher::of(&(1_u16, 2_usize, 3_u64, 4_u8, -1_i32)), xxh3_128(&bytes));
    }

    #[test]
    fn it_does_not_matter_in_how_many_pieces_bytes_come() {
        let bytes: Vec<u8> = (0..5000_u32).map(|number| ((number * number) >> 3) as u8).collect();
        for piece in [1, 7, 1023, 1024, 1025, 3000, 5000] {
            let mut state = StateHasher::new();
            bytes.chunks(piece).for_each(|piece| state.write(piece));
            assert_eq!(state.hash(), xxh3_128(&bytes), "pieces of {piece}");
        }
    }

    #[test]
    fn what_one_hasher_was_fed_does_not_show_in_the_next() {
        let mut outer = StateHasher::new();
        outer.write_u8(1);
        assert_eq!(StateHasher::of(&2_u8), xxh3_128(&[2]));
        outer.write_u8(3);
        assert_eq!((outer.hash(), StateHasher::of(&2_u8)), (xxh3_128(&[1, 3]), xxh3_128(&[2])));
    }
}
