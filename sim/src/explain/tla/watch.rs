//! Watches a run and writes the lines of what each event leads to, in the order in which etcd's node would write them.
//!
//! Nothing of the node takes part in that: a world in which nothing is checked does what happened, and the lines follow from what a
//! node shows before an event and after it, and from the messages that it has made in between.

use std::collections::{BTreeMap, BTreeSet};

use raft::{Body, EntryId, Index, Message, NodeId, Role, Term};

use super::book::{Book, Changes};
use super::limits::{self, Limit};
use super::line::{Line, Name, Said, Shown};
use super::seen::Seen;
use crate::driver::{Stop, apply};
use crate::world::{Envelope, Event, MessageId, Outcome, World};

/// A run that is being written.
#[derive(Debug)]
pub(super) struct Watch {
    world: World,
    /// A line that is undone is none.
    lines: Vec<Option<Line>>,
    books: BTreeMap<NodeId, Book>,
    changes: Changes,
    /// Of which message another one is a copy.
    copies: BTreeMap<MessageId, MessageId>,
    arrived: BTreeSet<MessageId>,
    forged: BTreeSet<MessageId>,
    /// For the leader that has a change pending, up to where it takes no other: as the node counts.
    pending: BTreeMap<NodeId, Index>,
    /// Answers to messages of an earlier term: from whom, to whom, and in which term.
    refusals: BTreeSet<(NodeId, NodeId, Term)>,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self {
            world: World::unchecked(),
            lines: Vec::new(),
            books: BTreeMap::new(),
            changes: Changes::default(),
            copies: BTreeMap::new(),
            arrived: BTreeSet::new(),
            forged: BTreeSet::new(),
            pending: BTreeMap::new(),
            refusals: BTreeSet::new(),
        }
    }

    /// The world as it is.
    pub(super) const fn world(&self) -> &World {
        &self.world
    }

    /// The lines so far.
    pub(super) fn lines(&self) -> Vec<Line> {
        self.lines.iter().flatten().cloned().collect()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.lines.iter().flatten().count()
    }

    /// How many were written, those that are undone included.
    pub(super) const fn count(&self) -> usize {
        self.lines.len()
    }

    /// Forgets those that were written after so many.
    pub(super) fn forget_from(&mut self, count: usize) {
        self.lines.truncate(count);
    }

    /// An event happens.
    ///
    /// # Errors
    /// It leads to something that the specification does not have. The lines are then those of the events before it.
    pub(super) fn happens(&mut self, event: &Event) -> Result<(), Limit> {
        let written = self.lines.len();
        self.watched(event).inspect_err(|_| self.lines.truncate(written))
    }

    fn watched(&mut self, event: &Event) -> Result<(), Limit> {
        match event {
            Event::Start { node, boot, options, .. } => {
                limits::options(*node, options)?;
                limits::boot(*node, boot)?;
            }
            Event::Restart { node, options: Some(options), .. } => limits::options(*node, options)?,
            // Neither touches a node.
            Event::ExpectLiveness { .. } | Event::SearchHistories => return Ok(()),
            _ => {}
        }
        let message = self.in_flight(event);
        let node = self.node_of(event);
        let before = node.and_then(|node| Seen::of(node, &self.world));
        let outcome = match apply(&mut self.world, event) {
            Ok(outcome) => outcome,
            Err(Stop::Inapplicable(reason)) => return Err(Limit::DoesNotFit(reason.to_string())),
            Err(Stop::Broken(ending)) => return Err(Limit::DoesNotFit(ending.to_string())),
        };
        self.follow_messages(event, &outcome);
        let Some(node) = node else { return Ok(()) };
        let Some(after) = Seen::of(node, &self.world) else { return Ok(()) };
        match event {
            Event::Start { .. } => self.starts(node, &after),
            Event::Restart { .. } => self.comes_back(node, &after)?,
            Event::TakeReady { .. } => self.takes_ready(node, before.as_ref(), &after),
            Event::Send { .. } => self.book(node, Book::ready_counts),
            Event::Advance { .. } => {
                self.book(node, Book::ready_counts);
                let own = self.books.get_mut(&node).map(|book| std::mem::take(&mut book.own)).unwrap_or_default();
                self.goes_on(node, before.as_ref(), &after, &own, event)?;
            }
            Event::Deliver { message: id } => {
                let arrives = message.filter(|_| outcome.refused.is_none());
                if arrives.is_some() {
                    self.arrives(node, *id)?;
                }
                let heard = arrives.filter(|message| is_heard(message, before.as_ref(), &after));
                self.goes_on(node, before.as_ref(), &after, heard.as_slice(), event)?;
            }
            _ => self.goes_on(node, before.as_ref(), &after, &[], event)?,
        }
        Ok(())
    }

    /// The message that an event lets arrive.
    fn in_flight(&self, event: &Event) -> Option<Message> {
        let Event::Deliver { message } = event else { return None };
        match self.world.network().get(*message) {
            Some(Envelope::Network(message)) => Some(message.clone()),
            Some(Envelope::Local { .. }) | None => None,
        }
    }

    /// The node at which an event happens.
    fn node_of(&self, event: &Event) -> Option<NodeId> {
        match event {
            Event::Deliver { message } => self.world.network().get(*message).map(Envelope::to),
            Event::Drop { .. } | Event::Duplicate { .. } | Event::Cut { .. } | Event::HealLink { .. } => None,
            other => other.nodes()[0],
        }
    }

    fn follow_messages(&mut self, event: &Event, outcome: &Outcome) {
        match event {
            Event::Duplicate { message } => {
                let first = self.copies.get(message).copied().unwrap_or(*message);
                self.copies.extend(outcome.newly_in_flight().map(|copy| (copy, first)));
            }
            Event::Inject { .. } => self.forged.extend(outcome.newly_in_flight()),
            _ => {}
        }
    }

    fn arrives(&mut self, node: NodeId, id: MessageId) -> Result<(), Limit> {
        let first = self.copies.get(&id).copied().unwrap_or(id);
        if self.forged.contains(&first) {
            return Err(Limit::Forged(node));
        }
        if self.arrived.insert(first) { Ok(()) } else { Err(Limit::Doubled(node)) }
    }

    fn starts(&mut self, node: NodeId, after: &Seen) {
        let Some(replica) = self.world.replica(node) else { return };
        self.books.insert(node, Book::new(replica, &after.shown));
        self.changes.starts(node);
        self.write(Line::new(Name::InitState, node, &after.shown));
    }

    fn comes_back(&mut self, node: NodeId, after: &Seen) -> Result<(), Limit> {
        if let (Some(replica), Some(book)) = (self.world.replica(node), self.books.get_mut(&node))
            && let Some(undone) = book.comes_back(node, replica, &after.shown)?
        {
            self.lines[undone] = None;
        }
        self.pending.remove(&node);
        self.write(Line::new(Name::InitState, node, &after.shown));
        Ok(())
    }

    fn takes_ready(&mut self, node: NodeId, before: Option<&Seen>, after: &Seen) {
        let own = before.map(|before| before.own().to_vec()).unwrap_or_default();
        let line = self.lines.len();
        if let (Some(replica), Some(book)) = (self.world.replica(node), self.books.get_mut(&node)) {
            book.takes_ready(replica, after, own, line);
        }
        self.write(Line::new(Name::Ready, node, &after.shown));
    }

    /// A node has gone on, by messages that it heard or by something else.
    fn goes_on(
        &mut self,
        node: NodeId,
        before: Option<&Seen>,
        after: &Seen,
        heard: &[Message],
        event: &Event,
    ) -> Result<(), Limit> {
        let Some(before) = before else { return Ok(()) };
        let mut step = Step { node, now: before.shown.clone(), made: after.made_since(before).into() };
        for message in heard {
            self.hears(&mut step, message, before, after, heard.len());
        }
        // A change of the membership is in force before a leader that it removes steps down.
        if before.shown.voters != after.shown.voters || before.shown.learners != after.shown.learners {
            self.applies_change(node, before, after)?;
        }
        self.changes_role(&mut step, before, after, !heard.is_empty())?;
        self.appends(&mut step, before, after, event)?;
        if after.leads() && step.now.commit != after.shown.commit {
            self.write(Line::new(Name::Commit, node, &after.shown));
        }
        step.now = after.shown.clone();
        for message in heard.iter().filter(|message| message.term < Some(before.shown.term)) {
            self.refusals.insert((node, message.from, before.shown.term));
        }
        while let Some(message) = step.made.pop_front() {
            self.sends(&step.now, node, &message)?;
        }
        Ok(())
    }

    /// A message arrives, or one that the node has sent itself. Of several acknowledgements of its own, each may move the commit
    /// index, and the appends that tell of it say how far.
    fn hears(&mut self, step: &mut Step, message: &Message, before: &Seen, after: &Seen, count: usize) {
        let Some([_, name]) = Name::of(&message.body) else { return };
        let refuses = self.is_refusal(message);
        self.write(Line::new(name, step.node, &step.now).with_message(Said::new(message, refuses)));
        if count > 1 && before.leads() && after.leads() && step.now.commit < after.shown.commit {
            let commits = self.commit_with(step.node, message, before).min(after.shown.commit);
            if commits > step.now.commit {
                step.now.commit = commits;
                self.write(Line::new(Name::Commit, step.node, &step.now));
                self.sends_up_to(step, commits);
            }
        }
    }

    /// How far a leader commits once this acknowledgement of its own has arrived, by what it knows of the others.
    fn commit_with(&self, node: NodeId, message: &Message, before: &Seen) -> Index {
        let Body::AppendAccepted { index: own } = message.body else { return Index::ZERO };
        let Some(seen) = self.world.replica(node).and_then(|replica| replica.node()) else { return Index::ZERO };
        let matched = |id| if id == node { Some(own.0) } else { seen.follower(id).map(|follower| follower.matched.0) };
        let agreed = Index(seen.configuration().voters().committed_index(matched));
        let is_of_its_term = seen.entry_term(agreed) == Some(before.shown.term);
        if is_of_its_term { agreed } else { Index::ZERO }
    }

    /// Sends the appends that were made while the commit index was no higher than this.
    fn sends_up_to(&mut self, step: &mut Step, commit: Index) {
        let is_before =
            |message: &Message| matches!(&message.body, Body::Append { commit: told, .. } if *told <= commit);
        while step.made.front().is_some_and(is_before) {
            let Some(message) = step.made.pop_front() else { break };
            // An append is never beyond the specification.
            let _ = self.sends(&step.now, step.node, &message);
        }
    }

    fn changes_role(&mut self, step: &mut Step, before: &Seen, after: &Seen, heard: bool) -> Result<(), Limit> {
        let (node, was, is) = (step.node, &before.shown, &after.shown);
        let unchanged = |shown: &Shown| Shown { last: was.last, commit: was.commit, ..shown.clone() };
        match is.role {
            Role::PreCandidate => return Err(Limit::PreVote(node)),
            Role::Follower if is.term > was.term && !heard => return Err(Limit::TermBySomethingElse(node)),
            Role::Follower if is.term > was.term || was.role != Role::Follower => {
                let vote = if is.term > was.term { None } else { was.vote };
                self.write(Line::new(Name::BecomeFollower, node, &Shown { vote, ..unchanged(is) }));
            }
            Role::Candidate if is.term > was.term => {
                if is.term.0 != was.term.0 + 1 {
                    return Err(Limit::TermBySomethingElse(node));
                }
                self.write(Line::new(Name::BecomeCandidate, node, &unchanged(is)));
            }
            Role::Leader if was.role != Role::Leader || was.term != is.term => {
                self.write(Line::new(Name::BecomeLeader, node, &unchanged(is)));
                self.pending.insert(node, was.last);
            }
            Role::Follower | Role::Candidate | Role::Leader => {}
        }
        Ok(())
    }

    /// A leader has appended: what it acknowledges to itself says so, also where its log is no longer for it.
    fn appends(&mut self, step: &mut Step, before: &Seen, after: &Seen, event: &Event) -> Result<(), Limit> {
        let acknowledges =
            |message: &Message| message.to == message.from && matches!(message.body, Body::AppendAccepted { .. });
        if !after.leads() || !step.made.iter().any(acknowledges) {
            return Ok(());
        }
        let first = before.shown.last.next().0.min(after.shown.last.0);
        for index in (first..=after.shown.last.0).map(Index) {
            let entry = EntryId::new(after.shown.term, index);
            let line = Line::new(Name::Replicate, step.node, &before.shown);
            match self.change_at(step.node, entry, after, event) {
                None => self.write(line),
                Some(change) => {
                    let Some(book) = self.books.get_mut(&step.node) else { continue };
                    if change.enters_joint().is_some() || before.is_joint {
                        return Err(Limit::OtherChange(step.node));
                    }
                    let (of, action) = self.changes.appended(step.node, before, entry, &change.changes, book)?;
                    self.pending.insert(step.node, index);
                    self.write(Line::new(Name::ChangeConf, step.node, &before.shown).with_change(of, action));
                }
            }
        }
        Ok(())
    }

    /// The change of the membership that an entry holds which a leader has just appended: as it is about to send it, or where it
    /// sends nobody anything, as it was proposed, unless another one is pending.
    fn change_at(&self, node: NodeId, entry: EntryId, after: &Seen, event: &Event) -> Option<raft::ConfChangeV2> {
        if let Some(entry) = after.about_to_send(entry.index, entry.term) {
            return entry.conf_change().ok()?.map(raft::ConfChange::into_v2);
        }
        let is_pending = self.pending.get(&node).is_some_and(|pending| *pending > after.applied);
        match event {
            Event::ProposeConfChange { change, .. } if !is_pending => Some(change.as_v2()),
            _ => None,
        }
    }

    fn applies_change(&mut self, node: NodeId, before: &Seen, after: &Seen) -> Result<(), Limit> {
        if let (Some(replica), Some(book)) = (self.world.replica(node), self.books.get_mut(&node)) {
            self.changes.applied(node, replica, after, book, before.leads())?;
        }
        let line = Line::new(Name::ApplyConfChange, node, &before.shown);
        self.write(line.with_new_voters(&after.shown.voters));
        Ok(())
    }

    fn sends(&mut self, now: &Shown, node: NodeId, message: &Message) -> Result<(), Limit> {
        if matches!(message.body, Body::InstallSnapshot { .. }) {
            return Err(Limit::Snapshot(node));
        }
        if let Some([name, _]) = Name::of(&message.body) {
            let refuses = self.is_refusal(message);
            self.write(Line::new(name, node, now).with_message(Said::new(message, refuses)));
        }
        Ok(())
    }

    /// Whether it answers a message of an earlier term. That acknowledges nothing, and the specification calls it a refusal.
    fn is_refusal(&self, message: &Message) -> bool {
        let Message { from, to, term, body } = message;
        *body == Body::AppendAccepted { index: Index::ZERO }
            && term.is_some_and(|term| self.refusals.contains(&(*from, *to, term)))
    }

    fn book(&mut self, node: NodeId, note: impl FnOnce(&mut Book)) {
        if let Some(book) = self.books.get_mut(&node) {
            note(book);
        }
    }

    fn write(&mut self, line: Line) {
        self.lines.push(Some(line));
    }
}

/// What a node does with an event.
struct Step {
    node: NodeId,
    /// What it would show of itself in the next line.
    now: Shown,
    /// The messages that it has made, and of which no line tells yet.
    made: std::collections::VecDeque<Message>,
}

/// Whether a node takes note of a message. One that does not, since it hears from a leader, might as well have been lost.
fn is_heard(message: &Message, before: Option<&Seen>, after: &Seen) -> bool {
    let was = before.map_or(Term::ZERO, |before| before.shown.term);
    Name::of(&message.body).is_some() && !(message.term > Some(was) && after.shown.term == was)
}
