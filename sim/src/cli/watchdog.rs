//! Whether a run still moves. That takes a clock, which no run itself looks at.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::{Builder, sleep};
use std::time::{Duration, Instant};

use crate::driver::swarm::Swarm;
use crate::plan::Plan;
use crate::planted;
use crate::pulse::Pulse;
use crate::world::{Event, World};
use clap::Args;

use super::time;

/// When a run counts as one that hangs.
#[derive(Args, Clone, Debug)]
pub(super) struct Patience {
    /// A run in which no event ends for this long hangs, which is a failure: seconds, or with s, m or h
    #[arg(long, value_name = "T", default_value = "60s", value_parser = time::some)]
    pub(super) hang_after: Duration,
}

/// Measures how long nothing has moved.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vigil {
    beats: u64,
    since: Instant,
}

impl Vigil {
    pub(super) fn new(pulse: &Pulse) -> Self {
        Self { beats: pulse.beats(), since: Instant::now() }
    }

    /// For how long it has stood still.
    pub(super) fn stands_still(&mut self, pulse: &Pulse) -> Duration {
        if self.beats != pulse.beats() {
            *self = Self::new(pulse);
        }
        self.since.elapsed()
    }
}

/// A run in which nothing moves any more; holds the number of events before that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stuck(pub(super) u64);

/// Does `work` in a thread of its own, which is left behind if nothing moves for the time of `patience`.
///
/// # Errors
/// It hangs.
pub(super) fn watched<T: Send + 'static>(
    patience: &Patience,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Stuck> {
    let pulse = Arc::new(Pulse::default());
    let done = started(&pulse, work);
    let mut vigil = Vigil::new(&pulse);
    loop {
        match done.recv_timeout(LOOK) {
            Ok(result) => return Ok(result.unwrap_or_else(|panic| resume_unwind(panic))),
            Err(RecvTimeoutError::Disconnected) => unreachable!("a thread says how it ended"),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if vigil.stands_still(&pulse) >= patience.hang_after {
            return Err(Stuck(pulse.step()));
        }
    }
}

/// How often the waiting thread looks.
const LOOK: Duration = Duration::from_millis(20);

type Ended<T> = Result<T, Box<dyn Any + Send>>;

fn started<T: Send + 'static>(
    pulse: &Arc<Pulse>,
    work: impl FnOnce() -> T + Send + 'static,
) -> std::sync::mpsc::Receiver<Ended<T>> {
    let (sender, done) = channel();
    let pulse = pulse.clone();
    let thread = Builder::new().name("run".to_owned());
    let started = thread.spawn(move || {
        let ended = catch_unwind(AssertUnwindSafe(|| pulse.of(work)));
        // Whoever waited may have given up.
        drop(sender.send(ended));
    });
    started.expect("one more thread can start");
    done
}

/// The event that never ends, in a run that comes to `step` and no further. `None` if the run hangs between two events,
/// or goes on this time.
pub(super) fn event_that_hangs(world: &World, plan: &Plan, bug: Option<&str>, step: u64) -> Option<Event> {
    const LONG_ENOUGH: Duration = Duration::from_secs(1);
    let pulse = Arc::new(Pulse::keeping(step));
    let (world, plan, bug) = (world.clone(), plan.clone(), bug.map(str::to_owned));
    let done = started(&pulse, move || {
        let _switched = planted::switch_on(bug.as_deref());
        let mut swarm = Swarm::new_in(&world, &plan);
        while swarm.world().step() <= step && swarm.go_on(&mut |_| {}).is_none() {}
    });
    let mut vigil = Vigil::new(&pulse);
    while pulse.step() < step || vigil.stands_still(&pulse) < LONG_ENOUGH {
        if !matches!(done.try_recv(), Err(std::sync::mpsc::TryRecvError::Empty)) {
            return None;
        }
        sleep(LOOK);
    }
    pulse.event()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patience(milliseconds: u64) -> Patience {
        Patience { hang_after: Duration::from_millis(milliseconds) }
    }

    #[test]
    fn what_ends_is_waited_for_and_what_does_not_is_left_behind() {
        assert_eq!(watched(&patience(600_000), || 7), Ok(7));
        let (never, ends) = channel::<()>();
        let stuck = watched(&patience(50), move || ends.recv().is_ok());
        assert_eq!(stuck, Err(Stuck(0)));
        drop(never);
    }

    #[test]
    fn a_run_that_goes_on_has_no_event_that_hangs() {
        let overrides = crate::plan::Overrides { steps: Some(50), ..Default::default() };
        assert_eq!(event_that_hangs(&World::new(), &Plan::draw(1, &overrides), None, 10), None);
    }

    #[test]
    #[should_panic(expected = "a fault of the tool")]
    fn a_panic_goes_on_to_whoever_waits() {
        let _ = watched(&patience(600_000), || panic!("a fault of the tool"));
    }
}
