//! The properties that must hold whatever happens, checked while it happens.
//!
//! [`Checkers`] is the only door: the world tells it what each node did, in the order in which it happened, and gets the
//! first [`Violation`] back. It never looks into a node; it keeps a picture of its own of what each node said, promised
//! and made durable, and finds the contradictions. It draws nothing, counts nothing that is printed, and changes
//! nothing, so that a run with checks has the digest of the run without.
//!
//! | property | file | source | known bugs that break it |
//! |---|---|---|---|
//! | election safety, leader is voter | `election_safety` | paper, figure 3 | votes counted twice, early, of another term or by the wrong quorum; learners that campaign |
//! | with pre-vote, no candidacy without a quorum's pre-votes | `pre_vote` | thesis, 9.6 | grants that are kept from an earlier campaign |
//! | a vote once per term | `vote_once` | paper, figure 2 | double grants, a vote lost in a restart |
//! | log matching | `log_matching` | paper, figure 3 | late appends that truncate, entries without their predecessors |
//! | the log as handed out | `handed_out_log` | paper, figure 3 | late storage responses (ABA), snapshots that keep a tail |
//! | leader append-only | `leader_append_only` | paper, figure 3 | a leader that truncates |
//! | leader completeness | `leader_completeness` | paper, figure 3 | up-to-date checks that compare the wrong thing, appends that cut off what was acknowledged, commits that lacked a quorum |
//! | state-machine safety | `state_machine_safety` | paper, figure 3 | commits of a divergent tail, applied entries that were skipped or doubled |
//! | commit quorum | `commit_quorum` | paper, 5.4.2; thesis, 4.3 | commit by counting earlier terms, learners, the union of joint halves, unsynced entries |
//! | durable before send | `durability` | paper, figure 2 | missed syncs, early acknowledgements, acknowledgements of too much |
//! | recovery of what was durable | `recovery` | paper, figure 2 | votes and entries lost in a restart, logs compacted too early |
//! | configuration agreement | `configuration` | thesis, 4.1 and 4.3 | changes that come to something else, snapshots with the wrong membership |
//! | one change at a time | `successive_changes` | thesis, 4.1 and 4.3 | two changes at once, campaigns before a change is applied |
//! | progress of members only | `progress_members` | thesis, 4.1 and 4.2.1 | members that a change does not add or remove everywhere |
//! | a removed leader leaves | `leader_leaves` | thesis, 4.2.2 | leaders that take proposals, or stay, after they are removed |
//! | terms are a clock | `term_gate` | paper, 5.1 | responses of earlier terms that count, later terms that are ignored |
//! | monotonic | `monotonic` | paper, figure 2 | commit or match that is assigned, not raised |
//! | linearizable read | `linearizable_read` | thesis, 6.4 | reads before the first own commit, leases without check-quorum |
//! | exactly once | `exactly_once` | thesis, 6.3 | an applied index stored apart from the state |
//! | election timeout | `election_timeout` | paper, 5.2; thesis, 3.4, 4.2.3 and 6.2 | heartbeats that do not count, votes against a lease, leaders that half a joint configuration keeps |
//! | heartbeats | `heartbeats` | paper, 5.2 | members that are left out, leaders that keep silent while they hand over |
//! | a transfer ends | `transfer_ends` | thesis, 3.10 | transfers that are never given up |
//! | bounded memory | `bounded_memory` | thesis, 10.2.1 | windows whose bytes are not reset, uncounted proposals |
//! | flow control | `flow_control` | thesis, 10.2.1 | probes without answers, snapshots that are not waited for |
//! | applying quota | `applying_quota` | etcd's `MaxCommittedSizePerReady` | pages without limit, quotas that forget what is not applied |
//! | message economy | `message_economy` | thesis, 10.2.1 | refusals that are answered with the same append for ever, answers that nobody asked for |
//! | rules of the run loop | `run_loop` | etcd's `node.run` | proposals without a leader, a second Ready, queues without bound |
//!
//! Costs are in proportion to what a call brings: nothing but the restart of a node looks at a whole log. What is kept
//! reaches back to where every running node has compacted its log, and over a fixed number of terms, votes, reads and
//! configurations.

mod applying_quota;
mod arrivals;
mod bounded_memory;
mod checkers;
mod cluster;
mod commit_quorum;
mod configuration;
mod durability;
mod election_safety;
mod election_timeout;
mod exactly_once;
mod flow_control;
mod handed_out_log;
mod heartbeats;
mod input;
mod leader_append_only;
mod leader_completeness;
mod leader_leaves;
mod linearizable_read;
mod log_matching;
mod log_shape;
mod message_economy;
mod monotonic;
mod next_configuration;
mod pre_vote;
mod progress_members;
mod quorum;
mod recovery;
mod run_loop;
mod specification;
mod state_machine_safety;
mod successive_changes;
mod term_gate;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod texts;
mod transfer_ends;
mod user_defined;
mod violation;
mod vote_once;
mod watched;
pub(crate) mod words;

pub use arrivals::{Arrivals, Disorder};
pub use checkers::Checkers;
pub use input::{LoopView, ProgressState, ProgressView, Recovered, View};
pub use progress_members::Tracked;
pub use user_defined::{About, UserDefined};
pub use violation::{Check, Invariant, Violation};
