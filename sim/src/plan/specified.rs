//! A plan that keeps to what etcd's TLA+ specification of Raft can speak about.

use super::{DiskPlan, Overrides, Plan};
use crate::world::{Front, SeldomOn};

impl Plan {
    /// How many events such a run has: more than a file tells of.
    const EVENTS: u64 = 4000;

    /// The plan of this seed, without what the specification does not have: pre-vote, asynchronous writes, joined appends, run loops, first
    /// learners, messages that arrive twice, snapshots, disks that lose or damage something. Who joins gets the log from its first
    /// entry on, so there is no snapshot in it where the membership changes.
    ///
    /// ```
    /// use sim::plan::{Overrides, Plan};
    /// let plan = Plan::specified(7, &Overrides::default());
    /// assert!(plan.cluster.options.iter().all(|options| !options.pre_vote && !options.async_storage_writes));
    /// ```
    pub fn specified(seed: u64, overrides: &Overrides) -> Self {
        let kept = Overrides {
            steps: overrides.steps.or(Some(Self::EVENTS)),
            async_storage_writes: Some(false),
            no_settle: true,
            ..*overrides
        };
        let mut plan = Self::draw(seed, &kept);
        for options in &mut plan.cluster.options {
            (options.pre_vote, options.async_storage_writes) = (false, false);
            options.batch_append = SeldomOn(false);
            options.front = Front::Raw;
        }
        plan.cluster.learners = 0;
        plan.cluster.changes_options = false;
        plan.cluster.from_snapshot &= plan.faults.membership.is_none();
        (plan.network.duplication, plan.hosts.snapshot_every) = (0, None);
        (plan.faults.foreign, plan.faults.node_loss) = (None, None);
        plan.disks = DiskPlan { slow: plan.disks.slow, slowness: plan.disks.slowness, ..DiskPlan::default() };
        plan
    }
}
