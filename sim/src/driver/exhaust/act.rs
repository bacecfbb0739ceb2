//! What the bounds bound: how often each of these happens.

use std::fmt;

/// What is bounded in number, in a run as a whole.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Act {
    /// A node is told to campaign.
    Campaign,
    /// A clock ticks.
    Tick,
    /// Data is proposed, at any node.
    Propose,
    /// A change of the membership is proposed, at any node.
    Change,
    /// A read is asked for, at any node.
    Read,
    /// A node is asked to hand leadership over to another.
    Transfer,
    /// A node that is up takes a snapshot, and compacts its log up to there.
    Snapshot,
    /// A node crashes. That it comes back is free.
    Crash,
    /// A message is lost.
    Lose,
    /// A message is doubled.
    Duplicate,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Campaign,
        Self::Tick,
        Self::Propose,
        Self::Change,
        Self::Read,
        Self::Transfer,
        Self::Snapshot,
        Self::Crash,
        Self::Lose,
        Self::Duplicate,
    ];

    /// What several of them are called.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Campaign => "campaigns",
            Self::Tick => "ticks",
            Self::Propose => "proposals",
            Self::Change => "changes",
            Self::Read => "reads",
            Self::Transfer => "transfers",
            Self::Snapshot => "snapshots",
            Self::Crash => "crashes",
            Self::Lose => "losses",
            Self::Duplicate => "duplications",
        }
    }

    /// What one of them is called.
    pub const fn singular(self) -> &'static str {
        match self {
            Self::Campaign => "campaign",
            Self::Tick => "tick",
            Self::Propose => "proposal",
            Self::Change => "change",
            Self::Read => "read",
            Self::Transfer => "transfer",
            Self::Snapshot => "snapshot",
            Self::Crash => "crash",
            Self::Lose => "loss",
            Self::Duplicate => "duplication",
        }
    }
}

/// How often each act happens at most, or has happened.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Counts([u8; Act::ALL.len()]);

impl Counts {
    /// How often this one.
    pub const fn of(self, act: Act) -> u8 {
        self.0[act as usize]
    }

    /// The same, but this one so often.
    #[must_use]
    pub const fn with(mut self, act: Act, count: u8) -> Self {
        self.0[act as usize] = count;
        self
    }

    /// Once more.
    pub(super) const fn count(&mut self, act: Act) {
        self.0[act as usize] += 1;
    }
}

/// In words, such as `1 campaign, 2 proposals`.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Act::ALL.into_iter().filter_map(|act| match self.of(act) {
            0 => None,
            1 => Some(format!("1 {}", act.singular())),
            count => Some(format!("{count} {}", act.plural())),
        });
        f.write_str(&named.collect::<Vec<_>>().join(", "))
    }
}
