//! A fuzzer's first inputs, made from recorded runs and scenarios: they lead to what it would take long to find by
//! itself.

use std::collections::{BTreeMap, BTreeSet};

use raft::{Entry, NodeId, Snapshot, Storage};

pub use super::seed::Seed;
use super::seed::name;
use super::{node, step};
use crate::driver::bytes::{self, encode};
use crate::wal::Files;
use crate::world::{Envelope, Event, World};

/// The inputs for each target, by its name.
pub type Seeds = BTreeMap<&'static str, Vec<Seed>>;

/// No input is longer than this, so that a fuzzer is quick to try and to change it.
pub const LONGEST: usize = 4096;

/// The positions of seeds that together hold all that any of them holds, in the order of choice, and at most `at_most`.
/// Each choice adds the most that is new; of several that add as much, the shortest is taken, and of those the first.
pub fn choose<'a>(seeds: impl Iterator<Item = &'a Seed>, at_most: usize) -> Vec<usize> {
    let seeds: Vec<&Seed> = seeds.collect();
    let (mut held, mut chosen) = (BTreeSet::new(), Vec::new());
    while chosen.len() < at_most {
        let adds = |position: usize| seeds[position].holds.difference(&held).count();
        let best = (0..seeds.len()).min_by_key(|&at| (usize::MAX - adds(at), seeds[at].bytes.len()));
        let Some(best) = best.filter(|&best| adds(best) > 0) else { break };
        held.extend(seeds[best].holds.iter().cloned());
        chosen.push(best);
    }
    chosen
}

/// Inputs that lead to where a run went.
pub fn of_run(events: &[Event]) -> Seeds {
    let one = NodeId::new(1).expect("not zero");
    let run = Run::of(events);
    Seeds::from([
        ("world", vec![of_world(events)]),
        ("step", vec![step::seed(events, one, &[], LONGEST / 2)]),
        ("node", [false, true].map(|handles| node::seed(events, one, handles, LONGEST / 2)).to_vec()),
        ("codec", run.encoded.into_iter().map(|(what, bytes)| Seed { bytes, holds: [what].into() }).collect()),
        ("disk", run.logs),
    ])
}

fn of_world(events: &[Event]) -> Seed {
    let mut bytes = encode(events);
    bytes.truncate(LONGEST / 4);
    let holds = bytes::run(&bytes).events.iter().map(|event| format!("{:?}", event.kind())).collect();
    Seed { bytes, holds }
}

/// What comes up in a run.
#[derive(Default)]
struct Run {
    /// One message of each kind, and other things that have a form in bytes, by what they are.
    encoded: BTreeMap<String, Vec<u8>>,
    /// The log of each node at the end, after the byte that says that it is a file as it is.
    logs: Vec<Seed>,
}

impl Run {
    fn of(events: &[Event]) -> Self {
        let (mut run, mut world) = (Self::default(), World::unchecked());
        for event in events {
            if let Event::Deliver { message } = event
                && let Some(Envelope::Network(message)) = world.network().get(*message)
            {
                run.add(name(&message.body), message.encode());
            }
            if world.apply(event).is_err() {
                break;
            }
        }
        for replica in world.replicas() {
            run.add_log(replica.disk());
            let Some(node) = replica.node() else { continue };
            run.add("hard state".into(), node.status().view.hard_state.encode());
            run.add("membership".into(), node.configuration().conf_state().encode());
            let snapshot = node.storage().snapshot().unwrap_or_default();
            run.add("snapshot".into(), Snapshot::encode(&snapshot));
            if let Some(entry) = node.storage().stored().last() {
                run.add("entry".into(), Entry::encode(entry));
            }
        }
        run
    }

    fn add(&mut self, what: String, bytes: Vec<u8>) {
        if bytes.len() <= LONGEST {
            self.encoded.entry(what).or_insert(bytes);
        }
    }

    fn add_log(&mut self, disk: &crate::disk::Disk) {
        let segment = disk.list().ok().and_then(|segments| segments.last().copied());
        let Some((segment, bytes)) = segment.and_then(|segment| Some((segment, disk.read(segment).ok()?))) else {
            return;
        };
        // The target knows the first two segments.
        let form = if segment.0 == 2 { 4 } else { 0 };
        if bytes.len() < LONGEST && segment.0 <= 2 {
            let holds = format!("form {form}, 2^{} bytes", bytes.len().max(1).ilog2());
            self.logs.push(Seed { bytes: [&[form], &bytes[..]].concat(), holds: [holds].into() });
        }
    }
}

#[cfg(test)]
mod tests {
    use arbitrary::{Arbitrary, Unstructured};

    use super::*;
    use crate::driver::bytes;
    use crate::harness;

    fn seeds() -> Seeds {
        let rounds = [bytes::ROUND; 8];
        let elected = [&[2, 0, 0, 0, 0, bytes::ROUND, 3, 0], &rounds[..], &[2, 0, 9], &rounds[..]].concat();
        of_run(&bytes::run(&elected).events)
    }

    #[test]
    fn a_run_is_a_seed_for_every_target_that_is_not_a_text() {
        let seeds = seeds();
        assert_eq!(seeds.keys().copied().collect::<Vec<_>>(), ["codec", "disk", "node", "step", "world"]);
        assert!(seeds.values().all(|inputs| !inputs.is_empty()));
        assert_eq!(seeds["disk"].len(), 3, "a log of each node");
    }

    #[test]
    fn what_an_input_holds_is_what_node_1_is_given() {
        let step = &seeds()["step"][0];
        let expected = ["AppendAccepted", "Campaign", "Propose", "TakeReady", "VoteResponse"];
        assert_eq!(step.holds.iter().collect::<Vec<_>>(), expected);
        let node = &seeds()["node"];
        assert!(node[0].holds.contains("Campaign through loop") && node[1].holds.contains("Campaign through handles"));
    }

    #[test]
    fn the_fewest_inputs_are_chosen_that_hold_everything() {
        let seed = |length: usize, holds: &[&str]| Seed {
            bytes: vec![0; length],
            holds: holds.iter().map(|what| what.to_string()).collect(),
        };
        let seeds = [
            seed(9, &["tick", "vote"]),
            seed(5, &["vote", "tick"]),
            seed(1, &["vote"]),
            seed(1, &["crash"]),
            seed(5, &["tick", "vote"]),
            seed(0, &[]),
        ];
        assert_eq!(choose(seeds.iter(), 9), [1, 3]);
        assert_eq!(choose(seeds.iter(), 1), [1]);
    }

    #[test]
    fn seeds_are_what_the_targets_take() {
        let seeds = seeds();
        seeds["codec"].iter().for_each(|seed| harness::codec(&seed.bytes));
        seeds["disk"].iter().for_each(|seed| harness::disk(&seed.bytes));
        let step =
            step::Input::arbitrary(&mut Unstructured::new(&seeds["step"][0].bytes)).expect("any bytes are an input");
        let reached = step::reached(&step);
        assert!(reached.last.index > raft::Index(3), "the node takes part: {reached:?}");
        step::run(&step);
        for node in &seeds["node"] {
            node::run(&node::Input::arbitrary(&mut Unstructured::new(&node.bytes)).expect("any bytes are an input"));
        }
        assert!(bytes::run(&seeds["world"][0].bytes).world.statistics().executed > 0);
    }
}
