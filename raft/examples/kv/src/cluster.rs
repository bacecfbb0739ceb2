//! All servers of the process, and a client that asks one after another until one answers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use raft::{ApplyError, ConfChangeV1, NodeId, ProposeError, Role, Status, VoteResult};
use tokio::time::{sleep, timeout};

use crate::Error;
use crate::machine::Put;
use crate::network::Addresses;
use crate::server::Server;

/// How long a client asks.
const PATIENCE: Duration = Duration::from_secs(10);

/// After so long it says why it waits.
const SILENT: Duration = Duration::from_secs(2);

/// After so long an answer counts as lost: messages may be, and nobody tells.
const LOST: Duration = Duration::from_secs(1);

/// How long it waits after a refusal: an election is over in a few such pauses.
const PAUSE: Duration = Duration::from_millis(50);

/// Its nodes, some of which run, and where they keep what they have.
pub struct Cluster {
    directory: PathBuf,
    addresses: Addresses,
    running: BTreeMap<NodeId, Server>,
    /// The last number given to a request. Numbers are never used again, not even by the next process, since the log
    /// remembers them.
    request: u64,
}

impl Cluster {
    /// Starts the nodes whose logs are in the directory, or else three new ones.
    pub fn start(directory: PathBuf) -> Result<Self, Error> {
        std::fs::create_dir_all(&directory)?;
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        let request = u64::try_from(since_epoch.as_nanos())?;
        let mut cluster = Self { directory, addresses: Addresses::default(), running: BTreeMap::new(), request };
        let founders: Vec<NodeId> = (1..=3).filter_map(NodeId::new).collect();
        let found: Vec<NodeId> = cluster.known()?.into_iter().filter(|id| cluster.folder(*id).is_dir()).collect();
        let peers: Vec<(NodeId, Bytes)> = founders.iter().map(|id| (*id, Bytes::new())).collect();
        for id in if found.is_empty() { founders.clone() } else { found } {
            cluster.run(id, if founders.contains(&id) { &peers } else { &[] })?;
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

    fn run(&mut self, id: NodeId, peers: &[(NodeId, Bytes)]) -> Result<(), Error> {
        let seed = self.next_request();
        let server = Server::start(id, seed, &self.folder(id), peers, &self.addresses)?;
        self.running.insert(id, server);
        Ok(())
    }

    fn next_request(&mut self) -> u64 {
        self.request += 1;
        self.request
    }

    /// Puts a value. It may be put twice where the answer is lost, which makes no difference while nobody else puts.
    pub async fn put(&mut self, key: &str, value: &str) -> Result<(), Error> {
        let put = Put { key: key.to_string(), value: value.to_string() };
        self.ask(None, async |server, _| server.put(&put).await).await
    }

    /// Reads a value, through one node or whichever answers.
    pub async fn get(&mut self, key: &str, through: Option<NodeId>) -> Result<Option<String>, Error> {
        self.ask(through, async |server, request| server.get(request, key).await).await
    }

    /// Starts another node and makes it a member. Waits until it answers reads.
    pub async fn add(&mut self) -> Result<NodeId, Error> {
        let next = self.known()?.into_iter().map(NodeId::get).max().unwrap_or(0) + 1;
        let id = NodeId::new(next).ok_or("there is no node zero")?;
        self.run(id, &[])?;
        self.change(ConfChangeV1::add_voter(id)).await?;
        self.get("", Some(id)).await?;
        Ok(id)
    }

    /// Makes a node leave, and then stops it for good.
    pub async fn remove(&mut self, id: NodeId) -> Result<(), Error> {
        if self.running.len() < 2 {
            return Err("the last node cannot leave".into());
        }
        self.change(ConfChangeV1::remove(id)).await?;
        if let Some(server) = self.running.remove(&id) {
            server.stop().await;
        }
        let folder = self.folder(id);
        if folder.is_dir() {
            std::fs::rename(&folder, format!("{}-removed", folder.display()))?;
        }
        Ok(())
    }

    async fn change(&mut self, change: ConfChangeV1) -> Result<(), Error> {
        self.ask(None, async |server, _| server.change(change.clone()).await).await
    }

    /// Stops a node; its disk stays.
    pub async fn stop(&mut self, id: NodeId) -> Result<(), Error> {
        self.running.remove(&id).ok_or_else(|| not_running(id))?.stop().await;
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
    pub async fn statuses(&self) -> Result<Vec<Status>, Error> {
        let mut statuses = Vec::new();
        for server in self.running.values() {
            statuses.push(server.status().await?);
        }
        Ok(statuses)
    }

    /// Who leads, in the latest term that anybody leads in.
    pub async fn leader(&self) -> Result<Option<NodeId>, Error> {
        let statuses = self.statuses().await?;
        let leaders = statuses.iter().filter(|status| status.basic.soft_state.role == Role::Leader);
        Ok(leaders.max_by_key(|status| status.basic.hard_state.term).map(|status| status.basic.id))
    }

    /// Asks a node, or one after another, until it answers in time. Whoever names the leader is believed.
    async fn ask<R>(
        &mut self,
        whom: Option<NodeId>,
        question: impl AsyncFn(&Server, u64) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let began = Instant::now();
        let (mut named, mut told) = (None, false);
        for attempt in 0.. {
            if began.elapsed() >= PATIENCE {
                break;
            }
            if began.elapsed() >= SILENT && !told {
                told = true;
                eprintln!("no answer yet: {}", self.why().await);
            }
            let request = self.next_request();
            let count = self.running.len().max(1);
            let server = match whom {
                Some(id) => self.running.get(&id).ok_or_else(|| not_running(id))?,
                None => named
                    .and_then(|leader| self.running.get(&leader))
                    .or_else(|| self.running.values().nth(attempt % count))
                    .ok_or("no node runs")?,
            };
            match timeout(LOST, question(server, request)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => {
                    named = named_leader(&error);
                    sleep(PAUSE).await;
                }
                Err(_elapsed) => named = None,
            }
        }
        let seconds = PATIENCE.as_secs();
        Err(format!("no answer within {seconds} s, and the request may still take effect: {}", self.why().await).into())
    }

    /// Why nobody may have answered.
    async fn why(&self) -> String {
        let statuses = timeout(LOST, self.statuses()).await;
        // Whoever has applied most knows the newest membership.
        let newest = statuses
            .ok()
            .and_then(Result::ok)
            .and_then(|statuses| statuses.into_iter().max_by_key(|s| s.basic.applied));
        let Some(newest) = newest else { return "no node runs".to_string() };
        let voters = newest.configuration.voters();
        let runs = |voter: &NodeId| self.running.contains_key(voter);
        let (running, all) = (voters.ids().filter(runs).count(), voters.ids().count());
        match voters.vote_result(|voter| Some(runs(&voter))) {
            VoteResult::Won => {
                format!("{running} of {all} voters run, which is enough, and they have not settled who leads")
            }
            VoteResult::Pending | VoteResult::Lost => {
                format!(
                    "there is no quorum: {running} of {all} voters run, and it takes a majority; `start NODE` starts one"
                )
            }
        }
    }
}

fn not_running(id: NodeId) -> String {
    format!("node {id} does not run")
}

/// Who leads, according to somebody who does not.
fn named_leader(error: &Error) -> Option<NodeId> {
    match error.downcast_ref::<ApplyError>()? {
        ApplyError::NotProposed(ProposeError::NotLeader { leader }) => Some(*leader),
        _ => None,
    }
}
