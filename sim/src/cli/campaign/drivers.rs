//! One unit of each driver, and what the record says of it.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::campaign::exhaust::{configurations, exhaust};
use crate::campaign::explore::{Broken, Failure};
use crate::campaign::record::{self, Driver, Failed, Took, Unit};
use crate::campaign::sweep::{self, Sweep, sweep};
use crate::driver::exhaust::{self as orders, Ended, Progress};
use crate::driver::sweep::Tried;
use crate::driver::{Start, swarm};
use crate::plan::{Overrides, Plan};
use crate::trace::{Ending, Header, Property, REVISION, Trace};
use crate::world::World;

use super::super::bugs::switch_on;
use super::super::run::Run;
use super::super::watchdog::Stuck;
use super::CampaignArguments;
use super::folder::Folder;
use super::seeds::{self, Ends};
use super::watch::Watch;

/// Where in a campaign a unit is.
pub(super) struct At<'a> {
    pub(super) arguments: &'a CampaignArguments,
    pub(super) folder: &'a Folder,
    pub(super) watch: &'a Watch,
    pub(super) round: u64,
    /// The number of the unit in its round.
    pub(super) number: u64,
}

/// A unit that came to its end.
pub(super) struct Done {
    pub(super) unit: Unit,
    /// Why a trace could not be written, if one could not.
    pub(super) unwritten: Option<String>,
    /// Whether something hangs, whose thread cannot be ended.
    pub(super) hangs: bool,
}

impl Done {
    pub(super) const fn of(unit: Unit) -> Self {
        Self { unit, unwritten: None, hangs: false }
    }

    /// Adds something that failed, with its trace if that was written.
    pub(super) fn fails(&mut self, ending: &Ending, events: u64, seed: Option<u64>, trace: Result<String, String>) {
        let property = Property::broken_by(ending).map_or("determinism", Property::name).to_owned();
        let said = ending.clone().to_string();
        let trace = trace.map_err(|error| self.unwritten = Some(error)).ok();
        self.unit.failures.push(Failed { property, said, events, seed, trace });
    }
}

impl At<'_> {
    pub(super) fn unit(&self, driver: Driver, what: impl Into<String>) -> Unit {
        Unit::new(REVISION, self.round, driver, what)
    }

    /// The planted bug that somebody switched on.
    fn bug(&self) -> Option<&str> {
        self.arguments.bug.as_deref()
    }

    /// The first of the seeds that are the unit's own.
    pub(super) fn seeds(&self, count: u64) -> Range<u64> {
        record::seeds(self.round, self.number, count)
    }

    /// Writes the trace of something that failed. Its name in the record.
    fn save(&self, name: &str, trace: &Trace) -> Result<String, String> {
        let (path, name) = self.folder.trace(name);
        // A trace is run once more to be written.
        let _switched = switch_on(self.bug())?;
        trace.save(&path).map(|()| name).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// The same for a seed, which is run again.
    fn record(&self, failure: &Failure) -> (Ending, Result<String, String>) {
        let plan = Plan::draw(failure.seed, &self.arguments.overrides());
        let run = Run { plan, bug: self.arguments.bug.clone(), start: Start::of(World::new()) };
        let (path, name) = self.folder.trace(&format!("{}-{}", failure.property(), failure.seed));
        match failure.ending {
            Ending::Hang(_) => {
                let (ending, written) = run.record_hang(Stuck(failure.events), &path);
                (ending, written.map(|()| name))
            }
            _ => (failure.ending.clone(), run.record(&path).map(|()| name)),
        }
    }
}

/// Runs seeds.
pub(super) fn explore(at: &At<'_>) -> Result<Done, String> {
    let range = at.seeds(at.arguments.seeds);
    let what = format!("seeds {}..{}", range.start, range.end);
    let Ends { ends, hangs } =
        seeds::run(range, at.bug().map(|name| (name, false)), |_| false, at.arguments, at.watch)?;
    let known = at.folder.history.of(REVISION).map(|revision| &revision.met);
    let mut unit = at.unit(Driver::Explore, what);
    let mut broken: BTreeMap<Property, Broken> = BTreeMap::new();
    for end in ends {
        unit.seeds += 1;
        unit.events += end.events;
        let took = Took { seeds: unit.seeds, events: unit.events };
        let happened =
            end.situations.iter().filter(|(_, times)| *times > 0).map(|(situation, _)| situation.to_string());
        for situation in happened.filter(|situation| known.is_none_or(|known| !known.contains_key(situation))) {
            unit.met.entry(situation).or_insert(took);
        }
        if let Some(failure) = end.failure {
            broken.entry(failure.property()).or_default().add(failure);
        }
    }
    let failures: u64 = broken.values().map(|broken| broken.seeds).sum();
    unit.result = format!("{} events, {failures} failures", unit.events);
    if !unit.met.is_empty() {
        unit.result += &format!(", {} situations for the first time at this revision", unit.met.len());
    }
    let mut done = Done { hangs, ..Done::of(unit) };
    for failure in broken.values().flat_map(|broken| &broken.shortest) {
        let (ending, trace) = at.record(failure);
        done.fails(&ending, failure.events, Some(failure.seed), trace);
    }
    Ok(done)
}

/// Tries crash points of a short run of a seed.
pub(super) fn crashes(at: &At<'_>) -> Result<Done, String> {
    const STEPS: u64 = 300;
    const MOST: u64 = 20;
    let seed = at.seeds(1).start;
    let steps = at.arguments.steps.unwrap_or(STEPS).min(STEPS);
    let plan = Plan::draw(seed, &Overrides { steps: Some(steps), no_settle: true, ..Overrides::default() });
    let mut events = Vec::new();
    let (_, ending) = swarm::run_to_end(&plan, |event| events.push(event.clone()));
    let header = Header { bug: at.arguments.bug.clone(), ..Header::new(Some(seed)) };
    let run = Trace { header, events, ending };
    let how = Sweep { most: Some(MOST), jobs: at.arguments.jobs() };
    let swept = sweep(&run, &how, &Sweeping(at.watch)).map_err(|error| error.to_string())?;
    let mut unit = at.unit(Driver::Sweep, format!("crashes after {} events of seed {seed}", swept.tried));
    (unit.seeds, unit.events) = (1, swept.events);
    let ways = swept.failures.len();
    unit.result = format!("{} crash points, {} different states, {ways} ways to fail", swept.points, swept.states);
    let mut done = Done::of(unit);
    if let Some(broke) = &swept.broke {
        let name = Property::broken_by(broke).map_or("determinism", Property::name);
        done.fails(broke, swept.events, Some(seed), at.save(&format!("{name}-{seed}"), &run));
    }
    for (number, found) in (1..).zip(&swept.failures) {
        let saved = at.save(&format!("crash-{seed}-{number}"), &found.trace);
        done.fails(&found.trace.ending, found.trace.events.len() as u64, Some(seed), saved);
    }
    Ok(done)
}

struct Sweeping<'a>(&'a Watch);

impl sweep::Watch for Sweeping<'_> {
    fn tried(&self, _: &Tried) {
        self.0.look();
    }
}

/// Tries every order of events within bounds that were not yet searched to their end at this revision, those that were searched least
/// often first, each time with twice as many states. `None` if all of them were.
pub(super) fn every_order(at: &At<'_>) -> Result<Option<Done>, String> {
    const STATES: u64 = 20_000;
    let searched = at.folder.history.of(REVISION).map(|revision| &revision.searched);
    let known = |name: &str| searched.and_then(|searched| searched.get(name)).copied().unwrap_or_default();
    let all = configurations().into_iter().map(|(_, bounds)| (known(&bounds.to_string()), bounds));
    let next = all.filter(|(known, _)| !known.whole).min_by_key(|(known, _)| known.units);
    let Some((known, bounds)) = next else { return Ok(None) };
    let mut most = Most { states: STATES << known.units.min(16), watch: at.watch };
    let explored = exhaust(&bounds, at.arguments.jobs(), at.bug(), &mut most).map_err(|unknown| unknown.to_string())?;
    let mut unit = at.unit(Driver::Exhaust, bounds.to_string());
    (unit.events, unit.whole) = (explored.transitions, explored.ended == Ended::Whole);
    let how_far = match &explored.ended {
        Ended::Whole => "all within the bounds".to_owned(),
        Ended::Memory { complete } | Ended::Interrupted { complete } => format!("all up to {complete} moves"),
        Ended::Broken(_) => format!("the last of which, after {} moves, breaks something", explored.depth),
    };
    unit.result = format!("{} states, {how_far}", explored.states);
    let mut done = Done::of(unit);
    if let Ended::Broken(trace) = &explored.ended {
        let saved = at.save(&format!("orders-{}-{}", at.round, at.number), trace);
        done.fails(&trace.ending, trace.events.len() as u64, None, saved);
    }
    Ok(Some(done))
}

/// Ends a search that meets too many states.
struct Most<'a> {
    states: u64,
    watch: &'a Watch,
}

impl orders::Watch for Most<'_> {
    fn goes_on(&mut self, progress: Progress) -> bool {
        self.watch.now(format!("{} states", progress.states));
        progress.states < self.states
    }
}
