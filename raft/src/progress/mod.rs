//! What a leader knows of a follower, and what that allows it to send.
//!
//! A leader finds where a follower's log agrees with its own by probing, one append at a time; then it replicates,
//! with many appends in flight; to a follower that is too far behind it sends a snapshot and waits. Raft paper,
//! sections 5.3 and 7; thesis, section 10.2.1. Upstream: etcd's package `tracker`.

mod inflights;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use inflights::InflightLimits;
pub use inflights::Inflights;
pub(crate) use table::ProgressTable;

use std::fmt;

use crate::planted::{Bug, planted};
use crate::types::Index;

/// What a leader knows of one follower: to be read, in [`RawNode::progress`](crate::RawNode::progress) and in a
/// [`Status`](crate::Status). Only the node changes it. Always `matched < next`.
///
/// ```
/// use raft::{ConfState, Config, Index, MemStorage, NodeId, ProgressState, RawNode};
///
/// let id = NodeId::new(1).unwrap();
/// let alone = ConfState { voters: [id].into(), ..ConfState::default() };
/// let mut node = RawNode::new(Config::recommended(id), MemStorage::with_conf_state(alone))?;
/// node.campaign();
/// while node.process_ready(|node, ready| node.storage_mut().write(ready))? {}
/// let own = &node.status().progress[&id];
/// assert_eq!((own.matched(), own.next()), (Index(1), Index(2)));
/// assert!(matches!(own.state(), ProgressState::Replicate { .. }));
/// assert_eq!(own.describe(false).to_string(), "StateReplicate match=1 next=2");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Progress {
    matched: Index,
    next: Index,
    sent_commit: Index,
    state: ProgressState,
    recent_active: bool,
    lacks_acknowledged: bool,
    lacks_snapshot: bool,
    limits: InflightLimits,
}

/// How a leader treats a follower. etcd has the same three ways; later versions may add fields to each.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ProgressState {
    /// It looks for the point where the logs agree, one append for each heartbeat.
    #[non_exhaustive]
    Probe {
        /// Whether an append is out.
        paused: bool,
    },
    /// It sends entries as they come, without waiting for answers.
    #[non_exhaustive]
    Replicate {
        /// What is out.
        inflights: Inflights,
        /// Whether the window was full at the last append. Only then are appends without entries held back as well.
        paused: bool,
    },
    /// It has sent a snapshot, and nothing more until that is answered.
    #[non_exhaustive]
    Snapshot {
        /// The last entry that the snapshot covers.
        pending: Index,
    },
}

impl Progress {
    /// A follower of whom nothing is known; the first probe carries the entry at `next`, which is at least 1.
    pub(crate) const fn new(next: Index, limits: InflightLimits) -> Self {
        Self {
            matched: Index::ZERO,
            next,
            sent_commit: Index::ZERO,
            state: ProgressState::Probe { paused: false },
            recent_active: false,
            lacks_acknowledged: false,
            lacks_snapshot: false,
            limits,
        }
    }

    /// A member that has just joined a leader whose log ends at `last`. It counts as heard from, or a leader that
    /// checks its quorum could step down before the newcomer had a chance to answer.
    pub(crate) fn joining(last: Index, limits: InflightLimits) -> Self {
        Self { recent_active: true, ..Self::new(last.max(Index(1)), limits) }
    }

    /// The last entry known to be in the follower's log as in the leader's.
    pub const fn matched(&self) -> Index {
        self.matched
    }

    /// The next entry to send; what lies between is in flight.
    pub const fn next(&self) -> Index {
        self.next
    }

    /// How the follower is treated.
    pub const fn state(&self) -> &ProgressState {
        &self.state
    }

    /// Whether the follower was heard from since this was last cleared.
    pub const fn recent_active(&self) -> bool {
        self.recent_active
    }

    /// Notes that the follower was heard from, or begins to wait for that again.
    pub(crate) fn set_recent_active(&mut self, active: bool) {
        self.recent_active = active;
    }

    /// Whether the follower lacks entries that it acknowledged to this leader: it refused an append that builds on the
    /// last one of them, and has acknowledged none since. It lost its disk, was put back from an old copy, or began
    /// with a log of another cluster. It is probed once for each heartbeat that it answers, and otherwise left alone:
    /// Raft relies on what was acknowledged, so an operator has to remove the member, and may then add it again.
    ///
    /// A refusal that was late on the way looks the same until the follower is heard from again.
    pub const fn lacks_acknowledged(&self) -> bool {
        self.lacks_acknowledged
    }

    /// Whether the refusal of an append after `rejected` contradicts what the follower acknowledged. An earlier refusal
    /// is just late: nothing is sent from before the last acknowledged entry.
    pub(crate) fn refuses_acknowledged(&self, rejected: Index) -> bool {
        match self.state {
            ProgressState::Probe { .. } => rejected == self.matched && self.next == self.matched.next(),
            ProgressState::Replicate { .. } => rejected == self.matched,
            ProgressState::Snapshot { .. } => false,
        }
    }

    /// Notes that a probe after the last acknowledged entry was refused. There is nowhere left to probe, so the next
    /// probe waits until a heartbeat is answered.
    pub(crate) fn note_lack(&mut self) {
        self.lacks_acknowledged = self.matched > Index::ZERO;
        self.pause_probe();
    }

    /// Whether the follower needs a snapshot that the storage did not have when the leader last wanted to send it one: there
    /// was none at all, or one that ends before the log begins. The follower cannot catch up before the application makes
    /// a newer one.
    pub const fn lacks_snapshot(&self) -> bool {
        self.lacks_snapshot
    }

    /// Notes whether the storage lacks the snapshot that the follower needs.
    pub(crate) fn set_lacks_snapshot(&mut self, lacks: bool) {
        self.lacks_snapshot = lacks;
    }

    /// Whether nothing may be sent but heartbeats.
    pub const fn is_paused(&self) -> bool {
        match &self.state {
            ProgressState::Probe { paused } | ProgressState::Replicate { paused, .. } => *paused,
            ProgressState::Snapshot { .. } => true,
        }
    }

    /// Whether no more entries may be sent until some are answered.
    pub fn inflights_full(&self) -> bool {
        match &self.state {
            ProgressState::Replicate { inflights, .. } => inflights.is_full(),
            ProgressState::Probe { .. } | ProgressState::Snapshot { .. } => false,
        }
    }

    /// The last entry that the snapshot on its way covers, if one is.
    pub const fn pending_snapshot(&self) -> Option<Index> {
        match &self.state {
            ProgressState::Snapshot { pending } => Some(*pending),
            ProgressState::Probe { .. } | ProgressState::Replicate { .. } => None,
        }
    }

    /// Allows one more append: a heartbeat was answered, so the follower is there. A snapshot is still waited for.
    pub(crate) fn resume(&mut self) {
        match &mut self.state {
            ProgressState::Probe { paused } | ProgressState::Replicate { paused, .. } => *paused = false,
            ProgressState::Snapshot { .. } => {}
        }
    }

    /// Sends no probe before the next heartbeat is answered. Does nothing outside of [`ProgressState::Probe`].
    pub(crate) fn pause_probe(&mut self) {
        match &mut self.state {
            ProgressState::Probe { paused } => *paused = true,
            ProgressState::Replicate { .. } | ProgressState::Snapshot { .. } => {}
        }
    }

    /// Makes this the progress of the leader itself, whose log ends at `last`.
    pub(crate) fn set_matched_self(&mut self, last: Index) {
        self.matched = last;
        self.next = last.next();
    }

    /// Begins to probe: after what is known to match, or after the snapshot that was sent if that is further.
    pub(crate) fn become_probe(&mut self) {
        self.probe_from(self.pending_snapshot().unwrap_or(Index::ZERO));
    }

    /// Begins to replicate, after what is known to match.
    pub(crate) fn become_replicate(&mut self) {
        self.lacks_snapshot = false;
        self.next = self.matched.next();
        self.state = ProgressState::Replicate { inflights: Inflights::new(self.limits), paused: false };
    }

    /// Waits for a snapshot that covers the log up to `pending`.
    pub(crate) fn become_snapshot(&mut self, pending: Index) {
        self.state = ProgressState::Snapshot { pending };
        self.next = pending.next();
        self.sent_commit = pending;
    }

    /// The host delivered the snapshot: probes after it once a heartbeat is answered. Returns whether one was waited
    /// for.
    pub(crate) fn snapshot_finished(&mut self) -> bool {
        let Some(pending) = self.pending_snapshot() else { return false };
        self.probe_from(pending);
        self.pause_probe();
        true
    }

    /// The host failed to deliver the snapshot: once a heartbeat is answered, probes where the snapshot was needed,
    /// which leads to another one. Returns whether one was waited for.
    pub(crate) fn snapshot_failed(&mut self) -> bool {
        if self.pending_snapshot().is_none() {
            return false;
        }
        self.probe_from(Index::ZERO);
        self.pause_probe();
        true
    }

    fn probe_from(&mut self, assumed: Index) {
        if planted(Bug::InflightsLeak)
            && let ProgressState::Replicate { inflights, .. } = &self.state
        {
            self.limits.bytes = self.limits.bytes.saturating_sub(inflights.bytes());
        }
        self.state = ProgressState::Probe { paused: false };
        self.next = self.matched.max(assumed).next();
        self.limit_sent_commit();
    }

    /// An append with this many entries from `next` on, holding this many payload bytes, was sent.
    ///
    /// # Panics
    /// If a snapshot is waited for, or entries are sent although the window is full: the caller's mistake.
    pub(crate) fn sent_entries(&mut self, count: u64, bytes: u64) {
        match &mut self.state {
            ProgressState::Probe { paused } => *paused |= count > 0,
            ProgressState::Replicate { inflights, paused } => {
                if count > 0 {
                    self.next = self.next.plus(count);
                    inflights.add(self.next.previous(), bytes);
                }
                *paused = inflights.is_full();
            }
            ProgressState::Snapshot { pending } => {
                panic!("{count} entries from {} sent while the snapshot at {pending} is pending", self.next)
            }
        }
    }

    /// The follower was told that everything up to here is committed.
    pub(crate) fn sent_commit(&mut self, commit: Index) {
        self.sent_commit = commit;
    }

    /// Whether telling the follower of this commit index can move its own one: it was not told yet, and what it was
    /// told lies within what was sent, beyond which it commits nothing.
    pub(crate) fn can_bump_commit(&self, commit: Index) -> bool {
        commit > self.sent_commit && self.sent_commit < self.next.previous()
    }

    /// Whether the window lets entries through, and there are any in a log that ends at `last`.
    pub(crate) fn can_take_entries(&self, last: Index) -> bool {
        self.next <= last && !self.inflights_full()
    }

    /// Whether the follower can take an append now that tells it anything.
    pub(crate) fn can_take_news(&self, last: Index, commit: Index) -> bool {
        !self.is_paused() && (self.can_take_entries(last) || self.can_bump_commit(commit))
    }

    /// The follower's log is like the leader's up to here. Returns whether that is news; old answers may come late.
    pub(crate) fn acknowledge(&mut self, index: Index) -> bool {
        self.lacks_acknowledged &= index < self.matched;
        if index <= self.matched {
            return false;
        }
        self.matched = index;
        self.next = self.next.max(index.next());
        self.resume();
        true
    }

    /// The follower refused the append after `rejected`; the leader guesses from its answer that the logs may agree at
    /// `hint`. Returns whether that is news, which allows the next probe to be sent; old answers may come late.
    ///
    /// While replicating, a refusal means that an append was lost: it falls back to probing after what matches.
    pub(crate) fn reject(&mut self, rejected: Index, hint: Index) -> bool {
        match self.state {
            ProgressState::Replicate { .. } => {
                if rejected <= self.matched {
                    return false;
                }
                self.become_probe();
            }
            ProgressState::Probe { .. } | ProgressState::Snapshot { .. } => {
                // Probes go out one at a time, so the answer to the last one names it.
                if rejected != self.next.previous() {
                    return false;
                }
                self.next = rejected.min(hint.next()).max(self.matched.next());
                self.limit_sent_commit();
                self.resume();
            }
        }
        true
    }

    /// What was told of the commit index beyond `next` may have been lost.
    fn limit_sent_commit(&mut self) {
        self.sent_commit = self.sent_commit.min(self.next.previous());
    }

    /// The follower answered the appends up to here. Does nothing outside of [`ProgressState::Replicate`].
    pub(crate) fn free_inflights_to(&mut self, index: Index) {
        match &mut self.state {
            ProgressState::Replicate { inflights, .. } => inflights.free_to(index),
            ProgressState::Probe { .. } | ProgressState::Snapshot { .. } => {}
        }
    }

    /// etcd's one-line form, such as `StateReplicate match=4 next=9 learner paused inactive inflight=2[full]`.
    /// `lacking`, which etcd does not have, says that the follower [lacks](Self::lacks_acknowledged) what it
    /// acknowledged. `learner` comes from the configuration, since a progress does not know it.
    pub fn describe(&self, learner: bool) -> impl fmt::Display + '_ {
        Description { progress: self, learner }
    }
}

/// etcd's name for it, such as `StateProbe`.
impl fmt::Display for ProgressState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Probe { .. } => "StateProbe",
            Self::Replicate { .. } => "StateReplicate",
            Self::Snapshot { .. } => "StateSnapshot",
        })
    }
}

struct Description<'a> {
    progress: &'a Progress,
    learner: bool,
}

impl fmt::Display for Description<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Progress { matched, next, state, .. } = self.progress;
        write!(f, "{state} match={matched} next={next}")?;
        if self.learner {
            f.write_str(" learner")?;
        }
        if self.progress.is_paused() {
            f.write_str(" paused")?;
        }
        if let Some(pending) = self.progress.pending_snapshot() {
            write!(f, " pendingSnap={pending}")?;
        }
        if !self.progress.recent_active {
            f.write_str(" inactive")?;
        }
        if self.progress.lacks_acknowledged {
            f.write_str(" lacking")?;
        }
        if let ProgressState::Replicate { inflights, .. } = state
            && inflights.count() > 0
        {
            let full = if inflights.is_full() { "[full]" } else { "" };
            write!(f, " inflight={}{full}", inflights.count())?;
        }
        Ok(())
    }
}
