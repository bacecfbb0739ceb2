//! The record of a campaign: what ran at each revision of the code, what failed, and how long each situation and each planted bug took.
//!
//! A campaign goes in rounds, and a round in units, each of one [`Driver`]. A record is a file of JSON lines: a head, and then a line for
//! each [`Unit`] that came to its end. [`History`] is what all lines come to. Nothing here reads a clock or a file.

#[cfg(feature = "planted-bugs")]
mod canary;
mod history;
mod lines;
mod old;
mod rounds;
mod unit;

#[cfg(feature = "planted-bugs")]
pub use canary::canary;
pub use history::{Broken, Canaries, History, Ran, Revision, Search, Searched};
pub use lines::{FORMAT, NotARecord, Read, VERSION, head, line, read};
pub use old::{KEPT, Known, Old, in_order};
pub use rounds::{LAST, MOST_SEEDS, MOST_UNITS, Weight, WeightError, Weights, seeds};
pub use unit::{Driver, Failed, Hunted, Took, Unit};
