//! Who belongs to the cluster and how that changes: configurations, changes to them, joint consensus.
//!
//! A [`ConfChange`] is proposed and stored in the log; once applied, it leads from one [`Configuration`] to the next; a
//! [`ConfState`] is a configuration as it is stored. Thesis, chapter 4; upstream, etcd's package `confchange`.

mod change;
mod changer;
mod conf_state;
mod configuration;
mod outdated;
#[cfg(test)]
mod tests;

pub use change::{Change, ChangeError, ChangeKind, ConfChange, ConfChangeV1, ConfChangeV2, Transition};
pub use changer::Changed;
pub use conf_state::ConfState;
pub use configuration::Configuration;
pub(crate) use outdated::first_missing;
