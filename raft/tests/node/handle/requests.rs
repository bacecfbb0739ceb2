//! What peers, operators and the transport ask of a node through its handle reaches it.

use raft::node::{Limits, RunLoop};
use raft::{
    Body, Config, EntryId, Index, MemStorage, Node, ProgressState, RawNode, Role, Snapshot, SnapshotStatus, Status,
    Term,
};

use super::{Handle, drive, follow, now, now_or_later, work};
use crate::{id, loop_of, message, voters};

type Driver = raft::node::Driver<MemStorage>;

/// Node 1 of three, which leads in term 1. Its log begins behind a snapshot of five entries, with an empty entry.
fn leader_of_three() -> (Handle, Driver) {
    let id_of = EntryId::new(Term(1), Index(5));
    let snapshot = Snapshot { id: id_of, conf_state: voters(&[1, 2, 3]), data: "state".into() };
    let node = RawNode::new(Config::new(id(1)), MemStorage::from_snapshot(snapshot)).unwrap();
    let (node, mut driver) = Node::run(RunLoop::new(node, Limits::default()));
    now(node.campaign()).unwrap();
    hear(&node, &mut driver, Body::VoteResponse { granted: true });
    assert_eq!(status(&node, &mut driver).basic.soft_state.role, Role::Leader);
    (node, driver)
}

fn hear(node: &Handle, driver: &mut Driver, body: Body) {
    drive(driver);
    work(node, driver);
    let term = status(node, driver).basic.hard_state.term.0;
    now(node.step(message(3, term, body))).unwrap();
    drive(driver);
    work(node, driver);
}

fn status(node: &Handle, driver: &mut Driver) -> Status {
    now_or_later(node.status(), driver).unwrap()
}

/// What node 1, as the leader, knows of node 3.
fn of_node_3(node: &Handle, driver: &mut Driver) -> ProgressState {
    status(node, driver).progress[&id(3)].state().clone()
}

#[test]
fn a_node_that_is_asked_to_campaign_does() {
    let (node, mut driver) = Node::run(loop_of(&[1, 2, 3]));
    now(node.campaign()).unwrap();
    assert_eq!(status(&node, &mut driver).basic.soft_state.role, Role::Candidate);
}

#[test]
fn a_leader_that_is_asked_to_hand_over_does_and_a_follower_asks_its_leader() {
    let (node, mut driver) = leader_of_three();
    now(node.transfer_leadership(id(3))).unwrap();
    assert_eq!(status(&node, &mut driver).basic.lead_transferee, Some(id(3)));

    let (node, mut driver) = Node::run(loop_of(&[1, 2, 3]));
    follow(&node, &mut driver);
    now(node.transfer_leadership(id(3))).unwrap();
    let ready = now_or_later(node.next_ready(), &mut driver).unwrap();
    assert!(ready.messages.iter().any(|message| message.to == id(2) && message.body == Body::TransferLeader));
}

#[test]
fn a_follower_that_is_asked_to_forget_its_leader_does() {
    let (node, mut driver) = Node::run(loop_of(&[1, 2, 3]));
    follow(&node, &mut driver);
    assert_eq!(status(&node, &mut driver).basic.soft_state.leader, Some(id(2)));
    now(node.forget_leader()).unwrap();
    assert_eq!(status(&node, &mut driver).basic.soft_state.leader, None);
}

#[test]
fn a_leader_that_is_told_that_it_cannot_reach_a_follower_probes_it() {
    let (node, mut driver) = leader_of_three();
    hear(&node, &mut driver, Body::AppendAccepted { index: Index(6) });
    assert!(matches!(of_node_3(&node, &mut driver), ProgressState::Replicate { .. }));
    now(node.report_unreachable(id(3))).unwrap();
    assert!(matches!(of_node_3(&node, &mut driver), ProgressState::Probe { .. }));
}

#[test]
fn a_leader_that_is_told_how_sending_a_snapshot_ended_goes_on_with_that_follower() {
    for ended in [SnapshotStatus::Finish, SnapshotStatus::Failure] {
        let (node, mut driver) = leader_of_three();
        let hint = EntryId::ZERO;
        hear(&node, &mut driver, Body::AppendRejected { index: Index(5), hint });
        assert!(matches!(of_node_3(&node, &mut driver), ProgressState::Snapshot { .. }));
        now(node.report_snapshot(id(3), ended)).unwrap();
        assert!(matches!(of_node_3(&node, &mut driver), ProgressState::Probe { .. }), "{ended:?}");
    }
}

#[test]
fn a_status_is_of_the_moment_between_the_inputs_before_and_after_the_question() {
    let (node, mut driver) = Node::run(loop_of(&[1, 2, 3]));
    let mut asked = std::pin::pin!(node.status());
    assert!(super::poll(asked.as_mut()).is_pending());
    now(node.campaign()).unwrap();
    drive(&mut driver);
    let std::task::Poll::Ready(Ok(before)) = super::poll(asked) else { panic!("no status") };
    assert_eq!(before.basic.soft_state.role, Role::Follower);
    assert_eq!(status(&node, &mut driver).basic.soft_state.role, Role::Candidate);
}

#[test]
fn a_stopped_node_can_be_looked_at_and_its_storage_taken() {
    let (node, _driver) = leader_of_three();
    node.stop();
    assert!(node.inspect(RunLoop::is_stopped));
    assert_eq!(node.with_storage(|storage| storage.hard_state().vote), Some(id(1)));
    assert_eq!(node.failure(), None, "nobody but its user has stopped it");
}
