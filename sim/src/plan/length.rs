//! How long a run is: some faults show best in many short runs, some only in long ones.
//!
//! The lengths come in scales, each twice as long as the one before. A run of a scale is drawn half as often as one of the scale
//! before, so that each scale gets the same share of the events.

use std::ops::RangeInclusive;

use super::Plan;
use crate::random::{Concern, Stream};

impl Plan {
    /// How many events a run has, if nobody says how many.
    pub const LENGTHS: RangeInclusive<u64> = 300..=60_000;
    /// How many scales there are.
    const SCALES: u32 = (*Self::LENGTHS.end() / *Self::LENGTHS.start()).ilog2() + 1;

    /// The length of the run of this seed.
    pub(super) fn length(seed: u64) -> u64 {
        let mut stream = Stream::new(seed, Concern::Length);
        let scale = Self::SCALES - 1 - stream.between(1, (1 << Self::SCALES) - 1).ilog2();
        let shortest = Self::LENGTHS.start() << scale;
        stream.between(shortest, (2 * shortest - 1).min(*Self::LENGTHS.end()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scale_of_lengths_gets_about_the_same_share_of_the_events() {
        let mut shares = [0; Plan::SCALES as usize];
        for seed in 0..100_000 {
            let length = Plan::length(seed);
            assert!(Plan::LENGTHS.contains(&length), "seed {seed} has {length} events");
            shares[(length / Plan::LENGTHS.start()).ilog2() as usize] += length;
        }
        let all: u64 = shares.iter().sum();
        for (scale, share) in shares.into_iter().enumerate() {
            assert!((90..=150).contains(&(1000 * share / all)), "scale {scale} has {share} of {all} events");
        }
    }
}
