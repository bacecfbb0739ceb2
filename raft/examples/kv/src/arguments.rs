//! The command line, as it is typed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use raft::NodeId;

use crate::testing::Testing;

const EXAMPLES: &str = "\
Three nodes by hand, in four terminals:
  kv init                              certificates for three nodes and for clients, in `certificates`
  kv serve --id 1 --data node-1        and likewise 2 and 3, on ports 7001 to 7003
  kv put colour blue
  kv get colour

A fourth, while they run:
  kv init --add 4
  kv serve --id 4 --data node-4 --join --listen 127.0.0.1:7004
  kv add 4 127.0.0.1:7004
  kv remove 1

Without a command: three nodes in this process, and commands from the terminal or a pipe; `help` lists them.
Exit status: 0 done, 1 not, 2 bad usage.";

/// A replicated key-value store: what an application around the crate `raft` looks like.
#[derive(Parser)]
#[command(name = "kv", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Three nodes in this process: a tour that checks what it sees
    #[arg(long)]
    pub demo: bool,
    /// Three nodes in this process: goes on from what this directory holds, instead of from nothing
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

#[derive(Subcommand)]
pub enum Command {
    /// Makes the certificates with which nodes and clients prove who they are
    #[command(after_help = "Examples:\n  kv init\n  kv init --nodes 5 --certificates /etc/kv\n  kv init --add 4      \
                            a certificate for one more node, from the same authority")]
    Init(Init),
    /// Runs one node, until it is killed or its disk fails
    #[command(after_help = "Examples:\n  kv serve --id 1 --data node-1\n  kv serve --id 1 --data node-1 --nodes \
                            1=10.0.0.1:7001,2=10.0.0.2:7001,3=10.0.0.3:7001\n  kv serve --id 4 --data node-4 --join --listen \
                            127.0.0.1:7004\n\nThe first start of the first nodes needs the same --nodes on each. It may be \
                            killed at any time, and goes on from --data. A node whose --data is lost must not start again \
                            with its number: remove it, and add another.")]
    Serve(Serve),
    /// Puts a value
    #[command(after_help = "Example:\n  kv put colour blue")]
    Put {
        key: String,
        value: String,
        #[command(flatten)]
        from: Connection,
    },
    /// Prints the newest value of a key, or exits with 1 where it has none
    #[command(after_help = "Examples:\n  kv get colour\n  kv get colour --through 2     asks node 2 only")]
    Get {
        key: String,
        /// Asks this node only
        #[arg(long, value_name = "NODE")]
        through: Option<u64>,
        #[command(flatten)]
        from: Connection,
    },
    /// Puts a value if the key holds what is expected, or exits with 1
    #[command(
        after_help = "Examples:\n  kv cas colour blue green\n  kv cas colour --absent blue    if it was never put"
    )]
    Cas {
        key: String,
        /// What the key has to hold
        #[arg(required_unless_present = "absent", conflicts_with = "absent")]
        expected: Option<String>,
        value: Option<String>,
        /// The key has to hold nothing; the value follows
        #[arg(long, value_name = "VALUE")]
        absent: Option<String>,
        #[command(flatten)]
        from: Connection,
    },
    /// Makes a node a member, which runs with --join
    #[command(after_help = "Example:\n  kv add 4 127.0.0.1:7004")]
    Add {
        node: u64,
        /// Where the others reach it
        address: String,
        #[command(flatten)]
        from: Connection,
    },
    /// Makes a node leave for good: its number is never used again
    #[command(
        after_help = "Example:\n  kv remove 1      and then stop its process, once `kv status` shows that all know"
    )]
    Remove {
        node: u64,
        #[command(flatten)]
        from: Connection,
    },
    /// Prints what each node says of itself
    #[command(after_help = "Example:\n  kv status")]
    Status {
        #[command(flatten)]
        from: Connection,
    },
}

#[derive(Args)]
pub struct Init {
    /// Where they go
    #[arg(long, value_name = "DIR", default_value = "certificates")]
    pub certificates: PathBuf,
    /// For how many nodes
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub nodes: u64,
    /// Makes one for this node only, with the authority that is there
    #[arg(long, value_name = "NODE", conflicts_with = "nodes")]
    pub add: Option<u64>,
}

/// Who is asked, and as whom.
#[derive(Args, Clone)]
pub struct Connection {
    /// The nodes and where they are
    #[arg(long, value_name = "ID=HOST:PORT,…", default_value = "1=127.0.0.1:7001,2=127.0.0.1:7002,3=127.0.0.1:7003")]
    pub nodes: Nodes,
    /// Where the certificates are
    #[arg(long, value_name = "DIR", default_value = "certificates")]
    pub certificates: PathBuf,
    /// After so many seconds without an answer it gives up
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub patience: u64,
}

#[derive(Args)]
pub struct Serve {
    /// Its number; `node-ID.pem` is its certificate
    #[arg(long)]
    pub id: u64,
    /// Where it keeps its log
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// The nodes that begin the cluster, itself included; with --join, members of it
    #[arg(
        long,
        visible_alias = "peers",
        value_name = "ID=HOST:PORT,…",
        default_value = "1=127.0.0.1:7001,2=127.0.0.1:7002,3=127.0.0.1:7003"
    )]
    pub nodes: Nodes,
    /// Begins no cluster, but waits until `kv add` makes it a member of one
    #[arg(long)]
    pub join: bool,
    /// Where it listens, instead of where --nodes says that it is
    #[arg(long, value_name = "HOST:PORT")]
    pub listen: Option<String>,
    /// Reaches these nodes there, whatever the cluster says: through a proxy, for instance
    #[arg(long, value_name = "ID=HOST:PORT,…", default_value = "")]
    pub via: Nodes,
    /// Where the certificates are
    #[arg(long, value_name = "DIR", default_value = "certificates")]
    pub certificates: PathBuf,
    /// How long a tick lasts, in milliseconds; an election begins after 10 to 20 ticks without a leader
    #[arg(long, value_name = "MS", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub tick: u64,
    /// After so many entries a snapshot takes the place of the log
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    pub compact_after: u64,
    #[command(flatten)]
    pub testing: ForTests,
}

/// Options that only a test should use.
#[derive(Args)]
pub struct ForTests {
    /// For tests: what is not synced is kept in this process, so that killing it is as bad as a power failure
    #[arg(long)]
    pub test_volatile: bool,
    /// For tests: never syncs, which loses data
    #[arg(long)]
    pub test_no_fsync: bool,
    /// For tests: syncs only every so many milliseconds, which loses data
    #[arg(long, value_name = "MS")]
    pub test_late_fsync: Option<u64>,
}

impl ForTests {
    pub fn testing(&self) -> Testing {
        Testing {
            volatile: self.test_volatile,
            no_fsync: self.test_no_fsync,
            late_fsync: self.test_late_fsync.map(Duration::from_millis),
        }
    }
}

/// Nodes and where they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nodes(pub BTreeMap<NodeId, String>);

impl FromStr for Nodes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut nodes = BTreeMap::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let explained = || format!("`{part}` is not like 1=127.0.0.1:7001");
            let (id, address) = part.split_once('=').ok_or_else(explained)?;
            let id = id.parse().ok().and_then(NodeId::new).ok_or_else(explained)?;
            let port = address.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
            if !matches!(port, Some(Ok(_))) {
                return Err(explained());
            }
            if nodes.insert(id, address.to_string()).is_some() {
                return Err(format!("node {} is there twice", id.get()));
            }
        }
        Ok(Self(nodes))
    }
}
