//! A cluster as one deterministic value: nodes with their disks, messages in flight, and the checks of every property.
//!
//! [`World::apply`] is the only door: a *driver* chooses an [`Event`], the world does it and checks. There is no clock, no
//! thread and no randomness inside but each node's own election timeouts, whose seed is in the event that starts the
//! node. So a run is the list of its events: it can be recorded, replayed, cut short and looked at.
//!
//! ```
//! use raft::NodeId;
//! use sim::world::{Boot, Event, Halt, NodeOptions, World};
//!
//! let node = NodeId::new(1).expect("not zero");
//! let mut world = World::new();
//! let (boot, options) = (Boot::Peers(vec![node]), NodeOptions::default());
//! world.apply(&Event::Start { node, boot, options, seed: Some(7) })?;
//! world.apply(&Event::TakeReady { node })?;
//! while world.replica(node).is_some_and(|replica| replica.to_do().write) {
//!     world.apply(&Event::Write { node })?;
//! }
//! // The log is written, but not durable. To hand the Ready back would be too early, and changes nothing:
//! assert!(matches!(world.apply(&Event::Advance { node }), Err(Halt::Inapplicable(_))));
//! world.apply(&Event::Sync { node })?;
//! world.apply(&Event::SyncDone { node })?;
//! # Ok::<(), Halt>(())
//! ```

mod appender;
mod client;
mod client_seam;
pub mod consensus;
mod coverage;
mod differences;
mod digest;
mod event;
mod excuse;
mod foreign;
mod hosted;
mod key_value;
mod log;
mod losses;
mod network;
mod options;
mod outcome;
mod property;
mod replica;
mod settled;
mod setup;
mod state;
mod state_machine;
mod statistics;
mod tally;

pub use appender::Appender;
pub use client::Clients;
pub use client_seam::Client;
pub use digest::Digest;
pub use event::{Event, EventKind, MessageId, Subject};
pub use excuse::Excuse;
pub use key_value::KeyValue;
pub use log::{CloneLog, Log, LogContents, ProjectLog};
pub use network::{Envelope, LocalMessage, Network};
pub use options::{ApplicationKind, Boot, Front, NodeOptions, SeldomOn};
pub use outcome::{Completion, Halt, Inapplicable, Outcome, Refusal};
pub use property::{CloneProperty, Contradiction, Property, Seen};
pub use replica::{Replica, ToDo};
pub use settled::Unsettled;
pub use setup::Setup;
pub use state::StateHash;
pub use state_machine::StateMachine;
pub use statistics::Statistics;

use raft::node::Arm;
use raft::{Body, Index, NodeId, ReadOnlyOption, Role, StepError};

use self::foreign::Unchecked;
use self::losses::Losses;
use self::replica::{Step, Surroundings, is_from_another};
use self::tally::Counted;
pub(crate) use self::tally::Tally;
use crate::invariant::{Check, Checkers, Invariant};
use crate::shared::Shared;
use crate::situation::Situation;

/// The cluster and everything around it.
///
/// Cloning is cheap: payloads are shared. To explore an alternative is to clone and go on.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// Node n at position n - 1.
    replicas: Vec<Option<Shared<Replica>>>,
    network: Network,
    losses: Losses,
    checkers: Checkers,
    clients: Shared<Clients>,
    /// Stands in for the checkers and clients at nodes with the log of another cluster.
    unchecked: Shared<Unchecked>,
    /// Whether some node serves reads by a lease that check-quorum gives.
    has_leases: bool,
    /// Whether leases need not hold.
    leases_broken: bool,
    tally: Tally,
    digest: Digest,
    step: u64,
    /// What a user has brought.
    setup: Setup,
    /// Of that, what is checked as well.
    properties: Vec<Box<dyn Property>>,
}

impl World {
    /// The largest identity of a node.
    pub const MAX_NODES: u64 = 63;

    /// With this many messages in flight, none can be doubled or made up.
    pub const MOST_IN_FLIGHT: usize = 100_000;

    /// The largest index at which a node can start from a snapshot: there is room for all that may follow.
    pub const MOST_FIRST_INDEX: Index = Index(1_000_000_000_000_000_000);

    /// A world without nodes.
    pub fn new() -> Self {
        Self::default()
    }

    /// A world without nodes, made of what a user brings.
    ///
    /// ```
    /// use sim::world::{Appender, Setup, World};
    /// assert!(World::with(Setup::new().application(Appender::default())).has_own_application());
    /// ```
    pub fn with(mut setup: Setup) -> Self {
        let properties = std::mem::take(&mut setup.properties);
        let unchecked = setup.engine.as_ref().map_or(&[][..], |engine| engine.supports().unchecked);
        let checkers = Checkers::without(unchecked);
        Self { properties, checkers, clients: Shared::new(Clients::of(&setup)), setup, ..Self::default() }
    }

    /// A world without nodes that checks nothing: for scripts that show what a node does when it is told what no correct
    /// node would tell it, or is started again from what no correct host would have stored.
    pub fn unchecked() -> Self {
        Self { checkers: Checkers::off(), clients: Shared::new(Clients::unchecked()), ..Self::default() }
    }

    /// A world without nodes that checks one property, or none, and keeps only what that check needs: for measuring
    /// what the check costs.
    pub fn watching(invariant: Option<Invariant>) -> Self {
        let clients = match invariant {
            Some(Invariant::Linearizability) => Clients::default(),
            Some(_) | None => Clients::unchecked(),
        };
        Self { checkers: Checkers::only(invariant), clients: Shared::new(clients), ..Self::default() }
    }

    /// Does what the event says and checks every property that it could break.
    ///
    /// # Errors
    /// [`Halt::Inapplicable`] where the event does not fit the state; nothing has changed then. [`Halt::Violation`] where a
    /// property does not hold, with the number of this event; the world is not to be used further.
    pub fn apply(&mut self, event: &Event) -> Result<Outcome, Halt> {
        let first_sent = self.network.next_id();
        let before = self.look(event);
        let (node, refused) = match self.dispatch(event) {
            Ok(done) => done,
            Err(Halt::Violation(violation)) => {
                return Err(Halt::Violation(self.with_difference(violation).at(self.step)));
            }
            Err(reason @ Halt::Inapplicable(_)) => return Err(reason),
        };
        if let (Some(node), Some(_)) = (node, &refused) {
            self.checkers_of(node).refused(node);
        }
        self.count(event, refused.as_ref());
        self.observe(event, node)?;
        self.check_properties(event, node)?;
        self.record_coverage(&before, refused.as_ref());
        self.step += 1;
        let completed = Clients::take_completed(&mut self.clients);
        Ok(Outcome { node, sent: first_sent..self.network.next_id(), refused, completed })
    }

    /// How many events have been applied. A violation names the event by the count before it.
    pub const fn step(&self) -> u64 {
        self.step
    }

    /// A hash of all events so far and of what they led to.
    pub const fn digest(&self) -> u64 {
        self.digest.get()
    }

    /// What happened, counted.
    pub fn statistics(&self) -> &Statistics {
        self.tally.statistics()
    }

    /// Counts here from now on what happens. What was counted is there instead.
    pub(crate) const fn swap_tally(&mut self, other: &mut Tally) {
        std::mem::swap(&mut self.tally, other);
    }

    /// What the clients wait for.
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// The messages in flight, and the links.
    pub const fn network(&self) -> &Network {
        &self.network
    }

    /// The node with this identity, if it ever started.
    pub fn replica(&self, id: NodeId) -> Option<&Replica> {
        self.replicas.get(position(id)?)?.as_deref()
    }

    /// All nodes that ever started, by identity.
    pub fn replicas(&self) -> impl Iterator<Item = &Replica> {
        self.replicas.iter().flatten().map(|replica| &**replica)
    }

    /// Those of them that did not begin with the log of [another cluster](Boot::Foreign).
    pub fn native_replicas(&self) -> impl Iterator<Item = &Replica> {
        self.replicas().filter(|replica| !replica.is_foreign())
    }

    /// The leader of the highest term among the nodes that are up, as far as can be seen from outside.
    pub fn leader(&self) -> Option<&Replica> {
        // A node that is down has the view of a follower.
        let leaders = self.native_replicas().filter(|replica| replica.view().soft_state.role == Role::Leader);
        leaders.max_by_key(|replica| replica.view().hard_state.term)
    }

    /// The node whose loop has no room for this message, if the message has to wait for that.
    pub fn waits_for_room(&self, message: MessageId) -> Option<NodeId> {
        let envelope = self.network.get(message)?;
        let to = envelope.to();
        self.replica(to).filter(|replica| !replica.has_room_for(envelope)).map(|_| to)
    }

    fn dispatch(&mut self, event: &Event) -> Result<(Option<NodeId>, Option<Refusal>), Halt> {
        match event {
            Event::Start { node, boot, options, seed } => self.start(*node, boot, options, *seed),
            Event::Crash { node, keep } => self.at(*node, |replica, around| replica.crash(*keep, around)),
            Event::Restart { node, options, seed } => {
                self.has_leases |= options.as_ref().is_some_and(serves_by_lease);
                self.at(*node, |replica, around| replica.restart(options.as_ref(), *seed, around))
            }
            Event::DiskFault { node, fault } => self.at(*node, |replica, around| replica.disk_fault(*fault, around)),
            Event::Tick { node } => self.tick(*node),
            Event::Campaign { node } => self.at(*node, |replica, around| replica.campaign(around)),
            Event::Propose { node, data } => self.at(*node, |replica, _| replica.propose(data)),
            Event::ProposeConfChange { node, change } => {
                self.at(*node, |replica, _| replica.propose_conf_change(change))
            }
            Event::TransferLeadership { node, target } => {
                self.at(*node, |replica, around| replica.transfer_leadership(*target, around))
            }
            Event::ForgetLeader { node } => self.at(*node, |replica, _| replica.forget_leader()),
            Event::ReadIndex { node, context } => {
                self.asked(*node, |replica, around| replica.read_index(context, around))
            }
            Event::Invoke { client, node, operation } => {
                self.asked(*node, |replica, around| replica.invoke(*client, operation, around))
            }
            Event::Retry { client, node } => self.asked(*node, |replica, around| replica.retry(*client, around)),
            Event::BreakLeases => {
                self.leases_broken = true;
                Ok((None, None))
            }
            Event::SearchHistories => {
                self.clients.search_all()?;
                Ok((None, None))
            }
            Event::ReportUnreachable { node, peer } => {
                self.at(*node, |replica, around| replica.report_unreachable(*peer, around))
            }
            Event::ReportSnapshot { node, peer, status } => {
                self.at(*node, |replica, around| replica.report_snapshot(*peer, *status, around))
            }
            Event::SetElectionTimeout { node, ticks } => {
                self.checkers_of(*node).campaign_requested(*node);
                self.at(*node, |replica, _| replica.set_election_timeout(*ticks))
            }
            Event::TakeReady { node } => self.at(*node, Replica::take_ready),
            Event::Write { node } => self.at(*node, Replica::write),
            Event::Sync { node } => self.at(*node, Replica::sync),
            Event::SyncDone { node } => self.at(*node, Replica::sync_done),
            Event::Release { node } => self.at(*node, Replica::release),
            Event::Send { node } => self.at(*node, Replica::send),
            Event::Apply { node, entries } => self.at(*node, |replica, around| replica.apply(*entries, around)),
            Event::Advance { node } => self.at(*node, |replica, _| replica.advance()),
            Event::TakeSnapshot { node } => self.at(*node, Replica::take_snapshot),
            Event::Compact { node, index } => self.at(*node, |replica, _| replica.compact(*index)),
            Event::Deliver { message } => self.deliver(*message),
            Event::Drop { message } => self.drop(*message),
            Event::Duplicate { message } => self.duplicate(*message),
            Event::Cut { from, to } => self.set_cut(*from, *to, true),
            Event::HealLink { from, to } => self.set_cut(*from, *to, false),
            Event::ExpectSettled { written, reads } => {
                self.check_settled(*written, *reads)?;
                Ok((None, None))
            }
            // A driver has found out that it holds: see `Event::ExpectLiveness`.
            Event::ExpectLiveness { .. } => Ok((None, None)),
            Event::Inject { message } => self.inject(message),
            Event::Take { node, arm } => self.take(*node, *arm),
        }
    }

    /// Lets something happen at a node.
    fn at(
        &mut self,
        node: NodeId,
        happen: impl FnOnce(&mut Replica, &mut Surroundings<'_>) -> Step,
    ) -> Result<(Option<NodeId>, Option<Refusal>), Halt> {
        let (replica, mut around) = self.split(node);
        let refused = happen(replica.ok_or(Inapplicable::NoSuchNode(node))?, &mut around)?;
        Ok((Some(node), refused))
    }

    /// Lets a client ask a node of this cluster. Clients ask nothing of a node with the log of another one.
    fn asked(
        &mut self,
        node: NodeId,
        happen: impl FnOnce(&mut Replica, &mut Surroundings<'_>) -> Step,
    ) -> Result<(Option<NodeId>, Option<Refusal>), Halt> {
        if self.is_foreign(node) { Err(Inapplicable::Foreign(node).into()) } else { self.at(node, happen) }
    }

    /// A node, and what it may use of the world around it.
    fn split(&mut self, node: NodeId) -> (Option<&mut Replica>, Surroundings<'_>) {
        let is_foreign = self.is_foreign(node);
        self.split_for(node, is_foreign)
    }

    /// The same. `is_foreign` says whether the node has, or is about to have, the log of another cluster.
    fn split_for(&mut self, node: NodeId, is_foreign: bool) -> (Option<&mut Replica>, Surroundings<'_>) {
        let stale_reads_excused = self.has_leases && self.leases_broken;
        let Self { replicas, network, checkers, clients, unchecked, tally, setup, step, .. } = self;
        let Counted { statistics, .. } = tally.counted();
        let replica = position(node).and_then(|position| replicas.get_mut(position)).and_then(Option::as_deref_mut);
        let (checkers, clients) = match is_foreign {
            true => {
                let Unchecked { checkers, clients } = &mut **unchecked;
                (checkers, clients)
            }
            false => (checkers, clients),
        };
        let step = *step;
        (replica, Surroundings { checkers, network, clients, statistics, setup, step, stale_reads_excused })
    }

    fn start(
        &mut self,
        node: NodeId,
        boot: &Boot,
        options: &NodeOptions,
        seed: Option<u64>,
    ) -> Result<(Option<NodeId>, Option<Refusal>), Halt> {
        let position = position(node).ok_or(Inapplicable::NodeOutOfRange(node))?;
        let (replica, mut around) = self.split_for(node, boot.is_foreign());
        if replica.is_some() {
            return Err(Inapplicable::NodeExists(node).into());
        }
        if let Some(index) = boot.snapshot_index().filter(|index| *index > Self::MOST_FIRST_INDEX) {
            return Err(Inapplicable::BootIndex(node, index).into());
        }
        if !boot.makes_sense_for(node) {
            return Err(Inapplicable::ForeignLog(node).into());
        }
        let replica = Replica::start(node, boot, options, seed, &mut around)?;
        self.has_leases |= serves_by_lease(options);
        if position >= self.replicas.len() {
            self.replicas.resize_with(position + 1, || None);
        }
        self.replicas[position] = Some(Shared::new(replica));
        if boot.is_foreign() {
            self.checkers.has_foreign_log(node);
        }
        Ok((Some(node), None))
    }

    fn tick(&mut self, node: NodeId) -> Result<(Option<NodeId>, Option<Refusal>), Halt> {
        let ended = self.at(node, |replica, _| replica.tick())?;
        self.network.tick();
        if self.replica(node).is_some_and(|replica| replica.run_loop().is_none()) {
            self.ticked(node)?;
        }
        Ok(ended)
    }

    /// A node's loop takes its next input.
    fn take(&mut self, node: NodeId, arm: Arm) -> Result<(Option<NodeId>, Option<Refusal>), Halt> {
        let ended = self.at(node, |replica, around| replica.take(arm, around))?;
        if arm == Arm::Tick {
            self.ticked(node)?;
        }
        Ok(ended)
    }

    /// A tick has reached a node.
    fn ticked(&mut self, node: NodeId) -> Check {
        let leader = self.replica(node).filter(|replica| replica.view().soft_state.role == Role::Leader);
        let transferee = leader.and_then(Replica::node).and_then(|node| node.status().lead_transferee);
        self.checkers_of(node).ticked(node, transferee)
    }

    fn deliver(&mut self, message: MessageId) -> Result<(Option<NodeId>, Option<Refusal>), Halt> {
        if let Some(busy) = self.waits_for_room(message) {
            return Err(Inapplicable::NotNow(busy, "has no room for the message").into());
        }
        let age = self.network.age(message);
        let rider = self.network.rider(message);
        let envelope = self.network.take(message)?;
        let cut = match &envelope {
            Envelope::Network(message) => self.network.is_cut(message.from, message.to),
            Envelope::Local { .. } => false,
        };
        let to = envelope.to();
        if let Envelope::Network(message) = &envelope
            && !cut
        {
            self.note_if_late(to, message, age);
        }
        if let Envelope::Local { message: LocalMessage::Own(message), .. } = &envelope
            && message.body == Body::TransferLeader
        {
            self.checkers_of(to).transfer_requested(to, message.from);
        }
        match self.split(to) {
            (Some(replica), mut around) if replica.is_up() && !cut => {
                // What joins a queue is received when the loop takes it.
                if let Some(message) = envelope.message().filter(|message| is_from_another(message))
                    && replica.run_loop().is_none()
                {
                    around.checkers.received(message);
                }
                let stable = match &envelope {
                    Envelope::Network(_) => None,
                    Envelope::Local { message, .. } => message.stable(),
                };
                let refused = replica.receive(envelope, rider, &mut around)?;
                if let (Some(index), Some(node)) = (stable, replica.node()) {
                    around.checkers.shows(to, index, node.entry_term(index))?;
                }
                Ok((Some(to), refused))
            }
            (Some(_) | None, _) => Ok((None, Some(Refusal::Lost))),
        }
    }

    fn drop(&mut self, message: MessageId) -> Result<(Option<NodeId>, Option<Refusal>), Halt> {
        self.losses.note(self.network.remote(message)?, self.network.now());
        self.network.take(message)?;
        Ok((None, None))
    }

    fn duplicate(&mut self, message: MessageId) -> Result<(Option<NodeId>, Option<Refusal>), Halt> {
        let copy = self.network.remote(message)?.clone();
        self.has_room_in_flight()?;
        let rider = self.network.rider(message);
        self.network.put_with(Envelope::Network(copy), rider);
        Ok((None, None))
    }

    fn inject(&mut self, message: &raft::Message) -> Result<(Option<NodeId>, Option<Refusal>), Halt> {
        self.has_room_in_flight()?;
        self.network.put(Envelope::Network(message.clone()));
        Ok((None, None))
    }

    /// The number of messages that no node sent is bounded.
    fn has_room_in_flight(&self) -> Result<(), Inapplicable> {
        match self.network.in_flight() < Self::MOST_IN_FLIGHT {
            true => Ok(()),
            false => Err(Inapplicable::TooManyInFlight),
        }
    }

    fn set_cut(&mut self, from: NodeId, to: NodeId, cut: bool) -> Result<(Option<NodeId>, Option<Refusal>), Halt> {
        for end in [from, to] {
            position(end).ok_or(Inapplicable::NodeOutOfRange(end))?;
        }
        self.network.set_cut(from, to, cut);
        Ok((None, None))
    }

    fn count(&mut self, event: &Event, refused: Option<&Refusal>) {
        let Counted { statistics, .. } = self.tally.counted();
        statistics.count(event);
        match refused {
            None => statistics.delivered += u64::from(event.kind() == EventKind::Deliver),
            Some(Refusal::Lost) => statistics.lost += 1,
            Some(Refusal::Step(error)) => {
                statistics.messages_refused += 1;
                statistics.messages_malformed += u64::from(matches!(error, StepError::Malformed(_)));
            }
            Some(Refusal::Propose(_)) => statistics.proposals_dropped += 1,
            Some(Refusal::Full) => {
                statistics.turned_away += 1;
                statistics.situations.note(Situation::QueueFull);
            }
            Some(Refusal::Disk(_)) => statistics.disks_failed += 1,
            Some(Refusal::Recovery(_)) => statistics.recoveries_refused += 1,
            Some(Refusal::Change(_) | Refusal::Undecodable(_) | Refusal::Unsupported(_)) => {}
        }
    }

    /// Looks at the node that the event touched, and adds the event and its effect to the digest.
    fn observe(&mut self, event: &Event, node: Option<NodeId>) -> Result<(), Halt> {
        let step = self.step;
        let view = match node {
            None => None,
            Some(node) => {
                let (replica, mut around) = self.split(node);
                let replica = replica.ok_or(Inapplicable::NoSuchNode(node))?;
                let at_step = |halt| match halt {
                    Halt::Violation(violation) => Halt::Violation(violation.at(step)),
                    Halt::Inapplicable(reason) => Halt::Inapplicable(reason),
                };
                let view = replica.observe(event, &mut around).map_err(at_step)?;
                let looped = replica.loop_view().copied();
                if event.hands_out_ready(looped.is_some()) {
                    replica.observe_progress(None, &mut around).map_err(at_step)?;
                }
                Some((view, looped))
            }
        };
        self.digest.value(event);
        if let Some((view, looped)) = view {
            self.digest.value(&(view.hard_state, view.soft_state, view.applied, view.last));
            if let Some(looped) = looped {
                self.digest.value(&looped);
            }
        }
        self.digest.word(self.network.next_id());
        Ok(())
    }
}

/// The position of the node with this identity in a list of all that can exist.
fn position(id: NodeId) -> Option<usize> {
    (id.get() <= World::MAX_NODES).then(|| usize::try_from(id.get() - 1).ok()).flatten()
}

fn serves_by_lease(options: &NodeOptions) -> bool {
    options.read_only_option == ReadOnlyOption::LeaseBased && options.check_quorum
}
