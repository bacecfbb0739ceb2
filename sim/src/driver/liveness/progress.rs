//! Whether a cluster still gets nearer to converging, once faults are over. One that does may take long: members on bad links catch
//! up slowly.

use std::collections::BTreeMap;

use raft::{Index, NodeId, Term};

use crate::world::{Event, EventKind, Outcome, World};

/// How near each node has come to the end of the longest log, and to the highest term: a candidate whose voter does not tell it that
/// term gets there one election at a time.
///
/// A leader that hands on what is written now, while it commits nothing, brings nobody nearer to that end. Nor does one that
/// commits what operators go on writing, once it was seen that they can.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    /// The fewest entries that each node has lacked, those that it has not received and those that it has not applied.
    fewest: BTreeMap<NodeId, u64>,
    /// The fewest terms that each node has been behind.
    behind: BTreeMap<NodeId, u64>,
    /// What each node has applied.
    applied: BTreeMap<NodeId, Index>,
    /// Where the longest log ended when writes were first seen to succeed.
    goal: Option<Index>,
}

impl Progress {
    /// Takes note of what happened. A node that comes back may hold the longest log, so that the others lack more than
    /// they did.
    pub(crate) fn note(&mut self, event: &Event, outcome: &Outcome) {
        if event.kind() == EventKind::Restart && outcome.refused.is_none() {
            *self = Self::default();
        }
    }

    /// Whether some node that is up lacks less than ever, of the log or of the highest term, or has applied something that was there
    /// before writes succeeded.
    pub(crate) fn is_made(&mut self, world: &World, writes_succeed: bool) -> bool {
        let up =
            || world.native_replicas().filter(|replica| replica.is_up()).map(|replica| (replica.id(), replica.view()));
        let end = up().map(|(_, view)| view.last.index).max().unwrap_or(Index::ZERO);
        let highest = up().map(|(_, view)| view.hard_state.term).max().unwrap_or(Term::ZERO);
        if writes_succeed {
            self.goal.get_or_insert(end);
        }
        let mut is_made = false;
        for (node, view) in up() {
            let lack = end.since(view.last.index) + end.0.saturating_sub(view.applied.0);
            let fewest = self.fewest.entry(node).or_insert(u64::MAX);
            is_made |= lack < *fewest;
            *fewest = lack.min(*fewest);

            let behind = highest.0 - view.hard_state.term.0;
            let least = self.behind.entry(node).or_insert(behind);
            is_made |= behind < *least;
            *least = behind.min(*least);

            let reached = self.goal.map_or(view.applied, |goal| goal.min(view.applied));
            let applied = self.applied.entry(node).or_default();
            is_made |= reached > *applied;
            *applied = reached.max(*applied);
        }
        is_made
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::swarm::Swarm;
    use crate::plan::{Overrides, Plan};
    use crate::script::{Command, Environment, scenario};

    /// Progress of a cluster without faults, counted after every event, for so many events of each of some seeds.
    fn count(events: u64, writes_succeed: impl Fn(u64) -> bool) -> (u64, u64) {
        let (mut early, mut late) = (0, 0);
        for seed in 0..5 {
            let overrides = Overrides { nodes: Some(3), no_faults: true, no_settle: true, ..Overrides::default() };
            let plan = Plan::draw(seed, &Overrides { steps: Some(events), ..overrides });
            let mut swarm = Swarm::new(&plan);
            let mut progress = Progress::default();
            while swarm.go_on(&mut |_| {}).is_none() {
                let step = swarm.world().step();
                let made = u64::from(progress.is_made(swarm.world(), writes_succeed(step)));
                if step <= events / 2 { early += made } else { late += made }
            }
        }
        (early, late)
    }

    /// In seed 87047723 the only node that could win was 32 terms behind the voter that it needed.
    #[test]
    fn a_candidate_makes_progress_until_it_has_come_to_the_highest_term() {
        let mut environment = Environment::new();
        let mut run = |text: &str| {
            for block in scenario(text).unwrap() {
                environment.run(&Command::parse(&block).unwrap()).unwrap();
            }
            environment.world().clone()
        };
        run("add-nodes 2 voters=(1,2) index=2\ncut 1->2 2->1\ncampaign 2\ncampaign 2\ncampaign 2\n");
        let mut progress = Progress::default();
        progress.is_made(&run("campaign 1\n"), true);
        let made = [2, 3, 4, 5].map(|_| progress.is_made(&run("campaign 1\n"), true));
        assert_eq!(made, [true, true, false, false]);
    }

    #[test]
    fn whoever_applies_what_others_have_makes_progress_until_writes_are_seen_to_succeed() {
        let (early, late) = count(4000, |_| false);
        assert!(early > 100 && late > 100, "{early} times in the first half, {late} in the second");
        let (early, late) = count(4000, |step| step > 2000);
        assert!(early > 100, "{early} times in the first half");
        assert!(late < 50, "{late} times after all that was there was applied");
    }
}
