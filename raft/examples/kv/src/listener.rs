//! Who comes in: nodes with messages, clients with requests, and strangers, who are shown out.
//!
//! Whatever somebody sends costs its own connection, and nothing else.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use raft::{Body, MemStorage, Message, Node, NodeId};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use crate::identity::Identity;
use crate::limits::Limits;
use crate::machine::Outcome;
use crate::service::Service;
use crate::tls::{Credentials, Incoming};
use crate::{Error, frame};

/// After an accept failed, because too many files are open for instance.
const PAUSE: Duration = Duration::from_millis(50);

/// What decides who may come in, and whom it leads to.
pub struct Door {
    id: NodeId,
    node: Node<MemStorage, Outcome>,
    service: Service,
    credentials: Credentials,
    limits: Limits,
    strangers: Arc<Semaphore>,
    clients: Arc<Semaphore>,
    nodes: Mutex<BTreeMap<NodeId, Arc<Semaphore>>>,
}

impl Door {
    pub fn new(
        id: NodeId,
        node: Node<MemStorage, Outcome>,
        service: Service,
        credentials: Credentials,
        limits: Limits,
    ) -> Arc<Self> {
        let strangers = Arc::new(Semaphore::new(limits.strangers));
        let clients = Arc::new(Semaphore::new(limits.of_clients));
        Arc::new(Self { id, node, service, credentials, limits, strangers, clients, nodes: Mutex::default() })
    }

    /// Lets others in for as long as it is awaited.
    pub async fn open(self: Arc<Self>, listener: TcpListener) -> Result<(), Error> {
        let mut connections = JoinSet::new();
        loop {
            match listener.accept().await {
                Ok((stream, from)) => {
                    // The permit is taken before anything is read.
                    if let Ok(permit) = Arc::clone(&self.strangers).try_acquire_owned() {
                        connections.spawn(Arc::clone(&self).welcome(stream, from, permit));
                    }
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
            while connections.try_join_next().is_some() {}
        }
    }

    async fn welcome(self: Arc<Self>, stream: TcpStream, from: SocketAddr, permit: OwnedSemaphorePermit) {
        // Whoever just goes away is no news.
        if let Err(error) = self.serve(stream, permit).await
            && !frame::is_gone(&error)
        {
            eprintln!("node {} closes the connection from {from}: {error}", self.id.get());
        }
    }

    async fn serve(&self, stream: TcpStream, stranger: OwnedSemaphorePermit) -> Result<(), Error> {
        let (stream, identity) = self.credentials.accept(stream, &self.limits).await?;
        let room = match identity {
            Identity::Node(peer) => self.room_of(peer),
            Identity::Client => Arc::clone(&self.clients),
        };
        let _permit = room.try_acquire_owned().map_err(|_| format!("{identity} has too many connections"))?;
        drop(stranger);
        match identity {
            Identity::Node(peer) => self.hear(peer, stream).await,
            Identity::Client => self.answer(stream).await,
        }
    }

    fn room_of(&self, peer: NodeId) -> Arc<Semaphore> {
        let mut nodes = self.nodes.lock().expect("nobody panics with it");
        Arc::clone(nodes.entry(peer).or_insert_with(|| Arc::new(Semaphore::new(self.limits.of_each_node))))
    }

    /// Gives the node what this peer says, in its own name only.
    async fn hear(&self, peer: NodeId, mut stream: Incoming) -> Result<(), Error> {
        while let Some(bytes) = frame::read(&mut stream, self.limits.message_bytes, &self.limits).await? {
            let message = Message::decode(&bytes)?;
            if message.from != peer {
                return Err(format!("node {} speaks in the name of node {}", peer.get(), message.from.get()).into());
            }
            if message.to != self.id {
                return Err(format!("node {} takes this node for node {}", peer.get(), message.to.get()).into());
            }
            if self.service.was_removed(peer) {
                return Err(format!("node {} was removed from the cluster", peer.get()).into());
            }
            match message.body {
                // It may wait for a leader, whom the messages behind it bring. Without room it is lost.
                Body::Propose { .. } => drop(self.node.try_step(message)),
                _ => self.node.step(message).await?,
            }
        }
        Ok(())
    }

    async fn answer(&self, mut stream: Incoming) -> Result<(), Error> {
        while let Some(bytes) = frame::read(&mut stream, self.limits.request_bytes, &self.limits).await? {
            let reply = self.service.answer(serde_json::from_slice(&bytes)?).await;
            frame::write(&mut stream, &serde_json::to_vec(&reply)?, &self.limits).await?;
        }
        Ok(())
    }
}
