//! A sequence once for each call of a file at which it can crash, and for each thing that the disk can keep then.

use std::fmt::Display;

use crate::disk::{Disk, Kept};
use crate::failure::{Broken, Failure, Promise};
use crate::model::Model;
use crate::next;
use crate::operation::Operation;
use crate::perform::{not_done, opened, perform, step};
use crate::reads;
use crate::under_test::StorageUnderTest;

pub(crate) fn run<S, E>(numbers: &[u64], open: &impl Fn(Disk) -> Result<S, E>) -> Result<(), Failure>
where
    S: StorageUnderTest,
    E: Display,
{
    for call in 1.. {
        for kept in Kept::ALL {
            let crash = Crash { call, kept };
            if !crash.run(numbers, open)? {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// One crash.
struct Crash {
    call: u64,
    kept: Kept,
}

/// How far the storage had come when it crashed.
struct Crashed {
    /// The states that it may come back to, the one of the last sync first.
    possible: Vec<Model>,
    /// The numbers of the operations that were left.
    left: usize,
}

impl Crash {
    /// Whether it came to the crash at all.
    fn run<S, E>(&self, numbers: &[u64], open: &impl Fn(Disk) -> Result<S, E>) -> Result<bool, Failure>
    where
        S: StorageUnderTest,
        E: Display,
    {
        let disk = Disk::new();
        disk.crash_at(self.call);
        let mut done = Vec::new();
        let crashed = self.until_it_crashes(numbers, &disk, open, &mut done);
        let Some(crashed) = crashed.map_err(|broken| Failure::new(broken, done.clone()))? else { return Ok(false) };
        done.push(format!(
            "crash at call {} of a file; of what was not synced the disk keeps {}",
            self.call,
            self.kept.name()
        ));
        let left = &numbers[numbers.len() - crashed.left..];
        self.go_on(left, crashed.possible, &disk, open, &mut done).map_err(|broken| Failure::new(broken, done))?;
        Ok(true)
    }

    fn until_it_crashes<S, E>(
        &self,
        numbers: &[u64],
        disk: &Disk,
        open: &impl Fn(Disk) -> Result<S, E>,
        done: &mut Vec<String>,
    ) -> Result<Option<Crashed>, Broken>
    where
        S: StorageUnderTest,
        E: Display,
    {
        let new = || vec![Model::default()];
        let mut storage = match open(disk.clone()) {
            Ok(storage) => storage,
            Err(_) if disk.has_crashed() => return Ok(Some(Crashed { possible: new(), left: numbers.len() })),
            Err(error) => opened(Err(error), Promise::Accepts)?,
        };
        let mut possible = new();
        for (position, number) in numbers.iter().enumerate() {
            let model = possible.last().expect("it begins with one").clone();
            let operation = next_without_reopening(*number, &model);
            done.push(operation.to_string());
            let result = perform(&mut storage, &operation);
            let allowed = model.allows(&operation);
            if allowed {
                possible.extend(model.steps(&operation));
            }
            if disk.has_crashed() {
                return Ok(Some(Crashed { possible, left: numbers.len() - position - 1 }));
            }
            if let (true, Err(error)) = (allowed, result) {
                return Err(not_done(&operation, &error));
            }
            if operation == Operation::Sync {
                possible.drain(..possible.len() - 1);
            }
        }
        Ok(None)
    }

    /// Opens what the crash left, finds out which state that is, and does the rest from there; at the end it is opened again.
    fn go_on<S, E>(
        &self,
        numbers: &[u64],
        possible: Vec<Model>,
        disk: &Disk,
        open: &impl Fn(Disk) -> Result<S, E>,
        done: &mut Vec<String>,
    ) -> Result<(), Broken>
    where
        S: StorageUnderTest,
        E: Display,
    {
        let disk = disk.restarted(self.kept);
        let mut storage = opened(open(disk.clone()), Promise::Recovers)?;
        let mut model = recovered(&storage, possible)?;
        for number in numbers.iter().take(4) {
            let operation = next_without_reopening(*number, &model);
            done.push(operation.to_string());
            step(&mut storage, &mut model, &operation)?;
        }
        done.push(Operation::Reopen.to_string());
        perform(&mut storage, &Operation::Sync).map_err(|error| not_done(&Operation::Sync, &error))?;
        drop(storage);
        let storage = opened(open(disk), Promise::Reopens)?;
        reads::compare(&storage, &model).map_err(|broken| broken.breaks(Promise::Reopens))
    }
}

/// Reopening is tested without crashes; here it is one more sync.
fn next_without_reopening(number: u64, model: &Model) -> Operation {
    match next::draw(number, model) {
        Operation::Reopen => Operation::Sync,
        other => other,
    }
}

/// The state that the storage came back to. Where it is none of the possible ones, what was synced is the measure.
fn recovered(storage: &impl StorageUnderTest, possible: Vec<Model>) -> Result<Model, Broken> {
    let mut first = None;
    for model in possible {
        match reads::compare_recovered(storage, &model) {
            Ok(hard_state) => return Ok(Model { hard_state, ..model }),
            Err(broken) => first = first.or(Some(broken)),
        }
    }
    let broken = first.expect("there is a possible state");
    let expected = format!("{}, as when it was last synced, or a later state", broken.expected);
    Err(Broken { expected, ..broken.breaks(Promise::Durable) })
}
