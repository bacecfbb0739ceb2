//! Making events simpler: smaller numbers, shorter values, plainer faults, fewer nodes.

use bytes::Bytes;
use raft::{ConfChange, ConfChangeV2, ConfState, Index, Transition};

use super::members;
use super::search::Search;
use crate::disk::Keep;
use crate::history::{Command, Operation};
use crate::world::{Boot, Event, NodeOptions};

/// Makes everything as simple as it can be. Returns whether anything changed.
pub(super) fn values(search: &mut Search<'_>) -> bool {
    search.begin("values");
    let mut changed = false;
    changed |= at_once(search);
    changed |= one_by_one(search);
    changed |= members::fewer(search);
    changed
}

/// Changes of all events together.
fn at_once(search: &mut Search<'_>) -> bool {
    let changes: [fn(&Event) -> Option<Event>; 5] =
        [usual_options, from_snapshot, fixed_timeouts, all_entries, campaign];
    let mut changed = false;
    for change in changes {
        let taken = search.take_first(0..1, |best, _| {
            let events = best.steps.iter().enumerate();
            let other =
                events.filter_map(|(position, step)| Some((position, change(&step.event)?))).collect::<Vec<_>>();
            (!other.is_empty()).then(|| best.with(other))
        });
        changed |= taken.is_some();
    }
    changed
}

/// Changes of one event at a time.
fn one_by_one(search: &mut Search<'_>) -> bool {
    let mut changed = false;
    let mut position = 0;
    while position < search.best.steps.len() && !search.is_over() {
        let simpler = simpler(&search.best.steps[position].event);
        let before = search.best.steps.len();
        let taken = search
            .take_first(0..simpler.len(), |best, number| Some(best.with(vec![(position, simpler[number].clone())])));
        changed |= taken.is_some();
        // What became simpler may become simpler still; where events fell away, others have moved here.
        if taken.is_none() || search.best.steps.len() < before {
            position += 1;
        }
    }
    changed
}

fn usual_options(event: &Event) -> Option<Event> {
    let mut event = event.clone();
    match &mut event {
        Event::Start { options, .. } | Event::Restart { options: Some(options), .. } => {
            let usual = NodeOptions { application: options.application, ..NodeOptions::default() };
            (*options != usual).then(|| *options = usual)?;
        }
        _ => return None,
    }
    Some(event)
}

fn from_snapshot(event: &Event) -> Option<Event> {
    let mut event = event.clone();
    let Event::Start { boot, .. } = &mut event else { return None };
    let Boot::Peers(peers) = boot else { return None };
    let conf_state = ConfState { voters: peers.iter().copied().collect(), ..ConfState::default() };
    *boot = Boot::Snapshot { index: Index(1), conf_state };
    Some(event)
}

fn fixed_timeouts(event: &Event) -> Option<Event> {
    let mut event = event.clone();
    let (Event::Start { seed, .. } | Event::Restart { seed, .. }) = &mut event else { return None };
    seed.take()?;
    Some(event)
}

fn all_entries(event: &Event) -> Option<Event> {
    match event {
        Event::Apply { node, entries } if *entries < u32::MAX => Some(Event::Apply { node: *node, entries: u32::MAX }),
        _ => None,
    }
}

fn campaign(event: &Event) -> Option<Event> {
    match event {
        Event::Tick { node } => Some(Event::Campaign { node: *node }),
        _ => None,
    }
}

/// Simpler forms of an event, the simplest first.
fn simpler(event: &Event) -> Vec<Event> {
    let mut forms: Vec<Event> = Vec::new();
    forms.extend([usual_options, fixed_timeouts, all_entries, campaign].iter().filter_map(|change| change(event)));
    match event {
        Event::Start { .. } => forms.extend(usual_fields(event)),
        Event::ExpectLiveness { core: Some(_) } => forms.push(Event::ExpectLiveness { core: None }),
        Event::Restart { node, options: Some(_), seed } => {
            forms.push(Event::Restart { node: *node, options: None, seed: *seed });
        }
        Event::Crash { node, keep } => {
            let plainer = [Keep::All, Keep::Nothing].into_iter().take_while(|plain| plain != keep);
            forms.extend(plainer.map(|keep| Event::Crash { node: *node, keep }));
        }
        Event::ProposeConfChange { node, change: ConfChange::V2(change) } => {
            forms.extend(fewer_changes(change).map(|change| Event::ProposeConfChange { node: *node, change }));
        }
        Event::Invoke { client, node, operation } => {
            let plainer = plainer(operation).into_iter();
            forms.extend(plainer.map(|operation| Event::Invoke { client: *client, node: *node, operation }));
        }
        Event::Propose { node, data } => {
            forms.extend(shorter(data).map(|data| Event::Propose { node: *node, data }));
        }
        _ => {}
    }
    forms.extend(super::lower::lower(event));
    forms
}

/// The membership change with one step fewer, or with the transition that the leader would choose by itself.
fn fewer_changes(change: &ConfChangeV2) -> impl Iterator<Item = ConfChange> + use<> {
    let (all, simple) = (change.clone(), ConfChangeV2 { context: Bytes::new(), ..change.clone() });
    let fewer = (0..change.changes.len()).map(move |position| {
        let mut fewer = simple.clone();
        fewer.changes.remove(position);
        fewer
    });
    let usual = ConfChangeV2 { transition: Transition::Auto, context: Bytes::new(), ..all.clone() };
    fewer.chain(Some(usual).filter(|usual| *usual != all)).map(ConfChange::V2)
}

/// Shorter data: none, or the client's command with the shortest value.
fn shorter(data: &Bytes) -> impl Iterator<Item = Bytes> + use<> {
    let command = Command::parse(data).map(|command| Command { key: 0, value: Bytes::new(), ..command }.encode());
    let first = Command::parse(data).map(|command| Command { client: 1, sequence: 1, key: 0, ..command }.encode());
    let (data, length) = (data.clone(), data.len());
    let shorter = [Some(Bytes::new()), first, command].into_iter().flatten();
    shorter.filter(move |other| other.len() < length || (other.len() == length && *other < data))
}

/// The operation as a plain write, on the first key, and with a shorter value.
fn plainer(operation: &Operation) -> Vec<Operation> {
    match operation.clone() {
        Operation::CompareAndSet { key, expected, value } => {
            let with = |key, value| Operation::CompareAndSet { key, expected: expected.clone(), value };
            let plain = Operation::Write { key, value: value.clone() };
            std::iter::once(plain).chain(with_less(key, &value, with)).collect()
        }
        Operation::Write { key, value } => with_less(key, &value, |key, value| Operation::Write { key, value }),
        Operation::Read { key: 1.. } => vec![Operation::Read { key: 0 }],
        // What others say, only they can say more plainly.
        Operation::Read { .. } | Operation::Request { .. } | Operation::Query { .. } => Vec::new(),
    }
}

/// An operation with the first key, and with less in its value.
fn with_less(key: u64, value: &Bytes, with: impl Fn(u64, Bytes) -> Operation) -> Vec<Operation> {
    // What a value is filled up with says nothing.
    let bare = value.iter().rposition(|byte| *byte != b'.').map_or(0, |last| last + 1);
    let lengths = [0, 1, bare].into_iter().filter(|length| *length < value.len());
    let first = (key > 0).then(|| with(0, value.clone()));
    first.into_iter().chain(lengths.map(|length| with(key, value.slice(..length)))).collect()
}

/// The event with one option as it usually is.
fn usual_fields(event: &Event) -> Vec<Event> {
    let mut forms = Vec::new();
    let mut with = |set: fn(&mut NodeOptions, NodeOptions)| {
        let mut other = event.clone();
        if let Event::Start { options, .. } = &mut other {
            set(options, NodeOptions::default());
            forms.push(other);
        }
    };
    with(|options, usual| options.async_storage_writes = usual.async_storage_writes);
    with(|options, usual| options.election_tick = usual.election_tick.max(options.heartbeat_tick + 1));
    with(|options, usual| options.heartbeat_tick = usual.heartbeat_tick);
    with(|options, usual| options.max_size_per_message = usual.max_size_per_message);
    with(|options, usual| options.max_committed_size_per_ready = usual.max_committed_size_per_ready);
    with(|options, usual| options.max_uncommitted_size = usual.max_uncommitted_size);
    with(|options, usual| options.max_inflight_messages = usual.max_inflight_messages);
    with(|options, usual| options.max_inflight_bytes = usual.max_inflight_bytes);
    with(|options, usual| options.check_quorum = usual.check_quorum);
    with(|options, usual| options.pre_vote = usual.pre_vote);
    with(|options, usual| options.read_only_option = usual.read_only_option);
    with(|options, usual| options.disable_proposal_forwarding = usual.disable_proposal_forwarding);
    with(|options, usual| options.step_down_on_removal = usual.step_down_on_removal);
    with(|options, usual| options.batch_append = usual.batch_append);
    forms.retain(|other| other != event);
    forms
}
