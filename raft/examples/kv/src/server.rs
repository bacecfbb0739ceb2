//! One node with its disk, its connections and its copy of the map.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use raft::node::{Limits as Queues, RunLoop};
use raft::{Config, Index, MemStorage, Node, NodeId, RawNode, Stopped, Storage as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::Error;
use crate::addresses::Addresses;
use crate::application::Application;
use crate::disk::Disk;
use crate::limits::Limits;
use crate::listener::Door;
use crate::machine::{Machine, Outcome};
use crate::peers::Peers;
use crate::service::Service;
use crate::testing::Testing;
use crate::tls::Credentials;

/// What a server starts with.
pub struct Settings {
    /// Who it is.
    pub id: NodeId,
    /// A number that no start of this node had before.
    pub start: u64,
    /// Where its log is.
    pub directory: PathBuf,
    /// With whom it begins a cluster, and where they are, if its log is empty. With none it waits to be added to one.
    pub founders: Vec<(NodeId, String)>,
    /// Where the others are, as far as is known.
    pub addresses: Addresses,
    /// How long a tick lasts. An election timeout is ten to twenty of them.
    pub tick: Duration,
    /// After so many applied entries the log is replaced by a snapshot.
    pub compact_after: u64,
    pub credentials: Credentials,
    pub limits: Limits,
    pub testing: Testing,
}

/// A running server. Dropping it is a crash.
pub struct Server {
    node: Node<MemStorage, Outcome>,
    tasks: JoinSet<Result<(), Error>>,
}

impl Server {
    /// Starts a node from what its directory holds.
    ///
    /// # Errors
    /// The log is damaged or somebody else's, or the options make no sense.
    pub fn start(listener: std::net::TcpListener, settings: Settings) -> Result<Self, Error> {
        let Settings { id, start, directory, founders, addresses, tick, compact_after, .. } = settings;
        let Settings { credentials, limits, testing, .. } = settings;
        let (disk, storage) = Disk::open(&directory, id, &testing)?;
        let machine = Machine::restore(&storage.snapshot()?, &addresses)?;
        let config = Config { election_seed: Some(start), applied: machine.applied, ..Config::recommended(id) };
        let begins = storage.last_index() == Index::ZERO && !founders.is_empty();
        let mut node = RawNode::new(config, storage)?;
        if begins {
            let with_address = |(id, address)| (id, Bytes::from(address));
            node.bootstrap(&founders.into_iter().map(with_address).collect::<Vec<_>>())?;
        }
        let (node, driver) = Node::answering(RunLoop::new(node, Queues::default()));

        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let machine = Arc::new(Mutex::new(machine));
        let service = Service::new(node.clone(), Arc::clone(&machine), addresses.clone(), limits.clone(), start);
        let door = Door::new(id, node.clone(), service, credentials.clone(), limits.clone());
        let peers = Peers::new(id, node.clone(), addresses.clone(), credentials, limits);
        let application = Application { node: node.clone(), disk, peers, machine, addresses, compact_after };
        let mut tasks = JoinSet::new();
        tasks.spawn(async {
            driver.await;
            Ok(())
        });
        tasks.spawn(clock(node.clone(), tick));
        tasks.spawn(door.open(listener));
        tasks.spawn(application.run());
        Ok(Self { node, tasks })
    }

    /// Waits until it cannot go on, and says why.
    pub async fn failure(&mut self) -> Error {
        loop {
            match self.tasks.join_next().await {
                Some(Ok(Err(error))) => return error,
                Some(Ok(Ok(()))) => {}
                Some(Err(panicked)) => return panicked.into(),
                None => return Stopped.into(),
            }
        }
    }

    pub async fn stop(mut self) {
        self.node.stop();
        self.tasks.shutdown().await;
    }
}

async fn clock(node: Node<MemStorage, Outcome>, tick: Duration) -> Result<(), Error> {
    let mut interval = tokio::time::interval(tick);
    while node.tick().is_ok() {
        interval.tick().await;
    }
    Ok(())
}
