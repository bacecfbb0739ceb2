//! The commands of the language: what each is called, which arguments it takes, and what they mean.
//!
//! [`Command`] is the meaning of one block of a file. It is made without a world, so that a whole file is understood
//! before its first command runs. Each file of this module has the commands of one topic.

mod add_nodes;
mod client;
mod disk;
mod expect;
mod explore;
mod host;
mod input;
mod membership;
mod message_kind;
mod network;
mod nodes;
mod planted;
mod show;
mod step;

use raft::NodeId;

use super::arguments::Arguments;
use super::error::ScriptError;
use super::parse::Block;
use crate::disk::DiskFault;

pub use add_nodes::AddNodes;
pub use client::{ClientCommand, Key};
pub use disk::disk_words;
pub use expect::{Expectation, Expected, LogIds};
pub use host::{HostCommand, HostStep, arm_word};
pub use input::{InputCommand, Ticks};
pub use message_kind::MessageKind;
pub use network::{Link, NetworkCommand, Selection};
pub use nodes::{NodeCommand, keep_word};
pub use show::{LogLevel, ShowCommand};

/// One command, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Nodes come and go.
    Node(NodeCommand),
    /// `fail-fsync`, `forget-fsync`, `fill-disk`, `free-disk`, `flip-bit`, `misplace-block`, `back-up-disk`, `lose-disk`, `put-back-disk`: a
    /// node's disk does not work as it should, or does again.
    Disk(NodeId, DiskFault),
    /// A node is told something by its clock, its application or its transport.
    Input(NodeId, InputCommand),
    /// A host does the work that its node wants done.
    Host(HostCommand),
    /// Messages and links.
    Network(NetworkCommand),
    /// A client asks for something.
    Client(ClientCommand),
    /// Something is printed.
    Show(ShowCommand),
    /// Something must hold.
    Expect(Expectation),
    /// `liveness`, `liveness 1 2 …`: faults are over, for all nodes or only these, which have to converge; then all is
    /// as before.
    Liveness(Vec<NodeId>),
    /// `planted-bug`: a bug that real implementations had is switched on, for the rest of the scenario.
    Plant(String),
    /// `explore-from-here`: marks the place from which `sim explore --from` goes on at random, and does nothing else.
    ExploreFromHere,
}

/// A command's name and how its arguments are read.
struct Syntax {
    name: &'static str,
    /// Whether the lines below the command are its input.
    input: bool,
    parse: Parser,
}

type Parser = fn(&mut Arguments<'_>) -> Result<Command, ScriptError>;

impl Syntax {
    const fn new(name: &'static str, parse: Parser) -> Self {
        Self { name, input: false, parse }
    }

    const fn with_input(name: &'static str, parse: Parser) -> Self {
        Self { name, input: true, parse }
    }
}

/// Every command.
fn language() -> impl Iterator<Item = &'static Syntax> {
    let topics = [
        nodes::COMMANDS,
        disk::COMMANDS,
        input::COMMANDS,
        host::COMMANDS,
        network::COMMANDS,
        client::COMMANDS,
        show::COMMANDS,
        expect::COMMANDS,
        planted::COMMANDS,
        explore::COMMANDS,
    ];
    topics.into_iter().flatten()
}

impl Command {
    /// The most events of a script, so that a few words cannot ask for more than anybody waits for.
    pub const MOST_EVENTS: u64 = 1_000_000;

    /// What all commands are called, by topic.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        language().map(|syntax| syntax.name)
    }

    /// Whether lines below a command of this name are its input.
    pub(crate) fn takes_input(name: &str) -> bool {
        language().any(|syntax| syntax.name == name && syntax.input)
    }

    /// Understands a block.
    ///
    /// # Errors
    /// An unknown command, or an argument that is unknown, missing or malformed.
    pub fn parse(block: &Block) -> Result<Self, ScriptError> {
        let mut arguments = Arguments::new(block)?;
        let Some(syntax) = language().find(|syntax| syntax.name == arguments.name()) else {
            let error = arguments.error(format!("there is no command \"{}\"", arguments.name()));
            return Err(error.suggesting(arguments.name(), language().map(|syntax| syntax.name)));
        };
        let command = (syntax.parse)(&mut arguments)?;
        arguments.finish()?;
        if !syntax.input {
            arguments.no_input()?;
        }
        Ok(command)
    }
}

fn node(arguments: &mut Arguments<'_>) -> Result<NodeId, ScriptError> {
    arguments.required("a node")
}

fn nodes(arguments: &mut Arguments<'_>) -> Result<Vec<NodeId>, ScriptError> {
    arguments.rest("a node")
}

fn two_nodes(arguments: &mut Arguments<'_>) -> Result<(NodeId, NodeId), ScriptError> {
    Ok((node(arguments)?, arguments.required("a second node")?))
}

#[cfg(test)]
mod tests {
    use super::super::parse::scenario;
    use super::*;

    fn parse(text: &str) -> Result<Command, String> {
        let blocks = scenario(text).map_err(|error| error.to_string())?;
        Command::parse(&blocks[0]).map_err(|error| error.to_string())
    }

    #[test]
    fn no_name_is_used_twice() {
        let mut names: Vec<&str> = language().map(|syntax| syntax.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn an_unknown_command_names_the_nearest_known_one() {
        let error = "line 2: there is no command \"stabilise\"; the nearest known word is \"stabilize\"";
        assert_eq!(parse("\nstabilise 1"), Err(error.to_owned()));
    }

    #[test]
    fn bad_arguments_are_named() {
        let table = [
            ("campaign", "line 1: \"campaign\" needs a node"),
            ("campaign 1 2", "line 1: \"campaign\" does not know the argument \"2\""),
            ("campaign one", "line 1: a node: \"one\" is not the number of a node"),
            (
                "add-nodes 1 chekquorum=true",
                "line 1: \"add-nodes\" does not know the argument \"chekquorum\"; the nearest known word is \"checkquorum\"",
            ),
            ("flip-bit 1 segment=2", "line 1: \"flip-bit\" needs bit="),
            ("add-nodes 1 voters=(1)", "line 1: a membership to start from needs index="),
            (
                "add-nodes 1 peers=(1) voters=(1) index=2",
                "line 1: nodes start from a snapshot or from a list of peers, not both",
            ),
            ("deliver 1-2", "line 1: a link: \"1-2\" is not a link such as 1->3"),
            ("deliver 1->2 nth=0", "line 1: nth: \"0\" is not a number above 0"),
            ("planted-bug", "line 1: \"planted-bug\" needs the name of a bug"),
            (
                "deliver-msgs 1 type=MsgAp",
                "line 1: type: \"MsgAp\" is none of MsgApp, MsgAppResp, MsgHeartbeat, MsgHeartbeatResp, MsgPreVote, \
                 MsgPreVoteResp, MsgProp, MsgReadIndex, MsgReadIndexResp, MsgSnap, MsgStorageAppendResp, \
                 MsgStorageApplyResp, MsgTimeoutNow, MsgTransferLeader, MsgVote, MsgVoteResp; the nearest known word is \
                 \"MsgApp\"",
            ),
            ("step 1 type=MsgSnap from=2", "line 1: \"step\" cannot make a MsgSnap"),
            ("step 1 type=MsgApp from=2\n  1-2 x", "line 2: \"1-2\" is not an entry's term/index"),
            (
                "propose-conf-change 1\n  v1 x2",
                "line 2: \"x2\" is no step: v adds a voter, l a learner, r removes, u updates, as in v4",
            ),
            (
                "propose-conf-change 1 v1=true\n  v1 v2",
                "line 1: a change of version 1 has exactly one step and no transition",
            ),
            ("raft-state\n  1", "line 2: \"raft-state\" takes no input: \"1\""),
        ];
        for (text, error) in table {
            assert_eq!(parse(text).map(|_| ()), Err(error.to_owned()), "{text}");
        }
    }
}
