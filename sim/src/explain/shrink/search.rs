//! Trying candidates, many at once, and keeping the first that is good. The other files say what is tried, and in which
//! order.

use rayon::prelude::*;

use super::baseline::{Baseline, Candidate};
use super::{Watch, trace_of};
use crate::planted;
use crate::trace::{Ending, Header, Trace};
use crate::world::{Event, World};

/// The best so far, and the way to better it.
pub(super) struct Search<'a> {
    pub(super) best: Baseline,
    header: Header,
    watch: &'a mut dyn Watch,
    tried: u64,
    pass: &'static str,
    /// The length of the shortest trace that was announced.
    shortest: usize,
    /// Whether the events break something without the planted bug as well.
    breaks_anyway: bool,
}

impl<'a> Search<'a> {
    /// A search that begins with a recorded run, if that fails.
    pub(super) fn new(start: &World, header: Header, events: &[Event], watch: &'a mut dyn Watch) -> Option<Self> {
        let best = Baseline::of_recording(start, events)?;
        let breaks_anyway = breaks_without_bug(&header, &best);
        let mut search = Self { best, header, watch, tried: 0, pass: "cut", shortest: usize::MAX, breaks_anyway };
        search.announce();
        Some(search)
    }

    /// The best so far.
    pub(super) fn trace(&self) -> Trace {
        trace_of(&self.header, self.best.events(), self.best.ending.clone())
    }

    /// Names what is being tried.
    pub(super) fn begin(&mut self, pass: &'static str) {
        self.pass = pass;
    }

    /// Whether the best so far is good enough.
    pub(super) fn is_over(&self) -> bool {
        self.watch.enough()
    }

    /// Takes the first of the candidates that is good, and returns which one that is. `make` makes the candidate of a
    /// number; it may make none.
    pub(super) fn take_first(
        &mut self,
        numbers: std::ops::Range<usize>,
        make: impl Fn(&Baseline, usize) -> Option<Candidate> + Sync,
    ) -> Option<usize> {
        // Enough for many cores, and the same on every machine, as what ends the search may be a number of candidates.
        const BATCH: usize = 64;
        let mut start = numbers.start;
        while start < numbers.end && !self.is_over() {
            let end = numbers.end.min(start + BATCH);
            let best = &self.best;
            let good = |number: usize| make(best, number).filter(|candidate| best.fails_with(candidate));
            let found = (start..end).into_par_iter().find_map_first(|number| Some((number, good(number)?)));
            self.count((end - start) as u64);
            let Some((number, candidate)) = found else {
                start = end;
                continue;
            };
            if let Some(better) = self.best.improved_by(&candidate)
                && (self.breaks_anyway || !breaks_without_bug(&self.header, &better))
            {
                self.best = better;
                self.announce();
                return Some(number);
            }
            start = number + 1;
        }
        None
    }

    /// So many more were tried.
    pub(super) fn count(&mut self, candidates: u64) {
        self.tried += candidates;
        self.watch.tried(self.pass, self.tried);
    }

    /// Goes on from another run, if it breaks nothing without the planted bug where the best so far does not. Returns the best so
    /// far then.
    pub(super) fn replace(&mut self, other: Baseline) -> Option<Baseline> {
        let may_count = self.breaks_anyway || !breaks_without_bug(&self.header, &other);
        may_count.then(|| std::mem::replace(&mut self.best, other))
    }

    /// Announces the best so far, unless it is worse than the last one announced.
    pub(super) fn announce(&mut self) {
        if self.best.steps.len() <= self.shortest {
            self.shortest = self.best.steps.len();
            self.watch.improved(&self.trace());
        }
    }
}

/// Whether the events, as far as they fit then, break something without the planted bug that is switched on in this thread.
fn breaks_without_bug(header: &Header, run: &Baseline) -> bool {
    if header.bug.is_none() {
        return false;
    }
    drop(planted::switch_on(None));
    let ending = Trace::record_in(run.start(), header.clone(), &run.events()).ending;
    let switched = planted::switch_on(header.bug.as_deref()).expect("it was on before");
    // It stays on for as long as the thread lives.
    std::mem::forget(switched);
    ending != Ending::Completed
}
