//! Messages of a node that leads a term that another leads too, or that contradicts itself; each message makes sense by
//! itself. A message takes few bytes and speaks of the few positions after what is committed, so that messages meet.

use arbitrary::Arbitrary;
use bytes::Bytes;
use raft::{Body, Entry, EntryId, EntryKind, Index, MemStorage, Message, NodeId, RawNode, Snapshot, Term};

#[derive(Clone, Copy, Debug, Arbitrary)]
pub(super) struct Rival {
    /// Who speaks, in which term, and what kind of message it is.
    who: u8,
    /// At which index, and which term is there.
    position: u8,
    /// How many entries follow, and how much their terms rise.
    entries: u8,
}

impl Rival {
    pub(super) fn message(self, node: &RawNode<MemStorage>) -> Message {
        let from = NodeId::new(2 + u64::from(self.who & 1)).expect("not zero");
        let own = node.basic_status().hard_state.term;
        let later = u64::from(self.who >> 1 & 3 == 3);
        let term = Term(own.0 + later).clamp(Term(1), Term::MAX);
        Message { from, to: node.id(), term: Some(term), body: self.body(node, term) }
    }

    fn body(self, node: &RawNode<MemStorage>, term: Term) -> Body {
        let status = node.basic_status();
        let near = |offset: u8| Index(status.hard_state.commit.0 + u64::from(offset));
        let index = near(self.position % 4);
        let there = match u64::from(self.position / 4 % 4) {
            0 => node.entry_term(index).unwrap_or(term),
            back => Term(term.0.saturating_sub(back - 1)),
        };
        let claimed = EntryId::new(there, index);
        match self.who >> 3 & 7 {
            0..4 => Body::Append {
                previous: claimed,
                entries: self.entries(claimed, term),
                commit: near(self.entries / 64),
            },
            4 | 5 => {
                let conf_state = node.configuration().conf_state();
                Body::InstallSnapshot { snapshot: Box::new(Snapshot { id: claimed, conf_state, data: Bytes::new() }) }
            }
            6 => Body::AppendAccepted { index },
            _ => Body::Heartbeat { commit: near(self.entries / 64), context: Bytes::new() },
        }
    }

    fn entries(self, previous: EntryId, term: Term) -> Vec<Entry> {
        let rises = [self.entries / 4 % 4, self.entries / 16 % 4].map(u64::from);
        let mut id = previous;
        let entry = |rise: u64| {
            id = EntryId::new(Term(id.term.0 + rise).min(term), id.index.next());
            Entry { term: id.term, index: id.index, kind: EntryKind::Normal, data: vec![self.who; 2].into() }
        };
        rises.into_iter().take(usize::from(self.entries % 4).min(2)).map(entry).collect()
    }
}
