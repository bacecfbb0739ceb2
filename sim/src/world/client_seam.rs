//! The seam for a user's own clients: what they ask, and what their answers are held against.

use std::fmt::Debug;

use crate::application::Application;
use crate::history::Operation;
use crate::random::Stream;

/// The clients of a user's [`Application`]: brought into a world by [`Setup::client`](super::Setup::client), they take the
/// place of those of the key-value store.
///
/// When they ask, whom, and how often they send again, the plan of a seed says, as for all clients.
///
/// ```
/// use sim::history::Operation;
/// use sim::random::{Concern, Stream};
/// use sim::world::Client;
///
/// /// Asks to add, and now and then for the sum.
/// #[derive(Debug)]
/// struct Adds;
///
/// impl Client for Adds {
///     fn draw(&self, _: u64, stream: &mut Stream) -> Operation {
///         match stream.chance(200) {
///             true => Operation::Query { data: "sum".into() },
///             false => Operation::Request { data: format!("add {}", stream.below(10)).into() },
///         }
///     }
/// }
///
/// let mut stream = Stream::new(1, Concern::Clients);
/// assert_eq!(Adds.draw(0, &mut stream).key(), None);
/// ```
pub trait Client: Debug + Send + Sync {
    /// What this client asks next: an [`Operation::Request`], which is applied in the order of the log, or an
    /// [`Operation::Query`], which changes nothing and is answered by a linearizable read. Everything that is random about it
    /// comes from the stream.
    fn draw(&self, client: u64, stream: &mut Stream) -> Operation;

    /// The sequential model that says what is answered, where it is another than the application itself.
    fn model(&self) -> Option<Box<dyn Application>> {
        None
    }

    /// The key that an operation is about, where it depends on nothing else and changes nothing else. For each key the
    /// history is searched for an order that explains all answers, without belief in the log.
    fn key(&self, operation: &Operation) -> Option<u64> {
        let _ = operation;
        None
    }
}
