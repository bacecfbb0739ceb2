//! The production rule for when a Ready is taken.

use super::arm::Arm;
use super::run_loop::RunLoop;
use crate::storage::Storage;

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
    /// How many inputs a Ready lets go first, at most.
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
