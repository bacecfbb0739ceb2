//! A fresh search: many short runs at random, of [lean](Plan::lean) plans. What fails there in the same way is short from the
//! start, and not tied to how the long run came about.

use rayon::prelude::*;

use super::baseline::Baseline;
use super::search::Search;
use crate::driver::swarm;
use crate::invariant::Invariant;
use crate::plan::Plan;
use crate::trace::Ending;
use crate::world::{Event, World};

/// A run with no more events than this is short enough.
pub(super) const ENOUGH: usize = 60;
/// How many runs of each length there are.
const RUNS: u64 = 20_480;
/// How many of those that fail are looked at more closely.
const MOST: usize = 12;
/// How many events a run has, the shortest ones first.
const LENGTHS: [u64; 3] = [320, 640, 1280];

/// Runs that fail in the same way as the best so far, the shortest first.
pub(super) fn find(search: &mut Search<'_>) -> Vec<Baseline> {
    const BATCH: u64 = 512;
    search.begin("short runs");
    let mut found: Vec<Baseline> = Vec::new();
    let batches = LENGTHS.into_iter().flat_map(|length| (0..RUNS / BATCH).map(move |batch| (length, batch * BATCH)));
    for (length, first) in batches {
        if found.len() >= MOST || search.is_over() {
            break;
        }
        let best = &search.best;
        let alike = (first..first + BATCH).into_par_iter().filter_map(|seed| fails_alike(best, seed, length));
        found.extend(alike.collect::<Vec<Baseline>>());
        search.count(BATCH);
    }
    found.sort_by_key(|run| run.steps.len());
    found.truncate(MOST);
    found
}

/// The run of this seed with so many events, if it fails in the same way.
fn fails_alike(best: &Baseline, seed: u64, length: u64) -> Option<Baseline> {
    let plan = Plan::lean(seed, length).fit(best.start());
    let mut events = Vec::new();
    let (ended, ending) = swarm::run_to_end_in(best.start(), &plan, |event| events.push(event.clone()));
    if ending == Ending::Completed {
        expects_liveness(best, &ended.world)?;
        events.push(Event::ExpectLiveness { core: None });
    }
    best.same_failure(&events)
}

/// Whether the failure is that a cluster does not converge, which a run that breaks nothing may lead to.
fn expects_liveness(best: &Baseline, world: &World) -> Option<()> {
    let stalls = best.breaks() == Some(Invariant::Liveness);
    (stalls && world.replicas().next().is_some()).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    #[test]
    fn short_runs_break_nothing_by_themselves_and_come_to_what_takes_usual_runs_long() {
        let (mut elected, mut installed, mut changed) = (0, 0, 0);
        for seed in 0..200 {
            let plan = Plan::lean(seed, 480);
            let (ended, ending) = swarm::run_to_end_in(&World::new(), &plan, |_| {});
            assert_eq!(ending, Ending::Completed, "seed {seed}");
            let statistics = ended.world.statistics();
            elected += u64::from(statistics.elections > 0);
            installed += u64::from(statistics.snapshots_installed > 0);
            changed += u64::from(statistics.conf_changes > 0);
        }
        assert!(
            elected > 120 && installed > 5 && changed > 15,
            "{elected} elected, {installed} installed, {changed} changed"
        );
    }
}
