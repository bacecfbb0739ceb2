//! By which bounds a planted bug shows: the first of a list, from narrow to wide, in which a search finds it.

use raft::ReadOnlyOption;
use raft::planted::Bug;

use super::exhaust;
use crate::campaign::hunt::named_for;
use crate::driver::exhaust::{Act, Bounds, Ended, Progress, Watch};
use crate::trace::{Ending, Property, Trace};
use crate::world::NodeOptions;

/// A bug that a search found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// The bounds.
    pub bounds: Bounds,
    /// What broke, which is named for the bug.
    pub property: Property,
    /// By how many moves.
    pub moves: u32,
    /// How many states were met by then.
    pub states: u64,
    /// The run.
    pub trace: Trace,
}

/// Ends a search that meets too many states.
struct Most<'a, W> {
    states: u64,
    watch: &'a mut W,
}

impl<W: Watch> Watch for Most<'_, W> {
    fn goes_on(&mut self, progress: Progress) -> bool {
        self.watch.goes_on(progress) && progress.states < self.states
    }
}

/// Searches within one bounds after another of the [`ladder`], each up to so many states, until the bug breaks a property that is
/// named for it, and nothing breaks in the same run without it.
pub fn shown(bug: Bug, states: u64, jobs: Option<usize>, watch: &mut impl Watch) -> Option<Shown> {
    ladder().into_iter().find_map(|bounds| {
        let mut most = Most { states, watch };
        let explored = exhaust(&bounds, jobs, Some(&bug.name()), &mut most).expect("this build has the bug");
        let Ended::Broken(trace) = explored.ended else { return None };
        let property = Property::broken_by(&trace.ending).filter(|property| named_for(*property, bug).is_some())?;
        let without = Trace::record(trace.header.clone(), &trace.events).ending;
        let (moves, states) = (explored.depth, explored.states);
        (without == Ending::Completed).then_some(Shown { bounds, property, moves, states, trace: *trace })
    })
}

/// Bounds within which bugs show, from narrow to wide. None is made for one bug: each stands for a kind of trouble.
pub fn ladder() -> Vec<Bounds> {
    let none = Bounds::default().with(Act::Campaign, 0).with(Act::Propose, 0);
    let of = |nodes, acts: &[(Act, u8)]| {
        let bounds = Bounds { nodes, ..none.clone() };
        acts.iter().fold(bounds, |bounds, (act, count)| bounds.with(*act, *count))
    };
    let options = |bounds: Bounds, change: fn(&mut NodeOptions)| {
        let mut options = bounds.options.clone();
        change(&mut options);
        Bounds { options, ..bounds }
    };
    let asynchronous = |options: &mut NodeOptions| options.async_storage_writes = true;
    let paged = |options: &mut NodeOptions| {
        options.max_size_per_message = 0;
        options.max_committed_size_per_ready = 1;
    };
    use Act::{Campaign, Change, Crash, Duplicate, Propose, Read, Snapshot, Tick, Transfer};
    vec![
        of(2, &[(Campaign, 1)]),
        Bounds { learners: 1, ..of(2, &[(Campaign, 1)]) },
        Bounds { learners: 1, ..of(3, &[(Campaign, 1)]) },
        options(of(2, &[(Campaign, 1), (Propose, 1)]), asynchronous),
        options(of(2, &[(Campaign, 1), (Propose, 2)]), asynchronous),
        of(2, &[(Campaign, 1), (Crash, 1)]),
        of(2, &[(Campaign, 2), (Propose, 1)]),
        options(of(2, &[(Campaign, 2)]), |options| options.check_quorum = true),
        of(2, &[(Campaign, 1), (Propose, 1), (Tick, 1)]),
        Bounds { learners: 1, ..of(2, &[(Campaign, 1), (Tick, 1)]) },
        options(of(2, &[(Campaign, 2), (Tick, 1)]), |options| options.check_quorum = true),
        of(2, &[(Campaign, 1), (Change, 2)]),
        Bounds { learners: 1, ..of(2, &[(Campaign, 1), (Propose, 2), (Duplicate, 1)]) },
        Bounds { learners: 1, clients: true, ..of(2, &[(Campaign, 1), (Propose, 1), (Read, 1)]) },
        Bounds { learners: 1, ..of(2, &[(Campaign, 1), (Change, 1), (Snapshot, 1), (Tick, 1)]) },
        Bounds { host_steps: true, ..of(2, &[(Campaign, 1), (Crash, 1)]) },
        Bounds { host_steps: true, learners: 1, ..of(2, &[(Campaign, 1), (Snapshot, 1), (Crash, 1)]) },
        Bounds {
            host_steps: true,
            learners: 1,
            clients: true,
            ..of(2, &[(Campaign, 1), (Propose, 1), (Snapshot, 1), (Crash, 1)])
        },
        of(3, &[(Campaign, 2)]),
        of(2, &[(Campaign, 2), (Propose, 1), (Read, 1)]),
        Bounds { joint: true, ..of(2, &[(Campaign, 1), (Change, 1), (Snapshot, 1), (Crash, 1)]) },
        Bounds { outsiders: 1, joint: true, ..of(3, &[(Campaign, 2), (Change, 1)]) },
        of(2, &[(Campaign, 2), (Change, 2)]),
        options(of(2, &[(Campaign, 1), (Transfer, 1), (Tick, 6)]), |options| options.election_tick = 2),
        options(of(2, &[(Campaign, 1), (Tick, 10)]), |options| {
            options.election_tick = 2;
            options.check_quorum = true;
        }),
        options(of(2, &[(Campaign, 1), (Propose, 2)]), paged),
        options(of(3, &[(Campaign, 2)]), |options| options.pre_vote = true),
        of(3, &[(Campaign, 1), (Crash, 1)]),
        options(of(3, &[(Campaign, 2), (Propose, 1), (Read, 1)]), |options| {
            options.read_only_option = ReadOnlyOption::LeaseBased;
        }),
        of(3, &[(Campaign, 3)]),
    ]
}
