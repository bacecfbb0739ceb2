//! The single steps of a host become the handling of a whole Ready.

use raft::NodeId;

use super::super::phrase::Phrase;
use super::Draft;
use crate::script::command::{Command, HostCommand, HostStep, NodeCommand};

/// What a phrase means for the host of one node.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    Takes,
    Writes,
    BeginsFsync,
    EndsFsync,
    Releases,
    Sends,
    Applies,
    Advances,
    /// The node stops or starts.
    Stops,
}

/// Handles Readys, and the work of storage threads, as wholes.
pub(super) fn whole_readys(draft: &mut Draft) {
    let mut position = 0;
    while position < draft.phrases().len() {
        let handled = match work(&draft.phrases()[position]) {
            Some((node, Work::Takes)) => whole_ready(draft, position, node),
            Some((node, Work::Releases)) => whole_append(draft, position, node),
            Some((node, Work::Applies)) => says_instead(draft, &[position], "process-apply-thread", node),
            Some((
                _,
                Work::Writes | Work::BeginsFsync | Work::EndsFsync | Work::Sends | Work::Advances | Work::Stops,
            ))
            | None => false,
        };
        position += usize::from(!handled);
    }
}

/// Says in one command all that is done about a Ready, or, with asynchronous storage writes, only the taking and the
/// sending.
fn whole_ready(draft: &mut Draft, taken: usize, node: NodeId) -> bool {
    let later = draft.phrases().iter().enumerate().skip(taken + 1);
    let own: Vec<(usize, Work)> = later
        .filter_map(|(position, phrase)| Some((position, work(phrase)?)))
        .filter(|(_, (other, _))| *other == node)
        .map(|(position, (_, work))| (position, work))
        .take_while(|(_, work)| !matches!(work, Work::Takes | Work::Stops))
        .collect();
    let all: Vec<usize> = std::iter::once(taken).chain(own.iter().map(|(position, _)| *position)).collect();
    let sent = own.iter().filter(|(_, work)| *work == Work::Sends).map(|(position, _)| *position);
    let sent: Vec<usize> = std::iter::once(taken).chain(sent.take(1)).collect();
    says_instead(draft, &all, "process-ready", node) || says_instead(draft, &sent, "process-ready", node)
}

/// The writing before the release of an append.
fn whole_append(draft: &mut Draft, released: usize, node: NodeId) -> bool {
    let own = draft.phrases()[..released].iter().enumerate().rev();
    let own = own.filter_map(|(position, phrase)| Some((position, work(phrase)?)));
    let mut taken: Vec<usize> = own
        .filter(|(_, (other, _))| *other == node)
        .take_while(|(_, (_, work))| !matches!(work, Work::Releases | Work::Stops))
        .filter(|(_, (_, work))| matches!(work, Work::Writes | Work::BeginsFsync | Work::EndsFsync))
        .map(|(position, _)| position)
        .collect();
    taken.reverse();
    taken.push(released);
    says_instead(draft, &taken, "process-append-thread", node)
}

/// Says one command in the place of these phrases: where the last of them stands, or where another does.
fn says_instead(draft: &mut Draft, taken: &[usize], name: &str, node: NodeId) -> bool {
    let Some(phrase) = Phrase::new([name.to_owned(), node.get().to_string()]) else { return false };
    let sends =
        taken.iter().copied().find(|at| matches!(work(&draft.phrases()[*at]), Some((_, Work::Sends | Work::Releases))));
    let places = [taken.last().copied(), sends, taken.first().copied()];
    places.into_iter().flatten().any(|place| draft.replace(taken, place, Some(phrase.clone())))
}

/// An fsync that begins and ends becomes one command, where it ends or where it begins.
pub(super) fn whole_fsyncs(draft: &mut Draft) {
    let mut position = 0;
    while position < draft.phrases().len() {
        let begins = work(&draft.phrases()[position]).filter(|(_, work)| *work == Work::BeginsFsync);
        let whole = begins.is_some_and(|(node, _)| whole_fsync(draft, position, node));
        position += usize::from(!whole);
    }
}

fn whole_fsync(draft: &mut Draft, begins: usize, node: NodeId) -> bool {
    let later = draft.phrases().iter().enumerate().skip(begins + 1);
    let Some(ends) = later.into_iter().find(|(_, phrase)| work(phrase) == Some((node, Work::EndsFsync))) else {
        return false;
    };
    says_instead(draft, &[begins, ends.0], "sync-log", node)
}

fn work(phrase: &Phrase) -> Option<(NodeId, Work)> {
    match phrase.command() {
        Command::Host(HostCommand::Step(node, step)) => {
            let work = match step {
                HostStep::TakeReady => Work::Takes,
                HostStep::WriteLog(_) => Work::Writes,
                HostStep::SyncLog => Work::EndsFsync,
                HostStep::Release => Work::Releases,
                HostStep::Send => Work::Sends,
                HostStep::Apply(_) => Work::Applies,
                HostStep::Advance => Work::Advances,
            };
            Some((*node, work))
        }
        Command::Host(HostCommand::BeginFsync(node)) => Some((*node, Work::BeginsFsync)),
        Command::Host(HostCommand::EndFsync(node)) => Some((*node, Work::EndsFsync)),
        Command::Node(NodeCommand::Crash(node, _) | NodeCommand::Restart { node, .. }) => Some((*node, Work::Stops)),
        Command::Node(NodeCommand::Add(_))
        | Command::Disk(..)
        | Command::Input(..)
        | Command::Host(_)
        | Command::Network(_)
        | Command::Client(_)
        | Command::Show(_)
        | Command::Expect(_)
        | Command::Liveness(_)
        | Command::Plant(_)
        | Command::ExploreFromHere => None,
    }
}
