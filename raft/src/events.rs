//! What a node tells about what it does: with the feature `tracing`, events of the crate of that name.
//!
//! Off, which is the default, nothing of it is compiled. On, an event costs what `tracing` costs: next to nothing while
//! nobody listens. Either way the node behaves the same; nothing that it decides depends on who listens.
//!
//! All events have the target `raft`, and the fields `node` and `term`: who tells, and its term at that moment. Nodes are
//! hexadecimal numbers, entries are `term/index`.
//!
//! | event | level | more fields |
//! |-------|-------|-------------|
//! | `campaigns` | info | `kind` (`pre-vote`, `vote`, or `transfer`), `asked` (the term), `last` (its last entry) |
//! | `does not campaign` | debug | `reason` |
//! | `answers a candidate` | info | `candidate`, `kind` (`pre-vote` or `vote`), `asked`, `granted`, `reason` |
//! | `leads` | info | `last` |
//! | `follows` | info | `leader` |
//! | `steps down` | info | `role` (that it had), `reason`, `new_term` |
//! | `rejects an append` | debug | `leader`, `previous` (the entry that is missing), `hint` |
//! | `an append was rejected` | debug | `follower`, `rejected` (an index), `hint`, `next` (the index tried next) |
//! | `a follower lacks what it acknowledged` | warn | `follower`, `acknowledged` |
//! | `sends a snapshot` | info | `follower`, `snapshot` (the last entry in it) |
//! | `has no snapshot that a follower needs` | warn | `follower`, `next` (the index that the follower needs) |
//! | `takes up a snapshot` | info | `leader`, `snapshot`, `members` |
//! | `ignores a snapshot` | debug | `leader`, `snapshot`, `committed` |
//! | `changes the membership` | info | `members` |
//! | `refuses a membership change` | warn | `index`, `reason` |
//! | `drops a proposal` | debug | `reason` |
//! | `refuses a message` | warn where it is [malformed](crate::Malformed), else debug | `from`, `kind` (etcd's name), `reason` |
//!
//! The names and fields are for people and their dashboards: they may change with a minor version.
//!
//! # Example
//! `raft = { …, features = ["tracing"] }`, and in the host, here with the crate `tracing-subscriber`:
//!
//! ```ignore
//! tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).init();
//! ```
//!
//! Each node of a cluster then tells how it came to its leader:
//!
//! ```text
//! INFO raft: campaigns node=1 term=0 kind="pre-vote" asked=1 last=0/0
//! INFO raft: answers a candidate node=2 term=0 candidate=1 kind="pre-vote" asked=1 granted=true reason="its log is up to date"
//! INFO raft: campaigns node=1 term=1 kind="vote" asked=1 last=0/0
//! INFO raft: answers a candidate node=2 term=1 candidate=1 kind="vote" asked=1 granted=true reason="its log is up to date"
//! INFO raft: leads node=1 term=1 last=1/1
//! INFO raft: follows node=2 term=1 leader=1
//! ```

#![cfg_attr(not(feature = "tracing"), allow(dead_code, reason = "nobody is told"))]

use crate::error::{ProposeError, StepError};
use crate::membership::Configuration;
use crate::types::{EntryId, Index, NodeId, Role, Term};

/// Something that a node did, or would not do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event<'a> {
    Campaigns { kind: &'static str, asked: Term, last: EntryId },
    DoesNotCampaign { reason: &'static str },
    AnswersCandidate { candidate: NodeId, kind: &'static str, asked: Term, granted: bool, reason: &'static str },
    Leads { last: EntryId },
    Follows { leader: NodeId },
    StepsDown { role: Role, reason: &'static str, new_term: Term },
    RejectsAppend { leader: NodeId, previous: EntryId, hint: EntryId },
    AppendWasRejected { follower: NodeId, rejected: Index, hint: EntryId, next: Index },
    FollowerLacksAcknowledged { follower: NodeId, acknowledged: Index },
    SendsSnapshot { follower: NodeId, snapshot: EntryId },
    HasNoSnapshot { follower: NodeId, next: Index },
    TakesUpSnapshot { leader: NodeId, snapshot: EntryId, members: &'a Configuration },
    IgnoresSnapshot { leader: NodeId, snapshot: EntryId, committed: Index },
    ChangesMembership { members: &'a Configuration },
    RefusesMembershipChange { index: Index, reason: &'static str },
    DropsProposal { reason: &'a ProposeError },
    RefusesMessage { from: NodeId, kind: &'static str, reason: &'a StepError },
}

impl Event<'_> {
    /// Hands it to whoever listens.
    #[cfg(feature = "tracing")]
    pub(crate) fn tell(self, node: NodeId, term: Term) {
        /// One event; its fields print as they do everywhere.
        macro_rules! tell {
            ($level:ident, $name:literal, $($fields:tt)*) => {
                tracing::event!(target: "raft", tracing::Level::$level, %node, %term, $($fields)*, $name)
            };
        }
        match self {
            Self::Campaigns { kind, asked, last } => tell!(INFO, "campaigns", kind, %asked, %last),
            Self::DoesNotCampaign { reason } => tell!(DEBUG, "does not campaign", reason),
            Self::AnswersCandidate { candidate, kind, asked, granted, reason } => {
                tell!(INFO, "answers a candidate", %candidate, kind, %asked, granted, reason)
            }
            Self::Leads { last } => tell!(INFO, "leads", %last),
            Self::Follows { leader } => tell!(INFO, "follows", %leader),
            Self::StepsDown { role, reason, new_term } => tell!(INFO, "steps down", %role, reason, %new_term),
            Self::RejectsAppend { leader, previous, hint } => {
                tell!(DEBUG, "rejects an append", %leader, %previous, %hint)
            }
            Self::AppendWasRejected { follower, rejected, hint, next } => {
                tell!(DEBUG, "an append was rejected", %follower, %rejected, %hint, %next)
            }
            Self::FollowerLacksAcknowledged { follower, acknowledged } => {
                tell!(WARN, "a follower lacks what it acknowledged", %follower, %acknowledged)
            }
            Self::SendsSnapshot { follower, snapshot } => tell!(INFO, "sends a snapshot", %follower, %snapshot),
            Self::HasNoSnapshot { follower, next } => {
                tell!(WARN, "has no snapshot that a follower needs", %follower, %next)
            }
            Self::TakesUpSnapshot { leader, snapshot, members } => {
                tell!(INFO, "takes up a snapshot", %leader, %snapshot, %members)
            }
            Self::IgnoresSnapshot { leader, snapshot, committed } => {
                tell!(DEBUG, "ignores a snapshot", %leader, %snapshot, %committed)
            }
            Self::ChangesMembership { members } => tell!(INFO, "changes the membership", %members),
            Self::RefusesMembershipChange { index, reason } => {
                tell!(WARN, "refuses a membership change", %index, reason)
            }
            Self::DropsProposal { reason } => tell!(DEBUG, "drops a proposal", %reason),
            Self::RefusesMessage { from, kind, reason: reason @ StepError::Malformed(_) } => {
                tell!(WARN, "refuses a message", %from, kind, %reason)
            }
            Self::RefusesMessage { from, kind, reason } => tell!(DEBUG, "refuses a message", %from, kind, %reason),
        }
    }
}
