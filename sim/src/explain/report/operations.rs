//! What clients asked and were told, for the page: bars on an axis of their own, and which answers nothing explains.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::application::Application;
use crate::history::{Answer, Fate, Operation, Prefix, Record};
use crate::world::{Clients, Completion, Event};

/// The operations of all clients, in the order of their invocation.
#[derive(Default)]
pub(super) struct Operations {
    pub(super) all: Vec<Asked>,
    /// For each client the number of its operations, and the newest of them.
    clients: BTreeMap<u64, (u64, usize)>,
    /// A user's application before the first operation, if one answers.
    model: Option<Box<dyn Application>>,
}

/// An operation.
pub(super) struct Asked {
    pub(super) client: u64,
    /// The client's number for it.
    pub(super) sequence: u64,
    pub(super) operation: Operation,
    /// What it is about, if that is known: a key of the store, or of a user's application.
    key: Option<u64>,
    pub(super) invoked: u64,
    /// The step of its answer, or of the next operation of its client, which gives it up.
    pub(super) ended: Option<u64>,
    pub(super) answer: Option<Answer>,
}

impl Asked {
    pub(super) fn text(&self) -> String {
        format!("c{}.{} {}", self.client, self.sequence, self.operation)
    }
}

impl Operations {
    /// An event happened at this step, and led to these answers.
    pub(super) fn happened(&mut self, step: u64, event: &Event, answered: &[Completion], clients: &Clients) {
        if let Event::Invoke { client, operation, .. } = event {
            self.invoke(step, *client, operation.clone(), clients);
        }
        for Completion { client, sequence, answer, .. } in answered {
            let newest = self.clients.get(client).map(|(_, newest)| *newest);
            if let Some(asked) = newest.and_then(|newest| self.all.get_mut(newest))
                && asked.sequence == *sequence
            {
                (asked.ended, asked.answer) = (Some(step), Some(answer.clone()));
            }
        }
    }

    fn invoke(&mut self, step: u64, client: u64, operation: Operation, clients: &Clients) {
        self.model = self.model.take().or_else(|| clients.model().map(|model| model.clone_boxed()));
        let number = self.all.len();
        let (count, newest) = self.clients.get(&client).map_or((0, None), |(count, newest)| (*count, Some(*newest)));
        if let Some(before) = newest.and_then(|newest| self.all.get_mut(newest)) {
            before.ended.get_or_insert(step);
        }
        let (sequence, key) = (count + 1, clients.key_of(&operation));
        self.clients.insert(client, (sequence, number));
        self.all.push(Asked { client, sequence, operation, key, invoked: step, ended: None, answer: None });
    }

    /// `[client, invoked, ended or -1, key or -1, text, answer or null]` each.
    pub(super) fn values(&self) -> Vec<Value> {
        let value = |asked: &Asked| {
            let ended = asked.ended.map_or(-1, |step| i64::try_from(step).unwrap_or(-1));
            let key = asked.key.map_or(-1, |key| i64::try_from(key).unwrap_or(-1));
            let answer = asked.answer.as_ref().map(ToString::to_string);
            json!([asked.client, asked.invoked, ended, key, asked.text(), answer])
        };
        self.all.iter().map(value).collect()
    }

    /// For each key whose answers no order explains, the longest prefix that has one; where a search of its own finds none, what
    /// was answered at the step that broke is refuted by the log.
    pub(super) fn refuted(&self, broken_at: u64) -> Vec<Value> {
        let keys: BTreeSet<u64> = self.all.iter().filter_map(|asked| asked.key).collect();
        let found: Vec<Value> = keys.into_iter().filter_map(|key| self.refuted_of(key)).collect();
        if found.is_empty() { self.refuted_by_the_log(broken_at).into_iter().collect() } else { found }
    }

    fn refuted_of(&self, key: u64) -> Option<Value> {
        let (numbers, records) = self.records(Some(key));
        let Prefix { order, refuted_at } = self.longest(&records);
        let refuted_at = refuted_at?;
        let order: Vec<usize> = order.into_iter().map(|position| numbers[position]).collect();
        Some(
            json!({ "key": key, "until": refuted_at, "order": order, "refuted": self.answered_at(refuted_at, Some(key)) }),
        )
    }

    fn longest(&self, records: &[Record]) -> Prefix {
        match &self.model {
            Some(model) => Prefix::longest_with(&**model, records),
            None => Prefix::longest(records),
        }
    }

    /// The answers before are explained by the order of the log.
    fn refuted_by_the_log(&self, broken_at: u64) -> Option<Value> {
        let refuted = self.answered_at(broken_at, None);
        let key = self.all[*refuted.first()?].key;
        let (numbers, mut records) = self.records(key);
        records.retain(|record| !matches!(record.fate, Fate::Answered { step, .. } if step == broken_at));
        let is_asked = |number: &usize| key.is_some() && !refuted.contains(number);
        let numbers: Vec<usize> = numbers.into_iter().filter(is_asked).collect();
        let order = if key.is_some() { self.longest(&records).order } else { Vec::new() };
        let order: Vec<usize> = order.into_iter().map(|position| numbers[position]).collect();
        Some(json!({ "key": key, "until": broken_at, "order": order, "refuted": refuted }))
    }

    /// The numbers of the operations, on this key if on one, that were answered at a step.
    fn answered_at(&self, step: u64, key: Option<u64>) -> Vec<usize> {
        let is_meant =
            |asked: &Asked| asked.answer.is_some() && asked.ended == Some(step) && (key.is_none() || asked.key == key);
        (0..self.all.len()).filter(|number| is_meant(&self.all[*number])).collect()
    }

    /// The operations on a key as a history, with their numbers.
    fn records(&self, key: Option<u64>) -> (Vec<usize>, Vec<Record>) {
        let about = self.all.iter().enumerate().filter(|(_, asked)| asked.key == key);
        about.map(|(number, asked)| (number, self.record(asked))).unzip()
    }

    /// What nobody was told of can take effect until its client is told of a later command: those that come out of order have none.
    fn record(&self, asked: &Asked) -> Record {
        let Asked { client, sequence, operation, key: _, invoked, ended, answer } = asked;
        let is_later = |other: &&Asked| {
            other.client == *client
                && other.sequence > *sequence
                && other.answer.is_some()
                && !other.operation.is_read()
        };
        let fate = match (answer, ended) {
            (Some(answer), Some(step)) => Fate::Answered { step: *step, answer: answer.clone() },
            _ => Fate::Unknown { until: self.all.iter().find(is_later).and_then(|other| other.ended) },
        };
        Record { client: *client, sequence: *sequence, operation: operation.clone(), invoked: *invoked, fate }
    }
}

#[cfg(test)]
mod tests {
    use raft::NodeId;

    use super::*;

    const NODE: NodeId = NodeId::new(1).expect("it is not 0");

    /// What clients asked at each step, or were told.
    enum Step {
        Asks(u64, Operation),
        Tells(u64, u64, Answer),
    }

    fn operations(steps: Vec<Step>) -> Operations {
        let mut operations = Operations::default();
        for (number, step) in (0..).zip(steps) {
            let (event, answered) = match step {
                Step::Asks(client, operation) => (Event::Invoke { client, node: NODE, operation }, Vec::new()),
                Step::Tells(client, sequence, answer) => {
                    let operation = Operation::Read { key: 5 };
                    (
                        Event::Advance { node: NODE },
                        vec![Completion { client, sequence, node: NODE, operation, answer }],
                    )
                }
            };
            operations.happened(number, &event, &answered, &Clients::default());
        }
        operations
    }

    fn write(value: &'static str) -> Operation {
        Operation::Write { key: 5, value: value.into() }
    }

    #[test]
    fn operations_last_until_they_are_answered_or_given_up() {
        let operations = operations(vec![
            Step::Asks(0, write("a")),
            Step::Asks(1, Operation::Read { key: 5 }),
            Step::Asks(0, write("b")),
            Step::Tells(0, 1, Answer::Written),
            Step::Tells(0, 2, Answer::Written),
        ]);
        let ends: Vec<_> =
            operations.all.iter().map(|asked| (asked.text(), asked.ended, asked.answer.is_some())).collect();
        let expected = [
            ("c0.1 write k5=\"a\"", Some(2), false),
            ("c1.1 read k5", None, false),
            ("c0.2 write k5=\"b\"", Some(4), true),
        ];
        assert_eq!(ends, expected.map(|(text, ended, is_answered)| (text.to_owned(), ended, is_answered)));
    }

    #[test]
    fn an_answer_that_only_the_log_refutes_is_told_with_the_order_of_the_others() {
        let told = operations(vec![
            Step::Asks(0, write("a")),
            Step::Tells(0, 1, Answer::Written),
            Step::Asks(1, Operation::Read { key: 5 }),
            Step::Tells(1, 1, Answer::Read("a".into())),
        ]);
        let expected = json!([{ "key": 5, "until": 3, "order": [0], "refuted": [1] }]);
        assert_eq!(Value::Array(told.refuted(3)), expected);
        assert_eq!(told.refuted(4), Vec::<Value>::new(), "nothing was answered there");
    }

    #[test]
    fn an_answer_that_nothing_explains_is_found_wherever_the_run_ended() {
        let told = operations(vec![
            Step::Asks(0, write("a")),
            Step::Tells(0, 1, Answer::Written),
            Step::Asks(1, Operation::Read { key: 5 }),
            Step::Tells(1, 1, Answer::Read("".into())),
            Step::Asks(1, Operation::Read { key: 6 }),
        ]);
        let expected = json!([{ "key": 5, "until": 3, "order": [0], "refuted": [1] }]);
        assert_eq!(Value::Array(told.refuted(9)), expected);
    }
}
