//! What clients asked and were told, which the simulator's checkers look at as it grows.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::Mutex;

use serde_json::json;
use sim::history::{Answer, Fate, Operation, Record, Searched, Windows};

/// The history of all clients. A step is a moment: a later one has a larger number, on this machine's one clock, the lock.
#[derive(Default)]
pub struct History(Mutex<Grown>);

#[derive(Default)]
struct Grown {
    step: u64,
    under_way: BTreeMap<u64, Record>,
    records: Vec<Record>,
    windows: Windows,
    violation: Option<String>,
}

/// What came of a history.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Operations that were answered.
    pub answered: u64,
    /// Operations of which nobody knows what came.
    pub unknown: u64,
    /// How many searches there were.
    pub searched: Searched,
}

impl History {
    /// A client asks, now.
    pub fn invoked(&self, client: u64, sequence: u64, operation: Operation) {
        let mut grown = self.grown();
        grown.step += 1;
        let (invoked, fate) = (grown.step, Fate::Unknown { until: None });
        grown.under_way.insert(client, Record { client, sequence, operation, invoked, fate });
    }

    /// The client is told this, or nothing, now.
    pub fn returned(&self, client: u64, answer: Option<Answer>) {
        let grown = &mut *self.grown();
        grown.step += 1;
        let Some(mut record) = grown.under_way.remove(&client) else { return };
        if let Some(answer) = answer {
            record.fate = Fate::Answered { step: grown.step, answer };
        }
        grown.records.push(record.clone());
        let key = record.operation.key();
        if let (true, Some(key)) = (grown.windows.push(record), key) {
            grown.search(key);
        }
    }

    /// Searches what is left.
    pub fn end(&self) {
        let grown = &mut *self.grown();
        grown.windows.keys().for_each(|key| grown.search(key));
    }

    /// Why no order of the operations explains the answers, if that is so.
    pub fn violation(&self) -> Option<String> {
        self.grown().violation.clone()
    }

    /// How much there is.
    pub fn summary(&self) -> Summary {
        let grown = self.grown();
        let answered =
            grown.records.iter().filter(|record| matches!(record.fate, Fate::Answered { .. })).count() as u64;
        let unknown = grown.records.len() as u64 - answered;
        Summary { answered, unknown, searched: grown.windows.searched() }
    }

    /// The operations, in the order of their ends.
    pub fn records(&self) -> Vec<Record> {
        self.grown().records.clone()
    }

    /// Writes the operations as JSON lines.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: &Path) -> std::io::Result<()> {
        let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
        for Record { client, sequence, operation, invoked, fate } in self.records() {
            let (step, answer) = match fate {
                Fate::Answered { step, answer } => (Some(step), Some(answer)),
                Fate::Unknown { .. } => (None, None),
            };
            let line = json!({
                "client": client, "sequence": sequence, "operation": operation, "invoked": invoked,
                "answered": step, "answer": answer,
            });
            writeln!(file, "{line}")?;
        }
        file.flush()
    }

    fn grown(&self) -> std::sync::MutexGuard<'_, Grown> {
        self.0.lock().expect("nobody panics with it")
    }
}

impl Grown {
    fn search(&mut self, key: u64) {
        if self.violation.is_some() {
            return;
        }
        let under_way = self.under_way.values().filter(|record| record.operation.key() == Some(key)).cloned();
        if let Err(violation) = self.windows.search(key, under_way) {
            self.violation = Some(violation.detail);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(history: &History, sequence: u64, value: &str, answered: bool) {
        history.invoked(0, sequence, Operation::Write { key: 1, value: value.to_string().into() });
        history.returned(0, answered.then_some(Answer::Written));
    }

    fn read(history: &History, value: &str) {
        history.invoked(1, 1, Operation::Read { key: 1 });
        history.returned(1, Some(Answer::Read(value.to_string().into())));
    }

    #[test]
    fn an_acknowledged_write_that_is_lost_is_found() {
        let history = History::default();
        write(&history, 1, "a", true);
        write(&history, 2, "b", true);
        read(&history, "a");
        history.end();
        assert!(history.violation().unwrap().contains("no order of the operations on k1"));
    }

    #[test]
    fn a_write_of_which_nobody_was_told_may_be_there_or_not() {
        for value in ["a", "b"] {
            let history = History::default();
            write(&history, 1, "a", true);
            write(&history, 2, "b", false);
            read(&history, value);
            history.end();
            assert_eq!(history.violation(), None);
            assert_eq!(history.summary().searched.linearizable, 1);
            assert_eq!((history.summary().answered, history.summary().unknown), (2, 1));
        }
    }

    #[test]
    fn a_read_that_began_before_a_write_ended_may_see_what_was_before() {
        let history = History::default();
        history.invoked(1, 1, Operation::Read { key: 1 });
        write(&history, 1, "a", true);
        history.returned(1, Some(Answer::Read("".into())));
        history.end();
        assert_eq!(history.violation(), None);
    }
}
