//! A leader commits an entry of its own term, and only when a quorum of its configuration holds it durably.
//!
//! ```text
//! n, leading t, raises its commit index to i  ⇒  term(n, i) = t
//!                                             ∧  { v : v durably holds n.log[i] } decides for n's configuration   (1)
//! n leads t and votes, term(n, i) = t, and { v : n counts v up to i } decides for n's configuration
//!                                             ⇒  n's commit index is at least i                                   (2)
//! ```
//!
//! Source: Raft paper, sections 5.3 and 5.4.2 (figure 8: why entries of earlier terms are never committed by counting);
//! thesis, sections 4.3 (joint), 4.2.1 (learners do not count) and 10.2.1 (a leader may count itself only once it has
//! written); `AdvanceCommitIndex` in `raft.tla`, `CommittedIsDurable` in `etcdraft.tla`.
//!
//! Leader completeness rests on this. This check fails in the step in which the fault happens; leader completeness
//! breaks only if a crash and an election then hit the wrong nodes. What a follower once acknowledged in the leader's
//! term stays on its disk: only the append of a later leader that does not hold it could remove it, and there is no
//! such leader once a quorum holds it.
//!
//! If a leader counts what it, or a follower, has written and not synced, the quorum is not at fault: the world then
//! reports the [missing fsync](super::durability).

use raft::{EntryId, Index, NodeId};

use super::cluster::{Cluster, Node};
use super::quorum;
use super::violation::{Check, Invariant, Violation};
use super::words;

/// A leader has shown the index up to which it counts each voter, `matched`. What is not committed at once may wait for
/// ever.
pub(super) fn commits_all(id: NodeId, node: &Node, matched: impl Fn(NodeId) -> Index) -> Check {
    let (Some(term), commit) = (node.leads(), node.view.hard_state.commit) else { return Ok(()) };
    let configuration = &*node.configuration;
    let reaches = |index: Index| quorum::decides(configuration, |voter| matched(voter) >= index);
    if commit == node.view.last.index || !quorum::votes(configuration, id) || !reaches(commit.next()) {
        return Ok(());
    }
    let ends = configuration.voters.iter().chain(&configuration.voters_outgoing).map(|&voter| matched(voter));
    match ends.filter(|&end| reaches(end) && node.log.term(end) == Some(term)).max() {
        Some(index) if index > commit => {
            let detail = format!(
                "leads term {term} and counts a quorum up to {index}, but has committed up to {commit} only; expected it to \
                 commit what a quorum of its members {} holds",
                words::members(configuration)
            );
            Err(broken(id, detail))
        }
        Some(_) | None => Ok(()),
    }
}

/// A leader's commit index rose.
pub(super) fn commits(cluster: &Cluster, id: NodeId) -> Check {
    let Some(node) = cluster.get(id) else { return Ok(()) };
    let (term, index) = (node.view.hard_state.term, node.view.hard_state.commit);
    let Some(entry_term) = node.log.term(index) else {
        let last = node.log.last();
        let detail =
            format!("committed up to {index}, but its log ends at {last}; expected it to hold what it commits");
        return Err(broken(id, detail));
    };
    let entry = EntryId::new(entry_term, index);
    if entry_term != term {
        return Err(broken(
            id,
            format!(
                "leads term {term} and committed {entry}, an entry of an earlier term, by counting who holds it; expected an \
                 entry of term {term} to be committed by counting, and the earlier ones with it"
            ),
        ));
    }
    if quorum::decides(&node.configuration, |voter| cluster.durably_holds(voter, entry)) {
        return Ok(());
    }
    let held = cluster.iter().filter(|(_, node)| node.durable.holds(entry)).map(|(id, _)| id);
    let detail = format!(
        "leads term {term} and committed {entry}, which is durable on {}; expected it on a quorum of its members {}",
        words::nodes(&held.collect::<Vec<_>>()),
        words::members(&node.configuration)
    );
    Err(broken(id, detail))
}

fn broken(id: NodeId, what: String) -> Violation {
    Violation::new(Invariant::CommitQuorum, &[id], format!("node {id} {what}"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, breaks, configuration, entries, node};
    use super::*;

    #[test]
    fn a_commit_that_a_quorum_holds_is_fine() {
        let mut bench = Bench::new(4);
        bench.elect(1, 1, &[2, 3]).unwrap();
        bench.append(2, &entries(1, 1..=1)).unwrap();
        bench.append(3, &entries(1, 1..=1)).unwrap();
        bench.commit(1, 1).unwrap();
    }

    #[test]
    fn a_commit_with_half_of_an_even_cluster_is_found() {
        let mut bench = Bench::new(4);
        bench.elect(1, 1, &[2, 3]).unwrap();
        bench.append(2, &entries(1, 1..=1)).unwrap();
        breaks(Invariant::CommitQuorum, bench.commit(1, 1));
    }

    #[test]
    fn what_a_quorum_holds_and_nobody_commits_is_found() {
        let mut bench = Bench::led();
        let counts = |bench: &Bench, matched: [u64; 3]| {
            let node = bench.checkers.cluster.get(node(1)).unwrap();
            commits_all(super::super::testing::node(1), node, |voter| Index(matched[voter.get() as usize - 1]))
        };
        counts(&bench, [4, 0, 0]).unwrap();
        breaks(Invariant::CommitQuorum, counts(&bench, [4, 2, 0]));
        breaks(Invariant::CommitQuorum, counts(&bench, [4, 2, 3]));
        bench.append(2, &entries(1, 1..=2)).unwrap();
        bench.commit(1, 2).unwrap();
        counts(&bench, [4, 2, 0]).unwrap();
        breaks(Invariant::CommitQuorum, counts(&bench, [4, 2, 3]));
    }

    #[test]
    fn what_is_of_an_earlier_term_need_not_be_committed() {
        let mut bench = Bench::led();
        bench.append(2, &entries(1, 1..=3)).unwrap();
        bench.elect(2, 2, &[3]).unwrap();
        let counts = |matched: [u64; 3]| {
            let leader = bench.checkers.cluster.get(node(2)).unwrap();
            commits_all(node(2), leader, |voter| Index(matched[voter.get() as usize - 1]))
        };
        counts([3, 4, 3]).unwrap();
        breaks(Invariant::CommitQuorum, counts([4, 4, 3]));
    }

    #[test]
    fn a_learner_that_counts_is_found() {
        let mut bench = Bench::with(&[1, 2, 3, 4], &configuration(&[1, 2, 3]));
        bench.elect(1, 1, &[2]).unwrap();
        bench.append(4, &entries(1, 1..=1)).unwrap();
        breaks(Invariant::CommitQuorum, bench.commit(1, 1));
    }

    #[test]
    fn a_quorum_of_only_one_half_of_a_joint_configuration_is_found() {
        let mut joint = configuration(&[1, 2, 3]);
        joint.voters_outgoing = [3, 4, 5].into_iter().map(node).collect();
        let mut bench = Bench::with(&[1, 2, 3, 4, 5], &joint);
        bench.elect(1, 1, &[2, 3, 4]).unwrap();
        bench.append(2, &entries(1, 1..=1)).unwrap();
        bench.append(3, &entries(1, 1..=1)).unwrap();
        breaks(Invariant::CommitQuorum, bench.commit(1, 1));
    }

    #[test]
    fn a_leader_that_counts_what_it_has_not_synced_is_found() {
        let mut bench = Bench::new(1);
        bench.elect(1, 1, &[]).unwrap();
        bench.append_unsynced(1, &entries(1, 2..=2)).unwrap();
        bench.commit(1, 1).unwrap();
        breaks(Invariant::CommitQuorum, bench.commit(1, 2));
    }

    #[test]
    fn a_follower_that_acknowledged_before_it_synced_does_not_count() {
        let mut bench = Bench::new(3);
        bench.elect(1, 1, &[2]).unwrap();
        bench.append_unsynced(2, &entries(1, 1..=1)).unwrap();
        breaks(Invariant::CommitQuorum, bench.commit(1, 1));
    }

    #[test]
    fn an_entry_of_an_earlier_term_that_is_committed_by_counting_is_found() {
        let mut bench = Bench::new(3);
        bench.elect(1, 1, &[2]).unwrap();
        bench.append(2, &entries(1, 1..=1)).unwrap();
        bench.elect(1, 2, &[3]).unwrap();
        breaks(Invariant::CommitQuorum, bench.commit(1, 1));
    }
}
