//! Messages to the other nodes: for each a queue, a task and a connection. Nobody waits for a slow one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use raft::{Body, MemStorage, Message, Node, NodeId, SnapshotStatus, Stopped};
use tokio::sync::Notify;
use tokio::task::JoinSet;

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
                connection = None;
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

    async fn write(&self, connection: &mut Option<Outgoing>, message: &Message) -> Result<(), Error> {
        let stream = match connection {
            Some(stream) => stream,
            None => {
                let address = self.addresses.get(message.to).ok_or("nobody knows its address")?;
                connection.insert(self.credentials.connect(message.to, &address, &self.limits).await?)
            }
        };
        let mut bytes = Vec::new();
        message.encode_into(&mut bytes);
        frame::write(stream, &bytes, &self.limits).await
    }
}

fn is_snapshot(message: &Message) -> bool {
    matches!(message.body, Body::InstallSnapshot { .. })
}

#[cfg(test)]
mod tests {
    use raft::{Index, Term};

    use super::*;

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
}
