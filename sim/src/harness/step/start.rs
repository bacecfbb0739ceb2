//! Any legal state to begin in: options that make sense, and a stored log that a node may have written.

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use raft::{
    Config, Entry, EntryId, EntryKind, HardState, Index, MemStorage, NodeId, RawNode, ReadOnlyOption, Snapshot, Term,
};

use super::sketch::{Membership, Name};

/// How the node begins. An input that has ended reads as zeros, which stand for a new node, one of three voters.
#[derive(Clone, Debug, Arbitrary)]
pub struct Start {
    /// The snapshot at which the log begins: its index, its term, and whether the index is near the largest there can be.
    base: u8,
    base_term: u8,
    base_is_huge: bool,
    /// A bit for each option.
    options: u16,
    seed: u8,
    membership: Membership,
    /// For each entry how much higher its term is than that of the one before, up to `length`.
    terms: [u8; 6],
    length: u8,
    /// How many of the entries are committed.
    committed: u8,
    /// How far the term is ahead of the last entry's.
    ahead: u8,
    vote: Option<Name>,
}

impl Start {
    /// The bytes of a new node among three whose log begins after this index, in term 1.
    pub(super) fn bytes(base: u8) -> Vec<u8> {
        let zeros = [0; 64];
        let mut rest = Unstructured::new(&zeros);
        Self::arbitrary(&mut rest).expect("there are more zeros than it reads");
        let mut bytes = zeros[rest.len()..].to_vec();
        bytes[..2].copy_from_slice(&[base, 1]);
        bytes
    }

    /// The node.
    pub(super) fn node(&self) -> RawNode<MemStorage> {
        let storage = self.storage();
        let applied = self.base().index;
        let config = Config { applied, ..self.config() };
        RawNode::new(config, storage).expect("options and storage fit together")
    }

    /// The options, except up to where the log is applied.
    pub(super) fn config(&self) -> Config {
        let option = |bit: u32| self.options >> bit & 1 == 1;
        let check_quorum = option(0);
        let small = |bit, small| if option(bit) { small } else { Config::NO_LIMIT };
        Config {
            election_seed: Some(u64::from(self.seed)),
            election_tick: if option(1) { 10 } else { 3 },
            async_storage_writes: option(2),
            pre_vote: option(3),
            check_quorum,
            read_only_option: if option(4) && check_quorum { ReadOnlyOption::LeaseBased } else { ReadOnlyOption::Safe },
            max_size_per_message: if option(5) { 0 } else { small(6, 40) },
            max_committed_size_per_ready: small(7, 30),
            max_uncommitted_size: small(8, 20),
            max_inflight_messages: if option(9) { 1 } else { 3 },
            max_inflight_bytes: small(10, 60),
            disable_proposal_forwarding: option(11),
            disable_conf_change_validation: option(12),
            step_down_on_removal: option(13),
            max_waiting_reads: if option(14) { 2 } else { 1000 },
            batch_append: option(15),
            ..Config::new(NodeId::new(1).expect("one is not zero"))
        }
    }

    fn base(&self) -> EntryId {
        let far = if self.base_is_huge { Index::MAX.0 - 300 } else { 0 };
        let index = Index(far + u64::from(self.base));
        let term = if index == Index::ZERO { Term::ZERO } else { Term(u64::from(self.base_term)) };
        EntryId::new(term, index)
    }

    fn storage(&self) -> MemStorage {
        let base = self.base();
        let conf_state = self.membership.legal();
        let mut storage = MemStorage::from_snapshot(Snapshot { id: base, conf_state, data: Bytes::new() });
        let entries = self.entries(base);
        storage.append(&entries).expect("they follow the snapshot");
        let last = entries.last().map_or(base, Entry::id);
        let committed = u64::from(self.committed).min(entries.len() as u64);
        let term = Term(last.term.0 + u64::from(self.ahead));
        let vote = self.vote.map(Name::id).filter(|_| term > Term::ZERO);
        storage.set_hard_state(HardState { term, vote, commit: base.index.plus(committed) });
        storage
    }

    fn entries(&self, base: EntryId) -> Vec<Entry> {
        let mut id = base;
        let steps = self.terms.iter().take(usize::from(self.length));
        let entry = |step: &u8| {
            let term = Term(id.term.0 + u64::from(*step)).max(Term(1));
            id = EntryId::new(term, id.index.next());
            Entry { term, index: id.index, kind: EntryKind::Normal, data: vec![b'x'; usize::from(*step % 16)].into() }
        };
        steps.map(entry).collect()
    }
}
