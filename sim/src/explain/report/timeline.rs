//! A run in the JSON form of Chrome's traces, which <https://ui.perfetto.dev> opens.
//!
//! A node is a process with two tracks, of its roles and of its events, and with counters of its term and its commit index. A message
//! that arrives is a flow from the event that sent it to the event that delivered it. Each client is a track of its operations.
//! A step takes [`STEP`] microseconds there, since the simulator's own clocks count ticks, not time.

use raft::NodeId;
use serde_json::{Value, json};

use super::data::{Change, Cut, Data, Fate, Happened, Sent};
use super::operations::Asked;
use crate::explain::Class;
use crate::trace::Ending;
use crate::world::EventKind;

/// How long a step takes.
const STEP: u64 = 10;
/// How much of that an event takes: less, so that each is seen by itself.
const EVENT: u64 = 8;

/// The tracks of a node.
const ROLES: u64 = 1;
const EVENTS: u64 = 2;
/// What stands for the cluster and for the clients, where nodes have their numbers.
const CLUSTER: u64 = 1000;
const CLIENTS: u64 = 1001;

/// The whole run.
pub(super) fn timeline(data: &Data, ending: &Ending) -> Value {
    let mut events = names(data);
    events.extend(data.events.iter().enumerate().map(|(step, happened)| event(data, step as u64, happened)));
    events.extend(data.nodes().into_iter().flat_map(|node| roles(data, node)));
    events.extend(data.changes.iter().flat_map(counters));
    events.extend(data.messages.iter().enumerate().flat_map(|(id, sent)| flow(data, id, sent)));
    events.extend(data.cuts.iter().enumerate().flat_map(|(number, cut)| cut_link(number, cut)));
    events.extend(operations(data));
    if *ending != Ending::Completed {
        let at = STEP * (data.events.len() as u64).saturating_sub(1);
        let name = ending.clone().to_string();
        events.push(json!({ "ph": "i", "s": "g", "name": name, "pid": CLUSTER, "tid": EVENTS, "ts": at }));
    }
    json!({ "displayTimeUnit": "ms", "otherData": data.header, "traceEvents": events })
}

fn names(data: &Data) -> Vec<Value> {
    let process = |pid: u64, name: String| {
        let order = json!({ "ph": "M", "name": "process_sort_index", "pid": pid, "args": { "sort_index": pid } });
        [json!({ "ph": "M", "name": "process_name", "pid": pid, "args": { "name": name } }), order]
    };
    let thread = |pid: u64, tid: u64, name: &str| json!({ "ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": { "name": name } });
    let nodes = data.nodes().into_iter().flat_map(|node| {
        let threads = [thread(node, ROLES, "role"), thread(node, EVENTS, "events")];
        process(node, format!("node {node}")).into_iter().chain(threads)
    });
    let cluster = process(CLUSTER, "cluster".to_owned()).into_iter().chain([thread(CLUSTER, EVENTS, "events")]);
    nodes.chain(cluster).chain(process(CLIENTS, "clients".to_owned())).collect()
}

/// The node on whose track an event stands: a message arrives at its receiver, and everything else happens where it begins.
fn place(data: &Data, happened: &Happened) -> u64 {
    let sent = happened.message.and_then(|id| data.messages.get(usize::try_from(id).ok()?));
    match sent {
        Some(sent) if happened.kind == EventKind::Deliver => sent.to,
        Some(sent) => sent.from,
        None => happened.nodes[0].map_or(CLUSTER, NodeId::get),
    }
}

fn event(data: &Data, step: u64, happened: &Happened) -> Value {
    json!({
        "ph": "X", "name": happened.text, "cat": Class::of(happened.kind).name(),
        "pid": place(data, happened), "tid": EVENTS, "ts": STEP * step, "dur": EVENT,
        "args": { "step": step, "kind": format!("{:?}", happened.kind) },
    })
}

/// The stretches in which a node has the same role and term.
fn roles(data: &Data, node: u64) -> Vec<Value> {
    let mut stretches: Vec<(u64, String, u64)> = Vec::new();
    let (mut role, mut term) = (String::new(), 0);
    for Change { step, changes, .. } in data.changes.iter().filter(|change| change.node == node) {
        if let Some(now) = changes["role"].as_str() {
            now.clone_into(&mut role);
        }
        term = changes["term"].as_u64().unwrap_or(term);
        if stretches.last().is_none_or(|(_, before, since)| (before, since) != (&role, &term)) {
            stretches.push((*step, role.clone(), term));
        }
    }
    let end = data.events.len() as u64;
    let ends = stretches.iter().skip(1).map(|(start, ..)| *start).chain([end]);
    let slices = stretches.iter().zip(ends).map(|((start, role, term), end)| {
        json!({
            "ph": "X", "name": format!("{role}, term {term}"), "cat": "role", "pid": node, "tid": ROLES,
            "ts": STEP * start, "dur": STEP * (end - start),
        })
    });
    slices.collect()
}

fn counters(change: &Change) -> Vec<Value> {
    let Change { step, node, changes } = change;
    let counted = ["term", "commit"].into_iter().filter(|name| changes[*name].is_u64());
    let counter = |name: &str| json!({ "ph": "C", "name": name, "pid": node, "ts": STEP * step, "args": { name: changes[name] } });
    counted.map(counter).collect()
}

/// A flow begins in the event that sent the message and ends in the one that delivered it.
fn flow(data: &Data, id: usize, sent: &Sent) -> Vec<Value> {
    let (Some(end), Fate::Delivered) = (sent.end, sent.fate) else { return Vec::new() };
    let sender = usize::try_from(sent.at).ok().and_then(|step| data.events.get(step));
    let from = sender.map_or(sent.from, |happened| place(data, happened));
    let at = |step: u64| STEP * step + EVENT / 2;
    let begins = json!({
        "ph": "s", "id": id, "name": sent.kind, "cat": "message", "pid": from, "tid": EVENTS, "ts": at(sent.at),
    });
    let ends = json!({
        "ph": "f", "bp": "e", "id": id, "name": sent.kind, "cat": "message", "pid": sent.to, "tid": EVENTS, "ts": at(end),
    });
    vec![begins, ends]
}

fn cut_link(number: usize, cut: &Cut) -> [Value; 2] {
    let name = format!("{}→{} is cut", cut.from, cut.to);
    let half = |phase: &str, step: u64| {
        json!({
            "ph": phase, "id": number, "name": name, "cat": "cut", "pid": CLUSTER, "tid": EVENTS, "ts": STEP * step,
        })
    };
    [half("b", cut.start), half("e", cut.end)]
}

fn operations(data: &Data) -> Vec<Value> {
    let end = data.events.len() as u64;
    let slice = |asked: &Asked| {
        let answer = asked.answer.as_ref().map_or_else(|| "unknown".to_owned(), ToString::to_string);
        let duration = asked.ended.unwrap_or(end).saturating_sub(asked.invoked);
        json!({
            "ph": "X", "name": format!("{}: {answer}", asked.text()), "cat": "operation", "pid": CLIENTS,
            "tid": asked.client + 1, "ts": STEP * asked.invoked, "dur": STEP * duration,
            "args": { "answer": answer },
        })
    };
    let mut clients: Vec<u64> = data.operations.all.iter().map(|asked| asked.client).collect();
    clients.sort_unstable();
    clients.dedup();
    let name = |client: u64| {
        let args = json!({ "name": format!("client {client}") });
        json!({ "ph": "M", "name": "thread_name", "pid": CLIENTS, "tid": client + 1, "args": args })
    };
    clients.into_iter().map(name).chain(data.operations.all.iter().map(slice)).collect()
}
