//! A client that finds the leader, asks again where an answer is lost, and gives up in time.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use raft::NodeId;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::limits::Limits;
use crate::request::{Ask, Reply, Request};
use crate::tls::{Credentials, Outgoing};
use crate::{Error, frame};

/// How long it waits after a refusal: an election is over in a few such pauses.
const PAUSE: Duration = Duration::from_millis(50);

/// One client. What it asks, it asks one after another.
pub struct Client {
    credentials: Credentials,
    nodes: BTreeMap<NodeId, String>,
    limits: Limits,
    patience: Duration,
    /// The client's name, which nobody else has, and the number of its last request.
    name: u64,
    number: u64,
    connection: Option<(NodeId, Outgoing)>,
    /// Who leads, as somebody said.
    leader: Option<NodeId>,
    turn: usize,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Unanswered {
    /// It was refused, and asking again would not help. Nothing came of it.
    Refused(String),
    /// Nobody answered in time; it may still take effect.
    InTime {
        /// How long it asked.
        patience: Duration,
        /// What came of the last attempt.
        last: String,
    },
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => write!(f, "refused: {why}"),
            Self::InTime { patience, last } => {
                let seconds = patience.as_secs();
                write!(
                    f,
                    "no answer within {seconds} s, and the request may still take effect; the last attempt: {last}"
                )
            }
        }
    }
}

impl std::error::Error for Unanswered {}

impl Client {
    /// A client of these nodes, which asks for so long before it gives up.
    pub fn new(credentials: Credentials, nodes: BTreeMap<NodeId, String>, patience: Duration) -> Self {
        // Two clients of one name would take each other's requests for repetitions. The system seeds this hasher at random.
        let name = RandomState::new().hash_one(std::process::id());
        let limits = Limits::default();
        Self { credentials, nodes, limits, patience, name, number: 0, connection: None, leader: None, turn: 0 }
    }

    /// Another list of nodes, from now on.
    pub fn set_nodes(&mut self, nodes: BTreeMap<NodeId, String>) {
        self.nodes = nodes;
    }

    /// Begins with another node than it otherwise would.
    pub fn begin_at(&mut self, turn: usize) {
        (self.turn, self.leader) = (turn, None);
    }

    /// Asks one node after another until one answers. Whoever names the leader is believed.
    ///
    /// # Errors
    /// See [`Unanswered`].
    pub async fn ask(&mut self, ask: Ask) -> Result<Reply, Unanswered> {
        self.ask_whom(None, ask).await
    }

    /// Asks this node only.
    ///
    /// # Errors
    /// See [`Unanswered`].
    pub async fn ask_node(&mut self, node: NodeId, ask: Ask) -> Result<Reply, Unanswered> {
        self.ask_whom(Some(node), ask).await
    }

    async fn ask_whom(&mut self, whom: Option<NodeId>, ask: Ask) -> Result<Reply, Unanswered> {
        self.number += 1;
        let request = Request { client: self.name, number: self.number, ask };
        let deadline = Instant::now() + self.patience;
        let mut last = "no node was asked".to_string();
        loop {
            let Some(node) = whom.or_else(|| self.choose()) else {
                return Err(Unanswered::Refused("no nodes are known: name some with --nodes".to_string()));
            };
            let said = match timeout_at(deadline, self.once(node, &request)).await {
                Ok(Ok(Reply::AskLeader { node: leader, address })) => {
                    self.believe(leader, address);
                    format!("node {} says that node {leader} leads", node.get())
                }
                Ok(Ok(Reply::AskAgain(why))) => self.disbelieve(node, why),
                Ok(Ok(Reply::Refused(why))) => return Err(Unanswered::Refused(why)),
                Ok(Ok(reply)) => return Ok(reply),
                Ok(Err(error)) => self.disbelieve(node, error.to_string()),
                Err(_elapsed) => return Err(Unanswered::InTime { patience: self.patience, last }),
            };
            last = said;
            if timeout_at(deadline, sleep(PAUSE)).await.is_err() {
                return Err(Unanswered::InTime { patience: self.patience, last });
            }
        }
    }

    /// The leader, where somebody named it, or else whoever's turn it is.
    fn choose(&mut self) -> Option<NodeId> {
        let known = self.leader.filter(|leader| self.nodes.contains_key(leader));
        let turn = self.turn.checked_rem(self.nodes.len())?;
        known.or_else(|| self.nodes.keys().nth(turn).copied())
    }

    fn believe(&mut self, leader: u64, address: Option<String>) {
        self.leader = NodeId::new(leader);
        if let (Some(leader), Some(address)) = (self.leader, address) {
            self.nodes.entry(leader).or_insert(address);
        }
    }

    fn disbelieve(&mut self, node: NodeId, why: String) -> String {
        (self.leader, self.connection) = (None, None);
        self.turn += 1;
        format!("node {}: {why}", node.get())
    }

    /// One attempt, for as long as it may take the node to say that it cannot tell, and the way there.
    async fn once(&mut self, node: NodeId, request: &Request) -> Result<Reply, Error> {
        // What is dropped in the middle of an answer must not be used again, so that it is taken out meanwhile.
        let connected = self.connection.take().filter(|(to, _)| *to == node);
        let attempt = async {
            let mut stream = match connected {
                Some((_, stream)) => stream,
                None => {
                    let address = self.nodes.get(&node).ok_or("nobody knows its address; --nodes says it")?;
                    self.credentials.connect(node, address, &self.limits).await?
                }
            };
            frame::write(&mut stream, &serde_json::to_vec(request)?, &self.limits).await?;
            let reply = frame::read(&mut stream, self.limits.request_bytes, &self.limits).await?;
            let reply = reply.ok_or("it ended the connection")?;
            Ok::<_, Error>((stream, serde_json::from_slice(&reply)?))
        };
        let (stream, reply) = timeout(self.limits.request * 2, attempt).await.map_err(|_elapsed| "no answer")??;
        self.connection = Some((node, stream));
        Ok(reply)
    }
}
