//! Threads that do one job after another, for a parent that decides what is next and sees how far each one is.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Builder;
use std::time::Duration;

use crate::pulse::Pulse;

/// A fixed number of threads, each with a job or free. A thread that never comes back can be left behind: nobody waits
/// for it.
///
/// ```
/// use std::time::Duration;
/// use sim::campaign::explore::Workers;
/// let mut workers = Workers::new(2, |number: u64| number * number)?;
/// (1..=2).for_each(|number| workers.give(number));
/// assert!(!workers.has_free());
/// let mut done: Vec<u64> = std::iter::from_fn(|| workers.wait(Duration::from_secs(60))).collect();
/// done.sort();
/// assert_eq!(done, [1, 4]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Workers<J, T> {
    hands: Vec<Hand<J>>,
    done: Receiver<Done<T>>,
}

struct Hand<J> {
    orders: Sender<J>,
    job: Option<J>,
    pulse: Arc<Pulse>,
}

struct Done<T> {
    hand: usize,
    result: Result<T, Box<dyn Any + Send>>,
}

/// A thread that is at work.
#[derive(Clone, Copy, Debug)]
pub struct AtWork<'a, J> {
    /// Its number.
    pub worker: usize,
    /// Its job.
    pub job: &'a J,
    /// How far it is.
    pub pulse: &'a Pulse,
}

impl<J: Clone + Send + 'static, T: Send + 'static> Workers<J, T> {
    /// Starts `count` threads that do this work.
    ///
    /// # Errors
    /// The operating system refuses to start one.
    pub fn new(count: usize, work: impl Fn(J) -> T + Send + Sync + 'static) -> io::Result<Self> {
        let work = Arc::new(work);
        let (sender, done) = channel();
        let hand = |hand| {
            let (orders, jobs) = channel();
            let pulse = Arc::new(Pulse::default());
            let (work, pulses, sender) = (work.clone(), pulse.clone(), sender.clone());
            Builder::new().spawn(move || {
                pulses.of(|| {
                    for job in jobs {
                        let result = catch_unwind(AssertUnwindSafe(|| work(job)));
                        if sender.send(Done { hand, result }).is_err() {
                            return;
                        }
                    }
                });
            })?;
            Ok(Hand { orders, job: None, pulse })
        };
        Ok(Self { hands: (0..count).map(hand).collect::<io::Result<_>>()?, done })
    }

    /// Whether a thread is free.
    pub fn has_free(&self) -> bool {
        self.hands.iter().any(|hand| hand.job.is_none())
    }

    /// Gives a job to a free thread.
    ///
    /// # Panics
    /// If no thread is free.
    pub fn give(&mut self, job: J) {
        let hand = self.hands.iter_mut().find(|hand| hand.job.is_none()).expect("one of the threads is free");
        hand.job = Some(job.clone());
        hand.orders.send(job).expect("a thread lives as long as it is given jobs");
    }

    /// The threads that are at work.
    pub fn at_work(&self) -> impl Iterator<Item = AtWork<'_, J>> {
        let hands = self.hands.iter().enumerate();
        hands.filter_map(|(worker, hand)| Some(AtWork { worker, job: hand.job.as_ref()?, pulse: &hand.pulse }))
    }

    /// Waits for the next result of any thread. `None` if no thread is at work, or if no result comes in the time of
    /// `patience`.
    ///
    /// # Panics
    /// If the job panicked, with the same message.
    pub fn wait(&mut self, patience: Duration) -> Option<T> {
        self.at_work().next()?;
        let Done { hand, result } = self.done.recv_timeout(patience).ok()?;
        self.hands[hand].job = None;
        Some(result.unwrap_or_else(|panic| resume_unwind(panic)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_never_comes_back_holds_nobody_up() {
        let (never, ends) = channel::<()>();
        let ends = std::sync::Mutex::new(ends);
        let mut workers = Workers::new(2, move |hangs| {
            if hangs {
                // Blocks until the other end is gone.
                drop(ends.lock().map(|ends| ends.recv()));
            }
            hangs
        });
        let workers = workers.as_mut().expect("threads start");
        workers.give(true);
        for _ in 0..10 {
            workers.give(false);
            assert_eq!(workers.wait(Duration::from_secs(600)), Some(false));
        }
        let at_work: Vec<bool> = workers.at_work().map(|one| *one.job).collect();
        assert_eq!(at_work, [true]);
        drop(never);
        assert_eq!(workers.wait(Duration::from_secs(600)), Some(true));
        assert_eq!(workers.wait(Duration::from_secs(600)), None, "nobody is at work");
    }

    #[test]
    #[should_panic(expected = "a job that fails")]
    fn a_panic_of_a_job_reaches_whoever_waits() {
        let mut workers = Workers::<(), ()>::new(1, |()| panic!("a job that fails")).expect("threads start");
        workers.give(());
        workers.wait(Duration::from_secs(600));
    }
}
