//! From a seed that caught a bug to a short trace.

use raft::planted::Bug;

use super::search::{Catch, run};
use super::{Hunt, Property};
use crate::driver::swarm;
use crate::explain::{CannotShrink, Watch, shrink};
use crate::plan::Plan;
use crate::planted::switched_on;
use crate::trace::{Ending, Header, Trace};

/// A short trace of what this seed caught.
pub(super) fn shorten(bug: Bug, caught: &Catch, hunt: &Hunt) -> Trace {
    let plan = hunt.plan(caught.seed);
    let long = record(bug, &plan);
    let mut patience = Patience { tried: 0 };
    match shrink(&long, hunt.jobs.unwrap_or(0), &mut patience) {
        Ok(short) => short,
        Err(CannotShrink::OnlyAsRecorded(_)) => record(bug, &with_fewer_events(bug, caught, plan)),
        Err(
            CannotShrink::NothingBreaks | CannotShrink::Hangs | CannotShrink::NeedsBug(_) | CannotShrink::Threads(_),
        ) => long,
    }
}

/// If only the whole second phase shows that the cluster does not converge, a shorter phase before it may do.
fn with_fewer_events(bug: Bug, caught: &Catch, plan: Plan) -> Plan {
    let lengths = [0, 100, 200, 400, 800, 1600, 3200, 6400, 12_800].into_iter().filter(|steps| *steps < plan.steps);
    let mut shorter = lengths.map(|steps| Plan { steps, ..plan.clone() });
    let catches = |plan: &Plan| {
        let with_bug = run(plan, Some(bug)).1;
        Property::broken_by(&with_bug) == Some(caught.property) && run(plan, None).1 == Ending::Completed
    };
    shorter.find(catches).unwrap_or(plan)
}

fn record(bug: Bug, plan: &Plan) -> Trace {
    let _switched = switched_on(Some(bug));
    let mut events = Vec::new();
    let (_, ending) = swarm::run_to_end(plan, |event| events.push(event.clone()));
    let header = Header { bug: Some(bug.name()), ..Header::new(Some(plan.seed)) };
    Trace { header, events, ending }
}

/// Limits the number of candidates that are tried, so that the limit is the same on every machine.
struct Patience {
    tried: u64,
}

impl Patience {
    const CANDIDATES: u64 = 300_000;
}

impl Watch for Patience {
    fn improved(&mut self, _: &Trace) {}

    fn tried(&mut self, _: &'static str, candidates: u64) {
        self.tried = candidates;
    }

    fn enough(&self) -> bool {
        self.tried >= Self::CANDIDATES
    }
}
