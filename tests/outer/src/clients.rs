//! Clients: each asks one thing after another, and tells the history.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kv::client::Client;
use kv::identity::Identity;
use kv::request::{Ask, Reply};
use kv::tls::Credentials;
use raft::NodeId;
use sim::history::{Answer, Operation};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::history::History;
use crate::random::Stream;

/// How many clients ask at the same time.
const CLIENTS: u64 = 6;

/// On how many keys: few, so that they meet.
pub const KEYS: u64 = 5;

/// How long each waits for an answer before it goes on without.
const PATIENCE: Duration = Duration::from_secs(4);

/// Where the members are reached, as it changes.
pub type Doors = Arc<Mutex<BTreeMap<NodeId, String>>>;

/// What all clients share.
pub struct Shared {
    /// What they were told.
    pub history: Arc<History>,
    /// Whom they ask.
    pub doors: Doors,
    /// What each key held when somebody was told of it last.
    seen: Mutex<BTreeMap<u64, String>>,
}

impl Shared {
    /// Nobody has asked anything yet.
    pub fn new(history: Arc<History>, doors: Doors) -> Arc<Self> {
        Arc::new(Self { history, doors, seen: Mutex::default() })
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, String>> {
        self.seen.lock().expect("nobody panics with it")
    }

    /// Where the members are reached now.
    pub fn doors_now(&self) -> BTreeMap<NodeId, String> {
        self.doors.lock().expect("nobody panics with it").clone()
    }
}

/// A client that is believed by the nodes whose certificates are here.
///
/// # Errors
/// There are none.
pub fn client(certificates: &Path, shared: &Shared, patience: Duration) -> Result<Client, kv::Error> {
    Ok(Client::new(Credentials::load(certificates, Identity::Client)?, shared.doors_now(), patience))
}

/// Starts the clients, which ask until they are told to stop.
///
/// # Errors
/// There are no certificates.
pub fn start(
    certificates: &Path,
    shared: &Arc<Shared>,
    seed: u64,
    stop: &watch::Receiver<bool>,
) -> Result<JoinSet<()>, kv::Error> {
    let mut tasks = JoinSet::new();
    for number in 0..CLIENTS {
        let (shared, stop) = (Arc::clone(shared), stop.clone());
        let client = client(certificates, &shared, PATIENCE)?;
        let worker = Worker { number, client, shared, stream: Stream::new(seed, 1 + number), sequence: 0 };
        tasks.spawn(worker.run(stop));
    }
    Ok(tasks)
}

/// Reads each key once more, by a client of its own, when faults are over.
///
/// # Errors
/// A key cannot be read.
pub async fn read_all(certificates: &Path, shared: &Arc<Shared>, patience: Duration) -> Result<(), String> {
    let client = client(certificates, shared, patience).map_err(|error| error.to_string())?;
    let mut worker =
        Worker { number: CLIENTS, client, shared: Arc::clone(shared), stream: Stream::new(0, 0), sequence: 0 };
    for key in 0..KEYS {
        worker.ask(Operation::Read { key }).await?;
    }
    Ok(())
}

struct Worker {
    number: u64,
    client: Client,
    shared: Arc<Shared>,
    stream: Stream,
    sequence: u64,
}

impl Worker {
    async fn run(mut self, stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let operation = self.draw();
            if operation.is_read() {
                // Any node may answer it; a write goes to the leader anyway.
                self.client.begin_at(self.stream.below(16) as usize);
            }
            // What came of it stands in the history.
            let _ = self.ask(operation).await;
            tokio::time::sleep(Duration::from_millis(self.stream.below(30))).await;
        }
    }

    fn draw(&mut self) -> Operation {
        let key = self.stream.below(KEYS);
        let value = format!("c{}.{}", self.number, self.sequence + 1).into();
        match self.stream.below(20) {
            0..8 => Operation::Read { key },
            8..15 => Operation::Write { key, value },
            _ => {
                let expected = self.shared.seen().get(&key).cloned().unwrap_or_default().into();
                Operation::CompareAndSet { key, expected, value }
            }
        }
    }

    async fn ask(&mut self, operation: Operation) -> Result<(), String> {
        self.sequence += 1;
        self.client.set_nodes(self.shared.doors_now());
        self.shared.history.invoked(self.number, self.sequence, operation.clone());
        let reply = self.client.ask(asked(&operation)).await;
        let answer = reply.as_ref().ok().and_then(|reply| answer(&operation, reply));
        self.shared.history.returned(self.number, answer.clone());
        self.see(&operation, answer.as_ref());
        reply.map(|_| ()).map_err(|error| error.to_string())
    }

    fn see(&self, operation: &Operation, answer: Option<&Answer>) {
        let value = match (operation, answer) {
            (_, Some(Answer::Read(value))) => value,
            (Operation::Write { value, .. }, Some(Answer::Written)) => value,
            (Operation::CompareAndSet { value, .. }, Some(Answer::CompareAndSet(true))) => value,
            _ => return,
        };
        if let Some(key) = operation.key() {
            self.shared.seen().insert(key, text(value));
        }
    }
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

/// What it is to the kv example. A key that was never put is an empty value to the checkers.
fn asked(operation: &Operation) -> Ask {
    match operation {
        Operation::Write { key, value } => Ask::Put { key: format!("k{key}"), value: text(value) },
        Operation::CompareAndSet { key, expected, value } => Ask::CompareAndSet {
            key: format!("k{key}"),
            expected: Some(text(expected)).filter(|expected| !expected.is_empty()),
            value: text(value),
        },
        other => Ask::Get { key: format!("k{}", other.key().unwrap_or_default()) },
    }
}

fn answer(operation: &Operation, reply: &Reply) -> Option<Answer> {
    match (operation, reply) {
        (Operation::Write { .. }, Reply::Done) => Some(Answer::Written),
        (Operation::Read { .. }, Reply::Value(value)) => Some(Answer::Read(value.clone().unwrap_or_default().into())),
        (Operation::CompareAndSet { .. }, Reply::Compared(set)) => Some(Answer::CompareAndSet(*set)),
        _ => None,
    }
}
