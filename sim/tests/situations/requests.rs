//! Proposals and reads.

use sim::situation::Situation;
use sim::world::{Event, NodeOptions};

use super::cluster::{Cluster, node};
use super::{campaign, propose, round_trip, tells_apart, three, tick};

#[test]
fn a_read_waits_for_the_first_commit_of_the_term() {
    let reads = |waits: bool| {
        let mut cluster = Cluster::new(3, &NodeOptions::default());
        campaign(&mut cluster, 1);
        // The own vote counts once it is durable.
        cluster.work(1).unwrap();
        round_trip(&mut cluster);
        if waits {
            cluster.settle();
        }
        cluster.apply(Event::ReadIndex { node: node(1), context: "read".into() });
        cluster
    };
    tells_apart(Situation::ReadBeforeFirstCommit, &reads(false), &reads(true));
}

#[test]
fn a_follower_forwards_a_read_and_without_a_leader_drops_it() {
    let reads = |forgets: bool| {
        let mut cluster = three();
        if forgets {
            cluster.apply(Event::ForgetLeader { node: node(2) });
        }
        cluster.apply(Event::ReadIndex { node: node(2), context: "read".into() });
        cluster
    };
    let (forwards, drops) = (reads(false), reads(true));
    tells_apart(Situation::ReadForwarded, &forwards, &drops);
    tells_apart(Situation::ReadDropped, &drops, &forwards);
    tells_apart(Situation::LeaderForgotten, &drops, &forwards);
}

#[test]
fn the_bound_on_uncommitted_data_drops_what_does_not_fit() {
    let proposes = |max_uncommitted_size: u64| {
        let mut cluster = Cluster::led(3, &NodeOptions { max_uncommitted_size, ..NodeOptions::default() });
        propose(&mut cluster, 1);
        propose(&mut cluster, 1);
        cluster
    };
    tells_apart(Situation::UncommittedLimit, &proposes(7), &proposes(8));
}

#[test]
fn a_hand_over_drops_proposals_and_is_given_up_after_an_election_timeout() {
    let hands_over = |to_laggard: bool| {
        let mut cluster = three();
        if to_laggard {
            cluster.isolate(2);
            propose(&mut cluster, 1);
            cluster.settle();
        }
        cluster.apply(Event::TransferLeadership { node: node(1), target: node(2) });
        cluster.settle();
        propose(&mut cluster, 1);
        tick(&mut cluster, 1, NodeOptions::default().election_tick);
        cluster
    };
    let (laggard, ready) = (hands_over(true), hands_over(false));
    tells_apart(Situation::DroppedDuringTransfer, &laggard, &ready);
    tells_apart(Situation::TransferGivenUp, &laggard, &ready);
    tells_apart(Situation::TransferCampaign, &ready, &laggard);
}
