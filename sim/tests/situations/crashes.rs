//! Crashes, restarts and cut links.

use sim::disk::{DiskFault, Keep};
use sim::situation::Situation;
use sim::world::{Event, NodeOptions};

use super::cluster::{Cluster, node};
use super::{propose, round_trip, tells_apart, three};

fn crash(cluster: &mut Cluster, at: u64, keep: Keep) {
    cluster.apply(Event::Crash { node: node(at), keep });
}

fn restart(cluster: &mut Cluster, at: u64) {
    cluster.apply(Event::Restart { node: node(at), options: None, seed: Some(at) });
}

#[test]
fn a_leader_dies_before_telling_anyone_of_what_it_has_committed() {
    let dies = |tells: bool| {
        let mut cluster = three();
        propose(&mut cluster, 1);
        round_trip(&mut cluster);
        if tells {
            cluster.settle();
        }
        crash(&mut cluster, 1, Keep::All);
        cluster
    };
    tells_apart(Situation::LeaderDiedWithCommit, &dies(false), &dies(true));
}

#[test]
fn a_torn_tail_is_cut_and_one_that_is_lost_whole_is_not() {
    let tears = |keep: Keep| {
        let mut cluster = three();
        propose(&mut cluster, 1);
        cluster.apply(Event::TakeReady { node: node(1) });
        cluster.apply(Event::Write { node: node(1) });
        crash(&mut cluster, 1, keep);
        restart(&mut cluster, 1);
        cluster
    };
    let torn = tears(Keep::Torn { block: 0, bytes: 5, zeros: false });
    let (lost, whole) = (tears(Keep::Nothing), tears(Keep::All));
    tells_apart(Situation::TornTailCut, &torn, &lost);
    tells_apart(Situation::TornTailCut, &torn, &whole);
    tells_apart(Situation::RestartForgotEntries, &lost, &whole);
}

#[test]
fn a_node_crashes_between_two_writes_of_one_ready_and_not_after_the_last() {
    let writes = |count: usize| {
        let mut cluster = three();
        propose(&mut cluster, 1);
        propose(&mut cluster, 1);
        cluster.apply(Event::TakeReady { node: node(1) });
        (0..count).for_each(|_| drop(cluster.apply(Event::Write { node: node(1) })));
        crash(&mut cluster, 1, Keep::All);
        cluster
    };
    assert!(super::times(&writes(0), Situation::CrashBetweenWrites) == 0);
    tells_apart(Situation::CrashBetweenWrites, &writes(1), &writes(2));
}

#[test]
fn the_second_crash_of_three_nodes_leaves_no_quorum_and_the_third_nobody() {
    let crashes = |count: u64| {
        let mut cluster = three();
        (1..=count).for_each(|at| crash(&mut cluster, at, Keep::All));
        cluster
    };
    tells_apart(Situation::QuorumCrashed, &crashes(2), &crashes(1));
    tells_apart(Situation::AllCrashed, &crashes(3), &crashes(2));
}

#[test]
fn a_leader_is_isolated_once_its_last_link_is_cut() {
    let cuts = |at: u64, but_one: bool| {
        let mut cluster = three();
        cluster.isolate(at);
        if but_one {
            cluster = three();
            for (from, to) in [(1, 2), (2, 1), (1, 3)] {
                cluster.apply(Event::Cut { from: node(from), to: node(to) });
            }
        }
        cluster
    };
    tells_apart(Situation::LeaderIsolated, &cuts(1, false), &cuts(1, true));
    tells_apart(Situation::LeaderIsolated, &cuts(1, false), &cuts(2, false));
}

#[test]
fn a_transfers_target_dies_while_the_leader_waits_for_it() {
    let dies = |which: u64| {
        let mut cluster = Cluster::led(3, &NodeOptions::default());
        cluster.isolate(2);
        propose(&mut cluster, 1);
        cluster.settle();
        cluster.apply(Event::TransferLeadership { node: node(1), target: node(2) });
        crash(&mut cluster, which, Keep::All);
        cluster
    };
    tells_apart(Situation::TransferTargetDied, &dies(2), &dies(3));
    assert_eq!(super::times(&dies(3), Situation::TransferToLaggard), 1);
}

#[test]
fn a_node_comes_back_to_a_disk_that_shows_what_a_failed_fsync_did_not_keep() {
    let fails = |fault: DiskFault| {
        let mut cluster = three();
        cluster.apply(Event::DiskFault { node: node(1), fault });
        propose(&mut cluster, 1);
        let node = node(1);
        for step in [Event::TakeReady { node }, Event::Write { node }, Event::Sync { node }, Event::SyncDone { node }] {
            cluster.apply(step);
        }
        restart(&mut cluster, 1);
        cluster
    };
    tells_apart(Situation::ForgottenSyncShown, &fails(DiskFault::ForgetSync), &fails(DiskFault::FailSync));
}
