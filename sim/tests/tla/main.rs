//! Files for etcd's trace validation. TLC is not here: what it said of such files stands in `sim/tla.md`. Here two small readers
//! look at them: one at the form, and one at what nodes do, by rules that the specification has too.

mod command;
mod form;
mod honest;
#[cfg(feature = "planted-bugs")]
mod planted;
mod rules;

use serde_json::Value;
use sim::explain::tla::{Told, tell};
use sim::plan::{Overrides, Plan};

/// What the run of a seed amounts to, in a short cluster's life within the specification.
fn of_seed(seed: u64) -> Told {
    let mut events = Vec::new();
    let plan = Plan::specified(seed, &Overrides { steps: Some(1500), ..Overrides::default() });
    sim::driver::swarm::run(&plan, |event| events.push(event.clone()));
    tell(&events, 600)
}

fn of_script(script: &str) -> Told {
    tell(&sim::script::record(script).expect("a scenario").events, 600)
}

fn read(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
}

/// Three nodes, an election, and a write.
const WRITTEN: &str =
    "add-nodes 3 voters=(1,2,3) index=2\ncampaign 1\nstabilize log-level=none\npropose 1 a\nstabilize log-level=none\n";
