//! What a follower does with messages (Raft paper, figure 2, "Rules for Servers: Followers").

use crate::events::Event;
use crate::message::Body;
use crate::planted::{Bug, planted};
use crate::snapshot::Snapshot;
use crate::storage::Storage;
use crate::types::{Entry, EntryId, Index, NodeId, Term};

use super::{Raft, RoleState};

impl<S: Storage> Raft<S> {
    /// Takes note that `leader` leads this term. A candidate gives up its campaign, since somebody leads the term in
    /// which it campaigns. `term` is the node's own term, unless the message had none.
    pub(super) fn obey(&mut self, leader: NodeId, term: Term) {
        match self.role {
            RoleState::Follower => self.heard_from_leader(leader),
            RoleState::PreCandidate(_) | RoleState::Candidate(_) => self.become_follower(term, Some(leader)),
            RoleState::Leader(_) => {}
        }
    }

    fn heard_from_leader(&mut self, leader: NodeId) {
        self.tell(|raft| (raft.leader != Some(leader)).then_some(Event::Follows { leader }));
        self.election_elapsed = 0;
        self.leader = Some(leader);
    }

    /// AppendEntries (Raft paper, figure 2).
    pub(super) fn handle_append(&mut self, from: NodeId, previous: EntryId, entries: Vec<Entry>, commit: Index) {
        let committed = self.log.committed();
        let answer = if previous.index < committed {
            // An old append. What is committed cannot differ from the leader's log, so it is acknowledged at once.
            Body::AppendAccepted { index: committed }
        } else {
            match self.log.maybe_append(previous, commit, entries) {
                Some(_) if planted(Bug::AckLastIndex) => Body::AppendAccepted { index: self.log.last_index() },
                Some(index) => Body::AppendAccepted { index },
                None => self.rejection(from, previous),
            }
        };
        self.send_after_append(from, self.term, answer);
    }

    /// Tells the leader where the logs may match: beyond the hint every entry here has a higher term than the entry
    /// that the append builds on, so none of them can be the leader's (Raft paper, end of section 5.3).
    fn rejection(&self, leader: NodeId, previous: EntryId) -> Body {
        let nearest = previous.index.min(self.log.last_index());
        let hint = self.log.find_conflict_by_term(nearest, previous.term);
        self.tell(|_| Event::RejectsAppend { leader, previous, hint });
        Body::AppendRejected { index: previous.index, hint }
    }

    pub(super) fn handle_heartbeat(&mut self, from: NodeId, commit: Index, context: bytes::Bytes) {
        self.log.commit_to(commit);
        self.send(from, Body::HeartbeatResponse { context });
    }

    /// InstallSnapshot (Raft paper, figure 13). One that brings nothing new is answered with what is committed.
    pub(super) fn handle_snapshot(&mut self, from: NodeId, snapshot: Snapshot) {
        let id = snapshot.id;
        let restored = self.restore(snapshot);
        self.tell(|raft| raft.received_snapshot(from, id, restored));
        let index = if restored { self.log.last_index() } else { self.log.committed() };
        self.send_after_append(from, self.term, Body::AppendAccepted { index });
    }

    fn received_snapshot(&self, leader: NodeId, snapshot: EntryId, restored: bool) -> Event<'_> {
        if restored {
            Event::TakesUpSnapshot { leader, snapshot, members: &self.configuration }
        } else {
            Event::IgnoresSnapshot { leader, snapshot, committed: self.log.committed() }
        }
    }
}
