//! The way in for messages: what is refused, what the term decides, and what takes the rest, kind by kind.

use bytes::Bytes;

use crate::error::{ReadError, StepError};
use crate::events::Event;
use crate::message::{Body, Message, Purpose};
use crate::planted::{Bug, planted};
use crate::storage::Storage;
use crate::types::{Index, NodeId, ReadState, Role, Term};

use super::Raft;
use super::election::Campaign;

/// What comparing a message's term with the node's own decides.
enum Gate {
    /// The message is handled by the role.
    Pass,
    /// The message is done with.
    Stop,
}

impl<S: Storage> Raft<S> {
    /// Takes a message from a peer.
    ///
    /// # Errors
    /// Refused messages leave the node as it was.
    pub(crate) fn step(&mut self, message: Message) -> Result<(), StepError> {
        let (from, kind) = (message.from, message.body.name());
        let taken = self.check_and_step(message);
        if let Err(reason) = &taken {
            self.tell(|_| Event::RefusesMessage { from, kind, reason });
        }
        taken
    }

    fn check_and_step(&mut self, message: Message) -> Result<(), StepError> {
        self.validate(&message)?;
        if message.body.is_response() && !self.configuration.contains(message.from) {
            return Err(StepError::PeerNotFound(message.from));
        }
        self.step_own(message)
    }

    /// Takes a message that needs no check: a peer's after its check, or one from this node to itself.
    pub(crate) fn step_own(&mut self, message: Message) -> Result<(), StepError> {
        match self.term_gate(&message) {
            Gate::Stop => Ok(()),
            Gate::Pass => self.dispatch(message),
        }
    }

    fn term_gate(&mut self, message: &Message) -> Gate {
        match message.term {
            None | Some(Term::ZERO) => Gate::Pass,
            Some(term) if term > self.term => self.higher_term(message, term),
            Some(term) if term < self.term => {
                if planted(Bug::StaleVoteRespCounted) && matches!(message.body, Body::VoteResponse { .. }) {
                    return Gate::Pass;
                }
                self.lower_term(message);
                Gate::Stop
            }
            Some(_) => Gate::Pass,
        }
    }

    fn higher_term(&mut self, message: &Message, term: Term) -> Gate {
        let purpose = message.body.purpose();
        let is_transfer = matches!(message.body, Body::RequestVote { transfer: true, .. });
        let disobeys_lease = planted(Bug::VoteInLease) && matches!(message.body, Body::RequestVote { .. });
        if purpose == Purpose::VoteRequest && !is_transfer && !disobeys_lease && self.in_lease() {
            // A node that heard from a leader within the minimum election timeout neither votes nor raises its term
            // (thesis, section 4.2.3).
            let kind = if matches!(message.body, Body::RequestVote { .. }) { "vote" } else { "pre-vote" };
            let (candidate, reason) = (message.from, "a leader was heard from lately");
            self.tell(|_| Event::AnswersCandidate { candidate, kind, asked: term, granted: false, reason });
            return Gate::Stop;
        }
        if planted(Bug::HeartbeatAnswerTermIgnored)
            && self.leader == Some(self.id())
            && answers_heartbeat(&message.body)
        {
            return Gate::Stop;
        }
        if !message.body.asks_about_term() {
            let leader = (purpose == Purpose::Replication).then_some(message.from);
            self.become_follower(term, leader);
        }
        Gate::Pass
    }

    /// Answers those messages of an earlier term that would otherwise be sent for ever; the rest is ignored.
    fn lower_term(&mut self, message: &Message) {
        match message.body {
            // With check-quorum or pre-vote a node with a higher term cannot force an election by asking for votes:
            // it is ignored. It tells the leader its term instead, which then steps down, and the node is back in.
            Body::Append { .. } | Body::Heartbeat { .. }
                if (self.config.check_quorum || self.config.pre_vote) && !planted(Bug::CheckquorumStuckPeer) =>
            {
                self.send_after_append(message.from, self.term, Body::AppendAccepted { index: Default::default() });
            }
            // A candidate whose term went up before pre-vote was switched on, with a shorter log, would keep the
            // cluster from electing anybody if its rivals were left without an answer.
            Body::RequestPreVote { .. } => {
                self.send_after_append(message.from, self.term, Body::PreVoteResponse { granted: false });
            }
            _ => {}
        }
    }

    /// Whether a leader's lease on this node holds (thesis, section 6.4.1).
    fn in_lease(&self) -> bool {
        self.config.check_quorum && self.leader.is_some() && self.election_elapsed < self.config.election_tick
    }

    /// Lists every body for its fields: a new one does not compile before it is said here what a node does with it.
    fn dispatch(&mut self, message: Message) -> Result<(), StepError> {
        let Message { from, to: _, term, body } = message;
        if !body.is_for(self.role()) {
            return Ok(());
        }
        if body.purpose() == Purpose::Replication {
            if planted(Bug::CandidateIgnoresLeader) && self.role() == Role::Candidate {
                return Ok(());
            }
            self.obey(from, term.unwrap_or(Term::ZERO));
        }
        match body {
            Body::Append { previous, entries, commit } => self.handle_append(from, previous, entries, commit),
            Body::Heartbeat { commit, context } => self.handle_heartbeat(from, commit, context),
            Body::InstallSnapshot { snapshot } => self.handle_snapshot(from, *snapshot),
            Body::AppendAccepted { index } => self.handle_append_accepted(from, index),
            Body::AppendRejected { index, hint } => self.handle_append_rejected(from, index, hint),
            Body::HeartbeatResponse { context } => self.handle_heartbeat_response(from, &context),
            Body::RequestPreVote { last } => self.answer_pre_vote(from, term.unwrap_or(self.term), last),
            Body::RequestVote { last, transfer: _ } => self.answer_vote(from, term.unwrap_or(self.term), last),
            Body::PreVoteResponse { granted } | Body::VoteResponse { granted } => self.count_vote(from, granted),
            Body::Propose { entries } => self.propose(Some(from), entries)?,
            Body::ReadIndex { context } => self.read_for(from, context)?,
            Body::TransferLeader => self.transfer_leadership(from),
            Body::ReadIndexResponse { index, context } => self.read_states.push(ReadState { index, context }),
            // The leader vouches for this node's log, so a pre-vote would find out nothing.
            Body::TimeoutNow => self.campaign_if_allowed(Campaign::Transfer),
        }
        Ok(())
    }

    /// Takes a read that a node forwarded.
    fn read_for(&mut self, from: NodeId, context: Bytes) -> Result<(), StepError> {
        match self.read_index(Some(from), context) {
            // Without a leader, the request is lost on its way, like any message.
            Ok(()) | Err(ReadError::NoLeader) => Ok(()),
            Err(
                error @ (ReadError::TooManyWaiting
                | ReadError::LeadershipChanged
                | ReadError::ContextInUse
                | ReadError::StorageFailed),
            ) => Err(error.into()),
        }
    }
}

/// Whether this may be the answer of a node in another term to a heartbeat.
const fn answers_heartbeat(body: &Body) -> bool {
    matches!(body, Body::HeartbeatResponse { .. } | Body::AppendAccepted { index: Index::ZERO })
}
