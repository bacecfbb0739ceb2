//! The commands, read from a terminal or a pipe, and a tour of them.

use std::io::Write;

use raft::NodeId;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::Error;
use crate::cluster::Cluster;

pub const HELP: &str = "\
put KEY VALUE     store a value on all nodes
get KEY [NODE]    read it, linearizably, through any node or this one
fill COUNT        put so many keys: key-0, key-1, …
add               start another node and make it a member
remove NODE       make a node leave for good
stop NODE         stop a node; its disk stays
start NODE        start it again from its disk
status            what each node says of itself
quit";

/// Runs commands until there are no more. Outside of a terminal, one that fails ends the program.
pub async fn interact(cluster: &mut Cluster) -> Result<(), Error> {
    let interactive = std::io::IsTerminal::is_terminal(&std::io::stdin());
    say(&format!("{} nodes run; `help` lists the commands", cluster.count()))?;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    loop {
        if interactive {
            prompt()?;
        }
        let Some(line) = lines.next_line().await? else { break };
        if line.trim() == "quit" {
            break;
        }
        match run(cluster, &line).await {
            Ok(answer) => say(&answer)?,
            Err(error) if interactive => say(&format!("error: {error}"))?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Prints a line. Where nobody reads it, that is an error, and no panic.
pub fn say(line: &str) -> Result<(), Error> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

/// Somebody is expected to type now.
fn prompt() -> Result<(), Error> {
    let mut out = std::io::stdout();
    out.write_all(b"kv> ")?;
    Ok(out.flush()?)
}

/// What the tour does and has to see. `LEADER` stands for whoever leads then.
const TOUR: [(&str, &str); 24] = [
    ("put colour blue", "ok"),
    ("get colour", "blue"),
    ("get shape", "(nothing)"),
    ("add", "node 4"),
    ("get colour 4", "blue"),
    ("stop 2", "ok"),
    ("put colour green", "ok"),
    ("start 2", "ok"),
    ("get colour 2", "green"),
    ("stop LEADER", "ok"),
    ("put shape round", "ok"),
    ("get shape", "round"),
    ("start STOPPED", "ok"),
    ("get shape STOPPED", "round"),
    ("fill 250", "ok"),
    ("add", "node 5"),
    ("get key-249 5", "value-249"),
    ("remove 1", "ok"),
    ("remove LEADER", "ok"),
    ("get colour", "green"),
    ("put colour red", "ok"),
    ("get colour", "red"),
    ("get key-0", "value-0"),
    ("get shape", "round"),
];

/// Runs the tour.
///
/// # Errors
/// It sees something else than it has to.
pub async fn demo(cluster: &mut Cluster) -> Result<(), Error> {
    let mut stopped = String::new();
    for (command, expected) in TOUR {
        let mut command = command.replace("STOPPED", &stopped);
        if command.contains("LEADER") {
            stopped = wait_for_leader(cluster).await?.get().to_string();
            command = command.replace("LEADER", &stopped);
        }
        say(&format!("> {command}"))?;
        let answer = run(cluster, &command).await?;
        say(&answer)?;
        if answer != expected {
            return Err(format!("`{command}` answers {answer}, not {expected}").into());
        }
    }
    say(&status(cluster).await?)
}

/// A read that was answered proves that somebody leads.
async fn wait_for_leader(cluster: &mut Cluster) -> Result<NodeId, Error> {
    loop {
        cluster.get("", None).await?;
        if let Some(leader) = cluster.leader().await? {
            return Ok(leader);
        }
    }
}

async fn run(cluster: &mut Cluster, line: &str) -> Result<String, Error> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        [] => return Ok(String::new()),
        ["help"] => return Ok(HELP.to_string()),
        ["status"] => return status(cluster).await,
        ["get", key] => return get(cluster, key, None).await,
        ["get", key, through] => return get(cluster, key, Some(node(through)?)).await,
        ["add"] => return Ok(format!("node {}", cluster.add().await?.get())),
        ["put", key, value] => cluster.put(key, value).await?,
        ["fill", count] => fill(cluster, count.parse()?).await?,
        ["remove", id] => cluster.remove(node(id)?).await?,
        ["stop", id] => cluster.stop(node(id)?).await?,
        ["start", id] => cluster.restart(node(id)?)?,
        _ => return Err(format!("`{line}` is no command; `help` lists them").into()),
    }
    Ok("ok".to_string())
}

fn node(word: &str) -> Result<NodeId, Error> {
    NodeId::new(word.parse()?).ok_or_else(|| "there is no node zero".into())
}

async fn get(cluster: &mut Cluster, key: &str, through: Option<NodeId>) -> Result<String, Error> {
    Ok(cluster.get(key, through).await?.unwrap_or_else(|| "(nothing)".to_string()))
}

async fn fill(cluster: &mut Cluster, count: u64) -> Result<(), Error> {
    for number in 0..count {
        cluster.put(&format!("key-{number}"), &format!("value-{number}")).await?;
    }
    Ok(())
}

async fn status(cluster: &mut Cluster) -> Result<String, Error> {
    let statuses = cluster.statuses().await?;
    Ok(statuses.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}
