//! One event as a command that leads to just this event.

use raft::node::Limits;
use raft::{
    Body, ChangeKind, ConfChange, ConfState, Entry, EntryKind, Message, NodeId, ReadOnlyOption, SnapshotStatus,
    Transition,
};

use super::phrase::Phrase;
use crate::disk::Keep;
use crate::history::Operation;
use crate::script::command::{
    AddNodes, ClientCommand, Command, InputCommand, NetworkCommand, arm_word, disk_words, keep_word,
};
use crate::script::words::word;
use crate::world::{ApplicationKind, Boot, Event, Front, MessageId, NodeOptions, World};

pub(crate) type Said = Result<Option<Phrase>, &'static str>;

/// The event in the words of the language, in the world in which it is about to happen. None where nothing has to be said.
///
/// # Errors
/// The language has no words for the event; the error says for which part.
pub(crate) fn say(event: &Event, world: &World) -> Said {
    match event {
        Event::Start { node, boot, options, seed } => start(*node, boot, options, *seed),
        Event::Crash { node, keep: Keep::Nothing } => at("crash", *node, []),
        Event::Crash { node, keep } => at("crash", *node, [format!("keep={}", keep_word(*keep))]),
        Event::Restart { node, options, seed } => restart(*node, options.as_ref(), *seed),
        Event::DiskFault { node, fault } => {
            let (name, more) = disk_words(*fault);
            at(name, *node, more)
        }
        Event::Tick { node } => at("tick", *node, ["1".to_owned()]),
        Event::Campaign { node } => at("campaign", *node, []),
        Event::Propose { node, data } => input("propose", *node, data, InputCommand::Propose(data.clone())),
        Event::ProposeConfChange { node, change } => membership(*node, change),
        Event::TransferLeadership { node, target } => {
            words(["transfer-leadership".to_owned(), format!("from={}", node.get()), format!("to={}", target.get())])
        }
        Event::ForgetLeader { node } => at("forget-leader", *node, []),
        Event::ReadIndex { node, context } => {
            input("read-index", *node, context, InputCommand::ReadIndex(context.clone()))
        }
        Event::Invoke { client, node, operation } => invoke(*client, *node, operation),
        Event::Retry { client, node } => {
            words(["client".to_owned(), client.to_string(), "retry".to_owned(), node.get().to_string()])
        }
        Event::BreakLeases => words(["break-leases".to_owned()]),
        Event::SearchHistories => words(["search-histories".to_owned()]),
        Event::ReportUnreachable { node, peer } => at("report-unreachable", *node, [peer.get().to_string()]),
        Event::ReportSnapshot { node, peer, status } => {
            let status = match status {
                SnapshotStatus::Finish => "status=finish",
                SnapshotStatus::Failure => "status=failure",
            };
            at("report-snapshot", *node, [peer.get().to_string(), status.to_owned()])
        }
        Event::SetElectionTimeout { node, ticks } => {
            at("set-randomized-election-timeout", *node, [format!("timeout={ticks}")])
        }
        Event::TakeReady { node } => at("take-ready", *node, []),
        Event::Write { node } => at("write-log", *node, ["1".to_owned()]),
        Event::Sync { node } => at("begin-fsync", *node, []),
        Event::SyncDone { node } => at("end-fsync", *node, []),
        Event::Release { node } => at("release", *node, []),
        Event::Send { node } => at("send", *node, []),
        Event::Apply { node, entries } => at("apply", *node, [entries.to_string()]),
        Event::Advance { node } => at("advance", *node, []),
        Event::TakeSnapshot { node } => at("take-snapshot", *node, []),
        Event::Compact { node, index } => at("begin-compaction", *node, [index.to_string()]),
        Event::Deliver { message } => in_flight("deliver", *message, world),
        Event::Drop { message } => in_flight("lose", *message, world),
        Event::Duplicate { message } => in_flight("duplicate", *message, world),
        Event::Cut { from, to } => words(["cut".to_owned(), link(*from, *to)]),
        Event::HealLink { from, to } if !world.network().is_cut(*from, *to) => Ok(None),
        Event::HealLink { from, to } => words(["heal".to_owned(), link(*from, *to)]),
        Event::ExpectLiveness { core: None } => words(["liveness".to_owned()]),
        Event::ExpectLiveness { core: Some(core) } => {
            let nodes = core.iter().map(|node| node.get().to_string());
            words(std::iter::once("liveness".to_owned()).chain(nodes))
        }
        Event::ExpectSettled { .. } => Err("there is no command that expects a cluster to have converged"),
        Event::Inject { message } => inject(message),
        Event::Take { node, arm } => at("take", *node, [arm_word(*arm).to_owned()]),
    }
}

fn words(words: impl IntoIterator<Item = String>) -> Said {
    Phrase::new(words).map(Some).ok_or("its words mean something else")
}

/// A command whose first word is the node.
fn at(name: &str, node: NodeId, more: impl IntoIterator<Item = String>) -> Said {
    words([name.to_owned(), node.get().to_string()].into_iter().chain(more))
}

fn link(from: NodeId, to: NodeId) -> String {
    format!("{}->{}", from.get(), to.get())
}

/// A command whose last word is data.
fn input(name: &str, node: NodeId, data: &[u8], meaning: InputCommand) -> Said {
    let data = std::str::from_utf8(data).ok().and_then(word).ok_or("its data is no text of one line")?;
    let phrase = at(name, node, [data])?;
    let same = phrase.as_ref().is_some_and(|phrase| *phrase.command() == Command::Input(node, meaning));
    if same { Ok(phrase) } else { Err("its data means something else") }
}

fn invoke(client: u64, node: NodeId, operation: &Operation) -> Said {
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| "a value is no text");
    let quoted = |data| text(data).and_then(|data| word(data).ok_or("a request is no text of one line"));
    let (verb, rest) = match operation {
        Operation::Write { key, value } => ("write", vec![format!("k{key}={}", text(value)?)]),
        Operation::Read { key } => ("read", vec![format!("k{key}")]),
        Operation::CompareAndSet { key, expected, value } => {
            ("set", vec![format!("expecting={}", text(expected)?), format!("k{key}={}", text(value)?)])
        }
        Operation::Request { data } => ("request", vec![quoted(data)?]),
        Operation::Query { data } => ("query", vec![quoted(data)?]),
    };
    let head = ["client".to_owned(), client.to_string(), verb.to_owned(), node.get().to_string()];
    let phrase = words(head.into_iter().chain(rest))?;
    let meant = ClientCommand::Checked { client, node, operation: Some(operation.clone()) };
    let same = phrase.as_ref().is_some_and(|phrase| *phrase.command() == Command::Client(meant));
    if same { Ok(phrase) } else { Err("a value means something else") }
}

fn start(node: NodeId, boot: &Boot, options: &NodeOptions, seed: Option<u64>) -> Said {
    let mut said = vec!["add-nodes".to_owned(), "1".to_owned(), format!("first={}", node.get())];
    match boot {
        Boot::Empty => {}
        Boot::Peers(peers) => said.push(format!("peers={}", list(peers))),
        Boot::Snapshot { index, conf_state } => {
            said.extend(members(conf_state));
            said.push(format!("index={index}"));
        }
        Boot::Foreign { index, conf_state, term, entries, commit } => {
            said.extend(members(conf_state));
            said.extend([format!("index={index}"), format!("foreign-term={term}")]);
            said.extend([format!("foreign-entries={entries}"), format!("foreign-commit={commit}")]);
        }
    }
    said.extend(self::options(options)?);
    if options.application == ApplicationKind::Appender {
        said.push("application=appender".to_owned());
    }
    // The command adds the number of each node, so that not all draw the same.
    said.extend(seed.map(|seed| format!("seed={}", seed.wrapping_sub(node.get()))));
    words(said)
}

fn restart(node: NodeId, options: Option<&NodeOptions>, seed: Option<u64>) -> Said {
    let mut said = Vec::new();
    if let Some(options) = options {
        said = self::options(options)?;
        // Without any option, the node would keep those that it has.
        if said.is_empty() {
            said.push(format!("heartbeat-tick={}", options.heartbeat_tick));
        }
    }
    at("restart", node, said.into_iter().chain(seed.map(|seed| format!("seed={seed}"))))
}

fn list<'a>(nodes: impl IntoIterator<Item = &'a NodeId>) -> String {
    format!("({})", nodes.into_iter().map(|node| node.get().to_string()).collect::<Vec<_>>().join(","))
}

fn members(conf_state: &ConfState) -> Vec<String> {
    let ConfState { voters, voters_outgoing, learners, learners_next, auto_leave } = conf_state;
    let lists =
        [("voters", voters), ("outgoing", voters_outgoing), ("learners", learners), ("learners-next", learners_next)];
    let lists = lists.into_iter().filter(|(_, nodes)| !nodes.is_empty());
    lists
        .map(|(key, nodes)| format!("{key}={}", list(nodes)))
        .chain(auto_leave.then(|| "auto-leave=true".to_owned()))
        .collect()
}

/// The options that differ from the usual ones of scenarios.
fn options(options: &NodeOptions) -> Result<Vec<String>, &'static str> {
    let usual = AddNodes::usual_options();
    let NodeOptions { allow_missing_term, immediate_singleton_reads, lead_before_own_vote, waits_as_etcd, .. } =
        *options;
    if allow_missing_term || immediate_singleton_reads || lead_before_own_vote || waits_as_etcd.0 {
        return Err("its options imitate mistakes of etcd's nodes");
    }
    let read_only = match options.read_only_option {
        ReadOnlyOption::Safe => "safe",
        ReadOnlyOption::LeaseBased => "lease-based",
    };
    let flags = [
        ("async-storage-writes", options.async_storage_writes, usual.async_storage_writes),
        ("prevote", options.pre_vote, usual.pre_vote),
        ("checkquorum", options.check_quorum, usual.check_quorum),
        ("batch-append", options.batch_append.0, usual.batch_append.0),
        ("step-down-on-removal", options.step_down_on_removal, usual.step_down_on_removal),
        ("disable-proposal-forwarding", options.disable_proposal_forwarding, usual.disable_proposal_forwarding),
        (
            "disable-conf-change-validation",
            options.disable_conf_change_validation,
            usual.disable_conf_change_validation,
        ),
    ];
    let window = |messages: usize| u64::try_from(messages).unwrap_or(u64::MAX);
    let (committed, message) = (options.max_committed_size_per_ready, options.max_size_per_message);
    let numbers = [
        ("election-tick", options.election_tick.into(), usual.election_tick.into()),
        ("heartbeat-tick", options.heartbeat_tick.into(), usual.heartbeat_tick.into()),
        ("inflight", window(options.max_inflight_messages), window(usual.max_inflight_messages)),
        ("max-inflight-bytes", options.max_inflight_bytes, usual.max_inflight_bytes),
        ("max-size-per-msg", message, usual.max_size_per_message),
        // Where a scenario does not name this limit, it follows the other one.
        ("max-committed-size-per-ready", committed, message),
        ("max-uncommitted-size", options.max_uncommitted_size, usual.max_uncommitted_size),
    ];
    let flags = flags.into_iter().filter(|(_, is, usual)| is != usual).map(|(key, is, _)| format!("{key}={is}"));
    let numbers = numbers.into_iter().filter(|(_, is, usual)| is != usual).map(|(key, is, _)| format!("{key}={is}"));
    let reads = (options.read_only_option != usual.read_only_option).then(|| format!("read-only={read_only}"));
    Ok(flags.chain(numbers).chain(reads).chain(front(options.front)).collect())
}

/// What runs the node, where that is a loop.
fn front(front: Front) -> Vec<String> {
    let Front::Loop(limits) = front else { return Vec::new() };
    let usual = Limits::default();
    let queues = [
        ("proposals", limits.proposals as u64, usual.proposals as u64),
        ("messages", limits.messages as u64, usual.messages as u64),
        ("ticks", limits.ticks.into(), usual.ticks.into()),
    ];
    let queues = queues.into_iter().filter(|(_, is, usual)| is != usual);
    let queues = queues.map(|(name, is, _)| format!("queue-{name}={is}"));
    std::iter::once("loop=true".to_owned()).chain(queues).collect()
}

fn membership(node: NodeId, change: &ConfChange) -> Said {
    let mut said = vec!["propose-conf-change".to_owned(), node.get().to_string()];
    let (changes, context) = match change {
        ConfChange::V1(change) => {
            said.push("v1=true".to_owned());
            (vec![change.change], &change.context)
        }
        ConfChange::V2(change) => {
            match change.transition {
                Transition::Auto => {}
                Transition::Implicit => said.push("transition=implicit".to_owned()),
                Transition::Explicit => said.push("transition=explicit".to_owned()),
            }
            (change.changes.clone(), &change.context)
        }
    };
    if !context.is_empty() {
        return Err("the change has a context");
    }
    let step = |change: &raft::Change| {
        let letter = match change.kind {
            ChangeKind::AddVoter => 'v',
            ChangeKind::AddLearner => 'l',
            ChangeKind::Remove => 'r',
            ChangeKind::Update => 'u',
        };
        format!("{letter}{}", change.node.map_or(0, NodeId::get))
    };
    let steps = changes.iter().map(step).collect::<Vec<_>>().join(" ");
    let input = Some(steps).filter(|steps| !steps.is_empty()).into_iter().collect();
    Phrase::with_input(said, input).map(Some).ok_or("its words mean something else")
}

/// The fewest words that mean this message and no other.
fn in_flight(name: &str, message: MessageId, world: &World) -> Said {
    let network = world.network();
    let envelope = network.get(message).ok_or("its message is not in flight")?;
    let on = link(envelope.from(), envelope.to());
    let kind = format!("type={}", envelope.kind());
    let nth = network
        .iter()
        .filter(|(_, other)| other.from() == envelope.from() && other.to() == envelope.to())
        .filter(|(_, other)| other.kind() == envelope.kind())
        .position(|(other, _)| other == message)
        .map(|position| format!("nth={}", position + 1));
    let forms =
        [vec![on.clone()], vec![on.clone(), kind.clone()], [vec![on, kind], nth.into_iter().collect()].concat()];
    let means = |phrase: &Phrase| {
        let Command::Network(
            NetworkCommand::Arrive(selection) | NetworkCommand::Lose(selection) | NetworkCommand::Duplicate(selection),
        ) = phrase.command()
        else {
            return false;
        };
        selection.choose(network.iter()).map(|(id, _)| id).eq([message])
    };
    let phrases = forms.into_iter().filter_map(|form| Phrase::new(std::iter::once(name.to_owned()).chain(form)));
    phrases.into_iter().find(means).map(Some).ok_or("no words mean just this message")
}

/// Lists every body for its fields: a new one does not compile before there are words for it, or none on purpose.
fn inject(message: &Message) -> Said {
    let mut said = vec!["inject".to_owned(), message.to.get().to_string()];
    said.push(format!("type={}", message.body.name()));
    said.push(format!("from={}", message.from.get()));
    said.extend(message.term.map(|term| format!("term={term}")));
    let mut say = |key: &str, value: u64| said.extend((value > 0).then(|| format!("{key}={value}")));
    let mut entries: &[Entry] = &[];
    match &message.body {
        Body::Append { previous, entries: sent, commit } => {
            say("log-term", previous.term.0);
            say("index", previous.index.0);
            say("commit", commit.0);
            entries = sent;
        }
        Body::AppendRejected { index, hint } => {
            say("index", index.0);
            say("log-term", hint.term.0);
            say("reject-hint", hint.index.0);
            said.push("reject=true".to_owned());
        }
        Body::AppendAccepted { index } | Body::ReadIndexResponse { index, .. } => say("index", index.0),
        Body::Heartbeat { commit, .. } => say("commit", commit.0),
        Body::RequestPreVote { last } | Body::RequestVote { last, .. } => {
            say("log-term", last.term.0);
            say("index", last.index.0);
        }
        Body::PreVoteResponse { granted } | Body::VoteResponse { granted } => {
            said.extend((!granted).then(|| "reject=true".to_owned()));
        }
        Body::Propose { entries: proposed } => entries = proposed,
        Body::HeartbeatResponse { .. }
        | Body::InstallSnapshot { .. }
        | Body::TransferLeader
        | Body::TimeoutNow
        | Body::ReadIndex { .. } => {}
    }
    let input = entries.iter().map(entry).collect::<Option<Vec<_>>>().ok_or("it holds an entry that is no text")?;
    let phrase = Phrase::with_input(said, input).ok_or("no words make such a message")?;
    let same = *phrase.command() == Command::Network(NetworkCommand::Inject(message.clone()));
    if same { Ok(Some(phrase)) } else { Err("no words make such a message") }
}

fn entry(entry: &Entry) -> Option<String> {
    let data = std::str::from_utf8(&entry.data).ok().filter(|data| !data.contains(char::is_control))?;
    (entry.kind == EntryKind::Normal).then(|| format!("{}/{} {data}", entry.term, entry.index).trim_end().to_owned())
}
