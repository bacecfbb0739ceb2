//! Who belongs to the cluster and how that changes: configurations, changes to them, joint consensus.

mod change;
mod conf_state;

pub use change::{Change, ChangeError, ChangeKind, ConfChange, ConfChangeV1, ConfChangeV2, Transition};
pub use conf_state::ConfState;
