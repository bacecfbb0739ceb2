//! A Raft node in a host of one's own, over a storage of one's own: all in this file.
//!
//! ```text
//! cargo run -p raft --example raw_node
//! ```
//!
//! Three servers in one process agree on a list of words. One of them stops, misses what the others compact away, and
//! catches up from a snapshot when it starts again. Nothing here is asynchronous, and time is a loop that ticks: that is
//! how a host is tested, too.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use bytes::Bytes;
use raft::storage::prefix_within;
use raft::{
    ConfState, Config, Entry, EntryId, HardState, Index, Message, NodeId, RawNode, Ready, Role, Snapshot, Storage,
    StorageError, Term,
};

/// What survives a restart. A real one is on a disk; the crate `raft-wal` has a log for that.
#[derive(Clone, Debug, Default)]
struct Log {
    hard_state: HardState,
    /// The application's state, and the members, in the place of the entries up to `snapshot.id`.
    snapshot: Snapshot,
    /// What follows the snapshot, without a gap.
    entries: Vec<Entry>,
}

impl Log {
    /// The log of a server that has not run yet: all of them begin with the same members.
    fn new(members: &BTreeSet<NodeId>) -> Self {
        let conf_state = ConfState { voters: members.clone(), ..ConfState::default() };
        Self { snapshot: Snapshot { conf_state, ..Snapshot::default() }, ..Self::default() }
    }

    /// Where the entry stands in `entries`. Before the first one that is 0.
    fn position(&self, index: Index) -> usize {
        index.since(self.first_index()) as usize
    }

    /// Writes what a Ready says: a snapshot replaces everything, entries replace what is at their place and after it, and
    /// the hard state comes last, since it may call those entries committed. On a disk an fsync would follow.
    fn write(&mut self, ready: &Ready) {
        if let Some(snapshot) = &ready.snapshot {
            self.snapshot = snapshot.clone();
            self.entries.clear();
        }
        if let Some(first) = ready.entries.first() {
            self.entries.truncate(self.position(first.index));
            self.entries.extend_from_slice(&ready.entries);
        }
        if let Some(hard_state) = ready.hard_state {
            self.hard_state = hard_state;
        }
    }

    /// Puts a snapshot in the place of the entries that it covers.
    fn compact(&mut self, index: Index, data: Bytes, members: ConfState) -> Result<(), StorageError> {
        let id = EntryId::new(self.term(index)?, index);
        self.entries.drain(..=self.position(index));
        self.snapshot = Snapshot { id, conf_state: members, data };
        Ok(())
    }
}

/// How the node reads it.
impl Storage for Log {
    fn initial_state(&self) -> Result<(HardState, ConfState), StorageError> {
        Ok((self.hard_state, self.snapshot.conf_state.clone()))
    }

    fn conf_state_index(&self) -> Option<Index> {
        Some(self.snapshot.id.index)
    }

    fn entries(&self, low: Index, high: Index, max_size: u64) -> Result<Vec<Entry>, StorageError> {
        if low < self.first_index() {
            return Err(StorageError::Compacted);
        }
        if high > self.last_index().next() {
            return Err(StorageError::Unavailable);
        }
        let asked = &self.entries[self.position(low)..self.position(high)];
        Ok(asked[..prefix_within(asked, max_size)].to_vec())
    }

    fn term(&self, index: Index) -> Result<Term, StorageError> {
        if index < self.snapshot.id.index {
            return Err(StorageError::Compacted);
        }
        if index == self.snapshot.id.index {
            return Ok(self.snapshot.id.term);
        }
        self.entries.get(self.position(index)).map(|entry| entry.term).ok_or(StorageError::Unavailable)
    }

    fn first_index(&self) -> Index {
        self.snapshot.id.index.next()
    }

    fn last_index(&self) -> Index {
        self.snapshot.id.index.plus(self.entries.len() as u64)
    }

    fn snapshot(&self) -> Result<Snapshot, StorageError> {
        Ok(self.snapshot.clone())
    }
}

/// What the entries are about.
#[derive(Debug, Default, PartialEq)]
struct Words {
    /// Each followed by a space.
    text: String,
    applied: Index,
    members: ConfState,
    /// How often a snapshot took the place of the log.
    restored: u32,
}

impl Words {
    fn restore(&mut self, snapshot: &Snapshot) -> Result<(), Box<dyn Error>> {
        self.text = String::from_utf8(snapshot.data.to_vec())?;
        self.applied = snapshot.id.index;
        self.members = snapshot.conf_state.clone();
        self.restored += 1;
        Ok(())
    }

    fn apply(&mut self, entry: &Entry, node: &mut RawNode<Log>) -> Result<(), Box<dyn Error>> {
        match entry.conf_change()? {
            // A change that the membership does not allow comes to nothing, on every node.
            Some(change) => {
                if let Ok(members) = node.apply_conf_change(&change.into_v2()) {
                    self.members = members;
                }
            }
            // The first entry of a new leader is empty.
            None if entry.data.is_empty() => {}
            None => {
                self.text.push_str(std::str::from_utf8(&entry.data)?);
                self.text.push(' ');
            }
        }
        self.applied = entry.index;
        Ok(())
    }
}

/// A node with its application.
struct Server {
    node: RawNode<Log>,
    words: Words,
}

impl Server {
    /// Starts from what the log holds, for the first time or again. The words come back from the snapshot, and from the
    /// entries behind it once these are known to be committed.
    fn start(id: NodeId, log: Log) -> Result<Self, Box<dyn Error>> {
        let mut words = Words::default();
        words.restore(&log.snapshot)?;
        words.restored = 0;
        let mut config = Config::recommended(id);
        config.applied = words.applied;
        Ok(Self { node: RawNode::new(config, log)?, words })
    }

    /// Does all the work that has come up, and returns the messages to send.
    fn work(&mut self) -> Result<Vec<Message>, Box<dyn Error>> {
        let Self { node, words } = self;
        let mut outgoing = Vec::new();
        let mut work = |node: &mut RawNode<Log>, ready: &Ready| {
            // 1. Persist.
            node.storage_mut().write(ready);
            // 2. Send. Not earlier: messages promise that what was written will not be forgotten.
            outgoing.extend(ready.messages.iter().cloned());
            // 3. Apply.
            if let Some(snapshot) = &ready.snapshot {
                words.restore(snapshot)?;
            }
            ready.committed_entries.iter().try_for_each(|entry| words.apply(entry, node))
        };
        while node.process_ready(&mut work)? {}
        self.compact_after(8)?;
        Ok(outgoing)
    }

    /// When so many entries are applied since the last snapshot, makes another. The node has been told by now that they
    /// are applied, which has to come first.
    fn compact_after(&mut self, count: u64) -> Result<(), StorageError> {
        let Self { node, words } = self;
        if words.applied.since(node.storage().snapshot.id.index) >= count {
            let data = Bytes::copy_from_slice(words.text.as_bytes());
            node.storage_mut().compact(words.applied, data, words.members.clone())?;
        }
        Ok(())
    }
}

/// The servers that run. A message to one that does not is lost.
struct Cluster(BTreeMap<NodeId, Server>);

impl Cluster {
    /// One tick of every clock, and all that comes of it.
    fn tick(&mut self) -> Result<(), Box<dyn Error>> {
        self.0.values_mut().for_each(|server| server.node.tick());
        while self.0.values().any(|server| server.node.has_ready()) {
            let mut mail = Vec::new();
            for server in self.0.values_mut() {
                mail.append(&mut server.work()?);
            }
            for message in mail {
                if let Some(server) = self.0.get_mut(&message.to) {
                    // An error means that the message was not taken, as if it had been lost.
                    let _ = server.node.step(message);
                }
            }
        }
        Ok(())
    }

    /// Proposes a word to whoever leads, once somebody does, and waits until all who run have applied it.
    fn say(&mut self, word: &str) -> Result<(), Box<dyn Error>> {
        let mut proposed = false;
        for _ in 0..1000 {
            let leader = self.0.values_mut().find(|server| server.node.soft_state().role == Role::Leader);
            if let Some(leader) = leader.filter(|_| !proposed) {
                proposed = leader.node.propose(Bytes::copy_from_slice(word.as_bytes())).is_ok();
            }
            self.tick()?;
            if self.0.values().all(|server| server.words.text.ends_with(&format!("{word} "))) {
                return Ok(());
            }
        }
        Err(format!("{word} was not applied everywhere within 1,000 ticks").into())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let ids: BTreeSet<NodeId> = (1..=3).filter_map(NodeId::new).collect();
    let mut cluster = Cluster(BTreeMap::new());
    for &id in &ids {
        cluster.0.insert(id, Server::start(id, Log::new(&ids))?);
    }
    cluster.say("one")?;

    // A server stops. What it has in memory is gone; its log stays.
    let (stopped, server) = cluster.0.pop_last().expect("three run");
    let log = server.node.storage().clone();
    for number in 2..20 {
        cluster.say(&number.to_string())?;
    }

    // It starts again. What it lacks is compacted away on the others, who send a snapshot.
    cluster.0.insert(stopped, Server::start(stopped, log)?);
    cluster.say("done")?;

    let texts: BTreeSet<&str> = cluster.0.values().map(|server| server.words.text.as_str()).collect();
    println!("all have: {}", texts.iter().next().expect("three run"));
    assert_eq!(texts, ["one 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 done "].into());
    assert_eq!(cluster.0[&stopped].words.restored, 1, "it came back by a snapshot");
    Ok(())
}

#[test]
fn three_servers_agree_though_one_was_away() {
    main().expect("the example holds");
}
