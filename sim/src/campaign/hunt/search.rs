//! One search: seed after seed from a starting point on, until the bug is caught.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use raft::planted::Bug;
use rayon::prelude::*;
use serde::Serialize;

use super::property::{differs_between_runs, named_for};
use super::{Hunt, Property, Watch};
use crate::campaign::explore::run_twice_in;
use crate::driver::swarm;
use crate::plan::{Overrides, Plan};
use crate::planted::switched_on;
use crate::trace::Ending;
use crate::world::World;

/// The seed that caught a bug.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Catch {
    /// The seed.
    #[serde(serialize_with = "crate::number::any::serialize")]
    pub seed: u64,
    /// What broke.
    pub property: Property,
    /// How many events led to it.
    pub events: u64,
}

/// How a search went.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Search {
    /// The catch that ended it; `None` if the budget of seeds was spent.
    pub caught: Option<Catch>,
    /// How many seeds were run.
    pub seeds: u64,
    /// How many events happened in all of them together.
    pub events: u64,
    /// For each other property that was broken, how many seeds broke it, and the first of them.
    pub others: BTreeMap<Property, Other>,
}

/// Seeds that broke a property that is not named for the bug.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Other {
    /// How many.
    pub seeds: u64,
    /// The first.
    #[serde(serialize_with = "crate::number::any::serialize")]
    pub first: u64,
}

/// How one seed ended with the bug switched on.
struct Attempt {
    seed: u64,
    events: u64,
    broken: Option<Property>,
    catches: bool,
}

impl Search {
    /// The most seeds that are under way before the search looks whether one of them caught the bug.
    const LARGEST_BATCH: u64 = 512;

    /// Runs seeds from `start` on until one catches the bug, or the budget is spent. The result does not show what ran
    /// side by side: only the first seed that catches it counts, and later ones do not.
    pub(super) fn run(bug: Bug, start: u64, hunt: &Hunt, watch: &impl Watch) -> Self {
        let mut search = Self::default();
        let mut batch = 1;
        while search.caught.is_none() && search.seeds < hunt.seeds {
            let from = start + search.seeds;
            let to = start + (search.seeds + batch).min(hunt.seeds);
            let first = AtomicU64::new(u64::MAX);
            let attempts = (from..to).into_par_iter().filter_map(|seed| {
                let passed_by = seed > first.load(Ordering::Relaxed);
                let attempt = (!passed_by).then(|| Attempt::run(bug, seed, hunt))?;
                if attempt.catches {
                    first.fetch_min(seed, Ordering::Relaxed);
                }
                watch.ran(bug);
                Some(attempt)
            });
            let attempts: Vec<Attempt> = attempts.collect();
            attempts.into_iter().for_each(|attempt| search.count(attempt));
            batch = (batch * 2).min(Self::LARGEST_BATCH);
        }
        search
    }

    fn count(&mut self, attempt: Attempt) {
        if self.caught.is_some() {
            return;
        }
        let Attempt { seed, events, broken, catches } = attempt;
        self.seeds += 1;
        self.events += events;
        match broken {
            Some(property) if catches => self.caught = Some(Catch { seed, property, events }),
            Some(property) => self.others.entry(property).or_insert(Other { seeds: 0, first: seed }).seeds += 1,
            None => {}
        }
    }
}

impl Attempt {
    fn run(bug: Bug, seed: u64, hunt: &Hunt) -> Self {
        let plan = hunt.plan(seed);
        let (events, broken) = match differs_between_runs(bug) {
            false => once(&plan, bug),
            true => twice(seed, bug, hunt),
        };
        let named = broken.is_some_and(|property| named_for(property, bug).is_some());
        // If the ordinary node fails as well, the bug has nothing to do with it.
        let catches = named && run(&plan, None).1 == Ending::Completed;
        Self { seed, events, broken, catches }
    }
}

/// Runs a plan with this bug. Returns how many events there were, and what it broke.
fn once(plan: &Plan, bug: Bug) -> (u64, Option<Property>) {
    let (events, ending) = run(plan, Some(bug));
    (events, Property::broken_by(&ending))
}

/// Runs a seed twice with this bug, until the runs differ.
fn twice(seed: u64, bug: Bug, hunt: &Hunt) -> (u64, Option<Property>) {
    let _switched = switched_on(Some(bug));
    let end = run_twice_in(&World::new(), seed, &hunt.overrides());
    (end.events, end.failure().map(|failure| failure.property()))
}

/// Runs a plan with this bug or none; returns how many events there were, and how it ended.
pub(super) fn run(plan: &Plan, bug: Option<Bug>) -> (u64, Ending) {
    let _switched = switched_on(bug);
    let (ended, ending) = swarm::run_to_end(plan, |_| {});
    let last = u64::from(ending != Ending::Completed);
    (ended.world.step() + last, ending)
}

impl Hunt {
    /// The plan for the run of a seed. It does not depend on the bug.
    pub(super) fn plan(&self, seed: u64) -> Plan {
        Plan::draw(seed, &self.overrides())
    }

    fn overrides(&self) -> Overrides {
        Overrides { steps: self.events, ..Overrides::default() }
    }
}
