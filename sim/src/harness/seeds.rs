//! A fuzzer's first inputs, made of recorded runs and of scenarios: what it would take long to find by itself.

use std::collections::BTreeMap;

use raft::{Entry, NodeId, Snapshot, Storage};

use super::{node, step};
use crate::driver::bytes::encode;
use crate::wal::Files;
use crate::world::{Envelope, Event, World};

/// For each target by its name, inputs.
pub type Seeds = BTreeMap<&'static str, Vec<Vec<u8>>>;

/// No input is longer than this, so that a fuzzer is quick to try and to change it.
pub const LONGEST: usize = 4096;

/// Inputs that lead to where a run went.
pub fn of_run(events: &[Event]) -> Seeds {
    let mut seeds = Seeds::new();
    let mut world = encode(events);
    world.truncate(LONGEST / 4);
    seeds.insert("world", vec![world]);
    let one = NodeId::new(1).expect("not zero");
    seeds.insert("step", vec![step::seed(events, one, &[], LONGEST / 2)]);
    seeds.insert("node", [false, true].map(|handles| node::seed(events, one, handles, LONGEST / 2)).to_vec());
    let run = Run::of(events);
    seeds.insert("codec", run.encoded.into_values().collect());
    seeds.insert("disk", run.logs);
    seeds
}

/// What comes up in a run.
#[derive(Default)]
struct Run {
    /// One message of each kind, and other things that have a form in bytes, by what they are.
    encoded: BTreeMap<String, Vec<u8>>,
    /// The log of each node at the end, after the byte that says that it is a file as it is.
    logs: Vec<Vec<u8>>,
}

impl Run {
    fn of(events: &[Event]) -> Self {
        let (mut run, mut world) = (Self::default(), World::unchecked());
        for event in events {
            if let Event::Deliver { message } = event
                && let Some(Envelope::Network(message)) = world.network().get(*message)
            {
                let kind = format!("{:?}", message.body).chars().take_while(|c| c.is_alphabetic()).collect();
                run.add(kind, message.encode());
            }
            if world.apply(event).is_err() {
                break;
            }
        }
        for replica in world.replicas() {
            run.add_log(replica.disk());
            let Some(node) = replica.node() else { continue };
            run.add("hard state".into(), node.basic_status().hard_state.encode());
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
            self.logs.push([&[form], &bytes[..]].concat());
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
    fn seeds_are_what_the_targets_take() {
        let seeds = seeds();
        seeds["codec"].iter().for_each(|seed| harness::codec(seed));
        for seed in &seeds["disk"] {
            harness::disk(seed);
        }
        let step = step::Input::arbitrary(&mut Unstructured::new(&seeds["step"][0])).expect("any bytes are an input");
        let reached = step::reached(&step);
        assert!(reached.last.index > raft::Index(3), "the node takes part: {reached:?}");
        step::run(&step);
        for node in &seeds["node"] {
            node::run(&node::Input::arbitrary(&mut Unstructured::new(node)).expect("any bytes are an input"));
        }
        assert!(bytes::run(&seeds["world"][0]).world.statistics().executed > 0);
    }
}
