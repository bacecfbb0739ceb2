//! Three nodes on tokio: the concurrent [`raft::Node`], with proposals and linearizable reads that resolve when they are
//! applied, and a leader that hands over before it stops.
//!
//! ```text
//! cargo run -p raft --example node_tokio
//! ```
//!
//! What is replicated is one number, to which clients add. The network is a channel to each node, and the log is in
//! memory; the package `kv` beside this file has TCP, disks and snapshots.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use raft::node::{Limits, RunLoop};
use raft::{Applied, ApplyError, Body, ConfState, Config, MemStorage, Message, NodeId, ProposeError, RawNode, Role};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// A handle to a node whose application answers a proposal with the sum after it.
type Node = raft::Node<MemStorage, u64>;

/// Where messages to each node go.
type Network = Arc<BTreeMap<NodeId, mpsc::Sender<Message>>>;

const TICK: Duration = Duration::from_millis(10);

/// After so long a client reads again, since an answer may be lost on its way.
const PATIENCE: Duration = Duration::from_secs(1);

/// A running node, and what its clients need. Dropping it is a crash.
struct Server {
    node: Node,
    /// Written by the application, read by clients.
    sum: Arc<Mutex<u64>>,
    tasks: JoinSet<()>,
}

impl Server {
    fn start(id: NodeId, members: ConfState, inbox: mpsc::Receiver<Message>, network: Network) -> Result<Self, Error> {
        let node = RawNode::new(Config::recommended(id), MemStorage::with_conf_state(members))?;
        let (node, driver) = Node::answering(RunLoop::new(node, Limits::default()));
        let sum = Arc::new(Mutex::new(0));
        let application = Application { node: node.clone(), network, sum: Arc::clone(&sum) };
        let mut tasks = JoinSet::new();
        tasks.spawn(driver);
        tasks.spawn(clock(node.clone()));
        tasks.spawn(receive(inbox, node.clone()));
        tasks.spawn(async move {
            if let Err(error) = application.run().await {
                // The node does not go on without its application: what it holds is on its disk, if it has one.
                eprintln!("node {id} fails: {error}");
            }
        });
        Ok(Self { node, sum, tasks })
    }

    /// Adds to the number, here if this node leads. Returns when that is applied.
    async fn add(&self, number: u64) -> Result<Applied<u64>, ApplyError> {
        self.node.propose_until_applied(Bytes::copy_from_slice(&number.to_le_bytes())).await
    }

    /// Reads the number as it is at some moment between the call and the return, through any node.
    async fn read(&self, request: u64) -> Result<u64, Error> {
        self.node.read_index_until_applied(Bytes::copy_from_slice(&request.to_le_bytes())).await?;
        Ok(*self.sum.lock().expect("nobody panics with it"))
    }

    /// Lets another node lead, if this one does, so that nobody has to wait for an election; and stops.
    async fn stop(mut self, successor: NodeId) -> Result<(), Error> {
        self.node.transfer_leadership(successor).await?;
        while self.node.status().await?.basic.soft_state.role == Role::Leader {
            tokio::time::sleep(TICK).await;
        }
        self.node.stop();
        self.tasks.shutdown().await;
        Ok(())
    }
}

async fn clock(node: Node) {
    let mut interval = tokio::time::interval(TICK);
    while node.tick().is_ok() {
        interval.tick().await;
    }
}

async fn receive(mut inbox: mpsc::Receiver<Message>, node: Node) {
    while let Some(message) = inbox.recv().await {
        let stopped = match message.body {
            // A forwarded proposal waits for a leader, and the messages behind it may be what brings one.
            Body::Propose { .. } => node.try_step(message) == Err(raft::node::EnqueueError::Stopped),
            _ => node.step(message).await.is_err(),
        };
        if stopped {
            break;
        }
    }
}

/// Works off the Readys, in a task of its own.
struct Application {
    node: Node,
    network: Network,
    sum: Arc<Mutex<u64>>,
}

impl Application {
    async fn run(self) -> Result<(), Error> {
        while let Ok(ready) = self.node.next_ready().await {
            // 1. Persist: on a disk first, if there is one, and then here for the node to read.
            self.node.with_storage(|storage| storage.write(&ready))?;
            // 2. Send, without waiting for anybody. What does not fit into a channel is lost, which Raft can live with.
            for message in &ready.messages {
                if let Some(peer) = self.network.get(&message.to) {
                    let _ = peer.try_send(message.clone());
                }
            }
            // 3. Apply. This log is never compacted, so no snapshot comes.
            for entry in &ready.committed_entries {
                if let Some(change) = entry.conf_change()? {
                    // One that the membership does not allow comes to nothing, on every node.
                    let _ = self.node.apply_conf_change_at(entry.index, change.into_v2()).await;
                } else if let Ok(number) = entry.data.as_ref().try_into() {
                    let sum = self.add(u64::from_le_bytes(number));
                    ready.answer(entry.id(), sum);
                }
            }
            // 4. Whoever waits for these entries, or for a read of them, is told now.
            ready.advance()?;
        }
        Ok(())
    }

    fn add(&self, number: u64) -> u64 {
        let mut sum = self.sum.lock().expect("nobody panics with it");
        *sum += number;
        *sum
    }
}

/// Asks one node after another until the leader has taken it. Proposes again only what is certainly not applied: a client
/// that must not add twice, and cannot tell, would give its requests numbers for the application to remember.
async fn add(servers: &BTreeMap<NodeId, Server>, number: u64) -> Result<u64, Error> {
    let mut whom = *servers.keys().next().ok_or("no server runs")?;
    loop {
        match servers[&whom].add(number).await {
            Ok(Applied { answer: Some(sum), .. }) => return Ok(sum),
            Ok(Applied { answer: None, .. }) => return Err("it was not applied as an addition".into()),
            Err(ApplyError::NotProposed(ProposeError::NotLeader { leader })) if servers.contains_key(&leader) => {
                whom = leader;
            }
            Err(error) if error.may_be_applied() => return Err(error.into()),
            Err(_) => tokio::time::sleep(TICK).await,
        }
    }
}

/// Reads through a node. A read changes nothing, so it may be repeated, with a number that was never used before.
async fn read(server: &Server, requests: std::ops::RangeFrom<u64>) -> Result<u64, Error> {
    for request in requests.take(30) {
        match timeout(PATIENCE, server.read(request)).await {
            Ok(Ok(sum)) => return Ok(sum),
            Ok(Err(_)) => tokio::time::sleep(TICK).await,
            Err(_) => {}
        }
    }
    Err("no answer to 30 reads".into())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let ids: Vec<NodeId> = (1..=3).filter_map(NodeId::new).collect();
    let members = ConfState { voters: ids.iter().copied().collect(), ..ConfState::default() };
    let (senders, inboxes): (BTreeMap<_, _>, Vec<_>) = ids
        .iter()
        .map(|id| {
            let (sender, inbox) = mpsc::channel(1024);
            ((*id, sender), (*id, inbox))
        })
        .unzip();
    let network: Network = Arc::new(senders);
    let mut servers = BTreeMap::new();
    for (id, inbox) in inboxes {
        servers.insert(id, Server::start(id, members.clone(), inbox, Arc::clone(&network))?);
    }

    assert_eq!(add(&servers, 20).await?, 20);
    assert_eq!(add(&servers, 22).await?, 42);
    for (id, server) in &servers {
        let sum = read(server, 0..).await?;
        println!("node {id} reads {sum}");
        assert_eq!(sum, 42);
    }

    // The leader stops, and the others go on without waiting for an election timeout.
    let leader = servers[&ids[0]].node.status().await?.basic.soft_state.leader.ok_or("somebody leads")?;
    let successor = *ids.iter().find(|id| **id != leader).ok_or("there are three")?;
    servers.remove(&leader).ok_or("it runs")?.stop(successor).await?;
    let sum = add(&servers, 8).await?;
    println!("without node {leader} it becomes {sum}");
    assert_eq!(sum, 50);
    Ok(())
}

#[test]
fn a_number_is_added_to_and_read_while_the_leader_changes() {
    main().expect("the example holds");
}
