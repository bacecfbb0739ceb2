//! `sim explore --tla DIR`: files of seeds for etcd's trace validation.

use std::collections::BTreeMap;
use std::fs;
use std::io::IsTerminal;
use std::path::Path;

use indicatif::ProgressBar;
use rayon::prelude::*;

use super::ExploreArguments;
use crate::cli::tla::write;
use crate::cli::{HELD, VIOLATED, bugs, jobs};
use crate::driver::swarm;
use crate::explain::tla::{Told, tell};
use crate::output::say;
use crate::plan::Plan;
use crate::planted;
use crate::trace::Ending;
use crate::world::World;

/// The most lines of a file: validation takes longer than in proportion to them.
const MOST: usize = 600;
/// A file of fewer is not worth a validation.
const LEAST: usize = 100;

/// A seed, and what it amounts to.
struct OfSeed {
    seed: u64,
    options: String,
    told: Told,
    /// What broke, if anything did.
    broken: Option<String>,
}

/// Writes a file for each seed, as soon as it is there, and says where it ends.
pub(super) fn run(arguments: &ExploreArguments, folder: &Path) -> Result<u8, String> {
    let said = |error: &dyn std::fmt::Display| format!("{}: {error}", folder.display());
    let bug = arguments.choices.bug.as_deref();
    drop(bugs::switch_on(bug)?);
    fs::create_dir_all(folder).map_err(|error| said(&error))?;
    let seeds = arguments.exploration(None)?.seeds;
    let threads = rayon::ThreadPoolBuilder::new().num_threads(jobs::capped(arguments.jobs).unwrap_or(0)).build();
    let threads = threads.map_err(|error| format!("no threads: {error}"))?;
    let bar = match std::io::stderr().is_terminal() {
        true => ProgressBar::new(seeds.end - seeds.start),
        false => ProgressBar::hidden(),
    };
    let one = |seed| {
        let of_seed = of_seed(seed, arguments);
        bar.inc(1);
        if of_seed.told.lines.len() >= LEAST {
            write(&folder.join(format!("seed-{seed}.ndjson")), &of_seed.told)?;
        }
        Ok(of_seed)
    };
    let all: Result<Vec<OfSeed>, String> = threads.install(|| seeds.into_par_iter().map(one).collect());
    bar.finish_and_clear();
    let all = all?;
    all.iter().try_for_each(|of_seed| say(if arguments.json { as_json(of_seed) } else { as_text(of_seed) }))?;
    if !arguments.json {
        say(summary(&all, folder))?;
    }
    Ok(if bug.is_none() && all.iter().any(|of_seed| of_seed.broken.is_some()) { VIOLATED } else { HELD })
}

fn of_seed(seed: u64, arguments: &ExploreArguments) -> OfSeed {
    let plan = Plan::specified(seed, &arguments.choices.overrides());
    let _switched = planted::switch_on(arguments.choices.bug.as_deref()).expect("it is there: it was switched on");
    // With a bug on, the specification is to be the only judge, so that a run does not end where a check finds it out.
    let world = if arguments.choices.bug.is_some() { World::unchecked() } else { World::new() };
    let mut events = Vec::new();
    let (_, ending) = swarm::run_to_end_in(&world, &plan, |event| events.push(event.clone()));
    let told = tell(&events, MOST);
    let broken = (ending != Ending::Completed).then(|| ending.to_string());
    OfSeed { seed, options: options(&plan), told, broken }
}

/// In what the plan differs from others, as far as the specification notices.
fn options(plan: &Plan) -> String {
    let cluster = &plan.cluster;
    let any = |is: fn(&crate::world::NodeOptions) -> bool| cluster.options.iter().any(is);
    let named = [
        ("from a snapshot", cluster.from_snapshot),
        ("check-quorum", any(|options| options.check_quorum)),
        ("leases", cluster.serves_by_lease()),
        ("step-down-on-removal", any(|options| options.step_down_on_removal)),
        ("small appends", any(|options| options.max_size_per_message < 4096)),
        ("crashes", plan.faults.crash.is_some()),
        ("partitions", plan.faults.partition.is_some()),
        ("losses", plan.network.loss > 0),
        ("changes of the membership", plan.faults.membership.is_some()),
        ("transfers", plan.faults.transfer.is_some()),
    ];
    let named: Vec<&str> = named.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
    format!("{} nodes, {}", cluster.nodes, if named.is_empty() { "nothing".to_owned() } else { named.join(", ") })
}

fn as_text(of_seed: &OfSeed) -> String {
    let OfSeed { seed, options, told, broken } = of_seed;
    let written = if told.lines.len() >= LEAST { "" } else { "not written: " };
    let limit = told.limit.as_ref().map(|limit| format!("; ends before event {}: {limit}", told.events + 1));
    format!(
        "seed {seed}: {written}{} lines of {} events, {options}{}{}",
        told.lines.len(),
        told.events,
        limit.unwrap_or_default(),
        broken.as_ref().map(|broken| format!("; the run broke: {broken}")).unwrap_or_default()
    )
}

fn as_json(of_seed: &OfSeed) -> String {
    let OfSeed { seed, options, told, broken } = of_seed;
    serde_json::json!({
        "seed": seed,
        "options": options,
        "lines": told.lines.len(),
        "events": told.events,
        "is_written": told.lines.len() >= LEAST,
        "limit": told.limit.as_ref().map(ToString::to_string),
        "broken": broken,
    })
    .to_string()
}

fn summary(all: &[OfSeed], folder: &Path) -> String {
    let written = all.iter().filter(|of_seed| of_seed.told.lines.len() >= LEAST).count();
    let mut limits: BTreeMap<String, u64> = BTreeMap::new();
    for limit in all.iter().filter_map(|of_seed| of_seed.told.limit.as_ref()) {
        *limits.entry(limit.kind().to_owned()).or_default() += 1;
    }
    let limits: Vec<String> = limits.into_iter().map(|(kind, count)| format!("{count} at {kind}")).collect();
    let beyond = match limits.is_empty() {
        true => String::new(),
        false => format!("; ended early: {}", limits.join(", ")),
    };
    format!("{written} of {} files in {}, of at most {MOST} lines each{beyond}", all.len(), folder.display())
}
