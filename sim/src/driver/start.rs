//! Where runs begin: in a world in which nothing has happened yet, or after events that have.

use std::io::{self, Write};
use std::sync::Arc;

use super::{Stop, apply};
use crate::trace::Writer;
use crate::world::{Event, World};

/// A world, and the events that led to it.
#[derive(Clone, Debug)]
pub struct Start {
    before: World,
    events: Arc<[Event]>,
    world: World,
}

impl Start {
    /// Nothing has happened.
    pub fn of(world: World) -> Self {
        Self { before: world.clone(), events: Arc::default(), world }
    }

    /// These events have happened.
    ///
    /// # Errors
    /// One of them does not fit, or breaks something.
    ///
    /// ```
    /// use sim::driver::Start;
    /// use sim::world::World;
    /// let trace = sim::script::record("add-nodes 1 voters=(1) index=2\ncampaign 1\n").unwrap();
    /// let start = Start::after(World::new(), &trace.events).unwrap();
    /// assert_eq!(start.world().step(), 2);
    /// ```
    pub fn after(before: World, events: &[Event]) -> Result<Self, Stop> {
        let mut world = before.clone();
        events.iter().try_for_each(|event| apply(&mut world, event).map(drop))?;
        Ok(Self { before, events: events.into(), world })
    }

    /// The world in which runs begin.
    pub const fn world(&self) -> &World {
        &self.world
    }

    /// Writes the events that have happened. The planted bug with which they happened is on.
    pub(super) fn write<W: Write>(&self, writer: &mut Writer<W>) -> io::Result<()> {
        let mut world = self.before.clone();
        self.events.iter().try_for_each(|event| {
            writer.event(event)?;
            // What has happened once happens again.
            drop(apply(&mut world, event));
            writer.digest(&world)
        })
    }
}
