//! A deterministic simulator for Raft clusters.

pub mod disk;
pub mod harness;
pub mod invariant;
pub mod script;
pub mod wal;
pub mod world;
