//! Fewer nodes, and a membership that is from the start what it has to become.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use raft::{ConfChange, ConfChangeV2, ConfState, Configuration, NodeId};

use super::baseline::{Baseline, Candidate};
use super::groups::touched;
use super::renumber::renumber;
use super::search::Search;
use super::step::Step;
use crate::world::{Boot, Event};

/// Lets nodes start with the membership that they reached later, takes out of it the nodes at which nothing happens,
/// and numbers the others from 1.
pub(super) fn fewer(search: &mut Search<'_>) -> bool {
    let mut changed = from_the_start(search);
    changed |= together(search);
    let live = live(&search.best);
    let idle: Vec<NodeId> = named(&search.best).difference(&live).copied().collect();
    for node in idle {
        changed |= search.take_first(0..1, |best, _| Some(without_member(best, node))).is_some();
    }
    let live: Vec<NodeId> = named(&search.best).union(&live).copied().collect();
    let numbers: BTreeMap<NodeId, NodeId> = live.iter().copied().zip((1..).filter_map(NodeId::new)).collect();
    if numbers.iter().any(|(old, new)| old != new) {
        changed |= search.take_first(0..1, |best, _| Some(renumber(best, &numbers))).is_some();
    }
    changed
}

/// The nodes at which something happens.
fn live(best: &Baseline) -> BTreeSet<NodeId> {
    best.steps.iter().flat_map(|step| touched(step)).flatten().collect()
}

/// The nodes that are in the membership from the start.
fn named(best: &Baseline) -> BTreeSet<NodeId> {
    let boots = best.steps.iter().filter_map(|step| match &step.event {
        Event::Start { boot, .. } => Some(boot),
        _ => None,
    });
    boots.flat_map(boot_members).collect()
}

fn boot_members(boot: &Boot) -> Vec<NodeId> {
    match boot {
        // The members of another cluster are none of this one.
        Boot::Empty | Boot::Foreign { .. } => Vec::new(),
        Boot::Peers(peers) => peers.clone(),
        Boot::Snapshot { conf_state: ConfState { voters, voters_outgoing, learners, learners_next, .. }, .. } => {
            [voters, voters_outgoing, learners, learners_next].into_iter().flatten().copied().collect()
        }
    }
}

/// Takes nodes out of the run: what happens at them, and their part in the membership from the start. If only one of
/// the two were taken out, the others would wait for a quorum that they do not have, or hear of a node that they do not
/// know.
pub(super) fn leave(search: &mut Search<'_>) {
    loop {
        let nodes: Vec<NodeId> = named(&search.best).union(&live(&search.best)).copied().collect();
        if search.take_first(0..nodes.len(), |best, number| Some(without_node(best, nodes[number]))).is_none() {
            return;
        }
    }
}

fn without_node(best: &Baseline, node: NodeId) -> Candidate {
    let stays = best.steps.iter().filter(|step| !touched(step).contains(&Some(node)));
    let rest = stays.map(|step| {
        without_name(&step.event, node).map_or_else(|| Arc::clone(step), |event| Arc::new(Step::new(event)))
    });
    Candidate { shared: 0, rest: rest.collect() }
}

fn without_member(best: &Baseline, node: NodeId) -> Candidate {
    let steps = best.steps.iter().enumerate();
    best.with(steps.filter_map(|(position, step)| Some((position, without_name(&step.event, node)?))).collect())
}

/// The event without this node among the members, if it says who the members are.
fn without_name(event: &Event, node: NodeId) -> Option<Event> {
    let mut event = event.clone();
    match &mut event {
        Event::Start { boot: Boot::Peers(peers), .. } => peers.retain(|peer| *peer != node),
        Event::Start { boot: Boot::Snapshot { conf_state, .. }, .. } => {
            let ConfState { voters, voters_outgoing, learners, learners_next, auto_leave: _ } = conf_state;
            for members in [voters, voters_outgoing, learners, learners_next] {
                members.remove(&node);
            }
        }
        Event::ExpectLiveness { core: Some(core) } => drop(core.remove(&node)),
        _ => return None,
    }
    Some(event)
}

/// Makes a membership change before the run begins. Returns whether that was possible.
fn from_the_start(search: &mut Search<'_>) -> bool {
    let mut changed = false;
    loop {
        // A node that joins later starts empty, or as the others do.
        let forms = 2 * changes(&search.best).len();
        let taken = search.take_first(0..forms, |best, form| made_before(best, form / 2, form % 2 == 0));
        if taken.is_none() {
            return changed;
        }
        changed = true;
    }
}

/// Asks for two membership changes as one. Returns whether that was possible.
fn together(search: &mut Search<'_>) -> bool {
    let mut changed = false;
    loop {
        let forms = 2 * changes(&search.best).len().saturating_sub(1);
        let taken = search.take_first(0..forms, |best, form| joined(best, form / 2, form % 2 == 0));
        if taken.is_none() {
            return changed;
        }
        changed = true;
    }
}

/// The run in which the change of this number and the next are asked for as one: in the place of the first of them, or
/// of the second.
fn joined(best: &Baseline, number: usize, first: bool) -> Option<Candidate> {
    let changes = changes(best);
    let [(one, node, before), (other, _, after)] = changes.get(number..number + 2)? else { return None };
    let (before, after) = (before.as_v2(), after.as_v2());
    let all = before.changes.iter().chain(&after.changes).copied().collect();
    let change = ConfChange::V2(ConfChangeV2 { changes: all, ..after });
    let (kept, removed) = if first { (*one, *other) } else { (*other, *one) };
    Some(best.with_and_without(vec![(kept, Event::ProposeConfChange { node: *node, change })], removed))
}

/// The membership changes that are asked for: the position, the node that is asked, and the change.
fn changes(best: &Baseline) -> Vec<(usize, NodeId, ConfChange)> {
    let changes = best.steps.iter().enumerate().filter_map(|(position, step)| match &step.event {
        Event::ProposeConfChange { node, change } => Some((position, *node, change.clone())),
        _ => None,
    });
    changes.collect()
}

/// The run in which the change of this number is not asked for, but was made when the nodes started.
fn made_before(best: &Baseline, number: usize, joins_at_once: bool) -> Option<Candidate> {
    let (asked, _, change) = changes(best).into_iter().nth(number)?;
    let boots = best.steps.iter().filter_map(|step| match &step.event {
        Event::Start { boot: boot @ Boot::Snapshot { .. }, .. } => Some(boot),
        _ => None,
    });
    let Boot::Snapshot { index, conf_state } = boots.into_iter().next()? else { return None };
    let before = Configuration::from_conf_state(conf_state).ok()?;
    let after = before.apply(&change.as_v2()).ok()?.configuration.conf_state();
    let boot = Boot::Snapshot { index: *index, conf_state: after };
    let started = best.steps.iter().enumerate().filter_map(|(position, step)| {
        let Event::Start { node, boot: old, options, seed } = &step.event else { return None };
        if old.is_foreign() {
            return None;
        }
        let empty = matches!(old, Boot::Empty) && !(joins_at_once && boot_members(&boot).contains(node));
        let boot = if empty { Boot::Empty } else { boot.clone() };
        Some((position, Event::Start { node: *node, boot, options: options.clone(), seed: *seed }))
    });
    Some(best.with_and_without(started.collect(), asked))
}
