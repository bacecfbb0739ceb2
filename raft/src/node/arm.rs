//! The kinds of input that a run loop takes, and the production rule for when a Ready is taken.

use super::run_loop::RunLoop;
use crate::storage::Storage;

/// What a [`RunLoop`] takes next. Which of the inputs that is, is decided by when they came; see there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Arm {
    /// A proposal: of data, of a membership change, or one that a peer forwarded.
    Proposal,
    /// A message, request to campaign, to read or to hand over, report, or storage response.
    Message,
    /// A membership change that the application applies.
    MembershipChange,
    /// A tick.
    Tick,
    /// Somebody who waits for a Ready is given one.
    Ready,
    /// The Ready that came back.
    Advance,
    /// A question for the status.
    Status,
    /// The request to stop.
    Stop,
}

impl Arm {
    /// All of them.
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

/// Chooses for a loop in production between the next input and a Ready. A Ready is larger, and the work for it cheaper,
/// the later it is taken, so it waits while there is input, but for no more than [`PATIENCE`](Self::PATIENCE) inputs
/// that came after it was asked for.
///
/// ```
/// use raft::node::{Arm, FairChooser, Limits, RunLoop};
/// use raft::{ConfState, Config, MemStorage, NodeId, RawNode};
///
/// let id = NodeId::new(1).unwrap();
/// let alone = ConfState { voters: [id].into(), ..ConfState::default() };
/// let node = RawNode::new(Config::recommended(id), MemStorage::with_conf_state(alone)).unwrap();
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
    /// How many inputs went before a Ready that could have been taken.
    ready_waited: u32,
}

impl FairChooser {
    /// For how many inputs a Ready waits.
    pub const PATIENCE: u32 = 128;

    /// The next arm; `None` where there is nothing to take.
    pub fn choose<S: Storage>(&mut self, run_loop: &RunLoop<S>) -> Option<Arm> {
        if run_loop.can_take(Arm::Stop) {
            return Some(Arm::Stop);
        }
        let ready = run_loop.can_take(Arm::Ready);
        let is_patient = !ready || self.ready_waited < Self::PATIENCE;
        let input = run_loop.next_input().filter(|_| is_patient);
        self.ready_waited = if ready && input.is_some() { self.ready_waited + 1 } else { 0 };
        input.or(ready.then_some(Arm::Ready))
    }
}
