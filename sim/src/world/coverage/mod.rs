//! Notices the named [situations](crate::situation): it looks at the node that an event touches, before and after the
//! event.
//!
//! It knows only what can be seen from outside, and influences nothing. Frequent events are looked at in few steps.
//! What takes longer is done only after something rare: a role changed, a node crashed, a log was cut.

mod crashes;
mod heard;
mod membership;
mod messages;
mod replication;
mod requests;
mod roles;
mod snapshots;

pub(super) use membership::changed as membership_changed;

use raft::node::Arm;
use raft::{EntryId, Index, Message, NodeId, Role, SnapshotStatus, Term};

use self::heard::{Heard, Tracked, tracked};
use super::consensus::Node;
use super::event::Event;
use super::network::{Envelope, Network};
use super::outcome::Refusal;
use super::replica::Replica;
use super::{World, position};
use crate::invariant::View;
use crate::shared::Shared;
use crate::situation::{Situation, Situations};

/// What is remembered of the nodes beyond what the world itself does.
#[derive(Clone, Debug, Default)]
pub(super) struct CoverageRecorder {
    /// Whose clock ticked last, in which step, and how often in a row.
    ticking: (u64, u64, u32),
    /// Node n at position n - 1.
    past: Vec<Past>,
}

/// What is remembered of one node.
#[derive(Clone, Copy, Debug, Default)]
struct Past {
    /// The last term in which it was candidate.
    candidate_in: Term,
    /// The last term in which it led.
    led_in: Term,
    /// While it leads, a bit for each follower whose latest answer to an append was a rejection.
    rejected: u64,
    /// Its commit index and the end of its log when it crashed.
    commit: Index,
    last: EntryId,
    /// Where the snapshot ends that last took the place of its log, if one did since it started.
    installed: Index,
}

/// The state before an event, as far as it matters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before {
    about: About,
    /// The view of the node that the event touches.
    view: View,
    /// The node to which it was handing leadership over.
    transferee: Option<NodeId>,
}

/// What an event is about.
#[derive(Clone, Copy, Debug)]
enum About {
    /// Nothing that has to be looked at.
    Nothing,
    /// Two ends of a link.
    Link { from: NodeId, to: NodeId },
    /// A node that was down.
    Restart { node: NodeId, other_options: bool },
    /// A node that was up.
    Node { node: NodeId, what: What },
}

/// What happens at a node.
#[derive(Clone, Copy, Debug)]
enum What {
    /// A message from another node arrives.
    Message(Heard),
    /// Something that may change its role.
    Other,
    /// A request, a report or an answer that waited in the queue of its loop.
    Request,
    /// Its storage threads or its host answer.
    Stored,
    Tick,
    Ready,
    Proposal,
    Read,
    Transfer(NodeId),
    Campaign,
    ForgetLeader,
    Unreachable(Option<Tracked>, NodeId),
    SnapshotReport(Option<Tracked>, SnapshotStatus),
}

/// The state after an event.
struct Scene<'a> {
    replicas: &'a [Option<Shared<Replica>>],
    network: &'a Network,
    past: &'a mut Vec<Past>,
    situations: &'a mut Situations,
}

/// A node to which something happened: its view before, and the node as it is now.
struct Happened<'a> {
    id: NodeId,
    before: View,
    now: View,
    node: &'a dyn Node,
}

impl Scene<'_> {
    fn note(&mut self, situation: Situation) {
        self.situations.note(situation);
    }

    fn note_if(&mut self, holds: bool, situation: Situation) {
        self.situations.note_if(holds, situation);
    }

    fn past(&mut self, id: NodeId) -> &mut Past {
        let position = position(id).expect("the node exists");
        if self.past.len() <= position {
            self.past.resize(position + 1, Past::default());
        }
        &mut self.past[position]
    }

    fn others(&self, id: NodeId) -> impl Iterator<Item = &Replica> {
        self.replicas.iter().flatten().map(|replica| &**replica).filter(move |replica| replica.id() != id)
    }
}

impl World {
    /// Takes from the state before this event what has to be known later.
    pub(super) fn look(&mut self, event: &Event) -> Before {
        if let Event::Crash { node, .. } = event {
            self.scene().crashes(*node);
        }
        let about = self.about(event);
        let replica = match about {
            About::Node { node, .. } => self.replica(node),
            About::Nothing | About::Link { .. } | About::Restart { .. } => None,
        };
        let Some(replica) = replica else { return Before { about, view: View::default(), transferee: None } };
        let view = *replica.view();
        let leads = view.soft_state.role == Role::Leader;
        let transferee = replica.node().filter(|_| leads).and_then(|node| node.status().lead_transferee);
        Before { about, view, transferee }
    }

    /// What the event is about. An event whose input only joins a queue of a node's loop is about nothing yet.
    fn about(&self, event: &Event) -> About {
        if let Event::Take { node, arm } = event {
            return About::Node { node: *node, what: self.turn(*node, *arm) };
        }
        match self.about_at_once(event) {
            About::Node { node, .. } if self.replica(node).is_some_and(|replica| replica.run_loop().is_some()) => {
                About::Nothing
            }
            about @ (About::Nothing | About::Link { .. } | About::Restart { .. } | About::Node { .. }) => about,
        }
    }

    /// What happens at a node when its loop takes an input.
    fn turn(&self, node: NodeId, arm: Arm) -> What {
        match arm {
            Arm::Proposal => What::Proposal,
            Arm::Tick => What::Tick,
            Arm::Ready => What::Ready,
            Arm::MembershipChange | Arm::Advance => What::Other,
            Arm::Status | Arm::Stop => What::Stored,
            Arm::Message => {
                let run_loop = self.replica(node).and_then(Replica::run_loop);
                match run_loop.and_then(|run_loop| run_loop.next_message()) {
                    Some(message) if message.from != node => What::Message(self.hears(message)),
                    Some(_) => What::Stored,
                    None => What::Request,
                }
            }
        }
    }

    fn hears(&self, message: &Message) -> Heard {
        let known = |id| self.replica(id).and_then(Replica::node);
        Heard::new(message, known(message.from), known(message.to))
    }

    fn about_at_once(&self, event: &Event) -> About {
        let (node, what) = match event {
            Event::Deliver { message } => match self.network.get(*message) {
                Some(Envelope::Network(message)) => (message.to, What::Message(self.hears(message))),
                Some(Envelope::Local { node, .. }) => (*node, What::Stored),
                None => return About::Nothing,
            },
            Event::Tick { node } => (*node, What::Tick),
            Event::Campaign { node } => (*node, What::Campaign),
            Event::Propose { node, .. } | Event::ProposeConfChange { node, .. } => (*node, What::Proposal),
            Event::Invoke { node, operation, .. } => {
                (*node, if operation.is_read() { What::Read } else { What::Proposal })
            }
            Event::TransferLeadership { node, target } => (*node, What::Transfer(*target)),
            Event::ForgetLeader { node } => (*node, What::ForgetLeader),
            Event::ReadIndex { node, .. } => (*node, What::Read),
            Event::ReportUnreachable { node, peer } => (*node, What::Unreachable(self.tracked(*node, *peer), *peer)),
            Event::ReportSnapshot { node, peer, status } => {
                (*node, What::SnapshotReport(self.tracked(*node, *peer), *status))
            }
            Event::TakeReady { node } => (*node, What::Ready),
            Event::Apply { node, .. } | Event::Advance { node } | Event::Retry { node, .. } => (*node, What::Other),
            Event::Restart { node, options, .. } => {
                return About::Restart { node: *node, other_options: options.is_some() };
            }
            Event::Cut { from, to } => return About::Link { from: *from, to: *to },
            Event::Start { .. }
            | Event::Crash { .. }
            | Event::DiskFault { .. }
            | Event::BreakLeases
            | Event::SearchHistories
            | Event::SetElectionTimeout { .. }
            | Event::Write { .. }
            | Event::Sync { .. }
            | Event::SyncDone { .. }
            | Event::Release { .. }
            | Event::Send { .. }
            | Event::TakeSnapshot { .. }
            | Event::Compact { .. }
            | Event::Drop { .. }
            | Event::Duplicate { .. }
            | Event::HealLink { .. }
            | Event::ExpectSettled { .. }
            | Event::ExpectLiveness { .. }
            | Event::Inject { .. }
            | Event::Take { .. } => return About::Nothing,
        };
        About::Node { node, what }
    }

    fn tracked(&self, node: NodeId, peer: NodeId) -> Option<Tracked> {
        self.replica(node).and_then(Replica::node).and_then(|node| tracked(node, peer))
    }

    /// Notes the situations that the event was or led to.
    pub(super) fn record_coverage(&mut self, before: &Before, refused: Option<&Refusal>) {
        if let About::Node { node, what: What::Tick } = before.about {
            self.ticked_in_a_row(node);
        }
        let mut scene = self.scene();
        let (id, what) = match &before.about {
            About::Nothing => return,
            About::Restart { node, other_options } => return scene.restarted(*node, *other_options),
            About::Link { from, to } => return scene.cut(*from, *to),
            About::Node { node, what } => (*node, what),
        };
        let Some(replica) = position(id).and_then(|position| scene.replicas.get(position)?.as_ref()) else { return };
        let Some(node) = replica.node() else {
            return scene.note_if(matches!(what, What::Message(_)), Situation::LostAtDownNode);
        };
        if refused == Some(&Refusal::Lost) {
            return scene.note(Situation::LostAtCut);
        }
        let happened = Happened { id, before: before.view, now: *replica.view(), node };
        match what {
            What::Message(heard) => scene.heard(&happened, heard, refused),
            What::Ready => scene.took_ready(&happened, replica),
            What::Tick => scene.ticked(&happened, before.transferee),
            What::Proposal => scene.proposed(&happened, before.transferee, refused),
            What::Read => scene.read(&happened),
            What::Transfer(target) => scene.transfer(&happened, before.transferee, *target),
            What::Campaign => scene.told_to_campaign(&happened),
            What::ForgetLeader => scene.forgot_leader(&happened),
            What::Unreachable(was, peer) => scene.unreachable(&happened, *was, *peer),
            What::SnapshotReport(was, status) => scene.snapshot_reported(*was, *status),
            What::Stored | What::Request | What::Other => {}
        }
        scene.role_changed(&happened, what);
    }

    fn ticked_in_a_row(&mut self, node: NodeId) {
        const SEVERAL: u32 = 5;
        let (statistics, coverage) = self.tally.parts();
        let (last, step, times) = coverage.ticking;
        let in_a_row = if last == node.get() && step + 1 == self.step { times + 1 } else { 1 };
        coverage.ticking = (node.get(), self.step, in_a_row);
        statistics.situations.note_if(in_a_row == SEVERAL, Situation::ClockCaughtUp);
    }

    fn scene(&mut self) -> Scene<'_> {
        let Self { replicas, network, tally, .. } = self;
        let (statistics, coverage) = tally.parts();
        Scene { replicas, network, past: &mut coverage.past, situations: &mut statistics.situations }
    }
}
