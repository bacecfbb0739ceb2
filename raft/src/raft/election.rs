//! Elections: when a node campaigns, whom it asks, and whom it votes for.

use crate::events::Event;
use crate::message::Body;
use crate::planted::{Bug, planted};
use crate::storage::Storage;
use crate::types::{EntryId, Index, NodeId, Term};

use super::{Raft, RoleState};

/// Why and how a node campaigns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Campaign {
    /// It asks whether it could win.
    PreElection,
    /// It asks for votes.
    Election,
    /// It asks for votes because the leader told it to, which overrides leases.
    Transfer,
}

impl Campaign {
    /// Its name.
    const fn name(self) -> &'static str {
        match self {
            Self::PreElection => "pre-vote",
            Self::Election => "vote",
            Self::Transfer => "transfer",
        }
    }
}

impl<S: Storage> Raft<S> {
    /// Counts a tick towards the election timeout and campaigns when it is over.
    pub(super) fn tick_election(&mut self) {
        self.election_elapsed = self.election_elapsed.saturating_add(1);
        if self.promotable() && self.election_elapsed >= self.randomized_election_timeout {
            self.election_elapsed = 0;
            self.start_election();
        }
    }

    /// Campaigns as configured, unless there are reasons not to.
    pub(crate) fn start_election(&mut self) {
        let campaign = if self.config.pre_vote { Campaign::PreElection } else { Campaign::Election };
        self.campaign_if_allowed(campaign);
    }

    pub(super) fn campaign_if_allowed(&mut self, campaign: Campaign) {
        let leads = matches!(self.role, RoleState::Leader(_));
        let unapplied = self.has_unapplied_conf_change() && !planted(Bug::CampaignUnappliedConf);
        // A leader needs a term, and room for an entry of that term.
        let has_room = self.term < Term::MAX && self.log.last_index() < Index::MAX;
        if !leads && self.promotable() && has_room && !unapplied {
            self.campaign(campaign);
        } else {
            self.tell(|raft| Event::DoesNotCampaign {
                reason: match () {
                    () if leads => "it leads",
                    () if !raft.promotable() => "it is no voter, or a snapshot is being written",
                    () if unapplied => "a committed membership change is not applied yet",
                    () => "there is no room for another term or entry",
                },
            });
        }
    }

    /// A node that has not applied a committed change would count votes by an old membership, whose majorities may
    /// miss those of the newest one: etcd issue 7625.
    fn has_unapplied_conf_change(&self) -> bool {
        self.log.applied() < self.log.committed()
            && self.log.has_conf_change_in(self.log.applied().next(), self.log.committed().next())
    }

    pub(super) fn campaign(&mut self, campaign: Campaign) {
        let term = match campaign {
            Campaign::PreElection => {
                self.become_pre_candidate();
                self.term.next()
            }
            Campaign::Election | Campaign::Transfer => {
                self.become_candidate();
                self.term
            }
        };
        let last = match planted(Bug::VoteComparesCommit) {
            false => self.log.last_id(),
            true => EntryId::new(self.log.term_or_zero(self.log.committed()), self.log.committed()),
        };
        self.tell(|_| Event::Campaigns { kind: campaign.name(), asked: term, last });
        let voters: Vec<NodeId> = self.configuration.voters().ids().collect();
        for voter in voters {
            if voter == self.id() {
                // The node's own vote counts once it is durable, like any other.
                self.send_after_append(voter, term, vote_response(campaign, true));
            } else {
                self.send_with_term(voter, Some(term), vote_request(campaign, last));
            }
        }
        if planted(Bug::SelfVoteBeforeDurable) && matches!(self.role, RoleState::Candidate(_)) {
            self.count_vote(self.id(), true);
        }
    }

    /// RequestVote (Raft paper, figure 2). A learner votes too: it may be a voter that has not heard of its promotion,
    /// and the candidate may need it.
    pub(super) fn answer_vote(&mut self, from: NodeId, term: Term, last: EntryId) {
        let may_vote =
            self.vote == Some(from) || (self.vote.is_none() && self.leader.is_none()) || planted(Bug::VoteDoubleGrant);
        let granted = may_vote
            && self.is_up_to_date(last)
            && !(planted(Bug::LearnerRefusesVote) && self.configuration.is_learner(self.id()));
        self.tell(|raft| raft.answers(from, Campaign::Election, term, granted));
        if granted {
            self.election_elapsed = 0;
            self.vote = Some(from);
        }
        let term = if granted { term } else { self.term };
        self.send_after_append(from, term, Body::VoteResponse { granted });
    }

    /// The same for a pre-vote, whose term nobody is in yet. Nothing is promised, so it may be granted to any number of
    /// candidates. The grant carries the term asked about: the candidate is in an earlier one, and would ignore an
    /// answer of a still lower term.
    pub(super) fn answer_pre_vote(&mut self, from: NodeId, term: Term, last: EntryId) {
        let may_vote = self.vote == Some(from) || (self.vote.is_none() && self.leader.is_none()) || term > self.term;
        let granted = may_vote && self.is_up_to_date(last);
        self.tell(|raft| raft.answers(from, Campaign::PreElection, term, granted));
        let term = if granted && !planted(Bug::PrevoteTermWedge) { term } else { self.term };
        self.send_after_append(from, term, Body::PreVoteResponse { granted });
    }

    /// The event that tells of an answer to a candidate, before the node takes note of its vote.
    fn answers(&self, candidate: NodeId, campaign: Campaign, asked: Term, granted: bool) -> Event<'_> {
        let is_free = matches!(campaign, Campaign::PreElection) && asked > self.term;
        let reason = match (granted, self.vote, self.leader) {
            (true, Some(vote), _) if vote == candidate => "it has this vote already",
            (true, ..) => "its log is up to date",
            (false, Some(vote), _) if vote != candidate && !is_free => "another node has this vote",
            (false, None, Some(_)) if !is_free => "there is a leader",
            (false, ..) => "its log is behind",
        };
        Event::AnswersCandidate { candidate, kind: campaign.name(), asked, granted, reason }
    }

    /// Whether a log that ends with `last` holds all that may be committed, as far as this node can know (Raft paper,
    /// section 5.4.1).
    fn is_up_to_date(&self, last: EntryId) -> bool {
        match planted(Bug::VoteComparesCommit) {
            false => self.log.is_up_to_date(last),
            true => last.index >= self.log.committed(),
        }
    }
}

fn vote_request(campaign: Campaign, last: EntryId) -> Body {
    match campaign {
        Campaign::PreElection => Body::RequestPreVote { last },
        Campaign::Election => Body::RequestVote { last, transfer: false },
        Campaign::Transfer => Body::RequestVote { last, transfer: true },
    }
}

fn vote_response(campaign: Campaign, granted: bool) -> Body {
    match campaign {
        Campaign::PreElection => Body::PreVoteResponse { granted },
        Campaign::Election | Campaign::Transfer => Body::VoteResponse { granted },
    }
}
