//! Makes the corpus in `traces/`: a short trace for each planted bug, and one for each main feature. A trace that is there
//! and whose events still lead to what it shows is kept, with the digests of today.
//!
//! `cargo run --release -p sim --features planted-bugs --example corpus -- traces [NAME …]`

use std::path::{Path, PathBuf};

use raft::planted::Bug;
use sim::campaign::hunt::{Hunt, Property, Unwatched, differs_between_runs, hunt, named_for};
use sim::driver::swarm::Swarm;
use sim::explain::{self, shrink};
use sim::output::say;
use sim::plan::{Overrides, Plan};
use sim::script;
use sim::situation::Situation;
use sim::trace::{Ending, Header, Trace};
use sim::world::{EventKind, Statistics, World};

/// The name of a trace, and what its run has to show.
type Feature = (&'static str, fn(&Statistics) -> bool);

const FEATURES: [Feature; 16] = [
    ("election-and-replication", |seen| seen.elections > 0 && seen.applied > 10),
    ("restart", |seen| seen.events(EventKind::Restart) > 0 && seen.bytes_lost > 0 && seen.elections > 1),
    ("partition", |seen| seen.lost > 0 && seen.events(EventKind::HealLink) > 0 && seen.elections > 1),
    ("snapshot", |seen| seen.compactions > 0 && seen.snapshots_installed > 0),
    ("joint-consensus", |seen| seen.joint_left > 1),
    ("transfer", |seen| seen.transfers > 0 && seen.elections > 1),
    ("reads", |seen| seen.reads > 3),
    ("node-loop", |seen| seen.events(EventKind::Take) > 0 && seen.elections > 0 && seen.executed > 1),
    // Nodes that loops run cannot be told as a scenario, and this is to be.
    ("disk-faults", |seen| {
        seen.disks_failed > 0 && seen.recoveries_refused > 0 && seen.elections > 0 && seen.events(EventKind::Take) == 0
    }),
    ("pre-vote", |seen| seen.pre_candidacies > 0 && seen.elections > 1),
    ("check-quorum", |seen| seen.situations.times(Situation::CheckQuorumDeposed) > 0),
    ("lease-reads", |seen| seen.situations.times(Situation::LeaseRead) > 0),
    ("learners", |seen| seen.situations.times(Situation::LearnerPromotedBehind) > 0),
    ("flow-control", |seen| seen.situations.times(Situation::WindowFull) > 0 && seen.executed > 1),
    ("asynchronous-writes", |seen| seen.events(EventKind::Release) > 0 && seen.executed > 1),
    ("repeated-commands", |seen| seen.repeated > 0),
];

/// Bugs that random runs show in hundreds of events at best, and scenarios in which a person tells of them in a few.
const TOLD: [(Bug, &str); 7] = [
    (Bug::AsyncAppendAba, "famous/the-append-aba-race-acknowledges-only-what-is-on-disk.txt"),
    (Bug::SnapshotKeepsConflictTail, "snapshots/a-snapshot-discards-a-conflicting-tail.txt"),
    (Bug::ChangeAfterSnapshot, "snapshots/a-change-that-waits-to-be-applied-is-overtaken-by-a-snapshot.txt"),
    (Bug::SnapshotWithoutSessions, "clients/a-write-that-is-repeated-after-a-snapshot-takes-effect-once.txt"),
    (Bug::HardStateBeforeSnapshot, "snapshots/a-crash-between-the-writes-of-a-snapshot-keeps-the-state-before.txt"),
    (Bug::SnapshotSaveErrorSwallowed, "snapshots/a-snapshot-that-finds-no-room-is-not-acknowledged.txt"),
    (Bug::WalResurrectsTail, "snapshots/what-a-snapshot-replaced-does-not-come-back.txt"),
];

fn main() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| "traces".to_string()));
    let only: Vec<String> = arguments.collect();
    let wanted = |name: &str| only.is_empty() || only.iter().any(|other| other == name);
    for (name, shows) in FEATURES.into_iter().filter(|(name, _)| wanted(name)) {
        feature(&folder, name, shows)?;
    }
    for bug in Bug::ALL.into_iter().filter(|bug| wanted(&bug.name()) && !differs_between_runs(*bug)) {
        planted(&folder, bug)?;
    }
    Ok(())
}

/// The shortest beginning of a run of the first seeds that shows a feature.
fn feature(folder: &Path, name: &str, shows: fn(&Statistics) -> bool) -> Result<(), String> {
    if let Some(again) = recorded_again(folder, name, "jsonl.zst")
        .filter(|again| again.ending == Ending::Completed && shows(&statistics(again)))
    {
        return save(folder, name, "jsonl.zst", &again);
    }
    let overrides = Overrides { nodes: Some(3), steps: Some(4000), ..Overrides::default() };
    let runs = (0..1000).filter_map(|seed| {
        let plan = Plan::draw(seed, &overrides);
        let mut events = Vec::new();
        let mut swarm = Swarm::new(&plan);
        while swarm.world().step() < plan.steps && !shows(swarm.world().statistics()) {
            if swarm.step(&mut |event| events.push(event.clone())) != Ending::Completed {
                return None;
            }
        }
        shows(swarm.world().statistics()).then_some((seed, events))
    });
    let Some((seed, events)) = runs.min_by_key(|(_, events)| events.len()) else {
        return say(format_args!("{name}: not seen"));
    };
    let header = Header { note: Some(name.replace('-', " ")), ..Header::new(Some(seed)) };
    save(folder, name, "jsonl.zst", &Trace::record(header, &events))
}

/// The shortest trace of some failures that the bug leads to and that do not happen without it.
fn planted(folder: &Path, bug: Bug) -> Result<(), String> {
    let switched = sim::planted::switched_on(Some(bug));
    let is_named =
        |trace: &Trace| Property::broken_by(&trace.ending).is_some_and(|property| named_for(property, bug).is_some());
    if let Some(again) = recorded_again(folder, &bug.name(), "jsonl").filter(is_named) {
        return save(folder, &bug.name(), "jsonl", &again);
    }
    drop(switched);
    let Some(shortest) = told(bug).or_else(|| hunted(bug)) else {
        return say(format_args!("{}: not caught", bug.name()));
    };
    // A cluster that does not converge shows it by events that answer each other: without the bug they do not fit.
    if Trace::record(shortest.header.clone(), &shortest.events).ending != Ending::Completed {
        return say(format_args!("{}: its events break something without it", bug.name()));
    }
    let _switched = sim::planted::switched_on(Some(bug));
    save(folder, &bug.name(), "jsonl", &shortest)
}

fn hunted(bug: Bug) -> Option<Trace> {
    hunt(&[bug], &Hunt { seeds: 2000, ..Hunt::default() }, &Unwatched).pop()?.shortest
}

/// The scenario that tells of the bug, with the bug in it, shrunk.
fn told(bug: Bug) -> Option<Trace> {
    let (_, path) = TOLD.into_iter().find(|(told, _)| *told == bug)?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(path);
    let scenario = std::fs::read_to_string(path).expect("the scenario is there");
    let trace = script::record(&format!("planted-bug {}\n{scenario}", bug.name())).expect("it can be carried out");
    shrink(&trace, 0, &mut explain::Unwatched).ok()
}

/// The trace that is there, as it runs today, if all its events still fit.
fn recorded_again(folder: &Path, name: &str, extension: &str) -> Option<Trace> {
    let old = Trace::open(&folder.join(format!("{name}.{extension}"))).ok()?;
    let again = Trace::record(old.header, &old.events);
    (again.events.len() == old.events.len()).then_some(again)
}

fn statistics(trace: &Trace) -> Statistics {
    let mut world = World::new();
    for event in &trace.events {
        world.apply(event).expect("it was recorded so");
    }
    world.statistics().clone()
}

fn save(folder: &Path, name: &str, extension: &str, trace: &Trace) -> Result<(), String> {
    let path = folder.join(format!("{name}.{extension}"));
    trace.save(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    say(format_args!("{}: {} events", path.display(), trace.events.len()))
}
