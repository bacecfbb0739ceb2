//! A Ready.

use std::fmt::{self, Display, Formatter};

use super::list;
use super::message::Envelope;
use crate::ready::Ready;
use crate::types::Entry;

/// What the node wants done: a line `Ready MustSync=true:`, and each part behind a line that names it; `<empty Ready>`
/// where it wants nothing. Work for the storage threads stands among the messages, as in etcd.
impl Display for Ready {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let parts = parts(self);
        if parts.is_empty() {
            return f.write_str("<empty Ready>");
        }
        write!(f, "Ready MustSync={}:", self.must_sync)?;
        parts.iter().try_for_each(|part| write!(f, "\n{part}"))
    }
}

/// The lines, or several of them at once.
fn parts(ready: &Ready) -> Vec<String> {
    let mut parts = Vec::new();
    parts.extend(ready.soft_state.map(|state| state.to_string()));
    parts.extend(ready.hard_state.map(|state| format!("HardState {state}")));
    if !ready.read_states.is_empty() {
        parts.push(format!("ReadStates {}", list(&ready.read_states)));
    }
    titled(&mut parts, "Entries:", ready.entries.iter().map(Entry::to_string));
    parts.extend(ready.snapshot.iter().map(|snapshot| format!("Snapshot {snapshot}")));
    titled(&mut parts, "CommittedEntries:", ready.committed_entries.iter().map(Entry::to_string));
    titled(&mut parts, "Messages:", messages(ready));
    parts
}

fn titled(parts: &mut Vec<String>, title: &str, lines: impl Iterator<Item = String>) {
    let mut lines = lines.peekable();
    if lines.peek().is_some() {
        parts.push(title.to_owned());
        parts.extend(lines);
    }
}

/// The messages, and behind them what etcd sends to the storage threads as messages.
fn messages(ready: &Ready) -> impl Iterator<Item = String> {
    let node = ready.origin.node();
    let peers = ready.messages.iter().map(ToString::to_string);
    let append = ready.storage_append.iter().map(move |append| {
        let responses = append.responses.iter().map(Envelope::from);
        let appended = append.appended.iter().map(|appended| Envelope::storage_appended(node, appended));
        Envelope::storage_append(node, append).with_responses(responses.chain(appended).collect())
    });
    let apply = ready.storage_apply.iter().map(move |apply| {
        let applied = Envelope::storage_applied(node, &apply.entries);
        Envelope::storage_apply(node, &apply.entries).with_responses(vec![applied])
    });
    peers.chain(append.chain(apply).map(|work| work.to_string()))
}
