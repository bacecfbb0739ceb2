//! One node with its disk, its network and its copy of the map.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use raft::{
    ConfChange, ConfChangeV1, Config, Entry, EntryKind, Index, MemStorage, Node, NodeError, NodeId, Ready, Status,
    Storage,
};
use tokio::net::TcpListener;
use tokio::task::{JoinSet, block_in_place};

use crate::Error;
use crate::disk::Disk;
use crate::machine::{Machine, Put};
use crate::network::{self, Addresses, Network};

/// How long a tick lasts. An election timeout is ten to twenty of them.
const TICK: Duration = Duration::from_millis(20);

/// After so many applied entries the log is replaced by a snapshot, and after every membership change.
const COMPACT_AFTER: u64 = 100;

/// A running server. Dropping it is a crash.
pub struct Server {
    node: Node<MemStorage>,
    machine: Arc<Mutex<Machine>>,
    tasks: JoinSet<()>,
}

impl Server {
    /// Starts a node from what its directory holds. Where that is nothing it is one of `peers`, who begin a cluster, or,
    /// without any, waits to be added.
    pub fn start(
        id: NodeId,
        seed: u64,
        directory: &Path,
        peers: &[(NodeId, Bytes)],
        addresses: &Addresses,
    ) -> Result<Self, Error> {
        let (disk, storage) = Disk::open(directory)?;
        let machine = Machine::restore(&storage.snapshot()?)?;
        let config = Config { election_seed: Some(seed), applied: machine.applied, ..Config::recommended(id) };
        let begins = storage.last_index() == Index::ZERO && !peers.is_empty();
        let (node, driver) = if begins { Node::start(config, storage, peers) } else { Node::restart(config, storage) }?;

        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        addresses.insert(id, listener.local_addr()?);
        let listener = TcpListener::from_std(listener)?;

        let machine = Arc::new(Mutex::new(machine));
        let network = Network::new(node.clone(), addresses.clone());
        let application = Application { node: node.clone(), disk, network, machine: Arc::clone(&machine) };
        let mut tasks = JoinSet::new();
        tasks.spawn(driver);
        tasks.spawn(clock(node.clone()));
        tasks.spawn(tell(id, network::receive(listener, node.clone())));
        tasks.spawn(tell(id, application.run()));
        Ok(Self { node, machine, tasks })
    }

    pub async fn stop(mut self) {
        self.node.stop();
        self.tasks.shutdown().await;
    }

    pub async fn status(&self) -> Result<Status, Error> {
        Ok(self.node.status().await?)
    }

    /// Puts a value; done when it is applied here. Only the leader takes it, and the others say who that is.
    pub async fn put(&self, put: &Put) -> Result<(), Error> {
        self.node.propose_until_applied(put.encode()).await?;
        Ok(())
    }

    /// Reads a value, linearizably: as of some moment between the call and the return. The number is used only once.
    pub async fn get(&self, number: u64, key: &str) -> Result<Option<String>, Error> {
        self.node.read_index_until_applied(Bytes::copy_from_slice(&number.to_le_bytes())).await?;
        Ok(lock(&self.machine).get(key))
    }

    /// Changes the membership; done when the change is applied here. Only the leader takes it.
    pub async fn change(&self, change: ConfChangeV1) -> Result<(), Error> {
        self.node.propose_conf_change_until_applied(change.into()).await?;
        Ok(())
    }
}

fn lock(machine: &Mutex<Machine>) -> MutexGuard<'_, Machine> {
    machine.lock().expect("nobody panics with it")
}

async fn clock(node: Node<MemStorage>) {
    let mut interval = tokio::time::interval(TICK);
    while node.tick().is_ok() {
        interval.tick().await;
    }
}

/// A server that cannot go on says why. What it has promised stays on its disk.
async fn tell(id: NodeId, task: impl Future<Output = Result<(), Error>>) {
    if let Err(error) = task.await {
        eprintln!("node {id} fails: {error}");
    }
}

/// Works off the Readys.
struct Application {
    node: Node<MemStorage>,
    disk: Disk,
    network: Network,
    machine: Arc<Mutex<Machine>>,
}

impl Application {
    async fn run(mut self) -> Result<(), Error> {
        while let Ok(ready) = self.node.next_ready().await {
            // The last Ready is advanced by now, so the node needs nothing of what is applied.
            block_in_place(|| self.compact())?;
            block_in_place(|| self.persist(&ready))?;
            // Not earlier: they promise that what was written will not be forgotten.
            self.network.send(&ready.messages);
            if let Some(snapshot) = &ready.snapshot {
                *lock(&self.machine) = Machine::restore(snapshot)?;
            }
            for entry in &ready.committed_entries {
                self.apply(entry).await?;
            }
            // Whoever waits for what was applied is told now.
            if ready.advance() == Err(NodeError::Stopped) {
                break;
            }
        }
        Ok(())
    }

    fn persist(&mut self, ready: &Ready) -> Result<(), Error> {
        self.disk.write(ready)?;
        Ok(self.node.with_storage(|storage| storage.write(ready))?)
    }

    async fn apply(&mut self, entry: &Entry) -> Result<(), Error> {
        lock(&self.machine).applied = entry.index;
        match entry.kind {
            EntryKind::Normal | EntryKind::RefusedConfChange if entry.data.is_empty() => {}
            EntryKind::Normal | EntryKind::RefusedConfChange => lock(&self.machine).put(Put::decode(&entry.data)?),
            EntryKind::ConfChange | EntryKind::ConfChangeV2 => {
                if let Some(change) = entry.conf_change()? {
                    self.apply_change(entry.index, change).await?;
                }
            }
        }
        Ok(())
    }

    async fn apply_change(&mut self, index: Index, change: ConfChange) -> Result<(), Error> {
        match self.node.apply_conf_change_at(index, change.into_v2()).await {
            Ok(members) => lock(&self.machine).members = members,
            Err(NodeError::Refused(why)) => eprintln!("a membership change comes to nothing: {why}"),
            Err(NodeError::Stopped) => {}
        }
        Ok(())
    }

    /// Not only for the length of the log: a node that was just added takes no snapshot that it is not a member of.
    fn compact(&mut self) -> Result<(), Error> {
        let (machine, disk) = (lock(&self.machine), &mut self.disk);
        self.node.with_storage(|storage| {
            let last = storage.snapshot()?;
            let since = machine.applied.since(last.id.index);
            if since == 0 || since < COMPACT_AFTER && last.conf_state == machine.members {
                return Ok(());
            }
            let made = storage.create_snapshot(machine.applied, machine.members.clone(), machine.encode())?.clone();
            disk.compact(&made, storage)?;
            storage.compact(machine.applied)?;
            Ok(())
        })
    }
}
