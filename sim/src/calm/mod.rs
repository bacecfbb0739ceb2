//! What happens once faults are over.

mod operators;

pub(crate) use self::operators::{Operators, members_down};
