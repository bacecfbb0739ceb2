//! `add-nodes`: how many, what they start from, and their options.

use raft::node::Limits;
use raft::{ConfState, Index, NodeId, ReadOnlyOption, Term};

use super::super::arguments::Arguments;
use super::super::error::ScriptError;
use super::super::meaning::{AtMost, Meaning, Wanted, choose};
use crate::world::{ApplicationKind, Boot, Front, NodeOptions, World};

/// Nodes to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddNodes {
    /// How many.
    pub count: u64,
    /// The number of the first; without, one more than the highest there is.
    pub first: Option<NodeId>,
    /// What each starts from.
    pub boot: Boot,
    /// Their options, except those that the environment decides.
    pub options: NodeOptions,
    /// What entries are applied to, if not the usual application.
    pub application: Option<ApplicationKind>,
    /// Seeds their election timeouts, each node's with its identity added; without, each has the shortest timeout.
    pub seed: Option<u64>,
}

impl AddNodes {
    pub(super) fn parse(arguments: &mut Arguments<'_>) -> Result<Self, ScriptError> {
        let AtMost(count) = arguments.required::<AtMost<{ World::MAX_NODES }>>("how many")?;
        let first = arguments.value("first")?;
        let conf_state = ConfState {
            voters: arguments.values("voters")?.into_iter().collect(),
            voters_outgoing: arguments.values("outgoing")?.into_iter().collect(),
            learners: arguments.values("learners")?.into_iter().collect(),
            learners_next: arguments.values("learners-next")?.into_iter().collect(),
            auto_leave: arguments.value("auto-leave")?.unwrap_or(false),
        };
        let peers: Option<Vec<NodeId>> = arguments.list("peers")?;
        let index = Index(arguments.value("index")?.unwrap_or(0));
        // The content of the first snapshot, which nothing prints.
        let _: Option<String> = arguments.value("content")?;
        let boots = index > Index::ZERO || conf_state != ConfState::default();
        let boot = match (peers, boots) {
            (None, false) => Boot::Empty,
            (Some(peers), false) => Boot::Peers(peers),
            (Some(_), true) => {
                return Err(arguments.error("nodes start from a snapshot or from a list of peers, not both"));
            }
            (None, true) if index == Index::ZERO => {
                return Err(arguments.error("a membership to start from needs index="));
            }
            (None, true) => Boot::Snapshot { index, conf_state },
        };
        let boot = foreign(arguments, boot)?;
        let options = options(arguments)?;
        let application = arguments.value("application")?;
        Ok(Self { count, first, boot, options, application, seed: arguments.value("seed")? })
    }

    /// The options of a node for which a script gives none.
    pub fn usual_options() -> NodeOptions {
        NodeOptions { election_tick: 3, max_inflight_messages: usize::MAX, ..NodeOptions::default() }
    }
}

/// The log of another cluster, if the command gives one: it follows the snapshot.
fn foreign(arguments: &mut Arguments<'_>, boot: Boot) -> Result<Boot, ScriptError> {
    let term: Option<u64> = arguments.value("foreign-term")?;
    let entries: Option<u64> = arguments.value("foreign-entries")?;
    let commit: Option<u64> = arguments.value("foreign-commit")?;
    match (boot, term) {
        (boot, None) if entries.is_none() && commit.is_none() => Ok(boot),
        (Boot::Snapshot { index, conf_state }, Some(term)) => {
            let entries = entries.unwrap_or(0);
            let commit = Index(commit.unwrap_or(index.0.saturating_add(entries)));
            Ok(Boot::Foreign { index, conf_state, term: Term(term), entries, commit })
        }
        (_, None) => Err(arguments.error("a foreign log needs foreign-term=")),
        (_, Some(_)) => Err(arguments.error("a foreign log needs the members of its cluster, and index=")),
    }
}

pub(super) fn options(arguments: &mut Arguments<'_>) -> Result<NodeOptions, ScriptError> {
    let mut options = AddNodes::usual_options();
    set(arguments, "async-storage-writes", &mut options.async_storage_writes)?;
    set(arguments, "prevote", &mut options.pre_vote)?;
    set(arguments, "checkquorum", &mut options.check_quorum)?;
    set(arguments, "read-only", &mut options.read_only_option)?;
    set(arguments, "batch-append", &mut options.batch_append.0)?;
    set(arguments, "step-down-on-removal", &mut options.step_down_on_removal)?;
    set(arguments, "disable-conf-change-validation", &mut options.disable_conf_change_validation)?;
    set(arguments, "disable-proposal-forwarding", &mut options.disable_proposal_forwarding)?;
    set(arguments, "inflight", &mut options.max_inflight_messages)?;
    set(arguments, "max-inflight-bytes", &mut options.max_inflight_bytes)?;
    set(arguments, "max-size-per-msg", &mut options.max_size_per_message)?;
    set(arguments, "max-uncommitted-size", &mut options.max_uncommitted_size)?;
    // In etcd this limit follows the other by default, since the two were once the same.
    let committed: Option<u64> = arguments.value("max-committed-size-per-ready")?;
    options.max_committed_size_per_ready = committed.filter(|size| *size > 0).unwrap_or(options.max_size_per_message);
    set(arguments, "election-tick", &mut options.election_tick)?;
    set(arguments, "heartbeat-tick", &mut options.heartbeat_tick)?;
    options.front = front(arguments)?;
    Ok(options)
}

/// A loop runs the node if the command says so, or limits the loop's queues.
fn front(arguments: &mut Arguments<'_>) -> Result<Front, ScriptError> {
    let (looped, usual) = (arguments.value("loop")?, Limits::default());
    let proposals: Option<usize> = arguments.value("queue-proposals")?;
    let messages: Option<usize> = arguments.value("queue-messages")?;
    let ticks: Option<u32> = arguments.value("queue-ticks")?;
    let is_limited = proposals.is_some() || messages.is_some() || ticks.is_some();
    if !looped.unwrap_or(is_limited) {
        return if is_limited { Err(arguments.error("queues are those of a loop: loop=true")) } else { Ok(Front::Raw) };
    }
    Ok(Front::Loop(Limits {
        proposals: proposals.unwrap_or(usual.proposals),
        messages: messages.unwrap_or(usual.messages),
        ticks: ticks.unwrap_or(usual.ticks),
    }))
}

fn set<T: Meaning>(arguments: &mut Arguments<'_>, key: &'static str, option: &mut T) -> Result<(), ScriptError> {
    if let Some(value) = arguments.value(key)? {
        *option = value;
    }
    Ok(())
}

impl Meaning for ReadOnlyOption {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        choose(word, &["safe", "lease-based"]).map(|option| if option == 0 { Self::Safe } else { Self::LeaseBased })
    }
}

impl Meaning for ApplicationKind {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        choose(word, &["appender", "key-value"]).map(|kind| if kind == 0 { Self::Appender } else { Self::KeyValue })
    }
}
