//! Traces made by running events: recorded anew, or written with the digests that the run leads to.

use std::io;
use std::path::Path;

use super::play::{Stop, apply};
use crate::trace::{Ending, Header, Sink, Trace, Writer};
use crate::world::{Event, World};

impl Trace {
    /// Runs the events, leaves out those that do not fit, and records what really happened: the events up to where
    /// something broke, and how the run ended.
    pub fn record(header: Header, events: &[Event]) -> Self {
        Self::record_in(&World::new(), header, events)
    }

    /// The same, in a copy of this world: with what a user brings.
    pub fn record_in(world: &World, header: Header, events: &[Event]) -> Self {
        let mut world = world.clone();
        let mut trace = Self { header, events: Vec::new(), ending: Ending::Completed };
        for event in events {
            let applied = apply(&mut world, event);
            if !matches!(applied, Err(Stop::Inapplicable(_))) {
                trace.events.push(event.clone());
            }
            if let Err(Stop::Broken(ending)) = applied {
                trace.ending = ending;
                break;
            }
        }
        trace
    }

    /// Writes the trace to a file, which replaces one of the same name all at once. Runs the events to get the digests;
    /// where they no longer lead to what is recorded, the end says what they lead to.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        self.save_in(&World::new(), path)
    }

    /// The same, in a copy of this world: with what a user brings.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn save_in(&self, world: &World, path: &Path) -> io::Result<()> {
        self.write_in(world, Sink::create(path)?)?.finish()
    }

    /// The file's text.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write<W: io::Write>(&self, out: W) -> io::Result<W> {
        self.write_in(&World::new(), out)
    }

    /// The same, in a copy of this world: with what a user brings.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_in<W: io::Write>(&self, world: &World, out: W) -> io::Result<W> {
        let mut world = world.clone();
        let mut writer = Writer::new(out, &self.header)?;
        for event in &self.events {
            match apply(&mut world, event) {
                Ok(_) => {
                    writer.event(event)?;
                    writer.digest(&world)?;
                }
                Err(Stop::Inapplicable(_)) => {}
                Err(Stop::Broken(ending)) => {
                    writer.event(event)?;
                    return writer.end(&world, &ending);
                }
            }
        }
        writer.end(&world, &Ending::Completed)
    }
}
