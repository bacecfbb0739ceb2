//! Draws sequences of operations, runs them, and makes the first that breaks a promise short.

use std::fmt::Display;

use crate::crash;
use crate::disk::Disk;
use crate::draws::Draws;
use crate::failure::{Broken, Failure, Promise};
use crate::model::Model;
use crate::next;
use crate::operation::Operation;
use crate::perform::{opened, step};
use crate::reads;
use crate::under_test::StorageUnderTest;

/// How much is tried.
///
/// ```
/// use raft_storage_suite::{Disk, Suite};
/// let thorough = Suite { sequences: 10_000, ..Suite::default() };
/// assert!(thorough.operations > 10);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Suite {
    /// What all draws follow from.
    pub seed: u64,
    /// How many sequences of operations.
    pub sequences: usize,
    /// How many operations the longest sequence has. The first sequences are short, so that a plain mistake fails shortly.
    pub operations: usize,
}

impl Default for Suite {
    /// Some seconds for a storage in memory, where the tests are built with optimization.
    fn default() -> Self {
        Self { seed: 1, sequences: 300, operations: 40 }
    }
}

/// Tests a storage with the usual [`Suite`]: [`Suite::check`].
///
/// # Errors
/// The promise that the storage broke.
pub fn check<M, S, E>(fresh: impl Fn() -> M, open: impl Fn(&M) -> Result<S, E>) -> Result<(), Failure>
where
    S: StorageUnderTest,
    E: Display,
{
    Suite::default().check(fresh, open)
}

/// Tests a storage and its recovery with the usual [`Suite`]: [`Suite::check_crashes`].
///
/// # Errors
/// The promise that the storage broke.
pub fn check_crashes<S, E>(open: impl Fn(Disk) -> Result<S, E>) -> Result<(), Failure>
where
    S: StorageUnderTest,
    E: Display,
{
    Suite::default().check_crashes(open)
}

impl Suite {
    /// Tests what a storage says, now and after it was opened again. `fresh` makes the place where one keeps its data, a directory
    /// for instance, and `open` opens the storage that is kept there: a new one at first, with an empty membership.
    ///
    /// # Errors
    /// The promise that the storage broke.
    pub fn check<M, S, E>(&self, fresh: impl Fn() -> M, open: impl Fn(&M) -> Result<S, E>) -> Result<(), Failure>
    where
        S: StorageUnderTest,
        E: Display,
    {
        self.search(|numbers| run(numbers, &fresh, &open))
    }

    /// Tests the same, and after a crash at each call of a file, with each of [`Kept`](crate::Kept), that the storage opens again, has
    /// all that was synced and of what came later only a first part, and works on.
    ///
    /// # Errors
    /// The promise that the storage broke.
    pub fn check_crashes<S, E>(&self, open: impl Fn(Disk) -> Result<S, E>) -> Result<(), Failure>
    where
        S: StorageUnderTest,
        E: Display,
    {
        let reopen = |disk: &Disk| open(disk.clone());
        self.search(|numbers| run(numbers, &Disk::new, &reopen))?;
        // Each sequence is run some hundred times.
        let fewer = Self { sequences: self.sequences.div_ceil(10), operations: self.operations.div_ceil(2), ..*self };
        fewer.search(|numbers| crash::run(numbers, &open))
    }

    fn search(&self, run: impl Fn(&[u64]) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut draws = Draws::new(self.seed);
        for sequence in 0..self.sequences {
            let length = 1 + sequence * self.operations / self.sequences;
            let numbers: Vec<u64> = (0..length).map(|_| draws.number()).collect();
            if let Err(failure) = run(&numbers) {
                return Err(shorten(numbers, failure, run));
            }
        }
        Ok(())
    }
}

/// Leaves out operations, the last one first, as long as the same promise is broken without them.
fn shorten(mut numbers: Vec<u64>, mut failure: Failure, run: impl Fn(&[u64]) -> Result<(), Failure>) -> Failure {
    let mut tried = numbers.len();
    while tried > 0 {
        tried -= 1;
        let mut fewer = numbers.clone();
        fewer.remove(tried);
        match run(&fewer) {
            Err(shorter) if shorter.promise == failure.promise => {
                (numbers, failure) = (fewer, shorter);
                tried = numbers.len().min(tried + 1);
            }
            Ok(()) | Err(_) => {}
        }
    }
    failure
}

/// A sequence from the beginning, without a crash.
fn run<M, S, E>(numbers: &[u64], fresh: &impl Fn() -> M, open: &impl Fn(&M) -> Result<S, E>) -> Result<(), Failure>
where
    S: StorageUnderTest,
    E: Display,
{
    let place = fresh();
    let mut done = Vec::new();
    let mut model = Model::default();
    let mut storage = opened(open(&place), Promise::Accepts).map_err(|broken| Failure::new(broken, Vec::new()))?;
    let told = |broken: Broken, done: &[String]| Failure::new(broken, done.to_vec());
    reads::compare(&storage, &model).map_err(|broken| told(broken, &done))?;
    for number in numbers {
        let operation = next::draw(*number, &model);
        done.push(operation.to_string());
        let step = step(&mut storage, &mut model, &operation).and_then(|()| {
            if operation == Operation::Reopen {
                storage = opened(open(&place), Promise::Reopens)?;
                return reads::compare(&storage, &model).map_err(|broken| broken.breaks(Promise::Reopens));
            }
            Ok(())
        });
        step.map_err(|broken| told(broken, &done))?;
    }
    Ok(())
}
