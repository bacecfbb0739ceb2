//! Progress against a model that keeps everything in plain fields, and its readable cases in tables.

use proptest::prelude::*;

use super::*;

const LIMITS: InflightLimits = InflightLimits { messages: 3, bytes: 40 };

/// Acknowledged up to `matched`, then asked to send from `next` on.
fn probing(matched: u64, next: u64) -> Progress {
    let mut progress = Progress::new(Index(next), LIMITS);
    progress.acknowledge(Index(matched));
    progress
}

fn replicating(matched: u64) -> Progress {
    let mut progress = probing(matched, matched + 1);
    progress.become_replicate();
    progress
}

fn awaiting_snapshot(matched: u64, pending: u64) -> Progress {
    let mut progress = probing(matched, matched + 1);
    progress.become_snapshot(Index(pending));
    progress
}

fn shown(progress: &Progress) -> String {
    progress.describe(false).to_string()
}

#[test]
fn a_follower_is_described_by_the_words_that_hold() {
    let mut full = replicating(4);
    for count in [1, 1, 1] {
        full.sent_entries(count, 1);
    }
    let mut busy = replicating(4);
    busy.sent_entries(2, 1);
    busy.set_recent_active(true);
    let mut probed = probing(0, 11);
    probed.sent_entries(1, 1);
    let table = [
        (&Progress::joining(Index(6), LIMITS), false, "StateProbe match=0 next=6"),
        (&Progress::joining(Index::ZERO, LIMITS), true, "StateProbe match=0 next=1 learner"),
        (&probed, false, "StateProbe match=0 next=11 paused inactive"),
        (&busy, false, "StateReplicate match=4 next=7 inflight=1"),
        (&replicating(4), false, "StateReplicate match=4 next=5 inactive"),
        (&full, true, "StateReplicate match=4 next=8 learner paused inactive inflight=3[full]"),
        (&awaiting_snapshot(2, 5), false, "StateSnapshot match=2 next=6 paused pendingSnap=5 inactive"),
    ];
    for (progress, learner, expected) in table {
        assert_eq!(progress.describe(learner).to_string(), expected);
    }
}

#[test]
fn a_follower_is_active_since_it_was_heard_from_or_has_joined() {
    assert!(Progress::joining(Index(6), LIMITS).recent_active());
    let mut progress = Progress::new(Index(6), LIMITS);
    assert!(!progress.recent_active());
    progress.set_recent_active(true);
    assert!(progress.recent_active());
    progress.set_recent_active(false);
    assert!(!progress.recent_active());
}

#[test]
fn a_probe_is_sent_once_and_again_after_a_sign_of_life() {
    let mut progress = probing(0, 5);
    progress.sent_entries(0, 0);
    assert!(!progress.is_paused(), "an append without entries holds no probe back");
    progress.sent_entries(1, 10);
    assert!(progress.is_paused());
    assert_eq!(progress.next(), Index(5), "a probe moves nothing");
    progress.sent_entries(0, 0);
    assert!(progress.is_paused(), "an append without entries frees no probe either");
    progress.resume();
    assert!(!progress.is_paused());
    progress.pause_probe();
    assert!(progress.is_paused());
    assert!(progress.acknowledge(Index(5)));
    assert!(!progress.is_paused());
}

#[test]
fn replication_goes_on_until_the_window_is_full() {
    let mut progress = replicating(4);
    progress.sent_entries(2, 15);
    progress.sent_entries(1, 15);
    assert!(!progress.inflights_full() && !progress.is_paused());
    progress.sent_entries(1, 15);
    assert!(progress.inflights_full() && progress.is_paused());
    assert_eq!(progress.next(), Index(9));

    progress.resume();
    assert!(progress.inflights_full() && !progress.is_paused(), "an append without entries may go out");
    progress.sent_entries(0, 0);
    assert!(progress.is_paused());

    progress.free_inflights_to(Index(6));
    assert!(!progress.inflights_full());
    progress.pause_probe();
    progress.sent_entries(0, 0);
    assert!(!progress.is_paused(), "there is room again");
}

#[test]
fn refusals_move_back_only_when_they_answer_the_last_append() {
    let table = [
        // state, rejected, hint, is it news, the next entry
        (probing(0, 10), 9, 9, true, 9),
        (probing(0, 10), 9, 4, true, 5),
        (probing(0, 10), 9, 0, true, 1),
        (probing(0, 10), 8, 4, false, 10),
        (probing(0, 10), 10, 4, false, 10),
        (probing(3, 10), 9, 1, true, 4),
        (probing(0, 1), 0, 0, true, 1),
        (awaiting_snapshot(2, 9), 9, 4, true, 5),
        (awaiting_snapshot(2, 9), 8, 4, false, 10),
    ];
    for (mut progress, rejected, hint, news, next) in table {
        let before = shown(&progress);
        progress.pause_probe();
        assert_eq!(progress.reject(Index(rejected), Index(hint)), news, "{before} rejects {rejected}");
        assert_eq!(progress.next(), Index(next), "{before} rejects {rejected}");
        let waits = progress.pending_snapshot().is_some();
        assert_eq!(progress.is_paused(), !news || waits, "{before} rejects {rejected}");
    }
}

#[test]
fn a_refusal_of_the_last_acknowledged_entry_tells_that_the_follower_lacks_it() {
    let table = [
        // state, rejected, whether it contradicts what was acknowledged
        (probing(4, 5), 4, true),
        (probing(4, 5), 3, false),
        (probing(4, 9), 4, false),
        (probing(4, 9), 8, false),
        (replicating(4), 4, true),
        (replicating(4), 3, false),
        (replicating(4), 5, false),
        (awaiting_snapshot(4, 9), 4, false),
    ];
    for (progress, rejected, contradicts) in table {
        let shown = shown(&progress);
        assert_eq!(progress.refuses_acknowledged(Index(rejected)), contradicts, "{shown} rejects {rejected}");
    }

    let mut progress = probing(4, 5);
    progress.note_lack();
    assert_eq!(shown(&progress), "StateProbe match=4 next=5 paused inactive lacking");
    progress.acknowledge(Index(3));
    progress.resume();
    assert!(progress.lacks_acknowledged(), "an older acknowledgement says nothing, nor does an answered heartbeat");
    progress.acknowledge(Index(4));
    assert!(!progress.lacks_acknowledged());

    let mut unknown = probing(0, 1);
    unknown.note_lack();
    assert!(unknown.is_paused() && !unknown.lacks_acknowledged(), "it acknowledged nothing");
}

#[test]
fn a_refusal_while_replicating_falls_back_to_probing_behind_what_matches() {
    for (rejected, news) in [(3, false), (5, false), (6, true), (7, true), (9, true)] {
        let mut progress = replicating(5);
        progress.sent_entries(3, 15);
        assert_eq!(progress.reject(Index(rejected), Index(1)), news);
        let expected = match news {
            true => "StateProbe match=5 next=6 inactive",
            false => "StateReplicate match=5 next=9 inactive inflight=1",
        };
        assert_eq!(shown(&progress), expected, "rejects {rejected}");
    }
}

#[test]
fn a_delivered_snapshot_is_probed_behind_and_a_failed_one_before() {
    let mut delivered = awaiting_snapshot(2, 9);
    assert!(delivered.snapshot_finished());
    assert_eq!(shown(&delivered), "StateProbe match=2 next=10 paused inactive");
    assert!(!delivered.snapshot_finished() && !delivered.snapshot_failed());
    assert_eq!(shown(&delivered), "StateProbe match=2 next=10 paused inactive");

    let mut failed = awaiting_snapshot(2, 9);
    assert!(failed.snapshot_failed());
    assert_eq!(shown(&failed), "StateProbe match=2 next=3 paused inactive");

    let mut overtaken = awaiting_snapshot(2, 9);
    assert!(overtaken.acknowledge(Index(12)));
    overtaken.become_probe();
    assert_eq!(shown(&overtaken), "StateProbe match=12 next=13 inactive");
}

#[test]
fn the_commit_index_is_worth_telling_once_and_where_entries_are_on_their_way() {
    let mut progress = replicating(4);
    assert!(progress.can_bump_commit(Index(1)), "nothing was told yet");
    progress.sent_commit(Index(4));
    assert!(!progress.can_bump_commit(Index(5)), "5 was not sent");
    progress.sent_entries(2, 1);
    assert!(progress.can_bump_commit(Index(5)));
    assert!(!progress.can_bump_commit(Index(4)), "told already");
    progress.sent_commit(Index(9));
    assert!(!progress.can_bump_commit(Index(10)), "told beyond what was sent");
    progress.become_probe();
    progress.become_replicate();
    progress.sent_entries(2, 1);
    assert!(progress.can_bump_commit(Index(5)), "what was told beyond 4 may be lost with its append");
}

#[test]
fn the_leader_matches_itself() {
    let mut own = Progress::new(Index(1), LIMITS);
    own.set_matched_self(Index(7));
    own.become_replicate();
    assert_eq!((own.matched(), own.next()), (Index(7), Index(8)));
}

#[test]
#[should_panic(expected = "1 entries from 10 sent while the snapshot at 9 is pending")]
fn nothing_is_sent_while_a_snapshot_is_pending() {
    awaiting_snapshot(2, 9).sent_entries(1, 1);
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Probe,
    Replicate,
    Snapshot,
}

/// The documented transitions over plain numbers: everything is always there, and means something in some phases.
#[derive(Clone, Debug)]
struct Model {
    phase: Phase,
    matched: u64,
    next: u64,
    commit: u64,
    paused: bool,
    pending: u64,
    flight: Vec<(u64, u64)>,
}

impl Model {
    fn enter(&mut self, phase: Phase, next: u64) {
        self.phase = phase;
        self.next = next;
        self.paused = false;
        self.pending = 0;
        self.flight.clear();
    }

    fn forget_commit_beyond_next(&mut self) {
        self.commit = self.commit.min(self.next - 1);
    }

    fn probe(&mut self) {
        self.enter(Phase::Probe, self.matched.max(self.pending) + 1);
        self.forget_commit_beyond_next();
    }

    fn full(&self) -> bool {
        let bytes: u64 = self.flight.iter().map(|(_, bytes)| bytes).sum();
        self.phase == Phase::Replicate && (self.flight.len() >= LIMITS.messages || bytes >= LIMITS.bytes)
    }

    fn can_send(&self, count: u64) -> bool {
        self.phase != Phase::Snapshot && (count == 0 || !self.full())
    }

    fn send(&mut self, count: u64, bytes: u64) {
        if self.phase == Phase::Replicate {
            if count > 0 {
                self.next += count;
                self.flight.push((self.next - 1, bytes));
            }
            self.paused = self.full();
        } else if count > 0 {
            self.paused = true;
        }
    }

    fn acknowledge(&mut self, index: u64) -> bool {
        let news = index > self.matched;
        if news {
            self.matched = index;
            self.next = self.next.max(index + 1);
            self.paused = false;
        }
        news
    }

    fn reject(&mut self, rejected: u64, hint: u64) -> bool {
        let news = match self.phase {
            Phase::Replicate => rejected > self.matched,
            Phase::Probe | Phase::Snapshot => rejected + 1 == self.next,
        };
        if news && self.phase == Phase::Replicate {
            self.probe();
        } else if news {
            self.next = (self.matched + 1).max(rejected.min(hint + 1));
            self.forget_commit_beyond_next();
            self.paused = false;
        }
        news
    }

    fn snapshot_done(&mut self, delivered: bool) -> bool {
        let waited = self.phase == Phase::Snapshot;
        if waited {
            self.pending = if delivered { self.pending } else { 0 };
            self.probe();
            self.paused = true;
        }
        waited
    }
}

#[derive(Clone, Debug)]
enum Step {
    BecomeProbe,
    BecomeReplicate,
    /// With a snapshot this far beyond what matches, where a snapshot always is.
    BecomeSnapshot(u64),
    SnapshotDone(bool),
    Send(u64, u64),
    SentCommit(u64),
    Acknowledge(u64),
    Reject(u64, u64),
    /// A refusal of exactly the last append.
    RejectLast(u64),
    FreeTo(u64),
    Resume,
    PauseProbe,
}

fn any_step() -> impl Strategy<Value = Step> {
    let index = || prop_oneof![30 => 0..25u64, 1 => Just(Index::MAX.0)];
    prop_oneof![
        1 => Just(Step::BecomeProbe),
        2 => Just(Step::BecomeReplicate),
        1 => (0..10u64).prop_map(Step::BecomeSnapshot),
        1 => any::<bool>().prop_map(Step::SnapshotDone),
        6 => (0..3u64, 0..20u64).prop_map(|(count, bytes)| Step::Send(count, bytes)),
        2 => index().prop_map(Step::SentCommit),
        2 => index().prop_map(Step::Acknowledge),
        2 => (index(), index()).prop_map(|(rejected, hint)| Step::Reject(rejected, hint)),
        2 => index().prop_map(Step::RejectLast),
        2 => index().prop_map(Step::FreeTo),
        1 => Just(Step::Resume),
        1 => Just(Step::PauseProbe),
    ]
}

/// Takes the step on both. Returns whether they gave the same answer.
fn take(step: &Step, model: &mut Model, progress: &mut Progress) -> bool {
    match *step {
        Step::BecomeProbe => {
            progress.become_probe();
            model.probe();
        }
        Step::BecomeReplicate => {
            progress.become_replicate();
            model.enter(Phase::Replicate, model.matched + 1);
        }
        Step::BecomeSnapshot(beyond) => {
            let pending = model.matched + beyond;
            progress.become_snapshot(Index(pending));
            model.enter(Phase::Snapshot, pending + 1);
            (model.pending, model.commit) = (pending, pending);
        }
        Step::SnapshotDone(true) => return progress.snapshot_finished() == model.snapshot_done(true),
        Step::SnapshotDone(false) => return progress.snapshot_failed() == model.snapshot_done(false),
        Step::Send(count, bytes) if model.can_send(count) => {
            progress.sent_entries(count, bytes);
            model.send(count, bytes);
        }
        Step::Send(..) => {}
        Step::SentCommit(commit) => {
            progress.sent_commit(Index(commit));
            model.commit = commit;
        }
        Step::Acknowledge(index) => return progress.acknowledge(Index(index)) == model.acknowledge(index),
        Step::Reject(rejected, hint) => {
            return progress.reject(Index(rejected), Index(hint)) == model.reject(rejected, hint);
        }
        Step::RejectLast(hint) => {
            let last = model.next - 1;
            return progress.reject(Index(last), Index(hint)) == model.reject(last, hint);
        }
        Step::FreeTo(index) => {
            progress.free_inflights_to(Index(index));
            model.flight.retain(|(last, _)| *last > index);
        }
        Step::Resume => {
            progress.resume();
            model.paused = false;
        }
        Step::PauseProbe => {
            progress.pause_probe();
            model.paused |= model.phase == Phase::Probe;
        }
    }
    true
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn progress_follows_its_documented_transitions(
        next in 1..12u64, steps in prop::collection::vec(any_step(), 1..40)
    ) {
        let mut progress = Progress::new(Index(next), LIMITS);
        let flight = Vec::new();
        let mut model = Model { phase: Phase::Probe, matched: 0, next, commit: 0, paused: false, pending: 0, flight };
        for step in steps {
            prop_assert!(take(&step, &mut model, &mut progress), "{:?}: {:?} {:?}", step, progress, model);
            let phase = match progress.state() {
                ProgressState::Probe { .. } => Phase::Probe,
                ProgressState::Replicate { .. } => Phase::Replicate,
                ProgressState::Snapshot { .. } => Phase::Snapshot,
            };
            prop_assert_eq!(phase, model.phase);
            prop_assert_eq!((progress.matched(), progress.next()), (Index(model.matched), Index(model.next)));
            prop_assert!(progress.matched() < progress.next());
            prop_assert_eq!(progress.is_paused(), model.paused || model.phase == Phase::Snapshot);
            prop_assert_eq!(progress.inflights_full(), model.full());
            let pending = (model.phase == Phase::Snapshot).then_some(Index(model.pending));
            prop_assert_eq!(progress.pending_snapshot(), pending);
            for commit in [0, model.commit, model.commit + 1, model.next, Index::MAX.0] {
                let useful = commit > model.commit && model.commit < model.next - 1;
                prop_assert_eq!(progress.can_bump_commit(Index(commit)), useful);
            }
        }
    }
}
