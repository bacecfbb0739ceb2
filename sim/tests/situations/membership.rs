//! Membership changes.

use raft::{Change, ChangeKind, ConfChange, ConfChangeV1, ConfChangeV2, ConfState, Index, Term, Transition};
use sim::disk::Keep;
use sim::situation::Situation;
use sim::world::{Boot, Event, NodeOptions};

use super::cluster::{Cluster, node};
use super::{campaign, tells_apart, three};

pub fn add_learner(id: u64) -> ConfChange {
    ConfChangeV1::add_learner(node(id)).into()
}

pub fn change(cluster: &mut Cluster, change: &ConfChange) {
    cluster.apply(Event::ProposeConfChange { node: node(1), change: change.clone() });
}

/// Goes into a joint configuration that has to be left by request.
fn enter_joint(cluster: &mut Cluster) {
    let demote = vec![Change::new(ChangeKind::AddLearner, node(3))];
    change(cluster, &ConfChangeV2::new(Transition::Explicit, demote).into());
    cluster.settle();
}

fn leave_joint(cluster: &mut Cluster) {
    change(cluster, &ConfChangeV2::leave_joint().into());
    cluster.settle();
}

#[test]
fn a_leader_crashes_in_a_joint_configuration_and_not_after_it() {
    let crashes = |leaves: bool, at: u64| {
        let mut cluster = three();
        enter_joint(&mut cluster);
        if leaves {
            leave_joint(&mut cluster);
        }
        cluster.apply(Event::Crash { node: node(at), keep: Keep::All });
        cluster
    };
    let (inside, after) = (crashes(false, 1), crashes(true, 1));
    tells_apart(Situation::LeaderCrashedInJoint, &inside, &after);
    tells_apart(Situation::LeaderCrashedInJoint, &inside, &crashes(false, 2));
    tells_apart(Situation::LeftJointByRequest, &after, &inside);
}

#[test]
fn a_learner_is_promoted_while_behind_if_it_hears_nothing() {
    let promotes = |isolated: bool| {
        let mut cluster = three();
        cluster.apply(Event::Start {
            node: node(4),
            boot: Boot::Empty,
            options: NodeOptions::default(),
            seed: Some(4),
        });
        if isolated {
            cluster.isolate(4);
        }
        change(&mut cluster, &add_learner(4));
        cluster.settle();
        change(&mut cluster, &ConfChangeV1::add_voter(node(4)).into());
        cluster.settle();
        cluster
    };
    // One that is not behind has, with the others, the entry that promotes it.
    tells_apart(Situation::LearnerPromotedBehind, &promotes(true), &promotes(false));
}

#[test]
fn a_learner_rejects_an_append_if_it_has_another_log() {
    let adds = |is_foreign: bool| {
        let mut cluster = three();
        let conf_state = ConfState { voters: [node(9)].into(), learners: [node(4)].into(), ..ConfState::default() };
        let foreign = Boot::Foreign { index: Index(1), conf_state, term: Term(1), entries: 0, commit: Index(1) };
        let boot = if is_foreign { foreign } else { Boot::Empty };
        cluster.apply(Event::Start { node: node(4), boot, options: NodeOptions::default(), seed: Some(4) });
        change(&mut cluster, &add_learner(4));
        cluster.settle();
        cluster
    };
    tells_apart(Situation::ForeignLogRejected, &adds(true), &adds(false));
}

#[test]
fn a_removed_node_campaigns_if_nobody_told_it() {
    let removes = |isolated: bool| {
        let mut cluster = three();
        if isolated {
            cluster.isolate(3);
        }
        change(&mut cluster, &ConfChangeV1::remove(node(3)).into());
        cluster.settle();
        super::tick(&mut cluster, 1, 1);
        cluster.settle();
        campaign(&mut cluster, 3);
        cluster
    };
    tells_apart(Situation::RemovedNodeCampaigned, &removes(true), &removes(false));
}

#[test]
fn a_second_change_is_refused_while_the_first_is_pending() {
    let proposes = |waits: bool| {
        let mut cluster = three();
        for id in [4, 5] {
            change(&mut cluster, &add_learner(id));
            if waits {
                cluster.settle();
            }
        }
        cluster.settle();
        cluster
    };
    tells_apart(Situation::ChangeRefused, &proposes(false), &proposes(true));
}

#[test]
fn a_leader_that_removes_itself_drops_what_is_proposed() {
    let removes = |removed: u64| {
        let mut cluster = three();
        change(&mut cluster, &ConfChangeV1::remove(node(removed)).into());
        cluster.settle();
        cluster.apply(Event::Propose { node: node(1), data: "data".into() });
        cluster
    };
    let (itself, another) = (removes(1), removes(2));
    tells_apart(Situation::LeaderRemoved, &itself, &another);
    tells_apart(Situation::DroppedByRemovedLeader, &itself, &another);
}
