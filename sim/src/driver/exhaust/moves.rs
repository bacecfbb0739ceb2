//! What may happen next, in an order that the state alone decides.

use bytes::Bytes;
use raft::{Change, ChangeKind, ConfChange, ConfChangeV1, ConfChangeV2, NodeId, Transition};

use super::act::{Act, Counts};
use super::bounds::Bounds;
use crate::disk::Keep;
use crate::history::Operation;
use crate::world::{Envelope, Event, MessageId, Replica, ToDo, World};

/// One move: how it begins, what it uses up, and what goes with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Move {
    pub(super) first: Event,
    pub(super) spends: Option<Act>,
    pub(super) then: Then,
}

/// What goes with the beginning of a move.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Then {
    /// Nothing more.
    Nothing,
    /// The host of the node that it touches does all that it does at once.
    Host,
    /// The append thread of this node goes on until it has released the append.
    Append(NodeId),
    /// What this node has applied goes to a new file, in the place of its log.
    Compact(NodeId),
}

/// The moves from a state, when so much has happened.
pub(super) fn moves(bounds: &Bounds, world: &World, spent: Counts) -> Vec<Move> {
    let mut moves = Moves { bounds, world, spent, found: Vec::new() };
    moves.messages();
    for id in bounds.ids() {
        if let Some(replica) = world.replica(id) {
            match replica.is_up() {
                true => moves.of(id, replica),
                false => moves.free(Event::Restart { node: id, options: None, seed: None }),
            }
        }
    }
    moves.found
}

struct Moves<'a> {
    bounds: &'a Bounds,
    world: &'a World,
    spent: Counts,
    found: Vec<Move>,
}

impl Moves<'_> {
    fn may(&self, act: Act) -> bool {
        self.spent.of(act) < self.bounds.most.of(act)
    }

    fn add(&mut self, first: Event, spends: Option<Act>, then: Then) {
        let then = if self.bounds.host_steps && then == Then::Host { Then::Nothing } else { then };
        self.found.push(Move { first, spends, then });
    }

    fn free(&mut self, first: Event) {
        self.add(first, None, Then::Host);
    }

    fn costs(&mut self, act: Act, first: Event) {
        self.add(first, Some(act), Then::Host);
    }

    /// Of messages that are equal one is enough.
    fn messages(&mut self) {
        let in_flight: Vec<(MessageId, &Envelope)> = self.world.network().iter().collect();
        for (position, (message, envelope)) in in_flight.iter().enumerate() {
            if in_flight[..position].iter().any(|(_, other)| other == envelope) {
                continue;
            }
            let message = *message;
            if self.world.replica(envelope.to()).is_some_and(Replica::is_up) {
                self.free(Event::Deliver { message });
            }
            if envelope.is_local() {
                continue;
            }
            if self.may(Act::Lose) {
                self.costs(Act::Lose, Event::Drop { message });
            }
            if self.may(Act::Duplicate) {
                self.costs(Act::Duplicate, Event::Duplicate { message });
            }
        }
    }

    /// What may happen at a node that is up.
    fn of(&mut self, node: NodeId, replica: &Replica) {
        self.host(node, replica);
        if self.may(Act::Campaign) {
            self.costs(Act::Campaign, Event::Campaign { node });
        }
        if self.may(Act::Tick) {
            self.costs(Act::Tick, Event::Tick { node });
        }
        if self.may(Act::Propose) {
            self.costs(Act::Propose, self.proposal(node));
        }
        if self.may(Act::Read) {
            self.costs(Act::Read, self.read(node));
        }
        if self.may(Act::Change) {
            for change in changes(self.bounds, replica) {
                self.costs(Act::Change, Event::ProposeConfChange { node, change });
            }
        }
        if self.may(Act::Transfer) {
            for target in self.bounds.ids().filter(|target| *target != node) {
                self.costs(Act::Transfer, Event::TransferLeadership { node, target });
            }
        }
        if self.may(Act::Snapshot) {
            self.add(Event::TakeSnapshot { node }, Some(Act::Snapshot), Then::Compact(node));
        }
        if self.may(Act::Crash) {
            let pending = replica.disk().pending() > 0;
            let keeps = [Keep::All, Keep::Nothing].into_iter().take(1 + usize::from(pending));
            keeps.for_each(|keep| self.costs(Act::Crash, Event::Crash { node, keep }));
        }
    }

    /// Proposals are told apart by their number.
    fn proposal(&self, node: NodeId) -> Event {
        let number = self.spent.of(Act::Propose) + 1;
        let data = Bytes::from(format!("p{number}"));
        match self.bounds.clients {
            true => Event::Invoke {
                client: u64::from(number - 1),
                node,
                operation: Operation::Write { key: 0, value: data },
            },
            false => Event::Propose { node, data },
        }
    }

    /// Clients who read are others than those who write.
    fn read(&self, node: NodeId) -> Event {
        let number = self.spent.of(Act::Read) + 1;
        match self.bounds.clients {
            true => {
                let client = u64::from(self.bounds.most.of(Act::Propose) + number - 1);
                Event::Invoke { client, node, operation: Operation::Read { key: 0 } }
            }
            false => Event::ReadIndex { node, context: Bytes::from(format!("r{number}")) },
        }
    }

    /// What the host of a node, or its storage threads, may do next by themselves.
    fn host(&mut self, node: NodeId, replica: &Replica) {
        let to_do = replica.to_do();
        if self.bounds.host_steps {
            self.steps(node, to_do);
            return;
        }
        // With synchronous writes the host has done all of it already.
        if let Some(first) = next_of_append(to_do, node) {
            self.add(first, None, Then::Append(node));
        }
        if to_do.apply {
            self.free(Event::Apply { node, entries: u32::MAX });
        }
    }

    fn steps(&mut self, node: NodeId, to_do: ToDo) {
        let steps = [
            (to_do.ready, Event::TakeReady { node }),
            (to_do.write, Event::Write { node }),
            (to_do.sync, Event::Sync { node }),
            (to_do.sync_done, Event::SyncDone { node }),
            (to_do.release, Event::Release { node }),
            (to_do.send, Event::Send { node }),
            (to_do.apply, Event::Apply { node, entries: u32::MAX }),
            (to_do.advance, Event::Advance { node }),
        ];
        steps.into_iter().filter(|(fits, _)| *fits).for_each(|(_, step)| self.free(step));
    }
}

/// What the host of a node does next of that which it does at once.
pub(super) fn next_at_once(to_do: ToDo, node: NodeId, asynchronous: bool) -> Option<Event> {
    let threads_do_the_rest = ToDo { ready: to_do.ready, send: to_do.send, ..ToDo::default() };
    let at_once = if asynchronous { threads_do_the_rest } else { to_do };
    at_once.next_event(node, u32::MAX)
}

/// What the append thread of a node does next.
pub(super) fn next_of_append(to_do: ToDo, node: NodeId) -> Option<Event> {
    let stages = [
        (to_do.release, Event::Release { node }),
        (to_do.sync_done, Event::SyncDone { node }),
        (to_do.sync, Event::Sync { node }),
        (to_do.write, Event::Write { node }),
    ];
    stages.into_iter().find_map(|(fits, event)| fits.then_some(event))
}

/// The changes that lead from the membership that a node knows to another one: each by one node or, where changes are joint,
/// an exchange of one for another.
fn changes(bounds: &Bounds, replica: &Replica) -> Vec<ConfChange> {
    let Some(members) = replica.node().map(|node| node.configuration()) else { return Vec::new() };
    let single = |node: NodeId| match (members.is_voter(node), members.is_learner(node)) {
        (true, _) => vec![ChangeKind::Remove, ChangeKind::AddLearner],
        (false, true) => vec![ChangeKind::Remove, ChangeKind::AddVoter],
        (false, false) => vec![ChangeKind::AddVoter, ChangeKind::AddLearner],
    };
    let steps: Vec<Change> = bounds
        .ids()
        .flat_map(|node| single(node).into_iter().map(move |kind| Change { kind, node: Some(node) }))
        .collect();
    if !bounds.joint {
        return steps.into_iter().map(|change| ConfChangeV1 { change, context: Bytes::new() }.into()).collect();
    }
    let of = |kind: ChangeKind| steps.iter().filter(move |step| step.kind == kind);
    let exchanges =
        of(ChangeKind::AddVoter).flat_map(|joins| of(ChangeKind::Remove).map(|leaves| vec![*joins, *leaves]));
    let alone = steps.iter().map(|step| vec![*step]);
    let all = alone.chain(exchanges.filter(|pair| pair[0].node != pair[1].node));
    all.map(|steps| ConfChangeV2::new(Transition::Implicit, steps).into()).collect()
}
