//! The heart of the example: what happens with each Ready.

use std::sync::{Arc, Mutex, MutexGuard};

use raft::node::HeldReady;
use raft::{ConfChange, Entry, EntryKind, Index, MemStorage, Node, NodeError, Ready, Storage};
use tokio::task::block_in_place;

use crate::Error;
use crate::addresses::Addresses;
use crate::disk::Disk;
use crate::machine::{Machine, Outcome};
use crate::peers::Peers;

/// Works off the Readys: persists, sends, applies.
pub struct Application {
    pub node: Node<MemStorage, Outcome>,
    pub disk: Disk,
    pub peers: Peers,
    pub machine: Arc<Mutex<Machine>>,
    pub addresses: Addresses,
    /// After so many applied entries the log is replaced by a snapshot, and after every membership change.
    pub compact_after: u64,
}

impl Application {
    /// Goes on until the node is stopped.
    ///
    /// # Errors
    /// The disk fails. What was promised stays on it; the node must not go on.
    pub async fn run(mut self) -> Result<(), Error> {
        while let Ok(ready) = self.node.next_ready().await {
            // The last Ready is advanced by now, so the node needs nothing of what is applied.
            block_in_place(|| self.compact())?;
            block_in_place(|| self.persist(&ready))?;
            // Not earlier: they promise that what was written will not be forgotten.
            self.peers.send(&ready.messages);
            if let Some(snapshot) = &ready.snapshot {
                *self.machine() = Machine::restore(snapshot, &self.addresses)?;
            }
            for entry in &ready.committed_entries {
                self.apply(entry, &ready).await?;
            }
            // Whoever waits for what was applied is told now.
            if ready.advance() == Err(NodeError::Stopped) {
                break;
            }
        }
        Ok(())
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().expect("nobody panics with it")
    }

    fn persist(&mut self, ready: &Ready) -> Result<(), Error> {
        self.disk.write(ready)?;
        Ok(self.node.with_storage(|storage| storage.write(ready))?)
    }

    async fn apply(&self, entry: &Entry, ready: &HeldReady<MemStorage, Outcome>) -> Result<(), Error> {
        self.machine().applied = entry.index;
        match entry.kind {
            EntryKind::Normal | EntryKind::RefusedConfChange => {
                if let Some(outcome) = self.machine().apply(entry.index, &entry.data) {
                    ready.answer(entry.id(), outcome);
                }
            }
            EntryKind::ConfChange | EntryKind::ConfChangeV2 => {
                if let Some(change) = entry.conf_change()? {
                    self.apply_change(entry.index, change).await?;
                }
            }
        }
        Ok(())
    }

    async fn apply_change(&self, index: Index, change: ConfChange) -> Result<(), Error> {
        let change = change.into_v2();
        match self.node.apply_conf_change_at(index, change.clone()).await {
            Ok(members) => self.machine().change(&change, members, &self.addresses),
            Err(NodeError::Refused(why)) => eprintln!("a membership change comes to nothing: {why}"),
            Err(NodeError::Stopped) => {}
        }
        Ok(())
    }

    /// Not only for the length of the log: a node that was just added takes no snapshot that it is not a member of.
    fn compact(&mut self) -> Result<(), Error> {
        let (machine, disk) = (self.machine.lock().expect("nobody panics with it"), &mut self.disk);
        self.node.with_storage(|storage| {
            let last = storage.snapshot()?;
            let since = machine.applied.since(last.id.index);
            if since == 0 || since < self.compact_after && last.conf_state == machine.members {
                return Ok(());
            }
            let made = storage.create_snapshot(machine.applied, machine.members.clone(), machine.encode()?)?.clone();
            disk.compact(&made, storage)?;
            storage.compact(machine.applied)?;
            Ok(())
        })
    }
}
