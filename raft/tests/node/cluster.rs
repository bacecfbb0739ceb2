//! Three nodes on an executor with several threads, with channels for a network: what an application around a node does,
//! for the tests in `concurrent`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use raft::{
    Body, Config, Entry, HardState, Index, MemStorage, Message, Node, NodeId, ReadState, Role, SoftState, Term,
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::{id, storage, threads};

/// After so many ticks a cluster is stopped, so that a test that makes no progress ends.
const TICKS: u32 = 20_000;

/// What was applied on one node. It survives a stop, like the storage.
#[derive(Clone, Default)]
pub struct Applied {
    pub index: Index,
    pub numbers: Vec<u64>,
}

/// A node that runs, with its application.
#[derive(Clone)]
pub struct Running {
    pub node: Node<MemStorage>,
    requests: Arc<Mutex<Requests>>,
    inbox: mpsc::UnboundedSender<Message>,
    pub applied: watch::Receiver<Index>,
}

/// Clients that wait for this node. Dropping a sender tells its client that the outcome is not known.
#[derive(Default)]
struct Requests {
    proposals: BTreeMap<u64, oneshot::Sender<()>>,
    reads: BTreeMap<u64, oneshot::Sender<Vec<u64>>>,
}

impl Running {
    /// Proposes a number that is proposed only once; tells whether it was applied, or that nobody knows.
    pub async fn put(&self, number: u64) -> Option<()> {
        let (sender, receiver) = oneshot::channel();
        self.requests.lock().unwrap().proposals.insert(number, sender);
        let proposed = self.node.propose(Bytes::copy_from_slice(&number.to_le_bytes())).await;
        if proposed.is_err() {
            self.requests.lock().unwrap().proposals.remove(&number);
        }
        receiver.await.ok()
    }

    /// All numbers that are applied now, or nothing where the request was lost. `context` is not used twice.
    pub async fn read(&self, context: u64) -> Option<Vec<u64>> {
        let (sender, receiver) = oneshot::channel();
        self.requests.lock().unwrap().reads.insert(context, sender);
        if self.node.read_index(Bytes::copy_from_slice(&context.to_le_bytes())).await.is_err() {
            self.requests.lock().unwrap().reads.remove(&context);
        }
        receiver.await.ok()
    }
}

/// Where messages and clients find the nodes that run.
#[derive(Clone)]
pub struct Cluster {
    running: Arc<Mutex<BTreeMap<NodeId, Running>>>,
    asynchronous_writes: bool,
}

/// A node that was stopped.
pub struct Stopped {
    id: NodeId,
    storage: MemStorage,
    pub applied: Applied,
}

/// What is left to wait for when a node stops.
pub struct Tasks {
    application: JoinHandle<Applied>,
    driver: JoinHandle<()>,
}

impl Cluster {
    /// Three nodes that start for the first time, and what to wait for.
    pub fn start(asynchronous_writes: bool) -> (Self, BTreeMap<NodeId, Tasks>) {
        let cluster = Self { running: Arc::default(), asynchronous_writes };
        let stopped = |number| Stopped { id: id(number), storage: storage(&[1, 2, 3]), applied: Applied::default() };
        let tasks = [1, 2, 3].map(|number| (id(number), cluster.run(stopped(number))));
        (cluster, tasks.into())
    }

    /// The node that comes next after `position` among those that run.
    pub fn any(&self, position: u64) -> Option<Running> {
        let running = self.running.lock().unwrap();
        let count = running.len() as u64;
        (count > 0).then(|| running.values().nth((position % count) as usize).cloned()).flatten()
    }

    pub fn all(&self) -> Vec<Running> {
        self.running.lock().unwrap().values().cloned().collect()
    }

    /// The leader, as far as it says so itself.
    pub async fn leader(&self) -> Option<NodeId> {
        for running in self.all() {
            if let Ok(status) = running.node.status().await
                && status.basic.soft_state.role == Role::Leader
            {
                return Some(status.basic.id);
            }
        }
        None
    }

    /// Runs a node, from what it kept.
    pub fn run(&self, from: Stopped) -> Tasks {
        let Stopped { id, storage, applied } = from;
        let seed = storage.hard_state().term.0 * 10 + id.get();
        let config = Config {
            election_seed: Some(seed),
            applied: applied.index,
            pre_vote: true,
            check_quorum: true,
            async_storage_writes: self.asynchronous_writes,
            ..Config::new(id)
        };
        let (node, driver) = Node::restart(config, storage).unwrap();
        let (inbox, mail) = mpsc::unbounded_channel();
        let (applied_sender, applied_receiver) = watch::channel(applied.index);
        let requests = Arc::default();
        let running = Running { node: node.clone(), requests, inbox, applied: applied_receiver };
        self.running.lock().unwrap().insert(id, running.clone());
        tokio::spawn(clock(node.clone()));
        tokio::spawn(receive(node, mail));
        let application = Application { running, applied, told: applied_sender, term: Term::ZERO, reads: vec![] };
        let application = match self.asynchronous_writes {
            false => tokio::spawn(application.run(self.clone())),
            true => tokio::spawn(threads::run(application, self.clone())),
        };
        Tasks { application, driver: tokio::spawn(driver) }
    }

    /// Stops a node, and waits until nothing of it runs any more.
    pub async fn stop(&self, id: NodeId, tasks: Tasks) -> Stopped {
        let running = self.running.lock().unwrap().remove(&id).expect("it runs");
        running.node.stop();
        tasks.driver.await.unwrap();
        let applied = tasks.application.await.unwrap();
        // Whoever has asked and not been answered learns it here, even if the question came after the last Ready.
        *running.requests.lock().unwrap() = Requests::default();
        Stopped { id, storage: running.node.with_storage(|storage| storage.clone()), applied }
    }

    pub fn send(&self, messages: Vec<Message>) {
        let running = self.running.lock().unwrap();
        for message in messages {
            // Lost where nobody is there, as on any network.
            let _ = running.get(&message.to).map(|to| to.inbox.send(message));
        }
    }
}

async fn clock(node: Node<MemStorage>) {
    let mut interval = tokio::time::interval(Duration::from_millis(2));
    for _ in 0..TICKS {
        interval.tick().await;
        if node.tick().is_err() {
            return;
        }
    }
    node.stop();
}

async fn receive(node: Node<MemStorage>, mut mail: mpsc::UnboundedReceiver<Message>) {
    while let Some(message) = mail.recv().await {
        // A proposal may wait for a leader, whom the messages behind it bring.
        if let Body::Propose { .. } = message.body {
            let _ = node.try_step(message);
        } else if node.step(message).await.is_err() {
            return;
        }
    }
}

/// What is applied on one node, and who waits for it.
pub struct Application {
    pub running: Running,
    applied: Applied,
    told: watch::Sender<Index>,
    term: Term,
    /// Reads whose index is not applied yet.
    reads: Vec<(Index, u64)>,
}

impl Application {
    /// Works off the Readys, one after another.
    async fn run(mut self, cluster: Cluster) -> Applied {
        let node = self.running.node.clone();
        while let Ok(ready) = node.ready().await {
            store(&node, ready.hard_state, &ready.entries);
            cluster.send(ready.messages.clone());
            self.apply(&ready.committed_entries);
            self.answer_reads(&ready.read_states);
            self.give_up_requests(ready.hard_state, ready.soft_state);
            if node.advance(ready).is_err() {
                break;
            }
        }
        self.end()
    }

    /// Nobody gets an answer any more.
    pub fn end(self) -> Applied {
        *self.running.requests.lock().unwrap() = Requests::default();
        self.applied
    }

    pub fn apply(&mut self, entries: &[Entry]) {
        let mut requests = self.running.requests.lock().unwrap();
        for entry in entries {
            assert_eq!(entry.index, self.applied.index.next(), "entries are applied in order");
            self.applied.index = entry.index;
            let Ok(bytes) = entry.data.as_ref().try_into() else { continue };
            let number = u64::from_le_bytes(bytes);
            self.applied.numbers.push(number);
            if let Some(client) = requests.proposals.remove(&number) {
                let _ = client.send(());
            }
        }
        self.told.send_replace(self.applied.index);
    }

    /// Answers those reads, also of before, whose index is applied.
    pub fn answer_reads(&mut self, reads: &[ReadState]) {
        let number = |context: &Bytes| u64::from_le_bytes(context.as_ref().try_into().unwrap());
        self.reads.extend(reads.iter().map(|read| (read.index, number(&read.context))));
        let mut requests = self.running.requests.lock().unwrap();
        self.reads.retain(|(index, context)| {
            if *index > self.applied.index {
                return true;
            }
            if let Some(client) = requests.reads.remove(context) {
                let _ = client.send(self.applied.numbers.clone());
            }
            false
        });
    }

    /// What was on its way to a leader may be lost when there is another, and nobody will tell.
    pub fn give_up_requests(&mut self, hard_state: Option<HardState>, soft_state: Option<SoftState>) {
        let term = hard_state.map_or(self.term, |hard_state| hard_state.term);
        if term != self.term || soft_state.is_some() {
            self.term = term;
            *self.running.requests.lock().unwrap() = Requests::default();
        }
    }
}

/// Writes what a Ready or an append says.
pub fn store(node: &Node<MemStorage>, hard_state: Option<HardState>, entries: &[Entry]) {
    node.with_storage(|storage| {
        storage.append(entries).unwrap();
        hard_state.into_iter().for_each(|hard_state| storage.set_hard_state(hard_state));
    });
}
