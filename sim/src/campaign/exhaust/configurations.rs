//! The searches that the README tells of.

use raft::ReadOnlyOption;

use crate::driver::exhaust::{Act, Bounds};

/// How long a search takes, about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Size {
    /// So short that every test run can do it.
    Small,
    /// Up to ten minutes on two cores.
    Large,
}

/// All of them. Each ends by itself, with nothing found.
pub fn configurations() -> Vec<(Size, Bounds)> {
    let of = |nodes, acts: &[(Act, u8)]| {
        let none = Bounds { nodes, ..Bounds::default() }.with(Act::Campaign, 0).with(Act::Propose, 0);
        acts.iter().fold(none, |bounds, (act, count)| bounds.with(*act, *count))
    };
    let with = |mut bounds: Bounds, change: fn(&mut Bounds)| {
        change(&mut bounds);
        bounds
    };
    use Act::{Campaign, Change, Crash, Duplicate, Lose, Propose, Read, Tick};
    use Size::{Large, Small};
    vec![
        (Small, of(3, &[(Campaign, 1)])),
        (Small, with(of(2, &[(Campaign, 1), (Crash, 1)]), |bounds| bounds.host_steps = true)),
        (Small, of(4, &[(Campaign, 1)])),
        (Small, of(3, &[(Campaign, 1), (Crash, 1)])),
        (Large, of(3, &[(Campaign, 1), (Lose, 1), (Duplicate, 1)])),
        (Large, with(of(3, &[(Tick, 4)]), |bounds| bounds.options.check_quorum = true)),
        (
            Large,
            with(of(2, &[(Campaign, 1), (Tick, 3), (Read, 1)]), |bounds| {
                bounds.options.check_quorum = true;
                bounds.options.read_only_option = ReadOnlyOption::LeaseBased;
            }),
        ),
        (
            Large,
            with(of(2, &[(Campaign, 1), (Change, 1)]), |bounds| {
                bounds.learners = 1;
                bounds.joint = true;
            }),
        ),
        (
            Large,
            with(of(3, &[(Campaign, 2)]), |bounds| {
                bounds.options.pre_vote = true;
                bounds.depth = 11;
            }),
        ),
        (
            Large,
            with(of(3, &[(Campaign, 1), (Change, 1)]), |bounds| {
                bounds.joint = true;
                bounds.depth = 12;
            }),
        ),
        (
            Large,
            with(of(3, &[(Campaign, 1)]), |bounds| {
                bounds.options.async_storage_writes = true;
                bounds.depth = 17;
            }),
        ),
        (Large, with(of(2, &[(Campaign, 1), (Propose, 1), (Crash, 1)]), |bounds| bounds.host_steps = true)),
        (Large, of(2, &[(Campaign, 2), (Propose, 1), (Crash, 1)])),
        (Large, of(3, &[(Campaign, 1), (Propose, 1)])),
    ]
}
