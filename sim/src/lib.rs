//! A deterministic simulator for Raft clusters.
