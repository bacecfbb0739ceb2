//! A hand-driven cluster for the tests of the checks: each call tells the checkers what a correct node would have done,
//! so that a test only spells out the fault.

use bytes::Bytes;
use raft::{
    Body, ConfState, Config, Entry, EntryId, EntryKind, HardState, Index, Message, NodeId, Role, Snapshot, SoftState,
    Term,
};

use super::{Check, Checkers, Invariant, Recovered, Tracked, View};

/// The node with this number.
pub fn node(number: u64) -> NodeId {
    NodeId::new(number).expect("nodes are numbered from 1")
}

/// A configuration of these voters.
pub fn configuration(voters: &[u64]) -> ConfState {
    ConfState { voters: voters.iter().map(|&id| node(id)).collect(), ..ConfState::default() }
}

/// The entry that the leader of this term created at this index.
pub fn entry(term: u64, index: u64) -> Entry {
    let data = if index == 1 { String::new() } else { format!("{term}/{index}") };
    Entry { term: Term(term), index: Index(index), data: Bytes::from(data), ..Entry::default() }
}

/// Entries of one term.
pub fn entries(term: u64, indexes: std::ops::RangeInclusive<u64>) -> Vec<Entry> {
    indexes.map(|index| entry(term, index)).collect()
}

/// An entry that changes the membership.
pub fn change(term: u64, index: u64) -> Entry {
    Entry { kind: EntryKind::ConfChangeV2, ..entry(term, index) }
}

/// A message.
pub fn message(from: u64, to: u64, term: u64, body: Body) -> Message {
    Message { from: node(from), to: node(to), term: Some(Term(term)), body }
}

/// Asserts that this property was found broken.
#[track_caller]
pub fn breaks(invariant: Invariant, check: Check) {
    let violation = check.expect_err("a fault was planted");
    assert_eq!(violation.invariant, invariant, "{violation}");
    assert!(!violation.nodes.is_empty());
    reads_as_words(&violation.detail);
}

/// Asserts that this property was found broken, and that the report says so.
#[track_caller]
pub fn says(check: Check, invariant: Invariant, detail: &str) {
    let violation = check.expect_err("a fault was planted");
    assert_eq!((violation.invariant, &*violation.detail), (invariant, detail));
    reads_as_words(&violation.detail);
}

/// Asserts that a report says what was expected and what was found, in words and not as a program writes its values.
#[track_caller]
pub fn reads_as_words(detail: &str) {
    assert!(detail.contains("expected"), "what was expected is not said: {detail}");
    for code in ["{", "}", "Some(", "None", "Term(", "Index(", "NodeId(", "HardState", "ConfState", "::"] {
        assert!(!detail.contains(code), "{code:?} is no word: {detail}");
    }
    let is_hash = |word: &str| word.len() == 16 && word.chars().all(|letter| letter.is_ascii_hexdigit());
    let hash = detail.split(|letter: char| !letter.is_alphanumeric()).find(|word| is_hash(word));
    assert_eq!(hash, None, "a hash says nothing: {detail}");
}

/// Checkers, and what was last told to them of each node.
pub struct Bench {
    pub checkers: Checkers,
    configuration: ConfState,
}

impl Bench {
    /// Voters 1 to 3, of whom 1 leads term 1 and has appended entries up to 4.
    pub fn led() -> Self {
        let mut bench = Self::new(3);
        bench.elect(1, 1, &[2]).unwrap();
        bench.append(1, &entries(1, 2..=4)).unwrap();
        bench
    }

    /// As [`led`](Self::led), and node 1 has committed all of that: node 2 holds it too.
    pub fn committed() -> Self {
        let mut bench = Self::led();
        bench.append(2, &entries(1, 1..=4)).unwrap();
        bench.commit(1, 4).unwrap();
        bench
    }

    /// Voters 1 to `voters`, just started.
    pub fn new(voters: u64) -> Self {
        let ids: Vec<u64> = (1..=voters).collect();
        Self::with(&ids, &configuration(&ids))
    }

    /// These nodes, just started with this configuration.
    pub fn with(nodes: &[u64], configuration: &ConfState) -> Self {
        let mut bench = Self { checkers: Checkers::new(), configuration: configuration.clone() };
        nodes.iter().for_each(|&id| bench.start(id, EntryId::ZERO, &[], HardState::default()).unwrap());
        bench
    }

    /// Starts a node with what its disk gave back.
    pub fn start(&mut self, id: u64, snapshot: EntryId, entries: &[Entry], hard_state: HardState) -> Check {
        let recovered = Recovered {
            hard_state,
            compacted: snapshot,
            entries,
            snapshot,
            applied: snapshot.index,
            configuration: &self.configuration,
        };
        let last = entries.last().map_or(snapshot, Entry::id);
        let view = View { hard_state, applied: snapshot.index, last, ..View::default() };
        self.checkers.started(node(id), &Config::new(node(id)), &recovered, &view)
    }

    /// The node's last view, changed.
    pub fn view(&self, id: u64, change: impl FnOnce(&mut View)) -> View {
        let mut view = self.checkers.cluster.get(node(id)).expect("the node started").view;
        change(&mut view);
        view
    }

    /// A hard state without commit index.
    pub fn hard_state(&self, term: u64, vote: u64) -> HardState {
        HardState { term: Term(term), vote: Some(node(vote)), commit: Index::ZERO }
    }

    /// A snapshot up to the entry of term 1 at `index`, with the configuration of the start.
    pub fn snapshot(&self, index: u64) -> Snapshot {
        let id = EntryId::new(Term(1), Index(index));
        Snapshot { id, conf_state: self.configuration.clone(), data: Bytes::new() }
    }

    /// The node is told to campaign, and votes for itself, without syncing it.
    pub fn campaign_unsynced(&mut self, id: u64, term: u64) -> Check {
        self.checkers.campaign_requested(node(id));
        self.campaign_untold(id, term)
    }

    /// The node campaigns of its own accord, and votes for itself, without syncing it.
    pub fn campaign_untold(&mut self, id: u64, term: u64) -> Check {
        let hard_state = self.hard_state(term, id);
        let view = self.view(id, |view| {
            view.hard_state = HardState { commit: view.hard_state.commit, ..hard_state };
            view.soft_state = SoftState { role: Role::Candidate, leader: None };
        });
        self.checkers.observed(node(id), &view)
    }

    /// The node campaigns and votes for itself.
    pub fn campaign(&mut self, id: u64, term: u64) -> Check {
        self.campaign_unsynced(id, term)?;
        self.checkers.persisted(node(id), Some(self.hard_state(term, id)), None, &[])
    }

    /// The node votes, syncs that and says so.
    pub fn vote(&mut self, voter: u64, term: u64, candidate: u64) -> Check {
        let hard_state = self.hard_state(term, candidate);
        let view = self.view(voter, |view| {
            view.hard_state = HardState { commit: view.hard_state.commit, ..hard_state };
            view.soft_state = SoftState::default();
        });
        self.checkers.observed(node(voter), &view)?;
        self.checkers.persisted(node(voter), Some(hard_state), None, &[])?;
        self.checkers.sent(&message(voter, candidate, term, Body::VoteResponse { granted: true }))
    }

    /// The candidate becomes leader.
    pub fn lead(&mut self, id: u64) -> Check {
        let view = self.view(id, |view| view.soft_state = SoftState { role: Role::Leader, leader: Some(node(id)) });
        self.checkers.observed(node(id), &view)
    }

    /// The node campaigns, is elected by itself and these voters, and appends and syncs its first entry.
    pub fn elect(&mut self, id: u64, term: u64, voters: &[u64]) -> Check {
        self.campaign(id, term)?;
        voters.iter().try_for_each(|&voter| self.vote(voter, term, id))?;
        self.lead(id)?;
        let index = self.view(id, |_| ()).last.index.next();
        self.append(id, &[entry(term, index.0)])
    }

    /// The node hands out entries, and does not sync them. A follower hears of their term with them.
    pub fn append_unsynced(&mut self, id: u64, entries: &[Entry]) -> Check {
        let last = entries.last().expect("something to append").id();
        let view = self.view(id, |view| {
            view.last = last;
            if last.term > view.hard_state.term {
                view.hard_state = HardState { term: last.term, vote: None, commit: view.hard_state.commit };
                view.soft_state = SoftState::default();
            }
        });
        self.checkers.handed_out(node(id), None, entries, &view)
    }

    /// The node hands out entries and syncs them.
    pub fn append(&mut self, id: u64, entries: &[Entry]) -> Check {
        self.append_unsynced(id, entries)?;
        let hard_state = self.view(id, |_| ()).hard_state;
        self.checkers.persisted(node(id), Some(hard_state), None, entries)
    }

    /// The node's commit index rises.
    pub fn commit(&mut self, id: u64, index: u64) -> Check {
        let view = self.view(id, |view| view.hard_state.commit = Index(index));
        self.checkers.observed(node(id), &view)
    }

    /// A node has shown a progress of each of these nodes.
    pub fn tracked(&mut self, id: u64, peers: &[u64]) -> Check {
        let mut tracked = Tracked::default();
        peers.iter().for_each(|peer| self.checkers.tracks(node(id), node(*peer), &mut tracked));
        self.checkers.tracked(node(id), tracked)
    }
}
