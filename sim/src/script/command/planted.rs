//! Bugs that are switched on for a scenario that shows what they break.

use super::{Command, Syntax};

pub(super) const COMMANDS: &[Syntax] =
    &[Syntax::new("planted-bug", |arguments| arguments.required("the name of a bug").map(Command::Plant))];
