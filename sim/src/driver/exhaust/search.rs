//! The search, level by level: all states that are one move further than the last.

use super::bounds::Bounds;
use super::reached::{Expanded, Reached, expand};
use super::visited::Visited;
use crate::trace::{Header, Trace};
use crate::world::Event;

/// How a search ended, and how far it got.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explored {
    /// How many distinct states were met.
    pub states: u64,
    /// How many moves from them were tried that fit.
    pub transitions: u64,
    /// By how many moves the last of them was reached, or what broke came about.
    pub depth: u32,
    /// The most states of one level.
    pub widest: u64,
    /// Why it ended.
    pub ended: Ended,
}

/// Why a search ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ended {
    /// All states within the bounds were met, and nothing broke.
    Whole,
    /// The memory is used up. All states were met up to some depth, and nothing broke.
    Memory {
        /// The depth up to which all states were met.
        complete: u32,
    },
    /// Whoever watches did not want to go on. All states were met up to some depth, and nothing broke.
    Interrupted {
        /// The depth up to which all states were met.
        complete: u32,
    },
    /// Something broke. No run with fewer moves breaks anything.
    Broken(Box<Trace>),
}

/// How far a search is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// How many distinct states were met.
    pub states: u64,
    /// How many moves were tried that fit.
    pub transitions: u64,
    /// How many states wait to be gone on from.
    pub queue: u64,
    /// The depth of those that are gone on from.
    pub depth: u32,
}

/// What is told of a search that goes on.
pub trait Watch {
    /// How far it is. Whether it shall go on.
    fn goes_on(&mut self, progress: Progress) -> bool;
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn goes_on(&mut self, _: Progress) -> bool {
        true
    }
}

/// Tries the moves from several states, each by itself, perhaps side by side.
pub trait Spread {
    /// What each of these states leads to, in their order.
    fn spread(&self, from: Vec<Reached>, expand: &(dyn Fn(Reached) -> Expanded + Sync)) -> Vec<Expanded>;
}

/// One after another.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Spread for Alone {
    fn spread(&self, from: Vec<Reached>, expand: &(dyn Fn(Reached) -> Expanded + Sync)) -> Vec<Expanded> {
        from.into_iter().map(expand).collect()
    }
}

/// How a state was met first: from which one, by the move of which number.
#[derive(Clone, Copy, Debug)]
struct Link {
    from: u32,
    by: u16,
}

/// Tries every order of events within the bounds. What comes out does not depend on how the work is spread.
///
/// # Panics
/// If there are more than four thousand million states, or a node does not accept the options.
pub fn search(bounds: &Bounds, spread: &impl Spread, watch: &mut impl Watch) -> Explored {
    let mut begun = Vec::new();
    match Reached::begin(bounds, &mut |event| begun.push(event.clone())) {
        Ok(first) => Search::new(bounds, first).run(spread, watch),
        Err(_) => Search::new_broken(&begun),
    }
}

pub(super) struct Search<'a> {
    bounds: &'a Bounds,
    visited: Visited,
    /// Of each state but the first, in the order in which they were met.
    links: Vec<Link>,
    transitions: u64,
    widest: u64,
    /// The states of the last level that is whole, by number, and those of the next one so far.
    level: Vec<(u32, Reached)>,
    next: Vec<(u32, Reached)>,
    depth: u32,
    /// The depth of the state that was met last.
    deepest: u32,
}

impl<'a> Search<'a> {
    /// So many states are gone on from before what they lead to is sorted out. It is always as many, so that what is found first
    /// depends on nothing else.
    const BATCH: usize = 512;

    /// The memory of a state that waits, about, in bytes.
    const WAITING: u64 = 12_000;

    pub(super) fn new(bounds: &'a Bounds, first: Reached) -> Self {
        let mut visited = Visited::new();
        visited.insert(first.key());
        Self {
            bounds,
            visited,
            links: Vec::new(),
            transitions: 0,
            widest: 1,
            level: vec![(0, first)],
            next: Vec::new(),
            depth: 0,
            deepest: 0,
        }
    }

    /// To start the nodes breaks something.
    fn new_broken(begun: &[Event]) -> Explored {
        let trace = Trace::record(Header::new(None), begun);
        Explored { states: 0, transitions: 0, depth: 0, widest: 0, ended: Ended::Broken(Box::new(trace)) }
    }

    pub(super) fn run(mut self, spread: &impl Spread, watch: &mut impl Watch) -> Explored {
        let ended = self.go_on(spread, watch);
        self.explored(ended)
    }

    /// Searches to the end.
    pub(super) fn go_on(&mut self, spread: &impl Spread, watch: &mut impl Watch) -> Ended {
        while !self.level.is_empty() && self.depth < self.bounds.depth {
            if let Some(ended) = self.level(spread, watch) {
                return ended;
            }
            self.level = std::mem::take(&mut self.next);
            self.widest = self.widest.max(self.level.len() as u64);
            self.depth += u32::from(!self.level.is_empty());
        }
        Ended::Whole
    }

    /// Whether the state with this key was met.
    #[cfg(test)]
    pub(super) fn has_met(&self, key: u128) -> bool {
        self.visited.contains(key)
    }

    fn explored(&self, ended: Ended) -> Explored {
        let depth = match ended {
            Ended::Broken(_) => self.depth + 1,
            Ended::Whole | Ended::Memory { .. } | Ended::Interrupted { .. } => self.deepest,
        };
        let states = self.visited.len() as u64;
        Explored { states, transitions: self.transitions, depth, widest: self.widest, ended }
    }

    /// Goes on from all states of the level; why it goes no further, if it does not.
    fn level(&mut self, spread: &impl Spread, watch: &mut impl Watch) -> Option<Ended> {
        let mut waiting = std::mem::take(&mut self.level).into_iter();
        loop {
            let (numbers, batch): (Vec<u32>, Vec<Reached>) = waiting.by_ref().take(Self::BATCH).unzip();
            if batch.is_empty() {
                return None;
            }
            let queue = (waiting.len() + self.next.len()) as u64;
            let states = self.visited.len() as u64;
            let progress = Progress { states, transitions: self.transitions, queue, depth: self.depth };
            if !watch.goes_on(progress) {
                return Some(Ended::Interrupted { complete: self.depth });
            }
            if self.bytes(queue) > self.bounds.memory {
                return Some(Ended::Memory { complete: self.depth });
            }
            let (bounds, visited) = (self.bounds, &self.visited);
            let expanded = spread.spread(batch, &|from| expand(bounds, from, &|key| visited.contains(key)));
            if let Some(trace) = self.shortest_broken(&numbers, &expanded) {
                return Some(Ended::Broken(Box::new(trace)));
            }
            numbers.into_iter().zip(expanded).for_each(|(from, expanded)| self.take_in(from, expanded));
        }
    }

    fn bytes(&self, queue: u64) -> u64 {
        self.visited.bytes() + (self.links.len() * size_of::<Link>()) as u64 + queue * Self::WAITING
    }

    fn take_in(&mut self, from: u32, expanded: Expanded) {
        self.transitions += expanded.transitions;
        let is_last = self.depth + 1 >= self.bounds.depth;
        for (by, key, reached) in expanded.next {
            if self.visited.insert(key) {
                self.links.push(Link { from, by });
                self.deepest = self.depth + 1;
                let number = u32::try_from(self.links.len()).expect("states have numbers of 32 bits");
                // From the last level nobody goes on.
                if !is_last {
                    self.next.push((number, reached));
                }
            }
        }
    }

    /// Of the runs that these states lead to and that break something, the one of the fewest events.
    fn shortest_broken(&self, numbers: &[u32], expanded: &[Expanded]) -> Option<Trace> {
        let broken = numbers.iter().zip(expanded).filter_map(|(number, expanded)| Some((*number, expanded.broken?)));
        let traces = broken.take(Self::BROKEN).map(|(number, by)| {
            let events = self.run_to(Link { from: number, by });
            Trace::record(Header::new(None), &events)
        });
        traces.min_by_key(|trace| trace.events.len())
    }

    /// So many runs that break something are compared.
    const BROKEN: usize = 64;

    /// The events of the run that ends with this move.
    fn run_to(&self, last: Link) -> Vec<Event> {
        let mut path = vec![last.by];
        let mut number = last.from;
        while let Some(before) = number.checked_sub(1) {
            let link = self.links[before as usize];
            path.push(link.by);
            number = link.from;
        }
        let mut events = Vec::new();
        let mut told = |event: &Event| events.push(event.clone());
        let begun = Reached::begin(self.bounds, &mut told);
        let mut reached = begun.expect("it began before");
        path.into_iter().rev().for_each(|by| reached.repeat(self.bounds, by, &mut told));
        events
    }
}
