//! The handle: who waits, who is woken, what dropping a future and stopping do. Polled by hand, so that every order of
//! events is the test's own.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_core::Stream;
use raft::node::{Driver, EnqueueError, Limits, StartError, Ticked};
use raft::{
    AdvanceError, Body, BootstrapError, ChangeError, ConfChangeV1, ConfChangeV2, Config, Index, MemStorage, Node,
    NodeError, ProposeError, Ready, Role, Stopped,
};

use super::{forwarded, heartbeat, id, limited, loop_of, storage, voters};

type Handle = Node<MemStorage>;

/// Counts how often it was woken.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Bell {
    fn rings(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn poll_with<F: Future>(future: Pin<&mut F>, bell: &Arc<Bell>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(&Waker::from(Arc::clone(bell))))
}

/// The outcome of a call that does not wait for the driver.
fn now<F: Future>(future: F) -> F::Output {
    match poll(pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

/// Polls the driver until it has nothing left to do; whether it has ended.
fn drive(driver: &mut Driver<MemStorage>) -> bool {
    let bell = Arc::new(Bell::default());
    loop {
        let before = bell.rings();
        let polled = poll_with(Pin::new(&mut *driver), &bell);
        // It wakes itself where it has more to do.
        if polled.is_ready() || bell.rings() == before {
            return polled.is_ready();
        }
    }
}

fn work(node: &Handle, driver: &mut Driver<MemStorage>) {
    loop {
        let mut ready = pin!(node.ready());
        let polled = poll(ready.as_mut());
        assert!(polled.is_pending());
        drive(driver);
        let Poll::Ready(Ok(ready)) = poll(ready) else { return };
        store(node, &ready);
        node.advance(ready).unwrap();
        drive(driver);
    }
}

fn store(node: &Handle, ready: &Ready) {
    node.with_storage(|storage| storage.write(ready).unwrap());
}

/// Node 1 alone, which leads and has nothing left to do.
fn leader() -> (Handle, Driver<MemStorage>) {
    let (node, mut driver) = Node::run(loop_of(&[1]));
    now(node.campaign()).unwrap();
    drive(&mut driver);
    work(&node, &mut driver);
    (node, driver)
}

fn follow(node: &Handle, driver: &mut Driver<MemStorage>) {
    now(node.step(heartbeat(2, 1))).unwrap();
    drive(driver);
}

#[test]
fn handle_driver_and_futures_go_to_any_thread() {
    fn any_thread<T: Send>(_: &T) {}
    let (node, driver) = Node::run(loop_of(&[1]));
    any_thread(&driver);
    any_thread(&&node);
    any_thread(&node.propose("data".into()));
    any_thread(&node.ready());
    any_thread(&node.readys());
    any_thread(&node.apply_conf_change(ConfChangeV2::leave_joint()));
}

#[test]
fn a_proposal_waits_until_the_loop_has_stepped_it() {
    let (node, mut driver) = leader();
    let bell = Arc::new(Bell::default());
    let mut proposal = pin!(node.propose("data".into()));
    assert!(poll_with(proposal.as_mut(), &bell).is_pending());
    assert_eq!(bell.rings(), 0);
    drive(&mut driver);
    assert_eq!(bell.rings(), 1);
    assert_eq!(poll(proposal), Poll::Ready(Ok(())));
}

#[test]
fn a_dropped_proposal_tells_so() {
    let config = Config { disable_proposal_forwarding: true, ..Config::new(id(1)) };
    let (node, mut driver) = Node::restart(config, storage(&[1, 2])).unwrap();
    follow(&node, &mut driver);
    let mut proposal = pin!(node.propose("data".into()));
    assert!(poll(proposal.as_mut()).is_pending());
    drive(&mut driver);
    assert_eq!(poll(proposal), Poll::Ready(Err(NodeError::Refused(ProposeError::Dropped))));
}

/// As in etcd, whose two calls return when the loop has received them, and it does not while it knows no leader.
#[test]
fn a_proposed_membership_change_and_a_forwarded_proposal_wait_for_a_leader() {
    let (node, mut driver) = Node::run(loop_of(&[1, 2, 3]));
    let bells = [(), ()].map(|()| Arc::new(Bell::default()));
    let mut change = pin!(node.propose_conf_change(ConfChangeV1::add_voter(id(4)).into()));
    let mut forwarded_one = pin!(node.step(forwarded("data")));
    assert!(poll_with(change.as_mut(), &bells[0]).is_pending());
    assert!(poll_with(forwarded_one.as_mut(), &bells[1]).is_pending());
    drive(&mut driver);
    assert_eq!(bells.each_ref().map(|bell| bell.rings()), [0, 0], "nobody leads");

    follow(&node, &mut driver);
    assert_eq!(bells.each_ref().map(|bell| bell.rings()), [1, 1]);
    assert_eq!(poll(change), Poll::Ready(Ok(())));
    assert_eq!(poll(forwarded_one), Poll::Ready(Ok(())));
    assert_eq!(sent_on(&node, &mut driver), 2);
}

#[test]
fn a_proposed_membership_change_and_a_forwarded_proposal_are_taken_back_with_their_calls() {
    let (node, mut driver) = Node::run(loop_of(&[1, 2, 3]));
    {
        let mut change = pin!(node.propose_conf_change(ConfChangeV1::add_voter(id(4)).into()));
        let mut forwarded_one = pin!(node.step(forwarded("data")));
        assert!(poll(change.as_mut()).is_pending());
        assert!(poll(forwarded_one.as_mut()).is_pending());
        assert_eq!(node.inspect(|run_loop| run_loop.waiting_proposals()), 2);
    }
    follow(&node, &mut driver);
    assert_eq!(sent_on(&node, &mut driver), 0);
}

#[test]
fn a_forwarded_proposal_that_nobody_waits_with_is_taken_when_a_leader_is_known() {
    let (node, mut driver) = Node::run(limited(&[1, 2, 3], Limits { proposals: 1, messages: 1, ..Limits::default() }));
    assert_eq!(node.try_step(forwarded("data")), Ok(()));
    assert_eq!(node.try_step(forwarded("more")), Err(EnqueueError::Full));
    assert_eq!(node.try_step(heartbeat(2, 1)), Ok(()));
    assert_eq!(node.try_step(heartbeat(2, 1)), Err(EnqueueError::Full));
    drive(&mut driver);
    assert_eq!(sent_on(&node, &mut driver), 1);
    node.stop();
    assert_eq!(node.try_step(heartbeat(2, 1)), Err(EnqueueError::Stopped));
}

#[test]
fn who_does_not_wait_does_not_take_the_room_of_those_who_do() {
    let (node, mut driver) = Node::run(limited(&[1, 2, 3], Limits { messages: 1, ..Limits::default() }));
    now(node.report_unreachable(id(2))).unwrap();
    let mut in_line = pin!(node.report_unreachable(id(2)));
    assert!(poll(in_line.as_mut()).is_pending());
    drive(&mut driver);
    assert_eq!(node.try_step(heartbeat(2, 1)), Err(EnqueueError::Full));
    assert_eq!(poll(in_line), Poll::Ready(Ok(())));
    drive(&mut driver);
    assert_eq!(node.try_step(heartbeat(2, 1)), Ok(()));
}

/// How many proposals the next Ready sends on to the leader.
fn sent_on(node: &Handle, driver: &mut Driver<MemStorage>) -> usize {
    let mut ready = pin!(node.ready());
    assert!(poll(ready.as_mut()).is_pending());
    drive(driver);
    let Poll::Ready(Ok(ready)) = poll(ready) else { panic!("no Ready") };
    ready.messages.iter().filter(|message| matches!(message.body, Body::Propose { .. })).count()
}

#[test]
fn an_input_wakes_the_driver() {
    let (node, mut driver) = leader();
    let bell = Arc::new(Bell::default());
    let idle = |driver: &mut Driver<MemStorage>| assert!(poll_with(Pin::new(driver), &bell).is_pending());
    let inputs: [&dyn Fn(); 5] = [
        &|| assert!(node.tick().is_ok()),
        &|| now(node.campaign()).unwrap(),
        &|| assert!(poll(pin!(node.propose("data".into()))).is_pending()),
        &|| assert!(poll(pin!(node.status())).is_pending()),
        &|| node.stop(),
    ];
    for (count, input) in inputs.into_iter().enumerate() {
        drive(&mut driver);
        idle(&mut driver);
        assert_eq!(bell.rings(), count);
        input();
        assert_eq!(bell.rings(), count + 1);
    }
}

#[test]
fn callers_beyond_the_limit_wait_for_room_and_get_in_in_the_order_in_which_they_came() {
    let (node, mut driver) = Node::run(limited(&[1, 2, 3], Limits { proposals: 1, ..Limits::default() }));
    let bells = [(), (), ()].map(|()| Arc::new(Bell::default()));
    let mut proposals = ["first", "second", "third"].map(|data| Box::pin(node.propose(data.into())));
    for (proposal, bell) in proposals.iter_mut().zip(&bells) {
        assert!(poll_with(proposal.as_mut(), bell).is_pending());
    }
    follow(&node, &mut driver);
    let [first, second, third] = &mut proposals;
    assert_eq!(poll(first.as_mut()), Poll::Ready(Ok(())));
    assert_eq!((bells[1].rings(), bells[2].rings()), (1, 0));

    assert!(poll_with(third.as_mut(), &bells[2]).is_pending(), "it does not pass the second");
    assert!(poll_with(second.as_mut(), &bells[1]).is_pending());
    drive(&mut driver);
    assert_eq!(poll(second.as_mut()), Poll::Ready(Ok(())));
    assert!(bells[2].rings() > 0);
    assert!(poll(third.as_mut()).is_pending());
    drive(&mut driver);
    assert_eq!(poll(third.as_mut()), Poll::Ready(Ok(())));
}

#[test]
fn whoever_leaves_the_line_passes_the_room_on() {
    let (node, mut driver) = Node::run(limited(&[1, 2, 3], Limits { proposals: 1, ..Limits::default() }));
    let mut proposals = ["first", "second", "third"].map(|data| Some(Box::pin(node.propose(data.into()))));
    let bell = Arc::new(Bell::default());
    for proposal in proposals.iter_mut().flatten() {
        assert!(poll_with(proposal.as_mut(), &bell).is_pending());
    }
    follow(&node, &mut driver);
    let before = bell.rings();
    proposals[1] = None;
    assert!(bell.rings() > before, "the third is woken");
    let third = proposals[2].as_mut().unwrap();
    assert!(poll(third.as_mut()).is_pending());
    drive(&mut driver);
    assert_eq!(poll(third.as_mut()), Poll::Ready(Ok(())));
}

#[test]
fn a_proposal_that_is_dropped_before_it_is_stepped_is_taken_back() {
    let (node, mut driver) = leader();
    let before = node.with_storage(|storage| storage.stored().len());
    {
        let mut proposal = pin!(node.propose("data".into()));
        assert!(poll(proposal.as_mut()).is_pending());
    }
    drive(&mut driver);
    work(&node, &mut driver);
    assert_eq!(node.with_storage(|storage| storage.stored().len()), before);
}

#[test]
fn a_ready_whose_call_is_dropped_goes_to_the_next_call() {
    let (node, mut driver) = leader();
    {
        let mut proposal = pin!(node.propose("data".into()));
        let mut ready = pin!(node.ready());
        assert!(poll(proposal.as_mut()).is_pending());
        assert!(poll(ready.as_mut()).is_pending());
        drive(&mut driver);
        assert!(poll(proposal).is_ready());
    }
    let mut ready = pin!(node.ready());
    assert!(poll(ready.as_mut()).is_pending());
    drive(&mut driver);
    let Poll::Ready(Ok(ready)) = poll(ready) else { panic!("the Ready is lost") };
    assert_eq!(ready.entries.len(), 1);
    store(&node, &ready);
    node.advance(ready).unwrap();
    drive(&mut driver);
    work(&node, &mut driver);
}

#[test]
fn a_ready_that_comes_back_wakes_the_driver_for_whoever_waits() {
    let (node, mut driver) = leader();
    now(node.campaign()).unwrap();
    let mut proposal = pin!(node.propose("data".into()));
    assert!(poll(proposal.as_mut()).is_pending());
    let (mut first, mut second) = (Box::pin(node.ready()), pin!(node.ready()));
    assert!(poll(first.as_mut()).is_pending());
    drive(&mut driver);
    assert!(poll(second.as_mut()).is_pending(), "the first has it, and was not looked at");

    let bell = Arc::new(Bell::default());
    assert!(poll_with(Pin::new(&mut driver), &bell).is_pending());
    let before = bell.rings();
    drop(first);
    assert!(bell.rings() > before);
    drive(&mut driver);
    assert!(matches!(poll(second), Poll::Ready(Ok(_))));
}

#[test]
fn a_driver_with_a_long_queue_lets_others_run_and_asks_to_be_polled_again() {
    let (node, mut driver) = Node::run(loop_of(&[1, 2, 3]));
    (0..100).for_each(|_| assert_eq!(node.tick(), Ok(Ticked::Counted)));
    let bell = Arc::new(Bell::default());
    assert!(poll_with(Pin::new(&mut driver), &bell).is_pending());
    let left = node.inspect(|run_loop| run_loop.pending_ticks());
    assert!(left > 0 && bell.rings() > 0, "{left} ticks wait, and it wakes itself");
    drive(&mut driver);
    assert_eq!(node.inspect(|run_loop| run_loop.pending_ticks()), 0);
}

#[test]
fn a_call_for_a_ready_that_is_dropped_early_takes_none() {
    let (node, mut driver) = leader();
    {
        let mut ready = pin!(node.ready());
        assert!(poll(ready.as_mut()).is_pending());
    }
    let mut proposal = pin!(node.propose("data".into()));
    assert!(poll(proposal.as_mut()).is_pending());
    drive(&mut driver);
    work(&node, &mut driver);
    assert!(poll(proposal).is_ready());
}

#[test]
fn the_stream_gives_a_ready_after_each_advance_and_ends_with_the_node() {
    let (node, mut driver) = leader();
    let mut readys = pin!(node.readys());
    let context = &mut Context::from_waker(Waker::noop());
    let mut proposal = pin!(node.propose("data".into()));
    assert!(poll(proposal.as_mut()).is_pending());
    let mut seen = 0;
    loop {
        assert!(readys.as_mut().poll_next(context).is_pending());
        drive(&mut driver);
        let Poll::Ready(next) = readys.as_mut().poll_next(context) else { break };
        let ready = next.expect("the node runs");
        seen += 1;
        assert!(readys.as_mut().poll_next(context).is_pending(), "one at a time");
        store(&node, &ready);
        node.advance(ready).unwrap();
    }
    assert!(seen >= 2, "one to write and one to apply, not {seen}");
    node.stop();
    assert_eq!(readys.as_mut().poll_next(context), Poll::Ready(None));
    assert_eq!(readys.as_mut().poll_next(context), Poll::Ready(None));
}

#[test]
fn with_asynchronous_storage_writes_what_the_storage_threads_report_reaches_the_node() {
    let config = Config { async_storage_writes: true, ..Config::new(id(1)) };
    let (node, mut driver) = Node::restart(config, storage(&[1])).unwrap();
    now(node.campaign()).unwrap();
    for work in ["term and vote", "the first entry", "its application"] {
        let mut ready = pin!(node.ready());
        assert!(poll(ready.as_mut()).is_pending());
        drive(&mut driver);
        let Poll::Ready(Ok(ready)) = poll(ready) else { panic!("{work} is due") };
        store(&node, &ready);
        if let Some(append) = ready.storage_append {
            append.responses.into_iter().for_each(|own| now(node.step(own)).unwrap());
            append.appended.into_iter().for_each(|appended| node.storage_appended(appended).unwrap());
        }
        ready.storage_apply.into_iter().for_each(|apply| node.storage_applied(apply.into_applied()).unwrap());
    }
    drive(&mut driver);
    let mut status = pin!(node.status());
    assert!(poll(status.as_mut()).is_pending());
    drive(&mut driver);
    let Poll::Ready(Ok(status)) = poll(status) else { panic!("no status") };
    assert_eq!(status.basic.applied, Index(1));
}

#[test]
fn an_applied_change_returns_the_new_membership_or_why_not() {
    let (node, mut driver) = leader();
    let mut applied = pin!(node.apply_conf_change(ConfChangeV1::add_voter(id(2)).into()));
    assert!(poll(applied.as_mut()).is_pending());
    drive(&mut driver);
    assert_eq!(poll(applied), Poll::Ready(Ok(voters(&[1, 2]))));

    let mut refused = pin!(node.apply_conf_change(ConfChangeV2::leave_joint()));
    assert!(poll(refused.as_mut()).is_pending());
    drive(&mut driver);
    assert_eq!(poll(refused), Poll::Ready(Err(NodeError::Refused(ChangeError::NotJoint))));

    let mut later = pin!(node.apply_conf_change_at(Index(1000), ConfChangeV1::remove(id(2)).into()));
    assert!(poll(later.as_mut()).is_pending());
    drive(&mut driver);
    assert_eq!(poll(later), Poll::Ready(Ok(voters(&[1]))));
}

#[test]
fn ticks_that_nobody_takes_are_missed_and_reported() {
    let (node, _driver) = Node::run(loop_of(&[1]));
    let limit = Limits::default().ticks;
    assert!((0..limit).all(|_| node.tick() == Ok(Ticked::Counted)));
    assert_eq!(node.tick(), Ok(Ticked::Missed));
    assert_eq!(node.tick(), Ok(Ticked::Missed));
    assert_eq!(node.missed_ticks(), 2);
}

#[test]
fn nodes_that_start_with_the_same_peers_know_one_another() {
    let peers = [1, 2, 3].map(|number| (id(number), Default::default()));
    let (node, mut driver) = Node::start(Config::new(id(1)), MemStorage::new(), &peers).unwrap();
    let mut status = pin!(node.status());
    assert!(poll(status.as_mut()).is_pending());
    drive(&mut driver);
    let Poll::Ready(Ok(status)) = poll(status) else { panic!("no status") };
    assert_eq!(status.configuration.conf_state(), voters(&[1, 2, 3]));

    let nobody = Node::start(Config::new(id(1)), MemStorage::new(), &[]);
    assert_eq!(nobody.err(), Some(StartError::Bootstrap(BootstrapError::NoPeers)));
    let restarted = Node::restart(Config { heartbeat_tick: 0, ..Config::new(id(1)) }, MemStorage::new());
    assert!(matches!(restarted.err(), Some(StartError::Config(_))));
}

#[test]
fn a_restarted_node_goes_on_from_its_storage() {
    let (node, _driver) = leader();
    let kept = node.with_storage(|storage| storage.clone());
    node.stop();
    let (node, mut driver) = Node::restart(Config::new(id(1)), kept).unwrap();
    now(node.campaign()).unwrap();
    let mut status = pin!(node.status());
    assert!(poll(status.as_mut()).is_pending());
    drive(&mut driver);
    work(&node, &mut driver);
    let Poll::Ready(Ok(status)) = poll(status) else { panic!("no status") };
    assert_eq!(status.basic.hard_state.term.0, 2);
    assert_ne!(status.basic.soft_state.role, Role::Follower);
}

/// Every call of a stopped node, those that wait and those that do not.
fn assert_all_stopped(node: &Handle) {
    let change = ConfChangeV1::add_voter(id(4));
    assert_eq!(node.tick(), Err(Stopped));
    assert_eq!(now(node.campaign()), Err(Stopped));
    assert_eq!(now(node.propose("data".into())), Err(NodeError::Stopped));
    assert_eq!(now(node.propose_conf_change(change.clone().into())), Err(Stopped));
    assert_eq!(now(node.step(heartbeat(2, 1))), Err(Stopped));
    assert_eq!(now(node.step(forwarded("data"))), Err(Stopped));
    assert_eq!(node.try_step(heartbeat(2, 1)), Err(EnqueueError::Stopped));
    assert_eq!(now(node.ready()), Err(Stopped));
    assert_eq!(node.advance(Ready::default()), Err(NodeError::Stopped));
    assert_eq!(now(node.apply_conf_change(change.into())), Err(NodeError::Stopped));
    assert_eq!(now(node.transfer_leadership(id(2))), Err(Stopped));
    assert_eq!(now(node.forget_leader()), Err(Stopped));
    assert_eq!(now(node.read_index("read".into())), Err(Stopped));
    assert_eq!(now(node.status()), Err(Stopped));
    assert_eq!(now(node.report_unreachable(id(2))), Err(Stopped));
    assert_eq!(now(node.report_snapshot(id(2), raft::SnapshotStatus::Finish)), Err(Stopped));
    let appended = raft::StorageAppended { term: raft::Term(1), last: None, snapshot: None };
    assert_eq!(node.storage_appended(appended), Err(Stopped));
    assert_eq!(node.storage_applied(raft::StorageApply::default().into_applied()), Err(Stopped));
    node.stop();
}

/// Ends a node with a call of every kind pending, and checks that each is woken and returns `Stopped`.
fn assert_pending_calls_end(end: impl FnOnce(&Handle, Driver<MemStorage>)) {
    let limits = Limits { proposals: 1, messages: 1, ticks: 1 };
    let (node, driver) = Node::run(limited(&[1, 2, 3], limits));
    let bell = Arc::new(Bell::default());
    let mut queued = pin!(node.propose("queued".into()));
    let mut in_line = pin!(node.propose("in line".into()));
    let mut change_in_line = pin!(node.propose_conf_change(ConfChangeV1::add_voter(id(4)).into()));
    let mut forwarded_in_line = pin!(node.step(forwarded("in line")));
    now(node.campaign()).unwrap();
    let mut message_in_line = pin!(node.step(heartbeat(2, 1)));
    let mut ready = pin!(node.ready());
    let mut status = pin!(node.status());
    let mut applied = pin!(node.apply_conf_change(ConfChangeV1::add_voter(id(4)).into()));
    assert!(poll_with(queued.as_mut(), &bell).is_pending());
    assert!(poll_with(in_line.as_mut(), &bell).is_pending());
    assert!(poll_with(change_in_line.as_mut(), &bell).is_pending());
    assert!(poll_with(forwarded_in_line.as_mut(), &bell).is_pending());
    assert!(poll_with(message_in_line.as_mut(), &bell).is_pending());
    assert!(poll_with(ready.as_mut(), &bell).is_pending());
    assert!(poll_with(status.as_mut(), &bell).is_pending());
    assert!(poll_with(applied.as_mut(), &bell).is_pending());

    end(&node, driver);
    assert_eq!(bell.rings(), 8);
    assert_eq!(poll(queued), Poll::Ready(Err(NodeError::Stopped)));
    assert_eq!(poll(in_line), Poll::Ready(Err(NodeError::Stopped)));
    assert_eq!(poll(change_in_line), Poll::Ready(Err(Stopped)));
    assert_eq!(poll(forwarded_in_line), Poll::Ready(Err(Stopped)));
    assert_eq!(poll(message_in_line), Poll::Ready(Err(Stopped)));
    assert_eq!(poll(ready), Poll::Ready(Err(Stopped)));
    assert_eq!(poll(status), Poll::Ready(Err(Stopped)));
    assert_eq!(poll(applied), Poll::Ready(Err(NodeError::Stopped)));
    assert_all_stopped(&node);
}

#[test]
fn after_stop_every_call_and_every_pending_one_returns_stopped() {
    assert_pending_calls_end(|node, mut driver| {
        node.stop();
        assert!(drive(&mut driver));
    });
}

#[test]
fn dropping_the_driver_stops_the_node() {
    assert_pending_calls_end(|_, driver| drop(driver));
}

#[test]
fn a_panic_of_the_storage_stops_the_node_and_leaves_nobody_waiting() {
    assert_pending_calls_end(|node, driver| {
        let node = node.clone();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
            let _driver = driver;
            node.with_storage(|_| panic!("the device failed"));
        }));
        assert!(panicked.is_err());
    });
}

#[test]
fn dropping_the_last_handle_ends_the_driver() {
    let (node, mut driver) = leader();
    let other = node.clone();
    drop(node);
    assert!(!drive(&mut driver));
    drop(other);
    assert!(drive(&mut driver));
}

#[test]
fn a_handle_shows_what_it_is_and_nothing_of_what_is_inside() {
    let (handle, _driver) = Node::run(loop_of(&[1]));
    assert_eq!(format!("{handle:?}"), "Node { .. }");
}

#[test]
fn a_held_ready_that_is_dropped_goes_to_the_next_who_asks() {
    let (node, mut driver) = leader();
    now_or_later(node.propose("data".into()), &mut driver).unwrap();
    let dropped = now_or_later(node.next_ready(), &mut driver).unwrap();
    let said = Ready::clone(&dropped);
    assert_eq!(said.entries.len(), 1);
    drop(dropped);
    let held = now_or_later(node.next_ready(), &mut driver).unwrap();
    assert_eq!(*held, said);
    store(&node, &held);
    held.advance().unwrap();
    work(&node, &mut driver);
    let status = now_or_later(node.status(), &mut driver).unwrap();
    assert_eq!(status.basic.applied, status.basic.last.index);
}

#[test]
fn a_held_ready_of_a_node_with_asynchronous_writes_is_passed_on() {
    let config = Config { async_storage_writes: true, ..Config::new(id(1)) };
    let (node, mut driver) = Node::restart(config, storage(&[1])).unwrap();
    now_or_later(node.campaign(), &mut driver).unwrap();
    let held = now_or_later(node.next_ready(), &mut driver).unwrap();
    assert!(held.storage_append.is_some());
    assert_eq!(held.advance(), Ok(()));
}

#[test]
fn a_ready_of_another_node_is_refused_by_the_handle_too() {
    let [(one, mut driver), (other, mut others_driver)] = [leader(), leader()];
    now_or_later(one.propose("data".into()), &mut driver).unwrap();
    now_or_later(other.propose("data".into()), &mut others_driver).unwrap();
    let _mine = now_or_later(one.ready(), &mut driver).unwrap();
    let others = now_or_later(other.ready(), &mut others_driver).unwrap();
    assert_eq!(one.advance(others), Err(NodeError::Refused(AdvanceError::Foreign)));
}

/// The answer to a call, which the driver has to be polled for.
fn now_or_later<T>(call: impl Future<Output = T>, driver: &mut Driver<MemStorage>) -> T {
    let mut call = pin!(call);
    if let Poll::Ready(answer) = poll(call.as_mut()) {
        return answer;
    }
    drive(driver);
    let Poll::Ready(answer) = poll(call) else { panic!("no answer") };
    answer
}
