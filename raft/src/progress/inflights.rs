//! The window of appends that a leader has sent to a follower and that are not yet answered.

use std::collections::VecDeque;

use crate::types::Index;

/// How much may be in flight to one follower.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct InflightLimits {
    /// The number of appends.
    pub(crate) messages: usize,
    /// The payload bytes of their entries; `u64::MAX` for no limit.
    pub(crate) bytes: u64,
}

/// The appends in flight to one follower, oldest first (thesis, section 10.2.1, "pipelining"). Grows with use.
///
/// To be read, in [`ProgressState::Replicate`](super::ProgressState::Replicate). Upstream: `Inflights` of etcd's package
/// `tracker`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Inflights {
    limits: InflightLimits,
    appends: VecDeque<Append>,
    bytes: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Append {
    last: Index,
    bytes: u64,
}

impl Inflights {
    /// An empty window.
    pub(crate) const fn new(limits: InflightLimits) -> Self {
        Self { limits, appends: VecDeque::new(), bytes: 0 }
    }

    /// Adds an append whose last entry is at `last` and whose entries hold this many payload bytes. The byte limit
    /// may be exceeded by the append that reaches it.
    ///
    /// # Panics
    /// If the window is full, or if `last` does not follow what is in flight: the caller's mistake.
    pub(crate) fn add(&mut self, last: Index, bytes: u64) {
        assert!(
            !self.is_full(),
            "{} appends of {} bytes are in flight, limits {:?}",
            self.count(),
            self.bytes,
            self.limits
        );
        let newest = self.appends.back().map_or(Index::ZERO, |append| append.last);
        assert!(last > newest, "an append up to {last} sent after one up to {newest}");
        self.appends.push_back(Append { last, bytes });
        self.bytes += bytes;
    }

    /// Frees every append whose last entry is at `index` or before.
    pub(crate) fn free_to(&mut self, index: Index) {
        while let Some(append) = self.appends.front().filter(|append| append.last <= index) {
            self.bytes -= append.bytes;
            self.appends.pop_front();
        }
    }

    /// Whether no further append may be sent.
    pub fn is_full(&self) -> bool {
        self.count() >= self.limits.messages || self.bytes >= self.limits.bytes
    }

    /// How many appends are in flight.
    pub fn count(&self) -> usize {
        self.appends.len()
    }

    /// The payload bytes in flight.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Add { entries: u64, bytes: u64 },
        Free(u64),
    }

    fn any_step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (1..4u64, 0..20u64).prop_map(|(entries, bytes)| Step::Add { entries, bytes }),
            3 => (0..60u64).prop_map(Step::Free),
        ]
    }

    proptest! {
        #[test]
        fn the_window_is_a_queue_with_two_limits(
            messages in 1..6usize,
            bytes in prop_oneof![1..60u64, Just(u64::MAX)],
            steps in prop::collection::vec(any_step(), 0..60),
        ) {
            let mut inflights = Inflights::new(InflightLimits { messages, bytes });
            let (mut queue, mut last) = (Vec::<(u64, u64)>::new(), 0);
            for step in steps {
                match step {
                    Step::Add { .. } if inflights.is_full() => {}
                    Step::Add { entries, bytes } => {
                        last += entries;
                        inflights.add(Index(last), bytes);
                        queue.push((last, bytes));
                    }
                    Step::Free(index) => {
                        inflights.free_to(Index(index));
                        queue.retain(|(last, _)| *last > index);
                    }
                }
                let held: u64 = queue.iter().map(|(_, bytes)| bytes).sum();
                prop_assert_eq!((inflights.count(), inflights.bytes()), (queue.len(), held));
                prop_assert_eq!(inflights.is_full(), queue.len() == messages || held >= bytes);
            }
        }
    }

    #[test]
    fn an_empty_window_holds_no_memory_however_large_its_limit() {
        let inflights = Inflights::new(InflightLimits { messages: usize::MAX, bytes: u64::MAX });
        assert_eq!(inflights.appends.capacity(), 0);
    }

    #[test]
    #[should_panic(expected = "2 appends of 30 bytes are in flight")]
    fn a_full_window_takes_nothing() {
        let mut inflights = Inflights::new(InflightLimits { messages: 2, bytes: u64::MAX });
        for last in [1, 2, 3] {
            inflights.add(Index(last), 15);
        }
    }

    #[test]
    #[should_panic(expected = "an append up to 5 sent after one up to 5")]
    fn appends_leave_in_order() {
        let mut inflights = Inflights::new(InflightLimits { messages: 2, bytes: u64::MAX });
        for last in [5, 5] {
            inflights.add(Index(last), 15);
        }
    }
}
