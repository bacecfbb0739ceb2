//! Scenario files: a language of commands that drives a world by hand and prints what happens.
//!
//! The commands and the forms of the output are those of etcd-io/raft's interaction tests, so that those tests say
//! whether a node behaves as etcd's does; the project's own scenarios speak of disks and networks as well.

mod arguments;
mod compare;
pub mod describe;
mod error;
mod parse;
mod quote;

pub use arguments::{Arguments, Meaning, Wanted, choose};
pub use compare::{Difference, Excerpt, difference};
pub use error::ScriptError;
pub use parse::{Block, Line, scenario, transcript};
pub use quote::quote;
