//! The synchronous node: a state machine that the host drives and whose work it does. This file has what a host tells its
//! node; what the node hands out and what the host sees of it have files of their own.

mod buffers;
mod process;
mod ready;
mod state;
mod view;

use bytes::Bytes;

use crate::config::Config;
use crate::error::{BootstrapError, ConfigError, ProposeError, ReadError, StepError};
use crate::membership::{Change, ChangeError, ChangeKind, ConfChange, ConfChangeV1, ConfChangeV2, ConfState};
use crate::message::Message;
use crate::raft::{AppliedThrough, Durable, Raft};
use crate::ready::{Origin, Ready};
use crate::storage::Storage;
use crate::types::{Entry, EntryId, HardState, Index, NodeId, SoftState, Term};
use buffers::Buffers;

/// How a snapshot that the host sent came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum SnapshotStatus {
    /// The follower has it.
    Finish,
    /// It was lost; the leader starts over.
    Failure,
}

/// A Raft node without I/O, clock or thread, with the interface of etcd's `RawNode`.
///
/// The host calls its methods from one thread at a time, and whenever [`has_ready`](Self::has_ready) says so takes a
/// [`Ready`], does what it says and hands it back with [`advance`](Self::advance).
///
/// ```
/// use raft::{ConfState, Config, MemStorage, NodeId, RawNode, Role};
///
/// let id = NodeId::new(1).unwrap();
/// let alone = ConfState { voters: [id].into(), ..ConfState::default() };
/// let mut node = RawNode::new(Config::recommended(id), MemStorage::with_conf_state(alone))?;
/// node.campaign();
/// while let Some(ready) = node.ready() {
///     node.storage_mut().write(&ready)?;
///     // Send `ready.messages`, restore `ready.snapshot` and apply `ready.committed_entries` here.
///     node.advance(ready)?;
/// }
/// assert_eq!(node.basic_status().soft_state.role, Role::Leader);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`process_ready`](Self::process_ready) is the same with the handing back built in. The front page of this crate shows
/// a whole loop.
#[derive(Clone, Debug)]
pub struct RawNode<S: Storage> {
    raft: Raft<S>,
    /// What the host was last told.
    told_soft_state: SoftState,
    told_hard_state: HardState,
    origin: Origin,
    /// How many Readys were handed out.
    readys: u64,
    outstanding: Option<Outstanding>,
    /// A Ready that was given back undone, to be handed out again.
    returned: Option<Box<Ready>>,
    buffers: Buffers,
}

/// What happens when the outstanding Ready is advanced, with synchronous storage writes.
#[derive(Clone, Debug, Default)]
struct Outstanding {
    number: u64,
    /// The node's own vote and acknowledgement.
    own_messages: Vec<Message>,
    durable: Option<Durable>,
    applied: Option<AppliedThrough>,
}

impl<S: Storage> RawNode<S> {
    /// A node that continues from what the storage holds: a follower.
    ///
    /// A first start gives each member a storage with the same membership in it, for instance a snapshot that holds
    /// nothing else; see also [`bootstrap`](Self::bootstrap).
    ///
    /// A restart whose application has kept its state says so with [`Config::applied`], and then needs the membership
    /// after that entry in its storage: what is applied is not handed out again, changes of the membership included. One
    /// that is older is refused where the log shows it, and goes unnoticed where the log is compacted.
    ///
    /// # Errors
    /// Options that make no sense, by themselves or with what the storage holds, or a storage that cannot be read.
    pub fn new(config: Config, storage: S) -> Result<Self, ConfigError> {
        let raft = Raft::new(config, storage)?;
        Ok(Self {
            told_soft_state: raft.soft_state(),
            told_hard_state: raft.hard_state(),
            origin: Origin::new(raft.config().id),
            raft,
            readys: 0,
            outstanding: None,
            returned: None,
            buffers: Buffers::default(),
        })
    }

    /// Gives an empty node its first members: one membership change for each peer, with the peer's context, all
    /// committed in term 1. To be called once, on every peer with the same list.
    ///
    /// # Errors
    /// An empty list, a peer listed twice, or a storage that is not empty.
    pub fn bootstrap(&mut self, peers: &[(NodeId, Bytes)]) -> Result<(), BootstrapError> {
        if peers.is_empty() {
            return Err(BootstrapError::NoPeers);
        }
        if self.raft.log().last_index() > Index::ZERO {
            return Err(BootstrapError::NonEmptyStorage);
        }
        let mut seen = std::collections::BTreeSet::new();
        if let Some((twice, _)) = peers.iter().find(|(peer, _)| !seen.insert(*peer)) {
            return Err(BootstrapError::DuplicatePeer(*twice));
        }
        // Nothing of this is stored yet, so the first Ready has to say all of it.
        self.told_hard_state = HardState::default();
        self.raft.become_follower(Term(1), None);
        let changes: Vec<ConfChangeV1> = peers
            .iter()
            .map(|(peer, context)| ConfChangeV1 {
                change: Change { kind: ChangeKind::AddVoter, node: Some(*peer) },
                context: context.clone(),
            })
            .collect();
        let entry = |(index, change): (u64, &ConfChangeV1)| {
            let (kind, data) = ConfChange::V1(change.clone()).encode();
            Entry { term: Term(1), index: Index(index), kind, data }
        };
        let last = self.raft.log_mut().append((1..).zip(&changes).map(entry).collect::<Vec<_>>());
        self.raft.log_mut().commit_to(last);
        for change in changes {
            // In force at once, so that a peer can campaign before it has applied its own log.
            self.raft.apply_conf_change(&change.into()).expect("adding voters one by one to an empty configuration");
        }
        Ok(())
    }

    /// Advances the node's clock by one tick. How long a tick lasts is up to the host; `election_tick` and
    /// `heartbeat_tick` count in it.
    pub fn tick(&mut self) {
        self.buffers.release_memory(self.raft.outbox_mut());
        self.unless_failed(Raft::tick);
    }

    /// Campaigns now, as if the election timeout were over; with pre-vote asks first. Ignored by a leader, by a node
    /// that is no voter as far as it knows, and while a committed membership change is not applied.
    pub fn campaign(&mut self) {
        self.unless_failed(Raft::start_election);
    }

    /// Proposes data for the log, here or through the leader. Success means that it was appended or sent on, not that
    /// it will be committed. Data of no bytes is proposed too, and counts nothing against
    /// [`Config::max_uncommitted_size`].
    ///
    /// # Errors
    /// It was not even appended or sent on, and why.
    pub fn propose(&mut self, data: Bytes) -> Result<(), ProposeError> {
        let entries = [Entry { data, ..Entry::default() }];
        self.attempt(ProposeError::StorageFailed, |raft| raft.propose(None, entries))
    }

    /// Proposes a membership change. A leader on which another change is pending, or whose joint configuration does not
    /// allow it, appends an empty entry in its place.
    ///
    /// # Errors
    /// It was not even appended or sent on, and why.
    pub fn propose_conf_change(&mut self, change: &ConfChange) -> Result<(), ProposeError> {
        let (kind, data) = change.encode();
        let entries = [Entry { kind, data, ..Entry::default() }];
        self.attempt(ProposeError::StorageFailed, |raft| raft.propose(None, entries))
    }

    /// Like [`propose`](Self::propose), here and not through the leader, and returns which entry it is. When an entry is
    /// applied at that index, it is this one if its term is the same. If not, another leader's has taken its place, and
    /// this one never is.
    ///
    /// ```
    /// use raft::{ConfState, Config, EntryId, Index, MemStorage, NodeId, RawNode, Term};
    ///
    /// let id = NodeId::new(1).unwrap();
    /// let alone = ConfState { voters: [id].into(), ..ConfState::default() };
    /// let mut node = RawNode::new(Config::recommended(id), MemStorage::with_conf_state(alone))?;
    /// node.campaign();
    /// while node.process_ready(|node, ready| node.storage_mut().write(ready))? {}
    /// // A leader begins with an empty entry.
    /// assert_eq!(node.propose_as_leader("hello".into()), Ok(EntryId::new(Term(1), Index(2))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// It was not appended, and why; where another node leads, who that is.
    pub fn propose_as_leader(&mut self, data: Bytes) -> Result<EntryId, ProposeError> {
        let entries = [Entry { data, ..Entry::default() }];
        self.attempt(ProposeError::StorageFailed, |raft| raft.propose_as_leader(entries))
    }

    /// Like [`propose_conf_change`](Self::propose_conf_change), here and not through the leader, and returns which entry it
    /// is. One that is refused is an entry too, of [that kind](crate::EntryKind::RefusedConfChange).
    ///
    /// # Errors
    /// As [`propose_as_leader`](Self::propose_as_leader).
    pub fn propose_conf_change_as_leader(&mut self, change: &ConfChange) -> Result<EntryId, ProposeError> {
        let (kind, data) = change.encode();
        let entries = [Entry { kind, data, ..Entry::default() }];
        self.attempt(ProposeError::StorageFailed, |raft| raft.propose_as_leader(entries))
    }

    /// Takes up a committed membership change; to be called when the application applies its entry, unless it decides
    /// against the change. The result is what a snapshot after this entry has to contain.
    ///
    /// # Errors
    /// A change that the current configuration does not allow; nothing changes then, on any node.
    pub fn apply_conf_change(&mut self, change: &ConfChangeV2) -> Result<ConfState, ChangeError> {
        self.raft.apply_conf_change(change)
    }

    /// Takes a message from a peer.
    ///
    /// # Errors
    /// A response from a node that is no member, a forwarded proposal that is dropped here, a forwarded read for which there
    /// is no room, or a message that no correct node sends. The node is then as it was; [`StepError::Propose`] names the
    /// two exceptions that exist where it imitates etcd.
    pub fn step(&mut self, message: Message) -> Result<(), StepError> {
        self.attempt(StepError::StorageFailed, |raft| raft.step(message))
    }

    /// Asks the leader, through this node, to hand leadership to `target`. Given up after an election timeout; ignored
    /// where no leader is known or the target is a learner or unknown.
    pub fn transfer_leadership(&mut self, target: NodeId) {
        self.unless_failed(|raft| raft.transfer_leadership(target));
    }

    /// Makes a follower forget its leader, so that it votes for others although it heard from the leader lately. Ignored
    /// by other roles and with lease-based reads.
    pub fn forget_leader(&mut self) {
        self.unless_failed(Raft::forget_leader);
    }

    /// Asks for an index at which a read is linearizable; the answer comes as a [`ReadState`](crate::ReadState) with the
    /// same context. The request is lost where no leader is known or too many reads wait already, perhaps on the way, and
    /// when the leader that it waits at leads no more: ask again. [`try_read_index`](Self::try_read_index) tells what this
    /// node knows of that.
    pub fn read_index(&mut self, context: Bytes) {
        // Who does not want to know asks again anyway.
        let _ = self.try_read_index(context);
    }

    /// Like [`read_index`](Self::read_index), and tells where nothing can come of the request. Success is no promise:
    /// it may still be lost on its way to the leader, or with the leadership.
    ///
    /// ```
    /// use raft::{ConfState, Config, MemStorage, NodeId, RawNode, ReadError};
    /// let id = NodeId::new(1).unwrap();
    /// let alone = ConfState { voters: [id].into(), ..ConfState::default() };
    /// let mut node = RawNode::new(Config::new(id), MemStorage::with_conf_state(alone)).unwrap();
    /// assert_eq!(node.try_read_index("read 1".into()), Err(ReadError::NoLeader));
    /// ```
    ///
    /// # Errors
    /// [`ReadError::NoLeader`] where nobody can be asked, [`ReadError::TooManyWaiting`] where this node leads and has
    /// [`Config::max_waiting_reads`] to confirm. Nothing is remembered then.
    pub fn try_read_index(&mut self, context: Bytes) -> Result<(), ReadError> {
        self.attempt(ReadError::StorageFailed, |raft| raft.read_index(None, context))
    }

    /// Reports that the last message to a peer could not be delivered.
    pub fn report_unreachable(&mut self, peer: NodeId) {
        self.unless_failed(|raft| raft.report_unreachable(peer));
    }

    /// Reports how sending a snapshot to a peer ended. A leader sends that peer nothing until it is told, or until the
    /// peer acknowledges what the snapshot brought, so a failure must be reported.
    pub fn report_snapshot(&mut self, peer: NodeId, status: SnapshotStatus) {
        self.unless_failed(|raft| raft.report_snapshot(peer, status == SnapshotStatus::Finish));
    }

    /// Sets the current election timeout, in ticks, until the next change of role or term draws another. For tests and
    /// scenarios that decide who campaigns first; see also [`Config::fixed_election_timeout`].
    pub fn set_randomized_election_timeout(&mut self, ticks: u32) {
        self.raft.set_randomized_election_timeout(ticks);
    }

    /// The storage, for the host to write what a Ready says.
    pub fn storage_mut(&mut self) -> &mut S {
        self.raft.log_mut().storage_mut()
    }

    /// Nothing of what a node does whose storage fails is to leave it.
    fn unless_failed(&mut self, act: impl FnOnce(&mut Raft<S>)) {
        if self.failure().is_none() {
            act(&mut self.raft);
        }
    }

    /// The same, where the caller is told.
    fn attempt<T, E>(&mut self, failed: E, act: impl FnOnce(&mut Raft<S>) -> Result<T, E>) -> Result<T, E> {
        if self.failure().is_some() {
            return Err(failed);
        }
        let result = act(&mut self.raft);
        if self.failure().is_some() { Err(failed) } else { result }
    }
}
