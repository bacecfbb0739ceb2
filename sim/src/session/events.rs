//! What can happen next, numbered, to pick from.

use super::moment::{Moment, Said};
use super::{Answer, Problem, Session};
use crate::disk::Keep;
use crate::driver::{Stop, apply};
use crate::explain::{describe, say};
use crate::script::environment::Environment;
use crate::script::{Block, Line, ScriptError};
use crate::trace::Ending;
use crate::world::{Envelope, Event, Replica, World};

/// An event that can happen next.
struct Next {
    event: Event,
    /// What it breaks.
    breaks: Option<Ending>,
}

/// All that can happen next: by itself, then what goes wrong or is decided from outside. Each is tried, so that none is named that
/// does not fit.
fn next(environment: &Environment) -> Vec<Next> {
    let world = environment.world();
    let events = environment.possible().into_iter().chain(at_nodes(world)).chain(to_messages(world));
    let tried = events.map(|event| match apply(&mut world.clone(), &event) {
        Ok(_) => Some(Next { event, breaks: None }),
        Err(Stop::Broken(ending)) => Some(Next { event, breaks: Some(ending) }),
        Err(Stop::Inapplicable(_)) => None,
    });
    tried.flatten().collect()
}

fn at_nodes(world: &World) -> impl Iterator<Item = Event> {
    let campaigns =
        world.replicas().filter(|replica| replica.is_up()).map(|replica| Event::Campaign { node: replica.id() });
    let breaks_off = |replica: &Replica| match (replica.id(), replica.is_up()) {
        (node, true) => Event::Crash { node, keep: Keep::Nothing },
        (node, false) => Event::Restart { node, options: None, seed: None },
    };
    campaigns.chain(world.replicas().map(breaks_off))
}

fn to_messages(world: &World) -> impl Iterator<Item = Event> {
    let between = world.network().iter().filter(|(_, envelope)| matches!(envelope, Envelope::Network(_)));
    between.flat_map(|(message, _)| [Event::Drop { message }, Event::Duplicate { message }])
}

/// What happened, an event a line.
pub(super) fn told(before: &World, events: &[Event]) -> String {
    let mut world = before.clone();
    let mut tell = |event: &Event| {
        let line = format!("{}\n", describe::event(event, &world));
        // What has happened once happens again.
        drop(apply(&mut world, event));
        line
    };
    events.iter().map(&mut tell).collect()
}

/// The words of the scenario language for an event, on one line.
fn words(event: &Event, world: &World) -> Option<String> {
    let phrase = say(event, world).ok().flatten()?;
    Some(phrase.text().trim_end().replace('\n', ""))
}

impl Session {
    /// The numbered list.
    pub(super) fn events(&self) -> String {
        if self.broken().is_some() {
            return "nothing: undo takes back what broke\n".to_owned();
        }
        let next = next(self.environment());
        if next.is_empty() {
            return "nothing: add-nodes starts nodes\n".to_owned();
        }
        let line = |(number, next): (usize, &Next)| {
            let words = words(&next.event, self.world()).unwrap_or_default();
            let text = describe::event(&next.event, self.world());
            let breaks = next.breaks.as_ref().map(|ending| format!("BREAKS {}: ", super::seen::in_short(ending)));
            let line = format!("{number:>4}  {words:<32}  {}{text}", breaks.unwrap_or_default());
            super::seen::cut(line.trim_end()) + "\n"
        };
        (1..).zip(&next).map(line).collect()
    }

    /// How many events there are to pick from.
    pub(super) fn choices(&self) -> usize {
        if self.broken().is_some() { 0 } else { next(self.environment()).len() }
    }

    /// What is in flight, with the words that select it.
    pub(super) fn messages(&self) -> String {
        let can_arrive = self.environment().possible();
        let world = self.world();
        let line = |(message, envelope)| {
            let deliver = Event::Deliver { message };
            let late = if can_arrive.contains(&deliver) { "" } else { "  (cannot arrive yet)" };
            let words = words(&deliver, world).unwrap_or_default();
            let selection = words.strip_prefix("deliver ").unwrap_or(&words);
            let line = format!("  {selection:<32}  {}{late}", describe::envelope(envelope));
            super::seen::cut(&line) + "\n"
        };
        let lines: String = world.network().iter().map(line).collect();
        if lines.is_empty() { "nothing is in flight\n".to_owned() } else { lines }
    }

    /// Lets the event of this number happen, as the command that says it.
    pub(super) fn pick(&mut self, number: usize, position: usize) -> Answer {
        let mut next = if self.broken().is_some() { Vec::new() } else { next(self.environment()) };
        if !(1..=next.len()).contains(&position) {
            let problem = match next.len() {
                0 => "there is no event to pick".to_owned(),
                most => format!("there are the events 1 to {most}, not {position}: events lists them"),
            };
            return Problem::Misunderstood(ScriptError::new(number, problem)).into();
        }
        let event = next.swap_remove(position - 1).event;
        let before = self.now;
        let (said, answer) = match say(&event, self.world()) {
            Ok(Some(phrase)) => {
                let text = phrase.text();
                let mut lines = text.lines().map(|text| Line { number, text: text.trim().to_owned() });
                let command = lines.next().unwrap_or(Line { number, text: String::new() });
                let block = Block { comments: Vec::new(), command, input: lines.collect(), expected: Vec::new() };
                (text, self.carry_out(block, phrase.command()))
            }
            Ok(None) => (String::new(), self.let_happen(number, &event, None)),
            Err(why) => (String::new(), self.let_happen(number, &event, Some(why))),
        };
        match self.now == before {
            true => answer,
            false => self.with_state(before, said + &answer.text, answer.problem),
        }
    }

    /// Lets an event happen that no command says.
    fn let_happen(&mut self, number: usize, event: &Event, why: Option<&'static str>) -> Answer {
        let mut environment = self.environment().clone().recording();
        let broken = match environment.happen(event) {
            Ok(_) => None,
            Err(trouble) => match trouble.clone().ending() {
                Some(ending) => Some(ending),
                None => return super::unable(number, &trouble),
            },
        };
        let typed = describe::event(event, self.world());
        let (step, name) = (self.world().step(), format!("{:?}", event.kind()));
        let said = why.map(|why| Said::NoWords { step, event: name, why }).into_iter().collect();
        let (events, bug) = (vec![event.clone()], self.present().bug.clone());
        let text = format!("{typed}\n");
        self.begins(Moment { number: 0, typed, said, events, environment, bug, broken: broken.clone() });
        Answer { text, problem: broken.map(Problem::Broken), deed: None }
    }
}
