//! A replicated key-value store: three nodes in one process, on tokio, over loopback TCP, each with its log in a
//! directory of its own. To be read as what an application around [`raft::Node`] looks like.
//!
//! ```text
//! cargo run -p kv                   commands from the terminal, or from a pipe; `help` lists them
//! cargo run -p kv -- --data DIR     the same, going on from what DIR holds
//! cargo run -p kv -- --demo         a tour that checks what it sees
//! cargo run -p kv -- --help         all of this
//! ```
//!
//! - `machine`: what the log is about. Commands, and the map that they change.
//! - `disk`: the log on real files, and in memory for the node to read.
//! - `network`: messages as raftpb bytes over TCP.
//! - `server`: one node with all of this. The heart of the example: what happens with a Ready.
//! - `cluster`: all servers, and a client that asks them in turn until one answers.
//! - `shell`: the commands, and the tour.

mod cluster;
mod disk;
mod machine;
mod network;
mod server;
mod shell;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use cluster::Cluster;

/// Whatever goes wrong is told and ends the command, or the program.
type Error = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "\
A replicated key-value store: three nodes in this process, which talk over loopback TCP.

    kv               commands from the terminal, or from a pipe; the data goes away with the process
    kv --data DIR    the same, going on from what DIR holds
    kv --demo        a tour that checks what it sees

Commands:";

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut demo = false;
    let mut data = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => return shell::say(&format!("{USAGE}\n\n{}", shell::HELP)),
            "--demo" => demo = true,
            "--data" => data = Some(PathBuf::from(arguments.next().ok_or("--data needs a directory")?)),
            other => return Err(format!("unknown argument {other}; there are --demo, --data DIR and --help").into()),
        }
    }
    let temporary = tempfile::tempdir()?;
    run(demo, data.unwrap_or_else(|| temporary.path().to_path_buf())).await
}

/// Runs the tour or the shell on what a directory holds.
async fn run(demo: bool, data: PathBuf) -> Result<(), Error> {
    let mut cluster = Cluster::start(data)?;
    if demo { shell::demo(&mut cluster).await } else { shell::interact(&mut cluster).await }?;
    cluster.stop_all().await;
    Ok(())
}
