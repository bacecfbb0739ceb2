//! What it means to fail in the same way.

use std::collections::BTreeSet;

use raft::NodeId;

use super::format::Ending;
use crate::invariant::Invariant;

/// How a run failed, without what may differ between a long run and a short one that shows the same. Two failures are
/// equal if the same invariant is broken between as many nodes and the details have the same wording apart from
/// numbers, or if both are panics with the same wording.
///
/// ```
/// use raft::NodeId;
/// use sim::invariant::{Invariant, Violation};
/// use sim::trace::{Ending, Failure};
/// let one = Violation::new(Invariant::VoteOnce, &[], "node 1 voted for 2 and 3 in term 17").at(900);
/// let other = Violation::new(Invariant::VoteOnce, &[], "node 3 voted for 1 and 2 in term 2").at(30);
/// assert_eq!(Failure::of(&Ending::Violation(one)), Failure::of(&Ending::Violation(other)));
/// assert_eq!(Failure::of(&Ending::Completed), None);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// `None` for a panic.
    invariant: Option<Invariant>,
    /// How many nodes are in conflict.
    nodes: usize,
    words: Vec<String>,
    /// Where a panic was, if that counts.
    place: Option<String>,
}

impl Failure {
    /// The same as [`of`](Self::of), and for a panic where it was. That holds within one build: in another the same assertion may stand
    /// elsewhere.
    pub fn exactly(ending: &Ending) -> Option<Self> {
        Some(Self { place: place_of_panic(ending).map(str::to_owned), ..Self::of(ending)? })
    }

    /// How a run with this ending failed, if it did.
    pub fn of(ending: &Ending) -> Option<Self> {
        match ending {
            // While candidates run, a hang cannot be told from a long wait.
            Ending::Completed | Ending::Hang(_) => None,
            Ending::Violation(violation) => {
                let nodes: BTreeSet<NodeId> = violation.nodes.iter().copied().collect();
                let (invariant, nodes) = (Some(violation.invariant), nodes.len());
                Some(Self { invariant, nodes, words: words(&violation.detail), place: None })
            }
            Ending::Panic(message) => Some(Self { invariant: None, nodes: 0, words: words(message), place: None }),
        }
    }
}

/// Where a panic was, as its message says at the end in brackets. One build has it always at the same place; in another it may be
/// elsewhere.
fn place_of_panic(ending: &Ending) -> Option<&str> {
    let Ending::Panic(message) = ending else { return None };
    Some(message.strip_suffix(')')?.rsplit_once('(')?.1)
}

/// The words of a text, without those that contain numbers, and without what is in brackets: the states and members
/// listed there come and go with the size of the run.
fn words(text: &str) -> Vec<String> {
    let mut depth = 0u32;
    let outside = text.chars().map(|character| {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 => return character,
            _ => {}
        }
        ' '
    });
    let outside: String = outside.collect();
    let words = outside.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    words.filter(|word| !word.contains(|character: char| character.is_ascii_digit())).map(str::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::Violation;

    #[test]
    fn a_panic_says_where_it_was() {
        let place = |message: &str| place_of_panic(&Ending::Panic(message.to_owned())).map(str::to_owned);
        assert_eq!(place("there is no (leader) (src/raft.rs:7)"), Some("src/raft.rs:7".to_owned()));
        assert_eq!(place("there is no leader"), None);
        assert_eq!(place_of_panic(&Ending::Completed), None);
        let [one, other] = ["a.rs:1", "b.rs:2"].map(|place| Ending::Panic(format!("there is no leader ({place})")));
        assert_eq!(Failure::of(&one), Failure::of(&other));
        assert_ne!(Failure::exactly(&one), Failure::exactly(&other));
    }

    #[test]
    fn who_differs_from_itself_does_not_fail_as_two_who_differ_do() {
        let id = |number| NodeId::new(number).expect("not zero");
        let failure = |one, other| {
            let detail = format!("node {one} does not agree with node {other}");
            Failure::of(&Ending::Violation(Violation::new(Invariant::Liveness, &[id(one), id(other)], detail)))
        };
        assert_eq!(failure(1, 2), failure(3, 1));
        assert_ne!(failure(1, 2), failure(1, 1));
    }
}
