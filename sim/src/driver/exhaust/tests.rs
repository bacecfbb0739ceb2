//! The search against others that are simpler.

use std::collections::BTreeSet;

use super::moves::Move;
use super::search::Search;
use super::{Act, Alone, Bounds, Ended, Expanded, Explored, Reached, Spread, Unwatched, search};
use crate::random::{Concern, Stream};
use crate::world::Tally;

/// Two nodes, a campaign, a crash: a few hundred states.
fn small() -> Bounds {
    Bounds { nodes: 2, ..Bounds::default() }.with(Act::Propose, 0).with(Act::Crash, 1)
}

fn begin(bounds: &Bounds) -> Reached {
    Reached::begin(bounds, &mut |_| {}).unwrap()
}

/// Every state, one after the other and all from the beginning, each found by its key in a set.
fn depth_first(bounds: &Bounds) -> usize {
    let (mut met, mut open) = (BTreeSet::new(), vec![begin(bounds)]);
    met.insert(open[0].key());
    while let Some(from) = open.pop() {
        for next in from.moves(bounds) {
            if let Ok(reached) = from.clone().after(bounds, &next, &mut Tally::default())
                && met.insert(reached.key())
            {
                open.push(reached);
            }
        }
    }
    met.len()
}

#[test]
fn a_search_depth_first_meets_as_many_states() {
    let with = |change: fn(&mut Bounds)| {
        let mut bounds = small();
        change(&mut bounds);
        bounds
    };
    for bounds in [
        small(),
        with(|bounds| bounds.options.async_storage_writes = true),
        with(|bounds| bounds.host_steps = true),
        with(|bounds| bounds.learners = 1),
        with(|bounds| bounds.options.pre_vote = true),
        small().with(Act::Crash, 0).with(Act::Duplicate, 1).with(Act::Lose, 1),
    ] {
        let explored = search(&bounds, &Alone, &mut Unwatched);
        assert_eq!((explored.ended, explored.states), (Ended::Whole, depth_first(&bounds) as u64), "{bounds}");
    }
}

/// The states that are reached where the first move is one of this node, and how.
fn from_first_move_of(node: u64, bounds: &Bounds) -> Explored {
    let begun = begin(bounds);
    let names = |one: &Move| one.first.nodes()[0].is_some_and(|id| id.get() == node);
    let all = super::moves::moves(bounds, begun.world(), Default::default());
    let first = all.into_iter().find(|one| one.spends == Some(Act::Campaign) && names(one)).unwrap();
    Search::new(bounds, begun.after(bounds, &first, &mut Tally::default()).unwrap()).run(&Alone, &mut Unwatched)
}

#[test]
fn whichever_node_begins_as_many_states_are_reached() {
    let three = Bounds::default().with(Act::Propose, 0);
    for bounds in [small(), small().with(Act::Crash, 0).with(Act::Campaign, 2), three] {
        let explored: Vec<Explored> = (1..=bounds.nodes).map(|node| from_first_move_of(node, &bounds)).collect();
        assert!(explored.windows(2).all(|two| two[0] == two[1]), "{bounds}: {explored:?}");
    }
}

/// In the opposite order of what is asked for, as threads might.
struct Backwards;

impl Spread for Backwards {
    fn spread(&self, from: Vec<Reached>, expand: &(dyn Fn(Reached) -> Expanded + Sync)) -> Vec<Expanded> {
        let mut expanded: Vec<Expanded> = from.into_iter().rev().map(expand).collect();
        expanded.reverse();
        expanded
    }
}

#[test]
fn what_comes_out_does_not_depend_on_how_the_work_is_spread() {
    let bounds = Bounds::default().with(Act::Propose, 0);
    assert_eq!(search(&bounds, &Alone, &mut Unwatched), search(&bounds, &Backwards, &mut Unwatched));
}

/// Moves at random lead nowhere that the search has not been.
#[test]
fn no_walk_leads_out_of_the_states_that_were_met() {
    let bounds = small().with(Act::Propose, 1);
    let mut search = Search::new(&bounds, begin(&bounds));
    search.go_on(&Alone, &mut Unwatched);
    let mut stream = Stream::new(1, Concern::Core);
    for _ in 0..200 {
        let mut at = begin(&bounds);
        loop {
            assert!(search.has_met(at.key()));
            let moves = at.moves(&bounds);
            let next: Vec<Reached> =
                moves.iter().filter_map(|one| at.clone().after(&bounds, one, &mut Tally::default()).ok()).collect();
            if next.is_empty() {
                break;
            }
            at = next[stream.below(next.len() as u64) as usize].clone();
        }
    }
}

#[test]
fn a_bound_of_depth_and_one_of_terms_are_kept() {
    let explored = search(&Bounds { depth: 3, ..Bounds::default() }, &Alone, &mut Unwatched);
    assert_eq!((explored.depth, explored.ended), (3, Ended::Whole));
    let none = Bounds { terms: 0, ..Bounds::default() }.with(Act::Propose, 0);
    assert_eq!(search(&none, &Alone, &mut Unwatched).states, 1, "every campaign leads beyond");
}

#[test]
fn where_the_memory_ends_it_says_how_far_it_got() {
    let explored = search(&Bounds { memory: 100_000, ..Bounds::default() }, &Alone, &mut Unwatched);
    let Ended::Memory { complete } = explored.ended else { panic!("{explored:?}") };
    assert!(complete > 1 && (complete..=complete + 1).contains(&explored.depth));
}
