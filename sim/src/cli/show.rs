//! `sim show FILE`: a run as a table.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;

use crate::explain::{CannotShow, Kind, View, show_in};
use crate::output::printed;
use crate::trace::{Ending, Reader};
use clap::Args;
use raft::NodeId;

use super::HELD;
use super::again::Next;
use super::{engines, failure};

/// Which trace, and which part of it.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sim show short.jsonl
  sim show violation-7.jsonl --from 900 --to 1000 --node 3
  sim show violation-7.jsonl --changes
  sim show short.jsonl --past
  sim show violation-7.jsonl --kind faults --kind MsgApp
  sim show stall.jsonl --liveness

A line is an event, with the state of the node that it changed: role, term, vote, the range of the log, commit index, and what
is applied. What changed since the node's line before bears a star, what did not is blank. Lines are 100 columns wide.
Kinds are classes (ticks, requests, retries, host-steps, messages, faults, others), events as traces name them (Deliver,
TakeReady), and messages (MsgApp). Of a run that fails, what cannot have influenced the failure, by messages, storage and
restarts, bears a · before its step, and is dimmed where there are colours. Colours are used on a terminal, unless NO_COLOR is set.")]
pub(super) struct ShowArguments {
    /// The trace
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The first step to show, counting from 0
    #[arg(long, value_name = "S", default_value_t = 0)]
    from: u64,
    /// The last step to show
    #[arg(long, value_name = "S", default_value_t = u64::MAX, hide_default_value = true)]
    to: u64,
    /// Only what happens at this node, and messages from and to it
    #[arg(long, value_name = "NODE", value_parser = node)]
    node: Option<NodeId>,
    /// Only events of this kind; may be given several times
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<Kind>,
    /// Only events that changed the state of a node, and what breaks
    #[arg(long)]
    changes: bool,
    /// Only events that can have influenced the failure, by messages, storage and restarts
    #[arg(long)]
    past: bool,
    /// Shows event by event what happens in the liveness phase in which the cluster does not converge
    #[arg(long, alias = "calm")]
    liveness: bool,
}

fn node(text: &str) -> Result<NodeId, String> {
    let number = text.parse().map_err(|error| format!("a node is a number from 1: {error}"))?;
    NodeId::new(number).ok_or_else(|| "a node is a number from 1".to_string())
}

/// Writes the table.
pub(super) fn run(arguments: &ShowArguments) -> Result<u8, String> {
    let reader = Reader::open(&arguments.file).map_err(|error| error.to_string())?;
    let header = reader.header().clone();
    let world = engines::world_of(&header)?;
    let colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let &ShowArguments { from, to, node, changes, past, liveness, .. } = arguments;
    let view = View { from, to, node, kinds: arguments.kinds.clone(), changes, past, colours, liveness };
    let mut out = BufWriter::new(io::stdout().lock());
    let shown = show_in(&world, reader, view, &mut out);
    let written = match shown {
        Err(CannotShow::Read(error)) => return Err(error.to_string()),
        Err(CannotShow::Write(error)) => Err(error),
        Ok(ending) => {
            let commands = || Next::after("show", &arguments.file).seen(&header, &ending);
            let next = || failure::meaning(&ending) + &failure::next(&commands());
            let next = if ending == Ending::Completed { String::new() } else { next() };
            out.write_all(next.as_bytes()).and_then(|()| out.flush())
        }
    };
    printed(written).map(|()| HELD)
}
