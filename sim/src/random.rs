//! The simulator's randomness: one seed, and a stream of its own for each concern, so that a change to what one draws
//! does not reshuffle the others.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What random numbers are drawn for. The number of each is part of the meaning of a seed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Concern {
    /// What a seed decides before the run begins.
    Plan = 0,
    /// The nodes' own seeds.
    Elections = 1,
    /// Latency, loss, duplication.
    Network = 2,
    /// How long a host takes for what it does, its disk included.
    Hosts = 3,
    /// When faults come, and which.
    Faults = 4,
    /// What clients ask for.
    Clients = 5,
    /// Changes to the membership.
    Members = 6,
    /// What happens to disks.
    Disks = 7,
    /// What a seed decides about links, before the run begins.
    LinkPlan = 8,
    /// When links go wrong, and which.
    Links = 9,
    /// Who is healed when faults end.
    Core = 10,
    /// What happens to clocks.
    Clocks = 11,
    /// Whether loops run the nodes, and what they take when.
    Loops = 12,
    /// Whether a node with the log of another cluster is added, and which log.
    Foreign = 13,
    /// How long a run is.
    Length = 14,
    /// What goes on by itself where a run begins in the middle of another.
    TakeOver = 15,
    /// What a seed decides about several parts of its plan together.
    Theme = 16,
    /// What a lean plan has otherwise than the usual one of its seed.
    Lean = 17,
    /// Whether leaders join what they have for a follower into one append.
    Joining = 18,
}

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream of this concern under this seed.
    pub fn new(seed: u64, concern: Concern) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(concern as u64);
        Self(rng)
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number in `0..bound`; zero where the bound is.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The high half of the product: unbiased enough for any bound in use here, and without a division.
        let product = u128::from(self.number()) * u128::from(bound);
        u64::try_from(product >> 64).expect("the high half of 128 bits")
    }

    /// A number in `low..=high`; `low` where `high` is not above it.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// A number in `low..=high` whose order of magnitude, in powers of two, is as likely as any other. `low` is at
    /// least 1.
    pub fn magnitude(&mut self, low: u64, high: u64) -> u64 {
        let exponent = self.between(u64::from(low.max(1).ilog2()), u64::from(high.max(1).ilog2()));
        let floor = 1 << exponent;
        self.between(floor, floor * 2 - 1).clamp(low, high.max(low))
    }

    /// True in so many of a thousand cases.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// One of the choices, of which there is at least one.
    ///
    /// # Panics
    /// There is nothing to choose from.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        let position = self.below(choices.len() as u64);
        choices.get(usize::try_from(position).expect("below a length")).expect("something to choose from")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concerns_draw_different_numbers_from_one_seed() {
        let first = |concern| Stream::new(1, concern).number();
        assert_ne!(first(Concern::Network), first(Concern::Faults));
        assert_eq!(first(Concern::Network), first(Concern::Network));
    }

    #[test]
    fn numbers_stay_in_their_bounds_and_reach_both_ends() {
        let mut stream = Stream::new(7, Concern::Plan);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..1000 {
            seen.insert(stream.between(3, 6));
            assert_eq!(stream.below(1), 0);
            assert_eq!(stream.below(0), 0);
            assert!((1..=9).contains(&stream.magnitude(1, 9)));
            assert_eq!(stream.between(5, 4), 5);
        }
        assert_eq!(seen, (3..=6).collect());
    }

    #[test]
    fn a_chance_comes_as_often_as_it_says() {
        let mut stream = Stream::new(7, Concern::Plan);
        let hits = (0..100_000).filter(|_| stream.chance(250)).count();
        assert!((24_000..26_000).contains(&hits), "{hits}");
        assert!((0..1000).all(|_| stream.chance(1000) && !stream.chance(0)));
    }
}
