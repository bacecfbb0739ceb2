//! Which events are asked for by name.

use std::str::FromStr;

use crate::explain::Class;
use crate::spelling::nearest;
use crate::world::{Envelope, Event, EventKind, World};

/// What `--kind` names: a class of events, events as traces name them, or messages as etcd names them.
///
/// ```
/// use sim::explain::Kind;
/// for name in ["faults", "deliver", "TakeReady", "MsgApp"] {
///     assert!(name.parse::<Kind>().is_ok(), "{name}");
/// }
/// assert_eq!("fautls".parse::<Kind>().unwrap_err(), "there is no kind fautls; did you mean faults?");
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A class of events.
    Class(Class),
    /// Events of this kind.
    Event(EventKind),
    /// What happens to messages of this name.
    Message(String),
}

impl Kind {
    /// Whether an event that is about to happen is of this kind.
    pub(super) fn is_of(&self, event: &Event, world: &World) -> bool {
        match self {
            Self::Class(class) => Class::of(event.kind()) == *class,
            Self::Event(kind) => event.kind() == *kind,
            Self::Message(name) => {
                let in_flight = event.message().and_then(|id| world.network().get(id)).map(Envelope::kind);
                let forged = match event {
                    Event::Inject { message } => Some(message.body.name()),
                    _ => None,
                };
                in_flight.or(forged).is_some_and(|kind| kind.eq_ignore_ascii_case(name))
            }
        }
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("msg")) {
            return Ok(Self::Message(text.to_owned()));
        }
        let class = Class::ALL.into_iter().find(|class| class.name().eq_ignore_ascii_case(text)).map(Self::Class);
        let plain = text.replace(['-', '_'], "");
        let is_named = |kind: &EventKind| format!("{kind:?}").eq_ignore_ascii_case(&plain);
        let event = EventKind::ALL.into_iter().find(is_named).map(Self::Event);
        class.or(event).ok_or_else(|| unknown(text))
    }
}

fn unknown(text: &str) -> String {
    let events: Vec<String> = EventKind::ALL.iter().map(|kind| format!("{kind:?}")).collect();
    let known = Class::ALL.iter().map(|class| class.name()).chain(events.iter().map(String::as_str));
    match nearest(text, known) {
        Some(nearest) => format!("there is no kind {text}; did you mean {nearest}?"),
        None => format!("there is no kind {text}"),
    }
}
