//! What a world is made of that is not the project's own.

use super::World;
use super::property::Property;

/// What a user brings into a [`World`]. The default is nothing: the project's own node, log and application, and the
/// properties that are checked anyway.
///
/// Every driver begins with a world; so what is brought goes everywhere: `swarm::run_in`, `replay_in`, `shrink_in`, and so on.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    properties: Vec<Box<dyn Property>>,
}

impl Setup {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a property, to be checked after every event.
    #[must_use]
    pub fn property(mut self, property: impl Property + 'static) -> Self {
        self.properties.push(Box::new(property));
        self
    }
}

impl World {
    /// A world without nodes, made of what a user brings.
    pub fn with(setup: Setup) -> Self {
        let Setup { properties } = setup;
        Self { properties, ..Self::default() }
    }
}
