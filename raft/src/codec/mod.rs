//! Messages, entries and durable state as the bytes of etcd's protobuf schema, raftpb.
//!
//! Membership changes are always stored like this: their bytes are an entry's data. The rest is for hosts that need a
//! format for the network or the disk; a host may as well use its own.
//!
//! The schema is proto2: a field that is absent has its default value, and one that is unknown is skipped, so that
//! newer nodes may add some. Writers differ in which default values they write (up to version 3.6 etcd writes all that
//! are numbers), so a value that is written and one that is absent mean the same. If a number occurs more than once,
//! the last one counts; a message that occurs more than once is put together from its pieces. Whatever the bytes are,
//! decoding gives a value or a [`DecodeError`], and allocates no more than in proportion to their length.

mod conf_change;
mod message;
mod state;
mod wire;

/// Why bytes cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes end in the middle of a field.
    #[error("the bytes end in the middle of a field")]
    Truncated,
    /// A number does not fit into 64 bits.
    #[error("a number does not fit into 64 bits")]
    VarintTooLong,
    /// What stands where a field should begin is no tag of a field.
    #[error("{0} is no tag of a field")]
    InvalidTag(u64),
    /// A field is not encoded in the way that its type demands.
    #[error("field {0} has the wrong wire type")]
    WrongWireType(u64),
    /// An enumeration does not have this value.
    #[error("{value} is no {what}")]
    UnknownValue {
        /// The enumeration.
        what: &'static str,
        /// The value.
        value: u64,
    },
    /// A node has the number zero where one must be named.
    #[error("{0} must name a node")]
    ZeroNode(&'static str),
    /// Something that this kind of message needs is absent.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A message of a kind that never leaves its node.
    #[error("message type {0} is local to a node")]
    LocalMessage(u64),
}
