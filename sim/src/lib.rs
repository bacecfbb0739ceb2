//! A deterministic simulator for Raft clusters.
//!
//! A [`World`](world::World) is a cluster as one value: real nodes, their disks, the messages in flight, the clients. It takes one
//! [`Event`](world::Event) at a time, and every property is checked after each. A *driver* chooses the events. So a failure is a list
//! of events, whoever found it: it is replayed, made short, shown, and told as a scenario.
//!
//! A seed decides everything:
//!
//! ```
//! use sim::driver::swarm;
//! use sim::plan::{Overrides, Plan};
//!
//! let overrides = Overrides { steps: Some(2_000), ..Overrides::default() };
//! let mut events = 0;
//! let ended = swarm::run(&Plan::draw(1, &overrides), |_| events += 1);
//! assert_eq!(ended.violation, None);
//! assert_eq!(events, ended.world.step());
//! ```
//!
//! | to | begin at |
//! |---|---|
//! | let events happen one by one | [`world`] |
//! | run a seed, replay a trace, judge whether a cluster recovers | [`driver`] |
//! | write down what has to happen, and what is printed then | [`script`] |
//! | check a loop of your own, without a world | [`invariant::Checkers`] |
//! | ask whether clients were told what one copy of the data could have told them | [`history`] |
//! | make a failure short, and look at it | [`explain`] |
//! | run many seeds | [`campaign`] |
//! | fuzz one component | [`harness`] |
//!
//! The command line is behind the feature `cli`, which is on unless it is switched off. The feature `planted-bugs` builds in bugs
//! that real implementations had, to be switched on one at a time.

pub mod application;
pub mod campaign;
pub mod disk;
pub mod driver;
pub mod explain;
pub mod harness;
pub mod history;
pub mod input;
pub mod invariant;
pub mod number;
pub mod output;
pub mod panics;
pub mod plan;
pub mod planted;
pub mod pulse;
pub mod random;
pub mod script;
pub mod situation;
pub mod trace;
pub mod world;

mod slots;
mod spelling;
pub(crate) mod text;

pub use raft_wal as wal;
