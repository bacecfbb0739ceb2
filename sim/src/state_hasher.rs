//! A hash of 128 bits over values, by which states are told apart.

use std::hash::{Hash, Hasher};

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// Takes what is fed to it as one sequence of bytes, and hashes that. Among a thousand million states two unequal ones have the
/// same hash with a probability of about one in 10^21.
///
/// Numbers are taken little-endian and at their full width, so that every machine computes the same.
#[derive(Clone)]
pub(crate) struct StateHasher {
    /// The newest bytes: most values are a few, and end in here.
    waiting: [u8; Self::ROOM],
    count: usize,
    /// Those before.
    earlier: Option<Box<Xxh3>>,
}

impl StateHasher {
    const ROOM: usize = 1 << 10;

    pub(crate) const fn new() -> Self {
        Self { waiting: [0; Self::ROOM], count: 0, earlier: None }
    }

    /// The hash of one value.
    pub(crate) fn of(value: &impl Hash) -> u128 {
        let mut state = Self::new();
        value.hash(&mut state);
        state.hash()
    }

    /// The hash of what was fed.
    pub(crate) fn hash(mut self) -> u128 {
        let waiting = &self.waiting[..self.count];
        match &mut self.earlier {
            None => xxh3_128(waiting),
            Some(earlier) => {
                earlier.update(waiting);
                earlier.digest128()
            }
        }
    }

    fn make_room(&mut self) {
        self.earlier.get_or_insert_default().update(&self.waiting[..self.count]);
        self.count = 0;
    }
}

impl Hasher for StateHasher {
    /// Half of the hash, for who wants no more.
    fn finish(&self) -> u64 {
        self.clone().hash() as u64
    }

    fn write(&mut self, mut bytes: &[u8]) {
        while self.count + bytes.len() > Self::ROOM {
            let (now, later) = bytes.split_at(Self::ROOM - self.count);
            self.waiting[self.count..].copy_from_slice(now);
            self.count = Self::ROOM;
            self.make_room();
            bytes = later;
        }
        self.waiting[self.count..self.count + bytes.len()].copy_from_slice(bytes);
        self.count += bytes.len();
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
}
