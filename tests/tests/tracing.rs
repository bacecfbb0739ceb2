//! What nodes tell with the feature `tracing`: one test for each kind of event.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use raft::{
    Body, ConfChange, ConfChangeV1, ConfState, Config, EntryId, Index, MemStorage, Message, NodeId, RawNode, Ready,
    Role, Term,
};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Writes down each event as a line: level, name and fields.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<Vec<String>>>);

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "raft"
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let line = format!("{} {}{}", event.metadata().level(), line.name, line.fields);
        self.0.lock().expect("nobody panicked").push(line);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Line {
    name: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.name = format!("{value:?}"),
            name => write!(self.fields, " {name}={value:?}").expect("text grows"),
        }
    }
}

/// What is told meanwhile.
fn told(work: impl FnOnce()) -> Vec<String> {
    let listener = Listener::default();
    tracing::subscriber::with_default(listener.clone(), work);
    let lines = listener.0.lock().expect("nobody panicked");
    lines.clone()
}

#[track_caller]
fn assert_tells(told: &[String], expected: &str) {
    assert!(told.iter().any(|line| line == expected), "not told: {expected}\ntold:\n{}", told.join("\n"));
}

fn id(number: u64) -> NodeId {
    NodeId::new(number).expect("not zero")
}

fn from(from: u64, to: u64, term: u64, body: Body) -> Message {
    Message { from: id(from), to: id(to), term: Some(Term(term)), body }
}

fn heartbeat() -> Body {
    Body::Heartbeat { commit: Index(0), context: "".into() }
}

fn asks(term: u64, index: u64) -> Body {
    Body::RequestVote { last: EntryId::new(Term(term), Index(index)), transfer: false }
}

type TestNode = RawNode<MemStorage>;

/// A member of a cluster of nodes 1 to `members`.
fn node(number: u64, members: u64, adjust: impl FnOnce(&mut Config)) -> TestNode {
    let members = ConfState { voters: (1..=members).map(id).collect(), ..ConfState::default() };
    let mut config = Config::new(id(number));
    adjust(&mut config);
    RawNode::new(config, MemStorage::with_conf_state(members)).expect("a good configuration")
}

/// Nodes that are connected, but for those that are cut off.
struct Cluster {
    nodes: BTreeMap<NodeId, TestNode>,
    cut_off: BTreeSet<NodeId>,
}

impl Cluster {
    /// Nodes 1 to `members`, of which 1 leads.
    fn led(members: u64, adjust: impl Fn(&mut Config)) -> Self {
        let nodes = (1..=members).map(|number| (id(number), node(number, members, &adjust))).collect();
        let mut cluster = Self { nodes, cut_off: BTreeSet::new() };
        cluster.node(1).campaign();
        cluster.settle();
        assert_eq!(cluster.node(1).soft_state().role, Role::Leader);
        cluster
    }

    fn node(&mut self, number: u64) -> &mut TestNode {
        self.nodes.get_mut(&id(number)).expect("a member")
    }

    /// Does all work and delivers all messages, until there is nothing more.
    fn settle(&mut self) {
        while self.nodes.values().any(RawNode::has_ready) {
            let mut mail = Vec::new();
            for node in self.nodes.values_mut() {
                mail.extend(work(node));
            }
            let Self { nodes, cut_off } = self;
            mail.retain(|message| !cut_off.contains(&message.from) && !cut_off.contains(&message.to));
            for message in mail {
                let _refused = nodes.get_mut(&message.to).map(|node| node.step(message));
            }
        }
    }

    fn propose(&mut self, leader: u64) {
        self.node(leader).propose("data".into()).expect("a leader takes it");
        self.settle();
    }
}

/// Stores and applies what one Ready holds, and returns the messages to send.
fn work(node: &mut TestNode) -> Vec<Message> {
    let mut mail = Vec::new();
    let take = |node: &mut TestNode, ready: &Ready| {
        mail.extend(ready.messages.iter().cloned());
        node.storage_mut().write(ready)?;
        for entry in &ready.committed_entries {
            if let Ok(Some(change)) = entry.conf_change() {
                node.apply_conf_change(&change.into_v2()).expect("an allowed change");
            }
        }
        Ok::<(), raft::MemStorageError>(())
    };
    node.process_ready(take).expect("memory takes everything");
    mail
}

#[test]
fn an_election_is_told_from_the_campaign_to_the_followers() {
    let told = told(|| drop(Cluster::led(2, |config| config.pre_vote = true)));
    assert_eq!(
        told,
        [
            r#"INFO campaigns node=1 term=0 kind="pre-vote" asked=1 last=0/0"#,
            r#"INFO answers a candidate node=2 term=0 candidate=1 kind="pre-vote" asked=1 granted=true reason="its log is up to date""#,
            r#"INFO campaigns node=1 term=1 kind="vote" asked=1 last=0/0"#,
            r#"INFO answers a candidate node=2 term=1 candidate=1 kind="vote" asked=1 granted=true reason="its log is up to date""#,
            "INFO leads node=1 term=1 last=1/1",
            "INFO follows node=2 term=1 leader=1",
        ]
    );
}

#[test]
fn a_vote_is_told_with_its_reason() {
    let table: [(&[Message], &str); 5] = [
        (
            &[from(1, 2, 1, asks(0, 0)), from(1, 2, 1, asks(0, 0))],
            r#"term=1 candidate=1 kind="vote" asked=1 granted=true reason="it has this vote already""#,
        ),
        (
            &[from(1, 2, 1, asks(0, 0)), from(3, 2, 1, asks(0, 0))],
            r#"term=1 candidate=3 kind="vote" asked=1 granted=false reason="another node has this vote""#,
        ),
        (
            &[from(1, 2, 1, heartbeat()), from(3, 2, 1, asks(0, 0))],
            r#"term=1 candidate=3 kind="vote" asked=1 granted=false reason="there is a leader""#,
        ),
        (
            &[from(1, 2, 1, heartbeat()), from(3, 2, 2, asks(0, 0))],
            r#"term=1 candidate=3 kind="vote" asked=2 granted=false reason="a leader was heard from lately""#,
        ),
        (
            &[from(1, 2, 1, appends_one()), from(3, 2, 9, asks(0, 0))],
            r#"term=9 candidate=3 kind="vote" asked=9 granted=false reason="its log is behind""#,
        ),
    ];
    for (messages, expected) in table {
        let lease = expected.contains("lately");
        let mut node = node(2, 3, |config| config.check_quorum = lease);
        let told = told(|| messages.iter().for_each(|message| node.step(message.clone()).expect("a good message")));
        assert_tells(&told, &format!("INFO answers a candidate node=2 {expected}"));
    }
}

fn appends_one() -> Body {
    let entries = vec![raft::Entry { term: Term(1), index: Index(1), ..raft::Entry::default() }];
    Body::Append { previous: EntryId::ZERO, entries, commit: Index(0) }
}

#[test]
fn a_node_that_steps_down_tells_what_it_was_and_why() {
    let refuses = |voter| from(voter, 1, 1, Body::VoteResponse { granted: false });
    let table: [(Vec<Message>, &str); 3] = [
        (vec![from(2, 1, 7, heartbeat())], r#"reason="there is a higher term" new_term=7"#),
        (vec![from(2, 1, 1, heartbeat())], r#"reason="another node leads this term" new_term=1"#),
        (vec![refuses(2), refuses(3)], r#"reason="a quorum refused its vote" new_term=1"#),
    ];
    for (messages, expected) in table {
        let mut candidate = node(1, 3, |_| {});
        candidate.campaign();
        let told = told(|| messages.into_iter().for_each(|message| candidate.step(message).expect("a good message")));
        assert_tells(&told, &format!("INFO steps down node=1 term=1 role=StateCandidate {expected}"));
    }
}

#[test]
fn a_leader_that_steps_down_tells_whether_it_lost_its_quorum_or_its_vote() {
    let mut cluster = Cluster::led(3, |config| (config.check_quorum, config.step_down_on_removal) = (true, true));
    let lonely = told(|| (0..20).for_each(|_| cluster.node(1).tick()));
    assert_tells(
        &lonely,
        r#"INFO steps down node=1 term=1 role=StateLeader reason="it heard from no quorum" new_term=1"#,
    );

    let mut cluster = Cluster::led(3, |config| config.step_down_on_removal = true);
    let removal = ConfChange::V1(ConfChangeV1::remove(id(1)));
    let removed = told(|| {
        cluster.node(1).propose_conf_change(&removal).expect("a leader takes it");
        cluster.settle();
    });
    assert_tells(
        &removed,
        r#"INFO steps down node=1 term=1 role=StateLeader reason="it is no voter any more" new_term=1"#,
    );
}

#[test]
fn a_node_that_does_not_campaign_tells_why() {
    let mut cluster = Cluster::led(1, |_| {});
    let leader = told(|| cluster.node(1).campaign());
    assert_eq!(leader, [r#"DEBUG does not campaign node=1 term=1 reason="it leads""#]);
    let stranger = told(|| node(4, 3, |_| {}).campaign());
    assert_eq!(
        stranger,
        [r#"DEBUG does not campaign node=4 term=0 reason="it is no voter, or a snapshot is being written""#]
    );
}

#[test]
fn a_rejected_append_is_told_by_the_follower_and_by_the_leader() {
    let mut cluster = Cluster::led(3, |_| {});
    cluster.cut_off.insert(id(3));
    cluster.propose(1);
    cluster.cut_off.clear();
    let told = told(|| {
        cluster.node(2).campaign();
        cluster.settle();
    });
    assert_tells(&told, "DEBUG rejects an append node=3 term=2 leader=2 previous=1/2 hint=1/1");
    assert_tells(&told, "DEBUG an append was rejected node=2 term=2 follower=3 rejected=2 hint=1/1 next=2");
}

#[test]
fn a_follower_that_lost_its_disk_is_told_by_the_leader() {
    let mut cluster = Cluster::led(3, |_| {});
    *cluster.node(3) = node(3, 3, |_| {});
    let told = told(|| cluster.propose(1));
    assert_tells(&told, "WARN a follower lacks what it acknowledged node=1 term=1 follower=3 acknowledged=1");
}

/// A cluster in which node 3 needs entries that the leader has compacted; with a snapshot in their place, or without.
fn behind_compaction(with_snapshot: bool) -> Cluster {
    let mut cluster = Cluster::led(3, |_| {});
    cluster.cut_off.insert(id(3));
    cluster.propose(1);
    cluster.propose(1);
    let conf_state = cluster.node(1).configuration().conf_state();
    let storage = cluster.node(1).storage_mut();
    storage.create_snapshot(Index(3), conf_state, "state".into()).expect("all is applied");
    storage.compact(Index(3)).expect("all is applied");
    if !with_snapshot {
        storage.set_snapshot(raft::Snapshot::default());
    }
    cluster.cut_off.clear();
    cluster
}

/// Ticks the leader for two heartbeats.
fn beat(cluster: &mut Cluster) {
    for _ in 0..2 {
        cluster.node(1).tick();
        cluster.settle();
    }
}

#[test]
fn a_snapshot_is_told_where_it_is_sent_taken_up_and_ignored() {
    let mut cluster = behind_compaction(true);
    let on_its_way = told(|| beat(&mut cluster));
    assert_tells(&on_its_way, "INFO sends a snapshot node=1 term=1 follower=3 snapshot=1/3");
    assert_tells(&on_its_way, "INFO takes up a snapshot node=3 term=1 leader=1 snapshot=1/3 members=voters=(1 2 3)");

    let snapshot = raft::Storage::snapshot(cluster.node(1).storage()).expect("there is one");
    let again = from(1, 3, 1, Body::InstallSnapshot { snapshot: Box::new(snapshot) });
    let again = told(|| cluster.node(3).step(again).expect("a good message"));
    assert_tells(&again, "DEBUG ignores a snapshot node=3 term=1 leader=1 snapshot=1/3 committed=3");
}

#[test]
fn a_snapshot_that_is_needed_and_not_there_is_told_once() {
    let mut cluster = behind_compaction(false);
    let mut told = told(|| (0..5).for_each(|_| beat(&mut cluster)));
    told.retain(|line| line.starts_with("WARN"));
    let lacking = "WARN has no snapshot that a follower needs node=1 term=1 follower=3 next=2";
    assert_eq!(told, [lacking]);
}

#[test]
fn a_membership_change_is_told_where_it_is_taken_up_and_where_it_is_refused() {
    let mut cluster = Cluster::led(1, |_| {});
    let learner = |number| ConfChange::V1(ConfChangeV1::add_learner(id(number)));
    let told = told(|| {
        cluster.node(1).propose_conf_change(&learner(2)).expect("a leader takes it");
        cluster.node(1).propose_conf_change(&learner(3)).expect("a leader takes it");
        cluster.settle();
    });
    assert_eq!(
        told,
        [
            r#"WARN refuses a membership change node=1 term=1 index=3 reason="an earlier one is not applied yet""#,
            "INFO changes the membership node=1 term=1 members=voters=(1) learners=(2)",
        ]
    );
}

#[test]
fn a_dropped_proposal_is_told_with_the_error_that_its_proposer_gets() {
    let mut node = node(1, 3, |_| {});
    let mut error = None;
    let told = told(|| error = node.propose("data".into()).err());
    assert_eq!(told, [format!("DEBUG drops a proposal node=1 term=0 reason={}", error.expect("there is no leader"))]);
}

#[test]
fn a_refused_message_is_told_with_its_kind_and_louder_where_no_correct_node_sends_it() {
    let mut node = node(1, 3, |_| {});
    let misdirected = from(2, 3, 1, heartbeat());
    let stranger = from(9, 1, 1, Body::VoteResponse { granted: true });
    let told = told(|| [misdirected, stranger].into_iter().for_each(|message| drop(node.step(message))));
    assert_eq!(
        told,
        [
            r#"WARN refuses a message node=1 term=0 from=2 kind="MsgHeartbeat" reason=malformed message: addressed to 3, not to this node"#,
            r#"DEBUG refuses a message node=1 term=0 from=9 kind="MsgVoteResp" reason=raft: cannot step as peer not found"#,
        ]
    );
}

#[test]
fn a_node_does_the_same_whether_somebody_listens_or_not() {
    let run = || {
        let mut cluster = behind_compaction(true);
        beat(&mut cluster);
        cluster.nodes.values().map(|node| format!("{node:?}")).collect::<Vec<_>>()
    };
    let mut heard = Vec::new();
    drop(told(|| heard = run()));
    assert_eq!(heard, run());
}
