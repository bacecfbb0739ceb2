//! Where a session begins: with a scenario or a trace, or after so many of its events.

use super::moment::{Moment, Said};
use super::{Problem, Session};
use crate::explain::say;
use crate::planted;
use crate::script::environment::{Environment, Trouble};
use crate::script::{Block, Command, ScriptError, scenario};
use crate::trace::{Ending, Trace};
use crate::world::{Event, Halt};

/// How many events of a trace can be undone one by one, and how many can be gone on along.
const ONE_BY_ONE: usize = 200;

/// An event that has happened, and the words for it.
struct Happened {
    environment: Environment,
    said: Option<Said>,
    broken: Option<Ending>,
}

impl Session {
    /// A session after a scenario, or after so many of its events. Each command can be undone. One that breaks something is the last.
    ///
    /// # Errors
    /// A command cannot be understood or carried out, an expectation is not met, or there are fewer events.
    ///
    /// ```
    /// use sim::session::Session;
    /// let scenario = "add-nodes 1 voters=(1) index=2\ncampaign 1\nstabilize\n";
    /// assert!(Session::after_scenario("a file", scenario, None).unwrap().world().leader().is_some());
    /// assert_eq!(Session::after_scenario("a file", scenario, Some(2)).unwrap().world().step(), 2);
    /// ```
    pub fn after_scenario(name: &str, text: &str, at: Option<u64>) -> Result<Self, String> {
        let mut session = Self::new();
        session.origin = Some(said_origin(name, at));
        // Where the session begins; what is played after it can be redone.
        let mut place = None;
        for block in scenario(text).map_err(|error| error.to_string())? {
            if place.is_none() && at == Some(session.world().step()) {
                place = Some(session.now);
            }
            if session.broken().is_some() {
                break;
            }
            let number = block.command.number;
            match session.plays(block) {
                Ok(()) => {}
                Err(_) if place.is_some() => break,
                Err(error) => return Err(error.to_string()),
            }
            if let Some(at) = at.filter(|at| place.is_none() && session.all_events().len() as u64 > *at) {
                let splits = session.splits_last_at(at);
                place = Some(splits.map_err(|trouble| format!("line {number}: {trouble}"))?);
            }
        }
        session.reaches(at)?;
        session.begins_at(place.unwrap_or(session.now));
        Ok(session)
    }

    /// A session after a trace of the project's own nodes, or after so many of its events. The last events can be undone one by one,
    /// and those that follow redone. What broke something is the last.
    ///
    /// # Errors
    /// It does not run as it was recorded, has fewer events, or needs a planted bug that this build does not have.
    pub fn after_trace(name: &str, trace: &Trace, at: Option<u64>) -> Result<Self, String> {
        let mut session = Self::new();
        session.origin = Some(said_origin(name, at));
        let bug = trace.header.bug.as_deref();
        let _switched = planted::switch_on(bug).map_err(|bug| Trouble::NeedsBug(bug).to_string())?;
        let first = &mut session.moments[0];
        first.bug = bug.map(str::to_owned);
        first.said.extend(bug.map(|bug| Said::Words(format!("planted-bug {bug}\n"))));
        let wanted = at.and_then(|at| usize::try_from(at).ok()).unwrap_or(usize::MAX).min(trace.events.len());
        let events = &trace.events[..wanted];
        let (at_once, one_by_one) = events.split_at(events.len().saturating_sub(ONE_BY_ONE));
        for event in at_once {
            session.adds_to_beginning(event).map_err(|trouble| session.strays(&trouble))?;
        }
        for event in one_by_one {
            session.follows(event).map_err(|trouble| session.strays(&trouble))?;
        }
        session.reaches(at)?;
        let place = session.now;
        // One that does not fit is no matter of the place where the session begins.
        let _ = trace.events[wanted..].iter().take(ONE_BY_ONE).try_for_each(|event| session.follows(event));
        session.begins_at(place);
        Ok(session)
    }

    /// Where the session begins, in words; nothing where it begins with nothing.
    #[must_use]
    pub fn beginning(&self) -> String {
        let Some(origin) = &self.origin else { return String::new() };
        let ahead = if self.now + 1 < self.moments.len() { ": redo goes on along it" } else { "" };
        format!("{origin}{ahead}\n{}", self.state(None))
    }

    fn reaches(&self, at: Option<u64>) -> Result<(), String> {
        let events = self.all_events().len() as u64;
        match at {
            Some(at) if at > events => Err(format!("it has {events} events, and not {at}")),
            Some(_) | None => Ok(()),
        }
    }

    /// A command of a scenario.
    fn plays(&mut self, block: Block) -> Result<(), ScriptError> {
        let command = Command::parse(&block)?;
        let _switched = planted::switch_on(self.present().bug.as_deref());
        self.comments = block.comments.iter().map(|line| line.text.trim().to_owned()).collect();
        match self.carry_out(block, &command).problem {
            Some(Problem::Misunderstood(error) | Problem::Unmet(error)) => Err(error),
            Some(Problem::Broken(_)) | None => Ok(()),
        }
    }

    /// The last command led beyond a place: its events happen one by one instead. Returns the position of the moment after as many
    /// events.
    fn splits_last_at(&mut self, at: u64) -> Result<usize, Trouble> {
        let Some(last) = self.moments.pop() else { return Ok(self.now) };
        let _switched = planted::switch_on(last.bug.as_deref());
        self.now -= 1;
        let wanted = usize::try_from(at.saturating_sub(self.world().step())).unwrap_or(usize::MAX);
        let (before, after) = last.events.split_at(wanted.min(last.events.len()));
        before.iter().try_for_each(|event| self.follows(event))?;
        let place = self.now;
        after.iter().try_for_each(|event| self.follows(event))?;
        Ok(place)
    }

    /// All is played, and the session begins at this moment.
    fn begins_at(&mut self, place: usize) {
        self.now = place;
        self.comments.clear();
        (self.begun, self.saved) = (self.count, self.present().number);
    }

    /// An event happens before anything that can be undone.
    fn adds_to_beginning(&mut self, event: &Event) -> Result<(), Trouble> {
        let Happened { environment, said, broken } = happen(&self.moments[0].environment, event)?;
        let first = &mut self.moments[0];
        first.environment = environment;
        first.said.extend(said);
        first.events.push(event.clone());
        first.broken = broken;
        Ok(())
    }

    /// An event happens that can be undone.
    fn follows(&mut self, event: &Event) -> Result<(), Trouble> {
        let Happened { environment, said, broken } = happen(self.environment(), event)?;
        let typed = match &said {
            Some(Said::Words(words)) => words.lines().next().unwrap_or_default().to_owned(),
            Some(Said::NoWords { event, .. }) => event.clone(),
            None => format!("{:?}", event.kind()),
        };
        let (said, events) = (said.into_iter().collect(), vec![event.clone()]);
        let bug = self.present().bug.clone();
        self.begins(Moment { number: 0, typed, said, events, environment, bug, broken });
        Ok(())
    }

    fn strays(&self, trouble: &Trouble) -> String {
        let step = self.all_events().len();
        format!(
            "it does not run as it was recorded, from step {step} on: {trouble}; replay says where it goes otherwise"
        )
    }
}

fn said_origin(name: &str, at: Option<u64>) -> String {
    at.map_or_else(|| name.to_owned(), |at| format!("{name}, up to step {at}"))
}

/// Lets just this event happen: as the command that says it, where there is one and it does nothing else.
fn happen(before: &Environment, event: &Event) -> Result<Happened, Trouble> {
    let words = say(event, before.world());
    if let Ok(Some(phrase)) = &words {
        let mut environment = before.clone().recording();
        let ran = environment.run(phrase.command()).map(drop);
        if environment.recorded() == std::slice::from_ref(event) {
            return Ok(Happened { environment, said: Some(Said::Words(phrase.text())), broken: broken(ran)? });
        }
    }
    let mut environment = before.clone().recording();
    let broken = broken(environment.happen(event).map(drop))?;
    let why = match words {
        Ok(None) => None,
        // What holds and changes nothing need not be said.
        Err(_) if broken.is_none() && matches!(event, Event::ExpectSettled { .. }) => None,
        Ok(Some(_)) => Some("the words for it do more than that"),
        Err(why) => Some(why),
    };
    let (step, name) = (before.world().step(), format!("{:?}", event.kind()));
    let said = why.map(|why| Said::NoWords { step, event: name, why });
    Ok(Happened { environment, said, broken })
}

/// What broke. What does not fit is an error.
fn broken(ran: Result<(), Trouble>) -> Result<Option<Ending>, Trouble> {
    match ran {
        Ok(()) => Ok(None),
        Err(trouble @ (Trouble::Halt(Halt::Violation(_)) | Trouble::Panic(_))) => Ok(trouble.ending()),
        Err(trouble) => Err(trouble),
    }
}
