//! What makes a failure plain: a run made short, told as a scenario, or shown event by event.

mod describe;
mod report;
mod retelling;
mod show;
mod shrink;
mod sooner;

pub use report::report;
pub use retelling::{CannotTell, from_trace};
pub use show::{CannotShow, View, show};
pub use shrink::{CannotShrink, Look, Unwatched, Watch, shrink};
pub use sooner::fails_sooner;
