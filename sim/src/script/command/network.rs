//! Messages in flight and the links they travel on.

use std::num::NonZeroUsize;

use raft::{Message, NodeId};

use super::super::arguments::Arguments;
use super::super::error::ScriptError;
use super::super::meaning::{Meaning, Wanted};
use super::message_kind::MessageKind;
use super::{Command, Syntax, step, two_nodes};

/// What happens to messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkCommand {
    /// `deliver`: these messages arrive, also those of a node to itself.
    Arrive(Selection),
    /// `deliver-msgs`: messages arrive or are lost.
    Deliver {
        /// The receivers, in this order; `true` where the messages are lost.
        recipients: Vec<(bool, NodeId)>,
        /// Only those of this kind.
        kind: Option<MessageKind>,
    },
    /// `send-snapshot`: a node's newest snapshot is put in flight.
    SendSnapshot {
        /// The node whose snapshot it is.
        from: NodeId,
        /// The receiver.
        to: NodeId,
    },
    /// `step`: a message that no node sent arrives.
    Step(Message),
    /// `inject`: a message that no node sent is put in flight.
    Inject(Message),
    /// `lose`: messages in flight are lost.
    Lose(Selection),
    /// `delay`: messages in flight stay there until they are let go on.
    Delay(Selection),
    /// `let-go`: delayed messages can arrive again.
    LetGo(Selection),
    /// `duplicate`: messages in flight are doubled.
    Duplicate(Selection),
    /// `reorder`: messages in flight are put at the end, the last of them first.
    Reorder(Selection),
    /// `partition`: links between groups lose everything. The nodes that are in no group form one more.
    Partition(Vec<Vec<NodeId>>),
    /// `cut`: links lose everything.
    Cut(Vec<Link>),
    /// `heal`: links work again, or all where none is named.
    Heal(Vec<Link>),
}

/// A link in one direction, written `1->3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The sending end.
    pub from: NodeId,
    /// The receiving end.
    pub to: NodeId,
}

/// Some of the messages in flight between nodes; all of them, unless something is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// On their way on these links.
    pub links: Vec<Link>,
    /// `type=`: of these kinds.
    pub kinds: Vec<MessageKind>,
    /// `from=`: sent by these nodes.
    pub from: Vec<NodeId>,
    /// `to=`: on their way to these nodes.
    pub to: Vec<NodeId>,
    /// `first=`: only this many, the oldest ones.
    pub first: Option<usize>,
    /// `nth=`: only the one at this position, the oldest counting as 1.
    pub nth: Option<NonZeroUsize>,
}

pub(super) const COMMANDS: &[Syntax] = &[
    Syntax::new("cut", |arguments| {
        let links: Vec<Link> = arguments.rest("a link")?;
        if links.is_empty() {
            return Err(arguments.error("\"cut\" needs a link, such as 1->3"));
        }
        Ok(Command::Network(NetworkCommand::Cut(links)))
    }),
    Syntax::new("delay", |arguments| selection(arguments).map(NetworkCommand::Delay).map(Command::Network)),
    Syntax::new("deliver", |arguments| selection(arguments).map(NetworkCommand::Arrive).map(Command::Network)),
    Syntax::new("deliver-msgs", |arguments| {
        let recipients = arguments.rest_and_values("a node", "drop")?;
        Ok(Command::Network(NetworkCommand::Deliver { recipients, kind: arguments.value("type")? }))
    }),
    Syntax::new("duplicate", |arguments| selection(arguments).map(NetworkCommand::Duplicate).map(Command::Network)),
    Syntax::new("heal", |arguments| arguments.rest("a link").map(NetworkCommand::Heal).map(Command::Network)),
    Syntax::with_input("inject", |arguments| step::parse(arguments).map(NetworkCommand::Inject).map(Command::Network)),
    Syntax::new("let-go", |arguments| selection(arguments).map(NetworkCommand::LetGo).map(Command::Network)),
    Syntax::new("lose", |arguments| selection(arguments).map(NetworkCommand::Lose).map(Command::Network)),
    Syntax::new("partition", |arguments| partition(arguments).map(NetworkCommand::Partition).map(Command::Network)),
    Syntax::new("reorder", |arguments| selection(arguments).map(NetworkCommand::Reorder).map(Command::Network)),
    Syntax::new("send-snapshot", |arguments| {
        let (from, to) = two_nodes(arguments)?;
        Ok(Command::Network(NetworkCommand::SendSnapshot { from, to }))
    }),
    Syntax::with_input("step", |arguments| step::parse(arguments).map(NetworkCommand::Step).map(Command::Network)),
];

fn selection(arguments: &mut Arguments<'_>) -> Result<Selection, ScriptError> {
    Ok(Selection {
        links: arguments.rest("a link")?,
        kinds: arguments.values("type")?,
        from: arguments.values("from")?,
        to: arguments.values("to")?,
        first: arguments.value("first")?,
        nth: arguments.value("nth")?,
    })
}

/// Groups, with or without a name for the reader: `(1,2) (3)`, `majority=(1,2) minority=(3)`.
fn partition(arguments: &mut Arguments<'_>) -> Result<Vec<Vec<NodeId>>, ScriptError> {
    let mut groups: Vec<Group> = arguments.rest("a group")?;
    while let Some((name, members)) = arguments.pair() {
        let group = Group::from_word(&format!("({members})"));
        groups.push(group.map_err(|_| arguments.error(format!("{name}: \"{members}\" are not nodes")))?);
    }
    let groups: Vec<Vec<NodeId>> = groups.into_iter().map(|group| group.0).collect();
    let mut members = groups.concat();
    members.sort_unstable();
    match members.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(twice) => Err(arguments.error(format!("node {} is in two groups", twice[0].get()))),
        None if groups.is_empty() => Err(arguments.error("\"partition\" needs groups, such as (1,2) (3)")),
        None => Ok(groups),
    }
}

struct Group(Vec<NodeId>);

impl Meaning for Group {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        let wanted = Wanted::Kind("a group of nodes such as (1,2)");
        let inner = word.strip_prefix('(').and_then(|word| word.strip_suffix(')')).ok_or(wanted)?;
        inner
            .split(',')
            .map(|node| NodeId::from_word(node.trim()))
            .collect::<Result<_, _>>()
            .map(Self)
            .map_err(|_| wanted)
    }
}

impl Meaning for NonZeroUsize {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        word.parse().map_err(|_| Wanted::Kind("a number above 0"))
    }
}

impl Meaning for Link {
    fn from_word(word: &str) -> Result<Self, Wanted> {
        let wanted = Wanted::Kind("a link such as 1->3");
        let (from, to) = word.split_once("->").ok_or(wanted)?;
        let node = |word| NodeId::from_word(word).map_err(|_| wanted);
        Ok(Self { from: node(from)?, to: node(to)? })
    }
}
