//! What a node answers to clients.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use raft::{ApplyError, ChangeKind, ConfChangeV1, MemStorage, Node, NodeId, ProposeError, Role, Stopped};
use tokio::time::timeout;

use crate::Error;
use crate::addresses::Addresses;
use crate::limits::Limits;
use crate::machine::{Command, Condition, Machine, Outcome};
use crate::request::{Ask, Reply, Request, Status};

/// The longest key and the longest value, in bytes: what is stored is kept in memory, and in each snapshot.
const LONGEST: (usize, usize) = (1 << 10, 1 << 16);

/// One node, as clients see it.
pub struct Service {
    node: Node<MemStorage, Outcome>,
    machine: Arc<Mutex<Machine>>,
    addresses: Addresses,
    limits: Limits,
    /// This start of the node, and the reads since: together they name a read, and never name two.
    start: u64,
    reads: AtomicU64,
}

impl Service {
    /// `start` has to differ from that of every earlier start of the node.
    pub fn new(
        node: Node<MemStorage, Outcome>,
        machine: Arc<Mutex<Machine>>,
        addresses: Addresses,
        limits: Limits,
        start: u64,
    ) -> Self {
        Self { node, machine, addresses, limits, start, reads: AtomicU64::new(0) }
    }

    /// Whether the node was a member and was removed.
    pub fn was_removed(&self, id: NodeId) -> bool {
        self.machine().was_removed(id)
    }

    /// Answers in time.
    pub async fn answer(&self, request: Request) -> Reply {
        match timeout(self.limits.request, self.work(request)).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(why)) => Reply::AskAgain(why.to_string()),
            Err(_elapsed) => Reply::AskAgain("no quorum confirmed it in time".to_string()),
        }
    }

    async fn work(&self, Request { client, number, ask }: Request) -> Result<Reply, Error> {
        match ask {
            Ask::Put { key, value } => {
                self.write(Command { client, number, key, condition: Condition::Always, value }).await
            }
            Ask::CompareAndSet { key, expected, value } => {
                self.write(Command { client, number, key, condition: Condition::Holds(expected), value }).await
            }
            Ask::Get { key } => {
                self.catch_up().await?;
                Ok(Reply::Value(self.machine().get(&key)))
            }
            Ask::Add { node, address } => self.add(node, address).await,
            Ask::Remove { node } => self.remove(node).await,
            Ask::Status => Ok(Reply::Status(self.status().await?)),
        }
    }

    async fn write(&self, command: Command) -> Result<Reply, Error> {
        if command.key.len() > LONGEST.0 || command.value.len() > LONGEST.1 {
            let (key, value) = LONGEST;
            return Ok(Reply::Refused(format!("a key may have {key} bytes, and a value {value}")));
        }
        let compares = matches!(command.condition, Condition::Holds(_));
        let applied = match self.node.propose_until_applied(command.encode()?).await {
            Ok(applied) => applied,
            Err(error) => return self.elsewhere(error),
        };
        Ok(match applied.answer {
            Some(Outcome::Set) if compares => Reply::Compared(true),
            Some(Outcome::Set) => Reply::Done,
            Some(Outcome::Differs) => Reply::Compared(false),
            Some(Outcome::Late) => Reply::Refused("a later request of this client took effect before".to_string()),
            None => Reply::AskAgain("a snapshot holds what came of it".to_string()),
        })
    }

    /// Who is to be asked instead of this node, if the leader has to be.
    fn elsewhere(&self, error: ApplyError) -> Result<Reply, Error> {
        match error {
            ApplyError::NotProposed(ProposeError::NotLeader { leader }) => {
                Ok(Reply::AskLeader { node: leader.get(), address: self.addresses.get(leader) })
            }
            error => Err(error.into()),
        }
    }

    /// Waits until this node has applied everything that was committed anywhere when this was called.
    async fn catch_up(&self) -> Result<(), Error> {
        let number = self.reads.fetch_add(1, Ordering::Relaxed);
        let name = [self.start.to_le_bytes(), number.to_le_bytes()].concat();
        self.node.read_index_until_applied(Bytes::from(name)).await?;
        Ok(())
    }

    async fn add(&self, node: u64, address: String) -> Result<Reply, Error> {
        self.catch_up().await?;
        let Some(id) = NodeId::new(node) else { return Ok(Reply::Refused("there is no node 0".to_string())) };
        if self.was_removed(id) {
            let why = format!("node {node} was removed: give the new node a number that was never used");
            return Ok(Reply::Refused(why));
        }
        if self.machine().members.voters.contains(&id) {
            return Ok(Reply::Done);
        }
        let added = ConfChangeV1::new(ChangeKind::AddVoter, id);
        self.change(ConfChangeV1 { context: address.into(), ..added }).await
    }

    async fn remove(&self, node: u64) -> Result<Reply, Error> {
        self.catch_up().await?;
        let Some(id) = NodeId::new(node) else { return Ok(Reply::Refused("there is no node 0".to_string())) };
        if self.was_removed(id) {
            return Ok(Reply::Done);
        }
        let members = self.machine().members.voters.clone();
        if !members.contains(&id) {
            return Ok(Reply::Refused(format!("node {node} is no member; `kv status` lists those")));
        }
        if members.len() == 1 {
            return Ok(Reply::Refused("the last node cannot leave".to_string()));
        }
        self.change(ConfChangeV1::remove(id)).await
    }

    async fn change(&self, change: ConfChangeV1) -> Result<Reply, Error> {
        match self.node.propose_conf_change_until_applied(change.into()).await {
            Ok(_) => Ok(Reply::Done),
            Err(error) => self.elsewhere(error),
        }
    }

    async fn status(&self) -> Result<Status, Stopped> {
        let status = self.node.status().await?.basic;
        let role = match status.soft_state.role {
            Role::Leader => "leads",
            Role::Follower => "follows",
            Role::PreCandidate | Role::Candidate => "campaigns",
        };
        let machine = self.machine();
        let members = machine.members.voters.iter().map(|id| id.get());
        let address = |id| (id, machine.addresses().get(&id).cloned().unwrap_or_default());
        Ok(Status {
            node: status.id.get(),
            role: role.to_string(),
            term: status.hard_state.term.0,
            leader: status.soft_state.leader.map(NodeId::get),
            commit: status.hard_state.commit.0,
            applied: machine.applied.0,
            members: members.map(address).collect(),
        })
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().expect("nobody panics with it")
    }
}
