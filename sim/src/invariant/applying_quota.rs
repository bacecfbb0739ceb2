//! The applying quota: a node hands its application no more than that has room for.
//!
//! ```text
//! n hands out committed entries e₁ … eₖ  ⇒  bytes handed out and not applied < max_committed_size_per_ready
//!                                        ∧  ∀ i > 1: with e₁ … eᵢ they are ≤ max_committed_size_per_ready
//! ```
//!
//! Source: `max_committed_size_per_ready` of [`raft::Config`], `MaxCommittedSizePerReady` of etcd. Bytes are those of the
//! entries' encoding. The first entry may be of any size, so that nothing waits for ever. A host that applies and then
//! hands a Ready back has nothing unapplied when it takes the next one; with asynchronous storage writes the limit is one
//! for all that waits to be applied. A part of [`Invariant::BoundedMemory`].
//!
//! An entry is applied when the node counts it as applied. An entry that a snapshot overtook no longer counts here,
//! although it counts for the node until it is reported.

use std::collections::VecDeque;

use raft::{Entry, Index, NodeId};

use super::cluster::Node;
use super::violation::{Check, Invariant, Violation};

/// The entries that a node has handed out to be applied and does not count as applied.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct ToApply {
    sizes: VecDeque<(Index, u64)>,
    total: u64,
}

impl ToApply {
    /// A node starts.
    pub fn started(&mut self) {
        *self = Self::default();
    }

    /// A node hands out entries.
    pub fn handed_out(&mut self, id: NodeId, node: &Node, entries: &[Entry]) -> Check {
        while let Some((_, size)) = self.sizes.pop_front_if(|(index, _)| *index <= node.view.applied) {
            self.total -= size;
        }
        let limit = node.config.as_ref().map_or(u64::MAX, |config| config.max_committed_size_per_ready);
        for (position, entry) in entries.iter().enumerate() {
            let (before, size) = (self.total, entry.encoded_size());
            let fits = if position == 0 { before < limit } else { before.saturating_add(size) <= limit };
            if !fits {
                let detail = format!(
                    "node {id} hands out the entry {} of {size} bytes to be applied, with {position} others and {before} \
                     bytes that are not applied; expected at most {limit} bytes not applied at a time, or a single entry",
                    entry.id()
                );
                return Err(Violation::new(Invariant::BoundedMemory, &[id], detail));
            }
            self.sizes.push_back((entry.index, size));
            self.total += size;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use raft::{Config, Term};

    use super::super::testing::{breaks, node};
    use super::*;

    /// Of 40 bytes.
    fn entry(index: u64) -> Entry {
        let data = Bytes::from(vec![0; 34]);
        let entry = Entry { term: Term(1), index: Index(index), data, ..Entry::default() };
        assert_eq!(entry.encoded_size(), 40);
        entry
    }

    fn entries(indexes: std::ops::RangeInclusive<u64>) -> Vec<Entry> {
        indexes.map(entry).collect()
    }

    fn limited(max_committed_size_per_ready: u64) -> Node {
        let config = Config { max_committed_size_per_ready, ..Config::new(node(1)) };
        Node { config: Some(Arc::new(config)), ..Node::default() }
    }

    #[test]
    fn a_page_beyond_the_limit_is_found() {
        ToApply::default().handed_out(node(1), &limited(100), &entries(1..=2)).unwrap();
        breaks(Invariant::BoundedMemory, ToApply::default().handed_out(node(1), &limited(100), &entries(1..=3)));
    }

    #[test]
    fn one_entry_of_any_size_is_fine_and_two_are_not() {
        ToApply::default().handed_out(node(1), &limited(1), &entries(1..=1)).unwrap();
        breaks(Invariant::BoundedMemory, ToApply::default().handed_out(node(1), &limited(1), &entries(1..=2)));
    }

    #[test]
    fn what_is_handed_out_and_not_applied_counts() {
        let (mut to_apply, mut limited) = (ToApply::default(), limited(100));
        to_apply.handed_out(node(1), &limited, &entries(1..=2)).unwrap();
        to_apply.handed_out(node(1), &limited, &entries(3..=3)).unwrap();
        breaks(Invariant::BoundedMemory, to_apply.clone().handed_out(node(1), &limited, &entries(4..=4)));

        limited.view.applied = Index(1);
        to_apply.handed_out(node(1), &limited, &entries(4..=4)).unwrap();
        breaks(Invariant::BoundedMemory, to_apply.handed_out(node(1), &limited, &entries(5..=5)));
    }

    #[test]
    fn a_restart_begins_anew() {
        let (mut to_apply, limited) = (ToApply::default(), limited(100));
        to_apply.handed_out(node(1), &limited, &entries(1..=2)).unwrap();
        to_apply.started();
        to_apply.handed_out(node(1), &limited, &entries(1..=2)).unwrap();
    }
}
