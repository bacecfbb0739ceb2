//! The project's own node under the world: whatever it is told, it does at once.

use std::hash::Hasher;

use bytes::Bytes;
use raft::{
    ChangeError, ConfChange, ConfChangeV2, ConfState, Config, Configuration, Entry, Index, MemStorage, Message, NodeId,
    RawNode, Ready, SnapshotStatus, StorageAppended, StorageApplied, Term,
};

use crate::invariant::View;
use crate::world::consensus::{Consensus, Follower, Handed, Node, Rider, Status, Stored, Told};
use crate::world::outcome::Refusal;

impl Node for RawNode<MemStorage> {
    fn config(&self) -> &Config {
        self.config()
    }

    fn status(&self) -> Status {
        let status = self.basic_status();
        Status { view: View::from(&status), lead_transferee: status.lead_transferee, first_index: status.first_index }
    }

    fn configuration(&self) -> &Configuration {
        self.configuration()
    }

    fn storage(&self) -> &MemStorage {
        self.storage()
    }

    fn entry_term(&self, index: Index) -> Option<Term> {
        self.entry_term(index)
    }

    fn waiting_reads(&self) -> usize {
        self.waiting_reads()
    }

    fn uncommitted_size(&self) -> Option<u64> {
        Some(self.uncommitted_size())
    }

    fn has_ready(&self) -> bool {
        self.has_ready()
    }

    fn pending_messages(&self) -> Box<dyn Iterator<Item = &Message> + '_> {
        Box::new(self.pending_messages())
    }

    fn follower(&self, id: NodeId) -> Option<Follower> {
        self.progress().find(|(of, _)| *of == id).map(|(_, progress)| progress.into())
    }

    fn each_follower(&self, look: &mut dyn FnMut(NodeId, Follower)) {
        self.progress().for_each(|(id, progress)| look(id, progress.into()));
    }
}

impl Consensus for RawNode<MemStorage> {
    fn seen(&self) -> &dyn Node {
        self
    }

    fn cloned(&self) -> Box<dyn Consensus> {
        Box::new(self.clone())
    }

    fn tick(&mut self) {
        self.tick();
    }

    fn campaign(&mut self) -> Told {
        self.campaign();
        Ok(())
    }

    fn propose(&mut self, data: Bytes) -> Told {
        self.propose(data).map_err(Refusal::Propose)
    }

    fn propose_conf_change(&mut self, change: &ConfChange) -> Told {
        self.propose_conf_change(change).map_err(Refusal::Propose)
    }

    fn transfer_leadership(&mut self, target: NodeId) -> Told {
        self.transfer_leadership(target);
        Ok(())
    }

    fn forget_leader(&mut self) -> Told {
        self.forget_leader();
        Ok(())
    }

    fn read_index(&mut self, context: Bytes) -> Told {
        self.read_index(context);
        Ok(())
    }

    fn report_unreachable(&mut self, peer: NodeId) -> Told {
        self.report_unreachable(peer);
        Ok(())
    }

    fn report_snapshot(&mut self, peer: NodeId, status: SnapshotStatus) -> Told {
        self.report_snapshot(peer, status);
        Ok(())
    }

    fn set_election_timeout(&mut self, ticks: u32) -> Told {
        self.set_randomized_election_timeout(ticks);
        Ok(())
    }

    fn step(&mut self, message: Message, _: Option<Rider>) -> Told {
        self.step(message).map_err(Refusal::Step)
    }

    fn storage_appended(&mut self, appended: StorageAppended) {
        self.storage_appended(appended);
    }

    fn storage_applied(&mut self, applied: StorageApplied) {
        self.storage_applied(applied);
    }

    fn ready(&mut self) -> Option<Handed> {
        self.ready().map(Handed::from)
    }

    fn advance(&mut self, ready: Ready) {
        self.advance(ready).expect("it is the outstanding one");
    }

    fn apply_conf_change(&mut self, _: &Entry, change: &ConfChangeV2) -> Option<Result<ConfState, ChangeError>> {
        Some(self.apply_conf_change(change))
    }

    fn hash_state(&self, mut state: &mut dyn Hasher) {
        self.hash_state(&mut state);
    }

    fn store(&mut self, change: Stored<'_>) -> bool {
        change.apply_to(self.storage_mut()).is_ok()
    }
}
