//! The share of continuations that fail, over the steps, and where it jumps.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::continuations::fails;
use super::{Question, Run, Watch};
use crate::driver::apply;
use crate::explain::describe;
use crate::world::World;

/// A place of the run, and what comes of going on from there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Point {
    /// After how many events.
    pub step: u64,
    /// How many continuations fail in the same way.
    pub failing: u64,
    /// Of how many.
    pub of: u64,
}

impl Point {
    /// How many of a thousand fail.
    pub fn per_mille(self) -> u64 {
        (1000 * self.failing).checked_div(self.of).unwrap_or(0)
    }
}

/// An event with which the share rises.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Jump {
    /// The share before the event.
    pub before: Point,
    /// The share after it.
    pub after: Point,
    /// The event, in words.
    pub event: String,
}

/// The most places that are looked at.
const MOST_POINTS: usize = 96;
/// How many places there are at first, evenly apart.
const FIRST_POINTS: usize = 32;
/// How many of a thousand the share has to rise by for a place between to be looked at, and for a jump.
const RISES: u64 = 200;
/// How many continuations of each place run before it is asked whether that is enough.
const ROUND: u64 = 16;

/// The curve, from the first node to the failure.
pub(super) fn curve(run: &Run<'_>, question: &Question, watch: &impl Watch) -> Vec<Point> {
    let mut curve = Curve { run, question, points: BTreeMap::new() };
    let last = run.events.len() - 1;
    let first = run.first_node().min(last);
    let step = (last - first).div_ceil(FIRST_POINTS).max(1);
    curve.look_at((first..last).step_by(step).chain([last]).collect(), watch);
    while curve.points.len() < MOST_POINTS && !watch.enough() {
        let between = curve.rises();
        if between.is_empty() {
            break;
        }
        curve.look_at(between, watch);
    }
    let certain = Point { step: run.events.len() as u64, failing: 1, of: 1 };
    curve.points.into_values().chain([certain]).collect()
}

/// The jumps of a curve, the highest first. The failure itself is none.
pub(super) fn jumps(run: &Run<'_>, curve: &[Point]) -> Vec<Jump> {
    let pairs = curve.windows(2).map(|pair| (pair[0], pair[1]));
    let rises = pairs
        .filter(|(before, after)| before.step + 1 == after.step && after.per_mille() >= before.per_mille() + RISES);
    let jump = |(before, after): (Point, Point)| {
        let at = usize::try_from(before.step).expect("a position");
        let event = describe::event(&run.events[at], &run.world_at(at));
        Jump { before, after, event }
    };
    let mut jumps: Vec<Jump> = rises.filter(|(_, after)| after.step < run.events.len() as u64).map(jump).collect();
    jumps.sort_by_key(|jump| std::cmp::Reverse(jump.after.per_mille() - jump.before.per_mille()));
    jumps
}

struct Curve<'a> {
    run: &'a Run<'a>,
    question: &'a Question,
    points: BTreeMap<usize, Point>,
}

impl Curve<'_> {
    /// Goes on from these places, ascending.
    fn look_at(&mut self, places: Vec<usize>, watch: &impl Watch) {
        let worlds = self.run.worlds_at(&places);
        let all = self.question.continuations * places.len() as u64;
        let mut failing = vec![0; places.len()];
        let mut done = 0;
        while done < self.question.continuations {
            let round = ROUND.min(self.question.continuations - done);
            let each = worlds.par_iter().map(|world| {
                let fails = |number: &u64| {
                    let fails = fails(self.run, world, *number, self.question);
                    watch.ran(all);
                    fails
                };
                (done..done + round).into_par_iter().filter(fails).count() as u64
            });
            let counts: Vec<u64> = self.run.pool.install(|| each.collect());
            failing.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            done += round;
            if watch.enough() {
                break;
            }
        }
        for (place, failing) in places.into_iter().zip(failing) {
            self.points.insert(place, Point { step: place as u64, failing, of: done });
        }
    }

    /// Places between two neighbours of which the later one's share is much higher.
    fn rises(&self) -> Vec<usize> {
        let pairs = self.points.iter().zip(self.points.iter().skip(1));
        let rises = pairs.filter(|((_, before), (_, after))| after.per_mille() >= before.per_mille() + RISES);
        rises
            .map(|((before, _), (after, _))| (before + after) / 2)
            .filter(|place| !self.points.contains_key(place))
            .collect()
    }
}

impl Run<'_> {
    /// After how many events there is a node.
    fn first_node(&self) -> usize {
        let mut world = self.start.clone();
        let starts = self.events.iter().position(|event| {
            drop(apply(&mut world, event));
            world.replicas().next().is_some()
        });
        starts.map_or(0, |position| position + 1)
    }

    /// The worlds at these places, which ascend.
    fn worlds_at(&self, places: &[usize]) -> Vec<World> {
        let (mut world, mut done) = (self.start.clone(), 0);
        let at = |place: &usize| {
            self.events[done..*place].iter().for_each(|event| drop(apply(&mut world, event)));
            done = *place;
            world.clone()
        };
        places.iter().map(at).collect()
    }
}
