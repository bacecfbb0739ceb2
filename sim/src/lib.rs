//! A deterministic simulator for Raft clusters.

pub mod campaign;
pub mod disk;
pub mod driver;
pub mod explain;
pub mod harness;
pub mod history;
pub mod input;
pub mod invariant;
pub mod number;
pub mod output;
pub mod panics;
pub mod plan;
pub mod planted;
pub mod pulse;
pub mod random;
pub mod script;
pub mod situation;
pub mod trace;
pub mod world;

mod slots;
mod spelling;
pub(crate) mod text;

pub use raft_wal as wal;
