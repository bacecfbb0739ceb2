//! What one word of a command can mean: a number, a node, one of a few words.

use std::fmt::Display;
use std::str::FromStr;

use raft::NodeId;

/// What a word was expected to be, but is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Anything of a kind, such as "a number".
    Kind(&'static str),
    /// A number in this range, both ends included.
    Number {
        /// The smallest.
        least: u64,
        /// The largest.
        most: u64,
    },
    /// One of these words.
    OneOf(&'static [&'static str]),
}

/// What can be read from one word.
pub trait Meaning: Sized {
    /// The word's meaning, or what was wanted in its place.
    ///
    /// # Errors
    /// The word is not of this kind.
    fn from_word(word: &str) -> Result<Self, Wanted>;
}

impl Meaning for String {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        Ok(word.to_owned())
    }
}

impl Meaning for bool {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        choose(word, &["true", "false"]).map(|position| position == 0)
    }
}

impl Meaning for NodeId {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        number(word, u64::MAX).ok().and_then(Self::new).ok_or(Wanted::Kind("the number of a node"))
    }
}

impl Meaning for u64 {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        number(word, Self::MAX)
    }
}

impl Meaning for u32 {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        number(word, u64::from(Self::MAX))
    }
}

impl Meaning for usize {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        number(word, Self::MAX as u64)
    }
}

/// A number up to this bound: more would take too long, or too much memory, and is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtMost<const MOST: u64>(pub u64);

impl<const MOST: u64> Meaning for AtMost<MOST> {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        number::<u64>(word, MOST)
            .ok()
            .filter(|number| *number <= MOST)
            .map(Self)
            .ok_or(Wanted::Number { least: 0, most: MOST })
    }
}

fn number<T: FromStr<Err: Display>>(word: &str, most: u64) -> Result<T, Wanted> {
    word.parse().map_err(|_| Wanted::Number { least: 0, most })
}

/// Which of the known words this is.
///
/// # Errors
/// It is none of them.
pub fn choose(word: &str, known: &'static [&'static str]) -> Result<usize, Wanted> {
    known.iter().position(|candidate| *candidate == word).ok_or(Wanted::OneOf(known))
}
