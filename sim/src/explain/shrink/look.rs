//! Where to look in the recording of a cluster that does not converge, if no liveness phase shows the same.
//!
//! Nothing can be taken out of such a recording, because all of it is needed to show that there was time enough. But
//! most of it only shows that nothing happens. What counts is the step since which something is missing.

use std::fmt;

use raft::{ConfState, NodeId, VoteResult};

use super::stall::linked_with;
use crate::driver::apply;
use crate::invariant::words;
use crate::world::{Event, Replica, World};

/// What is missing and since which step, the earliest first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Look {
    facts: Vec<(u64, String)>,
    /// How many events do not fit, because the code has changed since they were recorded.
    inapplicable: u64,
}

impl Look {
    /// The step to look at, by the count of the events before it.
    pub fn step(&self) -> u64 {
        self.facts.first().map_or(0, |(step, _)| *step)
    }

    /// Where to look in these events.
    pub(super) fn at(start: &World, events: &[Event]) -> Self {
        let (mut since, mut inapplicable) = (Since::default(), 0);
        let mut world = start.clone();
        for (step, event) in (0..).zip(&events[..events.len().saturating_sub(1)]) {
            // What no longer fits changes nothing.
            inapplicable += u64::from(apply(&mut world, event).is_err());
            since.note(step, event, &world);
        }
        Self { facts: since.facts(&world), inapplicable }
    }
}

impl fmt::Display for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = self.step();
        write!(f, "look at step {step} (sim show FILE --from {})", step.saturating_sub(20))?;
        self.facts.iter().try_for_each(|(step, what)| write!(f, "; since step {step} {what}"))?;
        match self.inapplicable {
            0 => Ok(()),
            inapplicable => {
                write!(f, "; but {inapplicable} of the events do not fit any more, since the code has changed")
            }
        }
    }
}

/// The steps since which each of these conditions has held without a break.
#[derive(Default)]
struct Since {
    leaderless: Option<u64>,
    without_quorum: Option<u64>,
    faults_ended: Option<u64>,
    restless: Option<u64>,
}

impl Since {
    fn note(&mut self, step: u64, event: &Event, world: &World) {
        let set = |since: &mut Option<u64>, holds: bool| *since = holds.then(|| since.unwrap_or(step));
        set(&mut self.leaderless, world.leader().is_none());
        set(&mut self.without_quorum, quorum(world).is_none());
        set(&mut self.restless, world.unsettled().is_some());
        if *event == Event::SearchHistories {
            self.faults_ended = Some(step);
        }
    }

    fn facts(&self, end: &World) -> Vec<(u64, String)> {
        let down: Vec<NodeId> = end.replicas().filter(|replica| !replica.is_up()).map(Replica::id).collect();
        let members = newest(end).map_or(String::new(), |members| words::members(&members));
        let no_quorum =
            format!("no quorum of the members {members} is up and linked: {} are down", words::nodes(&down));
        let facts = [
            (self.leaderless, "nobody leads".to_owned()),
            (self.without_quorum, no_quorum),
            (self.restless.filter(|_| self.leaderless.is_none()), "the cluster has not converged".to_owned()),
        ];
        let mut facts: Vec<(u64, String)> =
            facts.into_iter().filter_map(|(since, what)| Some((since?, what))).collect();
        facts.sort_by_key(|(step, _)| *step);
        // What is missing comes first. The end of faults comes last.
        facts.extend(self.faults_ended.map(|step| (step, "faults are over".to_owned())));
        facts
    }
}

/// The newest membership that somebody who is up has applied.
fn newest(world: &World) -> Option<ConfState> {
    let up = world.native_replicas().filter(|replica| replica.is_up());
    let node = up.max_by_key(|replica| replica.view().applied)?.node()?;
    Some(node.configuration().conf_state())
}

/// `Some` if nodes that hear each other are a quorum of the newest membership.
fn quorum(world: &World) -> Option<()> {
    let up = || world.native_replicas().filter(|replica| replica.is_up());
    let voters = up().max_by_key(|replica| replica.view().applied)?.node()?.configuration().voters();
    let decides = |core: &std::collections::BTreeSet<NodeId>| {
        voters.vote_result(|voter| Some(core.contains(&voter))) == VoteResult::Won
    };
    up().any(|first| decides(&linked_with(first, world))).then_some(())
}

#[cfg(test)]
mod tests {
    use raft::Index;

    use super::*;
    use crate::disk::Keep;
    use crate::world::{Boot, NodeOptions};

    /// A leader of three, and then two of them go down: the step of the second crash is the one to look at.
    #[test]
    fn the_step_that_took_the_quorum_is_the_one_to_look_at() {
        let id = |number| NodeId::new(number).expect("not zero");
        let conf_state = ConfState { voters: (1..=3).map(id).collect(), ..ConfState::default() };
        let boot = Boot::Snapshot { index: Index(1), conf_state };
        let start = |node| Event::Start { node, boot: boot.clone(), options: NodeOptions::default(), seed: None };
        let mut events: Vec<Event> = (1..=3).map(id).map(start).collect();
        let mut world = World::new();
        events.iter().for_each(|event| drop(apply(&mut world, event).expect("nodes start")));
        let mut happen = |event: Event| {
            apply(&mut world, &event).expect("it fits");
            events.push(event);
            (1..=3).filter_map(|number| world.replica(id(number))?.to_do().next_event(id(number), 9)).next().or_else(
                || {
                    let (message, _) = world.network().iter().next()?;
                    Some(Event::Deliver { message })
                },
            )
        };
        let mut next = happen(Event::Campaign { node: id(1) });
        while let Some(event) = next {
            next = happen(event);
        }
        happen(Event::SearchHistories);
        for node in [2, 3] {
            happen(Event::Crash { node: id(node), keep: Keep::All });
        }
        let (last_crash, tick) = (events.len() as u64 - 1, Event::Tick { node: id(1) });
        events.extend([tick.clone(), tick, Event::ExpectSettled { written: None, reads: 0 }]);
        let look = Look::at(&World::new(), &events);
        assert_eq!(look.step(), last_crash, "{look}");
        let missing = format!(
            "since step {last_crash} no quorum of the members (voters 1, 2, 3) is up and linked: (2, 3) are down"
        );
        assert!(look.to_string().contains(&missing), "{look}");
    }
}
