//! The lines of a trace that are not events.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::invariant::Violation;
use crate::number::{hexadecimal, narrowed};
use crate::world::{Event, World};

/// What the first line of a trace calls the format.
pub const FORMAT: &str = "raft-sim-trace";

/// The version of the format that is written. Version 1 writes every number as a JSON number, even those that many
/// readers of JSON cannot hold. Both versions are read, and a file of another version is refused.
pub const VERSION: u32 = 2;

/// The oldest version that is read.
pub const OLDEST: u32 = 1;

/// The revision of this code: the commit, with a mark if files differed from it, or "unknown".
pub const REVISION: &str = env!("SIM_REVISION");

/// The first line: where the run came from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`].
    pub format: String,
    /// The version of the format, from [`OLDEST`] to [`VERSION`].
    pub version: u32,
    /// The version of the project that recorded it.
    pub project: String,
    /// The [`REVISION`] of the code that recorded it, if the file says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The seed of the run, where it had one.
    #[serde(default, with = "crate::number::perhaps")]
    pub seed: Option<u64>,
    /// How many events lie between two digests; at least 1.
    #[serde(with = "crate::number")]
    pub digest_every: u64,
    /// The planted bug that was switched on; only a build with the feature `planted-bugs` can replay it then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bug: Option<String>,
    /// The engine whose nodes ran, where they were not the project's own; only a build that has it can replay it then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// What the run shows, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What the seed decided before the run began, as the driver writes it.
    pub plan: serde_json::Value,
}

impl Header {
    /// How many events lie between two digests by default.
    pub const DIGEST_EVERY: u64 = 1000;

    /// The header of a run of this version of the project, without a plan.
    pub fn new(seed: Option<u64>) -> Self {
        Self {
            format: FORMAT.to_string(),
            version: VERSION,
            project: env!("CARGO_PKG_VERSION").to_string(),
            revision: Some(REVISION.to_string()),
            seed,
            digest_every: Self::DIGEST_EVERY,
            bug: None,
            engine: None,
            note: None,
            plan: serde_json::Value::Null,
        }
    }

    /// The header of a run in copies of this world.
    pub fn of_world(world: &World, seed: Option<u64>) -> Self {
        let engine = world.engine().map(|engine| engine.name().to_owned());
        Self { engine, ..Self::new(seed) }
    }

    /// The header as this version of the project writes it.
    pub(super) fn renewed(&self) -> Self {
        let Self { digest_every, bug, engine, note, plan, .. } = self.clone();
        Self { digest_every: digest_every.max(1), bug, engine, note, plan: narrowed(plan), ..Self::new(self.seed) }
    }

    /// What recorded it, in words: the version, and the revision if it is known.
    pub fn recorder(&self) -> String {
        match &self.revision {
            Some(revision) => format!("{} ({revision})", self.project),
            None => self.project.clone(),
        }
    }
}

/// How a run ended. In JSON by itself it is `"completed"`, or an object with one field, `violation`, `panic` or `hang`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Nothing broke.
    #[default]
    Completed,
    /// The last event broke a property.
    Violation(Violation),
    /// An assertion of the code itself failed at the last event.
    Panic(String),
    /// The run hung: after the last event of the trace this one began, and never ended. `None` if the driver never
    /// chose one. Only whoever watches the clock can say so, see [`pulse`](crate::pulse).
    Hang(Option<Box<Event>>),
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Completed => f.write_str("nothing broken"),
            Self::Violation(violation) => violation.fmt(f),
            Self::Panic(message) => write!(f, "a panic: {message}"),
            Self::Hang(None) => f.write_str("a hang: the next event is never chosen"),
            Self::Hang(Some(event)) => {
                let event = serde_json::to_string(event).expect("an event always has a JSON form");
                write!(f, "a hang: the event {event} never ends")
            }
        }
    }
}

/// The last line: how far the run came, and how it ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct End {
    /// How many events there are, the one that broke something included.
    pub steps: u64,
    /// The digest at the end. If the last event broke something, the digest before that event.
    pub digest: u64,
    /// How it ended.
    pub ending: Ending,
}

/// [`End`] as it is written.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(with = "crate::number")]
    steps: u64,
    #[serde(with = "hexadecimal")]
    digest: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    violation: Option<Violation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    panic: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hang: Option<Hang>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hang {
    event: Option<Box<Event>>,
}

impl From<End> for Fields {
    fn from(End { steps, digest, ending }: End) -> Self {
        let fields = Self { steps, digest, violation: None, panic: None, hang: None };
        match ending {
            Ending::Completed => fields,
            Ending::Violation(violation) => Self { violation: Some(violation), ..fields },
            Ending::Panic(message) => Self { panic: Some(message), ..fields },
            Ending::Hang(event) => Self { hang: Some(Hang { event }), ..fields },
        }
    }
}

impl TryFrom<Fields> for End {
    type Error = &'static str;

    fn try_from(Fields { steps, digest, violation, panic, hang }: Fields) -> Result<Self, Self::Error> {
        let ending = match (violation, panic, hang) {
            (None, None, None) => Ending::Completed,
            (Some(violation), None, None) => Ending::Violation(violation),
            (None, Some(message), None) => Ending::Panic(message),
            (None, None, Some(Hang { event })) => Ending::Hang(event),
            (_, _, _) => return Err("a run ends with a violation, a panic or a hang, not with more than one"),
        };
        Ok(Self { steps, digest, ending })
    }
}

/// The lines that are not events.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mark {
    Digest {
        /// How many events come before it.
        #[serde(with = "crate::number")]
        step: u64,
        /// The world's digest.
        #[serde(with = "hexadecimal")]
        value: u64,
    },
    End(End),
}

impl Mark {
    /// Whether a line is one of these. The names of events begin with a capital letter.
    pub(super) fn is_one(line: &[u8]) -> bool {
        let mut letters = line.iter().filter(|byte| !byte.is_ascii_whitespace());
        letters.next() == Some(&b'{')
            && letters.next() == Some(&b'"')
            && letters.next().is_some_and(u8::is_ascii_lowercase)
    }
}
