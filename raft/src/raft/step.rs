//! The way in for messages: what is refused, what the term decides, and which role's file takes the rest.

use crate::error::{ReadError, StepError};
use crate::events::Event;
use crate::message::{Body, Message};
use crate::planted::{Bug, planted};
use crate::storage::Storage;
use crate::types::{NodeId, Term};

use super::{Raft, RoleState};

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
        if message.body.asks_for_vote() && !message.body.is_transfer_vote() && self.in_lease() {
            // A node that heard from a leader within the minimum election timeout neither votes nor raises its term:
            // thesis, section 4.2.3.
            let kind = if matches!(message.body, Body::RequestVote { .. }) { "vote" } else { "pre-vote" };
            let (candidate, reason) = (message.from, "a leader was heard from lately");
            self.tell(|_| Event::AnswersCandidate { candidate, kind, asked: term, granted: false, reason });
            return Gate::Stop;
        }
        match message.body {
            // A pre-vote speaks of a term that nobody is in yet, and so does its grant.
            Body::RequestPreVote { .. } | Body::PreVoteResponse { granted: true } => {}
            Body::Append { .. } | Body::Heartbeat { .. } | Body::InstallSnapshot { .. } => {
                self.become_follower(term, Some(message.from));
            }
            Body::PreVoteResponse { granted: false }
            | Body::Propose { .. }
            | Body::AppendAccepted { .. }
            | Body::AppendRejected { .. }
            | Body::HeartbeatResponse { .. }
            | Body::RequestVote { .. }
            | Body::VoteResponse { .. }
            | Body::TransferLeader
            | Body::TimeoutNow
            | Body::ReadIndex { .. }
            | Body::ReadIndexResponse { .. } => self.become_follower(term, None),
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
            Body::Append { .. }
            | Body::Heartbeat { .. }
            | Body::Propose { .. }
            | Body::AppendAccepted { .. }
            | Body::AppendRejected { .. }
            | Body::HeartbeatResponse { .. }
            | Body::PreVoteResponse { .. }
            | Body::RequestVote { .. }
            | Body::VoteResponse { .. }
            | Body::InstallSnapshot { .. }
            | Body::TransferLeader
            | Body::TimeoutNow
            | Body::ReadIndex { .. }
            | Body::ReadIndexResponse { .. } => {}
        }
    }

    /// Whether a leader's lease on this node holds (thesis, section 6.4.1).
    fn in_lease(&self) -> bool {
        self.config.check_quorum && self.leader.is_some() && self.election_elapsed < self.config.election_tick
    }

    fn dispatch(&mut self, message: Message) -> Result<(), StepError> {
        let Message { from, to: _, term, body } = message;
        match body {
            Body::RequestVote { last, transfer: _ } => {
                self.answer_vote(from, term.unwrap_or(self.term), last);
                Ok(())
            }
            Body::RequestPreVote { last } => {
                self.answer_pre_vote(from, term.unwrap_or(self.term), last);
                Ok(())
            }
            Body::Propose { entries } => Ok(self.propose(Some(from), entries)?),
            Body::TransferLeader => {
                self.transfer_leadership(from);
                Ok(())
            }
            Body::ReadIndex { context } => {
                match self.read_index(Some(from), context) {
                    // Without a leader it is lost on its way, like any message.
                    Ok(()) | Err(ReadError::NoLeader) => Ok(()),
                    Err(
                        error @ (ReadError::TooManyWaiting
                        | ReadError::LeadershipChanged
                        | ReadError::ContextInUse
                        | ReadError::StorageFailed),
                    ) => Err(error.into()),
                }
            }
            other @ (Body::Append { .. }
            | Body::AppendAccepted { .. }
            | Body::AppendRejected { .. }
            | Body::Heartbeat { .. }
            | Body::HeartbeatResponse { .. }
            | Body::PreVoteResponse { .. }
            | Body::VoteResponse { .. }
            | Body::InstallSnapshot { .. }
            | Body::TimeoutNow
            | Body::ReadIndexResponse { .. }) => {
                self.dispatch_to_role(from, term.unwrap_or(Term::ZERO), other);
                Ok(())
            }
        }
    }

    fn dispatch_to_role(&mut self, from: NodeId, term: Term, body: Body) {
        match self.role {
            RoleState::Follower => self.step_follower(from, body),
            RoleState::PreCandidate(_) | RoleState::Candidate(_) => self.step_candidate(from, term, body),
            RoleState::Leader(_) => self.step_leader(from, body),
        }
    }
}

impl Body {
    const fn asks_for_vote(&self) -> bool {
        matches!(self, Self::RequestVote { .. } | Self::RequestPreVote { .. })
    }

    const fn is_transfer_vote(&self) -> bool {
        matches!(self, Self::RequestVote { transfer: true, .. })
    }
}
