//! `add-nodes`: how many, what they start from, and their options.

use raft::{ConfState, Index, ReadOnlyOption};

use super::super::arguments::{Arguments, Meaning, Wanted, choose};
use super::super::error::ScriptError;
use crate::world::{ApplicationKind, Boot, NodeOptions};

/// Nodes to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddNodes {
    /// How many.
    pub count: u64,
    /// What each starts from.
    pub boot: Boot,
    /// Their options, those aside that the environment decides.
    pub options: NodeOptions,
    /// What entries are applied to, where it is something else than usual.
    pub application: Option<ApplicationKind>,
    /// Seeds their election timeouts, each node's with its identity added; without, each has the shortest timeout.
    pub seed: Option<u64>,
}

impl AddNodes {
    pub(super) fn parse(arguments: &mut Arguments<'_>) -> Result<Self, ScriptError> {
        let count = arguments.required("how many")?;
        let conf_state = ConfState {
            voters: arguments.values("voters")?.into_iter().collect(),
            learners: arguments.values("learners")?.into_iter().collect(),
            ..ConfState::default()
        };
        let index = Index(arguments.value("index")?.unwrap_or(0));
        // The content of the first snapshot, which nothing prints.
        let _: Option<String> = arguments.value("content")?;
        let options = options(arguments)?;
        let boots = index > Index::ZERO || conf_state != ConfState::default();
        if boots && index <= Index(1) {
            return Err(arguments.error("index must be above 1, since a snapshot stands for at least one entry"));
        }
        let boot = if boots { Boot::Snapshot { index, conf_state } } else { Boot::Empty };
        Ok(Self { count, boot, options, application: arguments.value("application")?, seed: arguments.value("seed")? })
    }
}

fn options(arguments: &mut Arguments<'_>) -> Result<NodeOptions, ScriptError> {
    let mut options = NodeOptions { election_tick: 3, max_inflight_messages: usize::MAX, ..NodeOptions::default() };
    set(arguments, "async-storage-writes", &mut options.async_storage_writes)?;
    set(arguments, "prevote", &mut options.pre_vote)?;
    set(arguments, "checkquorum", &mut options.check_quorum)?;
    set(arguments, "read-only", &mut options.read_only_option)?;
    set(arguments, "step-down-on-removal", &mut options.step_down_on_removal)?;
    set(arguments, "disable-conf-change-validation", &mut options.disable_conf_change_validation)?;
    set(arguments, "disable-proposal-forwarding", &mut options.disable_proposal_forwarding)?;
    set(arguments, "inflight", &mut options.max_inflight_messages)?;
    set(arguments, "max-inflight-bytes", &mut options.max_inflight_bytes)?;
    set(arguments, "max-size-per-msg", &mut options.max_size_per_message)?;
    set(arguments, "max-uncommitted-size", &mut options.max_uncommitted_size)?;
    // etcd has one limit follow the other, since the two were once the same.
    let committed: Option<u64> = arguments.value("max-committed-size-per-ready")?;
    options.max_committed_size_per_ready = committed.filter(|size| *size > 0).unwrap_or(options.max_size_per_message);
    set(arguments, "election-tick", &mut options.election_tick)?;
    set(arguments, "heartbeat-tick", &mut options.heartbeat_tick)?;
    Ok(options)
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
