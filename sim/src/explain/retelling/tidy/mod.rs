//! Fewer and better words, as long as they lead to the same.
//!
//! Each file of this module knows one way to say things better. What it proposes is played, and stays where it reaches the
//! goal.

mod host;
mod network;
mod nodes;
mod words;

use super::goal::Goal;
use super::phrase::Phrase;
use crate::world::World;

/// A scenario that reaches its goal.
pub(super) struct Draft {
    /// What scenarios begin with.
    start: World,
    phrases: Vec<Phrase>,
    goal: Goal,
}

impl Draft {
    /// These phrases, if they reach the goal.
    pub(super) fn new(start: &World, phrases: Vec<Phrase>, goal: Goal) -> Option<Self> {
        let mut draft = Self { start: start.clone(), phrases: Vec::new(), goal };
        draft.becomes(phrases).then_some(draft)
    }

    pub(super) fn phrases(&self) -> &[Phrase] {
        &self.phrases
    }

    fn shows_no_failure(&self) -> bool {
        matches!(self.goal, Goal::Rests(_))
    }

    /// Says everything as well as it can be said.
    pub(super) fn tidy(&mut self) {
        words::fewer_of_starts(self);
        loop {
            let before = self.phrases.clone();
            nodes::together(self);
            host::whole_readys(self);
            host::whole_fsyncs(self);
            network::stabilized(self);
            words::left_out(self);
            words::fewer(self);
            words::joined(self);
            words::writes(self);
            if self.phrases == before {
                break;
            }
        }
        words::fewest(self);
    }

    /// Replaces all phrases by others, if those reach the goal. What follows the failure falls away.
    fn becomes(&mut self, mut phrases: Vec<Phrase>) -> bool {
        let Some(needed) = self.goal.reached_by(&self.start, &phrases) else { return false };
        phrases.truncate(needed);
        self.phrases = phrases;
        true
    }

    /// Tries to take out the phrases at these ascending positions, and to say `other` at the position `place`.
    fn replace(&mut self, taken: &[usize], place: usize, other: Option<Phrase>) -> bool {
        let mut phrases = Vec::with_capacity(self.phrases.len());
        for (position, phrase) in self.phrases.iter().enumerate() {
            if position == place {
                phrases.extend(other.clone());
            }
            if taken.binary_search(&position).is_err() {
                phrases.push(phrase.clone());
            }
        }
        self.becomes(phrases)
    }
}
