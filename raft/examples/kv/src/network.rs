//! Messages between nodes: raftpb bytes over TCP, each after its length. A connection carries one direction.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use raft::{Body, MemStorage, Message, Node, NodeId, SnapshotStatus, Stopped};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::Error;

/// Where the nodes listen. In one process a table will do; otherwise addresses would go with membership changes, in
/// their context.
#[derive(Clone, Default)]
pub struct Addresses(Arc<Mutex<BTreeMap<NodeId, SocketAddr>>>);

impl Addresses {
    pub fn insert(&self, id: NodeId, address: SocketAddr) {
        self.0.lock().expect("nobody panics with it").insert(id, address);
    }

    fn get(&self, id: NodeId) -> Option<SocketAddr> {
        self.0.lock().expect("nobody panics with it").get(&id).copied()
    }
}

/// Longer messages are taken for garbage.
const LONGEST: u32 = 64 << 20;

/// Messages that wait for a slow peer. More are dropped, which Raft can live with.
const WAITING: usize = 1024;

/// Gives a node whatever arrives for it.
pub async fn receive(listener: TcpListener, node: Node<MemStorage>) -> Result<(), Error> {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        connections.spawn(receive_from(stream, node.clone()));
        while connections.try_join_next().is_some() {}
    }
}

/// An error ends the connection, and the peer makes another.
async fn receive_from(stream: TcpStream, node: Node<MemStorage>) -> Result<(), Error> {
    let mut stream = BufReader::new(stream);
    loop {
        let length = stream.read_u32_le().await?;
        if length > LONGEST {
            return Err("a message is too long".into());
        }
        let mut bytes = vec![0; length as usize];
        stream.read_exact(&mut bytes).await?;
        let message = Message::decode(&bytes)?;
        match message.body {
            // It may wait for a leader, whom the messages behind it bring. Without room it is lost.
            Body::Propose { .. } => drop(node.try_step(message)),
            _ => node.step(message).await?,
        }
    }
}

/// The sending side of one node.
pub struct Network {
    node: Node<MemStorage>,
    addresses: Addresses,
    peers: BTreeMap<NodeId, mpsc::Sender<Message>>,
    tasks: JoinSet<Result<(), Stopped>>,
}

impl Network {
    pub fn new(node: Node<MemStorage>, addresses: Addresses) -> Self {
        Self { node, addresses, peers: BTreeMap::new(), tasks: JoinSet::new() }
    }

    /// Never waits.
    pub fn send(&mut self, messages: &[Message]) {
        for message in messages {
            let (node, addresses, tasks) = (&self.node, &self.addresses, &mut self.tasks);
            let peer = self.peers.entry(message.to).or_insert_with(|| {
                let (sender, receiver) = mpsc::channel(WAITING);
                tasks.spawn(send_to(message.to, receiver, node.clone(), addresses.clone()));
                sender
            });
            let _ = peer.try_send(message.clone());
        }
    }
}

/// Sends to one peer, and tells the node what could not be sent.
async fn send_to(
    peer: NodeId,
    mut messages: mpsc::Receiver<Message>,
    node: Node<MemStorage>,
    addresses: Addresses,
) -> Result<(), Stopped> {
    let mut connection = None;
    while let Some(message) = messages.recv().await {
        let sent = write(&mut connection, addresses.get(peer), &message).await.is_ok();
        if !sent {
            connection = None;
            node.report_unreachable(peer).await?;
        }
        if let Body::InstallSnapshot { .. } = message.body {
            let status = if sent { SnapshotStatus::Finish } else { SnapshotStatus::Failure };
            node.report_snapshot(peer, status).await?;
        }
    }
    Ok(())
}

async fn write(
    connection: &mut Option<TcpStream>,
    address: Option<SocketAddr>,
    message: &Message,
) -> Result<(), Error> {
    let stream = match connection {
        Some(stream) => stream,
        None => {
            let stream = TcpStream::connect(address.ok_or("nobody knows its address")?).await?;
            stream.set_nodelay(true)?;
            connection.insert(stream)
        }
    };
    let mut framed = vec![0; 4];
    message.encode_into(&mut framed);
    let length = u32::try_from(framed.len() - 4)?;
    framed[..4].copy_from_slice(&length.to_le_bytes());
    stream.write_all(&framed).await?;
    Ok(())
}
