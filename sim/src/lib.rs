//! A deterministic simulator for Raft clusters.

pub mod invariant;
pub mod script;
