//! A number that nobody chose: the one place where the simulator asks the operating system for randomness. The number
//! drawn is always printed, so that it can be given the next time.

use std::hash::{BuildHasher, RandomState};

/// A seed of forty bits: short enough to type, and there are enough of them.
pub(super) fn seed() -> u64 {
    // A hasher of the standard library is keyed by the operating system.
    RandomState::new().hash_one("a seed") >> 24
}

#[cfg(test)]
mod tests {
    #[test]
    fn seeds_are_drawn_anew_each_time() {
        let drawn: std::collections::BTreeSet<u64> = (0..5).map(|_| super::seed()).collect();
        assert!(drawn.len() > 1 && drawn.iter().all(|seed| *seed < 1 << 40), "{drawn:?}");
    }
}
