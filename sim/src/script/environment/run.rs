//! The world goes on by itself: whatever can happen without a fault happens, in an order that a seed decides.

use raft::node::Arm;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::{Done, Environment, Reply};
use crate::world::{Event, Replica};

/// One event in this many is a tick, so that time is slow compared with messages and disks.
const TICKS_ARE_ONE_IN: u64 = 24;

impl Environment {
    pub(super) fn go_on_by_itself(&mut self, events: u64, seed: u64) -> Done {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut below = |bound: usize| random.next_u64() % (bound as u64).max(1);
        for _ in 0..events {
            let work = self.possible_work();
            let ticks = self.possible_ticks();
            let choices = if work.is_empty() || below(TICKS_ARE_ONE_IN as usize) == 0 { ticks } else { work };
            let chosen = usize::try_from(below(choices.len())).ok().and_then(|choice| choices.get(choice));
            match chosen {
                Some(event) => self.apply(event).map(drop)?,
                None => break,
            }
        }
        Ok(Reply::default())
    }

    /// All that can happen by itself: what [`run`](crate::script::command::HostCommand::Run) chooses from.
    pub(crate) fn possible(&self) -> Vec<Event> {
        [self.possible_work(), self.possible_ticks()].concat()
    }

    fn possible_ticks(&self) -> Vec<Event> {
        let up = self.world.replicas().filter(|replica| replica.is_up());
        up.map(|replica| Event::Tick { node: replica.id() }).collect()
    }

    /// Every message that can arrive, and every step that a host can take.
    fn possible_work(&self) -> Vec<Event> {
        let can_arrive = |message| !self.delayed.contains(&message) && self.world.waits_for_room(message).is_none();
        let arriving = self.world.network().iter().filter(|(message, _)| can_arrive(*message));
        let mut work: Vec<Event> = arriving.map(|(message, _)| Event::Deliver { message }).collect();
        work.extend(self.world.replicas().flat_map(|replica| self.host_work(replica)));
        work.extend(self.world.replicas().flat_map(loop_work));
        work
    }

    fn host_work(&self, replica: &Replica) -> impl Iterator<Item = Event> + use<> {
        let (node, to_do) = (replica.id(), replica.to_do());
        let completes = to_do.sync_done && !self.held.contains(&node);
        [
            (to_do.ready, Event::TakeReady { node }),
            (to_do.write, Event::Write { node }),
            (to_do.sync, Event::Sync { node }),
            (completes, Event::SyncDone { node }),
            (to_do.release, Event::Release { node }),
            (to_do.send, Event::Send { node }),
            (to_do.apply, Event::Apply { node, entries: 1 }),
            (to_do.advance, Event::Advance { node }),
        ]
        .into_iter()
        .filter_map(|(possible, event)| possible.then_some(event))
    }
}

/// What a loop can take.
fn loop_work(replica: &Replica) -> impl Iterator<Item = Event> + use<> {
    let node = replica.id();
    let arms: Vec<Arm> = replica.run_loop().into_iter().flat_map(|run_loop| run_loop.available()).collect();
    arms.into_iter().map(move |arm| Event::Take { node, arm })
}

#[cfg(test)]
mod tests {
    use crate::script::play;

    #[test]
    fn a_message_for_which_a_loop_has_no_room_waits() {
        let heartbeats = "inject 2 type=MsgHeartbeat from=1 term=1\n".repeat(20);
        let nodes = "add-nodes 2 voters=(1,2) index=1 loop=true queue-messages=1\n";
        let played = play(&format!("{nodes}{heartbeats}run 60\n"));
        assert_eq!(played.failure, None, "{}", played.transcript);
    }
}
