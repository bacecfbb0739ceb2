//! The seam for a user's own application: what a cluster keeps, and what its clients are answered by.

use std::any::Any;
use std::fmt::Debug;
use std::hash::{Hash, Hasher};

use bytes::Bytes;
use raft::Index;
use xxhash_rust::xxh3::xxh3_64;

/// A deterministic application: the same requests in the same order lead to the same state and the same answers, on every
/// node and in every run. No clock, no randomness, no order of a hash map.
///
/// Brought into a world by [`Setup::application`](crate::world::Setup::application), it takes the place of the key-value store
/// on every node. It is also the sequential model: a further copy applies the requests in the order in which nodes do, and
/// every answer is compared with that copy's.
///
/// ```
/// use bytes::Bytes;
/// use sim::application::{Application, Request};
///
/// /// Counts, and answers the count.
/// #[derive(Clone, Debug, Default)]
/// struct Counter(u64);
///
/// impl Application for Counter {
///     fn apply(&mut self, _: &Request<'_>) -> Bytes {
///         self.0 += 1;
///         self.0.to_string().into()
///     }
///
///     fn query(&self, _: &[u8]) -> Bytes {
///         self.0.to_string().into()
///     }
///
///     fn snapshot(&self) -> Bytes {
///         self.0.to_string().into()
///     }
///
///     fn restore(&mut self, snapshot: &[u8]) {
///         self.0 = std::str::from_utf8(snapshot).ok().and_then(|text| text.parse().ok()).unwrap_or_default();
///     }
/// }
///
/// let mut restored = Counter::default();
/// restored.restore(&Counter(7).snapshot());
/// assert_eq!(restored.hash(), Counter(7).hash());
/// ```
pub trait Application: CloneApplication + Any + Debug + Send + Sync {
    /// Applies a request that is committed, and answers it.
    ///
    /// Each takes effect once: a request that a client sent again, and that is in the log twice, is applied the first time
    /// (thesis, 6.3), unless the application [keeps sessions](Self::keeps_sessions) itself.
    fn apply(&mut self, request: &Request<'_>) -> Bytes;

    /// Answers a question that changes nothing.
    fn query(&self, question: &[u8]) -> Bytes {
        let _ = question;
        Bytes::new()
    }

    /// The whole state, to be written to the disk and sent to others.
    fn snapshot(&self) -> Bytes;

    /// Takes over the state in a snapshot. It is called on a copy of the application as it was brought. A snapshot may come
    /// from anywhere; what cannot be read must not panic.
    fn restore(&mut self, snapshot: &[u8]);

    /// A hash of the state: compared between nodes that have applied as much, and after each restore. Unless it says more,
    /// that of the snapshot; but then nobody sees what a snapshot forgets.
    fn hash(&self) -> u64 {
        xxh3_64(&self.snapshot())
    }

    /// Whether it is handed a request as often as that is in the log, and knows by the numbers of
    /// [clients](Request::client) and [requests](Request::sequence) what it has seen.
    fn keeps_sessions(&self) -> bool {
        false
    }
}

/// The state of a world counts what an application is by its hash and its snapshot.
impl Hash for dyn Application {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (Application::hash(self), self.snapshot()).hash(state);
    }
}

/// A request of a client, as an application sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request<'a> {
    /// The index of the entry that holds it.
    pub index: Index,
    /// Who asks.
    pub client: u64,
    /// The client's number for it, counting up from 1. It has one request outstanding.
    pub sequence: u64,
    /// What is asked.
    pub data: &'a Bytes,
}

/// What makes an [`Application`] cloneable behind a pointer. Everything that is [`Clone`] has it.
pub trait CloneApplication {
    /// The same once more.
    fn clone_boxed(&self) -> Box<dyn Application>;
}

impl<A: Application + Clone> CloneApplication for A {
    fn clone_boxed(&self) -> Box<dyn Application> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Application> {
    fn clone(&self) -> Self {
        (**self).clone_boxed()
    }
}
