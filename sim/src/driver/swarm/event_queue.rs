//! What will happen, and when: simulated time is a queue, and nothing else.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::intent::Intent;
use crate::plan::Time;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Entry {
    time: Time,
    /// Breaks ties in the order of planning.
    number: u64,
    intent: Intent,
}

impl Entry {
    /// Time and number in one, so that it takes one comparison, which the heap makes several times for each event.
    const fn place(&self) -> u128 {
        (self.time as u128) << 64 | self.number as u128
    }
}

impl Ord for Entry {
    /// The earlier one is the greater one, since the heap hands out the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        other.place().cmp(&self.place())
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What is planned, in the order of time.
#[derive(Clone, Debug, Default)]
pub(super) struct EventQueue {
    queue: BinaryHeap<Entry>,
    planned: u64,
    now: Time,
}

impl EventQueue {
    /// The time of what was taken last.
    pub(super) const fn now(&self) -> Time {
        self.now
    }

    /// Plans something for after this delay.
    pub(super) fn after(&mut self, delay: Time, intent: Intent) {
        self.at(self.now + delay, intent);
    }

    /// Plans something for a time that has not passed yet.
    pub(super) fn at(&mut self, time: Time, intent: Intent) {
        self.queue.push(Entry { time, number: self.planned, intent });
        self.planned += 1;
    }

    /// Whether something like this is planned.
    pub(super) fn plans(&self, is_such: impl Fn(Intent) -> bool) -> bool {
        self.queue.iter().any(|entry| is_such(entry.intent))
    }

    /// Goes on to what is next.
    pub(super) fn next(&mut self) -> Option<Intent> {
        let Entry { time, intent, .. } = self.queue.pop()?;
        self.now = time;
        Some(intent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_planned_comes_by_time_and_then_in_the_order_of_planning() {
        let mut queue = EventQueue::default();
        for (delay, client) in [(5, 1), (3, 2), (5, 3), (0, 4)] {
            queue.after(delay, Intent::Client(client));
        }
        let order: Vec<Intent> = std::iter::from_fn(|| queue.next()).collect();
        assert_eq!(order, [4, 2, 1, 3].map(Intent::Client));
        assert_eq!(queue.now(), 5);
    }
}
