//! The work that hosts do for their nodes: that of one Ready, or of one item in a storage thread's queue, as the events
//! of which it consists.

use raft::{NodeId, StorageAppend, StorageApply};

use super::super::command::HostCommand;
use super::{Done, Environment, Reply, Trouble, headed};
use crate::world::{Event, Refusal, ToDo};

/// How many rounds a cluster has to become stable. Nothing that stops at all takes more than a few hundred.
const ROUNDS: u32 = 10_000;

/// How far a host came with writing what has to be durable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Written {
    All,
    /// An fsync is held.
    UnderWay,
    /// The disk failed, and the node with it.
    Stopped(Refusal),
}

impl Written {
    /// What is printed instead of what would happen next.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::All => String::new(),
            Self::UnderWay => "fsync under way\n".to_owned(),
            Self::Stopped(refusal) => format!("{refusal}\n"),
        }
    }

    /// Why the node stopped, if it did.
    pub(super) fn refusal(self) -> Option<Refusal> {
        match self {
            Self::All | Self::UnderWay => None,
            Self::Stopped(refusal) => Some(refusal),
        }
    }
}

impl Environment {
    pub(super) fn host_command(&mut self, command: &HostCommand) -> Done {
        match command {
            HostCommand::ProcessReady(nodes) => self.each(nodes, "handling Ready", Self::process_ready),
            HostCommand::ProcessAppendThread(nodes) => {
                self.each(nodes, "processing append thread", Self::process_append)
            }
            HostCommand::ProcessApplyThread(nodes) => self.each(nodes, "processing apply thread", Self::process_apply),
            HostCommand::Stabilize { nodes, level: _ } => self.stabilize(nodes),
            HostCommand::Run { events, seed } => self.go_on_by_itself(*events, *seed),
            HostCommand::HoldFsync(node) => {
                self.raft_node(*node)?;
                self.held.insert(*node);
                Ok(Reply::default())
            }
            HostCommand::CompleteFsync(node) => self.complete_fsync(*node),
            HostCommand::BeginFsync(node) => self.once(&Event::Sync { node: *node }),
            HostCommand::EndFsync(node) => self.once(&Event::SyncDone { node: *node }),
            HostCommand::TakeSnapshot(node) => self.once(&Event::TakeSnapshot { node: *node }),
            HostCommand::BeginCompaction(node, index) => self.once(&Event::Compact { node: *node, index: *index }),
            HostCommand::Step(node, step) => self.host_step(*node, *step),
            HostCommand::Take(node, arm) => self.take(*node, *arm),
        }
    }

    /// Lets each node do something, under headings if there are several nodes.
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
        for _ in 0..ROUNDS {
            let before = text.len();
            for &node in &nodes {
                text += &self.stabilize_ready(node)?;
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
        Err(Trouble::Unstable(ROUNDS))
    }

    fn stabilize_ready(&mut self, node: NodeId) -> Done<String> {
        if self.is_looped(node)? {
            let text = self.run_loop(node)?;
            return Ok(if text.is_empty() { text } else { headed(node, "running the loop", &text) });
        }
        match self.to_do(node)?.ready {
            true => Ok(headed(node, "handling Ready", &self.process_ready(node)?)),
            false => Ok(String::new()),
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
        Ok(self.replica(node)?.appends().next().is_some() && !self.waits_for_fsync(node)?)
    }

    fn has_applies(&self, node: NodeId) -> Done<bool> {
        Ok(self.replica(node)?.applies().next().is_some())
    }

    pub(super) fn to_do(&self, node: NodeId) -> Done<ToDo> {
        Ok(self.replica(node)?.to_do())
    }

    fn waits_for_fsync(&self, node: NodeId) -> Done<bool> {
        Ok(self.held.contains(&node) && self.to_do(node)?.sync_done)
    }

    /// Takes a Ready and, with synchronous storage writes, does all that it asks for.
    fn process_ready(&mut self, node: NodeId) -> Done<String> {
        if self.is_looped(node)? {
            return self.run_loop(node);
        }
        let text = self.take_ready(node)?;
        let replica = self.replica(node)?;
        if !replica.options().async_storage_writes && replica.ready().is_some() {
            return Ok(text + &self.finish_ready(node)?.shown());
        }
        self.send_from_threads(node)?;
        Ok(text)
    }

    /// With asynchronous storage writes: sends what may be sent. A host holds requests for votes until the new term is
    /// durable; that of etcd's tests does not.
    pub(super) fn send_from_threads(&mut self, node: NodeId) -> Done<()> {
        let replica = self.replica(node)?;
        let unsent = replica.ready().is_some_and(|ready| !ready.messages.is_empty());
        if replica.to_do().send || self.imitates_etcd && unsent {
            self.apply(&Event::Send { node })?;
        }
        Ok(())
    }

    /// Takes a Ready and describes it, with the storage work that joined the queues.
    pub(super) fn take_ready(&mut self, node: NodeId) -> Done<String> {
        if self.is_looped(node)? {
            return self.apply(&Event::TakeReady { node }).map(|_| String::new());
        }
        if !self.to_do(node)?.ready {
            return Ok("<empty Ready>\n".to_owned());
        }
        self.describing_ready(node, &Event::TakeReady { node })
    }

    /// Describes the Ready that comes with this event.
    pub(super) fn describing_ready(&mut self, node: NodeId, event: &Event) -> Done<String> {
        let replica = self.replica(node)?;
        let (appends, applies) = (replica.appends().count(), replica.applies().count());
        self.apply(event)?;
        let replica = self.replica(node)?;
        let mut ready = replica.ready().cloned().unwrap_or_default();
        ready.storage_append = replica.appends().nth(appends).cloned().map(Box::new);
        ready.storage_apply = replica.applies().nth(applies).cloned();
        Ok(format!("{ready}\n"))
    }

    /// Does what the outstanding Ready asks for, or as much of it as can be done before an fsync that is held completes.
    pub(super) fn finish_ready(&mut self, node: NodeId) -> Done<Written> {
        let written = self.write(node, |environment| environment.is_persisted(node))?;
        if written != Written::All {
            return Ok(written);
        }
        self.apply_all(node)?;
        if self.to_do(node)?.send {
            self.apply(&Event::Send { node })?;
        }
        self.apply(&Event::Advance { node })?;
        Ok(Written::All)
    }

    /// Writes and syncs until that is enough, an fsync is held, or the disk fails.
    fn write(&mut self, node: NodeId, is_enough: impl Fn(&Self) -> Done<bool>) -> Done<Written> {
        while !is_enough(self)? {
            if self.waits_for_fsync(node)? {
                return Ok(Written::UnderWay);
            }
            if let Some(refusal) = self.continue_writing(node)? {
                return Ok(Written::Stopped(refusal));
            }
        }
        Ok(Written::All)
    }

    /// Whether the outstanding Ready is as durable as it asks to be.
    fn is_persisted(&self, node: NodeId) -> Done<bool> {
        let to_do = self.to_do(node)?;
        Ok(to_do.send || to_do.apply || to_do.advance)
    }

    /// Takes the next step towards what the log has to hold durably: syncs what waits for it, and writes the next
    /// record where nothing does. So no more is written than the oldest work needs. Returns why the node stops, if it
    /// does.
    fn continue_writing(&mut self, node: NodeId) -> Done<Option<Refusal>> {
        let to_do = self.to_do(node)?;
        let next = if to_do.sync_done {
            Event::SyncDone { node }
        } else if to_do.sync {
            Event::Sync { node }
        } else {
            Event::Write { node }
        };
        self.apply(&next).map(|outcome| outcome.refused)
    }

    /// Writes a compaction that has begun.
    pub(super) fn finish_compaction(&mut self, node: NodeId) -> Done<Written> {
        let before = self.world.statistics().compactions;
        self.write(node, |environment| Ok(environment.world.statistics().compactions > before))
    }

    /// Does the oldest work of the append thread, and no other.
    fn process_append(&mut self, node: NodeId) -> Done<String> {
        let Some(work) = self.replica(node)?.appends().next().cloned() else {
            return Ok("no append work to perform".to_owned());
        };
        let written = self.write(node, |environment| Ok(environment.to_do(node)?.release))?;
        if written != Written::All {
            return Ok(format!("Processing:\n{}\n{}", work.describe(node), written.shown()));
        }
        self.apply(&Event::Release { node })?;
        self.send_from_threads(node)?;
        Ok(appended(node, &work))
    }

    /// Does the oldest work of the apply thread.
    fn process_apply(&mut self, node: NodeId) -> Done<String> {
        let Some(work) = self.replica(node)?.applies().next().cloned() else {
            return Ok("no apply work to perform".to_owned());
        };
        self.apply(&Event::Apply { node, entries: u32::MAX })?;
        if self.is_looped(node)? {
            self.apply_all(node)?;
        }
        Ok(applied(node, work))
    }

    /// Applies what is there. A loop has to take the changes of the membership in between.
    fn apply_all(&mut self, node: NodeId) -> Done<()> {
        loop {
            if self.to_do(node)?.apply {
                self.apply(&Event::Apply { node, entries: u32::MAX })?;
            } else if !self.takes_towards_change(node)? {
                return Ok(());
            }
        }
    }
}

fn appended(node: NodeId, work: &StorageAppend) -> String {
    let responses = work.responses.iter().map(ToString::to_string);
    let own = work.appended.iter().map(|appended| appended.describe(node).to_string());
    let responses: String = responses.chain(own).map(|line| line + "\n").collect();
    format!("Processing:\n{}\nResponses:\n{responses}", work.describe(node))
}

fn applied(node: NodeId, work: StorageApply) -> String {
    let processing = work.describe(node).to_string();
    format!("Processing:\n{processing}\nResponses:\n{}\n", work.into_applied().describe(node))
}
