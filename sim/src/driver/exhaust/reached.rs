//! A state that was reached, and what a move makes of it.

use std::hash::{Hash, Hasher};

use xxhash_rust::xxh3::Xxh3;

use super::act::{Act, Counts};
use super::bounds::Bounds;
use super::moves::{Move, Then, moves, next_at_once, next_of_append};
use crate::driver::{Stop, apply};
use crate::trace::Ending;
use crate::world::{Event, Outcome, StateHash, Tally, World};

/// A world, its hash, and what happened so often on the way to it.
#[derive(Clone, Debug)]
pub struct Reached {
    world: Box<World>,
    hash: StateHash,
    spent: Counts,
}

/// Why a move leads nowhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Dead {
    /// It does not fit, changes nothing, or leads beyond the bounds.
    End,
    /// It breaks something.
    Broken(Ending),
}

/// What the moves from a state lead to.
#[derive(Debug, Default)]
pub struct Expanded {
    /// How many moves fit.
    pub(super) transitions: u64,
    /// The number of each move that leads to a state that was not met before, the key of that state, and the state.
    pub(super) next: Vec<(u16, u128, Reached)>,
    /// The number of the first move that breaks something.
    pub(super) broken: Option<u16>,
}

impl Reached {
    /// Where a search begins.
    pub(super) fn begin(bounds: &Bounds, told: &mut impl FnMut(&Event)) -> Result<Self, Ending> {
        let mut reached = Self { world: Box::default(), hash: StateHash(0), spent: Counts::default() };
        for event in bounds.starts() {
            let first = Move { first: event, spends: None, then: Then::Host };
            match reached.goes(bounds, &first, told) {
                Ok(()) => {}
                Err(Dead::Broken(ending)) => return Err(ending),
                Err(Dead::End) => panic!("{:?} are no options of a node", bounds.options),
            }
        }
        reached.hash = reached.world.state_hash();
        // Nobody looks at what was counted.
        reached.world.swap_tally(&mut Tally::default());
        Ok(reached)
    }

    /// By what it is told apart.
    pub(super) fn key(&self) -> u128 {
        let mut key = Xxh3::new();
        (self.hash, self.spent).hash(&mut Stable(&mut key));
        // Zero stands for no key.
        key.digest128().max(1)
    }

    /// The moves from here. All nodes begin alike, so that the first move is one of node 1.
    pub(super) fn moves(&self, bounds: &Bounds) -> Vec<Move> {
        let mut moves = moves(bounds, &self.world, self.spent);
        // Where a host still has to do something by itself, the nodes may differ.
        let begins = self.spent == Counts::default() && moves.iter().all(|one| one.spends.is_some());
        if begins && bounds.is_symmetric() {
            moves.retain(|one| one.first.nodes()[0].is_none_or(|node| node.get() == 1));
        }
        moves
    }

    /// Lets the move with this number happen, which broke something or led on before, and tells each event.
    pub(super) fn repeat(&mut self, bounds: &Bounds, number: u16, told: &mut impl FnMut(&Event)) {
        let moves = self.moves(bounds);
        // What breaks is told as well: it is the last event.
        let _ = self.goes(bounds, &moves[usize::from(number)], told);
    }

    /// Where a move leads. What happens is counted in `tally`.
    pub(super) fn after(mut self, bounds: &Bounds, next: &Move, tally: &mut Tally) -> Result<Self, Dead> {
        let before = self.hash;
        self.world.swap_tally(tally);
        let gone = self.goes(bounds, next, &mut |_| {});
        self.world.swap_tally(tally);
        gone?;
        if bounds.is_beyond(&self.world) {
            return Err(Dead::End);
        }
        self.hash = self.world.state_hash();
        if self.hash == before { Err(Dead::End) } else { Ok(self) }
    }

    fn goes(&mut self, bounds: &Bounds, next: &Move, told: &mut impl FnMut(&Event)) -> Result<(), Dead> {
        if let Some(act) = next.spends {
            self.spent.count(act);
        }
        let Outcome { node, .. } = self.happens(&next.first, told)?;
        match next.then {
            Then::Nothing => {}
            Then::Host => {
                while let Some(event) = node.and_then(|node| {
                    let to_do = self.world.replica(node)?.to_do();
                    next_at_once(to_do, node, bounds.options.async_storage_writes)
                }) {
                    self.happens(&event, told)?;
                }
            }
            Then::Append(node) => {
                let mut before = next.first.clone();
                while !matches!(before, Event::Release { .. }) {
                    let to_do = self.world.replica(node).map(|replica| replica.to_do());
                    let Some(event) = to_do.and_then(|to_do| next_of_append(to_do, node)) else { break };
                    self.happens(&event, told)?;
                    before = event;
                }
            }
            Then::Compact(node) => {
                let applied = self.world.replica(node).map(|replica| replica.view().applied).ok_or(Dead::End)?;
                self.happens(&Event::Compact { node, index: applied }, told)?;
                if !bounds.host_steps {
                    while let Some(event) = self
                        .world
                        .replica(node)
                        .map(|replica| replica.to_do())
                        .and_then(|to_do| next_of_append(to_do, node))
                        .filter(|event| !matches!(event, Event::Release { .. }))
                    {
                        self.happens(&event, told)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn happens(&mut self, event: &Event, told: &mut impl FnMut(&Event)) -> Result<Outcome, Dead> {
        told(event);
        match apply(&mut self.world, event) {
            Ok(outcome) => Ok(outcome),
            Err(Stop::Inapplicable(_)) => Err(Dead::End),
            Err(Stop::Broken(ending)) => Err(Dead::Broken(ending)),
        }
    }

    /// How often this happened on the way.
    pub fn spent(&self, act: Act) -> u8 {
        self.spent.of(act)
    }

    /// The cluster.
    pub fn world(&self) -> &World {
        &self.world
    }
}

/// Tries all moves from a state. `is_known` says of a key whether its state was met before.
pub fn expand(bounds: &Bounds, from: Reached, is_known: &(impl Fn(u128) -> bool + ?Sized)) -> Expanded {
    let mut expanded = Expanded::default();
    let (moves, mut tally) = (from.moves(bounds), Tally::default());
    // The last one needs no copy.
    let copies = std::iter::repeat_n(from, moves.len());
    for ((number, next), from) in (0_u16..).zip(&moves).zip(copies) {
        match from.after(bounds, next, &mut tally) {
            Err(Dead::End) => {}
            Err(Dead::Broken(_)) => {
                expanded.transitions += 1;
                expanded.broken = expanded.broken.or(Some(number));
            }
            Ok(reached) => {
                expanded.transitions += 1;
                let key = reached.key();
                if !is_known(key) {
                    expanded.next.push((number, key, reached));
                }
            }
        }
    }
    expanded
}

/// Writes numbers alike on every machine.
struct Stable<'a>(&'a mut Xxh3);

impl Hasher for Stable<'_> {
    fn finish(&self) -> u64 {
        self.0.digest()
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn write_u128(&mut self, number: u128) {
        self.write(&number.to_le_bytes());
    }

    fn write_usize(&mut self, number: usize) {
        self.write(&(number as u64).to_le_bytes());
    }
}
