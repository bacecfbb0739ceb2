//! Fewer phrases, and fewer words in each.

use bytes::Bytes;
use raft::NodeId;

use super::super::phrase::Phrase;
use super::Draft;
use crate::history::{self, Operation};
use crate::script::command::{
    ClientCommand, Command, HostCommand, HostStep, InputCommand, NetworkCommand, NodeCommand, Ticks,
};
use crate::script::words::word;

/// Leaves out phrases that do not matter, the last first. Where nothing breaks, what people do is what the trace shows, so
/// that stays.
pub(super) fn left_out(draft: &mut Draft) {
    let shows_deeds = draft.shows_no_failure();
    for position in (0..draft.phrases().len()).rev() {
        // What follows a failure falls away, so there may be fewer by now.
        let Some(phrase) = draft.phrases().get(position) else { continue };
        if !(shows_deeds && is_deed(phrase)) {
            draft.replace(&[position], position, None);
        }
    }
}

/// Whether people or the world around the cluster do this, and the logs do not show whether they did.
fn is_deed(phrase: &Phrase) -> bool {
    match phrase.command() {
        Command::Input(_, input) => match input {
            InputCommand::Campaign
            | InputCommand::ProposeConfChange(_)
            | InputCommand::ReadIndex(_)
            | InputCommand::TransferLeadership(_)
            | InputCommand::ForgetLeader
            | InputCommand::Compact(_) => true,
            InputCommand::Tick(_)
            | InputCommand::SetElectionTimeout(_)
            | InputCommand::Propose(_)
            | InputCommand::ReportUnreachable(_)
            | InputCommand::ReportSnapshot(..) => false,
        },
        Command::Network(command) => {
            matches!(command, NetworkCommand::Cut(_) | NetworkCommand::Heal(_) | NetworkCommand::Partition(_))
        }
        Command::Host(command) => {
            matches!(command, HostCommand::TakeSnapshot(_) | HostCommand::BeginCompaction(..))
        }
        Command::Client(command) => match command {
            ClientCommand::Read { .. } | ClientCommand::BreakLeases | ClientCommand::SearchHistories => true,
            ClientCommand::Checked { operation, .. } => operation.as_ref().is_some_and(Operation::is_read),
            ClientCommand::Write { .. } | ClientCommand::Retry { .. } => false,
        },
        Command::Node(_) | Command::Disk(..) => true,
        Command::Show(_) | Command::Expect(_) | Command::Liveness(_) | Command::Plant(_) | Command::ExploreFromHere => {
            false
        }
    }
}

/// Leaves out arguments that do not matter.
pub(super) fn fewer(draft: &mut Draft) {
    // The number of a node is needed until it is clear which nodes start together.
    fewer_where(draft, |_, word| !word.starts_with("first="));
}

/// Leaves out all arguments that do not matter.
pub(super) fn fewest(draft: &mut Draft) {
    fewer_where(draft, |_, _| true);
}

/// Leaves out options of nodes that do not matter.
pub(super) fn fewer_of_starts(draft: &mut Draft) {
    fewer_where(draft, |phrase, word| {
        matches!(phrase.command(), Command::Node(NodeCommand::Add(_))) && !word.starts_with("first=")
    });
}

fn fewer_where(draft: &mut Draft, wanted: fn(&Phrase, &str) -> bool) {
    let mut position = 0;
    while position < draft.phrases().len() {
        for at in (1..draft.phrases()[position].words().len()).rev() {
            // What follows a failure falls away, so there may be fewer phrases by now.
            let Some(phrase) = draft.phrases().get(position) else { return };
            let shorter = if wanted(phrase, &phrase.words()[at]) { phrase.without(at) } else { None };
            if let Some(shorter) = shorter {
                draft.replace(&[position], position, Some(shorter));
            }
        }
        position += 1;
    }
}

/// Says in one phrase what neighbours say.
pub(super) fn joined(draft: &mut Draft) {
    let mut position = 0;
    while position + 1 < draft.phrases().len() {
        let both = join(&draft.phrases()[position], &draft.phrases()[position + 1]);
        let joined = both.is_some_and(|both| draft.replace(&[position, position + 1], position, Some(both)));
        position += usize::from(!joined);
    }
}

fn join(one: &Phrase, other: &Phrase) -> Option<Phrase> {
    if let (Some((name, node, count)), Some((other, next, more))) = (repeated(one), repeated(other)) {
        let same = (name, node) == (other, next);
        return if same { counted(name, node, count.checked_add(more)?) } else { None };
    }
    let joined = || Phrase::new(one.words().iter().chain(&other.words()[1..]).cloned());
    (takes_several(one) && one.words()[0] == other.words()[0] && one != other).then(joined)?
}

/// What a phrase lets happen a number of times at a node: the command, the node, the number.
fn repeated(phrase: &Phrase) -> Option<(&'static str, NodeId, u32)> {
    if let Command::Input(node, InputCommand::Tick(Ticks::Count(ticks))) = phrase.command() {
        return Some(("tick", *node, *ticks));
    }
    let Command::Host(HostCommand::Step(node, HostStep::WriteLog(Some(records)))) = phrase.command() else {
        return None;
    };
    Some(("write-log", *node, *records))
}

/// Whether two such phrases can be said as one.
fn takes_several(phrase: &Phrase) -> bool {
    matches!(
        phrase.command(),
        Command::Host(HostCommand::ProcessReady(_))
            | Command::Network(NetworkCommand::Arrive(_) | NetworkCommand::Cut(_))
    )
}

fn counted(name: &str, node: NodeId, count: u32) -> Option<Phrase> {
    Phrase::new([name.to_owned(), node.get().to_string(), count.to_string()])
}

/// Lets clients write what is proposed.
pub(super) fn writes(draft: &mut Draft) {
    for position in 0..draft.phrases().len() {
        let Some(phrase) = draft.phrases().get(position) else { return };
        let writes = written(phrase).map(|(node, key, value)| write(node, key, &value)).unwrap_or_default();
        writes.into_iter().any(|write| draft.replace(&[position], position, Some(write)));
    }
}

/// What a phrase writes, and where, unless it already has the words for a write that nobody checks.
fn written(phrase: &Phrase) -> Option<(NodeId, u64, Bytes)> {
    match phrase.command() {
        Command::Client(ClientCommand::Checked { node, operation: Some(Operation::Write { key, value }), .. }) => {
            Some((*node, *key, value.clone()))
        }
        Command::Input(node, InputCommand::Propose(data)) => match history::Command::parse(data) {
            Some(command) => Some((*node, command.key, command.value)),
            None => data.is_empty().then(|| (*node, 1, Bytes::new())),
        },
        Command::Client(_)
        | Command::Input(..)
        | Command::Node(_)
        | Command::Disk(..)
        | Command::Host(_)
        | Command::Network(_)
        | Command::Show(_)
        | Command::Expect(_)
        | Command::Liveness(_)
        | Command::Plant(_)
        | Command::ExploreFromHere => None,
    }
}

/// The write with a short value, and then with its own, in case the length matters.
fn write(node: NodeId, key: u64, value: &Bytes) -> Vec<Phrase> {
    // Plain words, so that they need no quotation marks behind the key.
    let plain = std::str::from_utf8(value).ok().filter(|value| word(value).as_deref() == Some(*value));
    let values = ["green"].into_iter().chain(plain);
    let words = values.map(|value| ["write".to_owned(), node.get().to_string(), format!("k{key}={value}")]);
    words.filter_map(Phrase::new).collect()
}
