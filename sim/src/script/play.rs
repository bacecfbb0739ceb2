//! Runs a scenario and prints its transcript: each command as it stands in the file, with its comments, and below it
//! what happened.

use super::command::Command;
use super::environment::{Environment, Trouble};
use super::error::ScriptError;
use super::parse::{Block, scenario};
use crate::situation::Situations;
use crate::trace::{Header, Trace};
use crate::world::{Halt, World};

/// A scenario that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// What it printed, up to where it ended.
    pub transcript: String,
    /// Why it ended early: a command that cannot be understood or carried out, a property that does not hold, or an
    /// expectation that is not met.
    pub failure: Option<ScriptError>,
    /// The planted bug that it shows, if this build has none of that name.
    pub needs_bug: Option<String>,
    /// The named situations that it came through.
    pub situations: Situations,
}

/// Runs a scenario from its first command to its last. Nothing runs if a command cannot be understood.
///
/// ```
/// let scenario = "add-nodes 1 voters=(1) index=2\ncampaign 1\nstabilize 1 log-level=none\nexpect leader=1\n";
/// let played = sim::script::play(scenario);
/// assert_eq!(played.failure, None);
/// assert!(played.transcript.ends_with("expect leader=1\n----\nok\n"));
/// ```
#[must_use]
pub fn play(text: &str) -> Played {
    play_in(&World::new(), text)
}

/// The same, in a copy of this world: with what a user brings.
#[must_use]
pub fn play_in(world: &World, text: &str) -> Played {
    let commands = match understood(text) {
        Ok(commands) => commands,
        Err(error) => {
            let (transcript, situations) = (String::new(), Situations::default());
            return Played { transcript, failure: Some(error), needs_bug: None, situations };
        }
    };
    let mut environment = Environment::new_in(world);
    let mut transcript = String::new();
    for (block, command) in commands {
        echo(&mut transcript, &block);
        match environment.run(&command) {
            Ok(text) => transcript += &(text.trim_end().to_owned() + "\n"),
            Err(trouble) => {
                transcript += &format!("{trouble}\n");
                let failure = Some(ScriptError::new(block.command.number, trouble.to_string()));
                let needs_bug = match trouble {
                    Trouble::NeedsBug(unknown) => Some(unknown.0),
                    Trouble::Halt(_)
                    | Trouble::Panic(_)
                    | Trouble::Unstable(_)
                    | Trouble::Endless
                    | Trouble::Unmet(_)
                    | Trouble::NoSuchWrite(_)
                    | Trouble::NoKeys(_) => None,
                };
                let situations = environment.world().statistics().situations.clone();
                return Played { transcript, failure, needs_bug, situations };
            }
        }
    }
    let situations = environment.world().statistics().situations.clone();
    Played { transcript, failure: None, needs_bug: None, situations }
}

/// The run of a scenario as a trace, up to where it breaks something, if it does.
///
/// # Errors
/// A command cannot be understood or carried out, or an expectation is not met.
///
/// ```
/// let trace = sim::script::record("add-nodes 1 voters=(1) index=2\ncampaign 1\n")?;
/// assert_eq!((trace.events.len(), trace.ending), (2, sim::trace::Ending::Completed));
/// # Ok::<(), sim::script::ScriptError>(())
/// ```
pub fn record(text: &str) -> Result<Trace, ScriptError> {
    record_in(&World::new(), text)
}

/// The same, in a copy of this world: with what a user brings.
///
/// # Errors
/// As [`record`].
pub fn record_in(world: &World, text: &str) -> Result<Trace, ScriptError> {
    record_while(world, text, |_| true)
}

/// The same, up to the place that `explore-from-here` marks; all of it if none is marked.
///
/// # Errors
/// As [`record`].
///
/// ```
/// use sim::{script, world::World};
/// let text = "add-nodes 1 voters=(1) index=2\nexplore-from-here\ncampaign 1\n";
/// assert_eq!(script::record_to_place_in(&World::new(), text)?.events.len(), 1);
/// # Ok::<(), sim::script::ScriptError>(())
/// ```
pub fn record_to_place_in(world: &World, text: &str) -> Result<Trace, ScriptError> {
    record_while(world, text, |command| *command != Command::ExploreFromHere)
}

fn record_while(world: &World, text: &str, goes_on: impl Fn(&Command) -> bool) -> Result<Trace, ScriptError> {
    let mut environment = Environment::new_in(world).recording();
    let mut header = Header::new(None);
    let commands = understood(text)?;
    if commands.is_empty() {
        return Err(ScriptError::new(1, "holds no command"));
    }
    for (block, command) in commands.into_iter().take_while(|(_, command)| goes_on(command)) {
        if let Command::Plant(bug) = &command {
            header.bug = Some(bug.clone());
        }
        match environment.run(&command) {
            Ok(_) => {}
            Err(Trouble::Halt(Halt::Violation(_)) | Trouble::Panic(_)) => break,
            Err(trouble) => return Err(ScriptError::new(block.command.number, trouble.to_string())),
        }
    }
    Ok(Trace::record_in(world, header, environment.recorded()))
}

fn understood(text: &str) -> Result<Vec<(Block, Command)>, ScriptError> {
    let blocks = scenario(text)?;
    let commands = blocks.iter().map(Command::parse).collect::<Result<Vec<_>, _>>()?;
    Ok(blocks.into_iter().zip(commands).collect())
}

fn echo(transcript: &mut String, block: &Block) {
    if !transcript.is_empty() {
        transcript.push('\n');
    }
    let comments = block.comments.iter().map(|line| format!("{}\n", line.text.trim()));
    let input = block.input.iter().map(|line| format!("  {}\n", line.text));
    let command = std::iter::once(format!("{}\n", block.command.text));
    transcript.extend(comments.chain(command).chain(input).chain(["----\n".to_owned()]));
}
