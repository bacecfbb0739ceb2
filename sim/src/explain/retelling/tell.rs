//! The finished text: what it shows, and in groups the commands, each with what happens in it.

use raft::{NodeId, Role};

use super::phrase::Phrase;
use crate::disk::{DiskFault, Keep};
use crate::history::Operation;
use crate::script::command::{ClientCommand, Command, HostCommand, InputCommand, NetworkCommand, NodeCommand};
use crate::script::environment::{Environment, Trouble};
use crate::trace::{Ending, Trace};
use crate::world::{Replica, World};

/// Commands that belong together. The first of them say why.
#[derive(Default)]
struct Group<'a> {
    phrases: Vec<&'a Phrase>,
}

/// Plays the phrases once more and writes them down with what happens.
pub(super) fn tell(start: &World, trace: &Trace, phrases: &[Phrase]) -> String {
    let mut environment = Environment::new_in(start);
    let mut text = String::new();
    let mut broken = None;
    for group in groups(phrases) {
        let before = environment.world().clone();
        let trouble = group.phrases.iter().find_map(|phrase| environment.run(phrase.command()).err());
        broken = trouble.and_then(Trouble::ending);
        text += &format!("\n{}", group.text(&before, environment.world(), broken.as_ref()));
    }
    heading(trace, broken.as_ref()) + &text
}

/// A group begins with what somebody asks for or what fails, after what that led to.
fn groups(phrases: &[Phrase]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for phrase in phrases {
        let last = groups.last().and_then(|group| group.phrases.last());
        let goes_on = last.is_some_and(|last| deed(phrase).is_none() || is_alike(last, phrase));
        if !goes_on {
            groups.push(Group::default());
        }
        groups.extend(groups.is_empty().then(Group::default));
        if let Some(group) = groups.last_mut() {
            group.phrases.push(phrase);
        }
    }
    groups
}

/// Whether the two belong in one group.
fn is_alike(one: &Phrase, other: &Phrase) -> bool {
    matches!(one.command(), Command::Plant(_)) || one.words()[0] == other.words()[0]
}

impl Group<'_> {
    fn text(&self, before: &World, after: &World, broken: Option<&Ending>) -> String {
        let commands: String = self.phrases.iter().map(|phrase| phrase.text()).collect();
        let mut deeds: Vec<String> = started(before, after).into_iter().collect();
        deeds.extend(self.phrases.iter().filter_map(|phrase| deed(phrase)).filter(|deed| !deed.is_empty()));
        deeds.dedup();
        let effects = effects(before, after);
        let mut said = deeds.join(", ");
        if !effects.is_empty() {
            said += if said.is_empty() { "" } else { ": " };
            said += &effects.join(", ");
        }
        let breaks = broken.map(|ending| match ending {
            Ending::Violation(violation) => format!("that breaks {}", violation.invariant),
            Ending::Panic(_) | Ending::Completed | Ending::Hang(_) => "that panics".to_owned(),
        });
        let sentences = Some(said).into_iter().filter(|said| !said.is_empty()).chain(breaks);
        let sentences = sentences.map(|sentence| capitalized(&sentence) + ".").collect::<Vec<_>>().join(" ");
        let comment = if sentences.is_empty() { sentences } else { comment(&sentences) };
        comment + &commands
    }
}

fn heading(trace: &Trace, broken: Option<&Ending>) -> String {
    let mut text = match broken {
        None | Some(Ending::Completed | Ending::Hang(_)) => comment("Nothing breaks here."),
        Some(Ending::Panic(message)) => comment(&format!("A panic: {message}")),
        Some(Ending::Violation(violation)) => {
            let broken = comment(&format!("Breaks {}: {}", violation.invariant, violation.invariant.meaning()));
            broken + "#\n" + &comment(&format!("{}.", capitalized(&violation.detail)))
        }
    };
    let bug = trace.header.bug.as_ref().map(|bug| format!("the planted bug {bug}"));
    let seed = trace.header.seed.map(|seed| format!("seed {seed}"));
    let from = [bug, seed, trace.header.note.clone()].into_iter().flatten().collect::<Vec<_>>().join(", ");
    if !from.is_empty() {
        text += &format!("#\n{}", comment(&format!("From a trace: {from}.")));
    }
    text
}

/// A comment of lines that are not too long.
fn comment(text: &str) -> String {
    const WIDTH: usize = 110;
    let mut lines = String::new();
    let mut line = "#".to_owned();
    for word in text.split_whitespace() {
        if line.len() + word.len() > WIDTH {
            lines += &format!("{line}\n");
            line = "#".to_owned();
        }
        line += &format!(" {word}");
    }
    lines + &line + "\n"
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

fn goes_wrong(fault: DiskFault) -> &'static str {
    match fault {
        DiskFault::FailSync => "'s next fsync fails",
        DiskFault::ForgetSync => "'s next fsync fails, and what it forgets still reads",
        DiskFault::Fill { .. } => "'s disk is almost full",
        DiskFault::Free => "'s disk has room again",
        DiskFault::FlipBit { .. } => "'s disk flips a bit",
        DiskFault::MisplaceBlock { .. } => "'s disk writes a block to the wrong place",
        DiskFault::BackUp => "'s disk is copied",
        DiskFault::Lose => "'s disk is lost",
        DiskFault::PutBack => "'s disk is replaced by an old copy",
    }
}

/// What somebody does with this command, or what fails. Nothing where it only lets the cluster go on.
fn deed(phrase: &Phrase) -> Option<String> {
    match phrase.command() {
        // The world shows which nodes these are.
        Command::Node(NodeCommand::Add(_)) => Some(String::new()),
        Command::Node(NodeCommand::Crash(node, keep)) => Some(match keep {
            Keep::All => format!("node {} stops", node.get()),
            Keep::Nothing => format!("node {} crashes and loses what it did not sync", node.get()),
            Keep::Prefix { .. } | Keep::Subset { .. } | Keep::Torn { .. } => {
                format!("node {} crashes and loses some of what it did not sync", node.get())
            }
        }),
        Command::Node(NodeCommand::Restart { node, .. }) => Some(format!("node {} starts again", node.get())),
        Command::Disk(node, fault) => Some(format!("node {}{}", node.get(), goes_wrong(*fault))),
        Command::Input(node, input) => Some(format!("node {} {}", node.get(), asked(input))),
        Command::Client(ClientCommand::Write { node, .. }) => Some(format!("a client writes at node {}", node.get())),
        Command::Client(ClientCommand::Retry { node, .. }) => {
            Some(format!("a client tries again at node {}", node.get()))
        }
        Command::Client(ClientCommand::Read { node, .. }) => Some(format!("a client reads at node {}", node.get())),
        Command::Client(ClientCommand::Checked { client, node, operation }) => Some(match operation {
            Some(Operation::Write { .. }) => format!("client {client} writes at node {}", node.get()),
            Some(Operation::Read { .. }) => format!("client {client} reads at node {}", node.get()),
            Some(Operation::CompareAndSet { .. }) => {
                format!("client {client} compares and sets at node {}", node.get())
            }
            Some(Operation::Request { data }) => {
                format!("client {client} asks node {} to {}", node.get(), String::from_utf8_lossy(data))
            }
            Some(Operation::Query { data }) => {
                format!("client {client} asks node {} about {}", node.get(), String::from_utf8_lossy(data))
            }
            None => format!("client {client} asks again at node {}", node.get()),
        }),
        Command::Client(ClientCommand::BreakLeases) => Some("leases do not hold from now on".to_owned()),
        Command::Client(ClientCommand::SearchHistories) => Some("the clients compare what they were told".to_owned()),
        Command::Host(HostCommand::TakeSnapshot(node)) => Some(format!("node {} takes a snapshot", node.get())),
        Command::Host(HostCommand::BeginCompaction(node, index)) => {
            Some(format!("node {} compacts its log up to {index}", node.get()))
        }
        Command::Network(command) => network(command).map(str::to_owned),
        Command::Liveness(_) => Some("from here on all goes well".to_owned()),
        Command::Plant(_) | Command::ExploreFromHere | Command::Host(_) | Command::Show(_) | Command::Expect(_) => None,
    }
}

fn asked(input: &InputCommand) -> String {
    match input {
        InputCommand::Tick(_) => "waits".to_owned(),
        InputCommand::SetElectionTimeout(ticks) => format!("will wait {ticks} ticks for a leader"),
        InputCommand::Campaign => "campaigns".to_owned(),
        InputCommand::Propose(_) => "is asked to store data".to_owned(),
        InputCommand::ProposeConfChange(_) => "is asked to change the members".to_owned(),
        InputCommand::ReadIndex(_) => "is asked for a read".to_owned(),
        InputCommand::TransferLeadership(target) => format!("shall hand over to node {}", target.get()),
        InputCommand::ForgetLeader => "forgets its leader".to_owned(),
        InputCommand::ReportUnreachable(peer) => format!("hears that node {} is out of reach", peer.get()),
        InputCommand::ReportSnapshot(peer, _) => format!("hears what became of its snapshot for node {}", peer.get()),
        InputCommand::Compact(index) => format!("compacts its log up to {index}"),
    }
}

const fn network(command: &NetworkCommand) -> Option<&'static str> {
    match command {
        NetworkCommand::Arrive(_) | NetworkCommand::Deliver { .. } | NetworkCommand::LetGo(_) => None,
        NetworkCommand::SendSnapshot { .. } => Some("a snapshot is sent"),
        NetworkCommand::Step(_) => Some("a message arrives that nobody sent"),
        NetworkCommand::Inject(_) => Some("a message is forged"),
        NetworkCommand::Lose(_) => Some("a message is lost"),
        NetworkCommand::Delay(_) => Some("a message is late"),
        NetworkCommand::Duplicate(_) => Some("a message is doubled"),
        NetworkCommand::Reorder(_) => Some("messages overtake one another"),
        NetworkCommand::Partition(_) => Some("the network falls apart"),
        NetworkCommand::Cut(_) => Some("links are cut"),
        NetworkCommand::Heal(_) => Some("links work again"),
    }
}

/// The nodes that are new.
fn started(before: &World, after: &World) -> Option<String> {
    let new: Vec<String> = after
        .replicas()
        .filter(|replica| before.replica(replica.id()).is_none())
        .map(|replica| replica.id().get().to_string())
        .collect();
    match new.as_slice() {
        [] => None,
        [one] => Some(format!("node {one} starts")),
        several => Some(format!("nodes {} start", several.join(", "))),
    }
}

/// What can be seen to have changed: votes, leaders, configurations, and how much is committed.
fn effects(before: &World, after: &World) -> Vec<String> {
    let nodes: Vec<(Option<&Replica>, &Replica)> =
        after.replicas().map(|replica| (before.replica(replica.id()), replica)).collect();
    let mut effects = votes(&nodes);
    for (was, is) in nodes.iter().filter_map(|(was, is)| Some((was.as_ref()?, is))) {
        let (id, term) = (is.id().get(), is.view().hard_state.term);
        if is.view().soft_state.role == Role::Leader && (leads(was) != leads(is)) {
            effects.push(format!("node {id} leads in term {term}"));
        }
    }
    effects.extend(nodes.iter().filter_map(|(was, is)| configuration(was.as_ref()?, is)));
    let committed = |world: &World| world.native_replicas().map(|replica| replica.view().hard_state.commit).max();
    let (was, is) = (committed(before), committed(after));
    effects.extend(is.filter(|_| was.is_some() && is > was).map(|index| format!("entry {index} is committed")));
    effects
}

fn leads(replica: &Replica) -> Option<raft::Term> {
    (replica.view().soft_state.role == Role::Leader).then(|| replica.view().hard_state.term)
}

/// Who voted for whom. Nodes that voted alike are named together.
fn votes(nodes: &[(Option<&Replica>, &Replica)]) -> Vec<String> {
    let mut cast: Vec<(raft::Term, NodeId, Vec<String>)> = Vec::new();
    for (was, is) in nodes {
        let state = is.view().hard_state;
        let known =
            was.is_some_and(|was| (was.view().hard_state.term, was.view().hard_state.vote) == (state.term, state.vote));
        let Some(candidate) = state.vote.filter(|candidate| !known && *candidate != is.id() && is.is_up()) else {
            continue;
        };
        let voter = is.id().get().to_string();
        match cast.iter_mut().find(|(term, other, _)| (*term, *other) == (state.term, candidate)) {
            Some((_, _, voters)) => voters.push(voter),
            None => cast.push((state.term, candidate, vec![voter])),
        }
    }
    let said = |(term, candidate, voters): (raft::Term, NodeId, Vec<String>)| match voters.as_slice() {
        [one] => format!("node {one} votes for node {} in term {term}", candidate.get()),
        several => format!("nodes {} vote for node {} in term {term}", several.join(", "), candidate.get()),
    };
    cast.into_iter().map(said).collect()
}

fn configuration(was: &Replica, is: &Replica) -> Option<String> {
    let (was, now) = (was.node()?.configuration(), is.node()?.configuration());
    let what = match (was.is_joint(), now.is_joint()) {
        (false, true) => "enters a joint configuration",
        (true, false) => "leaves the joint configuration",
        (false, false) | (true, true) => "has a new configuration",
    };
    (was.conf_state() != now.conf_state()).then(|| format!("node {} {what}", is.id().get()))
}
