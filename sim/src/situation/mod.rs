//! Named situations: what a run has to have met before its silence says anything.
//!
//! A property that holds in a thousand runs says little if none of them had a snapshot arrive during a probe. So the
//! world counts such situations when they happen, and an exploration names those that it never reached. They are counted
//! from what can be seen of the nodes from outside, and influence nothing.

mod list;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use list::Situation;

/// How often each situation happened.
///
/// ```
/// use sim::situation::{Situation, Situations};
/// let mut situations = Situations::default();
/// situations.note(Situation::SplitVote);
/// assert_eq!(situations.times(Situation::SplitVote), 1);
/// assert_eq!(situations.never().count(), Situation::ALL.len() - 1);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Situations([u64; Situation::ALL.len()]);

impl Default for Situations {
    fn default() -> Self {
        Self([0; Situation::ALL.len()])
    }
}

impl Situations {
    /// It happened once more.
    pub const fn note(&mut self, situation: Situation) {
        self.0[situation as usize] += 1;
    }

    /// It happened once more, if this holds.
    pub const fn note_if(&mut self, holds: bool, situation: Situation) {
        self.0[situation as usize] += holds as u64;
    }

    /// How often it happened.
    pub const fn times(&self, situation: Situation) -> u64 {
        self.0[situation as usize]
    }

    /// Adds what happened elsewhere.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }

    /// Adds one for each situation that happened elsewhere, however often.
    pub fn add_reached(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += u64::from(theirs > 0);
        }
    }

    /// Every situation and how often it happened, in the order of their declaration.
    pub fn iter(&self) -> impl Iterator<Item = (Situation, u64)> {
        Situation::ALL.into_iter().zip(self.0)
    }

    /// The situations that never happened.
    pub fn never(&self) -> impl Iterator<Item = Situation> {
        self.iter().filter(|(_, times)| *times == 0).map(|(situation, _)| situation)
    }
}

/// In JSON they are an object: what happened, by its sentence, and how often. What is not known, since it has another name in this
/// revision, is left out.
impl Serialize for Situations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let happened = self.iter().filter(|(_, times)| *times > 0);
        serializer.collect_map(happened.map(|(situation, times)| (situation.text(), times)))
    }
}

impl<'de> Deserialize<'de> for Situations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let happened = BTreeMap::<String, u64>::deserialize(deserializer)?;
        Ok(Self(Situation::ALL.map(|situation| happened.get(situation.text()).copied().unwrap_or_default())))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_situations_have_the_same_text() {
        let texts: BTreeSet<&str> = Situation::ALL.iter().map(|situation| situation.text()).collect();
        assert_eq!(texts.len(), Situation::ALL.len());
    }

    #[test]
    fn counts_add_up_and_reached_ones_count_once() {
        let mut one = Situations::default();
        one.note(Situation::SplitVote);
        one.note_if(true, Situation::SplitVote);
        one.note_if(false, Situation::LateVote);
        let mut sum = one.clone();
        sum.add(&one);
        let mut reached = Situations::default();
        reached.add_reached(&sum);
        assert_eq!((sum.times(Situation::SplitVote), reached.times(Situation::SplitVote)), (4, 1));
        assert_eq!((sum.times(Situation::LateVote), reached.times(Situation::LateVote)), (0, 0));
    }
}
