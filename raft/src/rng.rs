//! The node's only source of randomness: a ChaCha stream from the seed in its configuration.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Draws election timeouts.
#[derive(Clone, Debug)]
pub struct TimeoutRng(Option<ChaCha8Rng>);

impl TimeoutRng {
    /// A stream from `seed`; without one, every draw is zero.
    pub fn new(seed: Option<u64>) -> Self {
        Self(seed.map(ChaCha8Rng::seed_from_u64))
    }

    /// A number in `0..bound`, or zero where `bound` is zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        match &mut self.0 {
            // The bias of the remainder is below 2^-32 for any sensible number of ticks.
            Some(rng) if bound > 0 => rng.next_u64() % bound,
            Some(_) | None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_below_the_bound_reach_all_of_it_and_need_a_seed() {
        let mut rng = TimeoutRng::new(Some(7));
        let drawn: std::collections::BTreeSet<u64> = (0..200).map(|_| rng.below(5)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert_eq!((rng.below(1), rng.below(0)), (0, 0));
        assert_eq!(TimeoutRng::new(None).below(5), 0);
    }
}
