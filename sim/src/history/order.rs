//! The fast checker: an operation's instant is its position in the applied order.
//!
//! ```text
//! a was acknowledged before b was invoked  ⇒  position(a) < position(b)      for a write or compare-and-set b
//!                                             position(a) ≤ position(b)      for a read b
//! an answer is what the operations up to its position, done one after another, lead to
//! a client's command has one position
//! ```
//!
//! A read stands behind the entry that its node had applied last when it answered. For real time it is enough to remember
//! the highest position that was acknowledged so far: what an operation must come behind is that of its invocation. For
//! the answers, the operations are done once more here as soon as the first node applies them, in a model of its own.

mod requests;

use std::collections::VecDeque;

use bytes::Bytes;
use raft::{Index, NodeId};
use serde::{Deserialize, Serialize};

use self::requests::Requests;
pub use self::requests::Session;
use super::command::Command;
use super::operation::{Answer, Operation, Text};
use super::submission::Submission;
use crate::application::Application;
use crate::invariant::{Check, Invariant, Violation};
use crate::slots::slot;

/// Where a client's newest command took effect.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct TookEffect {
    /// The client's number for it.
    pub sequence: u64,
    /// The index of the entry that held it when it was first applied.
    pub index: Index,
    /// Whether it changed anything: not so for a compare-and-set that found something else.
    pub succeeded: bool,
}

/// The operations in the order in which they were applied, as far as answers still need it.
#[derive(Clone, Hash, Debug, Default)]
pub struct AppliedOrder {
    /// The last index that any node applied.
    last: Index,
    /// The highest position of any operation that was acknowledged.
    acknowledged: Index,
    /// The newest command of each client.
    newest: Vec<TookEffect>,
    /// The values of each key.
    keys: Vec<Versions>,
    /// The requests for a user's application, where there is one.
    requests: Option<Requests>,
}

/// The newest values of a key, each with the index from which on it held, oldest first.
#[derive(Clone, Hash, Debug)]
struct Versions(VecDeque<(Index, Bytes)>);

impl Default for Versions {
    fn default() -> Self {
        Self([(Index::ZERO, Bytes::new())].into())
    }
}

impl Versions {
    /// How many are kept. A read that lags by more is judged by its position only.
    const KEPT: usize = 16;

    fn newest(&self) -> &Bytes {
        &self.0.back().expect("the newest is never forgotten").1
    }

    fn push(&mut self, index: Index, value: Bytes) {
        if self.0.len() == Self::KEPT {
            self.0.pop_front();
        }
        self.0.push_back((index, value));
    }

    /// The value behind this index and where it was written, if that is still known.
    fn at(&self, index: Index) -> Option<&(Index, Bytes)> {
        self.0.iter().rev().find(|(from, _)| *from <= index)
    }
}

impl AppliedOrder {
    /// An order of requests for a user's application, which is as this model says.
    pub fn of(model: Box<dyn Application>) -> Self {
        Self { requests: Some(Requests::new(model)), ..Self::default() }
    }

    /// The highest position of any operation that was acknowledged: whatever is invoked now comes behind it.
    pub const fn acknowledged(&self) -> Index {
        self.acknowledged
    }

    /// Whether no node has applied this entry before.
    pub fn is_new(&self, index: Index) -> bool {
        index > self.last
    }

    /// A node applied an entry, with this command if it holds one. Only the first node to do so matters.
    pub fn applied(&mut self, index: Index, command: Option<&Command>) {
        if index <= self.last {
            return;
        }
        self.last = index;
        let Some(command) = command else { return };
        let newest = slot(&mut self.newest, command.client);
        if command.sequence <= newest.sequence {
            return;
        }
        let versions = slot(&mut self.keys, command.key);
        let succeeded = command.expected.as_ref().is_none_or(|expected| expected == versions.newest());
        *newest = TookEffect { sequence: command.sequence, index, succeeded };
        if succeeded {
            versions.push(index, command.value.clone());
        }
    }

    /// A node acknowledges a write or compare-and-set that was invoked when `floor` was [`acknowledged`](Self::acknowledged).
    ///
    /// # Errors
    /// It stands elsewhere in the applied order than the node says, or came out otherwise, or does not come after what was
    /// acknowledged before it.
    pub fn acknowledge(&mut self, node: NodeId, client: u64, floor: Index, effect: &TookEffect) -> Check {
        let known = self.newest.get(client as usize).copied().unwrap_or_default();
        if known != *effect {
            let (known, said) = (shown(&known), shown(effect));
            return violated(
                node,
                format!("client {client} is told that {said}; expected that {known}, as it was applied"),
            );
        }
        self.acknowledge_at(node, floor, effect.index, || format!("command {} of client {client}", effect.sequence))
    }

    fn acknowledge_at(&mut self, node: NodeId, floor: Index, index: Index, what: impl FnOnce() -> String) -> Check {
        if index <= floor {
            let what = format!("{} took effect at {index}", what());
            return violated(
                node,
                format!("{what}; expected a place behind {floor}, which was acknowledged before it was invoked"),
            );
        }
        self.acknowledged = self.acknowledged.max(index);
        Ok(())
    }

    /// A node applied an entry with a request for a user's application. Only the first node to do so matters.
    pub fn applied_request(&mut self, index: Index, request: &Submission) {
        if index <= self.last {
            return;
        }
        self.last = index;
        if let Some(requests) = &mut self.requests {
            requests.applied(index, request);
        }
    }

    /// A node answers a request that was invoked when `floor` was [`acknowledged`](Self::acknowledged).
    ///
    /// # Errors
    /// It stands elsewhere in the applied order than the node says, or the model answers otherwise, or it does not come after
    /// what was acknowledged before it.
    pub fn acknowledge_request(&mut self, node: NodeId, client: u64, floor: Index, told: &Session) -> Check {
        if let Some(known) = self.requests.as_ref().map(|requests| requests.session(client))
            && known != *told
        {
            let [told, known] = [told, &known]
                .map(|one| format!("request {} took effect at {} [{}]", one.sequence, one.index, Text(&one.answer)));
            return violated(
                node,
                format!("client {client} is told that {told}; expected that {known}, as the model has it"),
            );
        }
        self.acknowledge_at(node, floor, told.index, || format!("request {} of client {client}", told.sequence))
    }

    /// A node that has applied `position` answers a question that was asked when `floor` was
    /// [`acknowledged`](Self::acknowledged); with none, the answer may be stale.
    ///
    /// # Errors
    /// It goes back behind what was acknowledged before it, or the model answers otherwise.
    pub fn query(
        &mut self,
        node: NodeId,
        floor: Option<Index>,
        position: Index,
        question: &Bytes,
        answer: &Bytes,
    ) -> Check {
        if let Some(floor) = floor.filter(|floor| position < *floor) {
            let what = format!("the question [{}] is answered by the state after {position}", Text(question));
            return violated(
                node,
                format!("{what}; expected a place behind {floor}, which was acknowledged before it was asked"),
            );
        }
        if let Some(known) = self.requests.as_ref().and_then(|requests| requests.answer(position, question))
            && known != *answer
        {
            let [question, known, answer] = [question, &known, answer].map(|text| Text(text).to_string());
            let what = format!("the question [{question}] is answered [{answer}] by the state after {position}");
            return violated(node, format!("{what}; expected [{known}], as the model has it"));
        }
        self.acknowledged = self.acknowledged.max(position);
        Ok(())
    }

    /// A node that has applied `position` answers a read that was invoked when `floor` was
    /// [`acknowledged`](Self::acknowledged); with none, the read may be stale.
    ///
    /// # Errors
    /// It goes back behind what was acknowledged before it, or its value is not the one at its position.
    pub fn read(&mut self, node: NodeId, floor: Option<Index>, position: Index, key: u64, value: &Bytes) -> Check {
        if let Some(floor) = floor.filter(|floor| position < *floor) {
            let what = format!("a read of k{key} is answered by the state after {position}");
            return violated(
                node,
                format!("{what}; expected a place behind {floor}, which was acknowledged before it was invoked"),
            );
        }
        let versions = slot(&mut self.keys, key);
        if let Some((written, known)) = versions.at(position).filter(|(_, known)| known != value) {
            let (known, value) = (Text(known), Text(value));
            let what = format!("a read of k{key} by the state after {position} is answered {value}");
            return violated(node, format!("{what}; expected {known}, which it holds since {written}"));
        }
        self.acknowledged = self.acknowledged.max(position);
        Ok(())
    }
}

impl Operation {
    /// What a client is told whose command took effect like this; nothing for a read, which is no command.
    pub fn answer(&self, effect: &TookEffect) -> Option<Answer> {
        match self {
            Self::Write { .. } => Some(Answer::Written),
            Self::CompareAndSet { .. } => Some(Answer::CompareAndSet(effect.succeeded)),
            Self::Read { .. } | Self::Request { .. } | Self::Query { .. } => None,
        }
    }
}

fn violated(node: NodeId, detail: String) -> Check {
    Err(Violation::new(Invariant::Linearizability, &[node], format!("node {node}: {detail}")))
}

fn shown(effect: &TookEffect) -> String {
    let TookEffect { sequence, index, succeeded } = effect;
    let how = if *succeeded { "took effect" } else { "found something else" };
    format!("command {sequence} {how} at {index}")
}

#[cfg(test)]
mod tests;
