//! The words in reports of broken properties: memberships, changes, votes and roles, as a reader knows them.
//!
//! Lists are in brackets, which are left out when two failures are compared, so that a failure stays the same with
//! fewer nodes: see [`Failure`](crate::trace::Failure).

use raft::{Change, ChangeKind, ConfChangeV2, ConfState, EntryKind, HardState, NodeId, Role, Term, Transition};

use super::input::{ProgressState, View};

/// The nodes, as `(1, 2, 3)`.
pub(crate) fn nodes<'a>(nodes: impl IntoIterator<Item = &'a NodeId>) -> String {
    let listed = listed(nodes);
    if listed.is_empty() { "(nobody)".to_owned() } else { format!("({listed})") }
}

/// The members, as `(voters 1, 2, 3; learners 4)`.
pub(crate) fn members(configuration: &ConfState) -> String {
    let ConfState { voters, voters_outgoing, learners, learners_next, auto_leave } = configuration;
    let leaves = if *auto_leave { "left by itself" } else { "left on request" };
    let parts = [
        ("voters", voters),
        ("and jointly the outgoing voters", voters_outgoing),
        ("learners", learners),
        ("learners once the joint configuration is left", learners_next),
    ];
    let mut parts: Vec<String> = (parts.into_iter())
        .filter(|(_, nodes)| !nodes.is_empty())
        .map(|(what, nodes)| format!("{what} {}", listed(nodes)))
        .collect();
    if !voters_outgoing.is_empty() {
        parts.push(leaves.to_owned());
    }
    if parts.is_empty() { "(nobody)".to_owned() } else { format!("({})", parts.join("; ")) }
}

/// What a change does, as `(adds voter 4, removes 2)`.
pub(crate) fn change(change: &ConfChangeV2) -> String {
    let step = |Change { kind, node }: &Change| {
        let node = node.map_or("nobody".to_owned(), |node| node.to_string());
        match kind {
            ChangeKind::AddVoter => format!("adds voter {node}"),
            ChangeKind::AddLearner => format!("adds learner {node}"),
            ChangeKind::Remove => format!("removes {node}"),
            ChangeKind::Update => format!("updates {node}"),
        }
    };
    let mut steps: Vec<String> = change.changes.iter().map(step).collect();
    if steps.is_empty() {
        steps.push("leaves the joint configuration".to_owned());
    }
    match change.transition {
        Transition::Auto => {}
        Transition::Implicit => steps.push("jointly, left by itself".to_owned()),
        Transition::Explicit => steps.push("jointly, left on request".to_owned()),
    }
    format!("({})", steps.join(", "))
}

/// Whom a node voted for.
pub(crate) fn vote(vote: Option<NodeId>) -> String {
    vote.map_or("no vote".to_owned(), |candidate| format!("the vote for node {candidate}"))
}

/// As `(term 3, the vote for node 2, commit index 7)`.
pub(crate) fn hard_state(state: HardState) -> String {
    format!("(term {}, {}, commit index {})", state.term, vote(state.vote), state.commit)
}

/// The role that a node plays.
pub(crate) const fn role(role: Role) -> &'static str {
    match role {
        Role::Follower => "follower",
        Role::PreCandidate => "pre-candidate",
        Role::Candidate => "candidate",
        Role::Leader => "leader",
    }
}

/// The view of a node, as `(leader in term 3, the vote for node 2, last entry 3/9, committed 8, applied 7)`.
pub(crate) fn view(view: &View) -> String {
    let View { hard_state: HardState { term, vote: voted, commit }, soft_state, applied, last } = view;
    let follows = match soft_state.leader {
        Some(leader) if soft_state.role == Role::Follower => format!(" of node {leader}"),
        Some(_) | None => String::new(),
    };
    format!(
        "({}{follows} in term {term}, {}, last entry {last}, committed {commit}, applied {applied})",
        role(soft_state.role),
        vote(*voted)
    )
}

/// How a leader treats a follower.
pub(crate) const fn progress(state: ProgressState) -> &'static str {
    match state {
        ProgressState::Probe => "looks for where their logs agree",
        ProgressState::Replicate => "sends ahead",
        ProgressState::Snapshot => "waits for a snapshot to be taken",
    }
}

/// The term of an entry, if there is one.
pub(crate) fn term(term: Option<Term>) -> String {
    term.map_or("no entry".to_owned(), |term| format!("an entry of term {term}"))
}

/// What an entry says.
pub(crate) fn content(kind: EntryKind, data: &[u8]) -> String {
    const SHOWN: usize = 60;
    let text = String::from_utf8_lossy(&data[..data.len().min(SHOWN)]).escape_default().to_string();
    let more = if data.len() > SHOWN { format!(" … ({} bytes)", data.len()) } else { String::new() };
    match kind {
        EntryKind::Normal | EntryKind::RefusedConfChange if data.is_empty() => "[nothing]".to_owned(),
        EntryKind::Normal | EntryKind::RefusedConfChange => format!("[{text}{more}]"),
        EntryKind::ConfChange | EntryKind::ConfChangeV2 => {
            let entry = raft::Entry { kind, data: bytes::Bytes::copy_from_slice(data), ..raft::Entry::default() };
            match entry.conf_change() {
                Ok(Some(decoded)) => format!("[a change of the membership that {}]", change(&decoded.into_v2())),
                Ok(None) | Err(_) => format!("[a change of the membership, unreadable: {text}{more}]"),
            }
        }
    }
}

fn listed<'a>(nodes: impl IntoIterator<Item = &'a NodeId>) -> String {
    let nodes: Vec<String> = nodes.into_iter().map(NodeId::to_string).collect();
    nodes.join(", ")
}

#[cfg(test)]
mod tests {
    use raft::{Index, SoftState};

    use super::super::testing::{configuration, node};
    use super::*;

    #[test]
    fn what_reports_are_made_of_reads_as_words() {
        let joint = ConfState {
            voters_outgoing: [node(1), node(4)].into(),
            learners: [node(5)].into(),
            learners_next: [node(4)].into(),
            ..configuration(&[1, 2])
        };
        let changes = vec![Change::new(ChangeKind::AddVoter, node(4)), Change::new(ChangeKind::Remove, node(2))];
        let change_of = |transition, changes: &[Change]| {
            change(&ConfChangeV2 { transition, changes: changes.to_vec(), context: bytes::Bytes::new() })
        };
        let state = HardState { term: Term(3), vote: Some(node(2)), commit: Index(7) };
        let shown = View {
            hard_state: HardState { vote: None, ..state },
            soft_state: SoftState { role: Role::Follower, leader: Some(node(3)) },
            ..View::default()
        };
        for (text, expected) in [
            (nodes(&[node(1), node(2)]), "(1, 2)"),
            (nodes(&[]), "(nobody)"),
            (members(&configuration(&[1, 2, 3])), "(voters 1, 2, 3)"),
            (members(&ConfState::default()), "(nobody)"),
            (
                members(&joint),
                "(voters 1, 2; and jointly the outgoing voters 1, 4; learners 5; learners once the joint configuration is \
                 left 4; left on request)",
            ),
            (change_of(Transition::Auto, &changes), "(adds voter 4, removes 2)"),
            (change_of(Transition::Explicit, &changes[..1]), "(adds voter 4, jointly, left on request)"),
            (change_of(Transition::Auto, &[]), "(leaves the joint configuration)"),
            (hard_state(state), "(term 3, the vote for node 2, commit index 7)"),
            (view(&shown), "(follower of node 3 in term 3, no vote, last entry 0/0, committed 7, applied 0)"),
            (term(None), "no entry"),
            (term(Some(Term(4))), "an entry of term 4"),
            (content(EntryKind::Normal, b"c1.2 k3=\n"), "[c1.2 k3=\\n]"),
            (content(EntryKind::Normal, b""), "[nothing]"),
            (content(EntryKind::Normal, &[b'x'; 70]), &*format!("[{} … (70 bytes)]", "x".repeat(60))),
            (content(EntryKind::ConfChangeV2, b"\xff"), "[a change of the membership, unreadable: \\u{fffd}]"),
        ] {
            assert_eq!(text, expected);
        }
    }
}
