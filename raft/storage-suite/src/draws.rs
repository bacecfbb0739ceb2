//! The only source of randomness: a stream of numbers that follows from a seed.

use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of random numbers.
pub(crate) struct Draws(ChaCha8Rng);

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Any number.
    pub(crate) fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number in `0..bound`; zero where the bound is.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.number()) * u128::from(bound);
        u64::try_from(product >> 64).expect("the high half of 128 bits")
    }

    /// A number in `low..=high`, its ends more often than others.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        match self.below(4) {
            0 => low,
            1 => high.max(low),
            _ => low + self.below(high.saturating_sub(low).saturating_add(1)),
        }
    }

    /// So many bytes.
    pub(crate) fn bytes(&mut self, length: u64) -> Bytes {
        let mut bytes = vec![0; length as usize];
        self.0.fill_bytes(&mut bytes);
        bytes.into()
    }
}
