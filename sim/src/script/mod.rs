//! Scenario files: a language of commands that drives a world by hand and prints what happens.
//!
//! The commands and the forms of the output are those of etcd-io/raft's interaction tests, so that those tests say
//! whether a node behaves as etcd's does; the project's own scenarios speak of disks and networks as well.

pub(crate) mod arguments;
pub(crate) mod command;
mod compare;
mod conformance;
pub(crate) mod environment;
mod error;
mod meaning;
pub(crate) mod parse;
mod play;
mod snapshot;
pub(crate) mod words;

pub use command::Command;
pub use compare::{Difference, Excerpt};
pub use conformance::{Mismatch, Verdict, check, check_file, transcripts};
pub use environment::{Environment, Trouble};
pub use error::ScriptError;
pub use parse::{Block, Line, scenario, transcript};
pub use play::{Played, play, play_in, record, record_in, record_to_place_in};
pub use snapshot::{SnapshotError, snapshot_beside, snapshot_contents};
