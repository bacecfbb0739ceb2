//! Through handles of the concurrent node: the driver and every call are futures, and the input says which of them is
//! polled when, which is dropped, and which goes on at another executor. One thread, and nothing is polled by itself.
//!
//! What handles, driver and futures add is checked: whoever could go on has been woken; callers wait for room in line,
//! and only where there is none; what was handed in is taken in that order, save proposals that wait for a leader; one
//! Ready is out at a time, and none is lost; what was proposed takes effect at most once and in order, and not at all
//! if it was taken back in time; after the stop every caller is told of it.

mod door;

use std::collections::VecDeque;
use std::task::Poll;

use raft::node::{Limits, RunLoop};
use raft::{MemStorage, Node, RawNode, Ready, Stopped, Storage};

use super::calls::{Answer, Call, Kind, next_ready};
use super::ledger::Ledger;
use super::order::Order;
use super::stopping::end;
use super::task::Task;
use super::{Habits, Input, Turn};
use crate::harness::step::Run;
use crate::harness::step::door::Door;

/// Lets all of it happen, and ends the node.
pub(super) fn run(input: &Input, habits: Habits) {
    let mut run = Run::new(&input.step, |node| Handled::new(node, input.limits, habits));
    for turn in &input.turns {
        run.next();
        run.door.turn(*turn);
        run.look();
    }
    if !habits.ends_abruptly {
        run.settle();
        run.door.check_quiet();
        run.door.check_stored();
        run.look();
    }
    run.door.end();
}

/// A node behind handles, with all callers.
pub(super) struct Handled {
    pub(super) node: Node<MemStorage>,
    driver: Task<()>,
    /// How often the driver was polled.
    drives: u64,
    /// The calls that wait, in the order in which they came.
    pub(super) calls: Vec<Call>,
    /// Readys that the application has got and not looked at.
    arrived: VecDeque<Ready>,
    /// Whether a Ready is out that has to be advanced.
    out: bool,
    asynchronous: bool,
    pub(super) ledger: Ledger,
    order: Order,
    limits: Limits,
    habits: Habits,
}

impl Handled {
    /// The most callers that wait. Beyond, the one that has waited longest gives up for a newcomer.
    const MOST_CALLS: usize = 96;
    /// The most polls that a call needs if it waits for nothing but the loop.
    const MOST_POLLS: u32 = 100_000;

    fn new(node: RawNode<MemStorage>, limits: Limits, habits: Habits) -> Self {
        let (node, driver) = Node::run(RunLoop::new(node, limits));
        Self::around(node, Task::new(driver), habits)
    }

    pub(super) fn around(node: Node<MemStorage>, driver: Task<()>, habits: Habits) -> Self {
        let (limits, asynchronous) =
            node.inspect(|run_loop| (run_loop.limits(), run_loop.node().config().async_storage_writes));
        Self {
            node,
            driver,
            drives: 0,
            calls: Vec::new(),
            arrived: VecDeque::new(),
            out: false,
            asynchronous,
            ledger: Ledger::default(),
            order: Order::default(),
            limits,
            habits,
        }
    }

    /// What happens between two actions.
    fn turn(&mut self, Turn { bits, which }: Turn) {
        let which = usize::from(which);
        let chosen = |bit: u32| bits >> bit & 1 == 1;
        if chosen(0) && self.driver.is_woken() {
            self.drive();
        }
        if chosen(1) {
            self.poll_all_woken();
        }
        if chosen(2) {
            self.poll_woken(which);
        }
        if chosen(3) {
            self.cancel_one(which);
        }
        if chosen(4) {
            self.poll_elsewhere(which % (self.calls.len() + 1));
        }
        if chosen(5) {
            (0..=which / 16).for_each(|_| self.ask_status());
        }
        if chosen(6) {
            self.ask_ready();
        }
        if chosen(7) {
            self.check_quiet();
        }
        self.check_line();
    }

    fn drive(&mut self) {
        self.drives += 1;
        assert!(self.driver.poll().is_pending(), "the driver ended, and nobody has stopped the node");
        self.order.look_after_driver(&self.node);
    }

    /// The positions of the calls that are woken.
    fn woken(&self) -> Vec<usize> {
        (0..self.calls.len()).filter(|at| self.calls[*at].task.is_woken()).collect()
    }

    /// Polls the calls that are woken, once each, in the order in which they came.
    fn poll_all_woken(&mut self) {
        let mut position = 0;
        while position < self.calls.len() {
            let waiting = self.calls.len();
            if self.calls[position].task.is_woken() {
                self.poll(position, Task::poll);
            }
            position += 1 - (waiting - self.calls.len());
        }
    }

    /// Polls one of the calls that are woken, if there is one.
    fn poll_woken(&mut self, which: usize) -> bool {
        let woken = self.woken();
        if woken.is_empty() {
            return false;
        }
        self.poll(woken[which % woken.len()], Task::poll);
        true
    }

    /// The call at this position goes on elsewhere, or the driver does.
    fn poll_elsewhere(&mut self, position: usize) {
        if position < self.calls.len() {
            return self.poll(position, Task::poll_elsewhere);
        }
        self.drives += 1;
        assert!(self.driver.poll_elsewhere().is_pending(), "the driver ended, and nobody has stopped the node");
        self.order.look_after_driver(&self.node);
    }

    fn poll(&mut self, position: usize, how: impl FnOnce(&mut Task<Answer>) -> Poll<Answer>) {
        let (room, waiting) = self.node.inspect(|run_loop| (run_loop.message_room(), run_loop.waiting_proposals()));
        let call = &mut self.calls[position];
        let (kind, polled) = (call.kind, how(&mut call.task));
        call.entered |= self.node.inspect(RunLoop::message_room) < room;
        self.order.look(&self.node);
        self.note_entered(kind, waiting);
        if let Poll::Ready(answer) = polled {
            self.calls.remove(position);
            self.conclude(kind, answer);
        }
    }

    /// Notes a proposal that joined the queue when it was polled. A newcomer may pass a call that was woken and not
    /// polled yet.
    fn note_entered(&mut self, kind: Kind, waiting_before: usize) {
        if let Kind::Proposal(number) = kind
            && self.node.inspect(RunLoop::waiting_proposals) > waiting_before
        {
            self.ledger.enter(number);
        }
    }

    /// A caller gives up: half of the time one that is woken and would have gone on.
    fn cancel_one(&mut self, which: usize) {
        let candidates = if which % 2 == 1 { self.woken() } else { (0..self.calls.len()).collect() };
        if !candidates.is_empty() {
            self.cancel(candidates[which / 2 % candidates.len()]);
        }
    }

    pub(super) fn cancel(&mut self, position: usize) {
        let Call { kind, task, began, entered } = self.calls.remove(position);
        drop(task);
        self.order.look(&self.node);
        // It never entered, or it entered and the loop has not taken anything since.
        if kind.is_message() && !entered || began == self.drives {
            kind.number().into_iter().for_each(|number| self.ledger.void(number));
        }
    }

    /// Polls a new call for the first time.
    fn begin(&mut self, kind: Kind, future: impl Future<Output = Answer> + 'static) -> Result<Answer, Call> {
        let (room, waiting) = self.node.inspect(|run_loop| (run_loop.message_room(), run_loop.waiting_proposals()));
        let in_line = self.calls.iter().filter(|call| call.waits_for_message_room()).count();
        let mut task = Task::new(future);
        let polled = task.poll();
        let entered = self.node.inspect(RunLoop::message_room) < room;
        self.order.look(&self.node);
        self.note_entered(kind, waiting);
        if kind.is_message() {
            assert_eq!(entered, in_line < room, "{in_line} waited before {kind:?} for room, {room} had it");
            assert_eq!(polled.is_ready(), entered && kind.only_enters(), "{kind:?} waits for what it should");
        }
        match polled {
            Poll::Ready(answer) => Ok(answer),
            Poll::Pending => Err(Call { kind, task, began: self.drives, entered }),
        }
    }

    /// A call that may wait for long.
    fn call(&mut self, kind: Kind, future: impl Future<Output = Answer> + 'static) {
        match self.begin(kind, future) {
            Ok(answer) => self.conclude(kind, answer),
            Err(call) => {
                if self.calls.len() >= Self::MOST_CALLS {
                    self.cancel(0);
                }
                self.calls.push(call);
            }
        }
    }

    /// A call whose caller does nothing else until it ends, while everybody else goes on.
    fn finish(&mut self, kind: Kind, future: impl Future<Output = Answer> + 'static) -> Answer {
        let mut call = match self.begin(kind, future) {
            Ok(answer) => return answer,
            Err(call) => call,
        };
        for _ in 0..Self::MOST_POLLS {
            if !call.task.is_woken() {
                assert!(self.pump(), "{kind:?} waits for ever: nobody is woken");
            } else if let Poll::Ready(answer) = call.task.poll() {
                return answer;
            } else {
                self.order.look(&self.node);
            }
        }
        panic!("{kind:?} waits for ever, and others go on and on");
    }

    /// A notice or message, which waits for room only.
    fn notice<F>(&mut self, notice: impl FnOnce(Node<MemStorage>) -> F)
    where
        F: Future<Output = Result<(), Stopped>> + 'static,
    {
        let entered = notice(self.node.clone());
        self.call(Kind::Message, async { Answer::Entered(entered.await) });
    }

    fn ask_status(&mut self) {
        let (node, now) = (self.node.clone(), self.look(|node| node.basic_status().hard_state));
        self.call(Kind::Status(now), async move { Answer::Status(node.status().await.map(Box::new)) });
    }

    /// With asynchronous storage writes only one caller asks at a time, since Readys are handled in order.
    fn ask_ready(&mut self) {
        if !self.asynchronous || self.calls.iter().all(|call| call.kind != Kind::Ready) {
            self.call(Kind::Ready, next_ready(self.node.clone(), self.habits.stream));
        }
    }

    pub(super) fn conclude(&mut self, kind: Kind, answer: Answer) {
        assert!(!answer.is_stopped(), "{kind:?} ends as if stopped, and nobody has stopped the node");
        match answer {
            Answer::Proposed(Err(_)) | Answer::Read(Err(_)) => {
                kind.number().into_iter().for_each(|number| self.ledger.void(number))
            }
            Answer::Ready(Ok(ready)) => self.arrive(*ready),
            Answer::Status(Ok(status)) => {
                let Kind::Status(asked) = kind else { panic!("{kind:?} is answered with a status") };
                let (now, then) = (self.look(|node| node.basic_status().hard_state), status.basic.hard_state);
                let terms = asked.term <= then.term && then.term <= now.term;
                let commits = asked.commit <= then.commit && then.commit <= now.commit;
                assert!(terms && commits, "a status between {asked:?} and {now:?} tells {then:?}");
            }
            Answer::Proposed(Ok(())) | Answer::Read(Ok(())) | Answer::Entered(_) | Answer::Changed(_) => {}
            Answer::Ready(Err(_)) | Answer::Status(Err(_)) => unreachable!("it is not stopped"),
        }
    }

    pub(super) fn arrive(&mut self, ready: Ready) {
        assert!(!self.out, "a Ready comes while another is out");
        self.out = !self.asynchronous;
        self.ledger.look(&ready);
        self.arrived.push_back(ready);
    }

    /// Lets everybody who is woken go on. Checks that nobody else could go on then.
    pub(super) fn check_quiet(&mut self) {
        let ends = (0..Self::MOST_POLLS).any(|_| !self.pump());
        assert!(ends, "driver and callers wake one another without end");
        let left = self.node.inspect(|run_loop| run_loop.available().next());
        assert_eq!(left, None, "the driver sleeps and could take something");
        for call in &mut self.calls {
            let room = self.node.inspect(RunLoop::proposal_room);
            let polled = call.task.poll();
            let entered = self.node.inspect(RunLoop::proposal_room) != room;
            assert!(polled.is_pending() && !entered, "{:?} sleeps and could go on", call.kind);
        }
    }

    /// Checks that as many of the callers that wait for room among the messages are woken as there is room for, unless
    /// the driver is about to wake them.
    pub(super) fn check_line(&self) {
        let room = self.node.inspect(RunLoop::message_room);
        let line = self.calls.iter().filter(|call| call.waits_for_message_room());
        let asleep = line.take(room).filter(|call| !call.task.is_woken()).count();
        assert!(self.driver.is_woken() || asleep == 0, "{asleep} of those with room among {room} messages sleep");
    }

    /// Checks, after all work is done, that what the node has promised is stored: no Ready was lost on the way.
    pub(super) fn check_stored(&self) {
        let stored = self.node.with_storage(|storage| (storage.last_index(), storage.hard_state()));
        let promised = self.look(|node| (node.basic_status().last.index, node.basic_status().hard_state));
        assert_eq!(stored, promised, "all work is done, and this is stored");
    }

    /// Ends the node in one of the possible ways.
    pub(super) fn end(self) {
        end(self.node, self.driver, self.calls, self.habits.ending);
    }
}
