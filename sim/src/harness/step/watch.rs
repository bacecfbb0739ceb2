//! What must hold of one node whatever it is sent.

use std::collections::BTreeMap;

use raft::{Body, EntryId, HardState, Index, MemStorage, Message, NodeId, RawNode, Ready, Term};

/// What was seen of the node so far.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    hard_state: HardState,
    /// Entries that were committed while they were in the log. The node may forget them, not change them.
    committed: BTreeMap<Index, Term>,
    /// The index up to which committed entries were handed out.
    handed_out: Index,
    /// For each term, the node to which a message granted the vote.
    votes: BTreeMap<Term, NodeId>,
    /// How many messages the node may still send because of what it was given.
    allowance: u64,
}

impl Watch {
    pub(super) fn new(node: &RawNode<MemStorage>) -> Self {
        let status = node.basic_status();
        let mut watch = Self {
            hard_state: status.hard_state,
            committed: BTreeMap::new(),
            handed_out: status.applied,
            votes: BTreeMap::new(),
            allowance: 0,
        };
        watch.note_committed(node, status.first_index);
        watch
    }

    /// The node is about to be given one thing. Each lets it send no more than a window of appends, a heartbeat, an
    /// answer and what was forwarded, to each member.
    pub(super) fn given(&mut self, node: &RawNode<MemStorage>) {
        let members = node.configuration().members().count() as u64;
        let each = node.config().max_inflight_messages as u64 + 4;
        self.allowance += (members + 1) * each;
    }

    /// Looks at the node after it was given something.
    pub(super) fn look(&mut self, node: &RawNode<MemStorage>) {
        let status = node.basic_status();
        let (before, now) = (self.hard_state, status.hard_state);
        assert!(now.term >= before.term, "the term went back from {} to {}", before.term, now.term);
        assert!(now.commit >= before.commit, "the commit index went back from {} to {}", before.commit, now.commit);
        if now.term == before.term && before.vote.is_some() {
            assert_eq!(now.vote, before.vote, "the vote of term {} changed", now.term);
        }
        assert!(status.applied <= now.commit, "applied {} is beyond commit {}", status.applied, now.commit);
        assert!(now.commit <= status.last.index, "commit {} is beyond the last entry {}", now.commit, status.last);
        self.hard_state = now;
        self.note_committed(node, before.commit.next());
        for (&index, &term) in &self.committed {
            let found = node.entry_term(index).unwrap_or(term);
            assert_eq!(found, term, "the committed entry {index} changed its term");
        }
    }

    fn note_committed(&mut self, node: &RawNode<MemStorage>, from: Index) {
        let status = node.basic_status();
        // After a snapshot, the log holds nothing that comes before it.
        let mut index = from.max(status.first_index);
        while index <= status.hard_state.commit {
            self.committed.extend(node.entry_term(index).map(|term| (index, term)));
            index = index.next();
        }
    }

    /// Looks at a Ready when it is taken.
    pub(super) fn taken(&mut self, ready: &Ready) {
        if let Some(snapshot) = &ready.snapshot {
            self.handed_out = self.handed_out.max(snapshot.id.index);
        }
        for entry in &ready.committed_entries {
            assert_eq!(entry.index, self.handed_out.next(), "entries are handed out once and in order");
            assert!(entry.index <= self.hard_state.commit, "{} is handed out and not committed", entry.id());
            // A snapshot may have replaced it in the log before anybody looked.
            let committed = *self.committed.entry(entry.index).or_insert(entry.term);
            assert_eq!(committed, entry.term, "{} is handed out", entry.id());
            self.handed_out = entry.index;
        }
        let own = ready.storage_append.iter().flat_map(|append| &append.responses);
        for message in ready.messages.iter().chain(own) {
            assert!(self.allowance > 0, "{message:?} is one message more than the node was given reason for");
            self.allowance -= 1;
        }
    }

    /// A message leaves its host, which has stored by then what has to be stored: a vote that a crash took back before
    /// was never given.
    pub(super) fn sent(&mut self, message: &Message) {
        if let (Body::VoteResponse { granted: true }, Some(term)) = (&message.body, message.term) {
            let voted = *self.votes.entry(term).or_insert(message.to);
            assert_eq!(voted, message.to, "two votes in term {term}");
        }
    }

    /// The node starts again from what its storage holds: nothing that was stored may be gone.
    pub(super) fn restarted(&mut self, node: &RawNode<MemStorage>, stored: HardState, last: EntryId) {
        let status = node.basic_status();
        let now = status.hard_state;
        assert_eq!((now.term, now.vote), (stored.term, stored.vote), "term and vote after a restart");
        assert!(now.commit >= stored.commit, "commit {} after a restart, {} was stored", now.commit, stored.commit);
        assert_eq!(status.last, last, "the last entry after a restart");
        // What was not stored is gone, and nobody was told of it. The node knows no more of what was committed than its
        // disk does: beyond that, a node that lies may send other entries.
        self.hard_state = now;
        self.committed.split_off(&now.commit.next());
        self.handed_out = status.applied;
        self.allowance = 0;
        self.look(node);
    }
}
