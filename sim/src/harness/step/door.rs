//! The ways to a node: directly, or through the loop of the concurrent node.

use bytes::Bytes;
use raft::{
    ChangeError, ConfChange, ConfChangeV2, ConfState, Index, MemStorage, Message, NodeId, RawNode, Ready,
    SnapshotStatus, StepError, StorageAppended, StorageApplied,
};

/// What a host does with its node. An input that waits in a queue has had no effect yet when the method returns.
pub(in crate::harness) trait Door {
    /// Looks at the node behind the door.
    fn look<R>(&self, look: impl FnOnce(&RawNode<MemStorage>) -> R) -> R;
    /// Writes or reads the node's storage.
    fn with_storage<R>(&mut self, access: impl FnOnce(&mut MemStorage) -> R) -> R;
    /// Replaces the node, whose process ended, by this one.
    fn restart(&mut self, node: RawNode<MemStorage>);
    /// Takes something out of a queue. Returns whether there was anything.
    fn pump(&mut self) -> bool;

    fn tick(&mut self);
    fn campaign(&mut self);
    fn propose(&mut self, data: Bytes);
    fn propose_conf_change(&mut self, change: ConfChange);
    fn step(&mut self, message: Message);
    fn read_index(&mut self, context: Bytes);
    fn transfer_leadership(&mut self, target: NodeId);
    fn forget_leader(&mut self);
    fn report_unreachable(&mut self, peer: NodeId);
    fn report_snapshot(&mut self, peer: NodeId, status: SnapshotStatus);
    fn set_election_timeout(&mut self, ticks: u32);

    fn ready(&mut self) -> Option<Ready>;
    fn advance(&mut self, ready: Ready);
    /// Applies the change of the entry at `index`.
    fn apply_conf_change(&mut self, index: Index, change: ConfChangeV2) -> Result<ConfState, ChangeError>;
    /// Delivers a message of the node to itself, which may leave now that it is durable. Such a message is never lost.
    fn own(&mut self, message: Message);
    fn storage_appended(&mut self, appended: StorageAppended);
    fn storage_applied(&mut self, applied: StorageApplied);
}

impl Door for RawNode<MemStorage> {
    fn look<R>(&self, look: impl FnOnce(&Self) -> R) -> R {
        look(self)
    }

    fn with_storage<R>(&mut self, access: impl FnOnce(&mut MemStorage) -> R) -> R {
        access(self.storage_mut())
    }

    fn restart(&mut self, node: Self) {
        *self = node;
    }

    fn pump(&mut self) -> bool {
        false
    }

    fn tick(&mut self) {
        self.tick();
    }

    fn campaign(&mut self) {
        self.campaign();
    }

    fn propose(&mut self, data: Bytes) {
        // A proposal that is not taken is dropped, which a client has to live with.
        let _ = self.propose(data);
    }

    fn propose_conf_change(&mut self, change: ConfChange) {
        let _ = self.propose_conf_change(&change);
    }

    fn step(&mut self, message: Message) {
        let before = self.clone();
        if let Err(error) = self.step(message) {
            check_refused(&before, self, &error);
        }
    }

    fn read_index(&mut self, context: Bytes) {
        self.read_index(context);
    }

    fn transfer_leadership(&mut self, target: NodeId) {
        self.transfer_leadership(target);
    }

    fn forget_leader(&mut self) {
        self.forget_leader();
    }

    fn report_unreachable(&mut self, peer: NodeId) {
        self.report_unreachable(peer);
    }

    fn report_snapshot(&mut self, peer: NodeId, status: SnapshotStatus) {
        self.report_snapshot(peer, status);
    }

    fn set_election_timeout(&mut self, ticks: u32) {
        self.set_randomized_election_timeout(ticks);
    }

    fn ready(&mut self) -> Option<Ready> {
        self.ready()
    }

    fn advance(&mut self, ready: Ready) {
        self.advance(ready).expect("it is the outstanding one");
    }

    fn apply_conf_change(&mut self, _: Index, change: ConfChangeV2) -> Result<ConfState, ChangeError> {
        self.apply_conf_change(&change)
    }

    fn own(&mut self, message: Message) {
        match self.step(message) {
            // It may have left the membership meanwhile.
            Ok(()) | Err(StepError::PeerNotFound(_)) => {}
            Err(error) => panic!("the node refuses its own message: {error}"),
        }
    }

    fn storage_appended(&mut self, appended: StorageAppended) {
        self.storage_appended(appended);
    }

    fn storage_applied(&mut self, applied: StorageApplied) {
        self.storage_applied(applied);
    }
}

/// Checks that a node is as it was after it refused something.
///
/// # Panics
/// If it is not.
pub(in crate::harness) fn check_refused(before: &RawNode<MemStorage>, after: &RawNode<MemStorage>, error: &StepError) {
    match error {
        // The message may have brought news of a higher term; but nothing was appended.
        StepError::Propose(_) => {
            let last = |node: &RawNode<MemStorage>| node.basic_status().last;
            assert_eq!(last(before), last(after), "a dropped proposal changed the log");
        }
        StepError::StorageFailed => panic!("memory can be read"),
        _ => {
            let (before, after) = (format!("{before:?}"), format!("{after:?}"));
            assert_eq!(before, after, "refusing a message changed the node: {error}");
        }
    }
}
