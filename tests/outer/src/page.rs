//! A page of an episode: what was done, and a bar for each operation of each client.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use sim::history::{Fate, Prefix, Record};

use crate::episode::Outcome;

/// So many operations before the end are drawn: what broke is there.
const SHOWN: usize = 1500;

/// The page, one file without scripts.
pub fn page(title: &str, outcome: &Outcome) -> String {
    let records = outcome.history.records();
    let mut page = String::from(
        "<!doctype html><meta charset=utf-8><title>outer</title><style>body{font:14px sans-serif;margin:2em}\
         pre{white-space:pre-wrap}.answered{fill:#4a90d9}.unknown{fill:#e0a030}.refuted{fill:#d03030}\
         .read{opacity:.55}text{font-size:11px}</style>",
    );
    let _ = write!(page, "<h1>{}</h1>", escaped(title));
    let failure = outcome.failure.as_ref().map_or("Nothing was lost.", |failure| &failure.what).replace("; ", ";\n");
    let _ = write!(page, "<pre>{}</pre>", escaped(&failure));
    page += "<p>A bar is an operation, from its invocation to its answer; it says more when it is hovered over. Pale: a read. \
             Yellow: nobody was told what came of it. Red: the first answer that no order explains, on its key.</p>";
    draw(&mut page, &records);
    page += "<h2>What was done</h2><pre>";
    for (at, event) in &outcome.events {
        let _ = writeln!(page, "{:>8.3} s  {}", at.as_secs_f64(), escaped(event));
    }
    page + "</pre>"
}

fn draw(page: &mut String, records: &[Record]) {
    let refuted = refuted(records);
    let shown = &records[records.len().saturating_sub(SHOWN)..];
    let first = shown.iter().map(|record| record.invoked).min().unwrap_or(0);
    let end = shown.iter().map(|record| answered(record).unwrap_or(record.invoked)).max().unwrap_or(first) + 1;
    let keys: BTreeSet<u64> = shown.iter().filter_map(|record| record.operation.key()).collect();
    for key in keys {
        let of_key = || shown.iter().filter(|record| record.operation.key() == Some(key));
        let clients: Vec<u64> = of_key().map(|record| record.client).collect::<BTreeSet<_>>().into_iter().collect();
        let (width, height) = ((end - first) * 4 + 60, clients.len() * 16 + 4);
        let _ = write!(page, "<h2>k{key}</h2><div style=overflow:auto><svg width={width} height={height}>");
        for (row, client) in clients.iter().enumerate() {
            let _ = write!(page, "<text x=0 y={}>c{client}</text>", row * 16 + 12);
        }
        for record in of_key() {
            let row = clients.iter().position(|client| *client == record.client).unwrap_or_default();
            let until = answered(record).unwrap_or(end);
            let class = match (&record.fate, refuted.contains(&(key, until))) {
                (Fate::Answered { .. }, true) => "refuted",
                (Fate::Answered { .. }, false) => "answered",
                (Fate::Unknown { .. }, _) => "unknown",
            };
            let read = if record.operation.is_read() { " read" } else { "" };
            let (x, y, width) = ((record.invoked - first) * 4 + 40, row * 16 + 2, (until - record.invoked) * 4);
            let _ = write!(page, "<rect class='{class}{read}' x={x} y={y} width={width} height=12>");
            let _ = write!(page, "<title>{}</title></rect>", escaped(&record.to_string()));
        }
        *page += "</svg></div>";
    }
}

/// For each key, the step of the first answer that no order explains.
fn refuted(records: &[Record]) -> BTreeSet<(u64, u64)> {
    let keys: BTreeSet<u64> = records.iter().filter_map(|record| record.operation.key()).collect();
    let refuted = |key| {
        let of_key: Vec<Record> = records.iter().filter(|one| one.operation.key() == Some(key)).cloned().collect();
        Some((key, Prefix::longest(&of_key).refuted_at?))
    };
    keys.into_iter().filter_map(refuted).collect()
}

const fn answered(record: &Record) -> Option<u64> {
    match record.fate {
        Fate::Answered { step, .. } => Some(step),
        Fate::Unknown { .. } => None,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sim::history::{Answer, Operation};

    use super::*;
    use crate::episode::{Done, Failure};
    use crate::history::History;

    fn outcome(history: History, failure: Option<Failure>) -> Outcome {
        let (summary, history) = (history.summary(), Arc::new(history));
        Outcome { summary, done: Done::default(), disk: "none", failure, events: Vec::new(), history }
    }

    #[test]
    fn the_answer_that_no_order_explains_is_marked_and_no_other() {
        let history = History::default();
        history.invoked(0, 1, Operation::Write { key: 1, value: "a".into() });
        history.returned(0, Some(Answer::Written));
        history.invoked(1, 1, Operation::Read { key: 1 });
        history.returned(1, Some(Answer::Read("".into())));
        let failure = Failure { lost: true, what: "no order <of> them".to_string() };
        let page = page("three", &outcome(history, Some(failure)));
        assert_eq!(page.matches("class='refuted read'").count(), 1);
        assert_eq!(page.matches("class='answered'").count(), 1);
        assert!(page.contains("no order &lt;of&gt; them"));
    }

    #[test]
    fn what_nobody_answered_has_a_bar_too() {
        let history = History::default();
        history.invoked(0, 1, Operation::Read { key: 1 });
        history.returned(0, None);
        assert_eq!(page("three", &outcome(history, None)).matches("class='unknown read'").count(), 1);
    }
}
