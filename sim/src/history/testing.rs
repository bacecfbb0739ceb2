//! For the tests of this module: operations on one key, and clients of one copy of the data.

use bytes::Bytes;
use raft::Index;

use super::Command;
use super::operation::{Answer, Fate, Operation, Record};
use super::order::TookEffect;

pub(super) const KEY: u64 = 0;

pub(super) fn write(value: &'static str) -> Operation {
    Operation::Write { key: KEY, value: value.into() }
}

pub(super) const fn read() -> Operation {
    Operation::Read { key: KEY }
}

pub(super) fn compare_and_set(expected: &'static str, value: &'static str) -> Operation {
    Operation::CompareAndSet { key: KEY, expected: expected.into(), value: value.into() }
}

pub(super) const fn answered(step: u64, answer: Answer) -> Fate {
    Fate::Answered { step, answer }
}

pub(super) const fn unknown(until: Option<u64>) -> Fate {
    Fate::Unknown { until }
}

pub(super) const fn record(operation: Operation, invoked: u64, fate: Fate) -> Record {
    Record { client: 1, sequence: 1, operation, invoked, fate }
}

/// What happens to a client of one copy of the data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Happening {
    Invoked(Record),
    Applied {
        index: Index,
        command: Command,
    },
    /// With where a command took effect, or the last index that a read saw.
    Answered {
        record: Record,
        at: Result<TookEffect, Index>,
    },
    GivenUp(Record),
}

/// An operation that its client waits for, or has given up.
#[derive(Clone)]
struct Open {
    record: Record,
    /// What it led to, once it took effect.
    effect: Option<(Answer, Result<TookEffect, Index>)>,
}

/// One copy of the data and its clients, each of which does the next thing when a choice says so.
#[derive(Default)]
pub(super) struct OneCopy {
    value: Bytes,
    index: u64,
    step: u64,
    clients: [Client; 4],
    pub(super) happened: Vec<Happening>,
}

#[derive(Clone, Default)]
struct Client {
    sequence: u64,
    newest_effect: u64,
    under_way: Option<Open>,
    given_up: Vec<Record>,
}

impl OneCopy {
    pub(super) fn run(choices: &[(u8, u8)]) -> Vec<Happening> {
        let mut one_copy = Self::default();
        for (client, choice) in choices {
            one_copy.step += 1;
            one_copy.act(usize::from(*client) % 4, *choice);
        }
        one_copy.happened
    }

    fn act(&mut self, number: usize, choice: u8) {
        let client = &mut self.clients[number];
        match (client.under_way.take(), choice % 16) {
            (open, 0) if !client.given_up.is_empty() => {
                client.under_way = open;
                let late = client.given_up.remove(0);
                self.take_effect(number, &late);
            }
            (None, _) => self.invoke(number, choice),
            (Some(open), 1) => {
                if open.effect.is_none() {
                    client.given_up.push(open.record.clone());
                }
                self.happened.push(Happening::GivenUp(open.record));
                self.invoke(number, choice);
            }
            (Some(Open { record, effect: None }), _) => {
                let effect = self.take_effect(number, &record);
                self.clients[number].under_way = Some(Open { record, effect });
            }
            (Some(Open { record, effect: Some((answer, at)) }), _) => {
                let fate = Fate::Answered { step: self.step, answer };
                self.happened.push(Happening::Answered { record: Record { fate, ..record }, at });
            }
        }
    }

    fn invoke(&mut self, number: usize, choice: u8) {
        let client = &mut self.clients[number];
        client.sequence += 1;
        let (who, sequence) = (number as u64, client.sequence);
        let value = Bytes::from(format!("{number}.{sequence}"));
        let operation = match choice / 16 % 4 {
            0 | 1 => read(),
            2 => Operation::Write { key: KEY, value },
            _ => Operation::CompareAndSet { key: KEY, expected: self.value.clone(), value },
        };
        let record = Record { client: who, sequence, operation, invoked: self.step, fate: unknown(None) };
        client.under_way = Some(Open { record: record.clone(), effect: None });
        self.happened.push(Happening::Invoked(record));
    }

    fn take_effect(&mut self, number: usize, record: &Record) -> Option<(Answer, Result<TookEffect, Index>)> {
        let Record { client, sequence, operation, .. } = record.clone();
        let (key, expected, value) = match operation.clone() {
            Operation::Read { .. } => return Some((Answer::Read(self.value.clone()), Err(Index(self.index)))),
            Operation::Write { key, value } => (key, None, value),
            Operation::CompareAndSet { key, expected, value } => (key, Some(expected), value),
            Operation::Request { .. } | Operation::Query { .. } => return None,
        };
        self.index += 1;
        let index = Index(self.index);
        let command = Command { client, sequence, key, expected: expected.clone(), value: value.clone() };
        self.happened.push(Happening::Applied { index, command });
        let newest = &mut self.clients[number].newest_effect;
        if sequence <= *newest {
            return None;
        }
        *newest = sequence;
        let succeeded = expected.is_none_or(|expected| expected == self.value);
        if succeeded {
            self.value = value;
        }
        let effect = TookEffect { sequence, index, succeeded };
        Some((operation.answer(&effect)?, Ok(effect)))
    }
}
