//! Elections.

use sim::situation::Situation;
use sim::world::NodeOptions;

use super::cluster::{Cluster, node};
use super::{campaign, deliver_to, leads, propose, tells_apart, three, tick};

fn nobody_leads() -> Cluster {
    Cluster::new(3, &NodeOptions::default())
}

#[test]
fn a_vote_is_split_if_there_are_two_candidates_and_neither_wins() {
    let mut split = nobody_leads();
    [1, 2, 1].into_iter().for_each(|at| campaign(&mut split, at));
    let mut alone = nobody_leads();
    [1, 1].into_iter().for_each(|at| campaign(&mut alone, at));
    tells_apart(Situation::SplitVote, &split, &alone);
    tells_apart(Situation::TwoCandidates, &split, &alone);
    tells_apart(Situation::LoneCandidate, &alone, &split);
}

#[test]
fn a_vote_is_stale_if_its_candidate_has_gone_on_to_another_term() {
    let vote = |again: bool| {
        let mut cluster = nobody_leads();
        campaign(&mut cluster, 1);
        cluster.work(1).unwrap();
        deliver_to(&mut cluster, 2);
        cluster.work(2).unwrap();
        if again {
            campaign(&mut cluster, 1);
        }
        deliver_to(&mut cluster, 1);
        cluster
    };
    tells_apart(Situation::StaleVote, &vote(true), &vote(false));
}

#[test]
fn a_vote_is_late_if_its_candidate_leads_by_now() {
    let two = Cluster::led(2, &NodeOptions::default());
    tells_apart(Situation::LateVote, &three(), &two);
}

#[test]
fn check_quorum_deposes_a_leader_that_hears_nothing() {
    let cut_off = |check_quorum: bool| {
        let options = NodeOptions { check_quorum, ..NodeOptions::default() };
        let mut cluster = Cluster::led(3, &options);
        cluster.isolate(1);
        tick(&mut cluster, 1, 3 * options.election_tick);
        assert_ne!(leads(&cluster, node(1)), check_quorum);
        cluster
    };
    tells_apart(Situation::CheckQuorumDeposed, &cut_off(true), &cut_off(false));
}

#[test]
fn a_pre_candidate_meets_a_leader_where_the_link_is_healed() {
    let asks = |pre_vote: bool| {
        let mut cluster = Cluster::led(3, &NodeOptions { pre_vote, ..NodeOptions::default() });
        cluster.isolate(3);
        campaign(&mut cluster, 3);
        cluster.settle();
        cluster.heal(3);
        tick(&mut cluster, 1, 1);
        cluster.settle();
        cluster
    };
    tells_apart(Situation::PreCandidateMetLeader, &asks(true), &asks(false));
}

#[test]
fn two_nodes_lead_until_the_former_leader_hears_of_the_new_one() {
    let elects = |cut: bool| {
        let mut cluster = three();
        if cut {
            cluster.isolate(1);
        }
        campaign(&mut cluster, 2);
        cluster.settle();
        cluster
    };
    let (cut, connected) = (elects(true), elects(false));
    tells_apart(Situation::TwoLeaders, &cut, &connected);
    tells_apart(Situation::LeaderOverruled, &connected, &cut);
}

#[test]
fn a_leader_has_an_uncommitted_tail_if_it_got_entries_and_not_the_commit_index() {
    let succeeds = |proposes: bool| {
        let mut cluster = three();
        if proposes {
            propose(&mut cluster, 1);
            cluster.work(1).unwrap();
            deliver_to(&mut cluster, 2);
            cluster.work(2).unwrap();
        }
        cluster.isolate(1);
        campaign(&mut cluster, 2);
        cluster.settle();
        assert!(leads(&cluster, node(2)));
        cluster
    };
    let (with_tail, without) = (succeeds(true), succeeds(false));
    tells_apart(Situation::ElectedWithUncommittedTail, &with_tail, &without);
    tells_apart(Situation::EarlierTermCommitted, &with_tail, &without);
    tells_apart(Situation::EarlierTermSent, &with_tail, &without);
}
