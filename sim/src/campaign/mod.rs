//! Many runs: seeds explored on every core, every order of events within bounds, the crash points of a run, and the hunt that says
//! whether planted bugs are caught; shares of a range of seeds, for many machines; and the record of a campaign, over many revisions.

pub mod availability;
mod confidence;
pub mod exhaust;
pub mod explore;
#[cfg(feature = "planted-bugs")]
pub mod hunt;
pub mod record;
pub mod share;
pub mod sweep;

pub use confidence::rarer_than;
