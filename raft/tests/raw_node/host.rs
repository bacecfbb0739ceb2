//! A host that does at once whatever node 1 asks for, and remembers it.

use raft::{
    Body, ConfState, Config, Entry, EntryId, HardState, Index, MemStorage, Message, NodeId, Progress, RawNode,
    ReadState, Role, Snapshot, StepError, Term,
};

pub fn id(number: u64) -> NodeId {
    NodeId::new(number).expect("not zero")
}

pub fn voters(ids: &[u64]) -> ConfState {
    ConfState { voters: ids.iter().map(|number| id(*number)).collect(), ..ConfState::default() }
}

/// The usual options of node 1, whose election timeout is always ten ticks.
pub fn config() -> Config {
    Config { fixed_election_timeout: true, ..Config::new(id(1)) }
}

pub fn entry_id(term: u64, index: u64) -> EntryId {
    EntryId::new(Term(term), Index(index))
}

pub fn entry(term: u64, index: u64) -> Entry {
    Entry { term: Term(term), index: Index(index), ..Entry::default() }
}

/// A storage for these voters that holds entries of these terms, of which so many are committed, in the last one's term.
pub fn stored(voting: &[u64], terms: &[u64], commit: u64) -> MemStorage {
    let mut storage = MemStorage::with_conf_state(voters(voting));
    let entries: Vec<_> = (1..).zip(terms).map(|(index, term)| entry(*term, index)).collect();
    storage.append(&entries).expect("entries without a gap");
    let term = Term(terms.last().copied().unwrap_or_default());
    storage.set_hard_state(HardState { term, vote: None, commit: Index(commit) });
    storage
}

pub fn snapshot(term: u64, index: u64, voting: &[u64]) -> Snapshot {
    Snapshot { id: entry_id(term, index), conf_state: voters(voting), data: "state".into() }
}

pub fn message(from: u64, term: u64, body: Body) -> Message {
    Message { from: id(from), to: id(1), term: Some(Term(term)), body }
}

pub fn append(previous: EntryId, entries: Vec<Entry>, commit: u64) -> Body {
    Body::Append { previous, entries, commit: Index(commit) }
}

pub fn heartbeat(commit: u64) -> Body {
    Body::Heartbeat { commit: Index(commit), context: "".into() }
}

pub fn heartbeat_response() -> Body {
    Body::HeartbeatResponse { context: "".into() }
}

pub fn install(snapshot: Snapshot) -> Body {
    Body::InstallSnapshot { snapshot: Box::new(snapshot) }
}

pub fn accepted(index: u64) -> Body {
    Body::AppendAccepted { index: Index(index) }
}

pub fn rejected(index: u64, hint: EntryId) -> Body {
    Body::AppendRejected { index: Index(index), hint }
}

pub fn granted() -> Body {
    Body::VoteResponse { granted: true }
}

pub fn request_vote(last: EntryId) -> Body {
    Body::RequestVote { last, transfer: false }
}

/// What the node had its host do.
#[derive(Debug, Default)]
pub struct Work {
    pub messages: Vec<Message>,
    pub committed: Vec<Entry>,
    pub reads: Vec<ReadState>,
}

impl Work {
    /// What was said to this node, in order.
    pub fn to(&self, peer: u64) -> Vec<Body> {
        self.messages.iter().filter(|message| message.to == id(peer)).map(|message| message.body.clone()).collect()
    }

    /// Receiver, term and content of each message.
    pub fn sent(&self) -> Vec<(u64, u64, Body)> {
        let term = |message: &Message| message.term.map_or(0, |term| term.0);
        self.messages.iter().map(|message| (message.to.get(), term(message), message.body.clone())).collect()
    }

    /// The indexes of what was handed out to be applied.
    pub fn applied(&self) -> Vec<u64> {
        self.committed.iter().map(|entry| entry.index.0).collect()
    }
}

/// Node 1 with synchronous storage writes.
pub struct Host {
    pub node: RawNode<MemStorage>,
}

impl Host {
    pub fn new(config: Config, conf_state: ConfState) -> Self {
        Self::over(config, MemStorage::with_conf_state(conf_state))
    }

    pub fn over(config: Config, storage: MemStorage) -> Self {
        Self { node: RawNode::new(config, storage).expect("a sensible configuration") }
    }

    /// A follower of node 2 in term 1, with the three voters 1, 2 and 3.
    pub fn follower() -> Self {
        let mut host = Self::new(config(), voters(&[1, 2, 3]));
        host.hear_in(2, 1, heartbeat(0));
        host
    }

    /// The leader of the three voters 1, 2 and 3 in term 1, whose first entry is not acknowledged by the others yet.
    pub fn leader() -> Self {
        Self::leading(config(), MemStorage::with_conf_state(voters(&[1, 2, 3])))
    }

    /// A leader with these options, over this storage, that has heard of the others only by their votes.
    pub fn leading(config: Config, storage: MemStorage) -> Self {
        let mut host = Self::over(config, storage);
        host.node.campaign();
        host.work_off();
        let peers: Vec<_> = host.node.configuration().members().filter(|peer| *peer != id(1)).collect();
        for peer in peers {
            if host.role() == Role::PreCandidate {
                host.hear_in(peer.get(), host.term() + 1, Body::PreVoteResponse { granted: true });
            }
            if host.role() == Role::Candidate {
                host.hear(peer.get(), granted());
            }
        }
        assert_eq!(host.role(), Role::Leader);
        host
    }

    /// Does all there is to do, which must come to an end.
    pub fn work_off(&mut self) -> Work {
        let mut work = Work::default();
        for _ in 0..100 {
            let Some(ready) = self.node.ready() else { return work };
            self.node.storage_mut().write(&ready).expect("entries follow the log");
            work.messages.extend(ready.messages.iter().cloned());
            work.committed.extend(ready.committed_entries.iter().cloned());
            work.reads.extend(ready.read_states.iter().cloned());
            for entry in &ready.committed_entries {
                if let Some(change) = entry.conf_change().expect("it was encoded") {
                    self.node.apply_conf_change(&change.into_v2()).expect("the configuration allows it");
                }
            }
            self.node.advance(ready).expect("the outstanding Ready");
        }
        panic!("work makes work without end: {:?}", self.node.basic_status())
    }

    /// Takes a message of the node's own term, and does what comes of it.
    pub fn hear(&mut self, from: u64, body: Body) -> Work {
        self.hear_in(from, self.term(), body)
    }

    /// Takes a message of this term, and does what comes of it.
    pub fn hear_in(&mut self, from: u64, term: u64, body: Body) -> Work {
        self.node.step(message(from, term, body)).expect("the message is taken");
        self.work_off()
    }

    /// Takes a message that was forwarded, and so has no term.
    pub fn hear_forwarded(&mut self, from: u64, body: Body) -> Result<Work, StepError> {
        self.node.step(Message { term: None, ..message(from, 0, body) })?;
        Ok(self.work_off())
    }

    /// Lets so many ticks pass.
    pub fn wait(&mut self, ticks: u32) -> Work {
        (0..ticks).for_each(|_| self.node.tick());
        self.work_off()
    }

    pub fn role(&self) -> Role {
        self.node.soft_state().role
    }

    /// Whom it follows, zero for nobody.
    pub fn leader_known(&self) -> u64 {
        self.node.soft_state().leader.map_or(0, NodeId::get)
    }

    pub fn term(&self) -> u64 {
        self.node.basic_status().hard_state.term.0
    }

    /// Whom it voted for in this term, zero for nobody.
    pub fn vote(&self) -> u64 {
        self.node.basic_status().hard_state.vote.map_or(0, NodeId::get)
    }

    pub fn commit(&self) -> u64 {
        self.node.basic_status().hard_state.commit.0
    }

    pub fn last(&self) -> u64 {
        self.node.basic_status().last.index.0
    }

    /// What it knows of this member, as etcd shows it.
    pub fn shown(&self, peer: u64) -> String {
        self.progress_of(peer).describe(false).to_string()
    }

    pub fn progress_of(&self, peer: u64) -> &Progress {
        self.node.progress().find(|(member, _)| *member == id(peer)).expect("a member").1
    }
}
