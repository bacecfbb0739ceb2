//! Which nodes are healed in the second phase if not all are: a quorum of the voters. The others stay as they are.

use std::collections::BTreeSet;

use raft::{Configuration, NodeId};

use super::Swarm;
use super::budget::remembers_membership;
use crate::disk::Keep;
use crate::plan::Heals;
use crate::random::{Concern, Stream};
use crate::world::Event;

impl Swarm<'_> {
    pub(super) fn has_core(&self) -> bool {
        self.settling.as_ref().is_some_and(|settling| settling.core.is_some())
    }

    pub(super) fn is_in_core(&self, node: NodeId) -> bool {
        let core = self.settling.as_ref().and_then(|settling| settling.core.as_ref());
        core.is_some_and(|core| core.contains(&node))
    }

    /// A quorum that can be kept healthy, if the plan wants no more than that. It has no node whose disk was damaged,
    /// since that node may stop at any time, and none that would go back to an earlier membership after a crash, since
    /// it might then need somebody who has been removed. None where the membership is changing: what is a quorum now
    /// need not be one later.
    pub(super) fn choose_core(&self) -> Option<BTreeSet<NodeId>> {
        let mut stream = Stream::new(self.plan.seed, Concern::Core);
        let voters = match self.plan.heals {
            Heals::Everything => None,
            Heals::Quorum | Heals::QuorumBesideCuts => self.configuration_of_all(),
        }?;
        let voters = voters.conf_state().voters;
        let lost = self.lost();
        let remembers = |voter: &NodeId| self.world.replica(*voter).is_some_and(remembers_membership);
        let is_sound = |voter: &NodeId| remembers(voter) && !lost.contains(voter);
        let mut sound: Vec<NodeId> = voters.iter().copied().filter(is_sound).collect();
        let majority = voters.len() / 2 + 1;
        let size = stream.between(majority as u64, sound.len() as u64);
        while sound.len() as u64 > size {
            let leaves = stream.below(sound.len() as u64);
            sound.remove(usize::try_from(leaves).expect("nodes are few"));
        }
        (sound.len() >= majority).then(|| sound.into_iter().collect())
    }

    /// The configuration of all members that are up, if it is the same everywhere and no change of it is under way.
    fn configuration_of_all(&self) -> Option<&Configuration> {
        let up = || self.world.native_replicas().filter_map(|replica| replica.node());
        let configuration = up().max_by_key(|node| node.status().view.applied)?.configuration();
        let members = || up().filter(|node| configuration.contains(node.id()));
        let differs = members().any(|node| node.configuration() != configuration);
        let is_joint = up().any(|node| node.configuration().is_joint());
        (!differs && !is_joint && !self.expects_change()).then_some(configuration)
    }

    /// Heals everything within the core. The other nodes are left as they are, or made worse.
    pub(super) fn heal_core(&mut self, core: &BTreeSet<NodeId>) {
        self.traffic.heal_among(core.clone(), &mut self.at_once);
        let links = core.iter().flat_map(|from| core.iter().map(move |to| (*from, *to)));
        let cut = links.filter(|(from, to)| self.world.network().is_cut(*from, *to));
        self.at_once.extend(cut.map(|(from, to)| Event::HealLink { from, to }));
        let mut stream = Stream::new(!self.plan.seed, Concern::Core);
        let outsiders = self.world.replicas().filter(|replica| replica.is_up() && !core.contains(&replica.id()));
        for node in outsiders.map(|replica| replica.id()) {
            match self.plan.heals {
                Heals::Everything => {}
                Heals::Quorum if stream.chance(300) => {
                    self.at_once.push_back(Event::Crash { node, keep: Keep::Nothing })
                }
                Heals::Quorum => {}
                Heals::QuorumBesideCuts => self.at_once.extend(cut_in_part(node, core, &mut stream)),
            }
        }
    }
}

/// Cuts between a node and the core: all that it sends, all that it receives, or both with one node of the core or with
/// all but one.
fn cut_in_part(node: NodeId, core: &BTreeSet<NodeId>, stream: &mut Stream) -> Vec<Event> {
    let core: Vec<NodeId> = core.iter().copied().collect();
    let (kind, spared) = (stream.below(4), *stream.pick(&core));
    let cut = |from, to| Event::Cut { from, to };
    let with = |other: NodeId| match kind {
        0 => vec![cut(node, other)],
        1 => vec![cut(other, node)],
        2 if other == spared => Vec::new(),
        2 => vec![cut(node, other), cut(other, node)],
        _ if other == spared => vec![cut(node, other), cut(other, node)],
        _ => Vec::new(),
    };
    core.iter().flat_map(|other| with(*other)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Overrides, Plan, node_id};

    /// In seed 7701547 a node was chosen to be a quorum on its own, went back to the membership before in a crash, and needed
    /// the node that had been removed and was gone.
    #[test]
    fn nobody_who_may_go_back_to_an_earlier_membership_is_part_of_the_quorum_that_is_healed() {
        let removed = "add-nodes 2 voters=(1,2) index=2\ncampaign 2\nstabilize log-level=none\n\
                       propose-conf-change 2\n  r2\nstabilize log-level=none\n";
        let durable = format!("{removed}campaign 1\nstabilize log-level=none\n");
        for (script, core) in [(removed, None), (&durable, Some(BTreeSet::from([node_id(1)])))] {
            let plan = Plan { heals: Heals::Quorum, ..Plan::draw(1, &Overrides::default()) };
            let mut swarm = Swarm::new(&plan);
            swarm.at_once.clear();
            for event in crate::script::record(script).unwrap().events {
                swarm.world.apply(&event).unwrap();
            }
            let voters = swarm.configuration_of_all().map(|all| all.conf_state().voters);
            assert_eq!(voters, Some(BTreeSet::from([node_id(1)])));
            assert_eq!(swarm.choose_core(), core);
        }
    }

    /// In seed 12876 a quorum held a node whose disk was damaged, and which stopped for good soon after.
    #[test]
    fn nobody_whose_disk_was_damaged_is_part_of_the_quorum_that_is_healed() {
        let mut beside_damage = 0;
        for seed in (0..120).chain([12876, 64322, 97847, 174_628, 284_803]) {
            let plan = Plan::draw(seed, &Overrides { steps: Some(500), ..Overrides::default() });
            let mut swarm = Swarm::new(&plan);
            while swarm.settling.is_none() && swarm.go_on(&mut |_| {}).is_none() {}
            let lost = swarm.lost();
            let core = swarm.settling.as_ref().and_then(|settling| settling.core.clone()).unwrap_or_default();
            assert!(core.is_disjoint(&lost), "seed {seed}: {core:?} is healed, {lost:?} may be lost");
            let voters = swarm.configuration_of_all().map(|all| all.conf_state().voters).unwrap_or_default();
            beside_damage += u64::from(!core.is_empty() && !voters.is_disjoint(&lost));
        }
        assert!(beside_damage > 0, "nobody was damaged where a quorum was healed");
    }
}
