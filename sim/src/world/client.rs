//! The clients: what each is waiting for, and the checkers that look at every answer.
//!
//! A client has one operation under way. It sends it to a node and, as long as it has no answer, may send it again, to
//! the same node or another; all of that is the same operation, with the same number, and takes effect once. Only a
//! node to which it was sent, and which has not crashed since, may answer it: a command once the node applies it, a
//! read once the node has applied the log up to the index of the read. A client that begins the next operation gives up
//! the one before: whether that one took effect is unknown for good.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use raft::{Index, NodeId, ReadState};

use super::client_seam::Client as ClientSeam;
use super::key_value::Effect;
use super::outcome::{Completion, Inapplicable};
use super::setup::Setup;
use super::state_machine::StateMachine;
use super::statistics::Statistics;
use crate::application::Application;
use crate::history::{
    Answer, AppliedOrder, Command, Fate, Instants, KeyedHistories, Operation, Record, Session, Submission, TookEffect,
    Windows,
};
use crate::invariant::Check;
use crate::planted::{Bug, planted};
use crate::shared::Shared;
use crate::slots::slot;

/// The clients of a world.
#[derive(Clone, Debug, Default)]
pub struct Clients {
    clients: Vec<Client>,
    /// Reads that wait for their node to apply up to an index, for each node and client at most one.
    waiting: Vec<Waiting>,
    order: AppliedOrder,
    windows: Windows,
    /// The same for a user's application.
    own: Option<Own>,
    completed: Vec<Completion>,
    /// Whether answers go unchecked.
    off: bool,
}

/// What the answers of a user's application are held against.
#[derive(Clone, Debug)]
struct Own {
    /// Before anything was applied.
    model: Arc<dyn Application>,
    client: Arc<dyn ClientSeam>,
    histories: KeyedHistories,
}

#[derive(Clone, Debug, Default)]
struct Client {
    /// The number of the client's newest operation.
    sequence: u64,
    /// How often that operation was sent.
    sent: u64,
    under_way: Option<UnderWay>,
}

/// An operation that is not answered yet.
#[derive(Clone, Debug)]
struct UnderWay {
    operation: Operation,
    /// The data that proposes it, the same each time; none for a read.
    data: Option<Bytes>,
    /// The step of its invocation.
    invoked: u64,
    /// The highest position that had been acknowledged by then.
    floor: Index,
    /// The nodes that may answer, a bit each.
    asked: u64,
}

/// Steps count by their order alone. What was completed is taken away with every event; and reads wait in an order that decides
/// nothing, since a node and a client have one at most.
impl Hash for Clients {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { clients, waiting, order, windows, own, completed: _, off } = self;
        let histories = own.as_ref().map(|own| &own.histories);
        let under_way = || clients.iter().map(|client| client.under_way.as_ref());
        let instants = under_way().flatten().map(|one| one.invoked).chain(windows.steps());
        let instants: Instants = instants.chain(histories.into_iter().flat_map(KeyedHistories::steps)).collect();
        (clients.len(), order, off).hash(state);
        for (Client { sequence, sent, under_way: _ }, under_way) in clients.iter().zip(under_way()) {
            (sequence, sent, under_way.is_some()).hash(state);
            if let Some(UnderWay { operation, data, invoked, floor, asked }) = under_way {
                (operation, data, instants.rank(*invoked), floor, asked).hash(state);
            }
        }
        let mut waiting: Vec<&Waiting> = waiting.iter().collect();
        waiting.sort_unstable();
        waiting.hash(state);
        windows.hash_state(&instants, state);
        histories.into_iter().for_each(|histories| histories.hash_state(&instants, state));
    }
}

/// A read that a node may answer once it has applied up to the index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Waiting {
    node: NodeId,
    index: Index,
    client: u64,
    sequence: u64,
}

/// How an operation is put to a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Request {
    /// As data to propose.
    Propose(Bytes),
    /// As the context of a read.
    ReadIndex(Bytes),
}

impl Clients {
    /// Clients of what a user has brought.
    pub(super) fn of(setup: &Setup) -> Self {
        let Some(model) = setup.model() else { return Self::default() };
        let order = AppliedOrder::of(model.clone());
        let own = |client: &Arc<dyn ClientSeam>| Own {
            model: model.into(),
            client: Arc::clone(client),
            histories: KeyedHistories::default(),
        };
        Self { order, own: setup.brought_client().map(own), ..Self::default() }
    }

    /// Clients whose answers are not checked.
    pub(super) fn unchecked() -> Self {
        Self { off: true, ..Self::default() }
    }

    /// What this client waits for.
    pub fn under_way(&self, client: u64) -> Option<&Operation> {
        Some(&self.client(client)?.under_way.as_ref()?.operation)
    }

    /// Whether some node may still answer what this client waits for. If not, it waits until it sends again.
    pub fn may_be_answered(&self, client: u64) -> bool {
        self.client(client).and_then(|client| client.under_way.as_ref()).is_some_and(|under_way| under_way.asked != 0)
    }

    /// The key that an operation is about: of the store, or as a user's clients say.
    pub fn key_of(&self, operation: &Operation) -> Option<u64> {
        operation.key().or_else(|| self.own.as_ref()?.client.key(operation))
    }

    /// A user's application before anything was applied, if one answers the clients.
    pub fn model(&self) -> Option<&dyn Application> {
        self.own.as_ref().map(|own| &*own.model)
    }

    /// The answers that came with an event that broke something; none after any other event.
    pub fn answered(&self) -> &[Completion] {
        &self.completed
    }

    /// The operations of clients in the order of their answers, and what searches found.
    pub const fn windows(&self) -> &Windows {
        &self.windows
    }

    fn client(&self, client: u64) -> Option<&Client> {
        self.clients.get(usize::try_from(client).ok()?)
    }

    /// A client begins an operation, and gives up the one before.
    pub(super) fn invoke(&mut self, number: u64, operation: &Operation, step: u64) -> Result<Request, Inapplicable> {
        if number >= Command::CLIENTS {
            return Err(Inapplicable::NoSuchClient(number));
        }
        if let Some(key) = operation.key().filter(|key| *key >= Command::KEYS) {
            return Err(Inapplicable::NoSuchKey(key));
        }
        let floor = self.order.acknowledged();
        let client = slot(&mut self.clients, number);
        let given_up = client.under_way.take().map(|before| before.record(number, client.sequence));
        let sequence = client.sequence + 1;
        let data = data(number, sequence, operation);
        let under_way = UnderWay { operation: operation.clone(), data, invoked: step, floor, asked: 0 };
        *client = Client { sequence, sent: 0, under_way: Some(under_way) };
        if let Some(record) = given_up {
            self.waiting.retain(|waiting| waiting.client != number);
            // A record without an answer does not complete a window.
            let _ = self.push(record);
        }
        self.request(number)
    }

    /// A client puts what it waits for to a node, once more or for the first time.
    pub(super) fn request(&mut self, number: u64) -> Result<Request, Inapplicable> {
        let client = usize::try_from(number).ok().and_then(|client| self.clients.get_mut(client));
        let Some(Client { sequence, sent, under_way: Some(under_way) }) = client else {
            return Err(Inapplicable::NothingUnderWay(number));
        };
        *sent += 1;
        Ok(match &under_way.data {
            Some(data) => Request::Propose(data.clone()),
            None => Request::ReadIndex(context(number, *sequence, *sent)),
        })
    }

    /// The node took the request.
    pub(super) fn asked(&mut self, client: u64, node: NodeId) {
        if let Some(under_way) = &mut slot(&mut self.clients, client).under_way {
            under_way.asked |= bit(node);
        }
    }

    /// A node forgot whom it has to answer.
    pub(super) fn crashed(&mut self, node: NodeId) {
        self.waiting.retain(|waiting| waiting.node != node);
        for under_way in self.clients.iter_mut().filter_map(|client| client.under_way.as_mut()) {
            under_way.asked &= !bit(node);
        }
    }

    /// A node's application applied an entry, with this command if it holds one.
    pub(super) fn applied(
        all: &mut Shared<Self>,
        node: NodeId,
        index: Index,
        command: Option<&Command>,
        effect: Effect,
        now: &mut Now<'_>,
    ) -> Check {
        if all.order.is_new(index) {
            all.order.applied(index, command);
        }
        match (command, effect) {
            (Some(command), Effect::Executed(effect) | Effect::Repeated(effect)) => {
                if all.client(command.client).is_none_or(|client| client.sequence < command.sequence) {
                    // Somebody proposed it as data, so that nobody knows when it was invoked.
                    all.windows.give_up(command.key);
                }
                match all.answerable(node, command.client, effect.sequence) {
                    Some(_) => all.acknowledge(node, command.client, effect, now),
                    None => Ok(()),
                }
            }
            (Some(_), Effect::NoCommand) | (None, _) => Ok(()),
        }
    }

    /// A node's application, which is a user's, applied an entry with this request, and that led to this.
    pub(super) fn handled(
        &mut self,
        node: NodeId,
        index: Index,
        submission: &Submission,
        session: &Session,
        now: &mut Now<'_>,
    ) -> Check {
        self.order.applied_request(index, submission);
        let client = submission.client;
        let Some(under_way) = self.answerable(node, client, session.sequence) else { return Ok(()) };
        let floor = under_way.floor;
        let fine = self.order.acknowledge_request(node, client, floor, session);
        let answer = Answer::Reply(session.answer.clone());
        self.judge_answer(node, client, &answer, fine)?;
        self.complete(node, client, answer, now)
    }

    fn acknowledge(&mut self, node: NodeId, client: u64, effect: TookEffect, now: &mut Now<'_>) -> Check {
        let Some(under_way) = self.answerable(node, client, effect.sequence) else { return Ok(()) };
        let Some(answer) = under_way.operation.answer(&effect) else { return Ok(()) };
        let floor = under_way.floor;
        let fine = self.order.acknowledge(node, client, floor, &effect);
        self.judge_answer(node, client, &answer, fine)?;
        self.complete(node, client, answer, now)
    }

    /// A node may answer a read.
    pub(super) fn read_ready(&mut self, node: NodeId, read: &ReadState) {
        let Some((client, sequence)) = parse_context(&read.context) else { return };
        if self.answerable(node, client, sequence).is_some() {
            self.waiting.push(Waiting { node, index: read.index, client, sequence });
        }
    }

    /// Whether reads wait for nodes to apply as much as they ask for.
    pub(super) const fn are_reading(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Lets a node answer the reads that waited for it to apply as much as it has.
    pub(super) fn answer_reads(&mut self, node: NodeId, machine: &StateMachine, now: &mut Now<'_>) -> Check {
        let position = machine.applied().index;
        let is_ready = |one: &Waiting| one.index <= position || planted(Bug::ReadBeforeApplied);
        while let Some(at) = self.waiting.iter().position(|one| one.node == node && is_ready(one)) {
            let Waiting { client, sequence, .. } = self.waiting.swap_remove(at);
            let Some(under_way) = self.answerable(node, client, sequence) else { continue };
            let (operation, floor) = (under_way.operation.clone(), under_way.floor);
            let stale = now.stale_reads_excused && position < floor;
            now.statistics.stale_reads += u64::from(stale);
            let floor = (!stale).then_some(floor);
            let (answer, fine) = match &operation {
                Operation::Query { data } => {
                    let answer = machine.any_application().query(data);
                    let fine = self.order.query(node, floor, position, data, &answer);
                    (Answer::Reply(answer), fine)
                }
                Operation::Read { key } => {
                    let value = machine.value(*key).cloned().unwrap_or_default();
                    let fine = self.order.read(node, floor, position, *key, &value);
                    (Answer::Read(value), fine)
                }
                Operation::Write { .. } | Operation::CompareAndSet { .. } | Operation::Request { .. } => continue,
            };
            self.judge_answer(node, client, &answer, fine)?;
            if stale {
                self.answer(node, client, answer, now.statistics);
            } else {
                self.complete(node, client, answer, now)?;
            }
        }
        Ok(())
    }

    /// What this client waits for, if it is this operation and this node may answer it.
    fn answerable(&self, node: NodeId, client: u64, sequence: u64) -> Option<&UnderWay> {
        let client = self.client(client).filter(|client| client.sequence == sequence)?;
        client.under_way.as_ref().filter(|under_way| under_way.asked & bit(node) != 0)
    }

    /// Answers a client, and searches the key when its window is full.
    fn complete(&mut self, node: NodeId, client: u64, answer: Answer, now: &mut Now<'_>) -> Check {
        let fate = Fate::Answered { step: now.step, answer: answer.clone() };
        let Some(record) = self.answer(node, client, answer, now.statistics) else { return Ok(()) };
        self.push(Record { fate, ..record }).map_or(Ok(()), |key| self.search(key))
    }

    /// Takes in an operation that was answered or given up. Which key should be searched now, if one should.
    fn push(&mut self, record: Record) -> Option<u64> {
        if let Some(key) = record.operation.key() {
            return self.windows.push(record).then_some(key);
        }
        let Own { client, histories, .. } = self.own.as_mut()?;
        let key = client.key(&record.operation)?;
        histories.push(key, record).then_some(key)
    }

    fn answer(&mut self, node: NodeId, number: u64, answer: Answer, statistics: &mut Statistics) -> Option<Record> {
        let client = slot(&mut self.clients, number);
        let (sequence, under_way) = (client.sequence, client.under_way.take()?);
        self.waiting.retain(|waiting| waiting.client != number);
        statistics.answered += 1;
        let record = under_way.record(number, sequence);
        let operation = record.operation.clone();
        self.completed.push(Completion { client: number, sequence, node, operation, answer });
        Some(record)
    }

    /// The operations that were answered since the last call.
    pub(super) fn take_completed(all: &mut Shared<Self>) -> Vec<Completion> {
        if all.completed.is_empty() { Vec::new() } else { std::mem::take(&mut all.completed) }
    }

    /// Searches the newest operations on every key.
    pub(super) fn search_all(&mut self) -> Check {
        self.windows.keys().try_for_each(|key| self.search(key))?;
        let keys = self.own.as_ref().map(|own| own.histories.keys()).unwrap_or_default();
        keys.into_iter().try_for_each(|key| self.search(key))
    }

    fn search(&mut self, key: u64) -> Check {
        let Self { clients, windows, own, .. } = self;
        let under_way = |is_about: &dyn Fn(&Operation) -> bool| -> Vec<Record> {
            let clients = (0..).zip(clients.iter());
            let about = clients.filter_map(|(number, client)| {
                let under_way = client.under_way.as_ref().filter(|under_way| is_about(&under_way.operation))?;
                Some(under_way.clone().record(number, client.sequence))
            });
            about.collect()
        };
        let fine = match own {
            None => windows.search(key, under_way(&|operation| operation.key() == Some(key)).into_iter()),
            Some(Own { model, client, histories }) => {
                let under_way = under_way(&|operation| client.key(operation) == Some(key));
                histories.search(key, &**model, under_way.into_iter())
            }
        };
        self.judge(fine)
    }

    /// Lets a judgement of an answer stand. What is wrong was answered all the same: whoever looks at the failure wants to see it.
    fn judge_answer(&mut self, node: NodeId, number: u64, answer: &Answer, check: Check) -> Check {
        let check = self.judge(check);
        if let (Err(_), Some(Client { sequence, under_way: Some(under_way), .. })) = (&check, self.client(number)) {
            let (sequence, operation) = (*sequence, under_way.operation.clone());
            self.completed.push(Completion { client: number, sequence, node, operation, answer: answer.clone() });
        }
        check
    }

    fn judge(&self, check: Check) -> Check {
        if self.off { Ok(()) } else { check }
    }
}

/// The parts of the world around them that the clients may use.
pub(super) struct Now<'a> {
    pub(super) step: u64,
    /// Whether reads may be stale.
    pub(super) stale_reads_excused: bool,
    pub(super) statistics: &'a mut Statistics,
}

impl UnderWay {
    fn record(self, client: u64, sequence: u64) -> Record {
        let Self { operation, invoked, .. } = self;
        Record { client, sequence, operation, invoked, fate: Fate::Unknown { until: None } }
    }
}

/// The data that proposes an operation of a client, under this number; none for a read.
fn data(client: u64, sequence: u64, operation: &Operation) -> Option<Bytes> {
    let command = |key: u64, expected: Option<&Bytes>, value: &Bytes| {
        let (expected, value) = (expected.cloned(), value.clone());
        Some(Command { client, sequence, key, expected, value }.encode())
    };
    match operation {
        Operation::Read { .. } | Operation::Query { .. } => None,
        Operation::Request { data } => Some(Submission { client, sequence, data: data.clone() }.encode()),
        Operation::Write { key, value } => command(*key, None, value),
        Operation::CompareAndSet { key, expected, value } => command(*key, Some(expected), value),
    }
}

const fn bit(node: NodeId) -> u64 {
    1 << (node.get() - 1)
}

/// The context of a client's read. Contexts are never used twice, so it says how often the read was sent.
fn context(client: u64, sequence: u64, sent: u64) -> Bytes {
    format!("c{client}.{sequence} read {sent}").into()
}

fn parse_context(context: &[u8]) -> Option<(u64, u64)> {
    let (client, rest) = std::str::from_utf8(context).ok()?.strip_prefix('c')?.split_once('.')?;
    let (sequence, _sent) = rest.split_once(" read ")?;
    Some((client.parse().ok()?, sequence.parse().ok()?))
}
