//! `sim explore --determinism`: each seed twice, step by step.

use sim::driver::swarm::Swarm;
use sim::explore::Exploration;
use sim::output::say;
use sim::plan::Plan;

use super::{HELD, VIOLATED};

/// Runs each seed twice at once and names the first step after which the two worlds differ.
///
/// # Errors
/// That cannot be printed.
pub(super) fn run(exploration: &Exploration) -> Result<u8, String> {
    let compared = exploration.each(|seed| (seed, first_difference(&Plan::draw(seed, &exploration.overrides))));
    let count = compared.len();
    let differences: Vec<(u64, u64)> =
        compared.into_iter().filter_map(|(seed, step)| step.map(|step| (seed, step))).collect();
    for (seed, step) in &differences {
        say(format_args!("seed {seed}: two runs differ from step {step} on"))?;
    }
    say(format_args!("{count} seeds run twice, {} differ", differences.len()))?;
    Ok(if differences.is_empty() { HELD } else { VIOLATED })
}

/// The first step after which two runs of the plan have different digests.
fn first_difference(plan: &Plan) -> Option<u64> {
    let (mut one, mut other) = (Swarm::new(plan), Swarm::new(plan));
    loop {
        let step = one.world().step();
        let ends = (one.go_on(&mut |_| {}), other.go_on(&mut |_| {}));
        if one.world().digest() != other.world().digest() || ends.0 != ends.1 {
            return Some(step);
        }
        if ends.0.is_some() {
            return None;
        }
    }
}
