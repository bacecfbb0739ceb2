//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  outer                                60 seconds: three processes, then five
  outer --for 30m --seed 7             longer, and the same plan each time
  outer --nodes 5 --dir /tmp/outer     five only; logs, histories and pages stay there
  outer --flaw no-fsync                never syncs: succeeds if that is found
  outer --page-cache                   killed processes leave what they wrote to the kernel, as real ones do

Exit status: 0 nothing was lost, or the flaw was found; 1 something was, or it was not; 2 bad usage.";

/// Drives processes of the kv example through kills, stops, full disks and a bad network, and looks for what was lost
#[derive(Parser, Clone)]
#[command(name = "outer", version, after_help = EXAMPLES)]
pub struct Options {
    /// How long, with s, m or h
    #[arg(long = "for", value_name = "TIME", default_value = "60s", value_parser = time)]
    pub length: Duration,
    /// What decides the plan and what clients ask; without one, it is drawn and printed. What the processes make of it also
    /// depends on the machine
    #[arg(long)]
    pub seed: Option<u64>,
    /// How many processes a cluster begins with; without it, three and five in turn
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=5))]
    pub nodes: Option<u64>,
    /// Keeps logs, histories and pages here; without it, only those of a failure, in `outer-failure`
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The program of a node; without it, `kv` beside this program
    #[arg(long, value_name = "FILE")]
    pub kv: Option<PathBuf>,
    /// Plants a mistake, which has to be found
    #[arg(long)]
    pub flaw: Option<Flaw>,
    /// What a process wrote and did not sync survives its kill, in the page cache. Without this option it does not, so that a kill
    /// is as bad as a power failure
    #[arg(long)]
    pub page_cache: bool,
}

/// A mistake of the nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Flaw {
    /// They never sync their log.
    NoFsync,
    /// They acknowledge before they sync: up to 200 ms.
    LateFsync,
}

impl Flaw {
    /// The options of `kv serve` that plant it.
    pub const fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::NoFsync => &["--test-no-fsync"],
            Self::LateFsync => &["--test-late-fsync", "200"],
        }
    }
}

fn time(text: &str) -> Result<Duration, String> {
    let explained = || format!("`{text}` is no time: 90s, 30m and 1h are");
    let (number, unit) = match text.char_indices().last() {
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3600),
        _ => (text, 1),
    };
    let number: u64 = number.parse().map_err(|_| explained())?;
    let seconds = number.checked_mul(unit).filter(|seconds| *seconds > 0).ok_or_else(explained)?;
    Ok(Duration::from_secs(seconds))
}
