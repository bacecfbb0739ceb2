//! Membership changes that a node applies.

use raft::{ConfState, Index, Role};

use super::heard::tracked;
use crate::situation::{Situation, Situations};
use crate::world::consensus::Node;

/// A node applied the change at this index, which led from one configuration to another.
pub(in crate::world) fn changed(
    situations: &mut Situations,
    node: &dyn Node,
    index: Index,
    before: &ConfState,
    now: &ConfState,
) {
    let (was_joint, is_joint) = (!before.voters_outgoing.is_empty(), !now.voters_outgoing.is_empty());
    if was_joint && !is_joint {
        situations.note(if before.auto_leave { Situation::LeftJointByItself } else { Situation::LeftJointByRequest });
    }
    let first = node.status().first_index;
    situations.note_if(index == first && first > Index(1), Situation::ChangeBehindSnapshot);
    let demoted = before.voters.iter().any(|voter| now.learners.contains(voter) || now.learners_next.contains(voter));
    situations.note_if(demoted, Situation::VoterDemoted);
    let replaced = !now.voters.is_subset(&before.voters) && !before.voters.is_subset(&now.voters);
    situations.note_if(replaced && !was_joint, Situation::VoterReplaced);
    situations.note_if(before.voters.len() > 1 && now.voters.len() == 1 && !is_joint, Situation::DownToOneVoter);
    if node.status().view.soft_state.role != Role::Leader {
        return;
    }
    let id = node.id();
    situations.note_if(before.contains(id) && !now.contains(id), Situation::LeaderRemoved);
    let voted = before.voters.contains(&id) || before.voters_outgoing.contains(&id);
    situations.note_if(voted && now.learners.contains(&id), Situation::LeaderDemoted);
    let promoted = now.voters.intersection(&before.learners);
    let behind = promoted.filter_map(|voter| tracked(node, *voter)).any(|tracked| tracked.matched < index);
    situations.note_if(behind, Situation::LearnerPromotedBehind);
}
