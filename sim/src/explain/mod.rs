//! What makes a failure plain: a run made short, told as a scenario, or shown event by event, and when it became certain.

mod class;
pub(crate) mod describe;
mod past;
mod report;
mod retelling;
mod show;
mod shrink;
mod sooner;
pub mod tla;
mod why;

pub use class::Class;
pub use past::{Influence, causal_past, causal_past_in};
pub use report::{Curve, Report, report, report_in};
pub(crate) use retelling::say;
pub use retelling::{CannotTell, from_trace, from_trace_in};
pub use show::{CannotShow, Kind, NodesView, View, nodes, show, show_in};
pub use shrink::{CannotShrink, Look, Unwatched, Watch, shrink, shrink_in};
pub use sooner::{fails_sooner, fails_sooner_in};
pub use why::{CannotSayWhy, Harm, Jump, Point, Question, Unwatched as Unasked, Watch as WatchWhy, Why, why, why_in};
