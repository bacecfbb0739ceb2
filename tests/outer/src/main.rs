//! Real processes that die: an outer judge of the node, which knows nothing of its inside.
//!
//! It runs the program of the kv example as three or five processes on loopback, each link between them through a proxy of its own,
//! does to them what the plan of the seed says, and hands what concurrent clients were told to the simulator's checkers of
//! linearizability.
//!
//! - `plan`: what goes wrong and when. `random`: the numbers behind it.
//! - `proxy`: the network. `process`, `disk`: what is killed, stopped and filled. `cluster`: all of these.
//! - `clients`, `history`: what is asked and told, and what is wrong with that.
//! - `trouble`: faults as they are done. `episode`: one cluster from its beginning to its end.
//! - `page`: an episode as a page. `options`: the command line. `tally`: what came of all episodes.

mod clients;
mod cluster;
mod disk;
mod episode;
mod history;
mod options;
mod page;
mod plan;
mod process;
mod proxy;
mod random;
mod tally;
mod trouble;

use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser as _;
use tokio::sync::watch;

use crate::cluster::Program;
use crate::episode::{Episode, Outcome};
use crate::options::Options;
use crate::tally::Tally;

/// An episode is not longer than this: the next one has a new cluster.
const EPISODE: Duration = Duration::from_secs(60);

/// Less is not worth a new cluster.
const SHORTEST: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("outer: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether all is as it should be.
async fn run(options: Options) -> Result<bool, kv::Error> {
    let kv = program(&options)?;
    let seed = options.seed.unwrap_or_else(|| RandomState::new().hash_one(std::process::id()) >> 32);
    let root =
        options.dir.clone().unwrap_or_else(|| std::env::temp_dir().join(format!("outer-{}", std::process::id())));
    println!("seed {seed}, {} s", options.length.as_secs());
    let interrupted = interruption();
    let (began, mut tally, mut failure) = (Instant::now(), Tally::default(), None);
    let length = (options.length / 2).clamp(SHORTEST, EPISODE);
    for number in 0.. {
        let left = options.length.saturating_sub(began.elapsed());
        if (number > 0 && left < SHORTEST) || *interrupted.borrow() {
            break;
        }
        let episode = Episode {
            seed: seed.wrapping_add(number),
            nodes: options.nodes.unwrap_or(if number % 2 == 0 { 3 } else { 5 }),
            length: length.min(left.max(SHORTEST)),
            directory: root.join(format!("episode-{}", number + 1)),
        };
        let program = Program { kv: kv.clone(), arguments: arguments(&options) };
        let outcome = episode.run(program, &interrupted).await?;
        tally.add(&outcome);
        println!("episode {}: {} processes: {}", number + 1, episode.nodes, tally::line(&outcome));
        // A flaw is to be found by what clients are told, and not by a process that does not come back.
        if let Some(found) = outcome.failure.as_ref().filter(|found| found.lost || options.flaw.is_none()) {
            failure = Some((found.what.clone(), keep(&options, &episode, &outcome)?));
            break;
        }
        if options.dir.is_some() {
            save(&episode.directory, &episode, &outcome)?;
        } else {
            std::fs::remove_dir_all(&episode.directory)?;
        }
    }
    if options.dir.is_none() {
        let _ = std::fs::remove_dir(&root);
    }
    println!("{tally}");
    Ok(judge(&options, failure, began.elapsed()))
}

/// Says what came of it, and whether that is as it should be.
fn judge(options: &Options, failure: Option<(String, PathBuf)>, took: Duration) -> bool {
    match (failure, options.flaw) {
        (None, None) => {
            println!("lost: nothing");
            true
        }
        (None, Some(flaw)) => {
            println!("the flaw {flaw:?} was not found");
            false
        }
        (Some((what, _)), Some(flaw)) => {
            println!("the flaw {flaw:?} was found after {} s: {}", took.as_secs(), what.replace("; ", "\n  "));
            true
        }
        (Some((what, directory)), None) => {
            println!("failed: {}", what.replace("; ", "\n  "));
            println!("logs, history.jsonl and page.html are in {}", directory.display());
            false
        }
    }
}

/// Keeps what a failure leaves. The directory of a flaw is of no interest.
fn keep(options: &Options, episode: &Episode, outcome: &Outcome) -> Result<PathBuf, kv::Error> {
    save(&episode.directory, episode, outcome)?;
    if options.dir.is_some() {
        return Ok(episode.directory.clone());
    }
    if options.flaw.is_some() {
        std::fs::remove_dir_all(&episode.directory)?;
        return Ok(episode.directory.clone());
    }
    let kept = (1..).map(|number| PathBuf::from(format!("outer-failure-{number}"))).find(|path| !path.exists());
    let kept = kept.unwrap_or_else(|| episode.directory.clone());
    copy(&episode.directory, &kept)?;
    std::fs::remove_dir_all(&episode.directory)?;
    Ok(kept)
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let (entry, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        if entry.is_dir() {
            copy(&entry, &to.join(name))?;
        } else {
            std::fs::copy(&entry, to.join(name))?;
        }
    }
    Ok(())
}

fn save(directory: &Path, episode: &Episode, outcome: &Outcome) -> std::io::Result<()> {
    outcome.history.save(&directory.join("history.jsonl"))?;
    let title = format!("{} processes, seed {}", episode.nodes, episode.seed);
    std::fs::write(directory.join("page.html"), page::page(&title, outcome))
}

/// The program of a node: as asked for, or the one that was built with this.
fn program(options: &Options) -> Result<PathBuf, kv::Error> {
    let beside = std::env::current_exe()?.with_file_name("kv");
    let kv = options.kv.clone().unwrap_or(beside);
    if !kv.is_file() {
        let shown = kv.display();
        return Err(format!(
            "there is no {shown}: `cargo build --release -p kv -p outer` makes it, or --kv names another"
        )
        .into());
    }
    Ok(kv)
}

fn arguments(options: &Options) -> Vec<String> {
    let volatile = if options.page_cache { None } else { Some("--test-volatile") };
    let flaw = options.flaw.map_or(&[][..], |flaw| flaw.arguments());
    volatile.iter().chain(flaw).map(ToString::to_string).collect()
}

/// Becomes true with ^C: the episode ends then, processes and all.
fn interruption() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            sender.send_replace(true);
        }
        // Somebody has to hold it.
        sender.closed().await;
    });
    receiver
}
