//! The simulator's command line, with raft-rs as one more engine: `--engine raft-rs`. And `findings`, which replays what was found
//! and prints the table of it.

use std::process::ExitCode;
use std::sync::Arc;

use sim_raft_rs::{RaftRs, findings};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some("findings") {
        return sim::cli::main(&[Arc::new(RaftRs)]);
    }
    match findings::table() {
        Ok(table) => sim::output::print(table).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS),
        Err(error) => {
            sim::output::tell(format_args!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}
