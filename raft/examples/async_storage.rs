//! Asynchronous storage writes: while a disk syncs, the node goes on with messages, ticks and proposals.
//!
//! ```text
//! cargo run -p raft --example async_storage
//! ```
//!
//! Three servers in one process, of three threads each: one owns the node and never touches a disk, one owns the log on
//! disk and writes it, one owns the application and applies. Each has a queue, which it works off in order.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bytes::Bytes;
use raft::{
    ConfState, Config, Index, MemStorage, Message, NodeId, RawNode, Role, Storage, StorageAppend, StorageApplied,
    StorageApply,
};
use raft_wal::{Checkpoint, RealFiles, RecoveryError, Wal, plan};

type Failure = Box<dyn Error + Send + Sync>;

const TICK: Duration = Duration::from_millis(10);

/// What arrives for the thread that owns the node.
enum Input {
    Message(Message),
    Propose(Bytes),
    /// The append thread is done: what it wrote is on the disk.
    Appended(Box<StorageAppend>),
    /// The apply thread is done.
    Applied(StorageApplied),
    Stop,
}

/// Where to put what is for each node.
type Network = BTreeMap<NodeId, Sender<Input>>;

/// The thread that owns the node.
struct Loop {
    node: RawNode<MemStorage>,
    inbox: Receiver<Input>,
    network: Network,
    append: Sender<StorageAppend>,
    apply: Sender<StorageApply>,
    /// What was proposed before there was a leader.
    early: Vec<Bytes>,
}

impl Loop {
    fn run(mut self) -> Result<(), Failure> {
        let mut next_tick = Instant::now() + TICK;
        loop {
            let now = Instant::now();
            if now >= next_tick {
                self.node.tick();
                // Counted from now: a process that was paused must not catch up on its ticks.
                next_tick = now + TICK;
            }
            match self.inbox.recv_timeout(next_tick - now) {
                Ok(Input::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Ok(input) => self.take(input)?,
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.propose_early();
            self.hand_out()?;
        }
    }

    fn take(&mut self, input: Input) -> Result<(), Failure> {
        match input {
            // An error means that the message was not taken, as if it had been lost.
            Input::Message(message) => drop(self.node.step(message)),
            Input::Propose(data) => self.early.push(data),
            Input::Appended(append) => self.appended(*append)?,
            Input::Applied(applied) => self.node.storage_applied(applied),
            Input::Stop => {}
        }
        Ok(())
    }

    /// What was written is durable. In this order: the node may read it from its storage; the messages that promise it
    /// leave; the node is told.
    fn appended(&mut self, append: StorageAppend) -> Result<(), Failure> {
        self.node.storage_mut().write_append(&append)?;
        for response in append.responses {
            self.send(response);
        }
        if let Some(appended) = append.appended {
            self.node.storage_appended(appended);
        }
        Ok(())
    }

    /// Passes on the parts of each Ready. There is nothing to advance: the answers of the two threads take its place.
    fn hand_out(&mut self) -> Result<(), Failure> {
        while let Some(ready) = self.node.ready() {
            // These promise nothing that is not durable, so they go at once.
            ready.messages.into_iter().for_each(|message| self.send(message));
            if let Some(append) = ready.storage_append {
                self.append.send(*append)?;
            }
            if let Some(apply) = ready.storage_apply {
                self.apply.send(apply)?;
            }
        }
        Ok(())
    }

    /// A response may be for this node itself: its own vote or acknowledgement, which counts from now on.
    fn send(&mut self, message: Message) {
        if message.to == self.node.id() {
            let _ = self.node.step(message);
        } else if let Some(peer) = self.network.get(&message.to) {
            // A server that has stopped hears nothing.
            let _ = peer.send(Input::Message(message));
        }
    }

    fn propose_early(&mut self) {
        if self.node.soft_state().role == Role::Leader {
            for data in self.early.drain(..) {
                // Dropped where too much is uncommitted; a service would tell the client.
                let _ = self.node.propose(data);
            }
        }
    }
}

/// The append thread: the log on disk. It fails where the disk does, and the server stops: an fsync that failed must not be
/// tried again.
fn append_to_disk(
    mut files: RealFiles,
    mut wal: Wal,
    work: &Receiver<StorageAppend>,
    node: &Sender<Input>,
) -> Result<(), Failure> {
    while let Ok(append) = work.recv() {
        for write in plan(append.hard_state, &append.entries, append.snapshot.as_ref()) {
            wal.write(&mut files, write)?;
        }
        if append.must_sync || append.snapshot.is_some() {
            wal.sync(&mut files)?;
        }
        // Also where there was nothing to write: responses wait for what was written before them.
        if node.send(Input::Appended(Box::new(append))).is_err() {
            break;
        }
    }
    Ok(())
}

/// The apply thread: here the application is a list of texts, which it reports.
fn apply(work: &Receiver<StorageApply>, node: &Sender<Input>, report: &Sender<(NodeId, Index, Bytes)>, id: NodeId) {
    while let Ok(apply) = work.recv() {
        for entry in apply.entries.iter().filter(|entry| !entry.data.is_empty()) {
            let _ = report.send((id, entry.index, entry.data.clone()));
        }
        if node.send(Input::Applied(apply.into_applied())).is_err() {
            break;
        }
    }
}

/// Starts the three threads of a server on the log in a directory. The membership is fixed, and the log is never
/// compacted; what that needs more, the guide says ([`raft::guide::asynchronous_storage`]).
fn start(
    id: NodeId,
    members: &ConfState,
    directory: &Path,
    inbox: Receiver<Input>,
    network: &Network,
    report: &Sender<(NodeId, Index, Bytes)>,
) -> Result<Vec<JoinHandle<Result<(), Failure>>>, Failure> {
    let (files, wal, storage) = open(directory, members)?;
    let mut config = Config::recommended(id);
    config.async_storage_writes = true;
    let (append, appends) = channel();
    let (applying, applies) = channel();
    let node = RawNode::new(config, storage)?;
    let run_loop = Loop { node, inbox, network: network.clone(), append, apply: applying, early: Vec::new() };
    let (to_node, also_to_node, report) = (network[&id].clone(), network[&id].clone(), report.clone());
    Ok(vec![
        thread::spawn(move || run_loop.run()),
        thread::spawn(move || append_to_disk(files, wal, &appends, &to_node)),
        thread::spawn(move || {
            apply(&applies, &also_to_node, &report, id);
            Ok(())
        }),
    ])
}

/// The log in a directory, and the same in memory for the node to read.
fn open(directory: &Path, members: &ConfState) -> Result<(RealFiles, Wal, MemStorage), Failure> {
    let mut files = RealFiles::open(directory)?;
    let (wal, storage) = match Wal::open(&mut files) {
        Ok((wal, recovered)) => (wal, recovered.into_storage()?),
        Err(RecoveryError::Missing) => {
            let storage = MemStorage::with_conf_state(members.clone());
            let snapshot = storage.snapshot()?;
            let first = Checkpoint { snapshot: Some(&snapshot), ..Checkpoint::default() };
            (Wal::create(&mut files, first)?, storage)
        }
        // Damage: the server stays down.
        Err(error) => return Err(error.into()),
    };
    Ok((files, wal, storage))
}

fn main() -> Result<(), Failure> {
    const COUNT: usize = 100;
    let ids: Vec<NodeId> = (1..=3).filter_map(NodeId::new).collect();
    let members = ConfState { voters: ids.iter().copied().collect(), ..ConfState::default() };
    let directory = tempfile::tempdir()?;
    let (mut network, mut inboxes) = (Network::new(), Vec::new());
    for &id in &ids {
        let (sender, inbox) = channel();
        network.insert(id, sender);
        inboxes.push((id, inbox));
    }
    let (report, reports) = channel();
    let mut threads = Vec::new();
    for (id, inbox) in inboxes {
        threads.extend(start(id, &members, &directory.path().join(id.to_string()), inbox, &network, &report)?);
    }

    // Every server gets every text, and whichever leads proposes them. Should the leader change, they are repeated; a
    // service has its clients number their requests, so that the application knows a repetition.
    for number in 0..COUNT {
        for server in network.values() {
            server.send(Input::Propose(number.to_string().into()))?;
        }
    }
    let mut applied: BTreeMap<NodeId, Vec<(Index, Bytes)>> = BTreeMap::new();
    while applied.len() < ids.len() || applied.values().any(|entries| entries.len() < COUNT) {
        let (id, index, data) = reports.recv_timeout(Duration::from_secs(60))?;
        applied.entry(id).or_default().push((index, data));
    }

    let first: Vec<_> = applied[&ids[0]].iter().take(COUNT).collect();
    println!("all applied {COUNT} entries, from {:?} to {:?}", first[0].1, first[COUNT - 1].1);
    assert!(applied.values().all(|entries| entries.iter().take(COUNT).eq(first.iter().copied())));

    for server in network.values() {
        server.send(Input::Stop)?;
    }
    drop(network);
    threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?)
}

#[test]
fn three_servers_apply_the_same_entries_while_their_disks_sync() {
    main().expect("the example holds");
}
