//! The best run so far, with worlds along it from which candidates go on.

use std::sync::Arc;

use super::step::{Runner, Step};
use crate::driver::Stop;
use crate::invariant::Invariant;
use crate::trace::{Ending, Failure};
use crate::world::{Event, World};

/// A run that fails: each of its steps fits, and the last one breaks something.
pub(super) struct Baseline {
    /// What runs begin with.
    start: World,
    pub(super) steps: Vec<Arc<Step>>,
    pub(super) ending: Ending,
    failure: Failure,
    /// Worlds of the run, each with the number of steps that lead to it, at growing distances from the start.
    checkpoints: Vec<(usize, Runner)>,
}

/// A run to try: the baseline up to some step, and then other steps.
pub(super) struct Candidate {
    pub(super) shared: usize,
    pub(super) rest: Vec<Arc<Step>>,
}

impl Baseline {
    /// About how many worlds are kept.
    const CHECKPOINTS: usize = 16;

    /// The recorded run, if it fails.
    pub(super) fn of_recording(start: &World, events: &[Event]) -> Option<Self> {
        let mut runner = Runner::new(start);
        let mut steps = Vec::new();
        for event in events {
            let step = runner.bind(event);
            let applied = runner.apply(&step);
            if !matches!(applied, Ok(None)) {
                steps.push(Arc::new(step));
            }
            if applied.is_err() {
                return Self::of_steps(start, &steps, None);
            }
        }
        None
    }

    /// The run of these steps, if it fails, and in the `wanted` way if there is one.
    pub(super) fn of_steps(start: &World, steps: &[Arc<Step>], wanted: Option<&Failure>) -> Option<Self> {
        let distance = steps.len().div_ceil(Self::CHECKPOINTS).max(8);
        let mut runner = Runner::new(start);
        let (mut kept, mut checkpoints) = (Vec::with_capacity(steps.len()), Vec::new());
        for step in steps {
            if kept.len() % distance == 0 && checkpoints.last().is_none_or(|(at, _)| *at < kept.len()) {
                checkpoints.push((kept.len(), runner.clone()));
            }
            let Some(bound) = runner.bound(step) else { continue };
            match runner.apply(&bound) {
                Ok(None) => {}
                Ok(Some(_)) => kept.push(Arc::new(bound)),
                Err(Stop::Broken(ending)) => {
                    kept.push(Arc::new(bound));
                    let failure = Failure::exactly(&ending)?;
                    let same = wanted.is_none_or(|wanted| *wanted == failure);
                    let start = start.clone();
                    return same.then_some(Self { start, steps: kept, ending, failure, checkpoints });
                }
                Err(Stop::Inapplicable(_)) => {}
            }
        }
        None
    }

    /// Another run, if it fails in the same way.
    pub(super) fn same_failure(&self, events: &[Event]) -> Option<Self> {
        Self::of_recording(&self.start, events).filter(|other| other.failure == self.failure)
    }

    /// The run of a candidate, if it fails in the same way and has no more events.
    pub(super) fn improved_by(&self, candidate: &Candidate) -> Option<Self> {
        let steps: Vec<Arc<Step>> = self.steps[..candidate.shared].iter().chain(&candidate.rest).cloned().collect();
        let better = Self::of_steps(&self.start, &steps, Some(&self.failure))?;
        (better.steps.len() <= self.steps.len()).then_some(better)
    }

    /// The property that it breaks, unless it panics.
    pub(super) fn breaks(&self) -> Option<Invariant> {
        match &self.ending {
            Ending::Violation(violation) => Some(violation.invariant),
            Ending::Completed | Ending::Panic(_) | Ending::Hang(_) => None,
        }
    }

    /// What runs begin with.
    pub(super) const fn start(&self) -> &World {
        &self.start
    }

    /// Whether a candidate fails in the same way.
    pub(super) fn fails_with(&self, candidate: &Candidate) -> bool {
        let Some((at, runner)) = self.checkpoints.iter().rfind(|(at, _)| *at <= candidate.shared) else { return false };
        let mut runner = runner.clone();
        let shared = &self.steps[*at..candidate.shared];
        for step in shared.iter().chain(&candidate.rest) {
            match runner.apply(step) {
                Ok(_) | Err(Stop::Inapplicable(_)) => {}
                Err(Stop::Broken(ending)) => {
                    return Failure::exactly(&ending).is_some_and(|failure| failure == self.failure);
                }
            }
        }
        false
    }

    /// The run without these steps, named by ascending positions.
    pub(super) fn without(&self, removed: &[usize]) -> Candidate {
        let shared = removed.first().copied().unwrap_or(self.steps.len());
        let mut removed = removed.iter().copied().peekable();
        let rest = (shared..self.steps.len()).filter(|position| removed.next_if_eq(position).is_none());
        Candidate { shared, rest: rest.map(|position| Arc::clone(&self.steps[position])).collect() }
    }

    /// The run with other events at these positions, which ascend.
    pub(super) fn with(&self, changed: Vec<(usize, Event)>) -> Candidate {
        let shared = changed.first().map_or(self.steps.len(), |(position, _)| *position);
        let mut rest: Vec<Arc<Step>> = self.steps[shared..].to_vec();
        for (position, event) in changed {
            rest[position - shared] = Arc::new(Step::new(event));
        }
        Candidate { shared, rest }
    }

    /// The run with other events at these positions, and without the step at one that is none of them.
    pub(super) fn with_and_without(&self, changed: Vec<(usize, Event)>, removed: usize) -> Candidate {
        let mut steps = self.steps.clone();
        for (position, event) in changed {
            steps[position] = Arc::new(Step::new(event));
        }
        steps.remove(removed);
        Candidate { shared: 0, rest: steps }
    }

    pub(super) fn events(&self) -> Vec<Event> {
        self.steps.iter().map(|step| step.event.clone()).collect()
    }
}
