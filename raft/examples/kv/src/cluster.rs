//! All servers in one process, for the tour and for trying things out, and a client of them.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use raft::NodeId;

use crate::addresses::Addresses;
use crate::client::{Client, Unanswered};
use crate::identity::Identity;
use crate::limits::Limits;
use crate::request::{Ask, Reply, Status};
use crate::server::{Server, Settings};
use crate::testing::Testing;
use crate::tls::Credentials;
use crate::{Error, certificates};

/// How long a client asks.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a tick lasts: short, since nobody is far away.
const TICK: Duration = Duration::from_millis(20);

/// After so many applied entries the log is replaced by a snapshot: soon, so that the tour sees it.
const COMPACT_AFTER: u64 = 100;

/// Its nodes, some of which run, and where they keep what they have.
pub struct Cluster {
    directory: PathBuf,
    addresses: Addresses,
    running: BTreeMap<NodeId, Server>,
    client: Client,
    limits: Limits,
}

impl Cluster {
    /// Starts the nodes whose logs are in the directory, or else three new ones.
    pub fn start(directory: PathBuf) -> Result<Self, Error> {
        Self::start_with(directory, Limits::default())
    }

    /// The same with other limits.
    pub fn start_with(directory: PathBuf, limits: Limits) -> Result<Self, Error> {
        std::fs::create_dir_all(&directory)?;
        let certificates = directory.join("certificates");
        if !certificates.join("authority.key").exists() {
            certificates::create(&certificates, 3)?;
        }
        let client = Client::new(Credentials::load(&certificates, Identity::Client)?, BTreeMap::new(), PATIENCE);
        let (addresses, running) = (Addresses::default(), BTreeMap::new());
        let mut cluster = Self { directory, addresses, running, client, limits };
        let founders: Vec<NodeId> = (1..=3).filter_map(NodeId::new).collect();
        let found: Vec<NodeId> = cluster.known()?.into_iter().filter(|id| cluster.folder(*id).is_dir()).collect();
        for id in if found.is_empty() { founders.clone() } else { found } {
            cluster.run(id, if founders.contains(&id) { &founders } else { &[] })?;
        }
        Ok(cluster)
    }

    fn folder(&self, id: NodeId) -> PathBuf {
        self.directory.join(format!("node-{}", id.get()))
    }

    /// All nodes that ever had a folder, removed ones included.
    fn known(&self) -> Result<Vec<NodeId>, Error> {
        let mut known = Vec::new();
        for found in std::fs::read_dir(&self.directory)? {
            let name = found?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix("node-"));
            let number = number.map(|number| number.trim_end_matches("-removed"));
            known.extend(number.and_then(|number| number.parse().ok()).and_then(NodeId::new));
        }
        Ok(known)
    }

    fn run(&mut self, id: NodeId, founders: &[NodeId]) -> Result<(), Error> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        // Where it is this time goes before what the cluster remembers of earlier times.
        self.addresses.pin(id, &address);
        let start = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        let certificates = self.directory.join("certificates");
        let settings = Settings {
            id,
            start: u64::try_from(start.as_nanos())?,
            directory: self.folder(id),
            founders: founders.iter().map(|id| (*id, String::new())).collect(),
            addresses: self.addresses.clone(),
            tick: TICK,
            compact_after: COMPACT_AFTER,
            credentials: Credentials::load(&certificates, Identity::Node(id))?,
            limits: self.limits.clone(),
            testing: Testing::default(),
        };
        self.running.insert(id, Server::start(listener, settings)?);
        self.client.set_nodes(self.where_they_run());
        Ok(())
    }

    /// Where the nodes that run are.
    pub fn where_they_run(&self) -> BTreeMap<NodeId, String> {
        self.running.keys().filter_map(|id| Some((*id, self.addresses.get(*id)?))).collect()
    }

    /// Puts a value.
    pub async fn put(&mut self, key: &str, value: &str) -> Result<(), Error> {
        self.ask(Ask::Put { key: key.to_string(), value: value.to_string() }).await.map(|_| ())
    }

    /// Reads a value, through one node or whichever answers.
    pub async fn get(&mut self, key: &str, through: Option<NodeId>) -> Result<Option<String>, Error> {
        let ask = Ask::Get { key: key.to_string() };
        let reply = match through {
            Some(id) if !self.running.contains_key(&id) => return Err(not_running(id).into()),
            Some(id) => self.client.ask_node(id, ask).await?,
            None => self.ask(ask).await?,
        };
        if let Reply::Value(value) = reply { Ok(value) } else { Err(format!("that is no value: {reply:?}").into()) }
    }

    /// Starts another node and makes it a member. Waits until it answers reads.
    pub async fn add(&mut self) -> Result<NodeId, Error> {
        let next = self.known()?.into_iter().map(NodeId::get).max().unwrap_or(0) + 1;
        let id = NodeId::new(next).ok_or("there is no node zero")?;
        let certificates = self.directory.join("certificates");
        if !certificates.join(format!("{}.pem", Identity::Node(id))).exists() {
            certificates::issue(&certificates, Identity::Node(id))?;
        }
        self.run(id, &[])?;
        let address = self.addresses.get(id).unwrap_or_default();
        self.ask(Ask::Add { node: next, address }).await?;
        self.get("", Some(id)).await?;
        Ok(id)
    }

    /// Makes a node leave, and then stops it for good.
    pub async fn remove(&mut self, id: NodeId) -> Result<(), Error> {
        self.ask(Ask::Remove { node: id.get() }).await?;
        if let Some(server) = self.running.remove(&id) {
            server.stop().await;
        }
        self.client.set_nodes(self.where_they_run());
        let folder = self.folder(id);
        if folder.is_dir() {
            std::fs::rename(&folder, format!("{}-removed", folder.display()))?;
        }
        Ok(())
    }

    /// Stops a node; its disk stays.
    pub async fn stop(&mut self, id: NodeId) -> Result<(), Error> {
        self.running.remove(&id).ok_or_else(|| not_running(id))?.stop().await;
        self.client.set_nodes(self.where_they_run());
        Ok(())
    }

    /// Starts a stopped node from its disk.
    pub fn restart(&mut self, id: NodeId) -> Result<(), Error> {
        if self.running.contains_key(&id) {
            return Err("it runs already".into());
        }
        if !self.folder(id).is_dir() {
            return Err("there is no such node".into());
        }
        self.run(id, &[])
    }

    /// Stops every node that runs.
    pub async fn stop_all(self) {
        for server in self.running.into_values() {
            server.stop().await;
        }
    }

    /// How many servers run.
    pub fn count(&self) -> usize {
        self.running.len()
    }

    /// What each node that runs says of itself.
    pub async fn statuses(&mut self) -> Result<Vec<Status>, Error> {
        let mut statuses = Vec::new();
        for id in self.running.keys() {
            match self.client.ask_node(*id, Ask::Status).await? {
                Reply::Status(status) => statuses.push(status),
                other => return Err(format!("that is no status: {other:?}").into()),
            }
        }
        Ok(statuses)
    }

    /// Who leads, in the latest term that anybody leads in.
    pub async fn leader(&mut self) -> Result<Option<NodeId>, Error> {
        let statuses = self.statuses().await?;
        let leaders = statuses.iter().filter(|status| status.role == "leads");
        Ok(leaders.max_by_key(|status| status.term).and_then(|status| NodeId::new(status.node)))
    }

    async fn ask(&mut self, ask: Ask) -> Result<Reply, Error> {
        match self.client.ask(ask).await {
            Err(late @ Unanswered::InTime { .. }) => Err(format!("{late}; {}", self.why().await).into()),
            answered => Ok(answered?),
        }
    }

    /// Why nobody may have answered.
    async fn why(&mut self) -> String {
        // Whoever has applied most knows the newest membership.
        let statuses = self.statuses().await.unwrap_or_default();
        let Some(newest) = statuses.into_iter().max_by_key(|status| status.applied) else {
            return "no node runs".to_string();
        };
        let all = newest.members.len();
        let runs = |id: &&u64| NodeId::new(**id).is_some_and(|id| self.running.contains_key(&id));
        let running = newest.members.keys().filter(runs).count();
        if running * 2 > all {
            return format!("{running} of {all} voters run, which is enough, and they have not settled who leads");
        }
        format!("there is no quorum: {running} of {all} voters run, and it takes a majority; `start NODE` starts one")
    }
}

fn not_running(id: NodeId) -> String {
    format!("node {} does not run", id.get())
}
