//! A run as data: recorded, replayed, shrunk to what matters, and looked at.
//!
//! A trace is a text file of JSON lines; with a name that ends in `.zst` it is compressed. First comes a [`Header`], then
//! a line for each event, in the order in which they happened, with the world's digest every so many events, and last
//! an [`End`]. A run of two events that ended well:
//!
//! ```text
//! {"format":"raft-sim-trace","version":2,"project":"0.1.0","revision":"0bda1fe12a34","seed":"7","digest_every":1000,"plan":null}
//! {"Start":{"node":1,"boot":"Empty","options":{…},"seed":null}}
//! {"Tick":{"node":1}}
//! {"end":{"steps":2,"digest":"5b5e7fae2b9a3a2c"}}
//! ```
//!
//! Between events there are digest lines, `{"digest":{"step":1000,"value":"90b6c54fd2a4ee0f"}}`: the digest after so
//! many events. Where a property broke, the last event is the one that broke it, and the end says how:
//! `{"end":{"steps":17,"digest":"…","violation":{"invariant":"vote-once","step":16,"nodes":[1],"detail":"…"}}}`. Its
//! digest is the one before the event. If the code under test never came back, the end holds the event that it was
//! given, `{"end":{"steps":16,"digest":"…","hang":{"event":{"Tick":{"node":1}}}}}`, so that a replay of the other
//! events does not hang as well.
//!
//! A cluster that does not converge is recorded until it should have, for tens of thousands of events. Shrunk, such a
//! trace ends with one line that stands for all of them, `{"ExpectLiveness":{"core":null}}`: faults are over, and the
//! state alone decides what happens then (see [`liveness`](crate::driver::liveness)). What happens cannot be cut short,
//! so the event fails only if the cluster stalls. `core` names the nodes for which faults are over, `[1,2,4]`, or is
//! `null` for all. [`show`](crate::explain::show) and [`report`](crate::explain::report) can show it event by event.
//!
//! An event is written as [`Event`](crate::world::Event) says, a digest in hexadecimal. Many readers of JSON hold no
//! more than 53 bits of a number: a larger number is written as text, seeds always are, and a limit that limits nothing
//! is `null` (see [`number`](crate::number)). Traces of version 1, which has numbers of any size, can still be read.
//!
//! ```
//! use raft::NodeId;
//! use sim::trace::{Ending, Header, Reader, Writer};
//! use sim::driver::{Replayed, replay};
//! use sim::world::{Boot, Event, NodeOptions, World};
//!
//! let node = NodeId::new(1).expect("not zero");
//! let (boot, options) = (Boot::Peers(vec![node]), NodeOptions::default());
//! let mut world = World::new();
//! let mut writer = Writer::new(Vec::new(), &Header::new(Some(7)))?;
//! for event in [Event::Start { node, boot, options, seed: Some(7) }, Event::TakeReady { node }] {
//!     writer.event(&event)?;
//!     world.apply(&event)?;
//!     writer.digest(&world)?;
//! }
//! let bytes = writer.end(&world, &Ending::Completed)?;
//!
//! let replayed = replay(Reader::new(&bytes[..], "here")?)?;
//! assert_eq!(replayed, Replayed::Completed { steps: 2 });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod failure;
mod file;
mod format;
mod property;
mod reader;
mod whole;
mod writer;

pub use failure::Failure;
pub use file::{Sink, Source};
pub use format::{End, Ending, FORMAT, Header, OLDEST, REVISION, VERSION};
pub use property::Property;
pub use reader::{Line, ReadError, Reader, Trouble};
pub use whole::Trace;
pub use writer::Writer;
