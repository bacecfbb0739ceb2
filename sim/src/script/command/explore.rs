//! The place in a scenario from which runs go on at random.

use super::{Command, Syntax};

pub(super) const COMMANDS: &[Syntax] = &[Syntax::new("explore-from-here", |_| Ok(Command::ExploreFromHere))];
