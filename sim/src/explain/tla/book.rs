//! What the specification keeps of a node beside what the node shows: what of it is durable, and which change is pending.

use std::collections::{BTreeMap, BTreeSet};

use raft::{Change, ChangeKind, EntryId, Index, Message, NodeId, Term};

use super::limits::Limit;
use super::line::Shown;
use super::seen::{Seen, terms};
use crate::world::Replica;

/// What survives a crash.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Durable {
    term: Term,
    vote: Option<NodeId>,
    commit: Index,
    last: Index,
    voters: Vec<NodeId>,
    learners: Vec<NodeId>,
    first: Index,
    terms: Vec<Term>,
}

impl Durable {
    fn of(replica: &Replica, shown: &Shown) -> Self {
        let (first, terms) = terms(replica);
        let Shown { term, vote, commit, last, voters, learners, role: _ } = shown.clone();
        Self { term, vote, commit, last, voters, learners, first, terms }
    }

    /// Whether these are the same. What is compacted is known to be.
    fn is(&self, other: &Self) -> bool {
        let first = self.first.max(other.first);
        let from = |one: &Self| -> Vec<Term> {
            let skipped = usize::try_from(first.0 - one.first.0).unwrap_or(usize::MAX);
            one.terms.iter().skip(skipped).copied().collect()
        };
        let plain = |one: &Self| Self { first, terms: from(one), ..one.clone() };
        plain(self) == plain(other)
    }
}

/// The book that the specification keeps of a node.
#[derive(Clone, Debug)]
pub(super) struct Book {
    durable: Durable,
    /// What was durable before the last Ready, while that is not undone, and the place of its line.
    ready: Option<(Durable, usize)>,
    /// Where a change is pending that this node appended, zero if none is.
    pending: Index,
    /// What the node said to itself and its last Ready handed out.
    pub(super) own: Vec<Message>,
}

impl Book {
    pub(super) fn new(replica: &Replica, shown: &Shown) -> Self {
        Self { durable: Durable::of(replica, shown), ready: None, pending: Index::ZERO, own: Vec::new() }
    }

    /// A Ready is taken, whose line stands there.
    pub(super) fn takes_ready(&mut self, replica: &Replica, seen: &Seen, own: Vec<Message>, line: usize) {
        let now = Durable::of(replica, &seen.shown);
        self.ready = Some((std::mem::replace(&mut self.durable, now), line));
        self.own = own;
    }

    /// Something of the last Ready has left the node, or it was handed back.
    pub(super) fn ready_counts(&mut self) {
        self.ready = None;
    }

    /// The node comes back. Returns the line of a Ready of which nothing is left, as if it had not been taken.
    ///
    /// # Errors
    /// A part of it is left.
    pub(super) fn comes_back(
        &mut self,
        node: NodeId,
        replica: &Replica,
        shown: &Shown,
    ) -> Result<Option<usize>, Limit> {
        let now = Durable::of(replica, shown);
        let (undone, before) = match self.ready.take() {
            _ if now.is(&self.durable) => (None, None),
            Some((before, line)) if now.is(&before) => (Some(line), Some(before)),
            Some(_) | None => return Err(Limit::PartOfReady(node)),
        };
        self.durable = before.unwrap_or(now);
        self.pending = Index::ZERO;
        self.own.clear();
        Ok(undone)
    }
}

/// The changes of the membership in a run, by the entry that holds each, and who is in force then.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    members: BTreeMap<(Index, Term), Members>,
    started: BTreeSet<NodeId>,
}

type Members = (Vec<NodeId>, Vec<NodeId>);

impl Changes {
    pub(super) fn starts(&mut self, node: NodeId) {
        self.started.insert(node);
    }

    /// A leader appends a change. Returns whom it is about, and the name of the action.
    ///
    /// # Errors
    /// It is not one that the specification has.
    pub(super) fn appended(
        &mut self,
        leader: NodeId,
        seen: &Seen,
        entry: EntryId,
        changes: &[Change],
        book: &mut Book,
    ) -> Result<(NodeId, &'static str), Limit> {
        let [Change { kind, node: Some(node) }] = changes else { return Err(Limit::OtherChange(leader)) };
        let (mut voters, mut learners) = (seen.shown.voters.clone(), seen.shown.learners.clone());
        let (votes, learns) = (voters.contains(node), learners.contains(node));
        let action = match kind {
            ChangeKind::AddVoter if !votes => "AddNewServer",
            ChangeKind::AddLearner if !votes && !learns => "AddLearner",
            ChangeKind::Remove if votes || learns => "RemoveServer",
            ChangeKind::AddVoter | ChangeKind::AddLearner | ChangeKind::Remove | ChangeKind::Update => {
                return Err(Limit::OtherChange(leader));
            }
        };
        if book.pending != Index::ZERO {
            return Err(Limit::ChangePending(leader));
        }
        if !self.started.contains(node) {
            return Err(Limit::NeverStarted(*node));
        }
        match kind {
            ChangeKind::AddVoter => {
                voters.push(*node);
                learners.retain(|other| other != node);
            }
            ChangeKind::AddLearner => learners.push(*node),
            ChangeKind::Remove | ChangeKind::Update => {
                voters.retain(|other| other != node);
                learners.retain(|other| other != node);
            }
        }
        voters.sort_unstable();
        learners.sort_unstable();
        book.pending = entry.index;
        self.members.insert((entry.index, entry.term), (voters, learners));
        Ok((*node, action))
    }

    /// A node applies a change.
    ///
    /// # Errors
    /// It is not the last one that is committed there.
    pub(super) fn applied(
        &self,
        node: NodeId,
        replica: &Replica,
        seen: &Seen,
        book: &mut Book,
        leads: bool,
    ) -> Result<(), Limit> {
        let entry = |index| Some((Index(index), replica.node()?.entry_term(Index(index))?));
        let last = (1..=seen.shown.commit.0).rev().filter_map(entry).find(|entry| self.members.contains_key(entry));
        let Some(last) = last else { return Err(Limit::EarlierChange(node)) };
        let is_last = self.members[&last] == (seen.shown.voters.clone(), seen.shown.learners.clone());
        if seen.is_joint || !is_last {
            return Err(Limit::EarlierChange(node));
        }
        if leads && book.pending >= last.0 {
            book.pending = Index::ZERO;
        }
        Ok(())
    }
}
