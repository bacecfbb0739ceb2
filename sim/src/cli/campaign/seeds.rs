//! Seeds of a unit, on every core: for exploring, for the canary and for other planted bugs alike, so that a canary that is caught says
//! something of what exploring would find.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::campaign::explore::{self, Exploration, Failure, SeedAtWork, SeedEnd};
use crate::situation::Situations;
use crate::trace::Ending;

use super::super::watchdog::Vigil;
use super::CampaignArguments;
use super::watch::Watch;

/// How a seed ended.
pub(super) struct End {
    pub(super) seed: u64,
    pub(super) events: u64,
    pub(super) situations: Situations,
    pub(super) failure: Option<Failure>,
}

/// How all of them ended, the lowest first.
pub(super) struct Ends {
    pub(super) ends: Vec<End>,
    /// Whether a seed hangs. Its thread cannot be ended.
    pub(super) hangs: bool,
}

/// Runs seeds, up to the first that fails in such a way: those below it come to their ends, so that the lowest one is always the same.
///
/// # Errors
/// No thread can be started.
pub(super) fn run(
    seeds: Range<u64>,
    bug: Option<(&str, bool)>,
    ends_it: impl Fn(&Failure) -> bool,
    arguments: &CampaignArguments,
    watch: &Watch,
) -> Result<Ends, String> {
    let (jobs, overrides) = (arguments.jobs(), arguments.overrides());
    let (bug, twice) = bug.map_or((None, false), |(name, twice)| (Some(name.to_owned()), twice));
    let count = seeds.end - seeds.start;
    let exploration = Exploration { jobs, overrides, bug, twice, ..Exploration::of(seeds) };
    let mut watcher = Watcher {
        arguments,
        watch,
        ends_it,
        count,
        ends: Vec::new(),
        is_enough: false,
        at_work: BTreeMap::new(),
        hung: Vec::new(),
    };
    explore::explore(&exploration, &mut watcher).map_err(|error| error.to_string())?;
    let Watcher { mut ends, hung, .. } = watcher;
    let hangs = !hung.is_empty();
    ends.extend(hung.into_iter().map(|(seed, events)| {
        let failure = Some(Failure { seed, events, ending: Ending::Hang(None), differs: None });
        End { seed, events, situations: Situations::default(), failure }
    }));
    ends.sort_by_key(|end| end.seed);
    // One that was very slow has come to its end after all.
    ends.dedup_by_key(|end| end.seed);
    Ok(Ends { ends, hangs })
}

struct Watcher<'a, F> {
    arguments: &'a CampaignArguments,
    watch: &'a Watch,
    ends_it: F,
    count: u64,
    ends: Vec<End>,
    is_enough: bool,
    /// The seed that each thread is at.
    at_work: BTreeMap<usize, (u64, Vigil)>,
    /// The seeds that hang, and after how many events.
    hung: Vec<(u64, u64)>,
}

impl<F: Fn(&Failure) -> bool> explore::Watch for Watcher<'_, F> {
    fn enough(&mut self) -> bool {
        self.is_enough || !self.hung.is_empty()
    }

    fn ended(&mut self, end: &SeedEnd) {
        let failure = end.failure();
        self.is_enough |= failure.as_ref().is_some_and(&self.ends_it);
        let situations = end.statistics.situations.clone();
        self.ends.push(End { seed: end.seed, events: end.events, situations, failure });
        let (done, count) = (self.ends.len(), self.count);
        self.watch.now(format!("{done} of {count} seeds"));
    }

    fn gives_up(&mut self, at_work: &mut dyn Iterator<Item = SeedAtWork<'_>>) -> bool {
        self.watch.look();
        let patience = self.arguments.patience.hang_after;
        let (mut working, mut hanging) = (0, 0);
        for SeedAtWork { seed, pulse, worker } in at_work {
            working += 1;
            let (at, vigil) = self.at_work.entry(worker).or_insert_with(|| (seed, Vigil::new(pulse)));
            if *at != seed {
                (*at, *vigil) = (seed, Vigil::new(pulse));
            }
            if vigil.stands_still(pulse) >= patience {
                hanging += 1;
                if self.hung.iter().all(|(hung, _)| *hung != seed) {
                    self.hung.push((seed, pulse.step()));
                }
            }
        }
        working > 0 && working == hanging
    }
}
