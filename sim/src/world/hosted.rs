//! A user's application on a node, with the sessions of its clients.

use std::sync::Arc;

use bytes::Bytes;
use raft::Index;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use crate::application::{Application, Request};
use crate::history::{Session, Submission};
use crate::slots::slot;

/// A user's application, to which each request of a client is given once (thesis, 6.3).
#[derive(Clone, Hash, Debug)]
pub(super) struct Hosted {
    /// As it was brought.
    initial: Arc<dyn Application>,
    application: Box<dyn Application>,
    /// The newest request of each client.
    sessions: Vec<Session>,
}

/// What a snapshot holds.
#[derive(Serialize, Deserialize)]
struct State {
    sessions: Vec<Session>,
    #[serde(with = "crate::text")]
    application: Bytes,
}

/// A request that was applied.
pub(super) struct Handled {
    /// Whether it, or a later one of its client, had been before.
    pub(super) repeated: bool,
    pub(super) session: Session,
}

impl Hosted {
    /// An application in the state that a snapshot holds; without data, and where that is none of these, as it was brought.
    pub(super) fn restore(initial: &Arc<dyn Application>, data: &[u8]) -> Self {
        let mut application = initial.clone_boxed();
        let sessions = match serde_json::from_slice(data) {
            Ok(State { sessions, application: state }) => {
                application.restore(&state);
                sessions
            }
            Err(_) => Vec::new(),
        };
        Self { initial: Arc::clone(initial), application, sessions }
    }

    /// The same application in the state that a snapshot holds.
    pub(super) fn restored(&self, data: &[u8]) -> Self {
        Self::restore(&self.initial, data)
    }

    pub(super) fn application(&self) -> &dyn Application {
        &*self.application
    }

    pub(super) fn snapshot(&self) -> Bytes {
        let state = State { sessions: self.sessions.clone(), application: self.application.snapshot() };
        serde_json::to_vec(&state).expect("numbers and text always have a JSON form").into()
    }

    pub(super) fn hash(&self) -> u64 {
        let mut digest = Digest::new();
        digest.word(self.application.hash());
        digest.value(&self.sessions);
        digest.get()
    }

    /// Applies a request that stands at `index`.
    pub(super) fn apply(&mut self, index: Index, request: &Submission) -> Handled {
        let Submission { client, sequence, ref data } = *request;
        let session = slot(&mut self.sessions, client);
        let repeated = sequence <= session.sequence;
        if repeated && !self.application.keeps_sessions() {
            return Handled { repeated, session: session.clone() };
        }
        let answer = self.application.apply(&Request { index, client, sequence, data });
        match repeated {
            true if sequence == session.sequence => session.answer = answer,
            true => {}
            false => *session = Session { sequence, index, answer },
        }
        Handled { repeated, session: session.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Appender;

    fn request(client: u64, sequence: u64, data: &'static str) -> Submission {
        Submission { client, sequence, data: data.into() }
    }

    #[test]
    fn a_request_is_applied_once_also_after_a_restore() {
        let initial: Arc<dyn Application> = Arc::new(Appender::default());
        let mut hosted = Hosted::restore(&initial, b"");
        assert!(!hosted.apply(Index(1), &request(1, 1, "a")).repeated);
        let mut restored = hosted.restored(&hosted.snapshot());
        assert_eq!(restored.hash(), hosted.hash());
        let Handled { repeated, session } = restored.apply(Index(2), &request(1, 1, "a"));
        assert!(repeated && session.index == Index(1));
        assert_eq!(restored.application().snapshot(), "a");
        restored.apply(Index(3), &request(1, 2, "b"));
        assert_eq!(restored.application().snapshot(), "ab");
        assert_ne!(restored.hash(), hosted.hash());
    }

    #[test]
    fn what_is_no_snapshot_leaves_it_as_it_was_brought() {
        let initial: Arc<dyn Application> = Arc::new(Appender::default());
        let hosted = Hosted::restore(&initial, b"{");
        assert_eq!(hosted.application().snapshot(), "");
    }
}
