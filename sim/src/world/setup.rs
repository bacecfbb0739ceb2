//! What a world is made of that is not the project's own.

use std::sync::Arc;

use super::World;
use super::client_seam::Client;
use super::consensus::Engine;
use super::log::Log;
use super::property::Property;
use crate::application::Application;

/// What a user brings into a [`World`]. The default is nothing: the project's own node, log and application, and the
/// properties that are checked anyway.
///
/// Every driver begins with a world; so what is brought goes everywhere: `swarm::run_in`, `replay_in`, `shrink_in`, and so on.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    pub(super) engine: Option<Arc<dyn Engine>>,
    pub(super) properties: Vec<Box<dyn Property>>,
    /// As it is before anything was applied.
    pub(super) application: Option<Arc<dyn Application>>,
    client: Option<Arc<dyn Client>>,
    /// As it is before it is created or opened.
    pub(super) log: Option<Arc<dyn Log>>,
}

impl Setup {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// All nodes are those of this engine, in the place of the project's own.
    #[must_use]
    pub fn engine(mut self, engine: Arc<dyn Engine>) -> Self {
        self.engine = Some(engine);
        self
    }

    /// Adds a property, to be checked after every event.
    #[must_use]
    pub fn property(mut self, property: impl Property + 'static) -> Self {
        self.properties.push(Box::new(property));
        self
    }

    /// Puts an application in the place of the key-value store. This is its state before anything was applied.
    #[must_use]
    pub fn application(mut self, application: impl Application) -> Self {
        self.application = Some(Arc::new(application));
        self
    }

    /// Puts clients in the place of those of the key-value store.
    #[must_use]
    pub fn client(mut self, client: impl Client + 'static) -> Self {
        self.client = Some(Arc::new(client));
        self
    }

    /// Puts a log in the place of the project's, on every node.
    #[must_use]
    pub fn log(mut self, log: impl Log + 'static) -> Self {
        self.log = Some(Arc::new(log));
        self
    }

    /// The clients that a user has brought.
    pub(super) fn brought_client(&self) -> Option<&Arc<dyn Client>> {
        self.client.as_ref()
    }

    /// What the answers of the application are held against.
    pub(super) fn model(&self) -> Option<Box<dyn Application>> {
        let initial = self.application.as_ref()?;
        Some(self.client.as_ref().and_then(|client| client.model()).unwrap_or_else(|| initial.clone_boxed()))
    }
}

impl World {
    /// The engine of its nodes, where they are not the project's own.
    pub fn engine(&self) -> Option<&dyn Engine> {
        self.setup.engine.as_deref()
    }

    /// Whether a user has brought an application of his own, which has requests of its own.
    pub const fn has_own_application(&self) -> bool {
        self.setup.application.is_some()
    }

    /// The clients that a user has brought.
    pub fn brought_client(&self) -> Option<&dyn Client> {
        self.setup.brought_client().map(|client| &**client)
    }
}
