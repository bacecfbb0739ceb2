//! `expect`: facts that must hold, or the scenario fails.

use raft::{EntryId, Index, NodeId, Role, Term};

use super::super::arguments::Arguments;
use super::super::error::ScriptError;
use super::super::meaning::{Meaning, Wanted, choose};
use super::client::{self, Key};
use super::{Command, Syntax};
use crate::world::Excuse;

/// Facts that must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// `expect leader=…`: who leads, in the newest term if several do; `None` for nobody.
    Leader(Option<NodeId>),
    /// `expect excuse=…`: why the cluster need not converge as it is; `none` if it has to.
    Excuse(Option<Excuse>),
    /// `expect converged=…`: whether the members that the leader reaches agree with it, and nothing waits.
    Converged(bool),
    /// `expect 1 2 …`: these facts about each of these nodes.
    Of(Vec<NodeId>, Vec<Expected>),
}

/// A fact about a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// `up=`: whether it runs.
    Up(bool),
    /// `term=`.
    Term(Term),
    /// `vote=`: for whom it voted in this term; a node or `none`.
    Vote(Option<NodeId>),
    /// `role=`.
    Role(Role),
    /// `leader=`: whom it knows as the leader; a node or `none`.
    Leader(Option<NodeId>),
    /// `commit=`.
    Commit(Index),
    /// `applied=`: how far its application has applied.
    Applied(Index),
    /// `last=`: its last entry, as term/index.
    Last(EntryId),
    /// `log=`: every entry of its log that is not compacted, each as term/index.
    Log(LogIds),
    /// `voters=`: its voters; in a joint configuration, those of the incoming half.
    Voters(Vec<NodeId>),
    /// `outgoing=`: the voters of the outgoing half; `()` outside of a joint configuration.
    Outgoing(Vec<NodeId>),
    /// `learners=`.
    Learners(Vec<NodeId>),
    /// `k1=`: the value of a key; empty if it was never written.
    Value(Key, String),
}

/// The identities of a log's entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogIds(pub Vec<EntryId>);

pub(super) const COMMANDS: &[Syntax] = &[
    Syntax::new("expect", |arguments| parse(arguments).map(Command::Expect)),
    Syntax::new("liveness", |arguments| arguments.rest("a node").map(Command::Liveness)),
    // An older name of the command.
    Syntax::new("calm", |arguments| arguments.rest("a node").map(Command::Liveness)),
];

fn parse(arguments: &mut Arguments<'_>) -> Result<Expectation, ScriptError> {
    let nodes: Vec<NodeId> = arguments.rest("a node")?;
    if nodes.is_empty() {
        if let Some(Excused(excuse)) = arguments.value("excuse")? {
            return Ok(Expectation::Excuse(excuse));
        }
        if let Some(converged) = arguments.value("converged")? {
            return Ok(Expectation::Converged(converged));
        }
        return arguments.required_value("leader").map(|Maybe(leader)| Expectation::Leader(leader));
    }
    let facts = facts(arguments)?;
    if facts.is_empty() {
        arguments.finish()?;
        return Err(arguments.error("\"expect\" needs facts, such as term=3"));
    }
    Ok(Expectation::Of(nodes, facts))
}

fn facts(arguments: &mut Arguments<'_>) -> Result<Vec<Expected>, ScriptError> {
    let mut facts = Vec::new();
    facts.extend(arguments.value("up")?.map(Expected::Up));
    facts.extend(arguments.value("term")?.map(|term| Expected::Term(Term(term))));
    facts.extend(arguments.value("vote")?.map(|Maybe(vote)| Expected::Vote(vote)));
    facts.extend(arguments.value("role")?.map(Expected::Role));
    facts.extend(arguments.value("leader")?.map(|Maybe(leader)| Expected::Leader(leader)));
    facts.extend(arguments.value("commit")?.map(|index| Expected::Commit(Index(index))));
    facts.extend(arguments.value("applied")?.map(|index| Expected::Applied(Index(index))));
    facts.extend(arguments.value("last")?.map(Expected::Last));
    facts.extend(arguments.list("log")?.map(|log| Expected::Log(LogIds(log))));
    facts.extend(arguments.list("voters")?.map(Expected::Voters));
    facts.extend(arguments.list("outgoing")?.map(Expected::Outgoing));
    facts.extend(arguments.list("learners")?.map(Expected::Learners));
    for key in KEYS {
        if let Some(value) = arguments.value::<String>(key)? {
            facts.push(Expected::Value(client::key(arguments, key)?, value));
        }
    }
    Ok(facts)
}

static KEYS: [&str; 16] =
    ["k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8", "k9", "k10", "k11", "k12", "k13", "k14", "k15"];

/// A node or `none`.
struct Maybe(Option<NodeId>);

impl Meaning for Maybe {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        match word {
            "none" => Ok(Self(None)),
            node => NodeId::from_word(node).map(Some).map(Self).map_err(|_| Wanted::Kind("a node or none")),
        }
    }
}

/// An excuse or `none`.
struct Excused(Option<Excuse>);

impl Meaning for Excused {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        match word {
            "none" => Ok(Self(None)),
            // Older names of two excuses.
            "outrun" => Ok(Self(Some(Excuse::TermOutOfReach))),
            "unheard" => Ok(Self(Some(Excuse::LeaderWithoutQuorum))),
            word => choose(word, &Excuse::NAMES).map(|excuse| Self(Some(Excuse::ALL[excuse]))),
        }
    }
}

impl Meaning for Role {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        let all = [Self::Follower, Self::PreCandidate, Self::Candidate, Self::Leader];
        choose(word, &["follower", "pre-candidate", "candidate", "leader"]).map(|role| all[role])
    }
}

impl Meaning for EntryId {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        let numbers = word.split_once('/').and_then(|(term, index)| Some((term.parse().ok()?, index.parse().ok()?)));
        let (term, index) = numbers.ok_or(Wanted::Kind("an entry's term/index"))?;
        Ok(Self::new(Term(term), Index(index)))
    }
}
