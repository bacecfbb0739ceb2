//! The synchronous node: a state machine that the host drives and whose work it does.

mod process;

use bytes::Bytes;

use crate::config::Config;
use crate::error::{AdvanceError, BootstrapError, ConfigError, ProposeError, ReadError, StepError};
use crate::membership::{
    Change, ChangeError, ChangeKind, ConfChange, ConfChangeV1, ConfChangeV2, ConfState, Configuration,
};
use crate::message::Message;
use crate::planted::{Bug, planted};
use crate::progress::Progress;
use crate::raft::{AppliedThrough, Raft};
use crate::ready::{Origin, Ready, StorageAppend, StorageAppended, StorageApplied, StorageApply};
use crate::status::{BasicStatus, Status};
use crate::storage::{Storage, StorageFailure};
use crate::types::{Entry, EntryId, HardState, Index, NodeId, SoftState, Term};

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
    returned: Option<Ready>,
}

/// What happens when the outstanding Ready is advanced, with synchronous storage writes.
#[derive(Clone, Debug, Default)]
struct Outstanding {
    number: u64,
    /// The node's own vote and acknowledgement.
    own_messages: Vec<Message>,
    appended: Option<StorageAppended>,
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
        let last = self.raft.log_mut().append((1..).zip(&changes).map(entry).collect());
        self.raft.log_mut().commit_to(last);
        for change in changes {
            // In force at once, so that a peer can campaign before it has applied its own log.
            self.raft.apply_conf_change(&change.into()).expect("adding voters one by one to an empty configuration");
        }
        Ok(())
    }

    /// The node's identity.
    pub fn id(&self) -> NodeId {
        self.raft.id()
    }

    /// The options it runs with.
    pub fn config(&self) -> &Config {
        self.raft.config()
    }

    /// The storage it reads.
    pub fn storage(&self) -> &S {
        self.raft.log().storage()
    }

    /// The storage, for the host to write what a Ready says.
    pub fn storage_mut(&mut self) -> &mut S {
        self.raft.log_mut().storage_mut()
    }

    /// Advances the node's clock by one tick. How long a tick lasts is up to the host; `election_tick` and
    /// `heartbeat_tick` count in it.
    pub fn tick(&mut self) {
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
        let entries = vec![Entry { data, ..Entry::default() }];
        self.attempt(ProposeError::StorageFailed, |raft| raft.propose(None, entries))
    }

    /// Proposes a membership change. A leader on which another change is pending, or whose joint configuration does not
    /// allow it, appends an empty entry in its place.
    ///
    /// # Errors
    /// It was not even appended or sent on, and why.
    pub fn propose_conf_change(&mut self, change: &ConfChange) -> Result<(), ProposeError> {
        let (kind, data) = change.encode();
        let entries = vec![Entry { kind, data, ..Entry::default() }];
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
        let entries = vec![Entry { data, ..Entry::default() }];
        self.attempt(ProposeError::StorageFailed, |raft| raft.propose_as_leader(entries))
    }

    /// Like [`propose_conf_change`](Self::propose_conf_change), here and not through the leader, and returns which entry it
    /// is. One that is refused is an entry too, of [that kind](crate::EntryKind::RefusedConfChange).
    ///
    /// # Errors
    /// As [`propose_as_leader`](Self::propose_as_leader).
    pub fn propose_conf_change_as_leader(&mut self, change: &ConfChange) -> Result<EntryId, ProposeError> {
        let (kind, data) = change.encode();
        let entries = vec![Entry { kind, data, ..Entry::default() }];
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

    /// Why the node takes part no more, if so: its storage could not be read. See [`Storage`](crate::Storage#failure).
    ///
    /// Calls that return an error return one from then on, and from the very call in which it happened; [`ready`](Self::ready)
    /// returns `None`. So a host that ticks and works off Readys looks here as well. The membership can still be
    /// [changed](Self::apply_conf_change), so that a Ready that is at work can be applied to its end.
    pub fn failure(&self) -> Option<&StorageFailure> {
        self.raft.log().failure()
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

    /// Whether [`ready`](Self::ready) would return something, if the storage can be read.
    pub fn has_ready(&self) -> bool {
        let has_work = self.returned.is_some() || self.outstanding.is_none() && self.has_news();
        has_work && self.failure().is_none()
    }

    fn has_news(&self) -> bool {
        let log = self.raft.log();
        let outbox = self.raft.outbox();
        self.raft.soft_state() != self.told_soft_state
            || self.changed_hard_state().is_some()
            || !outbox.messages.is_empty()
            || !outbox.after_append.is_empty()
            || log.next_unstable_snapshot().is_some()
            || log.has_next_unstable_entries()
            || log.has_next_committed_entries(self.applies_unstable())
            || self.raft.has_read_states()
    }

    fn changed_hard_state(&self) -> Option<HardState> {
        let hard_state = self.raft.hard_state();
        (hard_state != self.told_hard_state && hard_state != HardState::default()).then_some(hard_state)
    }

    /// With synchronous writes an entry is in storage before it is applied, because the Ready that hands it out, or an
    /// earlier one, had it written. With asynchronous ones that has to be known first.
    fn applies_unstable(&self) -> bool {
        !self.raft.config().async_storage_writes
    }

    /// Takes the work that has come up. `None` where there is none, with synchronous storage writes while a Ready is
    /// outstanding, and where the storage has [failed](Self::failure).
    ///
    /// A Ready has to come back by [`advance`](Self::advance), whatever happens. One that is dropped, for instance by an
    /// early return, leaves the node mute for good: it goes on taking input, has nothing ready any more, and says nothing
    /// of it. [`process_ready`](Self::process_ready) cannot lose one.
    #[must_use = "a Ready that is dropped leaves the node mute"]
    pub fn ready(&mut self) -> Option<Ready> {
        if !self.has_ready() {
            return None;
        }
        if let Some(returned) = self.returned.take() {
            return Some(returned);
        }
        let mut ready = self.collect();
        self.readys += 1;
        ready.number = self.readys;
        if self.raft.config().async_storage_writes {
            self.address_storage_threads(&mut ready);
        } else {
            self.await_advance(&mut ready);
        }
        self.accept(&ready);
        self.failure().is_none().then_some(ready)
    }

    fn collect(&mut self) -> Ready {
        let soft_state = self.raft.soft_state();
        let hard_state = self.changed_hard_state();
        let told = self.told_hard_state;
        let read_states = self.raft.take_read_states();
        let log = self.raft.log();
        let entries = log.next_unstable_entries().to_vec();
        let voted = hard_state.is_some_and(|state| state.term != told.term || state.vote != told.vote);
        let must_sync =
            (!entries.is_empty() && !planted(Bug::MustsyncDropsEntries)) || (voted && !planted(Bug::MustsyncDropsVote));
        Ready {
            origin: self.origin.clone(),
            number: 0,
            soft_state: (soft_state != self.told_soft_state).then_some(soft_state),
            hard_state,
            read_states,
            entries,
            snapshot: log.next_unstable_snapshot().cloned(),
            committed_entries: log.next_committed_entries(self.applies_unstable()),
            messages: Vec::new(),
            must_sync,
            storage_append: None,
            storage_apply: None,
        }
    }

    /// The message to itself that tells this node when the writes of the Ready are durable. It speaks of the whole log
    /// and not just of this Ready's entries, because a response of an earlier term says nothing about entries: the
    /// first one of the new term has to make up for it.
    fn append_response(&mut self, ready: &Ready) -> Option<StorageAppended> {
        let term = self.raft.term();
        let last = self.raft.log_mut().hand_out_write(term);
        let snapshot = ready.snapshot.clone();
        (last.is_some() || snapshot.is_some()).then_some(StorageAppended { term, last, snapshot })
    }

    fn address_storage_threads(&mut self, ready: &mut Ready) {
        let appended = self.append_response(ready);
        let outbox = self.raft.take_outbox();
        ready.messages = outbox.messages;
        let append_needed = !ready.entries.is_empty()
            || ready.hard_state.is_some()
            || ready.snapshot.is_some()
            || !outbox.after_append.is_empty();
        if append_needed {
            ready.storage_append = Some(StorageAppend {
                hard_state: ready.hard_state,
                entries: ready.entries.clone(),
                snapshot: ready.snapshot.clone(),
                must_sync: ready.must_sync,
                responses: outbox.after_append,
                appended,
            });
        }
        if !ready.committed_entries.is_empty() {
            ready.storage_apply = Some(StorageApply { entries: ready.committed_entries.clone() });
        }
    }

    fn await_advance(&mut self, ready: &mut Ready) {
        let appended = self.append_response(ready);
        let outbox = self.raft.take_outbox();
        let id = self.id();
        let (own_messages, to_peers): (Vec<_>, Vec<_>) =
            outbox.after_append.into_iter().partition(|message| message.to == id);
        ready.messages = outbox.messages;
        ready.messages.extend(to_peers);
        let applied = self.handed_out(ready);
        self.outstanding = Some(Outstanding { number: ready.number, own_messages, appended, applied });
    }

    fn accept(&mut self, ready: &Ready) {
        if let Some(soft_state) = ready.soft_state {
            self.told_soft_state = soft_state;
        }
        if let Some(hard_state) = ready.hard_state {
            self.told_hard_state = hard_state;
        }
        let applies_unstable = self.applies_unstable();
        let handed_out = self.handed_out(ready);
        let log = self.raft.log_mut();
        log.accept_unstable();
        if let Some(handed_out) = handed_out {
            log.accept_applying(handed_out.index, handed_out.encoded_size, applies_unstable);
        }
    }

    /// How far the application will be once it has applied the Ready.
    fn handed_out(&self, ready: &Ready) -> Option<AppliedThrough> {
        let handed_out = AppliedThrough::of(&ready.committed_entries)?;
        match planted(Bug::AppliedCursorIsCommit) {
            false => Some(handed_out),
            true => Some(AppliedThrough { index: self.raft.log().committed(), ..handed_out }),
        }
    }

    /// Tells the node that the Ready is persisted, sent and applied.
    ///
    /// # Errors
    /// A Ready that is not the outstanding one, one that another node or an earlier start of this node handed out, or any
    /// with asynchronous storage writes; nothing changes then. Or the storage has failed.
    pub fn advance(&mut self, ready: Ready) -> Result<(), AdvanceError> {
        self.check_outstanding(&ready)?;
        let outstanding = self.outstanding.take().ok_or(AdvanceError::NotOutstanding)?;
        for message in outstanding.own_messages {
            self.raft.step_own(message).expect("votes and acknowledgements are not refused");
        }
        if let Some(appended) = outstanding.appended {
            self.raft.storage_appended(appended);
        }
        if let Some(applied) = outstanding.applied {
            self.raft.entries_applied(applied);
        }
        if self.failure().is_some() { Err(AdvanceError::StorageFailed) } else { Ok(()) }
    }

    /// Whether [`advance`](Self::advance) would take this Ready.
    pub(crate) fn check_outstanding(&self, ready: &Ready) -> Result<(), AdvanceError> {
        if self.raft.config().async_storage_writes {
            return Err(AdvanceError::AsynchronousStorageWrites);
        }
        if self.is_foreign(ready) {
            return Err(AdvanceError::Foreign);
        }
        if self.failure().is_some() {
            return Err(AdvanceError::StorageFailed);
        }
        match &self.outstanding {
            Some(outstanding) if outstanding.number == ready.number && self.returned.is_none() => Ok(()),
            Some(_) | None => Err(AdvanceError::NotOutstanding),
        }
    }

    /// Whether another node handed this Ready out, or an earlier start of this one.
    pub(crate) fn is_foreign(&self, ready: &Ready) -> bool {
        ready.origin.differs_from(&self.origin)
    }

    /// With asynchronous storage writes: tells the node that a [`StorageAppend`] is done, after its responses.
    pub fn storage_appended(&mut self, appended: StorageAppended) {
        self.unless_failed(|raft| raft.storage_appended(appended));
    }

    /// With asynchronous storage writes: tells the node that a [`StorageApply`] is done. Until then the host must not compact
    /// the log beyond what the node was told before: see [`Storage`](crate::Storage#compaction).
    pub fn storage_applied(&mut self, applied: StorageApplied) {
        if let Some(applied) = AppliedThrough::of(&applied.entries) {
            self.unless_failed(|raft| raft.entries_applied(applied));
        }
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

    /// The node's status with its membership and progress table, copied.
    pub fn status(&self) -> Status {
        Status {
            basic: self.basic_status(),
            configuration: self.raft.configuration().clone(),
            progress: self.raft.progress().cloned().unwrap_or_default(),
        }
    }

    /// The leader that the node knows, and its role.
    pub fn soft_state(&self) -> SoftState {
        self.raft.soft_state()
    }

    pub(crate) fn term(&self) -> Term {
        self.raft.term()
    }

    /// Up to where the application has applied.
    pub(crate) fn applied(&self) -> Index {
        self.raft.log().applied()
    }

    /// The part of the status that costs nothing.
    pub fn basic_status(&self) -> BasicStatus {
        BasicStatus {
            id: self.id(),
            hard_state: self.raft.hard_state(),
            soft_state: self.raft.soft_state(),
            applied: self.raft.log().applied(),
            lead_transferee: self.raft.transferee(),
            first_index: self.raft.log().first_index(),
            last: self.raft.log().last_known_id(),
        }
    }

    /// What this node, as a leader, knows of each member, by identity; nothing in any other role.
    pub fn progress(&self) -> impl Iterator<Item = (NodeId, &Progress)> {
        self.raft.progress().into_iter().flatten().map(|(id, progress)| (*id, progress))
    }

    /// The messages that the next Ready will hand out, or that must wait there until what they promise is durable, in no
    /// particular order. Some are addressed to the node itself. For tests and simulators that have to know all that is
    /// under way.
    ///
    /// ```
    /// use raft::{Body, Config, ConfState, MemStorage, NodeId, RawNode};
    ///
    /// let [one, two] = [1, 2].map(|id| NodeId::new(id).unwrap());
    /// let storage = MemStorage::with_conf_state(ConfState { voters: [one, two].into(), ..ConfState::default() });
    /// let mut node = RawNode::new(Config::new(one), storage)?;
    /// node.campaign();
    /// assert!(node.pending_messages().any(|message| message.to == two && matches!(message.body, Body::RequestVote { .. })));
    /// # Ok::<(), raft::ConfigError>(())
    /// ```
    pub fn pending_messages(&self) -> impl Iterator<Item = &Message> {
        let outbox = self.failure().is_none().then(|| self.raft.outbox());
        outbox.into_iter().flat_map(|outbox| outbox.messages.iter().chain(&outbox.after_append))
    }

    /// The membership in force on this node.
    pub fn configuration(&self) -> &Configuration {
        self.raft.configuration()
    }

    /// The term of an entry of the log, stored or not yet; `None` where the log does not reach, or cannot be read.
    pub fn entry_term(&self, index: Index) -> Option<Term> {
        self.raft.log().term(index).ok()
    }

    /// The payload bytes that this node, as a leader, counts against `max_uncommitted_size`; zero in any other role.
    pub fn uncommitted_size(&self) -> u64 {
        self.raft.uncommitted_size()
    }

    /// How many reads this node, as a leader, holds on to: until it has committed in its term, or a quorum has confirmed that
    /// it leads. Zero in any other role.
    ///
    /// ```
    /// use raft::{ConfState, Config, MemStorage, NodeId, RawNode};
    /// let id = NodeId::new(1).unwrap();
    /// let alone = ConfState { voters: [id].into(), ..ConfState::default() };
    /// let node = RawNode::new(Config::new(id), MemStorage::with_conf_state(alone)).unwrap();
    /// assert_eq!(node.waiting_reads(), 0);
    /// ```
    pub fn waiting_reads(&self) -> usize {
        self.raft.waiting_reads()
    }

    /// Sets the current election timeout, in ticks, until the next change of role or term draws another. For tests and
    /// scenarios that decide who campaigns first; see also [`Config::fixed_election_timeout`].
    pub fn set_randomized_election_timeout(&mut self, ticks: u32) {
        self.raft.set_randomized_election_timeout(ticks);
    }
}
