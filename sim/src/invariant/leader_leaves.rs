//! A leader that a change took out of its configuration adds nothing to the log, and steps down where it is told to.
//!
//! ```text
//! n leads and is no member of its configuration                   ⇒  n's log does not grow                    (1)
//! n leads, with step_down_on_removal, when it hands a Ready out   ⇒  n votes in its configuration              (2)
//! ```
//!
//! Source: thesis, section 4.2.2 (a removed leader leads on until the change is committed, and is not counted); etcd's
//! `StepDownOnRemoval`. (1) is a part of [`Invariant::ConfigurationAgreement`]: what such a leader adds it does not
//! hold by the rules of its own configuration. (2) is one of [`Invariant::Liveness`] that need not wait for the faults
//! to end: a leader that keeps others quiet and drops proposals stops the cluster.

use raft::{NodeId, Role};

use super::cluster::Node;
use super::input::View;
use super::quorum;
use super::violation::{Check, Invariant, Violation};
use super::words;

/// The view of a node has changed.
pub(super) fn adds_nothing(id: NodeId, node: &Node, before: &View, now: &View) -> Check {
    let led = |view: &View| (view.soft_state.role == Role::Leader).then_some(view.hard_state.term);
    let (Some(term), true) = (led(now), led(before) == led(now)) else { return Ok(()) };
    if now.last == before.last || node.configuration.contains(id) {
        return Ok(());
    }
    let detail = format!(
        "node {id} leads term {term} and its log went from {} to {}; expected it to take nothing, since it is none of its \
         members {}",
        before.last,
        now.last,
        words::members(&node.configuration)
    );
    Err(Violation::new(Invariant::ConfigurationAgreement, &[id], detail))
}

/// A node hands a Ready out.
pub(super) fn steps_down(id: NodeId, node: &Node) -> Check {
    let steps_down = node.config.as_ref().is_some_and(|config| config.step_down_on_removal);
    let Some(term) = node.leads().filter(|_| steps_down && !quorum::votes(&node.configuration, id)) else {
        return Ok(());
    };
    let detail = format!(
        "node {id} leads term {term}; expected it to have stepped down, since it is no voter of its members {}",
        words::members(&node.configuration)
    );
    Err(Violation::new(Invariant::Liveness, &[id], detail))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use raft::{Config, Index};

    use super::super::testing::{Bench, breaks, configuration, entry, node};
    use super::*;

    /// Node 1 leads, and has applied a change that removes it.
    fn removed(step_down_on_removal: bool) -> Bench {
        let mut bench = Bench::led();
        let config = Config { step_down_on_removal, ..Config::new(node(1)) };
        bench.checkers.cluster.node(node(1)).config = Some(Arc::new(config));
        bench.checkers.configuration_applied(node(1), Index(3), &configuration(&[2, 3])).unwrap();
        bench
    }

    #[test]
    fn a_removed_leader_that_takes_proposals_is_found() {
        let append = |bench: &mut Bench| {
            let view = bench.view(1, |view| view.last = entry(1, 5).id());
            bench.checkers.observed(node(1), &view)
        };
        append(&mut Bench::led()).unwrap();
        breaks(Invariant::ConfigurationAgreement, append(&mut removed(false)));
    }

    #[test]
    fn a_removed_leader_that_does_not_step_down_is_found_where_it_is_to() {
        let hands_out = |mut bench: Bench| {
            let view = bench.view(1, |_| ());
            bench.checkers.handed_out(node(1), None, &[], &view)
        };
        hands_out(Bench::led()).unwrap();
        hands_out(removed(false)).unwrap();
        breaks(Invariant::Liveness, hands_out(removed(true)));
    }
}
