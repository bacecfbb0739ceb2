//! The guide: how to build a service on this crate, one question to a page.
//!
//! Begin with the loop, and with a storage; the rest can be read when it is needed. Every snippet is compiled and run with
//! the crate's tests, and those with a `main` are complete: copied into an empty project, they run. What that depends on beside
//! `raft`, if anything, their first lines say: `bytes`, `tempfile`, or the packages `raft-wal` and `sim` of this repository.
//!
//! | page | it answers |
//! |---|---|
//! | [`host_loop`] | What does a host do, in which order, and why? |
//! | [`storage`] | How do I write a [`Storage`](crate::Storage), and how do I know that it is right? |
//! | [`production`] | How long is a tick? Which settings, and when others? |
//! | [`snapshots`] | How does the log stay short, from the first entry to a restart? |
//! | [`membership`] | How do nodes join and leave? |
//! | [`reads`] | How do I read without reading something old? |
//! | [`asynchronous_storage`] | How does the node go on while the disk syncs? |
//! | [`disk_failure`] | What if a write or an fsync fails, or the log is damaged? |
//! | [`shutdown`] | How does a node hand over leadership and stop, and how do I restart a whole cluster? |
//! | [`testing`] | How do I test my own host? |
//! | [`from_etcd`] | I know etcd-io/raft. What is called what, and what differs? |
//! | [`from_raft_rs`] | I know raft-rs. What is called what, and what differs? |
//!
//! Whole programs stand in the folder `raft/examples` of the repository: `raw_node.rs` (a host and a storage in one file),
//! `node_tokio.rs` (the concurrent [`Node`](crate::Node)), `async_storage.rs` (threads for the disk and the application), and `kv`
//! (a key-value store: a process a node, mutual TLS, disks, snapshots and membership changes).

#[doc = include_str!("host_loop.md")]
pub mod host_loop {}

#[doc = include_str!("storage.md")]
pub mod storage {}

#[doc = include_str!("production.md")]
pub mod production {}

#[doc = include_str!("snapshots.md")]
pub mod snapshots {}

#[doc = include_str!("membership.md")]
pub mod membership {}

#[doc = include_str!("reads.md")]
pub mod reads {}

#[doc = include_str!("asynchronous_storage.md")]
pub mod asynchronous_storage {}

#[doc = include_str!("disk_failure.md")]
pub mod disk_failure {}

#[doc = include_str!("shutdown.md")]
pub mod shutdown {}

// Its snippet needs the simulator, which this crate does not depend on: the package `tests` compiles and runs it.
#[cfg_attr(not(doctest), doc = include_str!("testing.md"))]
pub mod testing {}

#[doc = include_str!("from_etcd.md")]
pub mod from_etcd {}

#[doc = include_str!("from_raft_rs.md")]
pub mod from_raft_rs {}
