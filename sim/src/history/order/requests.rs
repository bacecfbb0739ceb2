//! The applied order of requests for a user's application, and the answers that a further copy of it gives.

use std::collections::VecDeque;

use bytes::Bytes;
use raft::Index;
use serde::{Deserialize, Serialize};

use super::super::submission::Submission;
use crate::application::{Application, Request};
use crate::slots::slot;

/// A client's newest request that took effect.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Session {
    /// The client's number for it.
    pub sequence: u64,
    /// The index of the entry that held it when it was first applied.
    pub index: Index,
    /// What was answered.
    #[serde(with = "crate::text")]
    pub answer: Bytes,
}

/// The model, and what it needs to say how it was a while ago.
#[derive(Clone, Hash, Debug)]
pub(super) struct Requests {
    model: Box<dyn Application>,
    sessions: Vec<Session>,
    /// The model as it was after some index, oldest first: the first of them is the oldest that is known.
    earlier: VecDeque<(Index, Box<dyn Application>)>,
    /// The requests since the oldest of those.
    since: VecDeque<(Index, Submission)>,
}

impl Requests {
    /// After so many requests the model is kept as it is then.
    const DISTANCE: usize = 32;
    /// So many are kept. A question to a node that lags by more is judged by its position only.
    const KEPT: usize = 4;

    pub(super) fn new(model: Box<dyn Application>) -> Self {
        let earlier = [(Index::ZERO, model.clone())].into();
        Self { model, sessions: Vec::new(), earlier, since: VecDeque::new() }
    }

    /// The first node applied this.
    pub(super) fn applied(&mut self, index: Index, request: &Submission) {
        let session = slot(&mut self.sessions, request.client);
        if request.sequence <= session.sequence {
            return;
        }
        let answer = apply(&mut *self.model, index, request);
        *session = Session { sequence: request.sequence, index, answer };
        self.since.push_back((index, request.clone()));
        let newest = self.earlier.back().map_or(Index::ZERO, |(index, _)| *index);
        if self.since.iter().rev().take_while(|(index, _)| *index > newest).count() >= Self::DISTANCE {
            self.earlier.push_back((index, self.model.clone()));
            self.forget();
        }
    }

    fn forget(&mut self) {
        while self.earlier.len() > Self::KEPT {
            self.earlier.pop_front();
        }
        let oldest = self.earlier.front().map_or(Index::ZERO, |(index, _)| *index);
        while self.since.pop_front_if(|(index, _)| *index <= oldest).is_some() {}
    }

    /// The newest request of a client, as the model has it.
    pub(super) fn session(&self, client: u64) -> Session {
        usize::try_from(client).ok().and_then(|client| self.sessions.get(client)).cloned().unwrap_or_default()
    }

    /// What the model answers to a question after this index, if that is still known.
    pub(super) fn answer(&self, position: Index, question: &[u8]) -> Option<Bytes> {
        if self.since.back().is_none_or(|(last, _)| *last <= position) {
            return Some(self.model.query(question));
        }
        let (from, model) = self.earlier.iter().rfind(|(index, _)| *index <= position)?;
        let mut model = model.clone();
        for (index, request) in self.since.iter().filter(|(index, _)| index > from && *index <= position) {
            apply(&mut *model, *index, request);
        }
        Some(model.query(question))
    }
}

fn apply(model: &mut dyn Application, index: Index, Submission { client, sequence, data }: &Submission) -> Bytes {
    model.apply(&Request { index, client: *client, sequence: *sequence, data })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts the requests.
    #[derive(Clone, Debug, Default)]
    struct Counter(u64);

    impl Application for Counter {
        fn apply(&mut self, _: &Request<'_>) -> Bytes {
            self.0 += 1;
            self.snapshot()
        }

        fn query(&self, _: &[u8]) -> Bytes {
            self.snapshot()
        }

        fn snapshot(&self) -> Bytes {
            self.0.to_string().into()
        }

        fn restore(&mut self, _: &[u8]) {}
    }

    fn counted(requests: u64) -> Requests {
        let mut counted = Requests::new(Box::new(Counter::default()));
        for number in 1..=requests {
            counted.applied(Index(2 * number), &Submission { client: 1, sequence: number, data: Bytes::new() });
        }
        counted
    }

    #[test]
    fn the_model_knows_what_it_would_have_answered_a_while_ago() {
        let counted = counted(200);
        for (position, answer) in [(1000, Some("200")), (400, Some("200")), (399, Some("199")), (301, Some("150"))] {
            assert_eq!(counted.answer(Index(position), b"").as_deref(), answer.map(str::as_bytes), "after {position}");
        }
        assert_eq!(counted.answer(Index(10), b""), None, "that is too long ago");
        assert!(counted.since.len() <= Requests::DISTANCE * Requests::KEPT);
    }

    #[test]
    fn a_request_that_is_repeated_or_overtaken_takes_effect_once() {
        let mut counted = counted(3);
        for sequence in [1, 3] {
            counted.applied(Index(50), &Submission { client: 1, sequence, data: Bytes::new() });
        }
        assert_eq!(counted.session(1), Session { sequence: 3, index: Index(6), answer: "3".into() });
        assert_eq!(counted.session(2), Session::default());
    }
}
