//! The traces of an exploration: for each property that is broken, the shortest few, and no more.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::campaign::explore::{Broken, Failure, Workers};
use crate::driver::Start;
use crate::output::tell;
use crate::plan::Plan;
use crate::trace::{Ending, Property};

use super::super::choices::Choices;
use super::super::run::Run;
use super::super::watchdog::Stuck;

/// Records failures, beside the seeds that are run, in a thread of its own.
pub(super) struct Traces {
    folder: PathBuf,
    choices: Choices,
    start: Start,
    kept: BTreeMap<Property, Broken>,
    waiting: VecDeque<u64>,
    recorder: Option<Recorder>,
    /// The traces that were written or could not be, by seed.
    written: BTreeMap<u64, Result<(), String>>,
}

/// Records seeds, and says whether their traces could be written.
type Recorder = Workers<u64, (u64, Result<(), String>)>;

impl Traces {
    pub(super) fn new(folder: PathBuf, choices: Choices, start: Start) -> Self {
        let (kept, written, waiting) = (BTreeMap::new(), BTreeMap::new(), VecDeque::new());
        Self { folder, choices, start, kept, waiting, recorder: None, written }
    }

    /// Goes on with what an earlier start kept: a trace that is not there is recorded.
    pub(super) fn go_on_with(&mut self, broken: &BTreeMap<Property, Broken>) {
        self.kept.clone_from(broken);
        for failure in broken.values().flat_map(|broken| &broken.shortest) {
            if self.path(failure.seed).is_file() {
                self.written.insert(failure.seed, Ok(()));
            } else if !matches!(failure.ending, Ending::Hang(_)) {
                self.waiting.push_back(failure.seed);
            }
        }
    }

    /// Keeps the trace of this failure if it is one of the shortest of its property, and returns where it will be. A
    /// trace that is no longer one of them is removed.
    pub(super) fn keep(&mut self, failure: &Failure) -> Option<PathBuf> {
        let broken = self.kept.entry(failure.property()).or_default();
        let mut before: Vec<u64> = broken.shortest.iter().map(|failure| failure.seed).collect();
        broken.add(failure.clone());
        before.retain(|seed| broken.shortest.iter().all(|kept| kept.seed != *seed));
        let is_kept = broken.shortest.iter().any(|kept| kept.seed == failure.seed);
        before.into_iter().for_each(|seed| self.forget(seed));
        if is_kept && !matches!(failure.ending, Ending::Hang(_)) {
            self.waiting.push_back(failure.seed);
            self.go_on();
        }
        is_kept.then(|| self.path(failure.seed))
    }

    /// Where the trace of this seed is, or why it could not be written, if it is kept.
    pub(super) fn of(&self, seed: u64) -> Option<Result<PathBuf, String>> {
        let written = self.written.get(&seed)?.clone();
        Some(written.map(|()| self.path(seed)))
    }

    /// Begins to record what is next, and takes note of what has been recorded.
    pub(super) fn go_on(&mut self) {
        self.hear(Duration::ZERO);
        if self.recorder.as_ref().is_some_and(|recorder| !recorder.has_free()) {
            return;
        }
        let Some(seed) = self.waiting.pop_front() else { return };
        match self.recorder() {
            Ok(recorder) => recorder.give(seed),
            Err(error) => self.is_written(seed, Err(format!("no thread: {error}"))),
        }
    }

    fn recorder(&mut self) -> io::Result<&mut Recorder> {
        let (choices, folder, start) = (self.choices.clone(), self.folder.clone(), self.start.clone());
        let record =
            move |seed| (seed, made(&folder).and_then(|()| run(seed, &choices, &start).record(&path(&folder, seed))));
        let recorder = match self.recorder.take() {
            Some(recorder) => recorder,
            None => Workers::new(1, record)?,
        };
        Ok(self.recorder.insert(recorder))
    }

    /// Records the run of a seed that hangs, and returns how it ended.
    pub(super) fn record_hang(&mut self, seed: u64, stuck: Stuck) -> Ending {
        let run = run(seed, &self.choices, &self.start);
        let made = made(&self.folder);
        let (ending, written) = run.record_hang(stuck, &self.path(seed));
        self.is_written(seed, made.and(written));
        ending
    }

    /// Waits until all is recorded.
    pub(super) fn finish(&mut self) {
        const LOOK: Duration = Duration::from_millis(50);
        loop {
            self.go_on();
            let is_at_work = self.recorder.as_ref().is_some_and(|recorder| !recorder.has_free());
            if !is_at_work && self.waiting.is_empty() {
                return;
            }
            self.hear(LOOK);
        }
    }

    fn hear(&mut self, patience: Duration) {
        let Some((seed, written)) = self.recorder.as_mut().and_then(|recorder| recorder.wait(patience)) else { return };
        let is_kept = self.kept.values().flat_map(|broken| &broken.shortest).any(|failure| failure.seed == seed);
        if is_kept {
            self.is_written(seed, written);
        } else if written.is_ok() {
            self.remove(seed);
        }
    }

    fn is_written(&mut self, seed: u64, written: Result<(), String>) {
        if let Err(error) = &written {
            tell(format_args!("the trace of seed {seed} cannot be written: {error}"));
        }
        self.written.insert(seed, written);
    }

    fn forget(&mut self, seed: u64) {
        self.waiting.retain(|waiting| *waiting != seed);
        if self.written.remove(&seed).is_some_and(|written| written.is_ok()) {
            self.remove(seed);
        }
    }

    fn remove(&self, seed: u64) {
        // Somebody may have taken it away already.
        drop(fs::remove_file(self.path(seed)));
    }

    fn path(&self, seed: u64) -> PathBuf {
        path(&self.folder, seed)
    }
}

fn run(seed: u64, choices: &Choices, start: &Start) -> Run {
    let plan = Plan::draw(seed, &choices.overrides()).fit(start.world());
    Run { plan, bug: choices.bug.clone(), start: start.clone() }
}

fn path(folder: &Path, seed: u64) -> PathBuf {
    folder.join(format!("violation-{seed}.jsonl"))
}

fn made(folder: &Path) -> Result<(), String> {
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}
