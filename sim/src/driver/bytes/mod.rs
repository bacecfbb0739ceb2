//! The driver that bytes steer: a fuzzer finds the input by itself, and any input is a run.
//!
//! The first bytes say what cluster it is (see `setup`); then each choice is a byte for what happens, modulo the number
//! of possibilities, and bytes for where and how. Bytes that are missing read as zero, and the run ends where they end.
//! Input that follows does not change what came before, so a fuzzer can build on what it found.
//!
//! Most choices are events of the [`World`] just as they are. Some are *chores*, which stand for many events: a node
//! does all its work, or everybody does and all messages arrive. A choice that does not fit is skipped.
//!
//! ```
//! use sim::driver::bytes::run;
//! use sim::world::EventKind;
//! // One node on its own applies its first membership (29: all work), campaigns (3), and works again,
//! // after the five bytes that say what cluster it is.
//! let ended = run(&[0, 0, 0, 0, 0, 29, 0, 3, 0, 29, 0]);
//! assert!(ended.violation.is_none());
//! assert!(ended.events.iter().any(|event| event.kind() == EventKind::Campaign));
//! ```

mod choices;
mod chore;
mod encode;
mod setup;

use std::collections::VecDeque;

use raft::ReadOnlyOption;

use crate::driver::{Stop, apply};
use crate::invariant::Violation;
use crate::trace::{Ending, Header, Trace};
use crate::world::{Event, Halt, World};
use choices::Choices;
#[cfg(test)]
pub(crate) use choices::ROUND;
use chore::Chore;
pub use encode::encode;

/// A run that is over.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The world as it was left.
    pub world: World,
    /// What happened, the event that violates something included.
    pub events: Vec<Event>,
    /// What was violated, if anything was.
    pub violation: Option<Violation>,
}

/// The run as a trace, also where it ends with a panic: what a fuzzer found becomes something to replay, to shrink and to
/// look at.
pub fn trace(bytes: &[u8]) -> Trace {
    let mut driver = Driver::new(bytes);
    let mut world = World::new();
    let mut trace = Trace { header: Header::new(None), events: Vec::new(), ending: Ending::Completed };
    while let Some(event) = driver.next_event(&world) {
        match apply(&mut world, &event) {
            Ok(_) => trace.events.push(event),
            Err(Stop::Inapplicable(_)) => {}
            Err(Stop::Broken(ending)) => {
                trace.events.push(event);
                trace.ending = ending;
                break;
            }
        }
    }
    trace
}

/// Does what the bytes say, until they end or something is violated.
pub fn run(bytes: &[u8]) -> Ended {
    let mut driver = Driver::new(bytes);
    let (mut world, mut events, mut violation) = (World::new(), Vec::new(), None);
    while let Some(event) = driver.next_event(&world) {
        match world.apply(&event) {
            Ok(_) => events.push(event),
            Err(Halt::Inapplicable(_)) => {}
            Err(Halt::Violation(found)) => {
                events.push(event);
                violation = Some(found);
                break;
            }
        }
    }
    Ended { world, events, violation }
}

/// Chooses the next event.
#[derive(Clone, Debug)]
pub struct Driver<'a> {
    choices: Choices<'a>,
    /// What happens before anything is chosen.
    starts: VecDeque<Event>,
    chores: VecDeque<Chore>,
    nodes: u64,
    events: u64,
}

impl<'a> Driver<'a> {
    /// No input chooses more events than this, so that no run takes long.
    pub const MOST_EVENTS: u64 = 20_000;

    /// A driver before its first event.
    pub fn new(bytes: &'a [u8]) -> Self {
        let mut choices = Choices::new(bytes);
        let mut starts = setup::starts(&mut choices);
        let nodes = starts.len() as u64;
        // What the bytes choose may break any lease: clocks do not keep pace with each other.
        let serves_by_lease = |start: &Event| matches!(start, Event::Start { options, .. } if options.read_only_option == ReadOnlyOption::LeaseBased);
        if starts.iter().any(serves_by_lease) {
            starts.push_back(Event::BreakLeases);
        }
        Self { choices, nodes, starts, chores: VecDeque::new(), events: 0 }
    }

    /// The next event, in this state of the world; `None` at the end.
    pub fn next_event(&mut self, world: &World) -> Option<Event> {
        self.events += 1;
        if self.events > Self::MOST_EVENTS {
            return None;
        }
        if let Some(start) = self.starts.pop_front() {
            return Some(start);
        }
        loop {
            while let Some(chore) = self.chores.front_mut() {
                match chore.next_event(world) {
                    Some(event) => return Some(event),
                    None => drop(self.chores.pop_front()),
                }
            }
            if self.choices.is_over() {
                return None;
            }
            match self.choices.next(self.nodes, world) {
                Some(choices::Choice::Event(event)) => return Some(event),
                Some(choices::Choice::Work(node)) => self.chores.push_back(Chore::work(node)),
                Some(choices::Choice::Round) => self.chores.extend(chore::round(self.nodes, world)),
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
