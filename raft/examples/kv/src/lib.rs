//! A replicated key-value store, to be read as what an application around [`raft::Node`] looks like: on tokio, over mutual TLS,
//! with the log that the simulator tests. `kv --help` says how to run it, in one process or one for each node.
//!
//! From the ground up:
//!
//! - `machine`: what the log is about. Commands, and the map that they change. [`request`]: what clients say.
//! - [`identity`], [`certificates`], [`tls`]: who is who, and how that is proved. [`limits`]: what anybody can cost.
//! - `disk`: the log on real files, and in memory for the node to read.
//! - `frame`, `peers`, `listener`: messages to other nodes, and whatever comes in.
//! - `application`: what happens with a Ready. The heart of the example. `server`: one node with all of this.
//! - [`client`]: finds the leader, and asks again. `service`: what a node answers.
//! - `cluster`, `shell`: three nodes in one process, and a tour. [`arguments`], [`commands`]: the command line.
//!
//! What it does not have: a way to take a certificate back before it expires (a removed node is not listened to, a client is),
//! and snapshots in parts (the map has to fit into one message of 64 MiB).

mod addresses;
mod application;
#[allow(missing_docs, reason = "the documentation of a command line is its help")]
pub mod arguments;
pub mod certificates;
pub mod client;
mod cluster;
pub mod commands;
mod disk;
mod frame;
pub mod identity;
pub mod limits;
mod listener;
mod machine;
mod peers;
pub mod request;
mod server;
mod service;
mod shell;
mod testing;
#[cfg(test)]
mod tests;
pub mod tls;
mod volatile;

/// Whatever goes wrong is told and ends the command, or the program.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
