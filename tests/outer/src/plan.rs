//! What goes wrong, and when: drawn from the seed before an episode begins.

use std::time::Duration;

use crate::proxy::Weather;
use crate::random::Stream;

/// Something that goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A process is killed, and started again when the fault ends.
    Kill(Pick),
    /// All processes are killed at about the same time, as when the power fails.
    KillAll,
    /// So many processes are killed at about the same time: a quorum may be among them.
    KillSome(Pick, Pick),
    /// A process is stopped with SIGSTOP, and goes on when the fault ends.
    Stop(Pick),
    /// All links to and from a process are like this.
    Around(Pick, Weather),
    /// All links to a process, or from it, are like this: a cut in one direction.
    OneWay(Pick, Direction, Weather),
    /// All links of everybody are like this.
    Everywhere(Weather),
    /// A process has no room on its disk, and is started again, with room, when the fault ends.
    FillDisk,
    /// A new process becomes a member, or a member is removed.
    ChangeMembers(Pick),
    /// A stranger sends a process garbage, a huge length, or a byte a second.
    Stranger(Pick, Rude),
}

/// Which process: the number counts those that there are then, round and round.
pub type Pick = u64;

/// One direction of links.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// What others send to it, clients included.
    To,
    /// What it sends to others.
    From,
}

/// What a stranger does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rude {
    /// Bytes that mean nothing.
    Garbage,
    /// The length of a frame that never comes.
    HugeLength,
    /// A handshake, a byte a second.
    Slow,
}

/// A fault with its time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Planned {
    /// When it begins, since the episode began.
    pub at: Duration,
    /// For how long.
    pub lasts: Duration,
    /// What.
    pub fault: Fault,
}

/// Draws the faults of an episode of this length, in the order of their beginnings. All end before it does.
pub fn draw(seed: u64, length: Duration) -> Vec<Planned> {
    let mut stream = Stream::new(seed, 0);
    let mut plan = Vec::new();
    let length = length.as_millis() as u64;
    let mut at = stream.between(500, 1500);
    loop {
        let fault = fault(&mut stream);
        let lasts = match fault {
            Fault::Everywhere(_) => stream.between(200, 1500),
            Fault::Kill(_) | Fault::KillAll | Fault::KillSome(..) => stream.between(50, 2500),
            _ => stream.between(300, 4000),
        };
        if at + lasts >= length {
            return plan;
        }
        plan.push(Planned { at: Duration::from_millis(at), lasts: Duration::from_millis(lasts), fault });
        at += stream.between(100, 1800);
    }
}

fn fault(stream: &mut Stream) -> Fault {
    let pick = stream.below(60);
    match stream.below(100) {
        0..18 => Fault::Kill(pick),
        18..28 => Fault::KillAll,
        28..36 => Fault::KillSome(pick, stream.between(2, 3)),
        36..46 => Fault::Stop(pick),
        46..60 => Fault::Around(pick, weather(stream)),
        60..72 => Fault::OneWay(pick, stream.one_of(&[Direction::To, Direction::From]), weather(stream)),
        72..78 => Fault::Everywhere(weather(stream)),
        78..86 => Fault::FillDisk,
        86..94 => Fault::ChangeMembers(pick),
        _ => Fault::Stranger(pick, stream.one_of(&[Rude::Garbage, Rude::HugeLength, Rude::Slow])),
    }
}

fn weather(stream: &mut Stream) -> Weather {
    match stream.below(4) {
        0 => Weather::Delay(Duration::from_millis(stream.between(20, 600))),
        1 => Weather::Drop,
        2 => Weather::Cut,
        _ => Weather::Truncate(stream.between(1, 3000) as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_seed_draws_the_same_plan_each_time_and_another_seed_another() {
        assert_eq!(draw(7, MINUTE), draw(7, MINUTE));
        assert_ne!(draw(7, MINUTE), draw(8, MINUTE));
    }

    #[test]
    fn faults_begin_in_order_and_end_before_the_episode() {
        for seed in 0..100 {
            let plan = draw(seed, MINUTE);
            assert!(plan.is_sorted_by_key(|planned| planned.at));
            assert!(plan.iter().all(|planned| planned.at + planned.lasts < MINUTE));
        }
    }

    #[test]
    fn ten_episodes_have_each_kind_of_fault() {
        let kinds: std::collections::BTreeSet<String> = (0..10)
            .flat_map(|seed| draw(seed, MINUTE))
            .map(|planned| format!("{:?}", planned.fault).split(['(', ' ']).next().unwrap_or_default().to_string())
            .collect();
        assert_eq!(kinds.len(), 10, "{kinds:?}");
    }
}
