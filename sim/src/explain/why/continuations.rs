//! Runs that go on at random from one place.

use super::{Question, Run};
use crate::driver::swarm;
use crate::invariant::Invariant;
use crate::plan::{Overrides, Plan};
use crate::planted;
use crate::trace::{Ending, Property};
use crate::world::World;

/// The plan of a continuation. Those of one number draw the same at every place, so that places differ by the place alone.
pub(super) fn plan(number: u64, world: &World, question: &Question, settles: bool) -> Plan {
    let overrides = Overrides { steps: Some(question.events), no_settle: !settles, ..Overrides::default() };
    Plan::draw(number, &overrides).fit(world)
}

/// Whether this continuation from a world fails as the run does.
pub(super) fn fails(run: &Run<'_>, world: &World, number: u64, question: &Question) -> bool {
    let _switched = planted::switch_on(run.bug);
    let settles = run.property == Property::Holds(Invariant::Liveness);
    let (_, ending) = swarm::run_to_end_in(world, &plan(number, world, question, settles), |_| {});
    ending != Ending::Completed && Property::broken_by(&ending) == Some(run.property)
}
