//! An interactive session in the scenario language, as a plain value: what was typed, the worlds that it led to, and what is answered.
//! There is no terminal here, and no file: whoever reads lines hands them in, prints the answers and does the deeds in them.
//!
//! ```
//! use sim::session::Session;
//!
//! let mut session = Session::new();
//! session.line(1, "add-nodes 1 voters=(1) index=2", &[]);
//! session.line(2, "campaign 1", &[]);
//! assert!(session.line(3, "nodes", &[]).text.contains("candidate"));
//! session.line(4, "undo", &[]);
//! assert!(session.line(5, "nodes", &[]).text.contains("follower"));
//! ```

mod answer;
mod asked;
mod begin;
mod completion;
mod events;
mod forms;
mod help;
mod moment;
mod save;
mod seen;
#[cfg(test)]
mod tests;

pub use answer::{Answer, Contents, Deed, Problem};
pub use completion::Vocabulary;
pub use forms::takes_input;

use self::asked::Asked;
use self::moment::{Moment, Said};
use crate::planted;
use crate::script::command::{HostCommand, ShowCommand};
use crate::script::environment::{Environment, Trouble};
use crate::script::{Block, Command, Line, ScriptError};
use crate::trace::Ending;
use crate::world::{Event, World};

/// A session: its beginning and what each command led to.
#[derive(Debug)]
pub struct Session {
    /// The first is the beginning. Those after the present one are undone.
    moments: Vec<Moment>,
    /// The position of the present.
    now: usize,
    /// Comments for the next command.
    comments: Vec<String>,
    /// All that the last command printed.
    output: String,
    /// Where the beginning is from.
    origin: Option<String>,
    /// How many moments there have been, which numbers them.
    count: u64,
    /// The number of the last moment that is from a file.
    begun: u64,
    /// The number of the moment that a file holds.
    saved: u64,
    colours: bool,
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

impl Session {
    /// A session that begins with nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            moments: vec![Moment::first()],
            now: 0,
            comments: Vec::new(),
            output: String::new(),
            origin: None,
            count: 0,
            begun: 0,
            saved: 0,
            colours: false,
        }
    }

    /// The same, that answers in colours.
    #[must_use]
    pub fn in_colours(self) -> Self {
        Self { colours: true, ..self }
    }

    /// The world as it is now.
    #[must_use]
    pub fn world(&self) -> &World {
        self.environment().world()
    }

    /// What broke, if something has; then only going back leads on.
    #[must_use]
    pub fn broken(&self) -> Option<&Ending> {
        self.present().broken.as_ref()
    }

    /// Whether a file holds the session as it is now: one that was written, or the one from which it went on.
    #[must_use]
    pub fn is_saved(&self) -> bool {
        let number = self.present().number;
        number <= self.begun || number == self.saved
    }

    /// Takes note that a file holds the session as it is now.
    pub fn was_saved(&mut self) {
        self.saved = self.present().number;
    }

    /// Does what a line says. It stands in line `number`, counted from one, and the lines of its input stand below it.
    pub fn line(&mut self, number: usize, text: &str, input: &[String]) -> Answer {
        let text = text.trim();
        if text.is_empty() {
            return Answer::default();
        }
        if text.starts_with('#') {
            self.comments.push(text.to_owned());
            return Answer::default();
        }
        // A bug is on for the commands after the one that plants it, however often one goes back and forth.
        let _switched = planted::switch_on(self.present().bug.as_deref());
        let command = Line { number, text: text.to_owned() };
        let input = (number + 1..).zip(input).map(|(number, text)| Line { number, text: text.trim().to_owned() });
        let block = Block { comments: Vec::new(), command, input: input.collect(), expected: Vec::new() };
        match Asked::by(&block) {
            Ok(asked) => self.answer(asked, block),
            Err(error) => Problem::Misunderstood(error).into(),
        }
    }

    fn answer(&mut self, asked: Asked, block: Block) -> Answer {
        let number = block.command.number;
        match asked {
            Asked::Undo(count) => self.undo(number, count),
            Asked::Redo(count) => self.redo(number, count),
            Asked::Events => self.events().into(),
            Asked::Pick(position) => self.pick(number, position),
            Asked::Nodes => self.state(None).into(),
            Asked::Messages => self.messages().into(),
            Asked::Check => self.check(),
            Asked::Output => self.output.clone().into(),
            Asked::List => self.listed().into(),
            Asked::Save { file, replaces } => self.save(number, file, replaces),
            Asked::Help(topic) => match help::about(number, topic.as_deref()) {
                Ok(text) => text.into(),
                Err(error) => Problem::Misunderstood(error).into(),
            },
            Asked::Quit => Answer { deed: Some(Deed::Quit), ..Answer::default() },
            Asked::Command => self.command(block),
        }
    }

    /// Carries out a command of the language, and answers with what it printed and the nodes after it.
    fn command(&mut self, mut block: Block) -> Answer {
        if block.command.text.split_whitespace().next() == Some("run") && !block.command.text.contains("seed=") {
            block.command.text += &format!(" seed={}", self.world().step());
        }
        let command = match Command::parse(&block) {
            Ok(command) => command,
            Err(error) => return Problem::Misunderstood(error).into(),
        };
        let before = self.now;
        let answer = self.carry_out(block, &command);
        match self.now == before {
            true => Answer { text: self.shown(&answer.text), ..answer },
            false if matches!(command, Command::Host(HostCommand::Run { .. })) => {
                let events = events::told(self.moments[before].environment.world(), &self.present().events);
                let said = format!("{}\n{events}", self.present().typed);
                self.with_state(before, said, answer.problem)
            }
            false => self.with_state(before, answer.text, answer.problem),
        }
    }

    /// Carries out a command, and answers with what it printed. Where it changes something, or expects something, a moment begins.
    fn carry_out(&mut self, mut block: Block, command: &Command) -> Answer {
        if let Some(ending) = self.broken() {
            let problem = format!("nothing goes on from here ({}): undo takes it back", seen::in_short(ending));
            return Problem::Misunderstood(ScriptError::new(block.command.number, problem)).into();
        }
        let mut environment = self.environment().clone().recording();
        let (text, broken) = match environment.run(command) {
            Ok(text) => (text, None),
            Err(trouble) => match trouble.clone().ending() {
                Some(ending) => (String::new(), Some(ending)),
                None => return unable(block.command.number, &trouble),
            },
        };
        let only_looks = matches!(command, Command::Show(show) if !matches!(show, ShowCommand::LogLevel(_)));
        if !only_looks {
            block.comments = self.comments.drain(..).map(|text| Line { number: 0, text }).collect();
            let events = environment.recorded().to_vec();
            let bug = match command {
                Command::Plant(bug) => Some(bug.clone()),
                _ => self.present().bug.clone(),
            };
            let typed = block.command.text.clone();
            let said = vec![Said::Words(moment::text(&block))];
            self.begins(Moment { number: 0, typed, said, events, environment, bug, broken: broken.clone() });
        }
        match broken {
            Some(ending) => Problem::Broken(ending).into(),
            None => text.into(),
        }
    }

    /// Goes on to a new moment. What was undone is forgotten.
    fn begins(&mut self, moment: Moment) {
        self.count += 1;
        self.moments.truncate(self.now + 1);
        self.moments.push(Moment { number: self.count, ..moment });
        self.now += 1;
    }

    fn undo(&mut self, number: usize, count: usize) -> Answer {
        let before = self.now;
        self.now = before.saturating_sub(count);
        if self.now == before {
            return Problem::Misunderstood(ScriptError::new(number, "there is nothing to undo")).into();
        }
        let undone = self.moments[self.now + 1..=before].iter().rev();
        let said = undone.map(|moment| format!("undone: {}\n", moment.typed)).collect();
        self.with_state(before, said, None)
    }

    fn redo(&mut self, number: usize, count: usize) -> Answer {
        let before = self.now;
        self.now = before.saturating_add(count).min(self.moments.len() - 1);
        if self.now == before {
            return Problem::Misunderstood(ScriptError::new(number, "there is nothing to redo")).into();
        }
        let redone = self.moments[before + 1..=self.now].iter();
        let said = redone.map(|moment| format!("redone: {}\n", moment.typed)).collect();
        let problem = self.broken().cloned().map(Problem::Broken);
        self.with_state(before, said, problem)
    }

    fn present(&self) -> &Moment {
        &self.moments[self.now]
    }

    fn environment(&self) -> &Environment {
        &self.present().environment
    }

    /// All events so far.
    fn all_events(&self) -> Vec<Event> {
        self.moments[..=self.now].iter().flat_map(|moment| moment.events.iter().cloned()).collect()
    }

    /// Everything that was said so far, in the words of scenarios.
    fn all_said(&self) -> impl Iterator<Item = &Said> {
        self.moments[..=self.now].iter().flat_map(|moment| &moment.said)
    }
}

/// A command that cannot be carried out, or an expectation that is not met.
fn unable(number: usize, trouble: &Trouble) -> Answer {
    let error = ScriptError::new(number, trouble.to_string());
    match trouble {
        Trouble::Unmet(_) => Problem::Unmet(error).into(),
        Trouble::Halt(_)
        | Trouble::Panic(_)
        | Trouble::NeedsBug(_)
        | Trouble::Unstable(_)
        | Trouble::Endless
        | Trouble::NoSuchWrite(_)
        | Trouble::NoKeys(_) => Problem::Misunderstood(error).into(),
    }
}
