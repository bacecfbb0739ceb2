//! A run whose client is told something stale: a forged answer lets a follower answer a read from before a write.

use raft::{Body, Index, Message, Term};
use sim::driver::{Stop, apply};
use sim::explain::Report;
use sim::history::Operation;
use sim::invariant::Invariant;
use sim::trace::{Ending, Header, Reader, Trace};
use sim::world::{Envelope, Event, World};

use crate::driver::{node, starts};

/// A cluster of three in which only what clients are told is checked.
struct Cluster {
    world: World,
    events: Vec<Event>,
    ending: Ending,
}

impl Cluster {
    fn happens(&mut self, event: Event) {
        match apply(&mut self.world, &event) {
            Err(Stop::Inapplicable(reason)) => panic!("{reason}"),
            Err(Stop::Broken(ending)) => self.ending = ending,
            Ok(_) => {}
        }
        self.events.push(event);
    }

    /// Lets the first nodes work until they have nothing to do, and hear each other alone.
    fn work(&mut self, nodes: u64) {
        while self.ending == Ending::Completed {
            let to_do =
                (1..=nodes).find_map(|number| self.world.replica(node(number))?.to_do().next_event(node(number), 9));
            let heard = |envelope: &Envelope| envelope.ends().into_iter().flatten().all(|node| node.get() <= nodes);
            let message = self.world.network().iter().find(|(_, envelope)| heard(envelope)).map(|(message, _)| message);
            let Some(event) = to_do.or(message.map(|message| Event::Deliver { message })) else { return };
            self.happens(event);
        }
    }
}

/// How the page and the timeline show it.
pub fn stale() -> Report {
    let world = World::watching(Some(Invariant::Linearizability));
    let mut cluster = Cluster { world: world.clone(), events: Vec::new(), ending: Ending::Completed };
    starts(3).into_iter().for_each(|event| cluster.happens(event));
    cluster.work(3);
    cluster.happens(Event::Campaign { node: node(1) });
    cluster.work(3);
    let invoke = |client, at, operation| Event::Invoke { client, node: node(at), operation };
    cluster.happens(invoke(0, 1, Operation::Write { key: 5, value: "old".into() }));
    cluster.work(3);
    cluster.happens(invoke(0, 1, Operation::Write { key: 5, value: "new".into() }));
    cluster.happens(invoke(2, 1, Operation::Write { key: 3, value: "other".into() }));
    cluster.work(2);
    cluster.happens(invoke(1, 3, Operation::Read { key: 5 }));
    let body = Body::ReadIndexResponse { index: Index(1), context: "c1.1 read 1".into() };
    let term = Some(Term(cluster.world.statistics().highest_term));
    let message = cluster.world.network().next_id();
    cluster.happens(Event::Inject { message: Message { from: node(1), to: node(3), term, body } });
    cluster.happens(Event::Deliver { message: sim::world::MessageId(message) });
    while let Some(event) = cluster.world.replica(node(3)).unwrap().to_do().next_event(node(3), 9) {
        if cluster.ending != Ending::Completed {
            break;
        }
        cluster.happens(event);
    }
    let Cluster { events, ending, .. } = cluster;
    assert!(matches!(&ending, Ending::Violation(broken) if broken.invariant == Invariant::Linearizability), "{ending}");
    let trace = Trace { header: Header::new(None), events, ending };
    let bytes = trace.write_in(&world, Vec::new()).unwrap();
    Report::of(&world, Reader::new(&bytes[..], "t").unwrap(), false).unwrap()
}
