//! Messages to the other nodes: for each a queue, a task and a connection. Nobody waits for a slow one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use raft::{Body, MemStorage, Message, Node, NodeId, SnapshotStatus, Stopped};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::addresses::Addresses;
use crate::limits::Limits;
use crate::machine::Outcome;
use crate::tls::{Credentials, Outgoing};
use crate::{Error, frame};

/// How long to wait before another attempt to connect.
const PAUSE: Duration = Duration::from_millis(50);

/// The sending side of one node.
pub struct Peers {
    id: NodeId,
    sender: Sender,
    outboxes: BTreeMap<NodeId, Arc<Outbox>>,
    tasks: JoinSet<Result<(), Stopped>>,
}

impl Peers {
    pub fn new(
        id: NodeId,
        node: Node<MemStorage, Outcome>,
        addresses: Addresses,
        credentials: Credentials,
        limits: Limits,
    ) -> Self {
        let sender = Sender { node, addresses, credentials, limits };
        Self { id, sender, outboxes: BTreeMap::new(), tasks: JoinSet::new() }
    }

    /// Never waits.
    pub fn send(&mut self, messages: &[Message]) {
        // A read that was sent on twice bears the name of where it began, and nobody would believe that of this node. It is lost.
        for message in messages.iter().filter(|message| message.from == self.id) {
            let outbox = self.outboxes.entry(message.to).or_insert_with(|| {
                let outbox = Arc::new(Outbox::default());
                self.tasks.spawn(self.sender.clone().run(message.to, Arc::clone(&outbox)));
                outbox
            });
            outbox.push(message.clone(), self.sender.limits.waiting_messages);
        }
    }
}

/// What waits for one peer.
#[derive(Default)]
struct Outbox {
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

#[derive(Default)]
struct Waiting {
    messages: VecDeque<Message>,
    /// A snapshot was dropped, of which the node has to be told.
    lost_snapshot: bool,
}

impl Waiting {
    fn drop_oldest(&mut self) {
        self.lost_snapshot |= self.messages.pop_front().is_some_and(|message| is_snapshot(&message));
    }
}

impl Outbox {
    fn push(&self, message: Message, most: usize) {
        let mut waiting = self.waiting.lock().expect("nobody panics with it");
        if waiting.messages.len() >= most {
            waiting.drop_oldest();
        }
        waiting.messages.push_back(message);
        self.arrived.notify_one();
    }

    async fn next(&self) -> Message {
        loop {
            if let Some(message) = self.waiting.lock().expect("nobody panics with it").messages.pop_front() {
                return message;
            }
            self.arrived.notified().await;
        }
    }

    /// Drops what has become old while the peer could not be reached.
    fn clear(&self) {
        let mut waiting = self.waiting.lock().expect("nobody panics with it");
        while !waiting.messages.is_empty() {
            waiting.drop_oldest();
        }
    }

    fn lost_snapshot(&self) -> bool {
        std::mem::take(&mut self.waiting.lock().expect("nobody panics with it").lost_snapshot)
    }
}

/// A connection, and when it was used last.
struct Connection {
    stream: Outgoing,
    used: Instant,
}

/// What each task needs.
#[derive(Clone)]
struct Sender {
    node: Node<MemStorage, Outcome>,
    addresses: Addresses,
    credentials: Credentials,
    limits: Limits,
}

impl Sender {
    /// Sends to one peer, and tells the node what could not be sent.
    async fn run(self, peer: NodeId, outbox: Arc<Outbox>) -> Result<(), Stopped> {
        let mut connection = None;
        loop {
            let message = outbox.next().await;
            let sent = self.write(&mut connection, &message).await.is_ok();
            if !sent {
                outbox.clear();
                self.node.report_unreachable(peer).await?;
                tokio::time::sleep(PAUSE).await;
            }
            if is_snapshot(&message) {
                let status = if sent { SnapshotStatus::Finish } else { SnapshotStatus::Failure };
                self.node.report_snapshot(peer, status).await?;
            }
            if outbox.lost_snapshot() {
                self.node.report_snapshot(peer, SnapshotStatus::Failure).await?;
            }
        }
    }

    async fn write(&self, connection: &mut Option<Connection>, message: &Message) -> Result<(), Error> {
        // The other end closes what is silent for too long, and this end would learn it by a message that is lost.
        let is_fresh = |connection: &Connection| connection.used.elapsed() < self.limits.idle / 2;
        let mut current = match connection.take().filter(is_fresh) {
            Some(current) => current,
            None => {
                let address = self.addresses.get(message.to).ok_or("nobody knows its address")?;
                let stream = self.credentials.connect(message.to, &address, &self.limits).await?;
                Connection { stream, used: Instant::now() }
            }
        };
        let mut bytes = Vec::new();
        message.encode_into(&mut bytes);
        frame::write(&mut current.stream, &bytes, &self.limits).await?;
        current.used = Instant::now();
        *connection = Some(current);
        Ok(())
    }
}

fn is_snapshot(message: &Message) -> bool {
    matches!(message.body, Body::InstallSnapshot { .. })
}

#[cfg(test)]
mod tests {
    use raft::node::{Limits as Queues, RunLoop};
    use raft::{Config, Index, RawNode, Term};
    use tokio::net::TcpListener;
    use tokio::sync::mpsc;
    use tokio::time::{sleep, timeout};

    use super::*;
    use crate::certificates;
    use crate::identity::Identity;

    fn message(body: Body) -> Message {
        let id = |number| NodeId::new(number).unwrap();
        Message { from: id(1), to: id(2), term: Some(Term(1)), body }
    }

    fn heartbeat(commit: u64) -> Message {
        message(Body::Heartbeat { commit: Index(commit), context: bytes::Bytes::new() })
    }

    #[tokio::test]
    async fn of_too_many_messages_the_oldest_are_dropped() {
        let outbox = Outbox::default();
        (1..=5).for_each(|commit| outbox.push(heartbeat(commit), 3));
        for commit in 3..=5 {
            assert_eq!(outbox.next().await, heartbeat(commit));
        }
        assert!(!outbox.lost_snapshot());
    }

    #[test]
    fn a_snapshot_that_is_dropped_is_told_of_once() {
        let outbox = Outbox::default();
        outbox.push(message(Body::InstallSnapshot { snapshot: Box::default() }), 2);
        (1..=2).for_each(|commit| outbox.push(heartbeat(commit), 2));
        assert!(outbox.lost_snapshot() && !outbox.lost_snapshot());
    }

    /// A follower that has nothing to say to another is silent for as long as somebody leads, and then its vote matters.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_connection_that_the_other_end_closed_since_it_was_silent_loses_no_message() {
        let directory = tempfile::tempdir().unwrap();
        certificates::create(directory.path(), 2).unwrap();
        let [from, to] = [1, 2].map(|id| NodeId::new(id).unwrap());
        let credentials = |id| Credentials::load(directory.path(), Identity::Node(id)).unwrap();
        let limits = Limits { idle: Duration::from_secs(1), ..Limits::default() };

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addresses = Addresses::default();
        addresses.pin(to, &listener.local_addr().unwrap().to_string());
        let (arrive, mut arrived) = mpsc::unbounded_channel();
        let (receiver, bounds) = (credentials(to), limits.clone());
        tokio::spawn(async move {
            loop {
                let (stream, _) = receiver.accept(listener.accept().await.unwrap().0, &bounds).await.unwrap();
                let mut stream = stream;
                while let Ok(Some(bytes)) = frame::read(&mut stream, 1000, &bounds).await {
                    arrive.send(Message::decode(&bytes).unwrap()).unwrap();
                }
            }
        });

        let raw = RawNode::new(Config::recommended(from), MemStorage::new()).unwrap();
        let (node, driver) = Node::answering(RunLoop::new(raw, Queues::default()));
        tokio::spawn(driver);
        let outbox = Arc::new(Outbox::default());
        let sender = Sender { node, addresses, credentials: credentials(from), limits };
        tokio::spawn(sender.run(to, Arc::clone(&outbox)));
        for commit in 1..=2 {
            outbox.push(heartbeat(commit), 10);
            let next = timeout(Duration::from_secs(20), arrived.recv()).await;
            assert_eq!(next.expect("it arrives"), Some(heartbeat(commit)));
            sleep(Duration::from_millis(1500)).await;
        }
    }
}
