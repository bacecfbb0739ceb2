//! The pulse of a run: what whoever waits for it can see from outside.
//!
//! Code under test may never come back. The run cannot notice that, and nothing in it may look at a clock; but another thread
//! can see that the [beats](Pulse::beats) stand still, and for how long is for its clock to say. The pulse only counts: a run
//! that is watched is the same as one that is not.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::world::Event;

/// How far the runs of a thread have come. Shared with whoever watches.
///
/// ```
/// use std::sync::Arc;
/// use sim::plan::{Overrides, Plan};
/// use sim::pulse::Pulse;
/// let plan = Plan::draw(1, &Overrides { steps: Some(100), no_settle: true, ..Overrides::default() });
/// let pulse = Arc::new(Pulse::default());
/// pulse.of(|| sim::driver::swarm::run(&plan, |_| {}));
/// assert_eq!(pulse.step(), 100);
/// assert!(pulse.beats() >= 200, "each one begins and ends");
/// ```
#[derive(Debug)]
pub struct Pulse {
    beats: AtomicU64,
    step: AtomicU64,
    /// From which step on events are kept, for whoever wants to know the one that never ends.
    keeps_from: u64,
    event: Mutex<Option<Event>>,
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<Pulse>>> = const { RefCell::new(None) };
}

impl Default for Pulse {
    fn default() -> Self {
        Self::keeping(u64::MAX)
    }
}

impl Pulse {
    /// A pulse that keeps the event under way, from the one on that so many were before.
    pub fn keeping(step: u64) -> Self {
        Self { beats: AtomicU64::new(0), step: AtomicU64::new(0), keeps_from: step, event: Mutex::new(None) }
    }

    /// How often an event began or ended. Where this does not grow, one goes on, or nobody comes to choose the next.
    pub fn beats(&self) -> u64 {
        self.beats.load(Ordering::Relaxed)
    }

    /// How many events of the run have happened.
    pub fn step(&self) -> u64 {
        self.step.load(Ordering::Relaxed)
    }

    /// The event under way, if there is one and events are kept.
    pub fn event(&self) -> Option<Event> {
        self.event.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Does this, and takes the pulse of the runs in it.
    pub fn of<R>(self: &Arc<Self>, run: impl FnOnce() -> R) -> R {
        let _before = Before(CURRENT.replace(Some(self.clone())));
        run()
    }

    fn keep(&self, event: Option<&Event>) {
        if self.step() >= self.keeps_from {
            *self.event.lock().unwrap_or_else(PoisonError::into_inner) = event.cloned();
        }
    }
}

/// Whose pulse was taken before, for when this one is no longer.
struct Before(Option<Arc<Pulse>>);

impl Drop for Before {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// An event begins, after so many others.
pub(crate) fn begins(event: &Event, step: u64) {
    CURRENT.with_borrow(|current| {
        if let Some(pulse) = current {
            pulse.step.store(step, Ordering::Relaxed);
            pulse.keep(Some(event));
            pulse.beats.fetch_add(1, Ordering::Relaxed);
        }
    });
}

/// The event that began last has ended, and so many have happened.
pub(crate) fn ended(step: u64) {
    CURRENT.with_borrow(|current| {
        if let Some(pulse) = current {
            pulse.keep(None);
            pulse.step.store(step, Ordering::Relaxed);
            pulse.beats.fetch_add(1, Ordering::Relaxed);
        }
    });
}

#[cfg(test)]
mod tests {
    use raft::NodeId;

    use super::*;

    #[test]
    fn the_event_under_way_is_kept_from_the_step_on_that_was_asked_for() {
        let tick = Event::Tick { node: NodeId::new(1).expect("not zero") };
        let pulse = Arc::new(Pulse::keeping(7));
        pulse.of(|| {
            begins(&tick, 6);
            assert_eq!((pulse.event(), pulse.beats()), (None, 1));
            ended(7);
            begins(&tick, 7);
            assert_eq!((pulse.event(), pulse.step(), pulse.beats()), (Some(tick.clone()), 7, 3));
            ended(8);
            assert_eq!(pulse.event(), None);
        });
        begins(&tick, 9);
        assert_eq!((pulse.step(), pulse.beats()), (8, 4), "it is taken only as long as it was asked to be");
    }
}
