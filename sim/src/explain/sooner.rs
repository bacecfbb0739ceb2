//! A shorter run of the plan of a recording, that fails in the same way.
//!
//! If all of a recording is needed to show that a cluster does not converge, nothing can be taken out of it. But the
//! same plan with fewer events before faults end is a recording of its own, and often fails as well.

use crate::driver::swarm::run_to_end_in;
use crate::plan::Plan;
use crate::planted;
use crate::trace::{Failure, Header, Trace};
use crate::world::World;

/// Runs the plan of a trace with some tens of smaller numbers of events. Returns the shortest run that fails in the
/// same way with fewer events than the trace has. The planted bug that the trace names is switched on meanwhile.
///
/// `None` as well if the trace holds no plan, as a shrunk one does not, or needs a planted bug that this build does not
/// have.
pub fn fails_sooner(trace: &Trace) -> Option<Trace> {
    fails_sooner_in(&World::new(), trace)
}

/// The same, in copies of this world: with what a user brings.
pub fn fails_sooner_in(world: &World, trace: &Trace) -> Option<Trace> {
    let failure = Failure::of(&trace.ending)?;
    let plan: Plan = serde_json::from_value(trace.header.plan.clone()).ok()?;
    let _switched = planted::switch_on(trace.header.bug.as_deref()).ok()?;
    lengths(plan.steps).find_map(|steps| {
        let shorter = record(world, trace, Plan { steps, ..plan.clone() });
        let is_same = Failure::of(&shorter.ending).as_ref() == Some(&failure);
        (is_same && shorter.events.len() < trace.events.len()).then_some(shorter)
    })
}

/// Zero, and then numbers that grow a little each time, below `steps`.
fn lengths(steps: u64) -> impl Iterator<Item = u64> {
    let longer = |length: &u64| Some(*length + (*length / 8).max(10));
    std::iter::successors(Some(0), longer).take_while(move |length| *length < steps)
}

fn record(world: &World, trace: &Trace, plan: Plan) -> Trace {
    let mut events = Vec::new();
    let (_, ending) = run_to_end_in(world, &plan, |event| events.push(event.clone()));
    let value = serde_json::to_value(&plan).expect("a plan always has a JSON form");
    let header = Header { bug: trace.header.bug.clone(), plan: value, ..Header::of_world(world, Some(plan.seed)) };
    Trace { header, events, ending }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_grow_from_none_to_just_below() {
        let lengths: Vec<u64> = lengths(20_000).collect();
        assert_eq!(lengths[..3], [0, 10, 20]);
        assert!(lengths.is_sorted() && lengths.len() < 80 && lengths.last().is_some_and(|last| *last < 20_000));
        assert_eq!(super::lengths(0).count(), 0);
    }
}
