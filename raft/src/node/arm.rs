//! The kinds of input that a run loop takes, and the production rule for which comes next.

use super::run_loop::RunLoop;
use crate::storage::Storage;

/// Where the next input of a [`RunLoop`] comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Arm {
    /// The oldest waiting proposal: of data, of a membership change, or one that a peer forwarded.
    Proposal,
    /// The oldest waiting message, request to campaign, to read or to hand over, report, or storage response.
    Message,
    /// The oldest membership change that the application applies.
    MembershipChange,
    /// One pending tick.
    Tick,
    /// Somebody who waits for a Ready is given one.
    Ready,
    /// The Ready that came back.
    Advance,
    /// The oldest waiting question for the status.
    Status,
    /// The request to stop.
    Stop,
}

impl Arm {
    /// All of them, in the order in which [`FairChooser`] goes round.
    pub const ALL: [Self; 8] = [
        Self::Proposal,
        Self::Message,
        Self::MembershipChange,
        Self::Tick,
        Self::Ready,
        Self::Advance,
        Self::Status,
        Self::Stop,
    ];
}

/// Chooses for a loop in production: round and round the arms, one input of each, so that none of them waits for
/// longer than the others take for one turn.
///
/// A Ready is the exception. It is larger, and the work for it cheaper, the later it is taken, so it waits while there
/// is other input, but for no more than [`PATIENCE`](Self::PATIENCE) inputs.
///
/// ```
/// use raft::node::{Arm, FairChooser, Limits, RunLoop};
/// use raft::{ConfState, Config, MemStorage, NodeId, RawNode};
///
/// let id = NodeId::new(1).unwrap();
/// let alone = ConfState { voters: [id].into(), ..ConfState::default() };
/// let node = RawNode::new(Config::new(id), MemStorage::with_conf_state(alone)).unwrap();
/// let mut run_loop = RunLoop::new(node, Limits::default());
/// run_loop.request_ready()?;
/// run_loop.campaign()?;
/// run_loop.tick()?;
///
/// let mut chooser = FairChooser::default();
/// let mut order = Vec::new();
/// while let Some(arm) = chooser.choose(&run_loop) {
///     run_loop.take(arm);
///     order.push(arm);
/// }
/// assert_eq!(order, [Arm::Message, Arm::Tick, Arm::Ready]);
/// # Ok::<(), raft::node::EnqueueError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct FairChooser {
    /// How far round it is, as a position in [`Arm::ALL`].
    position: usize,
    /// How many inputs went before a Ready that could have been taken.
    ready_waited: u32,
}

impl FairChooser {
    /// For how many inputs a Ready waits.
    pub const PATIENCE: u32 = 128;

    /// The next arm; `None` where there is nothing to take.
    pub fn choose<S: Storage>(&mut self, run_loop: &RunLoop<S>) -> Option<Arm> {
        let ready = run_loop.can_take(Arm::Ready);
        let next = if ready && self.ready_waited >= Self::PATIENCE { None } else { self.next_but_ready(run_loop) };
        if next.is_some() && ready {
            self.ready_waited += 1;
        } else {
            self.ready_waited = 0;
        }
        next.or(ready.then_some(Arm::Ready))
    }

    fn next_but_ready<S: Storage>(&mut self, run_loop: &RunLoop<S>) -> Option<Arm> {
        let count = Arm::ALL.len();
        let round = (1..=count).map(|step| (self.position + step) % count);
        let position = round.into_iter().find(|&position| {
            let arm = Arm::ALL[position];
            arm != Arm::Ready && run_loop.can_take(arm)
        })?;
        self.position = position;
        Some(Arm::ALL[position])
    }
}
