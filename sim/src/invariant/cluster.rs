//! What the checkers know of each node: its last view, the log that it was seen to write, and how much of that is
//! durable. No property is judged here; this is the picture that the properties are judged on.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, LazyLock};

use raft::{ConfState, Config, Entry, EntryId, EntryKind, HardState, Index, NodeId, Role, Snapshot, Term};

use super::input::{Recovered, View};
use super::log_shape::LogShape;
use crate::shared::Shared;
use crate::slots::slot;

/// What a node's disk would give back after any crash.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct Durable {
    pub hard_state: HardState,
    pub log: LogShape,
    pub snapshot: EntryId,
}

impl Durable {
    /// Whether the entry, or a snapshot that covers it, is durable.
    pub fn holds(&self, id: EntryId) -> bool {
        id.index <= self.snapshot.index || self.log.holds(id)
    }
}

/// The state of a node when it last began to campaign.
#[derive(Clone, Copy, Hash, Debug)]
pub(super) struct Campaign {
    /// The view with which it asked for votes.
    pub view: View,
    /// Whether its configuration was judged. It is not before the log with which it campaigns was handed out.
    pub judged: bool,
}

/// One node.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct Node {
    pub up: bool,
    pub view: View,
    /// The log as handed out to be written, durable or not.
    pub log: LogShape,
    pub durable: Durable,
    /// The logs that were durable on disks that it has lost. They no longer bind it.
    pub lost: Vec<LogShape>,
    /// What was durable when its disk was copied.
    pub copied: Option<Durable>,
    /// The membership by which it decides.
    pub configuration: Arc<ConfState>,
    /// The membership changes in the log that it has not applied, in order.
    pub changes: VecDeque<Index>,
    /// The index up to which its commit index was checked; behind the view only while the log is not handed out.
    pub checked: Index,
    /// The index up to which the application has applied.
    pub applied: Index,
    /// The index up to which it committed by bootstrapping, without a leader.
    pub bootstrapped: Index,
    pub campaign: Option<Campaign>,
    /// For each write under way that replaces something durable, the index from which it does.
    pub rewrites: VecDeque<Index>,
    /// The first entry that came back from its disk without having been durable: where a crash tore a write. What
    /// the disk knew to be committed does not count.
    pub torn: Option<Index>,
    /// The term that it led when it last handed something out, if it led.
    pub led: Option<Term>,
    pub config: Option<Arc<Config>>,
}

impl Node {
    /// Whether the log that it was seen to write is the one that it has.
    pub fn is_handed_out(&self) -> bool {
        self.view.last == self.log.last()
    }

    /// Whether the node counts membership changes as applied that are remembered.
    pub fn has_applied_changes(&self) -> bool {
        self.changes.front().is_some_and(|&index| index <= self.view.applied)
    }

    /// Forgets those.
    pub fn forget_applied_changes(&mut self) {
        while self.has_applied_changes() {
            self.changes.pop_front();
        }
    }

    /// Its disk is lost, and holds this from now on.
    pub fn lose_disk(&mut self, durable: Durable) {
        let lost = std::mem::replace(&mut self.durable, durable);
        self.lost.push(lost.log);
        self.rewrites.clear();
        self.torn = None;
    }

    /// Whether an entry of this term ended the log on a disk that it has lost.
    pub fn has_lost_term(&self, term: Term) -> bool {
        self.lost.iter().any(|log| log.last().term == term)
    }

    /// Whether the entry was durable on a disk that it has lost.
    pub fn has_lost(&self, id: EntryId) -> bool {
        self.lost.iter().any(|log| log.holds(id) || id.index <= log.base().index)
    }

    /// The term that it leads, where it does.
    pub fn leads(&self) -> Option<Term> {
        (self.up && self.view.soft_state.role == Role::Leader).then_some(self.view.hard_state.term)
    }
}

/// Every node that ever started.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct Cluster {
    /// Node n at position n - 1: every check begins by looking one up.
    nodes: Vec<Option<Shared<Node>>>,
    /// The nodes that began with the log of another cluster.
    foreign: BTreeSet<NodeId>,
}

impl Cluster {
    /// How many indexes before the furthest compaction are remembered, at most.
    const REMEMBERED: u64 = 8192;

    /// The node, if it ever started.
    pub fn get(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(usize::try_from(id.get() - 1).ok()?)?.as_deref()
    }

    /// The node, to be looked at. One that never started is like one with an empty disk.
    pub fn look(&self, id: NodeId) -> &Node {
        static BLANK: LazyLock<Node> = LazyLock::new(Node::default);
        self.get(id).unwrap_or(&BLANK)
    }

    /// The node, to be changed: copies of the cluster no longer share it.
    pub fn node(&mut self, id: NodeId) -> &mut Node {
        slot(&mut self.nodes, id.get() - 1).get_or_insert_default()
    }

    /// From now on, nodes that count on what this node holds are not blamed if it does not hold it.
    pub fn has_foreign_log(&mut self, id: NodeId) {
        self.foreign.insert(id);
    }

    /// Whether a node began with the log of another cluster.
    pub fn is_foreign(&self, id: NodeId) -> bool {
        self.foreign.contains(&id)
    }

    /// All nodes, by identity.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        (1..).zip(&self.nodes).filter_map(|(id, node)| NodeId::new(id).zip(node.as_deref()))
    }

    /// Whether the node durably holds the entry.
    pub fn durably_holds(&self, node: NodeId, entry: EntryId) -> bool {
        self.get(node).is_some_and(|node| node.durable.holds(entry))
    }

    /// The index up to which every running node has compacted its log, so that nothing before it matters again. A node
    /// that lags without end does not hold it back without end.
    pub fn floor(&self) -> Index {
        let bases = || self.nodes.iter().flatten().filter(|node| node.up).map(|node| node.log.base().index);
        let lowest = bases().min().unwrap_or_default();
        let highest = bases().max().unwrap_or_default();
        lowest.max(Index(highest.0.saturating_sub(Self::REMEMBERED)))
    }

    /// A node starts with what its disk gave back.
    pub fn start(&mut self, id: NodeId, config: &Config, recovered: &Recovered<'_>, view: &View) {
        let node = self.node(id);
        let mut log = LogShape::starting_after(recovered.compacted);
        recovered.entries.iter().for_each(|entry| log.push(entry.term));
        let durable = node.durable.log.last().index.next();
        let torn = node.rewrites.iter().copied().chain(node.torn).chain([durable]).min();
        let torn = torn.map(|torn| torn.max(recovered.hard_state.commit.next()));
        node.torn = torn.filter(|&torn| log.last().index >= torn);
        let empty = recovered.entries.is_empty() && recovered.compacted == EntryId::ZERO;
        node.up = true;
        node.view = *view;
        node.changes = changes(recovered.entries).filter(|&index| index > view.applied).collect();
        node.durable = Durable { hard_state: recovered.hard_state, log: log.clone(), snapshot: recovered.snapshot };
        node.log = log;
        node.configuration = Arc::new(recovered.configuration.clone());
        // What a snapshot or the restored application covers was checked before that existed.
        node.checked = recovered.compacted.index;
        node.applied = recovered.applied;
        node.bootstrapped = if empty { view.hard_state.commit } else { Index::ZERO };
        node.campaign = None;
        node.led = None;
        node.rewrites.clear();
        node.config = Some(Arc::new(config.clone()));
    }

    /// A node handed out a snapshot that takes the place of its log.
    pub fn replace_log(&mut self, id: NodeId, snapshot: &Snapshot) {
        let node = self.node(id);
        node.log = LogShape::starting_after(snapshot.id);
        node.changes.clear();
        node.configuration = Arc::new(snapshot.conf_state.clone());
        node.checked = node.checked.max(snapshot.id.index);
        node.rewrites.push_back(Index::ZERO);
    }

    /// A node handed out entries that follow what lies before the first of them.
    pub fn write(&mut self, id: NodeId, entries: &[Entry]) {
        let Some(first) = entries.first() else { return };
        let node = self.node(id);
        if first.index <= node.log.last().index {
            node.rewrites.push_back(first.index);
            node.log.truncate(first.index);
            while node.changes.back().is_some_and(|&index| index >= first.index) {
                node.changes.pop_back();
            }
        }
        entries.iter().for_each(|entry| node.log.push(entry.term));
        node.changes.extend(changes(entries));
    }

    /// What a node handed out is durable.
    pub fn persist(
        &mut self,
        id: NodeId,
        hard_state: Option<HardState>,
        snapshot: Option<&Snapshot>,
        entries: &[Entry],
    ) {
        let node = self.node(id);
        if let Some(hard_state) = hard_state {
            node.durable.hard_state = hard_state;
        }
        if let Some(snapshot) = snapshot {
            node.durable.log = LogShape::starting_after(snapshot.id);
            node.durable.snapshot = snapshot.id;
            node.rewrites.pop_front();
        }
        let Some(first) = entries.first() else { return };
        let last = node.durable.log.last().index;
        if first.index <= last {
            node.durable.log.truncate(first.index);
            node.rewrites.pop_front();
        } else if first.index > last.next() {
            // A sync covers every write before it, even those that nobody asked to be synced.
            node.durable.log = node.log.clone();
            node.durable.log.truncate(first.index);
        }
        entries.iter().for_each(|entry| node.durable.log.push(entry.term));
    }

    /// A node's log forgot its entries up to `through`.
    pub fn compact(&mut self, id: NodeId, through: Index) {
        let node = self.node(id);
        node.log.compact(through);
        node.durable.log.compact(through);
    }
}

/// Where the entries change the membership.
pub(super) fn changes(entries: &[Entry]) -> impl Iterator<Item = Index> {
    entries.iter().filter(|entry| changes_membership(entry)).map(|entry| entry.index)
}

fn changes_membership(entry: &Entry) -> bool {
    match entry.kind {
        EntryKind::Normal | EntryKind::RefusedConfChange => false,
        EntryKind::ConfChange | EntryKind::ConfChangeV2 => true,
    }
}
