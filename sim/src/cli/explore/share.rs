//! `--shard`, and what the shares of one whole have in common.

use std::str::FromStr;

use crate::campaign::explore::{Exploration, Shard};
use crate::campaign::share::Work;
use crate::driver::Start;
use crate::trace::REVISION;

use super::ExploreArguments;
use super::environment::Environment;

/// Which share is run here.
#[derive(Clone, Copy, Debug)]
pub(super) enum ShardChoice {
    /// This one.
    Of(Shard),
    /// The one that the environment names.
    Environment,
}

impl FromStr for ShardChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "env" => Ok(Self::Environment),
            _ => text.parse().map(Self::Of).map_err(|error| format!("{error}; or env")),
        }
    }
}

impl ShardChoice {
    /// The share.
    ///
    /// # Errors
    /// The environment does not say which.
    pub(super) fn shard(self) -> Result<Shard, String> {
        match self {
            Self::Of(shard) => Ok(shard),
            Self::Environment => Environment(|name: &str| std::env::var(name).ok())
                .shard()
                .map_err(|error| format!("--shard env: {error}")),
        }
    }
}

impl ExploreArguments {
    /// The work of which the exploration is a share.
    pub(super) fn work(&self, exploration: &Exploration, start: &Start) -> Work {
        let twice = if self.determinism { " --determinism" } else { "" };
        let typed = format!("{}{twice}", self.choices.as_typed());
        Work {
            revision: REVISION.to_owned(),
            from: exploration.seeds.start,
            to: exploration.seeds.end,
            shares: exploration.shard.shares(),
            options: typed.trim_start().to_owned(),
            start: (!self.from.is_nothing()).then(|| start.world().digest()),
        }
    }
}
