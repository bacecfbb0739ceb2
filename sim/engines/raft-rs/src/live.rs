//! A node of raft-rs that runs, and what its host keeps beside it.

use bytes::Bytes;
use raft::{
    ChangeError, ConfChange, ConfChangeV2, ConfState, Config, Configuration, EntryId, Index, MemStorage, Message,
    NodeId, ProposeError, ReadOnlyOption, ReadState, Ready, Role, SoftState, StepError, Storage as _, Term,
};
use raft_rs::eraftpb;
use raft_rs::{Error, ProgressState, RawNode, SnapshotStatus};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sim::invariant::View;
use sim::world::Refusal;
use sim::world::consensus::{CannotStart, Follower, FollowerState, Handed, Rider, Status, Stored, Told};

use crate::convert::{
    NoCounterpart, conf_state_to_ours, entry_to_ours, hard_state_to_ours, message_to_theirs, node, ridden, role,
    snapshot_to_ours, v1_to_theirs, v2_to_theirs, with_rider,
};
use crate::shelf::{self, Shelf};

/// A node of raft-rs.
pub(crate) struct Live {
    config: Config,
    raw: RawNode<Shelf>,
    timeouts: Timeouts,
    configuration: Configuration,
    /// The messages that it has made and no Ready has handed out, and what rides on them.
    pending: Vec<(Message, Option<Rider>)>,
    /// The Ready that is out.
    out: Option<Out>,
}

/// The Ready that is out.
struct Out {
    number: u64,
    /// Up to where everything is applied when it is done.
    applied: Option<u64>,
}

impl Live {
    /// A node that starts with what its storage holds.
    pub(crate) fn new(config: &Config, storage: MemStorage) -> Result<Self, CannotStart> {
        let refused = |error: Error| CannotStart::Refused(error.to_string());
        let (_, conf_state) = storage.initial_state().map_err(|error| CannotStart::Refused(error.to_string()))?;
        let configuration =
            Configuration::from_conf_state(&conf_state).map_err(|error| CannotStart::Refused(error.to_string()))?;
        let quiet = slog::Logger::root(slog::Discard, slog::o!());
        let raw = RawNode::new(&config_to_theirs(config), Shelf::new(storage), &quiet).map_err(refused)?;
        let timeouts = Timeouts::new(config);
        let mut live = Self { config: config.clone(), raw, timeouts, configuration, pending: Vec::new(), out: None };
        live.settle();
        Ok(live)
    }

    /// After every call: puts the node's own draw of an election timeout aside, and takes up what else is new.
    fn settle(&mut self) {
        self.timeouts.replace(&mut self.raw);
        let raft = &self.raw.raft;
        for message in &raft.msgs[self.pending.len()..] {
            self.pending.push(with_rider(message).unwrap_or_else(|error| panic!("raft-rs sends {error}")));
        }
        if self.configuration.conf_state() != conf_state_to_ours(&raft.prs().conf().to_conf_state()) {
            let conf_state = conf_state_to_ours(&raft.prs().conf().to_conf_state());
            let configuration = Configuration::from_conf_state(&conf_state);
            self.configuration =
                configuration.unwrap_or_else(|error| panic!("raft-rs goes by {conf_state:?}: {error}"));
        }
    }

    pub(crate) fn tick(&mut self) {
        self.raw.tick();
        self.settle();
    }

    pub(crate) fn campaign(&mut self) {
        // raft-rs answers nothing else.
        drop(self.raw.campaign());
        self.settle();
    }

    pub(crate) fn propose(&mut self, data: &Bytes) -> Told {
        let proposed = self.raw.propose(Vec::new(), data.to_vec());
        self.settle();
        proposed.map_err(|error| self.dropped(&error))
    }

    pub(crate) fn propose_conf_change(&mut self, change: &ConfChange) -> Told {
        let proposed = match change {
            ConfChange::V1(change) => {
                self.raw.propose_conf_change(Vec::new(), v1_to_theirs(change).map_err(unsupported)?)
            }
            ConfChange::V2(change) => {
                self.raw.propose_conf_change(Vec::new(), v2_to_theirs(change).map_err(unsupported)?)
            }
        };
        self.settle();
        proposed.map_err(|error| self.dropped(&error))
    }

    /// Why a proposal is dropped: raft-rs does not say, but it shows.
    fn dropped(&self, error: &Error) -> Refusal {
        if *error != Error::ProposalDropped {
            return Refusal::Unsupported(error.to_string().into());
        }
        Refusal::Propose(self.reason())
    }

    fn reason(&self) -> ProposeError {
        let raft = &self.raw.raft;
        if raft.state != raft_rs::StateRole::Leader {
            return ProposeError::NoLeader;
        }
        if raft.prs().get(raft.id).is_none() {
            return ProposeError::Removed;
        }
        match raft.lead_transferee.and_then(node) {
            Some(to) => ProposeError::TransferringLeadership { to },
            None => ProposeError::TooMuchUncommitted {
                uncommitted: raft.uncommitted_size() as u64,
                proposed: 0,
                limit: self.config.max_uncommitted_size,
            },
        }
    }

    pub(crate) fn transfer_leadership(&mut self, target: NodeId) {
        self.raw.transfer_leader(target.get());
        self.settle();
    }

    pub(crate) fn read_index(&mut self, context: &Bytes) {
        self.raw.read_index(context.to_vec());
        self.settle();
    }

    pub(crate) fn report_unreachable(&mut self, peer: NodeId) {
        self.raw.report_unreachable(peer.get());
        self.settle();
    }

    pub(crate) fn report_snapshot(&mut self, peer: NodeId, status: raft::SnapshotStatus) {
        let status = match status {
            raft::SnapshotStatus::Finish => SnapshotStatus::Finish,
            raft::SnapshotStatus::Failure => SnapshotStatus::Failure,
        };
        self.raw.report_snapshot(peer.get(), status);
        self.settle();
    }

    pub(crate) fn set_election_timeout(&mut self, ticks: u32) -> Told {
        if ticks < self.config.election_tick {
            return Err(Refusal::Unsupported("raft-rs takes no election timeout below its election_tick".into()));
        }
        self.timeouts.set(&mut self.raw, ticks);
        Ok(())
    }

    pub(crate) fn step(&mut self, message: &Message, rider: Option<&Rider>) -> Told {
        let theirs = match rider {
            Some(rider) => ridden(rider),
            None => message_to_theirs(message),
        };
        let stepped = self.raw.step(theirs.map_err(unsupported)?);
        self.settle();
        stepped.map_err(|error| match error {
            Error::StepPeerNotFound => Refusal::Step(StepError::PeerNotFound(message.from)),
            Error::ProposalDropped => Refusal::Step(StepError::Propose(self.reason())),
            error => Refusal::Unsupported(error.to_string().into()),
        })
    }

    pub(crate) fn has_ready(&self) -> bool {
        self.out.is_none() && self.raw.has_ready()
    }

    /// Takes a Ready. What it asks to be written can be read at once, as raft-rs wants it: what goes on between here and
    /// [`advance`](Self::advance) is what its `advance_append_async` allows.
    pub(crate) fn ready(&mut self) -> Option<Handed> {
        if !self.has_ready() {
            return None;
        }
        let mut theirs = self.raw.ready();
        let handed = self.handed(&mut theirs);
        let Handed { ready, .. } = &handed;
        let restored = ready.snapshot.as_ref().map(|snapshot| snapshot.id.index.0);
        let applied = ready.committed_entries.last().map(|entry| entry.index.0).or(restored);
        self.out = Some(Out { number: theirs.number(), applied });
        self.raw.mut_store().handed =
            shelf::Handed { snapshot: ready.snapshot.clone(), entries: ready.entries.clone() };
        self.raw.advance_append_async(theirs);
        self.settle();
        Some(handed)
    }

    fn handed(&mut self, theirs: &mut raft_rs::Ready) -> Handed {
        let entries = |entries: &[eraftpb::Entry]| {
            let converted = entries.iter().map(entry_to_ours).collect::<Result<Vec<_>, NoCounterpart>>();
            converted.unwrap_or_else(|error| panic!("raft-rs hands out {error}"))
        };
        let mut ready = Ready::default();
        ready.soft_state =
            theirs.ss().map(|state| SoftState { leader: node(state.leader_id), role: role(state.raft_state) });
        ready.hard_state = theirs.hs().map(hard_state_to_ours);
        ready.read_states = theirs
            .take_read_states()
            .into_iter()
            .map(|read| ReadState { index: Index(read.index), context: read.request_ctx.into() })
            .collect();
        ready.entries = entries(theirs.entries());
        ready.snapshot = (!theirs.snapshot().is_empty()).then(|| snapshot_to_ours(theirs.snapshot()));
        ready.committed_entries = entries(theirs.committed_entries());
        ready.must_sync = theirs.must_sync();
        let mut sent = std::mem::take(&mut self.pending);
        let handed_out = theirs.messages().len() + theirs.persisted_messages().len();
        assert_eq!(handed_out, sent.len(), "a Ready of raft-rs hands out every message that was made");
        // raft-rs goes through its members in the order of a hash, which is not the same on every machine. What one of them
        // is sent stays in order.
        sent.sort_by_key(|(message, _)| message.to);
        let riders;
        (ready.messages, riders) = sent.into_iter().unzip();
        Handed { ready, riders }
    }

    /// The Ready that is out is done.
    pub(crate) fn advance(&mut self) {
        let Some(Out { number, applied }) = self.out.take() else { return };
        self.raw.on_persist_ready(number);
        self.raw.mut_store().handed = shelf::Handed::default();
        if let Some(applied) = applied {
            self.raw.advance_apply_to(applied);
        }
        self.settle();
    }

    pub(crate) fn apply_conf_change(&mut self, change: &ConfChangeV2) -> Result<ConfState, ChangeError> {
        let expected = self.configuration.apply(change).map(drop);
        let theirs = v2_to_theirs(change).unwrap_or_else(|error| panic!("raft-rs committed {error}"));
        let applied = self.raw.apply_conf_change(&theirs);
        self.settle();
        match (applied, expected) {
            (Ok(conf_state), _) => Ok(conf_state_to_ours(&conf_state)),
            (Err(_), Err(reason)) => Err(reason),
            (Err(error), Ok(())) => panic!("raft-rs refuses a change that its configuration allows: {error}"),
        }
    }

    pub(crate) fn store(&mut self, change: Stored<'_>) -> bool {
        change.apply_to(&mut self.raw.mut_store().written).is_ok()
    }
}

/// How it shows itself.
impl Live {
    pub(crate) fn status(&self) -> Status {
        let raft = &self.raw.raft;
        let log = &raft.raft_log;
        let view = View {
            hard_state: hard_state_to_ours(&raft.hard_state()),
            soft_state: SoftState { leader: node(raft.leader_id), role: role(raft.state) },
            applied: Index(log.applied),
            last: EntryId::new(Term(log.last_term()), Index(log.last_index())),
        };
        let leads = view.soft_state.role == Role::Leader;
        let lead_transferee = raft.lead_transferee.filter(|_| leads).and_then(node);
        Status { view, lead_transferee, first_index: Index(log.first_index()) }
    }

    pub(crate) const fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    pub(crate) fn storage(&self) -> &MemStorage {
        &self.raw.store().written
    }

    pub(crate) fn entry_term(&self, index: Index) -> Option<Term> {
        let log = &self.raw.raft.raft_log;
        let is_there = index.next().0 >= log.first_index() && index.0 <= log.last_index();
        log.term(index.0).ok().filter(|_| is_there).map(Term)
    }

    pub(crate) fn waiting_reads(&self) -> usize {
        self.raw.raft.pending_read_count()
    }

    pub(crate) fn pending_messages(&self) -> impl Iterator<Item = &Message> {
        self.pending.iter().map(|(message, _)| message)
    }

    pub(crate) fn follower(&self, id: NodeId) -> Option<Follower> {
        let raft = &self.raw.raft;
        raft.prs().get(id.get()).filter(|_| raft.state == raft_rs::StateRole::Leader).map(follower)
    }

    pub(crate) fn followers(&self) -> Vec<(NodeId, Follower)> {
        let raft = &self.raw.raft;
        let leads = raft.state == raft_rs::StateRole::Leader;
        let known = raft.prs().iter().filter(|_| leads);
        let mut known: Vec<(NodeId, Follower)> =
            known.filter_map(|(id, progress)| Some((node(*id)?, follower(progress)))).collect();
        known.sort_by_key(|(id, _)| *id);
        known
    }
}

fn follower(progress: &raft_rs::Progress) -> Follower {
    let state = match progress.state {
        ProgressState::Probe => FollowerState::Probe { paused: progress.paused },
        ProgressState::Replicate => FollowerState::Replicate {
            messages: progress.ins.count(),
            bytes: 0,
            is_full: progress.ins.full(),
            paused: progress.paused,
        },
        ProgressState::Snapshot => FollowerState::Snapshot { pending: Index(progress.pending_snapshot) },
    };
    Follower {
        matched: Index(progress.matched),
        next: Index(progress.next_idx),
        state,
        recent_active: progress.recent_active,
        lacks_acknowledged: false,
        lacks_snapshot: false,
    }
}

fn unsupported(error: NoCounterpart) -> Refusal {
    Refusal::Unsupported(error.to_string().into())
}

/// The draws of election timeouts, from the seed of the node's start.
///
/// raft-rs draws them from the generator of the thread, at every reset of a node: where its term or its role changes. It is
/// given a range that is practically without end, from `election_tick` on. So whenever its timeout is not the one that was set
/// here, it has drawn one (that it draws the very number that was set has a chance of one in 2^62), and before it looks at it, which
/// only a tick does, it is set to a number from `[election_tick, 2 * election_tick)` of the stream.
///
/// Two things differ from raft-rs as others run it: several resets within one call draw one number, and a timeout is drawn when
/// the call is over, not within.
struct Timeouts {
    shortest: usize,
    set: usize,
    /// `None` where every timeout is the shortest.
    stream: Option<ChaCha8Rng>,
}

/// Beyond every timeout that is ever set.
const LONGEST: usize = usize::MAX >> 1;

impl Timeouts {
    fn new(config: &Config) -> Self {
        let seed = config.election_seed.unwrap_or(config.id.get());
        let stream = (!config.fixed_election_timeout).then(|| ChaCha8Rng::seed_from_u64(seed));
        Self { shortest: config.election_tick as usize, set: usize::MAX, stream }
    }

    fn replace(&mut self, raw: &mut RawNode<Shelf>) {
        if raw.raft.randomized_election_timeout() != self.set {
            let shortest = self.shortest as u64;
            let drawn = self.stream.as_mut().map_or(0, |stream| stream.next_u64() % shortest);
            self.set(raw, (shortest + drawn) as u32);
        }
    }

    fn set(&mut self, raw: &mut RawNode<Shelf>, ticks: u32) {
        self.set = ticks as usize;
        raw.raft.set_randomized_election_timeout(self.set);
    }
}

/// Whether raft-rs takes these options together.
pub(crate) fn accepts(config: &Config) -> Result<(), CannotStart> {
    config_to_theirs(config).validate().map_err(|error| CannotStart::Refused(error.to_string()))
}

fn config_to_theirs(config: &Config) -> raft_rs::Config {
    raft_rs::Config {
        id: config.id.get(),
        election_tick: config.election_tick as usize,
        heartbeat_tick: config.heartbeat_tick as usize,
        applied: config.applied.0,
        max_size_per_msg: config.max_size_per_message,
        max_inflight_msgs: config.max_inflight_messages,
        check_quorum: config.check_quorum,
        pre_vote: config.pre_vote,
        min_election_tick: 0,
        max_election_tick: LONGEST,
        read_only_option: match config.read_only_option {
            ReadOnlyOption::Safe => raft_rs::ReadOnlyOption::Safe,
            ReadOnlyOption::LeaseBased => raft_rs::ReadOnlyOption::LeaseBased,
        },
        max_uncommitted_size: config.max_uncommitted_size,
        max_committed_size_per_ready: config.max_committed_size_per_ready,
        batch_append: config.batch_append,
        ..raft_rs::Config::default()
    }
}
