//! A crash of each node in a state of a world, with everything that its disk may keep, and whether the node comes back as it
//! must.
//!
//! A random run crashes a node now and then, and its disk keeps something at random. Here nothing is left to chance: all
//! crashes are tried that one state allows. After each the node restarts, faults end, and every property is checked on the
//! way; the cluster has to [converge](super::liveness), and what clients were told has to have an explanation.
//!
//! Which crashes a disk allows follows [`Keep`]: nothing of what is pending is kept, all of it, each part at its front, byte
//! by byte, and each subset of its blocks, up to [`ALL_SUBSETS`] blocks; where there are more, all but one and one alone. Each
//! that may leave zeros does so too. Crashes that lead to the same state of the world are tried once.

use std::collections::BTreeSet;

use raft::NodeId;

use super::play::{Stop, apply};
use crate::disk::{Disk, Keep};
use crate::trace::Ending;
use crate::world::{Event, World};

/// Up to so many pending blocks, each subset of them is tried.
pub const ALL_SUBSETS: u64 = 6;

/// A crash of a node, and what its disk keeps of what is pending.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CrashPoint {
    /// The node.
    pub node: NodeId,
    /// What its disk keeps.
    pub keep: Keep,
}

/// What the crashes of one state came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tried {
    /// How many crashes were tried.
    pub points: u64,
    /// To how many different states they led.
    pub states: u64,
    /// How many of those cannot be asked to converge, since a quorum is gone for good.
    pub unjudged: u64,
    /// What broke.
    pub failures: Vec<(CrashPoint, Ending)>,
}

impl CrashPoint {
    /// All that this state allows.
    ///
    /// ```
    /// use sim::driver::sweep::CrashPoint;
    /// assert_eq!(CrashPoint::all(&sim::world::World::new()).count(), 0);
    /// ```
    pub fn all(world: &World) -> impl Iterator<Item = Self> {
        world.replicas().filter(|replica| replica.is_up()).flat_map(|replica| {
            let node = replica.id();
            keeps(replica.disk()).into_iter().map(move |keep| Self { node, keep })
        })
    }

    /// The crash, the node's return, and what is expected then.
    pub fn events(self) -> [Event; 4] {
        let Self { node, keep } = self;
        let restart = Event::Restart { node, options: None, seed: Some(node.get()) };
        let [converges, explained] = EXPECTED;
        [Event::Crash { node, keep }, restart, converges, explained]
    }
}

/// What is expected once the node is back. The first may not fit: where a quorum is gone, nobody can be asked to converge.
const EXPECTED: [Event; 2] = [Event::ExpectLiveness { core: None }, Event::SearchHistories];

/// Tries all crashes that this state of a world allows. The world stays as it is.
pub fn try_all(world: &World) -> Tried {
    let mut tried = Tried::default();
    let mut known = BTreeSet::new();
    for point in CrashPoint::all(world) {
        tried.points += 1;
        let mut world = world.clone();
        let [crash, restart, ..] = point.events();
        let back = happens(&mut world, &crash).and_then(|_| happens(&mut world, &restart));
        if back.is_ok() && !known.insert(world.state_hash()) {
            continue;
        }
        tried.states += 1;
        match back.and_then(|_| is_as_expected(&mut world)) {
            Ok(judged) => tried.unjudged += u64::from(!judged),
            Err(ending) => tried.failures.push((point, ending)),
        }
    }
    tried
}

/// Whether the cluster could be asked to converge, and did.
fn is_as_expected(world: &mut World) -> Result<bool, Ending> {
    let [converges, explained] = EXPECTED;
    let judged = happens(world, &converges)?;
    happens(world, &explained)?;
    Ok(judged)
}

/// Whether the event fits.
fn happens(world: &mut World, event: &Event) -> Result<bool, Ending> {
    match apply(world, event) {
        Ok(_) => Ok(true),
        Err(Stop::Inapplicable(_)) => Ok(false),
        Err(Stop::Broken(ending)) => Err(ending),
    }
}

/// Everything that a disk may keep of what is pending, no more than once each.
fn keeps(disk: &Disk) -> Vec<Keep> {
    let (bytes, blocks) = (disk.pending(), disk.pending_blocks());
    if bytes == 0 {
        return vec![Keep::Nothing];
    }
    let fronts = (1..bytes).map(|bytes| Keep::Prefix { bytes });
    let with_or_without_zeros = |keep: fn(u64, bool) -> Keep, which: u64| [keep(which, false), keep(which, true)];
    let subset: fn(u64, bool) -> Keep = |blocks, zeros| Keep::Subset { blocks, zeros };
    let subsets = subsets(blocks).into_iter().flat_map(|blocks| with_or_without_zeros(subset, blocks));
    let torn = (0..blocks).map(|block| Keep::Torn { block, bytes: HALF, zeros: true });
    [Keep::Nothing, Keep::All].into_iter().chain(fronts).chain(subsets).chain(torn).collect()
}

/// Of a torn block its front half is kept; a front of any other length is a [`Keep::Prefix`] but for the zeros behind it.
const HALF: u64 = crate::wal::SECTOR as u64 / 2;

/// Which blocks are kept, a bit each: not all, and where zeros make a difference also none.
fn subsets(blocks: u64) -> Vec<u64> {
    let all = if blocks >= 64 { u64::MAX } else { (1 << blocks) - 1 };
    if blocks <= ALL_SUBSETS {
        return (0..all).collect();
    }
    let each = (0..blocks.min(64)).map(|block| 1 << block);
    std::iter::once(0).chain(each.flat_map(|block| [block, all & !block])).collect()
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::script::record;
    use crate::wal::{Files, Segment};

    /// The world after a scenario.
    fn after(script: &str) -> World {
        let mut world = World::new();
        for event in record(script).unwrap().events {
            world.apply(&event).unwrap();
        }
        world
    }

    const WRITTEN: &str = "add-nodes 3 voters=(1,2,3) index=2\ncampaign 1\nstabilize log-level=none\npropose 1 data\ntake-ready 1\n\
                           write-log 1\n";

    #[test]
    fn each_front_and_each_subset_of_what_is_pending_is_kept_once() {
        let mut disk = Disk::default();
        disk.create(Segment::FIRST).unwrap();
        disk.append(Segment::FIRST, &[7; 600]).unwrap();
        let keeps = keeps(&disk);
        let count = |is: fn(&Keep) -> bool| keeps.iter().filter(|keep| is(keep)).count();
        assert_eq!(count(|keep| matches!(keep, Keep::Prefix { .. })), 599);
        assert_eq!(count(|keep| matches!(keep, Keep::Subset { .. })), 6);
        assert_eq!(count(|keep| matches!(keep, Keep::Torn { .. })), 2);
        for (number, keep) in keeps.iter().enumerate() {
            assert!(!keeps[..number].contains(keep), "{keep:?} is there twice");
        }
    }

    #[test]
    fn of_many_blocks_one_alone_is_kept_and_all_but_one() {
        let kept = subsets(ALL_SUBSETS + 1);
        assert_eq!(kept.len() as u64, 1 + 2 * (ALL_SUBSETS + 1));
        assert!(kept.contains(&0b100_0000) && kept.contains(&0b011_1111));
        assert_eq!(subsets(100).len(), 1 + 2 * 64);
    }

    #[test]
    fn nodes_come_back_from_every_crash_and_the_same_state_is_tried_once() {
        let tried = try_all(&after(WRITTEN));
        assert_eq!((tried.failures, tried.unjudged), (Vec::new(), 0));
        assert!(tried.points > 20, "{} crashes", tried.points);
        // Two nodes have nothing pending. Of the third a whole entry is kept, or not, and so is the commit index.
        assert!((4..8).contains(&tried.states), "{} states", tried.states);
    }
}
