//! What each command does.

use std::net::TcpListener;
use std::time::{Duration, SystemTime};

use raft::NodeId;

use crate::addresses::Addresses;
use crate::arguments::{Arguments, Command, Connection, Init, Serve};
use crate::client::Client;
use crate::cluster::Cluster;
use crate::identity::Identity;
use crate::limits::Limits;
use crate::request::{Ask, Reply};
use crate::server::{Server, Settings};
use crate::shell::{self, say};
use crate::tls::Credentials;
use crate::{Error, certificates};

/// Does what the command line says.
///
/// # Errors
/// What went wrong, and where that helps, what to do next.
pub async fn run(arguments: Arguments) -> Result<(), Error> {
    let Some(command) = arguments.command else {
        let temporary = tempfile::tempdir()?;
        let mut cluster = Cluster::start(arguments.data.unwrap_or_else(|| temporary.path().to_path_buf()))?;
        let done = if arguments.demo { shell::demo(&mut cluster).await } else { shell::interact(&mut cluster).await };
        cluster.stop_all().await;
        return done;
    };
    match command {
        Command::Init(init) => make_certificates(&init),
        Command::Serve(options) => serve(options).await,
        Command::Put { key, value, from } => done(ask(&from, Ask::Put { key, value }).await?),
        Command::Get { key, through, from } => get(key, through, &from).await,
        Command::Cas { key, expected, value, absent, from } => {
            let (expected, value) = match (absent, value) {
                (Some(value), _) => (None, value),
                (None, Some(value)) => (expected, value),
                (None, None) => return Err("the new value is missing: `kv cas KEY EXPECTED VALUE`".into()),
            };
            done(ask(&from, Ask::CompareAndSet { key, expected, value }).await?)
        }
        Command::Add { node, address, from } => done(ask(&from, Ask::Add { node, address }).await?),
        Command::Remove { node, from } => done(ask(&from, Ask::Remove { node }).await?),
        Command::Status { from } => status(&from).await,
    }
}

fn make_certificates(init: &Init) -> Result<(), Error> {
    let shown = init.certificates.display();
    if let Some(node) = init.add {
        let id = id(node)?;
        certificates::issue(&init.certificates, Identity::Node(id))?;
        return say(&format!("{shown} has a certificate of node {node} now"));
    }
    certificates::create(&init.certificates, init.nodes)?;
    say(&format!(
        "{shown} has certificates of nodes 1 to {} and of clients; next: kv serve --id 1 --data node-1",
        init.nodes
    ))
}

async fn serve(options: Serve) -> Result<(), Error> {
    let id = id(options.id)?;
    let nodes = options.nodes.0;
    let listen = options.listen.or_else(|| nodes.get(&id).cloned()).ok_or_else(|| {
        format!("--nodes does not say where node {} is: name it there, or use --listen HOST:PORT", options.id)
    })?;
    if !options.join && !nodes.contains_key(&id) {
        return Err(format!(
            "--nodes lacks node {}: it begins the cluster with the others, or it needs --join",
            options.id
        )
        .into());
    }
    let listener = TcpListener::bind(&listen).map_err(|error| format!("cannot listen at {listen}: {error}"))?;
    let addresses = Addresses::default();
    nodes.iter().for_each(|(id, address)| addresses.learn(*id, address));
    options.via.0.iter().for_each(|(id, address)| addresses.pin(*id, address));
    let settings = Settings {
        id,
        start: u64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_nanos())?,
        directory: options.data,
        founders: if options.join { Vec::new() } else { nodes.into_iter().collect() },
        addresses,
        tick: Duration::from_millis(options.tick),
        compact_after: options.compact_after,
        credentials: Credentials::load(&options.certificates, Identity::Node(id))?,
        limits: Limits::default(),
        testing: options.testing.testing(),
    };
    let address = listener.local_addr()?;
    let mut server = Server::start(listener, settings)?;
    say(&format!("node {} listens at {address}", options.id))?;
    Err(format!("node {} stops: {}", options.id, server.failure().await).into())
}

fn client(from: &Connection) -> Result<Client, Error> {
    let credentials = Credentials::load(&from.certificates, Identity::Client)?;
    Ok(Client::new(credentials, from.nodes.0.clone(), Duration::from_secs(from.patience)))
}

async fn ask(from: &Connection, ask: Ask) -> Result<Reply, Error> {
    Ok(client(from)?.ask(ask).await?)
}

fn done(reply: Reply) -> Result<(), Error> {
    match reply {
        Reply::Compared(false) => Err("the key holds something else; `kv get` says what".into()),
        _ => say("ok"),
    }
}

async fn get(key: String, through: Option<u64>, from: &Connection) -> Result<(), Error> {
    let mut client = client(from)?;
    let (shown, ask) = (key.clone(), Ask::Get { key });
    let reply = match through {
        Some(node) => client.ask_node(id(node)?, ask).await?,
        None => client.ask(ask).await?,
    };
    match reply {
        Reply::Value(Some(value)) => say(&value),
        _ => Err(format!("{shown} has no value").into()),
    }
}

/// A node that does not answer is no reason to say nothing of the others.
async fn status(from: &Connection) -> Result<(), Error> {
    let mut client = client(&Connection { patience: from.patience.min(3), ..from.clone() })?;
    let mut answered = 0;
    for node in from.nodes.0.keys() {
        match client.ask_node(*node, Ask::Status).await {
            Ok(Reply::Status(status)) => {
                answered += 1;
                say(&status.to_string())?;
            }
            Ok(other) => say(&format!("node {}: {other:?}", node.get()))?,
            Err(error) => say(&format!("node {}: {error}", node.get()))?,
        }
    }
    if answered == 0 { Err("no node answers; `kv serve` starts one".into()) } else { Ok(()) }
}

fn id(number: u64) -> Result<NodeId, Error> {
    NodeId::new(number).ok_or_else(|| "there is no node 0: numbers begin at 1".into())
}
