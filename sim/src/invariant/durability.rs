//! Nothing is sent before what it promises is durable.
//!
//! ```text
//! v sends c its vote in t        ⇒  v's disk knows of the vote for c in t, or of a later term            (1)
//! f accepts up to i in t         ⇒  f's disk holds the log of t's leader up to i, or moved on to a later term (2)
//! l heartbeats f with commit c   ⇒  f's disk holds l's log up to c                                       (3)
//! l leads and counts f up to m   ⇒  f's disk holds l's log up to m, or f is in a later term                (4)
//! n applies e, with asynchronous storage writes  ⇒  n's disk holds e                                      (5)
//! ```
//!
//! A disk that is lost takes its promises with it: (3) and (4) do not speak of entries that were durable on it. The promises
//! that the node gives from then on bind it as ever.
//!
//! If the entries in (2), (3) and (4) are not even written, the fault is not one of durability. Then what would follow
//! from it is reported: a commit without its quorum, or a commit of something else.
//!
//! Source: Raft paper, figure 2 ("updated on stable storage before responding to RPCs"); thesis, section 3.8; the
//! contract of [`raft::Ready`]; etcd issue 9571 for what a follower may promise, `MatchIndexValid`-like invariants of
//! CCF's specification for (4). What a disk gives back is checked by [`recovery`](super::recovery).

use raft::{Body, EntryId, HardState, Index, Message, NodeId, Term};

use super::cluster::{Cluster, Node};
use super::violation::{Check, Invariant, Violation};
use super::words;

/// A message leaves.
pub(super) fn sent(cluster: &Cluster, message: &Message) -> Check {
    let (Some(sender), Some(term)) = (cluster.get(message.from), message.term) else { return Ok(()) };
    match &message.body {
        Body::VoteResponse { granted: true } => vote(message, sender, term),
        Body::AppendAccepted { index } => acceptance(cluster, message, sender, term, *index),
        Body::Heartbeat { commit, .. } => heartbeat(cluster, message, sender, term, *commit),
        // The others promise nothing that a crash could take back.
        Body::Propose { .. }
        | Body::Append { .. }
        | Body::AppendRejected { .. }
        | Body::HeartbeatResponse { .. }
        | Body::RequestPreVote { .. }
        | Body::PreVoteResponse { .. }
        | Body::RequestVote { .. }
        | Body::VoteResponse { granted: false }
        | Body::InstallSnapshot { .. }
        | Body::TransferLeader
        | Body::TimeoutNow
        | Body::ReadIndex { .. }
        | Body::ReadIndexResponse { .. } => Ok(()),
    }
}

/// A node's application is about to apply an entry. A host that writes and applies in turn has written it before.
pub(super) fn applies(id: NodeId, node: &Node, entry: EntryId) -> Check {
    let asynchronous = node.config.as_ref().is_some_and(|config| config.async_storage_writes);
    if !asynchronous || node.durable.holds(entry) {
        return Ok(());
    }
    let what = format!(
        "node {id} applies {entry}, but its disk holds a log that ends at {}; expected it to be durable before",
        node.durable.log.last()
    );
    Err(Violation::new(Invariant::DurableBeforeSend, &[id], what))
}

fn vote(message: &Message, voter: &Node, term: Term) -> Check {
    let HardState { term: durable, vote, .. } = voter.durable.hard_state;
    if durable > term || (durable == term && vote == Some(message.to)) {
        return Ok(());
    }
    let what = format!(
        "votes in term {term}, but its disk knows term {durable} and {}; expected its vote to be durable before",
        words::vote(vote)
    );
    Err(between(message, Invariant::DurableBeforeSend, what))
}

fn acceptance(cluster: &Cluster, message: &Message, follower: &Node, term: Term, index: Index) -> Check {
    let durable = &follower.durable;
    let last = durable.log.last();
    if index > last.index.max(durable.snapshot.index) {
        // A later leader may have cut the log after the acknowledgement was true.
        if last.term > term || follower.view.hard_state.term > term {
            return Ok(());
        }
        let invariant = unless_written(index <= follower.log.last().index, Invariant::CommitQuorum);
        let what = format!(
            "accepts up to {index}, but its disk holds a log that ends at {last}; expected that to be durable before"
        );
        return Err(between(message, invariant, what));
    }
    let Some(leader) = cluster.get(message.to).filter(|leader| leader.leads() == Some(term)) else { return Ok(()) };
    match (durable.log.term(index), leader.log.term(index)) {
        (Some(ours), Some(theirs)) if ours != theirs && follower.view.hard_state.term == term => {
            let what = format!("accepts up to {ours}/{index}; expected {theirs}/{index}, which its leader holds");
            Err(between(message, Invariant::CommitQuorum, what))
        }
        (_, None) if index > leader.log.last().index => {
            let end = leader.log.last();
            let what = format!("accepts up to {index}; expected no more than its leader's log, which ends at {end}");
            Err(between(message, Invariant::CommitQuorum, what))
        }
        _ => Ok(()),
    }
}

fn heartbeat(cluster: &Cluster, message: &Message, leader: &Node, term: Term, commit: Index) -> Check {
    if commit == Index::ZERO || leader.leads() != Some(term) {
        return Ok(());
    }
    let Some(Lack { held, written }) = lacks(cluster, leader, message.to, commit) else { return Ok(()) };
    let what = format!("tells it to commit up to {commit}; expected that to be durable there, but it holds {held}");
    Err(between(message, unless_written(written, Invariant::StateMachineSafety), what))
}

/// A leader believes a follower to hold its log up to `matched`.
pub(super) fn matched(cluster: &Cluster, id: NodeId, peer: NodeId, matched: Index) -> Check {
    let (Some(leader), Some(follower)) = (cluster.get(id), cluster.get(peer)) else { return Ok(()) };
    let Some(term) = leader.leads().filter(|_| matched > Index::ZERO) else { return Ok(()) };
    let moved_on = follower.view.hard_state.term.max(follower.durable.hard_state.term) > term;
    // A new leader counts its old tail as its own before that is durable. It cannot commit by it.
    let own_tail = id == peer && leader.log.term(matched) != Some(term);
    if moved_on || own_tail {
        return Ok(());
    }
    let Some(Lack { held, written }) = lacks(cluster, leader, peer, matched) else { return Ok(()) };
    let detail = match id == peer {
        true => format!(
            "node {id} leads term {term} and counts itself up to {matched}; expected that to be durable on its disk, which \
             holds {held}"
        ),
        false => format!(
            "node {id} leads term {term} and counts node {peer} up to {matched}; expected that to be durable there, but it \
             holds {held}"
        ),
    };
    Err(Violation::new(unless_written(written, Invariant::CommitQuorum), &[id, peer], detail))
}

/// A leader commits by what it counts itself to hold.
pub(super) fn counts_itself(cluster: &Cluster, id: NodeId, matched: Index) -> Check {
    match cluster.get(id).map(|node| node.durable.log.last()).filter(|last| last.index < matched) {
        Some(last) => {
            let detail = format!(
                "node {id} commits up to {matched} and counts itself; expected that to be durable on its disk before, where \
                 the log ends at {last}"
            );
            Err(Violation::new(Invariant::DurableBeforeSend, &[id], detail))
        }
        None => Ok(()),
    }
}

/// What a node has on its disk instead of an entry.
struct Lack {
    held: String,
    /// Whether the entry is on its way to the disk.
    written: bool,
}

/// What the node has on its disk instead of the leader's entry at `index`, if it does not have that one.
fn lacks(cluster: &Cluster, leader: &Node, id: NodeId, index: Index) -> Option<Lack> {
    let never = |held: String| Some(Lack { held, written: false });
    // What the leader compacted is committed, and state-machine safety speaks for it.
    let entry = match leader.log.term(index) {
        Some(term) => EntryId::new(term, index),
        None if index <= leader.log.base().index => return None,
        None => return never(format!("nothing like it, since the leader's log ends at {}", leader.log.last())),
    };
    if cluster.is_foreign(id) {
        return None;
    }
    let Some(node) = cluster.get(id) else { return never("nothing, since it never started".to_string()) };
    if node.durable.holds(entry) || node.has_lost(entry) {
        return None;
    }
    let held = match node.durable.log.term(index) {
        Some(term) => format!("{} there and not {entry}", EntryId::new(term, index)),
        None => format!("a durable log that ends at {} and not {entry}", node.durable.log.last()),
    };
    Some(Lack { held, written: node.log.holds(entry) })
}

/// The property that a promise breaks: durability if the entries are written and not durable, or else another.
const fn unless_written(written: bool, otherwise: Invariant) -> Invariant {
    if written { Invariant::DurableBeforeSend } else { otherwise }
}

fn between(message: &Message, invariant: Invariant, what: String) -> Violation {
    let (from, to) = (message.from, message.to);
    Violation::new(invariant, &[from, to], format!("node {from} to node {to}: {what}"))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use raft::Role;

    use super::super::ProgressView;
    use super::super::testing::{Bench, breaks, configuration, entries, entry, message, node};
    use super::*;

    fn accepts(bench: &mut Bench, from: u64, term: u64, index: u64) -> Check {
        bench.checkers.sent(&message(from, 1, term, Body::AppendAccepted { index: Index(index) }))
    }

    #[test]
    fn an_entry_that_is_applied_before_it_is_durable_is_found_where_writes_are_asynchronous() {
        for (async_storage_writes, right) in [(false, true), (true, false)] {
            let mut bench = Bench::new(1);
            let config = raft::Config { async_storage_writes, ..raft::Config::new(node(1)) };
            bench.checkers.cluster.node(node(1)).config = Some(std::sync::Arc::new(config));
            bench.elect(1, 1, &[]).unwrap();
            bench.append_unsynced(1, &[entry(1, 2)]).unwrap();
            let applied = |id: EntryId| applies(node(1), bench.checkers.cluster.get(node(1)).unwrap(), id);
            applied(entry(1, 1).id()).unwrap();
            match right {
                true => applied(entry(1, 2).id()).unwrap(),
                false => breaks(Invariant::DurableBeforeSend, applied(entry(1, 2).id())),
            }
        }
    }

    #[test]
    fn a_vote_that_is_sent_before_it_is_durable_is_found() {
        let mut bench = Bench::new(3);
        bench.campaign(1, 1).unwrap();
        let view =
            bench.view(2, |view| view.hard_state = HardState { term: Term(1), vote: Some(node(1)), ..view.hard_state });
        bench.checkers.observed(node(2), &view).unwrap();
        let vote = message(2, 1, 1, Body::VoteResponse { granted: true });
        breaks(Invariant::DurableBeforeSend, bench.checkers.sent(&vote));
        bench.checkers.persisted(node(2), Some(view.hard_state), None, &[]).unwrap();
        bench.checkers.sent(&vote).unwrap();
    }

    #[test]
    fn an_acceptance_that_is_sent_before_it_is_durable_is_found() {
        let mut bench = Bench::led();
        bench.append(2, &entries(1, 1..=2)).unwrap();
        bench.append_unsynced(2, &entries(1, 3..=4)).unwrap();
        accepts(&mut bench, 2, 1, 2).unwrap();
        breaks(Invariant::DurableBeforeSend, accepts(&mut bench, 2, 1, 3));
        bench.checkers.persisted(node(2), None, None, &entries(1, 3..=4)).unwrap();
        accepts(&mut bench, 2, 1, 4).unwrap();
    }

    #[test]
    fn an_acceptance_of_a_tail_that_the_leader_does_not_hold_is_found() {
        let mut bench = Bench::new(3);
        bench.elect(3, 1, &[1]).unwrap();
        bench.append(3, &entries(1, 2..=5)).unwrap();
        bench.elect(1, 2, &[2]).unwrap();
        bench.append(1, &entries(2, 2..=3)).unwrap();
        let view = bench.view(3, |view| {
            view.hard_state = HardState { term: Term(2), vote: None, ..view.hard_state };
            view.soft_state.role = Role::Follower;
        });
        bench.checkers.observed(node(3), &view).unwrap();
        breaks(Invariant::CommitQuorum, accepts(&mut bench, 3, 2, 3));
        breaks(Invariant::CommitQuorum, accepts(&mut bench, 3, 2, 5));
        breaks(Invariant::CommitQuorum, accepts(&mut bench, 3, 2, 9));
    }

    #[test]
    fn an_acceptance_that_a_later_leader_undid_is_fine() {
        let mut bench = Bench::new(5);
        bench.elect(1, 1, &[2, 3]).unwrap();
        bench.append(1, &entries(1, 2..=4)).unwrap();
        bench.append(3, &entries(1, 1..=4)).unwrap();
        bench.elect(2, 2, &[4, 5]).unwrap();
        bench.append(3, &[entry(2, 1)]).unwrap();
        accepts(&mut bench, 3, 1, 4).unwrap();
    }

    #[test]
    fn a_heartbeat_that_commits_what_its_receiver_does_not_hold_is_found() {
        let mut bench = Bench::led();
        bench.append(2, &entries(1, 1..=4)).unwrap();
        bench.append(3, &entries(1, 1..=2)).unwrap();
        bench.commit(1, 4).unwrap();
        let beat = |commit| message(1, 3, 1, Body::Heartbeat { commit: Index(commit), context: Bytes::new() });
        bench.checkers.sent(&beat(2)).unwrap();
        breaks(Invariant::StateMachineSafety, bench.checkers.sent(&beat(3)));
        bench.append_unsynced(3, &entries(1, 3..=3)).unwrap();
        breaks(Invariant::DurableBeforeSend, bench.checkers.sent(&beat(3)));
    }

    #[test]
    fn a_leader_that_counts_what_a_follower_does_not_hold_is_found() {
        let mut bench = Bench::led();
        bench.append(2, &entries(1, 1..=2)).unwrap();
        let progress = |matched| ProgressView { matched: Index(matched), next: Index(9), ..ProgressView::default() };
        bench.checkers.progress(node(1), node(2), &progress(2)).unwrap();
        breaks(Invariant::CommitQuorum, bench.checkers.progress(node(1), node(2), &progress(3)));
        bench.append_unsynced(1, &entries(1, 5..=5)).unwrap();
        breaks(Invariant::DurableBeforeSend, bench.checkers.progress(node(1), node(1), &progress(5)));
    }

    #[test]
    fn what_a_node_with_a_foreign_log_acknowledges_may_be_counted_and_what_another_never_had_may_not() {
        let mut bench = Bench::with(&[1, 2], &configuration(&[1, 2, 3]));
        bench.elect(1, 1, &[2]).unwrap();
        bench.append(1, &entries(1, 2..=4)).unwrap();
        let beat = message(1, 3, 1, Body::Heartbeat { commit: Index(2), context: Bytes::new() });
        breaks(Invariant::StateMachineSafety, bench.checkers.sent(&beat));
        bench.checkers.has_foreign_log(node(3));
        bench.checkers.sent(&beat).unwrap();
    }

    #[test]
    fn a_leader_that_commits_what_it_alone_holds_in_memory_is_found() {
        let bench = Bench::led();
        let counts = |index| counts_itself(&bench.checkers.cluster, node(1), Index(index));
        counts(4).unwrap();
        breaks(Invariant::DurableBeforeSend, counts(5));
    }

    #[test]
    fn a_leader_counts_its_old_tail_before_it_is_durable() {
        let mut bench = Bench::with(&[1, 2, 3], &configuration(&[1, 2, 3]));
        bench.elect(2, 1, &[3]).unwrap();
        bench.append_unsynced(1, &[entry(1, 1)]).unwrap();
        bench.campaign_unsynced(1, 2).unwrap();
        bench.vote(2, 2, 1).unwrap();
        bench.vote(3, 2, 1).unwrap();
        bench.lead(1).unwrap();
        let matched = ProgressView { matched: Index(1), next: Index(9), ..ProgressView::default() };
        bench.checkers.progress(node(1), node(1), &matched).unwrap();
    }
}
