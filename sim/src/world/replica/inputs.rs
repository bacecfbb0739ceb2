//! What a node is told: by its clock, its application, its clients, its transport and the network.

use bytes::Bytes;
use raft::node::{Arm, Demand};
use raft::{ConfChange, Message, NodeId, Role, SnapshotStatus, Term};

use super::{Late, Replica, Step, Surroundings, demanded, is_from_another};
use crate::history::Operation;
use crate::invariant::Check;
use crate::world::client::Request;
use crate::world::consensus::{Follower, Node, Rider};
use crate::world::network::{Envelope, LocalMessage};
use crate::world::outcome::Inapplicable;

impl Replica {
    pub(in crate::world) fn tick(&mut self) -> Step {
        self.up()?.driven.told().tick();
        Ok(None)
    }

    pub(in crate::world) fn campaign(&mut self, around: &mut Surroundings<'_>) -> Step {
        self.demand(Demand::Campaign, around);
        Ok(self.up()?.driven.told().campaign().err())
    }

    /// Tells the checks what a node is asked, unless the request joins the queue of a loop: such a request counts once
    /// the loop takes it.
    fn demand(&self, demand: Demand, around: &mut Surroundings<'_>) {
        if self.run_loop().is_none() {
            demanded(self.id, demand, around);
        }
    }

    pub(in crate::world) fn propose(&mut self, data: &Bytes) -> Step {
        Ok(self.up()?.driven.told().propose(data.clone()).err())
    }

    pub(in crate::world) fn propose_conf_change(&mut self, change: &ConfChange) -> Step {
        Ok(self.up()?.driven.told().propose_conf_change(change).err())
    }

    pub(in crate::world) fn transfer_leadership(&mut self, target: NodeId, around: &mut Surroundings<'_>) -> Step {
        self.demand(Demand::TransferLeadership { target }, around);
        Ok(self.up()?.driven.told().transfer_leadership(target).err())
    }

    pub(in crate::world) fn forget_leader(&mut self) -> Step {
        Ok(self.up()?.driven.told().forget_leader().err())
    }

    pub(in crate::world) fn read_index(&mut self, context: &Bytes, around: &mut Surroundings<'_>) -> Step {
        let id = self.id;
        let driven = &mut self.up()?.driven;
        around.checkers.read_requested(id, context);
        Ok(driven.told().read_index(context.clone()).err())
    }

    pub(in crate::world) fn invoke(
        &mut self,
        client: u64,
        operation: &Operation,
        around: &mut Surroundings<'_>,
    ) -> Step {
        self.takes(operation)?;
        let request = around.clients.invoke(client, operation, around.step)?;
        self.ask(client, &request, around)
    }

    pub(in crate::world) fn retry(&mut self, client: u64, around: &mut Surroundings<'_>) -> Step {
        if let Some(operation) = around.clients.under_way(client) {
            self.takes(operation)?;
        }
        let request = around.clients.request(client)?;
        self.ask(client, &request, around)
    }

    /// Whether the application takes this operation.
    fn takes(&mut self, operation: &Operation) -> Result<(), Inapplicable> {
        if self.up()?.state_machine.takes(operation) {
            return Ok(());
        }
        let why = match operation.key() {
            Some(_) => "keeps no keys",
            None => "takes no such request, as its application was not brought",
        };
        Err(Inapplicable::NotNow(self.id, why))
    }

    fn ask(&mut self, client: u64, request: &Request, around: &mut Surroundings<'_>) -> Step {
        let refused = match request {
            Request::Propose(data) => self.propose(data)?,
            Request::ReadIndex(context) => self.read_index(context, around)?,
        };
        if refused.is_none() {
            around.clients.asked(client, self.id);
        }
        Ok(refused)
    }

    pub(in crate::world) fn report_unreachable(&mut self, peer: NodeId, around: &mut Surroundings<'_>) -> Step {
        self.demand(Demand::ReportUnreachable { peer }, around);
        Ok(self.up()?.driven.told().report_unreachable(peer).err())
    }

    pub(in crate::world) fn report_snapshot(
        &mut self,
        peer: NodeId,
        status: SnapshotStatus,
        around: &mut Surroundings<'_>,
    ) -> Step {
        self.demand(Demand::ReportSnapshot { peer }, around);
        Ok(self.up()?.driven.told().report_snapshot(peer, status).err())
    }

    pub(in crate::world) fn set_election_timeout(&mut self, ticks: u32) -> Step {
        Ok(self.up()?.driven.told().set_election_timeout(ticks).err())
    }

    /// Takes a message. A local one comes only while the node is up, because a crash removes those in flight.
    pub(in crate::world) fn receive(
        &mut self,
        envelope: Envelope,
        rider: Option<Rider>,
        around: &mut Surroundings<'_>,
    ) -> Step {
        let late = match &envelope {
            Envelope::Network(message) => self.late(message),
            Envelope::Local { .. } => None,
        };
        let driven = &mut self.up()?.driven;
        match envelope {
            Envelope::Network(message) | Envelope::Local { message: LocalMessage::Own(message), .. } => {
                let refused = driven.told().step(message, rider).err();
                self.is_as_before(late, around)?;
                Ok(refused)
            }
            Envelope::Local { message: LocalMessage::Appended(appended), .. } => {
                let before = driven.seen().status().view.last;
                driven.told().storage_appended(appended);
                let node = driven.seen();
                around.checkers.storage_answered(node.id(), before, node.status().view.last)?;
                Ok(None)
            }
            Envelope::Local { message: LocalMessage::Applied(applied), .. } => {
                driven.told().storage_applied(applied);
                Ok(None)
            }
        }
    }

    /// Lets the loop take its next input, or a Ready.
    pub(in crate::world) fn take(&mut self, arm: Arm, around: &mut Surroundings<'_>) -> Step {
        let next = self.run_loop().filter(|_| arm == Arm::Message).and_then(|run_loop| run_loop.next_message());
        let late = next.and_then(|message| self.late(message));
        let Self { running, recorded, view, .. } = self;
        let running = running.as_deref_mut().ok_or(Inapplicable::NodeDown(self.id))?;
        if let (Arm::Message, Some(looped)) = (arm, running.driven.looped()) {
            if let Some(message) = looped.run_loop.next_message().filter(|message| is_from_another(message)) {
                around.checkers.received(message);
            }
            if let Some(demand) = looped.run_loop.next_demand() {
                demanded(self.id, demand, around);
            }
        }
        let refused = running.take(arm, view, recorded, around)?;
        self.is_as_before(late, around)?;
        Ok(refused)
    }

    /// The sender of a message of an earlier term, and what this node knows of its members, if it leads.
    fn late(&self, message: &Message) -> Option<Late> {
        let term = self.view.hard_state.term;
        let is_late = message.term.is_some_and(|of| of < term && of > Term::ZERO);
        let leads = self.view.soft_state.role == Role::Leader;
        (is_late && leads)
            .then(|| Late { from: message.from, progress: self.node().map(followers).unwrap_or_default() })
    }

    fn is_as_before(&self, late: Option<Late>, around: &mut Surroundings<'_>) -> Check {
        let Some(Late { from, progress }) = late else { return Ok(()) };
        let is_same = self.node().is_none_or(|node| followers(node) == progress);
        if is_same { Ok(()) } else { around.checkers.counted_late(self.id, from) }
    }
}

fn followers(node: &dyn Node) -> Vec<(NodeId, Follower)> {
    node.followers().collect()
}
