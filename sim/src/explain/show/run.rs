//! A run before it is shown: what can have influenced a failure is known at its end only.

use std::io::BufRead;

use crate::driver::{Stop, apply, liveness};
use crate::explain::Influence;
use crate::explain::past::Causes;
use crate::trace::{Line, ReadError, Reader};
use crate::world::World;

/// What there is to show.
#[derive(Default)]
pub(super) struct Run {
    /// The lines up to where something breaks.
    pub(super) lines: Vec<Line>,
    /// Which of the events can have influenced the failure, if the run fails.
    pub(super) past: Option<Vec<Influence>>,
    /// Why no more lines can be read.
    pub(super) trouble: Option<ReadError>,
}

impl Run {
    /// The run that this reads, in a copy of this world.
    pub(super) fn of<R: BufRead>(world: &World, mut reader: Reader<R>, shows_liveness: bool) -> Self {
        let (mut run, mut causes, mut world) = (Self::default(), Causes::default(), world.clone());
        loop {
            let event = match reader.next_line() {
                Ok(Some(Line::Event(event))) => event,
                Ok(Some(line)) => {
                    run.lines.push(line);
                    continue;
                }
                Ok(None) => return run,
                Err(error) => return Self { trouble: Some(error), ..run },
            };
            let phase = shows_liveness.then(|| liveness::events_of(&event, &world)).flatten();
            // A liveness phase happens to a copy of the cluster, which ends here.
            let is_last = phase.is_some();
            for event in phase.unwrap_or_else(|| vec![event]) {
                causes.before(&event, &world);
                let happened = apply(&mut world, &event);
                run.lines.push(Line::Event(event));
                match happened {
                    Ok(outcome) => causes.after(&outcome),
                    Err(Stop::Inapplicable(_)) => {}
                    Err(Stop::Broken(ending)) => return Self { past: Some(causes.past(&ending)), ..run },
                }
            }
            if is_last {
                return run;
            }
        }
    }
}
