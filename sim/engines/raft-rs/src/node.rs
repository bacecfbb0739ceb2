//! A node of raft-rs, as the world holds it.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use raft::{
    ChangeError, ConfChange, ConfChangeV2, ConfState, Config, Configuration, Entry, Index, MemStorage, Message, NodeId,
    Ready, SnapshotStatus, StorageAppended, StorageApplied, Term,
};
use sim::world::Refusal;
use sim::world::consensus::{CannotStart, Consensus, Follower, Handed, Node, Rider, Status, Stored, Told};

use crate::journal::{Input, Journal, Kept};
use crate::live::Live;

/// A node of raft-rs, and all that it was told since it started.
///
/// A node of raft-rs cannot be copied: part of its state is private. A copy of this one has what it was told, and tells it to a
/// new node as soon as anybody looks at it. That leads to the same state, since nothing in raft-rs but the timeouts hangs on
/// anything else, and those are drawn from a seed.
pub(crate) struct RaftRsNode {
    start: Arc<Start>,
    told: Journal,
    live: OnceLock<Box<Live>>,
}

/// What it started with.
struct Start {
    config: Config,
    /// What is claimed of it: see [`claimed`].
    claimed: Config,
    storage: MemStorage,
}

impl RaftRsNode {
    pub(crate) fn new(config: &Config, storage: MemStorage) -> Result<Self, CannotStart> {
        let live = Live::new(config, storage.clone())?;
        let start = Arc::new(Start { config: config.clone(), claimed: claimed(config), storage });
        Ok(Self { start, told: Journal::default(), live: OnceLock::from(Box::new(live)) })
    }

    fn live(&self) -> &Live {
        self.live.get_or_init(|| self.rebuilt())
    }

    fn rebuilt(&self) -> Box<Live> {
        let Start { config, storage, .. } = &*self.start;
        let mut live = Live::new(config, storage.clone()).expect("it started from this before");
        self.told.each(|input| input.tell(&mut live));
        Box::new(live)
    }

    /// Tells the node something, and notes it once that has come to an end.
    fn tell<R>(&mut self, input: Input, tell: impl FnOnce(&mut Live) -> R) -> R {
        self.live();
        let live = self.live.get_mut().expect("it was just made");
        let answer = tell(live);
        self.told.push(input);
        answer
    }
}

/// The options by which it is judged. Two limits count the bytes of entries, and raft-rs encodes membership changes in fewer bytes
/// than etcd's form of them has, by which the checks count: they do not hold these limits against it.
fn claimed(config: &Config) -> Config {
    Config { max_committed_size_per_ready: Config::NO_LIMIT, max_uncommitted_size: Config::NO_LIMIT, ..config.clone() }
}

impl Clone for RaftRsNode {
    fn clone(&self) -> Self {
        Self { start: Arc::clone(&self.start), told: self.told.clone(), live: OnceLock::new() }
    }
}

impl fmt::Debug for RaftRsNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RaftRsNode").field("id", &self.start.config.id).finish_non_exhaustive()
    }
}

impl Node for RaftRsNode {
    fn config(&self) -> &Config {
        &self.start.claimed
    }

    fn status(&self) -> Status {
        self.live().status()
    }

    fn configuration(&self) -> &Configuration {
        self.live().configuration()
    }

    fn storage(&self) -> &MemStorage {
        self.live().storage()
    }

    fn entry_term(&self, index: Index) -> Option<Term> {
        self.live().entry_term(index)
    }

    fn waiting_reads(&self) -> usize {
        self.live().waiting_reads()
    }

    fn has_ready(&self) -> bool {
        self.live().has_ready()
    }

    fn pending_messages(&self) -> Box<dyn Iterator<Item = &Message> + '_> {
        Box::new(self.live().pending_messages())
    }

    fn follower(&self, id: NodeId) -> Option<Follower> {
        self.live().follower(id)
    }

    fn each_follower(&self, look: &mut dyn FnMut(NodeId, Follower)) {
        self.live().followers().into_iter().for_each(|(id, follower)| look(id, follower));
    }
}

impl Consensus for RaftRsNode {
    fn seen(&self) -> &dyn Node {
        self
    }

    fn cloned(&self) -> Box<dyn Consensus> {
        Box::new(self.clone())
    }

    fn tick(&mut self) {
        self.tell(Input::Tick, Live::tick);
    }

    fn campaign(&mut self) -> Told {
        self.tell(Input::Campaign, Live::campaign);
        Ok(())
    }

    fn propose(&mut self, data: Bytes) -> Told {
        self.tell(Input::Propose(data.clone()), |live| live.propose(&data))
    }

    fn propose_conf_change(&mut self, change: &ConfChange) -> Told {
        self.tell(Input::ProposeConfChange(change.clone()), |live| live.propose_conf_change(change))
    }

    fn transfer_leadership(&mut self, target: NodeId) -> Told {
        self.tell(Input::TransferLeadership(target), |live| live.transfer_leadership(target));
        Ok(())
    }

    fn forget_leader(&mut self) -> Told {
        Err(Refusal::Unsupported("raft-rs has nothing to forget a leader by".into()))
    }

    fn read_index(&mut self, context: Bytes) -> Told {
        self.tell(Input::ReadIndex(context.clone()), |live| live.read_index(&context));
        Ok(())
    }

    fn report_unreachable(&mut self, peer: NodeId) -> Told {
        self.tell(Input::ReportUnreachable(peer), |live| live.report_unreachable(peer));
        Ok(())
    }

    fn report_snapshot(&mut self, peer: NodeId, status: SnapshotStatus) -> Told {
        self.tell(Input::ReportSnapshot(peer, status), |live| live.report_snapshot(peer, status));
        Ok(())
    }

    fn set_election_timeout(&mut self, ticks: u32) -> Told {
        self.tell(Input::SetElectionTimeout(ticks), |live| live.set_election_timeout(ticks))
    }

    fn step(&mut self, message: Message, rider: Option<Rider>) -> Told {
        self.tell(Input::Step(Box::new(message.clone()), rider.clone()), |live| live.step(&message, rider.as_ref()))
    }

    fn storage_appended(&mut self, _: StorageAppended) {
        unreachable!("raft-rs is not started with storage threads");
    }

    fn storage_applied(&mut self, _: StorageApplied) {
        unreachable!("raft-rs is not started with storage threads");
    }

    fn ready(&mut self) -> Option<Handed> {
        self.tell(Input::Ready, Live::ready)
    }

    fn advance(&mut self, _: Ready) {
        self.tell(Input::Advance, Live::advance);
    }

    fn apply_conf_change(&mut self, _: &Entry, change: &ConfChangeV2) -> Option<Result<ConfState, ChangeError>> {
        Some(self.tell(Input::ApplyConfChange(change.clone()), |live| live.apply_conf_change(change)))
    }

    fn hash_state(&self, mut state: &mut dyn Hasher) {
        let Start { config, .. } = &*self.start;
        config.hash(&mut state);
        self.told.hash(state);
    }

    fn store(&mut self, change: Stored<'_>) -> bool {
        self.tell(Input::Store(Kept::from(change)), |live| live.store(change))
    }
}
