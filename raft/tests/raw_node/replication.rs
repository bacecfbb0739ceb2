//! How a leader finds where a follower's log ends, and what it commits.

use raft::{Body, Config, EntryId, HardState, Index, MemStorage, Term};

use crate::host::*;

/// The leader in term 6 over entries of these terms, none of them committed.
fn leader_over(terms: &[u64]) -> Host {
    let mut storage = stored(&[1, 2, 3], terms, 0);
    storage.set_hard_state(HardState { term: Term(5), vote: None, commit: Index(0) });
    Host::leading(config(), storage)
}

fn previous_of(body: &Body) -> EntryId {
    let Body::Append { previous, .. } = body else { panic!("{body:?} is no append") };
    *previous
}

#[test]
fn a_new_leader_probes_everybody_with_its_first_entry() {
    let mut host = Host::over(config(), stored(&[1, 2, 3], &[1], 0));
    host.node.campaign();
    host.work_off();
    let first = || append(entry_id(1, 1), vec![entry(2, 2)], 0);
    assert_eq!(host.hear(2, granted()).sent(), [(2, 2, first()), (3, 2, first())]);
    assert_eq!(host.shown(1), "StateReplicate match=2 next=3");
    assert_eq!(host.shown(2), "StateProbe match=0 next=2 paused inactive");
    assert_eq!(host.leader_known(), 1);
}

#[test]
fn a_leader_commits_what_a_majority_holds_and_tells_everybody() {
    let mut host = Host::leader();
    assert_eq!(host.commit(), 0);
    let work = host.hear(2, accepted(1));
    assert_eq!((host.commit(), work.applied()), (1, vec![1]));
    assert_eq!(work.sent(), [(2, 1, append(entry_id(1, 1), vec![], 1))], "node 3 has not answered its probe");
    assert_eq!(host.shown(2), "StateReplicate match=1 next=2");
    let work = host.hear(3, accepted(1));
    assert_eq!(work.sent(), [(3, 1, append(entry_id(1, 1), vec![], 1))], "it is told as well");
}

#[test]
fn entries_of_earlier_terms_are_committed_only_along_with_one_of_the_own_term() {
    let mut host = leader_over(&[1, 5]);
    host.hear(2, accepted(2));
    assert_eq!(host.commit(), 0);
    host.hear(2, accepted(3));
    assert_eq!(host.commit(), 3);
}

#[test]
fn learners_do_not_count() {
    let conf_state = raft::ConfState { learners: [id(4), id(5)].into(), ..voters(&[1, 2, 3]) };
    let mut host = Host::leading(config(), MemStorage::with_conf_state(conf_state));
    host.hear(4, accepted(1));
    host.hear(5, accepted(1));
    assert_eq!(host.commit(), 0);
    assert_eq!(host.shown(4), "StateReplicate match=1 next=2", "though they are replicated to");
    host.hear(3, accepted(1));
    assert_eq!(host.commit(), 1);
}

#[test]
fn a_refused_probe_is_sent_again_where_the_logs_may_match() {
    // The leader's log; its first probe is behind entry 6.
    let terms = [1, 1, 2, 4, 4, 4];
    let table = [
        ("the follower's log is short", entry_id(1, 2), 2),
        ("it ends in a term between", entry_id(3, 5), 3),
        ("it ends in a term of the leader's", entry_id(4, 5), 5),
        ("it does not know its term there", entry_id(0, 5), 5),
        ("it is empty", entry_id(0, 0), 0),
        ("it is longer than the probe, and ends in another term", entry_id(3, 6), 3),
    ];
    for (case, hint, expected) in table {
        let mut host = leader_over(&terms);
        let sent = host.hear(2, rejected(6, hint)).to(2);
        assert_eq!(sent.iter().map(|body| previous_of(body).index.0).collect::<Vec<_>>(), [expected], "{case}");
    }
}

#[test]
fn an_answer_to_an_old_probe_is_ignored() {
    let mut host = leader_over(&[1, 1, 2]);
    assert_eq!(host.hear(2, rejected(2, entry_id(1, 1))).messages, []);
    assert_eq!(host.shown(2), "StateProbe match=0 next=4 paused");
}

#[test]
fn whoever_refuses_an_append_while_replicating_is_probed_behind_what_it_acknowledged() {
    let mut host = Host::leader();
    host.hear(2, accepted(1));
    host.node.propose("x".into()).expect("it leads");
    host.work_off();
    assert_eq!(host.shown(2), "StateReplicate match=1 next=3 inflight=1");
    let work = host.hear(2, rejected(2, entry_id(1, 1)));
    assert_eq!(work.to(2).iter().map(previous_of).collect::<Vec<_>>(), [entry_id(1, 1)]);
    assert_eq!(host.shown(2), "StateProbe match=1 next=2 paused");
}

#[test]
fn an_acknowledgement_after_which_there_is_nothing_to_tell_is_left_unanswered() {
    let mut host = Host::leading(config(), MemStorage::with_conf_state(voters(&[1, 2, 3, 4, 5])));
    assert_eq!(host.hear(2, accepted(1)).messages, [], "two of five commit nothing");
    assert_eq!(host.shown(2), "StateReplicate match=1 next=2");
}

#[test]
fn an_acknowledgement_that_comes_again_changes_nothing() {
    let mut host = Host::leader();
    host.hear(2, accepted(1));
    host.node.propose("x".into()).expect("it leads");
    host.work_off();
    for old in [0, 1] {
        assert_eq!(host.hear(2, accepted(old)).messages, []);
        assert_eq!(host.shown(2), "StateReplicate match=1 next=3 inflight=1");
    }
}

#[test]
fn a_probe_that_finds_what_was_known_begins_replication_again() {
    let mut host = Host::leader();
    host.hear(2, accepted(1));
    host.node.report_unreachable(id(2));
    assert_eq!(host.shown(2), "StateProbe match=1 next=2");
    host.hear(2, accepted(0));
    assert_eq!(host.shown(2), "StateProbe match=1 next=2", "an old answer finds nothing");
    host.hear(2, accepted(1));
    assert_eq!(host.shown(2), "StateReplicate match=1 next=2");
}

#[test]
fn only_who_is_replicated_to_is_probed_anew_when_unreachable() {
    let mut host = Host::leader();
    let waiting = host.shown(3);
    host.node.report_unreachable(id(3));
    assert_eq!(host.shown(3), waiting, "it was being probed");
    host.node.report_unreachable(id(9));
}

#[test]
fn heartbeats_are_sent_as_often_as_configured_and_commit_only_what_is_acknowledged() {
    let three = Config { heartbeat_tick: 3, ..config() };
    let mut host = Host::leading(three, MemStorage::with_conf_state(voters(&[1, 2, 3])));
    host.hear(2, accepted(1));
    assert_eq!(host.wait(2).messages, []);
    for _ in 0..2 {
        assert_eq!(host.wait(1).sent(), [(2, 1, heartbeat(1)), (3, 1, heartbeat(0))]);
        assert_eq!(host.wait(2).messages, []);
    }
}

#[test]
fn a_heartbeat_tells_nothing_that_is_not_committed() {
    let mut host = Host::leading(config(), MemStorage::with_conf_state(voters(&[1, 2, 3, 4, 5])));
    host.hear(2, accepted(1));
    assert_eq!((host.commit(), host.wait(1).to(2)), (0, vec![heartbeat(0)]));
}

#[test]
fn an_answered_heartbeat_brings_what_is_missing() {
    let mut host = Host::leader();
    host.hear(2, accepted(1));
    assert_eq!(host.hear(2, heartbeat_response()).messages, [], "node 2 has everything");
    let probe = append(entry_id(0, 0), vec![entry(1, 1)], 1);
    assert_eq!(host.hear(3, heartbeat_response()).sent(), [(3, 1, probe)], "the first one may be lost");

    host.node.report_unreachable(id(2));
    let probe = append(entry_id(1, 1), vec![], 1);
    assert_eq!(host.hear(2, heartbeat_response()).sent(), [(2, 1, probe)], "to find out whether it still has");
}

#[test]
fn a_leader_that_checks_its_quorum_steps_down_when_it_hears_from_none() {
    type Word = fn() -> Body;
    let words: [(Option<Word>, bool); 4] = [
        (None, false),
        (Some(heartbeat_response), true),
        (Some(|| accepted(1)), true),
        (Some(|| rejected(0, EntryId::ZERO)), true),
    ];
    for (word, leads) in words {
        let checking = Config { check_quorum: true, ..config() };
        let mut host = Host::leading(checking, MemStorage::with_conf_state(voters(&[1, 2, 3])));
        for _ in 0..3 {
            host.wait(9);
            if let Some(word) = word {
                host.hear(3, word());
            }
            host.wait(1);
        }
        assert_eq!(host.role() == raft::Role::Leader, leads, "{:?}", word.map(|word| word()));
    }
}

#[test]
fn a_quorum_is_checked_anew_each_election_timeout() {
    let checking = Config { check_quorum: true, ..config() };
    let mut host = Host::leading(checking, MemStorage::with_conf_state(voters(&[1, 2, 3])));
    host.hear(2, heartbeat_response());
    host.wait(9);
    assert!(host.progress_of(2).recent_active());
    host.wait(1);
    assert!(!host.progress_of(2).recent_active() && host.progress_of(1).recent_active());
    host.wait(9);
    assert_eq!(host.role(), raft::Role::Leader);
    host.wait(1);
    assert_eq!((host.role(), host.leader_known()), (raft::Role::Follower, 0));
}

#[test]
fn without_the_check_a_leader_leads_on_in_silence() {
    let mut host = Host::leader();
    host.wait(50);
    assert_eq!(host.role(), raft::Role::Leader);
}

/// A leader of three whose fifth entry is out to node 3, which had acknowledged four and lost its disk.
fn leader_of_who_lost_its_disk(waits_as_etcd: bool) -> Host {
    let config = Config { waits_as_etcd, ..config() };
    let mut host = Host::leading(config, MemStorage::with_conf_state(voters(&[1, 2, 3])));
    for _ in 0..3 {
        host.node.propose("x".into()).expect("it leads");
        host.work_off();
    }
    host.hear(3, accepted(4));
    host.node.propose("y".into()).expect("it leads");
    host.work_off();
    assert_eq!(host.shown(3), "StateReplicate match=4 next=6 inflight=1");
    host
}

#[test]
fn a_refused_probe_of_what_was_acknowledged_waits_for_the_next_heartbeats_answer() {
    let mut host = leader_of_who_lost_its_disk(false);
    let refusal = || rejected(4, entry_id(0, 0));
    let probe = || append(entry_id(1, 4), vec![host_entry(5, "y")], 4);
    assert_eq!(host.hear(3, refusal()).to(3), [probe()], "it may be late: a probe finds out");
    assert!(!host.progress_of(3).lacks_acknowledged());
    for _ in 0..3 {
        assert_eq!(host.hear(3, refusal()).messages, [], "nothing is new");
        assert!(host.progress_of(3).lacks_acknowledged());
        assert_eq!(host.shown(3), "StateProbe match=4 next=5 paused lacking");
        assert_eq!(host.hear(3, heartbeat_response()).to(3), [probe()]);
    }
    host.node.propose("z".into()).expect("it leads");
    assert_eq!(host.work_off().to(3), [], "an entry more is of no use to it");

    host.hear(3, accepted(5));
    assert!(!host.progress_of(3).lacks_acknowledged(), "it has it again");
    assert_eq!(host.shown(3), "StateReplicate match=5 next=7 inflight=1");
}

#[test]
fn as_etcd_a_refused_probe_is_repeated_for_as_long_as_it_is_refused() {
    let mut host = leader_of_who_lost_its_disk(true);
    assert_eq!(host.hear(3, rejected(4, entry_id(0, 0))).messages, [], "taken for a late answer");
    host.hear(2, accepted(5));
    for refused in [5, 4, 4, 4] {
        assert_eq!(host.hear(3, rejected(refused, entry_id(0, 0))).to(3).len(), 1);
        assert!(!host.progress_of(3).lacks_acknowledged());
    }
}

#[test]
fn a_late_refusal_costs_whoever_is_well_one_probe() {
    let mut host = leader_of_who_lost_its_disk(false);
    assert_eq!(host.hear(3, rejected(3, entry_id(1, 2))).messages, [], "from before the last acknowledgement");
    assert_eq!(host.hear(3, rejected(4, entry_id(1, 3))).to(3).len(), 1);
    assert_eq!(host.shown(3), "StateProbe match=4 next=5 paused");
    host.hear(3, accepted(5));
    assert_eq!(host.shown(3), "StateReplicate match=5 next=6");
}

fn host_entry(index: u64, data: &'static str) -> raft::Entry {
    raft::Entry { data: data.into(), ..entry(1, index) }
}
