//! Watches an exploration: tells of failures as they are found, keeps their traces, notices seeds that hang, and
//! decides when it is enough.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::campaign::explore::{Exploration, Explored, Failure, SeedAtWork, SeedEnd, Watch};
use crate::campaign::share::Summary;
use crate::driver::Start;
use crate::output::{say, tell};
use crate::trace::Ending;

use super::super::interrupt::Interrupt;
use super::super::watchdog::{Stuck, Vigil};
use super::folder::Folder;
use super::progress::Progress;
use super::traces::Traces;
use super::{ExploreArguments, told};

pub(super) struct Watcher<'a> {
    arguments: &'a ExploreArguments,
    began: Instant,
    interrupt: Interrupt,
    is_interrupted: bool,
    progress: Progress,
    traces: Traces,
    folder: Option<Folder>,
    failures: u64,
    /// The seed that each thread is at.
    at_work: BTreeMap<usize, AtSeed>,
    looked: Instant,
    /// The seeds that hang, and after how many events.
    hung: Vec<(u64, u64)>,
    /// Why standard output takes no more, once it does not.
    unsaid: Option<String>,
}

/// What is left of it when it has ended.
pub(super) struct Watched {
    pub(super) traces: Traces,
    /// What is in the folder, if there is one, and why it could not be written, if so.
    pub(super) kept: Option<(Summary, Option<String>)>,
    /// Whether somebody asked for an end.
    pub(super) is_interrupted: bool,
}

/// A thread at work on a seed.
struct AtSeed {
    seed: u64,
    began: Instant,
    vigil: Vigil,
    /// How long it has to take before that is said (again).
    slow_at: Duration,
    hangs: bool,
}

impl<'a> Watcher<'a> {
    /// How often the watcher looks whether seeds move.
    const LOOK: Duration = Duration::from_millis(100);

    pub(super) fn new(
        arguments: &'a ExploreArguments,
        exploration: &Exploration,
        start: &Start,
        folder: Option<Folder>,
    ) -> Self {
        let now = Instant::now();
        let mut traces =
            Traces::new(arguments.out.clone().unwrap_or_default(), arguments.choices.clone(), start.clone());
        if let Some(folder) = &folder {
            traces.go_on_with(&folder.summary.explored.broken);
        }
        Self {
            arguments,
            began: now,
            interrupt: Interrupt::listen(),
            is_interrupted: false,
            progress: Progress::new((!arguments.is_open()).then(|| exploration.count())),
            traces,
            folder,
            failures: 0,
            at_work: BTreeMap::new(),
            looked: now,
            hung: Vec::new(),
            unsaid: None,
        }
    }

    /// Says where seeds begin if nobody chose them, and how many are done already.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub(super) fn tell_start(&self, exploration: &Exploration) -> Result<(), String> {
        if self.arguments.is_open() {
            told::say_beside_json(self.arguments.json, told::of_start(exploration.seeds.start))?;
        }
        if let Some(before) = self.folder.as_ref().map(|folder| folder.before).filter(|before| *before > 0) {
            tell(format_args!("{before} seeds were run before; {} are left", exploration.count()));
        }
        Ok(())
    }

    /// Records what is still to be recorded, and counts the seeds that hang.
    ///
    /// # Errors
    /// Standard output took no more.
    pub(super) fn finish(mut self, explored: &mut Explored) -> Result<Watched, String> {
        self.progress.finish();
        for (seed, step) in std::mem::take(&mut self.hung) {
            let ending = self.traces.record_hang(seed, Stuck(step));
            let failure = Failure { seed, events: step, ending, differs: None };
            if let Some(folder) = &mut self.folder {
                folder.add_failure(&failure);
            }
            explored.add_failure(failure);
        }
        self.traces.finish();
        let is_interrupted = self.interrupt.is_asked();
        let kept = self.folder.map(Folder::finish);
        self.unsaid.map_or(Ok(Watched { traces: self.traces, kept, is_interrupted }), Err)
    }

    fn tell_failure(&mut self, failure: &Failure, trace: Option<PathBuf>) {
        self.failures += 1;
        let line = match self.arguments.json {
            true => told::failure_as_json(failure, trace.as_deref()),
            false => told::failure(failure, trace.as_deref()),
        };
        let said = self.progress.aside(|| say(line));
        self.unsaid = self.unsaid.take().or(said.err());
    }

    /// Looks at one thread. Returns whether its seed hangs.
    fn look(&mut self, SeedAtWork { seed, pulse, worker }: SeedAtWork<'_>) -> bool {
        let patience = self.arguments.patience.hang_after;
        let new = || AtSeed { seed, began: Instant::now(), vigil: Vigil::new(pulse), slow_at: patience, hangs: false };
        let at = self.at_work.entry(worker).or_insert_with(new);
        if at.seed != seed {
            *at = new();
        }
        if at.hangs {
            return true;
        }
        let (still, took) = (at.vigil.stands_still(pulse), at.began.elapsed());
        if still >= patience {
            at.hangs = true;
            self.tell_hang(seed, pulse.step());
            return true;
        }
        if took >= at.slow_at {
            at.slow_at *= 2;
            let (events, again) = (pulse.step(), self.arguments.again(seed));
            let line = format!(
                "seed {seed} has been at work for {} s: {events} events so far, the last one {} s ago; \
                 to record it: {again} --trace {seed}.jsonl",
                took.as_secs(),
                still.as_secs()
            );
            self.progress.aside(|| tell(line));
        }
        false
    }

    fn tell_hang(&mut self, seed: u64, step: u64) {
        self.hung.push((seed, step));
        let failure = Failure { seed, events: step, ending: Ending::Hang(None), differs: None };
        let patience = self.arguments.patience.hang_after;
        let again = self.arguments.again(seed);
        let line = format!(
            "seed {seed} hangs: no event has ended for {} s, after {step} events; \
             to record it: {again} --trace {seed}.jsonl",
            patience.as_secs()
        );
        self.progress.aside(|| tell(line));
        let trace = self.traces.keep(&failure);
        self.tell_failure(&failure, trace);
    }
}

impl Watch for Watcher<'_> {
    fn enough(&mut self) -> bool {
        let is_late = self.arguments.time.is_some_and(|limit| self.began.elapsed() >= limit);
        let has_failed = self.arguments.is_open() && self.failures > 0;
        let is_full = self.folder.as_ref().is_some_and(|folder| folder.unwritten.is_some());
        let is_cut_off = self.unsaid.is_some() || is_full;
        is_late || has_failed || self.interrupt.is_asked() || !self.hung.is_empty() || is_cut_off
    }

    fn ended(&mut self, end: &SeedEnd) {
        let failure = end.failure();
        let trace = failure.as_ref().and_then(|failure| self.traces.keep(failure));
        if let Some(folder) = &mut self.folder {
            folder.add(end, trace.is_some());
        }
        if let Some(failure) = failure {
            self.tell_failure(&failure, trace);
        }
        self.progress.count(self.failures);
    }

    fn gives_up(&mut self, at_work: &mut dyn Iterator<Item = SeedAtWork<'_>>) -> bool {
        if self.looked.elapsed() < Self::LOOK {
            return false;
        }
        self.looked = Instant::now();
        self.traces.go_on();
        self.progress.tick();
        let hang: Vec<bool> = at_work.map(|one| self.look(one)).collect();
        if self.interrupt.is_asked() && !self.is_interrupted {
            self.is_interrupted = true;
            let line = format!("no further seed begins; {} at work come to their end, or ^C again", hang.len());
            self.progress.aside(|| tell(line));
        }
        !hang.is_empty() && hang.into_iter().all(|hangs| hangs)
    }
}
