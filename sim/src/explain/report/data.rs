//! The run as data: events, messages, and what changed at each step, as the page and the timeline need it.

use std::collections::BTreeMap;

use raft::NodeId;
use serde_json::{Value, json};

use super::curve::Curve;
use super::node::Known;
use super::operations::Operations;
use crate::explain::{Class, describe};
use crate::invariant::Invariant;
use crate::trace::{Ending, Failure, Header};
use crate::world::{Envelope, Event, EventKind, Inapplicable, Outcome, Refusal, World};

/// What the data in a page calls its format.
const FORMAT: &str = "raft-sim-report";

/// The version of that format. A page carries all that it needs, so nothing has to read the data of another page.
/// Whatever does may look here first.
const VERSION: u32 = 2;

/// What became of a message, by the numbers that the page knows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    InFlight = 0,
    Delivered = 1,
    Dropped = 2,
    /// At a cut link, or at a node that was down.
    Lost = 3,
}

/// A message.
pub(super) struct Sent {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) kind: &'static str,
    pub(super) text: String,
    pub(super) at: u64,
    pub(super) end: Option<u64>,
    pub(super) fate: Fate,
}

/// An event.
pub(super) struct Happened {
    pub(super) kind: EventKind,
    /// The nodes that it concerns: the one at which it happens, or both ends of a link.
    pub(super) nodes: [Option<NodeId>; 2],
    /// The message of which it speaks.
    pub(super) message: Option<u64>,
    pub(super) text: String,
}

/// What changed of a node.
pub(super) struct Change {
    pub(super) step: u64,
    pub(super) node: u64,
    pub(super) changes: Value,
}

/// A link that was cut, until the step at which it was healed.
pub(super) struct Cut {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) start: u64,
    pub(super) end: u64,
}

/// The data, as it grows.
pub(super) struct Data {
    pub(super) header: Value,
    pub(super) events: Vec<Happened>,
    pub(super) messages: Vec<Sent>,
    pub(super) operations: Operations,
    nodes: BTreeMap<NodeId, Known>,
    pub(super) changes: Vec<Change>,
    pub(super) cuts: Vec<Cut>,
    open_cuts: BTreeMap<(NodeId, NodeId), u64>,
    /// The nodes that the event about to happen concerns, and the message of which it speaks.
    concerned: [Option<NodeId>; 2],
}

impl Data {
    pub(super) fn new(header: &Header) -> Self {
        let Header { seed, bug, note, .. } = header;
        Self {
            header: json!({
                "format": FORMAT,
                "version": VERSION,
                "recorder": header.recorder(),
                "seed": seed.map(|seed| seed.to_string()),
                "bug": bug,
                "note": note,
            }),
            events: Vec::new(),
            messages: Vec::new(),
            operations: Operations::default(),
            nodes: BTreeMap::new(),
            changes: Vec::new(),
            cuts: Vec::new(),
            open_cuts: BTreeMap::new(),
            concerned: [None, None],
        }
    }

    fn step(&self) -> u64 {
        self.events.len() as u64
    }

    /// An event is about to happen.
    pub(super) fn before(&mut self, event: &Event, world: &World) {
        self.concerned = world.network().concerned(event);
    }

    /// An event happened.
    pub(super) fn happened(&mut self, event: &Event, text: String, outcome: &Outcome, world: &World) {
        let lost = outcome.refused == Some(Refusal::Lost);
        let text = match &outcome.refused {
            None => text,
            Some(refusal) => format!("{text}: {refusal}"),
        };
        let step = self.step();
        self.end_message(event, if lost { Fate::Lost } else { Fate::Delivered });
        self.end_local(event, world);
        self.change_links(event);
        for id in outcome.newly_in_flight() {
            if let Some(envelope) = world.network().get(id) {
                self.send(id.0, envelope, step);
            }
        }
        self.operations.happened(step, event, &outcome.completed, world.clients());
        self.push(event, text);
        self.observe(step, world);
    }

    /// An event did not fit: nothing happened, and nobody is concerned, so that no filter hides it.
    pub(super) fn left_out(&mut self, event: &Event, reason: &Inapplicable) {
        self.concerned = [None, None];
        self.push(event, format!("does not fit: {reason}"));
    }

    /// An event broke something.
    pub(super) fn broke(&mut self, event: &Event, text: String, world: &World) {
        let step = self.step();
        self.end_message(event, Fate::Delivered);
        self.operations.happened(step, event, world.clients().answered(), world.clients());
        self.push(event, text);
        self.observe(step, world);
    }

    fn push(&mut self, event: &Event, text: String) {
        let message = event.message().map(|id| id.0);
        self.events.push(Happened { kind: event.kind(), nodes: self.concerned, message, text });
    }

    fn send(&mut self, id: u64, envelope: &Envelope, at: u64) {
        let (from, to) = match envelope {
            Envelope::Network(message) => (message.from.get(), message.to.get()),
            Envelope::Local { node, .. } => (node.get(), node.get()),
        };
        let kind = envelope.kind();
        let text = describe::envelope(envelope);
        debug_assert_eq!(id, self.messages.len() as u64, "messages are numbered as they are sent");
        self.messages.push(Sent { from, to, kind, text, at, end: None, fate: Fate::InFlight });
    }

    fn end_message(&mut self, event: &Event, delivered: Fate) {
        let fate = match event {
            Event::Deliver { .. } => delivered,
            Event::Drop { .. } => Fate::Dropped,
            _ => return,
        };
        let step = self.step();
        let id = event.message().and_then(|id| usize::try_from(id.0).ok());
        if let Some(sent) = id.and_then(|id| self.messages.get_mut(id)) {
            (sent.end, sent.fate) = (Some(step), fate);
        }
    }

    /// A crash ends what the node said to itself.
    fn end_local(&mut self, event: &Event, world: &World) {
        let Event::Crash { node, .. } = event else { return };
        let (step, node) = (self.step(), node.get());
        debug_assert!(world.replicas().any(|replica| replica.id().get() == node), "it exists");
        for sent in self.messages.iter_mut().filter(|sent| sent.from == node && sent.to == node && sent.end.is_none()) {
            (sent.end, sent.fate) = (Some(step), Fate::Lost);
        }
    }

    fn change_links(&mut self, event: &Event) {
        let step = self.step();
        match event {
            Event::Cut { from, to } => {
                self.open_cuts.entry((*from, *to)).or_insert(step);
            }
            Event::HealLink { from, to } => {
                if let Some(since) = self.open_cuts.remove(&(*from, *to)) {
                    self.cuts.push(Cut { from: from.get(), to: to.get(), start: since, end: step });
                }
            }
            _ => {}
        }
    }

    fn observe(&mut self, step: u64, world: &World) {
        for node in self.concerned.into_iter().flatten() {
            let Some(replica) = world.replica(node) else { continue };
            if let Some(changes) = self.nodes.entry(node).or_default().update(replica) {
                self.changes.push(Change { step, node: node.get(), changes });
            }
        }
    }

    /// The run is over: what is open lasts until its end.
    pub(super) fn close(&mut self) {
        let end = self.step();
        for ((from, to), start) in std::mem::take(&mut self.open_cuts) {
            self.cuts.push(Cut { from: from.get(), to: to.get(), start, end });
        }
    }

    /// The numbers of the nodes.
    pub(super) fn nodes(&self) -> Vec<u64> {
        self.nodes.keys().map(|node| node.get()).collect()
    }

    /// All the data of a run that ends with `ending` and was recorded to end with `recorded`. `past` has a digit for each event.
    pub(super) fn page(
        &self,
        ending: &Ending,
        recorded: &Ending,
        past: Option<String>,
        curve: Option<&Curve>,
    ) -> Value {
        let last = self.step().saturating_sub(1);
        let (broken, involved): (Option<String>, Vec<u64>) = match ending {
            Ending::Completed => (None, Vec::new()),
            Ending::Violation(violation) => {
                (Some(violation.to_string()), violation.nodes.iter().map(|node| node.get()).collect())
            }
            Ending::Panic(_) | Ending::Hang(_) => (Some(ending.clone().to_string()), Vec::new()),
        };
        let refuted = match ending {
            Ending::Violation(violation) if violation.invariant == Invariant::Linearizability => {
                self.operations.refuted(last)
            }
            _ => Vec::new(),
        };
        let is_as_recorded = Failure::of(ending) == Failure::of(recorded);
        let recorded = (!is_as_recorded).then(|| recorded.clone().to_string());
        let (mut kinds, mut message_kinds) = (Names::default(), Names::default());
        let events: Vec<Value> = self.events.iter().map(|happened| event(happened, &mut kinds)).collect();
        let messages: Vec<Value> = self.messages.iter().map(|sent| message(sent, &mut message_kinds)).collect();
        let class_of = classes();
        let classes: Vec<Option<&str>> = kinds.0.iter().map(|kind| class_of.get(kind).copied()).collect();
        let changes = self.changes.iter().map(|Change { step, node, changes }| json!([step, node, changes]));
        let cuts = self.cuts.iter().map(|cut| json!([cut.from, cut.to, cut.start, cut.end]));
        json!({
            "header": self.header, "nodes": self.nodes(), "kinds": kinds.0, "classes": classes, "events": events,
            "messageKinds": message_kinds.0, "messages": messages, "changes": changes.collect::<Vec<_>>(),
            "cuts": cuts.collect::<Vec<_>>(), "broken": broken, "involved": involved, "recorded": recorded,
            "operations": self.operations.values(), "refuted": refuted, "why": curve.map(Curve::value),
            "past": past,
        })
    }
}

/// The class of each kind of event, by its name.
fn classes() -> BTreeMap<String, &'static str> {
    EventKind::ALL.into_iter().map(|kind| (format!("{kind:?}"), Class::of(kind).name())).collect()
}

/// `[kind, node, other node or 0, message or -1, text]`
fn event(happened: &Happened, kinds: &mut Names) -> Value {
    let kind = kinds.number(&format!("{:?}", happened.kind));
    let [node, other] = happened.nodes.map(|node| node.map_or(0, NodeId::get));
    let message = happened.message.map_or(-1, |id| i64::try_from(id).unwrap_or(-1));
    json!([kind, node, other, message, happened.text])
}

/// `[from, to, kind, sent, end or -1, fate, text]`
fn message(sent: &Sent, kinds: &mut Names) -> Value {
    let end = sent.end.map_or(-1, |end| i64::try_from(end).unwrap_or(-1));
    json!([sent.from, sent.to, kinds.number(sent.kind), sent.at, end, sent.fate as u8, sent.text])
}

/// Names, each of which is written once.
#[derive(Default)]
struct Names(Vec<String>);

impl Names {
    fn number(&mut self, name: &str) -> usize {
        self.0.iter().position(|known| known == name).unwrap_or_else(|| {
            self.0.push(name.to_string());
            self.0.len() - 1
        })
    }
}
