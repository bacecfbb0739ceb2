//! The same as `step`, through the concurrent node: either through its loop as a plain value, or through handles, with the
//! driver and every call a future that is polled by hand.

mod calls;
mod handled;
mod ledger;
mod looped;
mod order;
mod stopping;
mod task;

use arbitrary::{Arbitrary, Unstructured};
use raft::NodeId;
use raft::node::Limits;

use super::seed::Seed;
use super::step;
use crate::world::Event;

/// What happens to the node, and what those around it do in between.
#[derive(Clone, Debug)]
pub struct Input {
    way: Way,
    limits: Limits,
    step: step::Input,
    /// One after each action.
    turns: Vec<Turn>,
}

/// The way to the node.
#[derive(Clone, Copy, Debug)]
enum Way {
    Loop,
    Handles(Habits),
}

/// What the users of handles do in the same way throughout an input.
#[derive(Clone, Copy, Debug, Default)]
struct Habits {
    /// The application takes Readys as a stream.
    stream: bool,
    /// Nobody does what is left to do before the last stop.
    ends_abruptly: bool,
    /// How the first node ends. The nodes after it end in the other ways, one after another.
    ending: u8,
}

/// What those around the node do after an action. Each way to the node reads the bits as it needs them.
#[derive(Clone, Copy, Debug, Arbitrary)]
struct Turn {
    bits: u8,
    which: u8,
}

/// An input in which the node is given what node `of` is given in these events, through its loop or through handles.
/// After each event everything goes on: several inputs and a Ready are taken, or all calls that are woken are polled.
pub(super) fn seed(events: &[Event], of: NodeId, handles: bool, at_most: usize) -> Seed {
    let (way, bits) = if handles { ("handles", 0b11) } else { ("loop", looped::ALL) };
    let first = [u8::from(handles), 3, 3, 3];
    let mut seed = step::seed(events, of, &[bits, 0], at_most - first.len());
    seed.bytes.splice(..0, first);
    seed.holds = seed.holds.iter().map(|what| format!("{what} through {way}")).collect();
    seed
}

impl<'a> Arbitrary<'a> for Input {
    /// Reads from the front only, actions and turns in alternation, so that a prefix of an input is the beginning of
    /// the same run.
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let [way, proposals, messages, ticks]: [u8; 4] = u.arbitrary()?;
        let limits = Limits {
            proposals: usize::from(proposals % 8) + 1,
            messages: usize::from(messages % 8) + 1,
            ticks: u32::from(ticks % 8) + 1,
        };
        let (step, turns) = step::Input::with_turns(u)?;
        Ok(Self { way: Way::of(way), limits, step, turns })
    }
}

impl Way {
    fn of(byte: u8) -> Self {
        let habits = Habits { stream: byte & 2 != 0, ends_abruptly: byte & 4 != 0, ending: byte >> 3 };
        if byte & 1 == 1 { Self::Handles(habits) } else { Self::Loop }
    }
}

/// Lets all of it happen, and stops the node in the end.
///
/// # Panics
/// If something that must always hold does not.
pub fn run(input: &Input) {
    match input.way {
        Way::Loop => looped::run(input),
        Way::Handles(habits) => handled::run(input, habits),
    }
}

#[cfg(test)]
mod tests;
