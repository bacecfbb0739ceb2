//! A run as a file for etcd's trace validation, which says whether etcd's TLA+ specification of Raft allows it.
//!
//! `sim/tla.md` says how to validate one. What the specification cannot speak about ends a file, with a [`Limit`].

mod book;
mod limits;
mod line;
mod seen;
mod watch;

pub use self::limits::Limit;
pub use self::line::{Line, Name};
use self::watch::Watch;
use crate::driver::liveness;
use crate::world::Event;

/// A run, as far as the specification can speak about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// The lines.
    pub lines: Vec<Line>,
    /// Of how many events they tell.
    pub events: u64,
    /// What the event after those leads to, if that is beyond the specification.
    pub limit: Option<Limit>,
}

impl Told {
    /// The file: a JSON line each.
    pub fn text(&self) -> String {
        line::written(&self.lines)
    }
}

/// Tells of a run, in whole events, with at most so many lines. The planted bug with which the events happened is on.
///
/// ```
/// use sim::explain::tla::{Name, tell};
/// let run = sim::script::record("add-nodes 1 voters=(1) index=2\ncampaign 1\nstabilize\n").unwrap();
/// let told = tell(&run.events, 600);
/// assert_eq!(told.limit, None);
/// let names: Vec<Name> = told.lines.iter().map(|line| line.name()).collect();
/// assert_eq!(names[..3], [Name::InitState, Name::BecomeCandidate, Name::SendRequestVoteResponse]);
/// ```
pub fn tell(events: &[Event], most: usize) -> Told {
    let mut watch = Watch::new();
    let mut told = Told { lines: Vec::new(), events: 0, limit: None };
    told.go_on(&mut watch, events, most);
    told.lines = watch.lines();
    told
}

/// The same, and then, in at most so many lines more, of what follows once faults end. What the last event of a run has broken shows
/// in what nodes do next, and a run that was recorded ends with that event.
pub fn tell_and_go_on(events: &[Event], more: usize) -> Told {
    let mut watch = Watch::new();
    let mut told = Told { lines: Vec::new(), events: 0, limit: None };
    told.go_on(&mut watch, events, usize::MAX);
    if told.limit.is_none() {
        let follows = liveness::events_of(&Event::ExpectLiveness { core: None }, watch.world()).unwrap_or_default();
        let most = watch.len() + more;
        for event in &follows {
            let has_room = told.go_on(&mut watch, std::slice::from_ref(event), most);
            // Some of these do not fit. What is beyond the specification was in no run, and ends what follows without a word.
            let is_beyond = told.limit.take().is_some_and(|limit| !matches!(limit, Limit::DoesNotFit(_)));
            if !has_room || is_beyond {
                break;
            }
        }
    }
    told.lines = watch.lines();
    told
}

impl Told {
    /// Goes on with these events, up to so many lines. Whether there is room for more.
    fn go_on(&mut self, watch: &mut Watch, events: &[Event], most: usize) -> bool {
        for event in events {
            let written = watch.count();
            if let Err(limit) = watch.happens(event) {
                self.limit = Some(limit);
                break;
            }
            if watch.len() > most {
                watch.forget_from(written);
                return false;
            }
            self.events += 1;
        }
        true
    }
}
