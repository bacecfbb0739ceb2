//! The plain values that everything else speaks of: identifiers, terms, indexes, entries and durable state.

use std::fmt;
use std::num::NonZeroU64;

use bytes::Bytes;

/// The identity of a node: any number but zero, unique within the cluster and never used again after a removal.
///
/// Prints in hexadecimal, as etcd does.
///
/// ```
/// use raft::NodeId;
/// let id = NodeId::new(10).expect("not zero");
/// assert_eq!((id.get(), id.to_string()), (10, "a".to_string()));
/// assert_eq!(NodeId::new(0), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeId(NonZeroU64);

impl NodeId {
    /// The identity with this number, or `None` for zero, which raftpb uses for "no node".
    pub const fn new(number: u64) -> Option<Self> {
        match NonZeroU64::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

/// A logical period with at most one leader (Raft paper, section 5.1). Zero until the first election.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Term(pub u64);

impl Term {
    /// The term before any election.
    pub const ZERO: Self = Self(0);
    /// The largest term that a node accepts or campaigns for; a message beyond it is refused as malformed.
    pub const MAX: Self = Self(u64::MAX >> 1);

    /// The following term.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A position in the log. The first entry has index 1; zero is the position before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Index(pub u64);

impl Index {
    /// The position before the first entry.
    pub const ZERO: Self = Self(0);
    /// The largest index that a node accepts; a message beyond it is refused as malformed, and a leader drops proposals that
    /// would go there.
    pub const MAX: Self = Self(u64::MAX >> 1);

    /// The following position.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The preceding position; that of zero is zero.
    #[must_use]
    pub const fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// The position `count` entries further on.
    #[must_use]
    pub const fn plus(self, count: u64) -> Self {
        Self(self.0 + count)
    }

    /// How many entries lie in `(earlier, self]`; zero where `earlier` is not earlier.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An entry's identity: by Log Matching (Raft paper, section 5.3) two entries with equal identities are equal, and
/// so is everything before them.
///
/// ```
/// use raft::{EntryId, Index, Term};
/// assert_eq!(EntryId::new(Term(2), Index(7)).to_string(), "2/7");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EntryId {
    /// The term in which a leader created the entry.
    pub term: Term,
    /// Where the entry stands in the log.
    pub index: Index,
}

impl EntryId {
    /// The position before the first entry of any log.
    pub const ZERO: Self = Self { term: Term::ZERO, index: Index::ZERO };

    /// The identity of the entry of this term at this index.
    pub const fn new(term: Term, index: Index) -> Self {
        Self { term, index }
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.term, self.index)
    }
}

/// What an entry's data means.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum EntryKind {
    /// The application's own data, or nothing: a new leader's first entry is empty.
    #[default]
    Normal,
    /// An encoded [`ConfChangeV1`](crate::ConfChangeV1).
    ConfChange,
    /// An encoded [`ConfChangeV2`](crate::ConfChangeV2); without data, the change that leaves a joint configuration.
    ConfChangeV2,
    /// The empty normal entry that a leader appends in the place of a membership change it refuses. The application
    /// sees a normal entry; only its encoding differs, since the type is written although it is the default one. Whoever
    /// decodes it has a normal entry.
    RefusedConfChange,
}

/// One entry of the replicated log.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Entry {
    /// The term in which a leader created it.
    pub term: Term,
    /// Where it stands in the log.
    pub index: Index,
    /// What its data means.
    pub kind: EntryKind,
    /// The payload; cloning it shares the bytes.
    pub data: Bytes,
}

impl Entry {
    /// Its identity.
    pub const fn id(&self) -> EntryId {
        EntryId { term: self.term, index: self.index }
    }

    /// The bytes of data, which is what the bound on uncommitted data and the in-flight window count.
    pub fn payload_size(&self) -> u64 {
        self.data.len() as u64
    }

    /// The bytes of its protobuf encoding (raftpb's `Entry`), which is what the limits on messages and on committed
    /// pages count.
    pub fn encoded_size(&self) -> u64 {
        let kind = match self.kind {
            EntryKind::Normal => 0,
            EntryKind::ConfChange | EntryKind::ConfChangeV2 | EntryKind::RefusedConfChange => 2,
        };
        let data = match self.payload_size() {
            0 => 0,
            length => 1 + varint_size(length) + length,
        };
        kind + 1 + varint_size(self.term.0) + 1 + varint_size(self.index.0) + data
    }
}

/// Seven bits a byte. The product with 9/64, rounded, is the quotient by 7 for all widths up to 64, and quicker.
const fn varint_size(value: u64) -> u64 {
    let highest_bit = (value | 1).ilog2() as u64;
    (highest_bit * 9 + 73) / 64
}

/// What a node must find again after a restart (Raft paper, figure 2, "persistent state").
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct HardState {
    /// The latest term that the node has seen.
    pub term: Term,
    /// Whom it voted for in that term.
    pub vote: Option<NodeId>,
    /// The highest index that it knows to be committed. A hint: losing it costs work, never safety.
    pub commit: Index,
}

/// The part a node plays.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Role {
    /// Answers leaders and candidates.
    #[default]
    Follower,
    /// Asks whether it could win an election before it raises its term (thesis, section 9.6).
    PreCandidate,
    /// Asks for votes.
    Candidate,
    /// Replicates its log and decides what is committed.
    Leader,
}

/// What a node knows that is worth telling its host but need not survive a restart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SoftState {
    /// The leader of the current term, where it is known.
    pub leader: Option<NodeId>,
    /// The node's own role.
    pub role: Role,
}

/// The answer to a read request: once the application has applied up to `index`, it may answer the read.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ReadState {
    /// The index to wait for.
    pub index: Index,
    /// The context that the request came with.
    pub context: Bytes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_and_indexes_end_half_way_so_that_the_next_one_is_always_a_number() {
        assert_eq!((Term::MAX.0, Index::MAX.0), (u64::MAX / 2, u64::MAX / 2));
        assert_eq!((Term::MAX.next().0, Index::MAX.plus(Index::MAX.0).0), (1 << 63, u64::MAX - 1));
    }

    #[test]
    fn a_varint_has_a_byte_for_each_seven_bits() {
        for bits in 1..=64u32 {
            let (smallest, largest) = (1u64 << (bits - 1), u64::MAX >> (64 - bits));
            let bytes = u64::from(bits.div_ceil(7));
            assert_eq!([varint_size(smallest), varint_size(largest)], [bytes, bytes], "{bits} bits");
        }
        assert_eq!(varint_size(0), 1);
    }

    #[test]
    fn numbers_are_shown_as_numbers_and_an_entry_by_its_term_and_index() {
        let id = EntryId::new(Term(2), Index(5));
        assert_eq!((Term(2).to_string(), Index(5).to_string(), id.to_string()), ("2".into(), "5".into(), "2/5".into()));
        assert_eq!(NodeId::new(3).map(|node| node.to_string()), Some("3".into()));
    }
}
