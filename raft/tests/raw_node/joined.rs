//! What a leader joins into one append for each follower and Ready, and what not.

use raft::{Body, Config, Index, MemStorage};

use crate::host::*;

fn joining() -> Config {
    Config { batch_append: true, ..config() }
}

/// A leader of three voters to which node 2 has acknowledged everything.
fn leader(config: Config) -> Host {
    let mut host = Host::leading(config, MemStorage::with_conf_state(voters(&[1, 2, 3])));
    host.hear(2, accepted(1));
    host
}

fn propose(host: &mut Host, payloads: &[&'static str]) {
    payloads.iter().for_each(|payload| host.node.propose((*payload).into()).expect("it leads"));
}

/// The first and the last entry of each append, as far as it has any, and the commit index.
fn appends(bodies: &[Body]) -> Vec<(Option<(u64, u64)>, u64)> {
    let shown = |body: &Body| match body {
        Body::Append { entries, commit, .. } => {
            (entries.first().zip(entries.last()).map(|(first, last)| (first.index.0, last.index.0)), commit.0)
        }
        other => panic!("{other:?} is no append"),
    };
    bodies.iter().map(shown).collect()
}

#[test]
fn proposals_between_two_readys_are_one_append_and_without_the_option_one_each() {
    for (config, expected) in [
        (joining(), vec![(Some((2, 4)), 1)]),
        (config(), vec![(Some((2, 2)), 1), (Some((3, 3)), 1), (Some((4, 4)), 1)]),
    ] {
        let mut host = leader(config);
        propose(&mut host, &["a", "b", "c"]);
        assert_eq!(appends(&host.work_off().to(2)), expected);
        assert_eq!(host.progress_of(2).next(), Index(5));
    }
}

#[test]
fn what_an_acknowledgement_commits_and_what_is_proposed_beside_it_are_one_append() {
    let mut host = leader(joining());
    propose(&mut host, &["a"]);
    host.work_off();
    host.node.step(message(2, 1, accepted(2))).expect("a member's answer");
    propose(&mut host, &["b", "c"]);
    assert_eq!(appends(&host.work_off().to(2)), [(Some((3, 4)), 2)]);
}

#[test]
fn a_joined_append_is_no_larger_than_a_message_may_be_and_counts_once_in_the_window() {
    let two_entries = Config { max_size_per_message: 2 * 7, max_inflight_messages: 2, ..joining() };
    let mut host = leader(two_entries);
    propose(&mut host, &["a", "b", "c", "d", "e"]);
    assert_eq!(appends(&host.work_off().to(2)), [(Some((2, 3)), 1), (Some((4, 5)), 1)]);
    assert_eq!(host.shown(2), "StateReplicate match=1 next=6 paused inflight=2[full]");
    assert_eq!(appends(&host.hear(2, accepted(3)).to(2)), [(Some((6, 6)), 3)], "there is room again");
}

#[test]
fn a_follower_that_is_probed_gets_one_append_with_all_there_is() {
    let mut host = Host::leading(joining(), MemStorage::with_conf_state(voters(&[1, 2, 3])));
    propose(&mut host, &["a", "b"]);
    assert_eq!(host.work_off().to(3), [], "its first probe is still out");
    assert_eq!(appends(&host.hear(3, heartbeat_response()).to(3)), [(Some((1, 3)), 0)]);
}

#[test]
fn the_leader_acknowledges_its_own_entries_once_for_each_write() {
    for (config, expected) in [(joining(), vec![accepted(3)]), (config(), vec![accepted(2), accepted(3)])] {
        let mut host = leader(config);
        propose(&mut host, &["a", "b"]);
        let own = |message: &raft::Message| (message.to == id(1)).then(|| message.body.clone());
        assert_eq!(host.node.pending_messages().filter_map(own).collect::<Vec<_>>(), expected);
        host.hear(2, accepted(3));
        assert_eq!(host.commit(), 3);
    }
}

#[test]
fn what_waits_for_the_ready_is_not_sent_by_a_leader_that_steps_down_before() {
    let mut host = leader(joining());
    propose(&mut host, &["a"]);
    let work = host.hear_in(3, 2, heartbeat(0));
    assert_eq!(work.to(2), []);
}
