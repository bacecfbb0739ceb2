//! The order of steps, without their numbers.

/// Some steps. Of two histories that differ only in how much else happened meanwhile, those of the one have the same ranks
/// as those of the other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Instants(Vec<u64>);

impl Instants {
    /// How many of the steps are earlier than this one.
    pub(crate) fn rank(&self, step: u64) -> usize {
        self.0.partition_point(|earlier| *earlier < step)
    }
}

impl FromIterator<u64> for Instants {
    fn from_iter<I: IntoIterator<Item = u64>>(steps: I) -> Self {
        let mut steps: Vec<u64> = steps.into_iter().collect();
        steps.sort_unstable();
        steps.dedup();
        Self(steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rank_counts_distinct_earlier_steps() {
        let instants: Instants = [70, 5, 70, 9].into_iter().collect();
        assert_eq!([5, 9, 70, 71].map(|step| instants.rank(step)), [0, 1, 2, 3]);
    }
}
