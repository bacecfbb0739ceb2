//! A follower that lacks what it acknowledged, and a stranger with a log of its own, cost a leader a few messages a tick, however
//! fast the network is.

use std::collections::BTreeMap;

use bytes::Bytes;
use raft::{
    Change, ChangeKind, ConfChange, ConfChangeV1, ConfState, Config, Entry, HardState, Index, MemStorage, Message,
    NodeId, RawNode, Role, Storage, Term,
};

fn id(number: u64) -> NodeId {
    NodeId::new(number).expect("not zero")
}

/// Nodes whose messages arrive at once, in the order in which they were sent.
struct Net {
    nodes: BTreeMap<NodeId, RawNode<MemStorage>>,
    tune: fn(&mut Config),
    sent: usize,
}

impl Net {
    fn new(tune: fn(&mut Config)) -> Self {
        Self { nodes: BTreeMap::new(), tune, sent: 0 }
    }

    /// A cluster of so many voters and one learner, in which node 1 leads and has committed entries.
    fn cluster(voters: u64, tune: fn(&mut Config)) -> Self {
        let mut net = Self::new(tune);
        for number in 1..=voters + 1 {
            net.start(number, MemStorage::with_conf_state(members(voters)));
        }
        net.leads(1);
        for _ in 0..20 {
            net.propose(1);
        }
        net
    }

    fn start(&mut self, number: u64, storage: MemStorage) {
        let mut config = Config { election_seed: Some(number), ..Config::new(id(number)) };
        (self.tune)(&mut config);
        self.nodes.insert(id(number), RawNode::new(config, storage).expect("sensible options"));
    }

    fn node(&mut self, number: u64) -> &mut RawNode<MemStorage> {
        self.nodes.get_mut(&id(number)).expect("it was started")
    }

    /// The node starts again, and has been in this term.
    fn comes_back_in(&mut self, number: u64, term: u64) {
        let mut storage = self.node(number).storage().clone();
        let (hard_state, _) = storage.initial_state().unwrap();
        storage.set_hard_state(HardState { term: hard_state.term.max(Term(term)), ..hard_state });
        self.start(number, storage);
        self.settle();
    }

    fn leads(&mut self, number: u64) {
        self.node(number).campaign();
        self.settle();
        assert_eq!(self.node(number).soft_state().role, Role::Leader);
    }

    fn propose(&mut self, number: u64) {
        self.node(number).propose("data".into()).expect("it leads");
        self.settle();
    }

    /// Lets everybody do what there is to do, which must come to an end. What a node refuses is lost.
    fn settle(&mut self) {
        for _ in 0..200 {
            let mail: Vec<Message> = self.nodes.values_mut().flat_map(work_off).collect();
            if mail.is_empty() {
                return;
            }
            self.sent += mail.len();
            for message in mail {
                if let Some(node) = self.nodes.get_mut(&message.to) {
                    node.step(message).ok();
                }
            }
        }
        panic!("messages make messages without end");
    }

    /// How many messages go around while every clock ticks so often.
    fn sent_in(&mut self, ticks: usize) -> usize {
        let before = self.sent;
        for _ in 0..ticks {
            self.nodes.values_mut().for_each(RawNode::tick);
            self.settle();
        }
        self.sent - before
    }

    fn lacks(&mut self, leader: u64, member: u64) -> bool {
        let node = self.node(leader);
        node.progress().any(|(peer, progress)| peer == id(member) && progress.lacks_acknowledged())
    }
}

fn members(voters: u64) -> ConfState {
    let learners = [id(voters + 1)].into();
    ConfState { voters: (1..=voters).map(id).collect(), learners, ..ConfState::default() }
}

fn work_off(node: &mut RawNode<MemStorage>) -> Vec<Message> {
    let mut mail = Vec::new();
    while let Some(mut ready) = node.ready() {
        if let Some(snapshot) = ready.snapshot.take() {
            node.storage_mut().apply_snapshot(snapshot).expect("newer than the last one");
        }
        node.storage_mut().append(&ready.entries).expect("entries follow the log");
        if let Some(hard_state) = ready.hard_state {
            node.storage_mut().set_hard_state(hard_state);
        }
        mail.append(&mut ready.messages);
        for entry in &ready.committed_entries {
            if let Some(change) = entry.conf_change().expect("it was encoded") {
                node.apply_conf_change(&change.into_v2()).expect("the configuration allows it");
            }
        }
        node.advance(ready).expect("the outstanding Ready");
    }
    mail
}

const WITH_LEASES: fn(&mut Config) = |config| (config.pre_vote, config.check_quorum) = (true, true);
const PLAIN: fn(&mut Config) = |_| {};

/// An empty storage, or one that holds the first entries of this one.
fn remains(of: &MemStorage, kept: usize, voters: u64) -> MemStorage {
    let mut storage = MemStorage::with_conf_state(members(voters));
    let entries: Vec<Entry> = of.stored().take(kept).cloned().collect();
    storage.append(&entries).expect("entries from the first on");
    let (kept_state, _) = of.initial_state().unwrap();
    if kept > 0 {
        storage.set_hard_state(HardState { commit: Index(kept as u64), ..kept_state });
    }
    storage
}

#[test]
fn a_member_that_lost_its_disk_costs_a_few_messages_a_tick_and_is_seen() {
    for (tune, voters) in [(WITH_LEASES, 3), (PLAIN, 3), (WITH_LEASES, 5)] {
        for (member, kept) in [(voters, 0), (voters, 7), (voters + 1, 0), (voters + 1, 7)] {
            let mut net = Net::cluster(voters, tune);
            let remains = remains(net.node(member).storage(), kept, voters);
            net.start(member, remains);
            net.propose(1);
            assert!(net.lacks(1, member), "node {member} of {voters} kept {kept}");
            let in_a_tick = 4 * (voters as usize + 1);
            assert!(net.sent_in(5) <= 5 * in_a_tick, "node {member} of {voters} kept {kept}");

            // Another leader begins with nothing that it acknowledged, and brings it what it lacks.
            net.node(1).transfer_leadership(id(2));
            net.settle();
            net.sent_in(3);
            let last = net.node(2).basic_status().last;
            assert_eq!(net.node(member).basic_status().last, last, "node {member} of {voters} kept {kept}");
        }
    }
}

#[test]
fn strangers_with_a_log_of_their_own_cost_a_few_messages_a_tick() {
    for (own_terms, terms, proposals) in [(1, 1, 3), (1, 5, 3), (5, 1, 3), (1, 5, 30), (5, 1, 30)] {
        for tune in [WITH_LEASES, PLAIN] {
            let mut net = Net::new(tune);
            let list = |numbers: &[u64]| numbers.iter().map(|number| (id(*number), Bytes::new())).collect::<Vec<_>>();
            for number in 1..=5 {
                net.start(number, MemStorage::new());
                let peers = if number <= 3 { list(&[1, 2, 3]) } else { list(&[number]) };
                net.node(number).bootstrap(&peers).expect("it is empty");
            }
            net.settle();
            for _ in 0..terms {
                net.node(1).campaign();
                net.settle();
                net.node(2).campaign();
                net.settle();
            }
            for stranger in [4, 5] {
                net.comes_back_in(stranger, own_terms);
                net.node(stranger).campaign();
                net.settle();
                for _ in 0..proposals {
                    net.node(stranger).propose("foreign".into()).ok();
                    net.settle();
                }
            }
            net.sent_in(30);
            for stranger in [4, 5] {
                let change = Change { kind: ChangeKind::AddLearner, node: Some(id(stranger)) };
                let change = ConfChange::V1(ConfChangeV1 { change, context: Bytes::new() });
                let leader = (1..=3).find(|number| net.node(*number).soft_state().role == Role::Leader);
                if let Some(leader) = leader {
                    net.node(leader).propose_conf_change(&change).ok();
                }
                net.settle();
            }
            let sent = net.sent_in(20);
            assert!(sent <= 20 * 24, "{sent} messages; terms {own_terms} and {terms}, {proposals} entries");
        }
    }
}
