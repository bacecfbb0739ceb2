//! What hosts do with what their nodes want done: the work of one Ready, or of one item in a storage thread's queue, as
//! the events it consists of.

use raft::{NodeId, StorageAppend, StorageApply};

use super::super::command::HostCommand;
use super::super::describe;
use super::{Done, Environment, Reply, headed};
use crate::world::{Event, ToDo};

impl Environment {
    pub(super) fn host_command(&mut self, command: &HostCommand) -> Done {
        match command {
            HostCommand::ProcessReady(nodes) => self.each(nodes, "handling Ready", Self::process_ready),
            HostCommand::ProcessAppendThread(nodes) => {
                self.each(nodes, "processing append thread", Self::process_append)
            }
            HostCommand::ProcessApplyThread(nodes) => self.each(nodes, "processing apply thread", Self::process_apply),
            HostCommand::Stabilize { nodes, level: _ } => self.stabilize(nodes),
        }
    }

    /// Lets each node do something, with headings where they are several.
    fn each(&mut self, nodes: &[NodeId], what: &str, process: fn(&mut Self, NodeId) -> Done<String>) -> Done {
        if let [node] = nodes {
            return process(self, *node).map(Reply::from);
        }
        let mut text = String::new();
        for node in nodes {
            text += &headed(*node, what, &process(self, *node)?);
        }
        Ok(text.into())
    }

    /// Round after round: all Readys, all messages, all appends, all applies.
    fn stabilize(&mut self, nodes: &[NodeId]) -> Done {
        let nodes = if nodes.is_empty() { self.all_nodes() } else { nodes.to_vec() };
        let mut text = String::new();
        loop {
            let before = text.len();
            for &node in &nodes {
                if self.to_do(node)?.ready {
                    text += &headed(node, "handling Ready", &self.process_ready(node)?);
                }
            }
            for &node in &nodes {
                let received = self.deliver(node, None)?;
                if !received.is_empty() {
                    text += &headed(node, "receiving messages", &received);
                }
            }
            for &node in &nodes {
                text += &self.work_off(node, "processing append thread", Self::has_appends, Self::process_append)?;
            }
            for &node in &nodes {
                text += &self.work_off(node, "processing apply thread", Self::has_applies, Self::process_apply)?;
            }
            if text.len() == before {
                return Ok(text.into());
            }
        }
    }

    /// Empties a queue of the node.
    fn work_off(
        &mut self,
        node: NodeId,
        what: &str,
        has_work: fn(&Self, NodeId) -> Done<bool>,
        process: fn(&mut Self, NodeId) -> Done<String>,
    ) -> Done<String> {
        let mut text = String::new();
        while has_work(self, node)? {
            text += &process(self, node)?;
        }
        Ok(if text.is_empty() { text } else { headed(node, what, &text) })
    }

    fn has_appends(&self, node: NodeId) -> Done<bool> {
        Ok(self.replica(node)?.appends().next().is_some())
    }

    fn has_applies(&self, node: NodeId) -> Done<bool> {
        Ok(self.replica(node)?.applies().next().is_some())
    }

    fn to_do(&self, node: NodeId) -> Done<ToDo> {
        Ok(self.replica(node)?.to_do())
    }

    /// Takes a Ready and, with synchronous storage writes, does all that it asks for.
    fn process_ready(&mut self, node: NodeId) -> Done<String> {
        if !self.to_do(node)?.ready {
            return Ok("<empty Ready>\n".to_owned());
        }
        let text = self.take_ready(node)?;
        if !self.replica(node)?.options().async_storage_writes {
            while !self.is_persisted(node)? {
                self.continue_writing(node)?;
            }
            self.apply_all(node)?;
        }
        if self.to_do(node)?.send {
            self.apply(&Event::Send { node })?;
        }
        if self.to_do(node)?.advance {
            self.apply(&Event::Advance { node })?;
        }
        Ok(text)
    }

    /// Takes a Ready and describes it, with the storage work that joined the queues.
    fn take_ready(&mut self, node: NodeId) -> Done<String> {
        let replica = self.replica(node)?;
        let (appends, applies) = (replica.appends().count(), replica.applies().count());
        self.apply(&Event::TakeReady { node })?;
        let replica = self.replica(node)?;
        let Some(mut ready) = replica.ready().cloned() else { return Ok("<empty Ready>\n".to_owned()) };
        ready.storage_append = replica.appends().nth(appends).cloned();
        ready.storage_apply = replica.applies().nth(applies).cloned();
        Ok(describe::ready(node, &ready))
    }

    /// Takes the next step towards what the log has to hold durably: syncs what waits for it, and writes the next record
    /// where nothing does. So no more is written than what the oldest work needs.
    pub(super) fn continue_writing(&mut self, node: NodeId) -> Done<()> {
        let to_do = self.to_do(node)?;
        let next = if to_do.sync_done {
            Event::SyncDone { node }
        } else if to_do.sync {
            Event::Sync { node }
        } else {
            Event::Write { node }
        };
        self.apply(&next).map(drop)
    }

    /// Whether the outstanding Ready is as durable as it asks to be.
    fn is_persisted(&self, node: NodeId) -> Done<bool> {
        let to_do = self.to_do(node)?;
        Ok(to_do.send || to_do.apply || to_do.advance)
    }

    fn apply_all(&mut self, node: NodeId) -> Done<()> {
        while self.to_do(node)?.apply {
            self.apply(&Event::Apply { node, entries: u32::MAX })?;
        }
        Ok(())
    }

    /// Does the oldest work of the append thread, and no other.
    fn process_append(&mut self, node: NodeId) -> Done<String> {
        let Some(work) = self.replica(node)?.appends().next().cloned() else {
            return Ok("no append work to perform".to_owned());
        };
        while !self.to_do(node)?.release {
            self.continue_writing(node)?;
        }
        self.apply(&Event::Release { node })?;
        Ok(appended(node, &work))
    }

    /// Does the oldest work of the apply thread.
    fn process_apply(&mut self, node: NodeId) -> Done<String> {
        let Some(work) = self.replica(node)?.applies().next().cloned() else {
            return Ok("no apply work to perform".to_owned());
        };
        self.apply(&Event::Apply { node, entries: u32::MAX })?;
        Ok(applied(node, work))
    }
}

fn appended(node: NodeId, work: &StorageAppend) -> String {
    let responses = work.responses.iter().map(describe::message);
    let own = work.appended.iter().map(|appended| describe::storage_appended(node, appended));
    let responses: String = responses.chain(own).map(|line| line + "\n").collect();
    format!("Processing:\n{}\nResponses:\n{responses}", describe::storage_append(node, work, false))
}

fn applied(node: NodeId, work: StorageApply) -> String {
    let processing = describe::storage_apply(node, &work, false);
    format!("Processing:\n{processing}\nResponses:\n{}\n", describe::storage_applied(node, &work.into_applied()))
}
