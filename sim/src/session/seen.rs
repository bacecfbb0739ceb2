//! What a session shows: the nodes, what is in flight, what a command printed; and whether all holds.

use std::collections::BTreeMap;

use super::{Answer, Problem, Session};
use crate::driver::{Stop, apply};
use crate::explain::{self, NodesView};
use crate::trace::{Ending, Property};
use crate::world::{Event, World};

/// How wide lines are.
const WIDTH: usize = 100;
/// The most lines that a command prints without being asked for all.
const MOST_LINES: usize = 24;

impl Session {
    /// The answer with what was printed, and the nodes as they are now beside the moment before.
    pub(super) fn with_state(&mut self, before: usize, text: String, problem: Option<Problem>) -> Answer {
        // A command that printed nothing says ok, which the table says better.
        let text = if text == "ok" { String::new() } else { text };
        let shown = self.shown(&text);
        let state = self.state(Some(self.moments[before].environment.world()));
        Answer { text: shown + &state, problem, deed: None }
    }

    /// What was printed, indented below the command, and cut short where it is long. All of it is kept.
    pub(super) fn shown(&mut self, text: &str) -> String {
        let lines: Vec<String> = text.lines().map(|line| format!("  {line}").trim_end().to_owned() + "\n").collect();
        self.output = lines.concat();
        if lines.len() <= MOST_LINES {
            return self.output.clone();
        }
        let (shown, left_out) = lines.split_at(MOST_LINES - 1);
        format!("{}  … {} more lines: output prints all\n", shown.concat(), left_out.len())
    }

    /// The table of nodes, and what is in flight below it.
    pub(super) fn state(&self, before: Option<&World>) -> String {
        let world = self.world();
        let table = explain::nodes(world, NodesView { before, colours: self.colours });
        format!("{table}{}\n", cut(&format!("after {} events, in flight: {}", world.step(), in_flight(world))))
    }

    /// Whether all holds, found out on copies.
    pub(super) fn check(&self) -> Answer {
        if let Some(ending) = self.broken() {
            return Problem::Broken(ending.clone()).into();
        }
        let events = self.world().step();
        let mut text = format!("every property held after each of the {events} events\n");
        let ask = |event: &Event| apply(&mut self.world().clone(), event);
        match ask(&Event::SearchHistories) {
            Ok(_) => text += "what the clients were told has an order that explains it\n",
            Err(Stop::Inapplicable(reason)) => text += &format!("the clients' histories: {reason}\n"),
            Err(Stop::Broken(ending)) => {
                text += "what the clients were told has no order that explains it:\n";
                return Answer { text, problem: Some(Problem::Broken(ending)), deed: None };
            }
        }
        match ask(&Event::ExpectLiveness { core: None }) {
            Ok(_) => text += "if faults ended here, the cluster would converge and work\n",
            Err(Stop::Inapplicable(reason)) => text += &format!("whether it would converge is not asked: {reason}\n"),
            Err(Stop::Broken(ending)) => {
                text += "if faults ended here, this would happen:\n";
                return Answer { text, problem: Some(Problem::Broken(ending)), deed: None };
            }
        }
        text.into()
    }
}

/// The messages in flight by link and kind.
fn in_flight(world: &World) -> String {
    let mut kinds: BTreeMap<(u64, u64, &str), usize> = BTreeMap::new();
    for (_, envelope) in world.network().iter() {
        *kinds.entry((envelope.from().get(), envelope.to().get(), envelope.kind())).or_default() += 1;
    }
    let said = kinds.into_iter().map(|((from, to, kind), count)| match count {
        1 => format!("{from}->{to} {kind}"),
        count => format!("{from}->{to} {count} {kind}"),
    });
    let said: Vec<String> = said.collect();
    if said.is_empty() { "nothing".to_owned() } else { said.join(", ") }
}

/// What broke, by its name.
pub(super) fn in_short(ending: &Ending) -> String {
    Property::broken_by(ending).map_or_else(|| ending.clone().to_string(), |property| property.name().to_owned())
}

/// The line, cut to the width of a line.
pub(super) fn cut(line: &str) -> String {
    if line.chars().count() <= WIDTH {
        return line.to_owned();
    }
    line.chars().take(WIDTH - 1).chain(['…']).collect()
}
