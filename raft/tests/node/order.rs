//! The order in which inputs are taken: that in which they came, of whatever kind they are.

use bytes::Bytes;
use raft::node::{Arm, FairChooser, Taken};
use raft::{
    Body, ConfChangeV1, Config, MemStorage, Node, NodeError, ProposeError, RawNode, Ready, Role, SnapshotStatus,
};
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

use super::{Loop, forwarded, heartbeat, id, leader, loop_of, message, ready, step, storage, store};

type Enqueue = fn(&mut Loop);

/// An input of each kind that waits for nobody, with the arm from which it is taken.
const INPUTS: [(Enqueue, Arm); 12] = [
    (|run_loop| assert!(run_loop.propose("data".into()).is_ok()), Arm::Proposal),
    (|run_loop| assert!(run_loop.propose_conf_change(ConfChangeV1::add_voter(id(4)).into()).is_ok()), Arm::Proposal),
    (|run_loop| run_loop.step(forwarded("data")).unwrap(), Arm::Proposal),
    (|run_loop| run_loop.step(heartbeat(2, 0)).unwrap(), Arm::Message),
    (|run_loop| run_loop.campaign().unwrap(), Arm::Message),
    (|run_loop| run_loop.transfer_leadership(id(2)).unwrap(), Arm::Message),
    (|run_loop| run_loop.forget_leader().unwrap(), Arm::Message),
    (|run_loop| assert!(run_loop.read_index("read".into()).is_ok()), Arm::Message),
    (|run_loop| run_loop.report_snapshot(id(2), SnapshotStatus::Finish).unwrap(), Arm::Message),
    (
        |run_loop| assert!(run_loop.apply_conf_change(ConfChangeV1::add_voter(id(1)).into()).is_ok()),
        Arm::MembershipChange,
    ),
    (|run_loop| assert!(run_loop.tick().is_ok()), Arm::Tick),
    (|run_loop| assert!(run_loop.request_status().is_ok()), Arm::Status),
];

#[test]
fn of_any_two_inputs_that_can_be_taken_the_one_that_came_first_is_next_and_the_other_is_not() {
    for (first, first_arm) in INPUTS {
        for (second, second_arm) in INPUTS {
            let mut run_loop = leader();
            first(&mut run_loop);
            second(&mut run_loop);
            let waiting: Vec<Arm> = run_loop.waiting().into_iter().map(|(_, arm)| arm).collect();
            assert_eq!(waiting, [first_arm, second_arm]);
            assert_eq!(run_loop.available().collect::<Vec<_>>(), [first_arm]);
            if first_arm != second_arm {
                assert_eq!(run_loop.take(second_arm), None, "{second_arm:?} before {first_arm:?}");
            }
            assert!(run_loop.take(first_arm).is_some());
            assert!(run_loop.take(second_arm).is_some());
        }
    }
}

#[test]
fn what_comes_back_from_the_application_has_its_place_too() {
    let mut run_loop = leader();
    run_loop.propose("data".into()).unwrap();
    run_loop.take(Arm::Proposal).unwrap();
    let out = ready(&mut run_loop).unwrap();
    store(&mut run_loop, &out);
    run_loop.tick().unwrap();
    run_loop.advance(out).unwrap();
    run_loop.campaign().unwrap();
    assert_eq!(drain(&mut run_loop), [Arm::Tick, Arm::Advance, Arm::Message]);
}

#[test]
fn a_proposal_that_waited_for_a_leader_comes_before_what_came_after_it() {
    let mut run_loop = loop_of(&[1, 2, 3]);
    run_loop.propose("early".into()).unwrap();
    run_loop.step(forwarded("early")).unwrap();
    run_loop.tick().unwrap();
    run_loop.step(heartbeat(2, 1)).unwrap();
    run_loop.tick().unwrap();
    run_loop.propose("late".into()).unwrap();
    let expected = [Arm::Tick, Arm::Message, Arm::Proposal, Arm::Proposal, Arm::Tick, Arm::Proposal];
    assert_eq!(drain(&mut run_loop), expected);
}

#[test]
fn a_proposal_that_waits_anew_is_passed_anew() {
    let mut run_loop = loop_of(&[1, 2, 3]);
    step(&mut run_loop, heartbeat(2, 1));
    run_loop.forget_leader().unwrap();
    run_loop.propose("data".into()).unwrap();
    run_loop.step(heartbeat(2, 1)).unwrap();
    assert_eq!(drain(&mut run_loop), [Arm::Message, Arm::Message, Arm::Proposal]);
}

#[test]
fn a_ready_comes_after_what_came_before_it_was_asked_for_and_may_come_before_what_came_later() {
    let mut run_loop = loop_of(&[1, 2, 3]);
    run_loop.campaign().unwrap();
    run_loop.take(Arm::Message).unwrap();
    run_loop.report_unreachable(id(2)).unwrap();
    run_loop.request_ready().unwrap();
    run_loop.tick().unwrap();
    assert!(run_loop.node().has_ready());
    assert_eq!(run_loop.take(Arm::Ready), None, "the report came before");
    run_loop.take(Arm::Message).unwrap();
    assert_eq!(run_loop.available().collect::<Vec<_>>(), [Arm::Tick, Arm::Ready]);
    assert!(matches!(run_loop.take(Arm::Ready), Some(Taken::Ready { .. })));
}

#[test]
fn a_proposal_that_waits_for_a_leader_holds_up_no_ready() {
    let mut run_loop = loop_of(&[1, 2, 3]);
    run_loop.campaign().unwrap();
    run_loop.take(Arm::Message).unwrap();
    run_loop.propose("data".into()).unwrap();
    assert!(ready(&mut run_loop).is_some());
}

/// Takes what there is in the order of production; which arms it was taken from.
fn drain(run_loop: &mut Loop) -> Vec<Arm> {
    let mut chooser = FairChooser::default();
    std::iter::from_fn(|| {
        let arm = chooser.choose(run_loop)?;
        run_loop.take(arm).map(|_| arm)
    })
    .collect()
}

/// Often enough for the order to be chance on several threads.
const TIMES: usize = 200;

/// Runs it on one thread, and on several, again and again.
fn on_any_threads<F: Future<Output = ()> + Send + 'static>(test: impl Fn() -> F) {
    let one: Runtime = Builder::new_current_thread().build().unwrap();
    let many: Runtime = Builder::new_multi_thread().worker_threads(4).build().unwrap();
    for runtime in [one, many] {
        for _ in 0..TIMES {
            // In a task, so that on several threads it does not share one with the driver.
            runtime.block_on(runtime.spawn(test())).unwrap();
        }
    }
}

fn write(node: &Node<MemStorage>, ready: &Ready) {
    node.with_storage(|storage| {
        storage.append(&ready.entries).unwrap();
        ready.hard_state.into_iter().for_each(|hard_state| storage.set_hard_state(hard_state));
    });
}

/// A node that campaigned before it was told that its bootstrap is applied would not campaign at all.
#[test]
fn who_advances_and_then_campaigns_leads() {
    on_any_threads(|| async {
        let (node, driver) = Node::start(Config::new(id(1)), MemStorage::new(), &[(id(1), Bytes::new())]).unwrap();
        tokio::spawn(driver);
        let bootstrap = node.ready().await.unwrap();
        write(&node, &bootstrap);
        node.advance(bootstrap).unwrap();
        node.campaign().await.unwrap();

        let vote = node.ready().await.unwrap();
        assert_eq!(vote.hard_state.map(|hard_state| hard_state.vote), Some(Some(id(1))));
        write(&node, &vote);
        node.advance(vote).unwrap();
        assert_eq!(node.status().await.unwrap().basic.soft_state.role, Role::Leader);
        node.propose("data".into()).await.unwrap();
        let first = node.ready().await.unwrap();
        assert_eq!(first.entries.len(), 2, "that of the election, and what was proposed");
        node.stop();
    });
}

/// Node 1 of two, which leads.
fn leader_of_two() -> Loop {
    let mut node = RawNode::new(Config::new(id(1)), storage(&[1, 2])).unwrap();
    node.campaign();
    let work = |node: &mut RawNode<MemStorage>| {
        while let Some(ready) = node.ready() {
            node.storage_mut().append(&ready.entries).unwrap();
            ready.hard_state.into_iter().for_each(|hard_state| node.storage_mut().set_hard_state(hard_state));
            node.advance(ready).unwrap();
        }
    };
    work(&mut node);
    node.step(message(2, 1, Body::VoteResponse { granted: true })).unwrap();
    work(&mut node);
    assert_eq!(node.soft_state().role, Role::Leader);
    Loop::new(node, raft::node::Limits::default())
}

#[test]
fn who_hands_leadership_over_and_then_proposes_is_refused() {
    on_any_threads(|| async {
        let (node, driver) = Node::run(leader_of_two());
        tokio::spawn(driver);
        node.transfer_leadership(id(2)).await.unwrap();
        assert_eq!(
            node.propose("data".into()).await,
            Err(NodeError::Refused(ProposeError::TransferringLeadership { to: id(2) }))
        );
        node.stop();
    });
}

#[test]
fn who_proposes_and_then_hands_leadership_over_is_not_refused() {
    on_any_threads(|| async {
        let (node, driver) = Node::run(leader_of_two());
        tokio::spawn(driver);
        let last = node.status().await.unwrap().basic.last.index;
        node.propose_conf_change(ConfChangeV1::add_learner(id(3)).into()).await.unwrap();
        node.step(forwarded("data")).await.unwrap();
        node.transfer_leadership(id(2)).await.unwrap();
        let status = node.status().await.unwrap();
        assert_eq!(status.basic.last.index, last.plus(2));
        assert_eq!(status.basic.lead_transferee, Some(id(2)));
        node.stop();
    });
}

#[test]
fn the_status_is_that_after_all_that_was_asked_before() {
    on_any_threads(|| async {
        let (node, driver) = Node::run(loop_of(&[1, 2, 3]));
        tokio::spawn(driver);
        for term in 1..=20 {
            node.campaign().await.unwrap();
            assert_eq!(node.status().await.unwrap().basic.hard_state.term, raft::Term(term));
            yield_now().await;
        }
        node.stop();
    });
}
