//! What a failure leads to: a client that is told something wrong.

use rayon::prelude::*;

use super::{Question, Run, Watch, continuations};
use crate::driver::{Stop, apply, swarm};
use crate::invariant::{Invariant, Violation};
use crate::planted;
use crate::trace::{Ending, Property};
use crate::world::World;

/// A continuation in which a client is told something wrong. There is no trace of it: whoever replayed it with every property checked
/// would come to the failure itself, and no further.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Harm {
    /// What the client is told.
    pub violation: Violation,
    /// How many of the continuations come to such an answer.
    pub times: u64,
    /// After how many events, of which the first are those of the trace.
    pub events: u64,
}

/// How many times as long these runs go on: a client has to come by and look.
const LONGER: u64 = 4;
/// How many continuations run before it is asked whether that is enough.
const ROUND: u64 = 16;

/// Goes on beyond the failure with nothing checked but what clients see. Returns what comes of it, and how many continuations there
/// were.
pub(super) fn look_for(run: &Run<'_>, question: &Question, watch: &impl Watch) -> (Option<Harm>, u64) {
    let judged_by_clients = |property| matches!(property, Property::Holds(Invariant::Linearizability));
    if judged_by_clients(run.property) || run.start.engine().is_some() || run.start.has_own_application() {
        return (None, 0);
    }
    let Some(world) = beyond(run) else { return (None, 0) };
    let longer = Question { events: question.events.saturating_mul(LONGER), ..*question };
    let (mut found, mut looked): (Option<Harm>, u64) = (None, 0);
    while looked < question.continuations && (looked == 0 || !watch.enough()) {
        let round = ROUND.min(question.continuations - looked);
        let wrong = (looked..looked + round).into_par_iter().filter_map(|number| {
            let _switched = planted::switch_on(run.bug);
            let plan = continuations::plan(number, &world, &longer, false);
            let ended = swarm::run_to_end_in(&world, &plan, |_| {}).1;
            watch.ran(question.continuations);
            match ended {
                Ending::Violation(violation) => Some(violation),
                Ending::Completed | Ending::Panic(_) | Ending::Hang(_) => None,
            }
        });
        let wrong: Vec<Violation> = run.pool.install(|| wrong.collect());
        looked += round;
        for violation in wrong {
            let first = found.get_or_insert_with(|| Harm { times: 0, events: violation.step + 1, violation });
            first.times += 1;
        }
    }
    (found, looked)
}

/// The world beyond the failure, in which nothing is checked but what clients see. None where an assertion of the node itself failed:
/// there is no going on.
fn beyond(run: &Run<'_>) -> Option<World> {
    let mut world = World::watching(Some(Invariant::Linearizability));
    let breaks = |event| matches!(apply(&mut world, event), Err(Stop::Broken(_)));
    let is_broken = run.events.iter().any(breaks);
    (!is_broken).then_some(world)
}
