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
//! # What you can bring
//! A world takes what is yours in the place of what is the project's: a [`Setup`](world::Setup) holds it, and
//! [`World::with`](world::World::with) makes a world of it. Every driver has a form that begins with a world of yours; so what you
//! bring is run under all faults, recorded, replayed, made short, told as a scenario, and shown, like the project's own.
//!
//! | what | its seam | an example, which is tested |
//! |---|---|---|
//! | an application, and the clients that use it | [`Application`](application::Application), [`Client`](world::Client) | `examples/bank.rs`: a bank with transfers |
//! | a durable log | [`Log`](world::Log), over the files of [`wal`] | `examples/own_log.rs`: a short log, and three mistakes in it |
//! | another Raft | [`Engine`](world::consensus::Engine), whose nodes are [`Consensus`](world::consensus::Consensus) | the package `sim/engines/raft-rs`: raft-rs as it was released |
//! | a property | [`Property`](world::Property) | `examples/bank.rs`: money is neither made nor lost |
//! | a loop that runs nodes, without a world | [`invariant::Checkers`] | `examples/own_loop.rs`: three nodes and a queue |
//!
//! In short, a counter, its clients, and what they rely on:
//!
//! ```
//! use bytes::Bytes;
//! use sim::application::{Application, Request};
//! use sim::driver::swarm::run_in;
//! use sim::history::Operation;
//! use sim::invariant::About;
//! use sim::plan::{Overrides, Plan};
//! use sim::random::Stream;
//! use sim::world::{Client, Contradiction, Property, Seen, Setup, World};
//!
//! #[derive(Clone, Debug, Default)]
//! struct Counter(u64);
//!
//! impl Application for Counter {
//!     fn apply(&mut self, _: &Request<'_>) -> Bytes {
//!         self.0 += 1;
//!         self.0.to_string().into()
//!     }
//!
//!     fn snapshot(&self) -> Bytes {
//!         self.0.to_string().into()
//!     }
//!
//!     fn restore(&mut self, snapshot: &[u8]) {
//!         self.0 = std::str::from_utf8(snapshot).ok().and_then(|text| text.parse().ok()).unwrap_or_default();
//!     }
//! }
//!
//! #[derive(Debug)]
//! struct Counts;
//!
//! impl Client for Counts {
//!     fn draw(&self, _: u64, _: &mut Stream) -> Operation {
//!         Operation::Request { data: "count".into() }
//!     }
//! }
//!
//! #[derive(Clone, Debug)]
//! struct StaysBelow(u64);
//!
//! impl Property for StaysBelow {
//!     fn about(&self) -> &'static About {
//!         &About { name: "stays-below", meaning: "nobody counts this far.", source: "an example" }
//!     }
//!
//!     fn check(&mut self, seen: &Seen<'_>) -> Result<(), Contradiction> {
//!         let machines = seen.world.replicas().filter_map(|replica| Some((replica.id(), replica.state_machine()?)));
//!         for (id, machine) in machines {
//!             if machine.application::<Counter>().is_some_and(|counter| counter.0 >= self.0) {
//!                 return Err(Contradiction::of([id], format!("node {id} has counted to {}", self.0)));
//!             }
//!         }
//!         Ok(())
//!     }
//! }
//!
//! let setup = Setup::new().application(Counter::default()).client(Counts).property(StaysBelow(10));
//! let ended = run_in(&World::with(setup), &Plan::draw(1, &Overrides { steps: Some(20_000), ..Overrides::default() }), |_| {});
//! assert_eq!(ended.violation.expect("they count further").invariant.name(), "stays-below");
//! ```
//!
//! # Where to begin
//!
//! | to | begin at |
//! |---|---|
//! | let events happen one by one | [`world`] |
//! | run a seed, replay a trace, judge whether a cluster recovers | [`driver`] |
//! | write down what has to happen, and what is printed then | [`script`] |
//! | type commands and see what they lead to | [`session`] |
//! | check a loop of your own, without a world | [`invariant::Checkers`] |
//! | ask whether clients were told what one copy of the data could have told them | [`history`] |
//! | make a failure short, and look at it | [`explain`] |
//! | run many seeds | [`campaign`] |
//! | fuzz one component | [`harness`] |
//!
//! The command line is behind the feature `cli`, which is on unless it is switched off; [`cli::main`] is it. The feature `planted-bugs` builds in bugs
//! that real implementations had, to be switched on one at a time.

pub mod application;
pub mod campaign;
#[cfg(feature = "cli")]
pub mod cli;
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
pub mod session;
pub mod situation;
pub mod trace;
pub mod world;

mod few;
mod shared;
mod slots;
mod spelling;
mod state_hasher;
pub(crate) mod text;

pub use raft_wal as wal;
