//! The handling of a Ready in single steps, and fsyncs that take their time.

use raft::NodeId;

use super::super::command::HostStep;
use super::{Done, Environment, Reply};
use crate::world::{Event, Outcome, Refusal};

impl Environment {
    pub(super) fn host_step(&mut self, node: NodeId, step: HostStep) -> Done {
        match step {
            HostStep::TakeReady => self.take_ready(node).map(Reply::from),
            HostStep::WriteLog(records) => self.repeat(records, &Event::Write { node }, |to_do| to_do.write),
            HostStep::SyncLog => self.sync_log(node),
            HostStep::Release => self.showing_sent(&Event::Release { node }),
            HostStep::Send => self.showing_sent(&Event::Send { node }),
            HostStep::Apply(entries) => match entries {
                Some(entries) => self.apply(&Event::Apply { node, entries }).map(|_| Reply::default()),
                None => self.repeat(None, &Event::Apply { node, entries: u32::MAX }, |to_do| to_do.apply),
            },
            HostStep::Advance => self.apply(&Event::Advance { node }).map(|_| Reply::default()),
        }
    }

    /// Does something at least once, and then as often as asked for, or as long as it can be done.
    fn repeat(&mut self, times: Option<u32>, event: &Event, possible: fn(crate::world::ToDo) -> bool) -> Done {
        let mut left = times.unwrap_or(u32::MAX);
        loop {
            let outcome = self.apply(event)?;
            left = left.saturating_sub(1);
            let again = match outcome.node {
                Some(node) => possible(self.to_do(node)?),
                None => false,
            };
            if left == 0 || !again || outcome.refused.is_some() {
                return Ok(Reply::refused(outcome.refused));
            }
        }
    }

    fn sync_log(&mut self, node: NodeId) -> Done {
        self.apply(&Event::Sync { node })?;
        let refused = if self.held.contains(&node) { None } else { self.complete_syncs(node)? };
        Ok(Reply::refused(refused))
    }

    /// Completes the fsyncs of a node. Returns why the node stops, if it does.
    fn complete_syncs(&mut self, node: NodeId) -> Done<Option<Refusal>> {
        while self.to_do(node)?.sync_done {
            if let Some(refusal) = self.apply(&Event::SyncDone { node })?.refused {
                return Ok(Some(refusal));
            }
        }
        Ok(None)
    }

    /// The node's fsyncs complete, and its host goes on with what waited for them. Prints what is sent.
    pub(super) fn complete_fsync(&mut self, node: NodeId) -> Done {
        self.held.remove(&node);
        let was_in_flight = self.world.network().next_id();
        let mut refused = self.complete_syncs(node)?;
        if self.replica(node)?.options().async_storage_writes {
            while self.to_do(node)?.release {
                self.apply(&Event::Release { node })?;
            }
            self.send_from_threads(node)?;
        } else if self.replica(node)?.ready().is_some() {
            refused = self.finish_ready(node)?.refusal();
        }
        let text = self.describe_from(was_in_flight);
        Ok(Reply { text, ..Reply::refused(refused) })
    }

    fn showing_sent(&mut self, event: &Event) -> Done {
        let Outcome { sent, .. } = self.apply(event)?;
        Ok(self.describe_from(sent.start).into())
    }
}
