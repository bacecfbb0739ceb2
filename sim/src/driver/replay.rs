//! Replays a trace, and compares what happens with what was recorded.

use std::fmt;
use std::io::BufRead;

use super::play::{Stop, apply};
use crate::planted;
use crate::trace::{End, Ending, Failure, Line, ReadError, Reader, Trouble};
use crate::world::{Event, Inapplicable, World};

/// What became of a replay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Replayed {
    /// It ended well, as the recording did.
    Completed {
        /// After so many events.
        steps: u64,
    },
    /// The same broke at the same event.
    Broken {
        /// How it ended: never [`Ending::Completed`].
        ending: Ending,
        /// The event that broke it, by the count of those before it.
        step: u64,
    },
    /// All events did what they were recorded to do, and nothing broke: what was recorded to break then is gone.
    Gone {
        /// How the recording ended: never [`Ending::Completed`].
        recorded: Ending,
        /// After so many events.
        steps: u64,
    },
    /// It did not go as it was recorded.
    Diverged(Box<Divergence>),
}

/// Where a replay leaves the recording, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Divergence {
    /// The event where it shows, by the count of those before it.
    pub step: u64,
    /// The line of the file.
    pub line: u64,
    /// How.
    pub how: How,
    /// How the recording ended.
    pub recorded: Ending,
    /// How the rest of it ends now, without the events that no longer fit.
    pub now: Ending,
}

/// How a replay leaves the recording.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum How {
    /// An event does not fit any more.
    #[error("the event {event} no longer fits: {reason}")]
    Inapplicable {
        /// The event, as it is written in the trace.
        event: String,
        /// Why it does not.
        reason: Inapplicable,
    },
    /// The digest is another one.
    #[error("the digest is {now:016x}, recorded was {recorded:016x}; it last agreed after {agreed} events")]
    Digest {
        /// What was recorded.
        recorded: u64,
        /// What it is.
        now: u64,
        /// After how many events it was last compared and the same.
        agreed: u64,
    },
    /// It ends in another way, or elsewhere.
    #[error("it ends with {now}, recorded was {recorded}")]
    Ending {
        /// What was recorded.
        recorded: Ending,
        /// What it is.
        now: Ending,
    },
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "diverged at step {}, line {}: {}", self.step, self.line, self.how)
    }
}

/// Replays a trace. The planted bug that it names is switched on in this thread meanwhile.
///
/// # Errors
/// The file is damaged, or needs a planted bug that this build does not have.
pub fn replay<R: BufRead>(reader: Reader<R>) -> Result<Replayed, ReadError> {
    replay_in(&World::new(), reader)
}

/// The same, in a copy of this world: with what a user brings.
///
/// # Errors
/// As [`replay`].
pub fn replay_in<R: BufRead>(world: &World, mut reader: Reader<R>) -> Result<Replayed, ReadError> {
    reader.fits(world)?;
    let bug = reader.header().bug.clone();
    let _switched =
        planted::switch_on(bug.as_deref()).map_err(|unknown| reader.trouble(Trouble::NeedsBug(unknown.to_string())))?;
    let mut replay = Replay { world: world.clone(), agreed: 0, broken: None, recorded: None, gone: false };
    loop {
        let Some(line) = reader.next_line()? else { return Ok(replay.completed()) };
        if let Some(how) = replay.follow(line) {
            let (step, line) = (replay.step(), reader.line());
            let recorded = replay.go_on(reader)?;
            let now = replay.broken.unwrap_or_default();
            return Ok(Replayed::Diverged(Box::new(Divergence { step, line, how, recorded, now })));
        }
    }
}

struct Replay {
    world: World,
    /// After how many events the digest was last compared.
    agreed: u64,
    broken: Option<Ending>,
    /// How it was recorded to end, once that is known.
    recorded: Option<Ending>,
    /// Whether the recording broke something that the replay does not break any more.
    gone: bool,
}

impl Replay {
    fn step(&self) -> u64 {
        self.world.step()
    }

    /// How the replay leaves the recording at this line, if it does.
    fn follow(&mut self, line: Line) -> Option<How> {
        match line {
            Line::Event(event) => self.event(&event),
            Line::Digest { step, value } => self.digest(step, value),
            Line::End(end) => self.end(end),
        }
    }

    fn event(&mut self, event: &Event) -> Option<How> {
        if let Some(broken) = &self.broken {
            return Some(How::Ending { recorded: Ending::Completed, now: broken.clone() });
        }
        match apply(&mut self.world, event) {
            Ok(_) => None,
            Err(Stop::Inapplicable(reason)) => Some(How::Inapplicable { event: text(event), reason }),
            Err(Stop::Broken(ending)) => {
                self.broken = Some(ending);
                None
            }
        }
    }

    fn digest(&mut self, step: u64, recorded: u64) -> Option<How> {
        let (now, agreed) = (self.world.digest(), self.agreed);
        if now != recorded {
            return Some(How::Digest { recorded, now, agreed });
        }
        self.agreed = step;
        None
    }

    fn end(&mut self, end: End) -> Option<How> {
        self.recorded = Some(end.ending.clone());
        if let Ending::Hang(event) = &end.ending {
            let differs = self.digest(end.steps, end.digest);
            if differs.is_some() {
                return differs;
            }
            // If the event still hangs, this call does not return.
            event.iter().for_each(|event| drop(self.event(event)));
        }
        match (&end.ending, self.broken.clone().unwrap_or_default()) {
            (Ending::Completed, Ending::Completed) => self.digest(end.steps, end.digest),
            (_, Ending::Completed) => {
                self.gone = true;
                None
            }
            (recorded, now) if is_same(recorded, &now) => self.digest(end.steps, end.digest),
            (_, now) => Some(How::Ending { recorded: end.ending, now }),
        }
    }

    /// Reads on to the end. The file may be damaged after the line at which the replay left it, and it is good to know
    /// whether the rest of the run still breaks something. Returns how the recording ended.
    fn go_on<R: BufRead>(&mut self, mut reader: Reader<R>) -> Result<Ending, ReadError> {
        while let Some(line) = reader.next_line()? {
            match line {
                Line::Event(event) if self.broken.is_none() => drop(self.event(&event)),
                Line::Event(_) | Line::Digest { .. } => {}
                Line::End(end) => self.recorded = Some(end.ending),
            }
        }
        Ok(self.recorded.clone().unwrap_or_default())
    }

    fn completed(self) -> Replayed {
        let step = self.step();
        match (self.broken, self.recorded) {
            (Some(ending), _) => Replayed::Broken { ending, step },
            (None, Some(recorded)) if self.gone => Replayed::Gone { recorded, steps: step },
            (None, _) => Replayed::Completed { steps: step },
        }
    }
}

/// Whether two runs that ended at the same event ended in the same way. How the details of a violation are worded may
/// change, and in which line a panic is.
fn is_same(one: &Ending, other: &Ending) -> bool {
    match (one, other) {
        (Ending::Completed, Ending::Completed) => true,
        (Ending::Violation(one), Ending::Violation(other)) => {
            (one.invariant, one.step, &one.nodes) == (other.invariant, other.step, &other.nodes)
        }
        (Ending::Panic(_), Ending::Panic(_)) => Failure::of(one) == Failure::of(other),
        (Ending::Completed | Ending::Violation(_) | Ending::Panic(_) | Ending::Hang(_), _) => false,
    }
}

fn text(event: &Event) -> String {
    serde_json::to_string(event).expect("an event always has a JSON form")
}
