//! Carries commands out on a world, and says what happened. Each file of this module does the commands of one topic.

mod client;
mod expect;
mod host;
mod host_step;
mod input;
mod network;
mod nodes;
mod run;
mod run_loop;
mod show;

use std::collections::BTreeSet;
use std::sync::Arc;

use raft::NodeId;

use self::client::Clients;
use super::command::{Command, HostCommand, LogLevel};
use crate::driver::{self, Stop};
use crate::planted::{self, Switched, UnknownBug};
use crate::trace::Ending;
use crate::world::consensus::Node;
use crate::world::{Event, Halt, Inapplicable, MessageId, Outcome, Refusal, Replica, World};

/// A world, and what earlier commands have decided about what happens in it by itself.
#[derive(Clone, Debug)]
pub struct Environment {
    world: World,
    /// Whether etcd's own tests are imitated, including the mistakes that they make nodes make.
    imitates_etcd: bool,
    level: LogLevel,
    /// The nodes whose fsyncs stay under way.
    held: BTreeSet<NodeId>,
    /// The messages that do not arrive.
    delayed: BTreeSet<MessageId>,
    clients: Clients,
    /// Keeps a planted bug switched on.
    planted: Option<Arc<Switched>>,
    /// Everything that happened, where that is recorded.
    recorded: Option<Vec<Event>>,
}

/// Why a script cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The command does not fit the state of the world, or led to a violation.
    #[error(transparent)]
    Halt(#[from] Halt),
    /// An assertion of the code itself failed.
    #[error("panic: {0}")]
    Panic(String),
    /// The scenario shows a planted bug, and this build has none of that name.
    #[error("this build has no planted bug {0}: they are in builds with the feature planted-bugs")]
    NeedsBug(UnknownBug),
    /// Messages and Readys that never come to an end.
    #[error("still not stable after {0} rounds")]
    Unstable(u32),
    /// There were [`Command::MOST_EVENTS`].
    #[error("{} events have happened, the most that a scenario may have", Command::MOST_EVENTS)]
    Endless,
    /// A fact that was expected does not hold.
    #[error("{0}")]
    Unmet(String),
    /// There is no such write to be tried again.
    #[error("request {0} is no write")]
    NoSuchWrite(usize),
    /// Clients need nodes that keep keys and values.
    #[error("the application of node {0} has no keys: add it with application=key-value")]
    NoKeys(NodeId),
}

impl Trouble {
    /// How a run ends that came into this trouble, if something broke.
    pub(crate) fn ending(self) -> Option<Ending> {
        match self {
            Self::Halt(Halt::Violation(violation)) => Some(Ending::Violation(violation)),
            Self::Panic(message) => Some(Ending::Panic(message)),
            Self::Halt(Halt::Inapplicable(_))
            | Self::NeedsBug(_)
            | Self::Unstable(_)
            | Self::Unmet(_)
            | Self::NoSuchWrite(_)
            | Self::Endless
            | Self::NoKeys(_) => None,
        }
    }
}

impl From<Inapplicable> for Trouble {
    fn from(reason: Inapplicable) -> Self {
        Self::Halt(reason.into())
    }
}

impl From<Stop> for Trouble {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Inapplicable(reason) => reason.into(),
            Stop::Broken(Ending::Violation(violation)) => Self::Halt(violation.into()),
            Stop::Broken(Ending::Panic(message)) => Self::Panic(message),
            Stop::Broken(Ending::Completed | Ending::Hang(_)) => unreachable!("what broke ended, and not well"),
        }
    }
}

/// What a command printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Reply {
    text: String,
    /// What a node answered instead of doing it; printed at every log level.
    error: Option<String>,
}

impl From<String> for Reply {
    fn from(text: String) -> Self {
        Self { text, error: None }
    }
}

impl Reply {
    fn refused(refusal: Option<Refusal>) -> Self {
        Self { text: String::new(), error: refusal.map(|refusal| refusal.to_string()) }
    }
}

type Done<T = Reply> = Result<T, Trouble>;

impl Default for Environment {
    fn default() -> Self {
        Self::new()
    }
}

impl Environment {
    /// A world without nodes, in which every property is checked after every event.
    pub fn new() -> Self {
        Self::new_in(&World::new())
    }

    /// The same, that begins with a copy of this world: with what a user brings.
    pub fn new_in(world: &World) -> Self {
        Self {
            world: world.clone(),
            imitates_etcd: false,
            level: LogLevel::All,
            held: BTreeSet::new(),
            delayed: BTreeSet::new(),
            clients: Clients::default(),
            planted: None,
            recorded: None,
        }
    }

    /// The environment of etcd's own tests, which make messages up and restart nodes with a membership that is not the
    /// one in force: nothing is checked.
    pub fn like_etcd() -> Self {
        Self { world: World::unchecked(), imitates_etcd: true, ..Self::new() }
    }

    /// The same, with all that happens from now on written down.
    pub(crate) fn recording(self) -> Self {
        Self { recorded: Some(Vec::new()), ..self }
    }

    /// What was written down.
    pub(crate) fn recorded(&self) -> &[Event] {
        self.recorded.as_deref().unwrap_or_default()
    }

    /// Lets an event happen that no command says. Returns what a node answered instead of doing it.
    ///
    /// # Errors
    /// It does not fit, or a property of the world does not hold.
    pub(crate) fn happen(&mut self, event: &Event) -> Result<Option<Refusal>, Trouble> {
        self.apply(event).map(|outcome| outcome.refused)
    }

    /// The world as it is now.
    pub const fn world(&self) -> &World {
        &self.world
    }

    /// Carries a command out. Returns what it prints; `ok` where it prints nothing.
    ///
    /// # Errors
    /// The command cannot be carried out, a property of the world does not hold, or an expectation is not met.
    pub fn run(&mut self, command: &Command) -> Result<String, Trouble> {
        let reply = self.carry_out(command)?;
        let outcomes = self.clients.take_outcomes();
        let error = reply.error.unwrap_or_default();
        let shown = match self.level_of(command) {
            LogLevel::All => reply.text,
            LogLevel::None => String::new(),
        };
        let text = outcomes_below(shown, &outcomes) + &error;
        Ok(if text.is_empty() { "ok".to_owned() } else { text })
    }

    const fn level_of(&self, command: &Command) -> LogLevel {
        match command {
            Command::Host(HostCommand::Stabilize { level: Some(level), nodes: _ }) => *level,
            Command::Node(_)
            | Command::Disk(..)
            | Command::Input(..)
            | Command::Host(_)
            | Command::Network(_)
            | Command::Client(_)
            | Command::Show(_)
            | Command::Expect(_)
            | Command::Liveness(_)
            | Command::Plant(_)
            | Command::ExploreFromHere => self.level,
        }
    }

    fn carry_out(&mut self, command: &Command) -> Done {
        match command {
            Command::Node(command) => self.node_command(command),
            Command::Disk(node, fault) => self.once(&Event::DiskFault { node: *node, fault: *fault }),
            Command::Input(node, command) => self.input_command(*node, command),
            Command::Host(command) => self.host_command(command),
            Command::Network(command) => self.network_command(command),
            Command::Client(command) => self.client_command(command),
            Command::Show(command) => self.show_command(*command),
            Command::Expect(expectation) => self.expect(expectation),
            Command::Liveness(core) => self.expect_liveness(core),
            Command::Plant(bug) => self.plant(bug),
            Command::ExploreFromHere => Ok(Reply::default()),
        }
    }

    fn apply(&mut self, event: &Event) -> Done<Outcome> {
        if self.world.step() >= Command::MOST_EVENTS {
            return Err(Trouble::Endless);
        }
        let applied = driver::apply(&mut self.world, event);
        if let Some(recorded) = &mut self.recorded {
            recorded.push(event.clone());
        }
        let outcome = applied?;
        self.clients.notice(&self.world, event);
        self.clients.told(&outcome.completed);
        if let (Some(node), Some(Refusal::Disk(_))) = (outcome.node, &outcome.refused) {
            self.forget_plans_of(node)?;
        }
        Ok(outcome)
    }

    fn once(&mut self, event: &Event) -> Done {
        self.apply(event).map(|outcome| Reply::refused(outcome.refused))
    }

    fn plant(&mut self, bug: &str) -> Done {
        self.planted = Some(Arc::new(planted::switch_on(Some(bug)).map_err(Trouble::NeedsBug)?));
        Ok(Reply::default())
    }

    fn replica(&self, node: NodeId) -> Done<&Replica> {
        Ok(self.world.replica(node).ok_or(Inapplicable::NoSuchNode(node))?)
    }

    fn raft_node(&self, node: NodeId) -> Done<&dyn Node> {
        Ok(self.replica(node)?.node().ok_or(Inapplicable::NodeDown(node))?)
    }

    /// All nodes there are, by identity.
    fn all_nodes(&self) -> Vec<NodeId> {
        self.world.replicas().map(Replica::id).collect()
    }
}

/// A heading with what belongs to it, indented by two.
fn headed(node: NodeId, what: &str, text: &str) -> String {
    let lines: String = text.lines().map(|line| format!("  {line}\n")).collect();
    format!("> {} {what}\n{lines}", node.get())
}

/// Outcomes of clients' requests go on lines of their own.
fn outcomes_below(mut text: String, outcomes: &str) -> String {
    if !outcomes.is_empty() && !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text + outcomes
}
