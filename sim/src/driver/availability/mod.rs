//! What becomes of a cluster in which some links are cut for good: when it commits again, how many terms that takes, and how much
//! of what clients ask for is done.
//!
//! A cluster elects a leader and commits a write with all links whole. Then links are cut as a [`Topology`] says, and clients
//! write, once in each election timeout. They reach every node, and ask the leader of the highest term, again where another
//! leads than the one that they asked. Clocks are those of a [seed's plan](Plan::quiet); nothing else goes wrong.

mod topology;
mod writes;

use raft::{Index, NodeId, Role, Term};

pub use self::topology::{Link, Topology};
use self::writes::Writes;
use super::swarm::Swarm;
use crate::plan::{Plan, TICK};
use crate::trace::Ending;
use crate::world::{Event, NodeOptions, Replica, World};

/// What a cluster did while links were cut. Times are in ticks of a clock that is right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
    /// After how many ticks something was committed that was in no log when the links were cut; none if nothing was.
    pub next_commit: Option<u64>,
    /// By how much the highest term rose.
    pub terms: u64,
    /// How many of the [`WRITES`] were answered.
    pub written: u64,
}

/// How many writes clients ask for.
pub const WRITES: u64 = 60;

/// The ticks between two writes: the election timeout of the usual options.
pub const PAUSE: u64 = 10;

/// For how many ticks the links are cut.
pub const LENGTH: u64 = WRITES * PAUSE;

/// How many ticks a cluster has to agree on a leader. Its links are cut all the same then.
const PATIENCE: u64 = 100_000;

/// Lets a cluster of so many nodes run with the clocks of this seed, and cuts its links. `record` is told every event.
///
/// # Errors
/// A property was violated, or the node's code failed: how it ended.
///
/// ```
/// use sim::driver::availability::{Topology, WRITES, run};
/// use sim::world::NodeOptions;
/// let seen = run(1, Topology::MuteFollower, 3, &NodeOptions::default(), |_| {}).expect("nothing is violated");
/// assert!(seen.written <= WRITES);
/// ```
pub fn run(
    seed: u64,
    topology: Topology,
    nodes: u64,
    options: &NodeOptions,
    mut record: impl FnMut(&Event),
) -> Result<Seen, Ending> {
    let plan = Plan::quiet(seed, nodes, options);
    let mut run = Run { swarm: Swarm::new(&plan), record: &mut record };
    let leader = loop {
        let leader = run.agree()?;
        if run.prepare(topology, leader)? {
            break leader;
        }
    };
    run.stand(topology, leader)
}

/// A run under way.
struct Run<'a, 'p> {
    swarm: Swarm<'p>,
    record: &'a mut dyn FnMut(&Event),
}

impl Run<'_, '_> {
    /// Goes on until all nodes follow the same leader and know all of its log to be committed, or, where clocks keep them from
    /// that for [too long](PATIENCE), until somebody leads. Returns who leads.
    fn agree(&mut self) -> Result<NodeId, Ending> {
        loop {
            let anybody = || self.swarm.world().leader().filter(|_| self.is_late()).map(Replica::id);
            if let Some(leader) = agreed(self.swarm.world()).or_else(anybody) {
                return Ok(leader);
            }
            self.step()?;
        }
    }

    const fn is_late(&self) -> bool {
        self.swarm.now() > PATIENCE * TICK
    }

    /// Has somebody miss the last write, where the topology wants it so. Returns whether that came about, or it is too late; if
    /// not, all is as it was. Clocks may have deposed the leader meanwhile.
    fn prepare(&mut self, topology: Topology, leader: NodeId) -> Result<bool, Ending> {
        let cuts = topology.cuts_before(&from(leader, self.swarm.world()));
        let Some((_, behind)) = cuts.first().copied() else { return Ok(true) };
        self.cut(&cuts);
        self.swarm.interpose(Event::Propose { node: leader, data: bytes::Bytes::from_static(b"missed") });
        let until = self.swarm.now() + PAUSE / 2 * TICK;
        while self.swarm.now() < until {
            if misses_the_last(self.swarm.world(), leader, behind) {
                return Ok(true);
            }
            self.step()?;
        }
        let heal = |(from, to)| Event::HealLink { from, to };
        cuts.into_iter().map(heal).for_each(|event| self.swarm.interpose(event));
        Ok(self.is_late())
    }

    /// Cuts the links, and looks at what becomes of the cluster.
    fn stand(mut self, topology: Topology, leader: NodeId) -> Result<Seen, Ending> {
        let cuts = topology.cuts(&from(leader, self.swarm.world()));
        self.cut(&cuts);
        let began = self.swarm.now();
        let (term, last) = (highest_term(self.swarm.world()), longest_log(self.swarm.world()));
        let (mut next_commit, mut writes) = (None, Writes::default());
        for tick in 0..LENGTH {
            writes.ask(tick, &mut self.swarm);
            while self.swarm.now() < began + (tick + 1) * TICK {
                self.step()?;
                if next_commit.is_none() && highest_commit(self.swarm.world()) > last {
                    next_commit = Some((self.swarm.now() - began).div_ceil(TICK));
                }
            }
        }
        let world = self.swarm.world();
        Ok(Seen { next_commit, terms: highest_term(world).0 - term.0, written: writes.answered(world) })
    }

    fn cut(&mut self, links: &[Link]) {
        links.iter().for_each(|(from, to)| self.swarm.interpose(Event::Cut { from: *from, to: *to }));
    }

    fn step(&mut self) -> Result<(), Ending> {
        match self.swarm.step(&mut |event| (self.record)(event)) {
            Ending::Completed => Ok(()),
            ending @ (Ending::Violation(_) | Ending::Panic(_) | Ending::Hang(_)) => Err(ending),
        }
    }
}

/// Who leads all nodes, if all of its log is known to be committed everywhere.
fn agreed(world: &World) -> Option<NodeId> {
    let leader = world.leader()?;
    let (id, last) = (leader.id(), leader.view().last);
    let is_caught_up = |replica: &Replica| {
        let view = replica.view();
        (view.soft_state.leader, view.last, view.hard_state.commit) == (Some(id), last, last.index)
    };
    (last.term == leader.view().hard_state.term && world.replicas().all(is_caught_up)).then_some(id)
}

/// Whether the leader's log is committed, and everybody has it but this node.
fn misses_the_last(world: &World, leader: NodeId, behind: NodeId) -> bool {
    let Some(leading) = world.replica(leader) else { return false };
    let last = leading.view().last;
    leading.view().soft_state.role == Role::Leader
        && leading.view().hard_state.commit == last.index
        && world.replicas().all(|replica| (replica.view().last == last) != (replica.id() == behind))
}

/// All nodes, in the order of their identities, and in a circle from this one on.
fn from(first: NodeId, world: &World) -> Vec<NodeId> {
    let (before, after): (Vec<NodeId>, Vec<NodeId>) = world.replicas().map(Replica::id).partition(|node| *node < first);
    [after, before].concat()
}

fn highest_term(world: &World) -> Term {
    world.replicas().map(|replica| replica.view().hard_state.term).max().unwrap_or(Term::ZERO)
}

fn highest_commit(world: &World) -> Index {
    world.replicas().map(|replica| replica.view().hard_state.commit).max().unwrap_or(Index::ZERO)
}

fn longest_log(world: &World) -> Index {
    world.replicas().map(|replica| replica.view().last.index).max().unwrap_or(Index::ZERO)
}
