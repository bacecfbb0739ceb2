//! The node's only source of randomness: a ChaCha stream from a seed, which its configuration names or which follows
//! from how the node starts.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::config::Config;
use crate::planted::{Bug, draw_for_everybody, planted};
use crate::types::{EntryId, HardState, NodeId};

/// Draws election timeouts. Nodes seldom draw, and there may be many of them: so only the place in the stream is kept, and not the
/// generator, which is twenty times as large.
#[derive(Clone, Hash, Debug)]
pub struct TimeoutRng(Option<Place>);

/// Which stream it is, and how many words were drawn from it.
#[derive(Clone, Hash, Debug)]
struct Place {
    seed: u64,
    words: u64,
}

impl TimeoutRng {
    /// The stream of a node with these options that starts with what its storage holds. Where timeouts are fixed, every
    /// draw is zero.
    pub fn new(config: &Config, hard_state: HardState, last: EntryId) -> Self {
        let seed = config.election_seed.unwrap_or_else(|| seed_of_start(config.id, hard_state, last));
        Self((!config.fixed_election_timeout).then_some(Place { seed, words: 0 }))
    }

    /// A number in `0..bound`, or zero where `bound` is zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        match &mut self.0 {
            // The bias of the remainder is below 2^-32 for any sensible number of ticks.
            Some(_) if bound > 0 && planted(Bug::TimeoutsShareAStream) => draw_for_everybody() % bound,
            Some(place) if bound > 0 => place.draw() % bound,
            Some(_) | None => 0,
        }
    }
}

impl Place {
    fn draw(&mut self) -> u64 {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_word_pos(self.words.into());
        self.words += 2;
        rng.next_u64()
    }
}

/// Differs between nodes, and between starts of a node that has stored anything meanwhile. Distinct input has to give
/// unrelated output, and nothing else is asked of it: each number is folded in with the finalizer of SplitMix64.
fn seed_of_start(id: NodeId, hard_state: HardState, last: EntryId) -> u64 {
    let HardState { term, vote, commit } = hard_state;
    let start = [id.get(), term.0, vote.map_or(0, NodeId::get), commit.0, last.term.0, last.index.0];
    start.into_iter().fold(0, |seed: u64, number| {
        let mut mixed = (seed ^ number).wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::types::{Index, Term};

    fn id(number: u64) -> NodeId {
        NodeId::new(number).expect("not zero")
    }

    fn rng(config: &Config) -> TimeoutRng {
        TimeoutRng::new(config, HardState::default(), EntryId::ZERO)
    }

    #[test]
    fn draws_are_below_the_bound_and_reach_all_of_it_unless_they_are_fixed() {
        for config in [Config::new(id(1)), Config { election_seed: Some(7), ..Config::new(id(1)) }] {
            let mut drawing = rng(&config);
            let drawn: BTreeSet<u64> = (0..200).map(|_| drawing.below(5)).collect();
            assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
            assert_eq!((drawing.below(1), drawing.below(0)), (0, 0));
            let mut fixed = rng(&Config { fixed_election_timeout: true, ..config });
            assert!((0..200).all(|_| fixed.below(5) == 0));
        }
    }

    #[test]
    fn draws_go_on_where_the_stream_was_left() {
        let mut place = Place { seed: 7, words: 0 };
        let mut stream = ChaCha8Rng::seed_from_u64(7);
        assert!((0..100).all(|_| place.draw() == stream.next_u64()));
    }

    #[test]
    fn without_a_seed_each_node_and_each_start_draws_otherwise() {
        let first = |id: NodeId, hard_state, last| TimeoutRng::new(&Config::new(id), hard_state, last).below(u64::MAX);
        let nothing = HardState::default();
        let mut drawn: Vec<u64> = (1..=100).map(|number| first(id(number), nothing, EntryId::ZERO)).collect();
        for number in 1..=100 {
            drawn.push(first(id(1), HardState { term: Term(number), ..nothing }, EntryId::ZERO));
            drawn.push(first(id(1), HardState { vote: Some(id(number)), ..nothing }, EntryId::ZERO));
            drawn.push(first(id(1), HardState { commit: Index(number), ..nothing }, EntryId::ZERO));
            drawn.push(first(id(1), nothing, EntryId::new(Term(0), Index(number))));
            drawn.push(first(id(1), nothing, EntryId::new(Term(number), Index(1))));
        }
        let distinct: BTreeSet<u64> = drawn.iter().copied().collect();
        assert_eq!(distinct.len(), drawn.len());
    }
}
