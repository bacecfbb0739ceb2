//! What the user decides instead of the seed; the same options for one seed and for many.

use super::engines;
use crate::plan::{Overrides, Plan};
use crate::world::World;
use clap::{Args, ValueEnum};

/// The choices that are not left to the seed.
#[derive(Args, Clone, Debug)]
pub(super) struct Choices {
    /// How many events happen in a run before its faults end, instead of 300 to 60,000 as the seed says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    steps: Option<u64>,
    /// How many nodes a cluster begins with, 1 to 7, instead of as many as the seed says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=Plan::MOST_NODES))]
    nodes: Option<u64>,
    /// How nodes write to their storage, instead of as the seed says
    #[arg(long, value_name = "HOW")]
    writes: Option<Writes>,
    /// Nothing goes wrong: no crashes, partitions, losses or changes
    #[arg(long)]
    no_faults: bool,
    /// Ends a run with its last step. Without this option, faults end then and the cluster has to converge: a leader,
    /// writes, reads, agreement
    #[arg(long)]
    no_settle: bool,
    /// Switches on a bug that real implementations had, to see it caught: `sim bugs --list` names them, in a build with
    /// --features planted-bugs; endless-loop and assertion stand for code that does not come back, or panics
    #[arg(long, value_name = "NAME")]
    pub(super) bug: Option<String>,
    /// Runs nodes of another Raft instead of the project's own: raft-rs, in the program of sim/engines/raft-rs
    #[arg(long, value_name = "NAME")]
    engine: Option<String>,
}

/// How nodes write to their storage.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Writes {
    /// One Ready at a time
    Sync,
    /// With an append thread and an apply thread
    Async,
}

impl Choices {
    pub(super) fn overrides(&self) -> Overrides {
        Overrides {
            steps: self.steps,
            nodes: self.nodes,
            async_storage_writes: self.writes.map(|writes| writes == Writes::Async),
            no_faults: self.no_faults,
            no_settle: self.no_settle,
        }
    }

    /// The world that seeds run in.
    pub(super) fn world(&self) -> Result<World, String> {
        engines::world(self.engine.as_deref())
    }

    /// The choices as they are typed, each with a space before it.
    pub(super) fn as_typed(&self) -> String {
        let Self { steps, nodes, writes, no_faults, no_settle, bug, engine } = self;
        let writes = writes.and_then(|writes| Some(writes.to_possible_value()?.get_name().to_owned()));
        let named = [
            ("--steps", steps.map(|steps| steps.to_string())),
            ("--nodes", nodes.map(|nodes| nodes.to_string())),
            ("--writes", writes),
            ("--bug", bug.as_deref().map(super::again::quoted)),
            ("--engine", engine.as_deref().map(super::again::quoted)),
        ];
        let named = named.into_iter().filter_map(|(name, value)| Some(format!(" {name} {}", value?)));
        let flags = [("--no-faults", *no_faults), ("--no-settle", *no_settle)];
        let flags = flags.into_iter().filter(|(_, on)| *on).map(|(name, _)| format!(" {name}"));
        named.chain(flags).collect()
    }
}

/// The command that makes a run again from its seed.
pub(super) fn run_again(seed: u64, choices: &Choices) -> String {
    format!("{} --seed {seed}{}", super::again::program(), choices.as_typed())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        choices: Choices,
    }

    #[test]
    fn choices_are_typed_as_they_were() {
        for typed in [
            "",
            " --steps 9 --nodes 3 --writes async --bug a-b --engine other --no-faults --no-settle",
            " --writes sync",
        ] {
            let words = std::iter::once("sim").chain(typed.split_whitespace());
            assert_eq!(Only::parse_from(words).choices.as_typed(), typed);
        }
    }
}
