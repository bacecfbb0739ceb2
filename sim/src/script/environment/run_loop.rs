//! Nodes that a loop runs: what they are told waits until the loop takes it.

use raft::NodeId;
use raft::node::Arm;

use super::{Done, Environment, Reply};
use crate::world::Event;

impl Environment {
    pub(super) fn is_looped(&self, node: NodeId) -> Done<bool> {
        Ok(self.replica(node)?.run_loop().is_some())
    }

    /// What the loop could take next: an input before a Ready, since a host that waits for a Ready may wait a little
    /// longer.
    pub(super) fn next_arm(&self, node: NodeId) -> Done<Option<Arm>> {
        let run_loop = self.replica(node)?.run_loop();
        Ok(run_loop.and_then(|run_loop| {
            let ready = run_loop.available().find(|arm| *arm == Arm::Ready);
            run_loop.next_input().or(ready)
        }))
    }

    pub(super) fn take(&mut self, node: NodeId, arm: Arm) -> Done {
        match arm {
            Arm::Ready => self.describing_ready(node, &Event::Take { node, arm }).map(Reply::from),
            _ => self.once(&Event::Take { node, arm }),
        }
    }

    /// The loop takes all that it can, and its host does what each Ready asks for, until there is nothing left, or an
    /// fsync is held. Prints the Readys, and what was refused.
    pub(super) fn run_loop(&mut self, node: NodeId) -> Done<String> {
        let mut text = String::new();
        loop {
            match self.next_arm(node)? {
                Some(Arm::Ready) => {
                    text += &self.describing_ready(node, &Event::Take { node, arm: Arm::Ready })?;
                    let replica = self.replica(node)?;
                    if replica.options().async_storage_writes || replica.ready().is_none() {
                        self.send_from_threads(node)?;
                    } else {
                        text += &self.finish_ready(node)?.shown();
                    }
                }
                Some(arm) => {
                    let refused = self.apply(&Event::Take { node, arm })?.refused;
                    text.extend(refused.map(|refusal| format!("{refusal}\n")));
                }
                None if self.to_do(node)?.ready => drop(self.apply(&Event::TakeReady { node })?),
                None => return Ok(text),
            }
        }
    }

    /// Takes the next input of a loop that has been told of a membership change and has not come to it yet. Returns
    /// whether there was one.
    pub(super) fn takes_towards_change(&mut self, node: NodeId) -> Done<bool> {
        let run_loop = self.replica(node)?.run_loop();
        let waits =
            run_loop.is_some_and(|run_loop| run_loop.waiting().iter().any(|(_, arm)| *arm == Arm::MembershipChange));
        let next = run_loop.and_then(|run_loop| run_loop.next_input());
        let Some(arm) = next.filter(|_| waits) else { return Ok(false) };
        self.apply(&Event::Take { node, arm })?;
        Ok(true)
    }
}
