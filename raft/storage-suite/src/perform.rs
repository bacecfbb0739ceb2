//! One operation, on a storage and on the model.

use std::fmt::Display;

use crate::failure::{Broken, Promise};
use crate::model::Model;
use crate::operation::{Operation, Write};
use crate::reads;
use crate::under_test::StorageUnderTest;

/// The operation on both, and all reads after it.
pub(crate) fn step(
    storage: &mut impl StorageUnderTest,
    model: &mut Model,
    operation: &Operation,
) -> Result<(), Broken> {
    let result = perform(storage, operation);
    if !model.allows(operation) {
        return reads::compare(storage, model).map_err(|broken| broken.breaks(Promise::Refuses));
    }
    result.map_err(|error| not_done(operation, &error))?;
    *model = model.steps(operation).pop().expect("there is a last step");
    reads::compare(storage, model)
}

/// The calls that the operation stands for. What they return counts only where the model allows it.
pub(crate) fn perform(storage: &mut impl StorageUnderTest, operation: &Operation) -> Result<(), String> {
    let result = match operation {
        Operation::Write(Write { snapshot, entries, hard_state }) => {
            storage.write(snapshot.as_ref(), entries, *hard_state)
        }
        Operation::Sync | Operation::Reopen => storage.sync(),
        Operation::CreateSnapshot(snapshot) => {
            storage.create_snapshot(snapshot.id.index, &snapshot.conf_state, snapshot.data.clone())
        }
        Operation::Compact(index) => storage.compact(*index),
    };
    result.map_err(|error| error.to_string())
}

/// That the storage did not do what a host may ask for.
pub(crate) fn not_done(operation: &Operation, error: &str) -> Broken {
    Broken {
        promise: Promise::Accepts,
        read: operation.to_string(),
        expected: "it is done".to_owned(),
        found: format!("the error \"{error}\""),
    }
}

/// The storage, or that it did not open.
pub(crate) fn opened<S, E: Display>(result: Result<S, E>, promise: Promise) -> Result<S, Broken> {
    result.map_err(|error| Broken {
        promise,
        read: "opening it".to_owned(),
        expected: "a storage".to_owned(),
        found: format!("the error \"{error}\""),
    })
}
