//! What anybody at the other end of a connection can cost: so many connections, so many bytes, so much time, and no more.

use std::time::Duration;

/// Bounds of what others may ask for. Every wait has one.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long somebody may take to connect and to prove who it is.
    pub handshake: Duration,
    /// How long a message or request may take from its first byte to its last, in either direction.
    pub frame: Duration,
    /// How long a connection may be silent. Then it is closed, and whoever still needs it makes another.
    pub idle: Duration,
    /// How long a node works on a request before it says that it cannot tell.
    pub request: Duration,
    /// The longest message between nodes, in bytes: a snapshot travels as one message.
    pub message_bytes: u32,
    /// The longest request or reply, in bytes.
    pub request_bytes: u32,
    /// Connections of which nobody knows yet whose they are. One more is closed at once.
    pub strangers: usize,
    /// Connections of each node. One more is closed at once.
    pub of_each_node: usize,
    /// Connections of all clients together. One more is closed at once.
    pub of_clients: usize,
    /// Messages that wait for a slow peer. The oldest is dropped for one more, which Raft can live with.
    pub waiting_messages: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(3),
            frame: Duration::from_secs(10),
            idle: Duration::from_secs(120),
            request: Duration::from_secs(2),
            message_bytes: 64 << 20,
            request_bytes: 1 << 20,
            strangers: 64,
            of_each_node: 4,
            of_clients: 256,
            waiting_messages: 1024,
        }
    }
}
