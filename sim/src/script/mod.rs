//! Scenario files: a language of commands that drives a world by hand and prints what happens.
//!
//! The commands and the forms of the output are those of etcd-io/raft's interaction tests, so that those tests say
//! whether a node behaves as etcd's does; the project's own scenarios speak of disks and networks as well.

mod arguments;
mod command;
mod compare;
mod conformance;
pub mod describe;
mod environment;
mod error;
mod from_trace;
mod parse;
mod play;
mod quote;
mod snapshot;

pub use command::Command;
pub use compare::{Difference, Excerpt};
pub use conformance::{Mismatch, Verdict, check, check_file, transcripts};
pub use environment::{Environment, Trouble};
pub use error::ScriptError;
#[cfg(feature = "planted-bugs")]
pub(crate) use error::nearest;
pub(crate) use from_trace::retell;
pub use from_trace::{CannotTell, from_trace};
pub use parse::{Block, Line, scenario, transcript};
pub use play::{Played, play, record};
pub use quote::quote;
pub use snapshot::{SnapshotError, snapshot_beside, snapshot_contents};
