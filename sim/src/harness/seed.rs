//! An input for a fuzzer to begin with.

use std::collections::BTreeSet;

use raft::Body;

/// An input, and what is in it or comes of it: names of messages, events and the like. An input in which nothing is new
/// is of little use to a fuzzer.
#[derive(Clone, Debug, PartialEq)]
pub struct Seed {
    /// The input.
    pub bytes: Vec<u8>,
    /// What it holds.
    pub holds: BTreeSet<String>,
}

/// What a message is called.
pub(super) fn name(body: &Body) -> String {
    format!("{body:?}").chars().take_while(|character| character.is_alphabetic()).collect()
}
