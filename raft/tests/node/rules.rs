//! The rules of the loop, each by itself.

use raft::node::{Arm, EnqueueError, Limits, NodeError, RunLoop, Taken, Ticked};
use raft::{AdvanceError, Body, Config, Index, MemStorage, ProposeError, RawNode, Ready, Role, StepError};

use super::{forwarded, heartbeat, id, leader, limited, loop_of, message, ready, step, storage, store, work};

#[test]
fn proposals_wait_while_there_is_no_leader_and_go_on_in_order_when_one_is_known() {
    let mut run_loop = loop_of(&[1, 2, 3]);
    let first = run_loop.propose("first".into()).unwrap();
    let second = run_loop.propose("second".into()).unwrap();
    assert_eq!(run_loop.available().count(), 0);
    assert_eq!(run_loop.take(Arm::Proposal), None);

    step(&mut run_loop, heartbeat(2, 1));
    assert_eq!(run_loop.take(Arm::Proposal), Some(Taken::Proposal { ticket: first, result: Ok(()) }));
    assert_eq!(run_loop.take(Arm::Proposal), Some(Taken::Proposal { ticket: second, result: Ok(()) }));
    assert_eq!(run_loop.take(Arm::Proposal), None);
}

#[test]
fn proposals_wait_again_when_the_leader_is_lost() {
    let mut run_loop = loop_of(&[1, 2, 3]);
    step(&mut run_loop, heartbeat(2, 1));
    assert!(run_loop.accepts_proposals());
    run_loop.forget_leader().unwrap();
    run_loop.take(Arm::Message);
    assert!(!run_loop.accepts_proposals());
    step(&mut run_loop, heartbeat(2, 1));
    assert!(run_loop.accepts_proposals());
}

#[test]
fn no_more_proposals_wait_than_the_limit_allows() {
    let mut run_loop = limited(&[1, 2, 3], Limits { proposals: 2, ..Limits::default() });
    run_loop.propose("first".into()).unwrap();
    run_loop.propose_conf_change(raft::ConfChangeV1::add_voter(id(4)).into()).unwrap();
    assert_eq!(run_loop.propose("third".into()), Err(EnqueueError::Full));
    step(&mut run_loop, heartbeat(2, 1));
    run_loop.take(Arm::Proposal).unwrap();
    assert!(run_loop.propose("third".into()).is_ok());
}

#[test]
fn no_more_messages_wait_than_the_limit_allows() {
    let mut run_loop = limited(&[1, 2, 3], Limits { messages: 1, ..Limits::default() });
    run_loop.step(heartbeat(2, 1)).unwrap();
    assert_eq!(run_loop.step(heartbeat(2, 1)), Err(EnqueueError::Full));
    assert_eq!(run_loop.campaign(), Err(EnqueueError::Full));
    assert_eq!(run_loop.read_index("read".into()), Err(EnqueueError::Full));
    run_loop.take(Arm::Message).unwrap();
    assert!(run_loop.step(heartbeat(2, 1)).is_ok());
}

#[test]
fn a_forwarded_proposal_waits_for_a_leader_while_other_messages_pass_it() {
    let mut run_loop = loop_of(&[1, 2, 3]);
    run_loop.step(forwarded("early")).unwrap();
    assert_eq!(run_loop.available().count(), 0);
    step(&mut run_loop, heartbeat(2, 1));
    assert!(matches!(run_loop.take(Arm::Proposal), Some(Taken::UnattendedProposal { result: Ok(()), .. })));
}

#[test]
fn a_forwarded_proposal_needs_room_among_the_proposals() {
    let mut run_loop = limited(&[1, 2, 3], Limits { proposals: 1, messages: 1, ..Limits::default() });
    run_loop.step(forwarded("kept")).unwrap();
    assert_eq!(run_loop.step(forwarded("refused")), Err(EnqueueError::Full));
    step(&mut run_loop, heartbeat(2, 1));
    assert!(run_loop.take(Arm::Proposal).is_some());
    assert_eq!(run_loop.take(Arm::Proposal), None);
}

#[test]
fn a_dropped_proposal_is_told_as_dropped() {
    let config = Config { disable_proposal_forwarding: true, ..Config::new(id(1)) };
    let mut run_loop = RunLoop::new(RawNode::new(config, storage(&[1, 2])).unwrap(), Limits::default());
    step(&mut run_loop, heartbeat(2, 1));
    let ticket = run_loop.propose("data".into()).unwrap();
    let result = Err(ProposeError::NotLeader { leader: id(2) });
    assert_eq!(run_loop.take(Arm::Proposal), Some(Taken::Proposal { ticket, result }));
}

#[test]
fn a_loop_around_a_node_that_leads_already_takes_proposals_at_once() {
    let node = leader().node().clone();
    assert!(RunLoop::new(node, Limits::default()).accepts_proposals());
}

#[test]
fn a_response_from_an_unknown_peer_is_ignored() {
    let mut run_loop = leader();
    let before = format!("{:?}", run_loop.node());
    let term = run_loop.node().basic_status().hard_state.term.0;
    run_loop.step(message(9, term + 5, Body::AppendAccepted { index: Index(1) })).unwrap();
    let refused = StepError::PeerNotFound(id(9));
    assert_eq!(run_loop.take(Arm::Message), Some(Taken::Message(Err(refused))));
    assert_eq!(format!("{:?}", run_loop.node()), before);
}

#[test]
fn one_ready_is_out_until_it_is_advanced_and_all_else_goes_on() {
    let mut run_loop = leader();
    run_loop.propose("first".into()).unwrap();
    run_loop.take(Arm::Proposal).unwrap();
    let out = ready(&mut run_loop).unwrap();

    run_loop.propose("second".into()).unwrap();
    run_loop.take(Arm::Proposal).unwrap();
    run_loop.tick().unwrap();
    run_loop.take(Arm::Tick).unwrap();
    run_loop.read_index("read".into()).unwrap();
    run_loop.take(Arm::Message).unwrap();
    let ticket = run_loop.request_ready().unwrap();
    assert_eq!(run_loop.available().count(), 0);

    store(&mut run_loop, &out);
    run_loop.advance(out).unwrap();
    assert_eq!(run_loop.available().collect::<Vec<_>>(), [Arm::Advance]);
    run_loop.take(Arm::Advance).unwrap();
    let Some(Taken::Ready { ticket: given, ready }) = run_loop.take(Arm::Ready) else { panic!("a Ready is due") };
    assert_eq!((given, ready.entries.len(), ready.read_states.len()), (ticket, 1, 1));
}

#[test]
fn a_ready_is_collected_when_it_is_taken_and_not_when_it_is_asked_for() {
    let mut run_loop = leader();
    run_loop.request_ready().unwrap();
    for data in ["first", "second", "third"] {
        run_loop.propose(data.into()).unwrap();
        run_loop.take(Arm::Proposal).unwrap();
        assert!(run_loop.can_take(Arm::Ready));
    }
    let Some(Taken::Ready { ready, .. }) = run_loop.take(Arm::Ready) else { panic!("a Ready is due") };
    assert_eq!(ready.entries.len(), 3);
}

#[test]
fn a_ready_is_not_collected_before_somebody_asks() {
    let mut run_loop = leader();
    run_loop.propose("data".into()).unwrap();
    run_loop.take(Arm::Proposal).unwrap();
    assert!(run_loop.node().has_ready());
    assert_eq!(run_loop.take(Arm::Ready), None);
    assert!(run_loop.node().has_ready());
}

#[test]
fn a_ready_that_nobody_saw_goes_to_the_next_who_asks() {
    let mut run_loop = leader();
    run_loop.propose("data".into()).unwrap();
    run_loop.take(Arm::Proposal).unwrap();
    let unseen = ready(&mut run_loop).unwrap();
    run_loop.return_ready(unseen.clone());
    assert_eq!(ready(&mut run_loop), Some(unseen.clone()));
    store(&mut run_loop, &unseen);
    run_loop.advance(unseen).unwrap();
    run_loop.take(Arm::Advance).unwrap();
    work(&mut run_loop);
}

#[test]
fn readys_that_nobody_saw_go_out_in_the_order_of_their_making_whoever_left_first() {
    let config = Config { async_storage_writes: true, ..Config::new(id(1)) };
    let mut run_loop = RunLoop::new(RawNode::new(config, storage(&[1, 2, 3])).unwrap(), Limits::default());
    let unseen = [1, 2].map(|term| {
        run_loop.campaign().unwrap();
        run_loop.take(Arm::Message).unwrap();
        let ready = ready(&mut run_loop).unwrap();
        assert_eq!(ready.hard_state.unwrap().term, raft::Term(term));
        ready
    });
    for ready in unseen.iter().rev() {
        run_loop.return_ready(ready.clone());
    }
    assert_eq!([ready(&mut run_loop), ready(&mut run_loop)], unseen.map(Some));
}

#[test]
fn the_ready_of_another_loop_is_neither_advanced_nor_taken_back() {
    let foreign = Err(NodeError::Refused(AdvanceError::Foreign));
    let [mut one, mut other] = [leader(), leader()];
    for run_loop in [&mut one, &mut other] {
        run_loop.propose("data".into()).unwrap();
        run_loop.take(Arm::Proposal).unwrap();
    }
    let (mine, others) = (ready(&mut one).unwrap(), ready(&mut other).unwrap());
    assert_eq!(mine, others, "they say the same");
    assert_eq!(one.advance(others.clone()), foreign);
    one.return_ready(others);
    assert_eq!(ready(&mut one), None, "its own is out");
    store(&mut one, &mine);
    one.advance(mine).unwrap();
}

#[test]
fn a_ready_that_was_given_back_is_not_advanced_before_it_is_out_again() {
    let mut run_loop = leader();
    run_loop.propose("data".into()).unwrap();
    run_loop.take(Arm::Proposal).unwrap();
    let seen = ready(&mut run_loop).unwrap();
    run_loop.return_ready(seen.clone());
    assert_eq!(run_loop.advance(seen.clone()), Err(NodeError::Refused(AdvanceError::NotOutstanding)));
    assert_eq!(ready(&mut run_loop), Some(seen.clone()));
    store(&mut run_loop, &seen);
    run_loop.advance(seen.clone()).unwrap();
    run_loop.return_ready(seen);
    run_loop.take(Arm::Advance).unwrap();
    work(&mut run_loop);
}

#[test]
fn only_the_outstanding_ready_can_be_advanced_and_only_once() {
    let refused = Err(NodeError::Refused(AdvanceError::NotOutstanding));
    let mut run_loop = leader();
    assert_eq!(run_loop.advance(Ready::default()), refused);
    run_loop.propose("data".into()).unwrap();
    run_loop.take(Arm::Proposal).unwrap();
    let out = ready(&mut run_loop).unwrap();
    assert_eq!(run_loop.advance(Ready::default()), refused);
    store(&mut run_loop, &out);
    run_loop.advance(out.clone()).unwrap();
    assert_eq!(run_loop.advance(out.clone()), refused);
    run_loop.take(Arm::Advance).unwrap();
    assert_eq!(run_loop.advance(out), refused);
}

#[test]
fn with_asynchronous_storage_writes_readys_follow_one_another_without_advance() {
    let config = Config { async_storage_writes: true, ..Config::new(id(1)) };
    let mut run_loop = RunLoop::new(RawNode::new(config, storage(&[1])).unwrap(), Limits::default());
    run_loop.campaign().unwrap();
    run_loop.take(Arm::Message).unwrap();
    let first = ready(&mut run_loop).unwrap().storage_append.unwrap();
    run_loop.tick().unwrap();
    run_loop.take(Arm::Tick).unwrap();
    assert_eq!(run_loop.advance(Ready::default()), Err(NodeError::Refused(AdvanceError::AsynchronousStorageWrites)));
    for response in first.responses {
        step(&mut run_loop, response);
    }
    assert_eq!(run_loop.node().soft_state().role, Role::Leader);

    let second = ready(&mut run_loop).unwrap().storage_append.unwrap();
    run_loop.propose("data".into()).unwrap();
    run_loop.take(Arm::Proposal).unwrap();
    let third = ready(&mut run_loop).unwrap().storage_append.unwrap();
    for append in [second, third] {
        run_loop.storage_mut().append(&append.entries).unwrap();
        for response in append.responses {
            step(&mut run_loop, response);
        }
        run_loop.storage_appended(append.appended.unwrap()).unwrap();
        run_loop.take(Arm::Message).unwrap();
    }
    let apply = ready(&mut run_loop).unwrap().storage_apply.unwrap();
    assert_eq!(apply.entries.len(), 2);
    run_loop.storage_applied(apply.into_applied()).unwrap();
    run_loop.take(Arm::Message).unwrap();
    assert_eq!(run_loop.node().basic_status().applied, Index(2));
}

#[test]
fn ticks_that_find_too_many_waiting_are_missed_and_counted() {
    let mut run_loop = limited(&[1, 2, 3], Limits { ticks: 3, ..Limits::default() });
    let ticked: Vec<Ticked> = (0..5).map(|_| run_loop.tick().unwrap()).collect();
    assert_eq!(ticked, [Ticked::Counted, Ticked::Counted, Ticked::Counted, Ticked::Missed, Ticked::Missed]);
    assert_eq!((run_loop.pending_ticks(), run_loop.missed_ticks()), (3, 2));
    run_loop.take(Arm::Tick).unwrap();
    assert_eq!(run_loop.tick(), Ok(Ticked::Counted));
    assert_eq!((run_loop.pending_ticks(), run_loop.missed_ticks()), (3, 2));
}

#[test]
fn each_tick_taken_is_one_tick_of_the_node() {
    let mut run_loop = loop_of(&[1, 2, 3]);
    for _ in 0..Config::new(id(1)).election_tick {
        assert_eq!(run_loop.node().soft_state().role, Role::Follower);
        run_loop.tick().unwrap();
        assert_eq!(run_loop.take(Arm::Tick), Some(Taken::Tick));
    }
    assert_eq!(run_loop.node().soft_state().role, Role::Candidate);
}

#[test]
fn requests_and_reports_reach_the_node_in_the_order_in_which_they_came() {
    let mut run_loop = loop_of(&[1, 2, 3]);
    step(&mut run_loop, heartbeat(2, 1));
    run_loop.read_index("read".into()).unwrap();
    run_loop.transfer_leadership(id(3)).unwrap();
    run_loop.report_unreachable(id(2)).unwrap();
    run_loop.report_snapshot(id(2), raft::SnapshotStatus::Failure).unwrap();
    while run_loop.take(Arm::Message).is_some() {}
    let sent: Vec<Body> = ready(&mut run_loop).unwrap().messages.into_iter().map(|message| message.body).collect();
    let read = Body::ReadIndex { context: "read".into() };
    assert!(sent.windows(2).any(|pair| pair == [read.clone(), Body::TransferLeader]), "{sent:?}");
}

#[test]
fn the_status_is_that_of_its_place_among_the_inputs() {
    let mut run_loop = loop_of(&[1, 2, 3]);
    run_loop.campaign().unwrap();
    let asked = run_loop.request_status().unwrap();
    run_loop.campaign().unwrap();
    run_loop.take(Arm::Message).unwrap();
    let Some(Taken::Status { ticket, status }) = run_loop.take(Arm::Status) else { panic!("a status is due") };
    assert_eq!((ticket, status.basic.hard_state.term), (asked, raft::Term(1)));
    assert_eq!(status.basic.soft_state.role, Role::Candidate);
}

#[test]
fn a_clone_goes_its_own_way_and_the_same_way_from_the_same_inputs() {
    let mut original: RunLoop<MemStorage> = leader();
    original.propose("data".into()).unwrap();
    let before = format!("{original:?}");
    let mut copy = original.clone();
    copy.take(Arm::Proposal).unwrap();
    work(&mut copy);
    assert_eq!(format!("{original:?}"), before);
    original.take(Arm::Proposal).unwrap();
    work(&mut original);
    assert_eq!(format!("{original:?}"), format!("{copy:?}"));
}
