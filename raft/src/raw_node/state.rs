//! Telling the states of nodes apart, for whoever explores all that can happen to one.

use std::hash::{Hash, Hasher};

use super::{Outstanding, RawNode};
use crate::storage::Storage;

impl<S: Storage + Hash> RawNode<S> {
    /// Feeds a hash with all that the node goes by from now on: equal states, however they were reached, feed it equally.
    ///
    /// Left out are the options, which the host knows, and what only counts: how many Readys there were, and the number of
    /// the one that is outstanding. So two nodes may be equal of which one refuses a Ready that the other takes back, if the
    /// host hands them one that it has handed back before, or that another node handed out.
    ///
    /// ```
    /// use std::hash::{DefaultHasher, Hasher};
    /// use raft::{Config, MemStorage, NodeId, RawNode};
    ///
    /// let id = NodeId::new(1).unwrap();
    /// let hash = |ticks: usize| {
    ///     let mut node = RawNode::new(Config { fixed_election_timeout: true, ..Config::new(id) }, MemStorage::new()).unwrap();
    ///     (0..ticks).for_each(|_| node.tick());
    ///     let mut hasher = DefaultHasher::new();
    ///     node.hash_state(&mut hasher);
    ///     hasher.finish()
    /// };
    /// assert_eq!(hash(1), hash(1));
    /// assert_ne!(hash(1), hash(2));
    /// ```
    pub fn hash_state(&self, state: &mut impl Hasher) {
        let Self { raft, told_soft_state, told_hard_state, origin: _, readys: _, outstanding, returned, buffers: _ } =
            self;
        (raft, told_soft_state, told_hard_state, outstanding, returned).hash(state);
    }
}

/// What advancing it leads to, whatever its number.
impl Hash for Outstanding {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { number: _, own_messages, durable, applied } = self;
        (own_messages, durable, applied).hash(state);
    }
}
