//! The command line: what each subcommand is called, and who does it.

mod again;
mod availability;
mod bugs;
mod campaign;
mod choices;
mod conform;
mod coverage;
mod drawn;
mod engines;
mod exhaust;
mod explore;
mod failure;
mod fuzz;
mod interrupt;
mod jobs;
mod lock;
mod merge;
mod page;
mod play;
mod properties;
mod recorded;
mod replay;
mod report;
mod run;
mod run_of_file;
mod scenario;
mod show;
mod shrink;
mod situations;
mod summary;
mod sweep;
mod theme;
mod time;
mod tla;
mod watchdog;
mod why;

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use crate::world::consensus::Engine;
use crate::{output, script};
use clap::{Parser, Subcommand};

use self::conform::ConformArguments;
use self::explore::ExploreArguments;
use self::run::RunArguments;
use self::scenario::ScenarioArguments;

/// All checks held.
pub(crate) const HELD: u8 = 0;
/// A property was violated.
pub(crate) const VIOLATED: u8 = 1;
/// The command makes no sense, or a file cannot be read or written.
pub(crate) const USAGE: u8 = 2;
/// A replay did not go as it was recorded.
pub(crate) const DIVERGED: u8 = 3;

/// What can be done, by what a person wants.
const COMMANDS: &str = "\
Run:
  (no command)  a seed, as the options below say
  play          commands that you type, and what they lead to; works from a pipe too
  scenario      a scenario file: prints what happens, or compares it with the snapshot
  replay        a recorded run again: says where it goes otherwise

Search:
  explore       many seeds on every core, until one fails
  exhaust       every order of events within bounds, breadth first
  sweep         a run, for every crash that it allows: does each node come back?
  availability  clusters whose links stay cut in part: when they commit again, and how much is written
  bugs          for bugs that are planted one at a time: what catches each, and how soon
  campaign      rounds of all of these, with a record over many revisions
  merge         many results of explore as one: sums, failures in groups, what is missing

Look:
  show          a run as a table, here
  report        a run as a page for the browser
  why           when a failure became certain, and what it leads to
  properties    everything that is checked, and where it comes from
  situations    everything that runs should meet, and the scenario that shows it

Files:
  shrink        makes a trace short, so that it fails in the same way
  fuzz          makes inputs for the fuzz targets, and a trace of an input

Compare:
  conform       with etcd-io/raft's interaction tests, line by line
  tla           with etcd's TLA+ specification: writes a run as a file for its trace validation
";

/// Drives a cluster of real Raft nodes through faults that a seed decides, and checks every safety property.
#[derive(Parser, Debug)]
#[command(
    name = "sim",
    version = concat!(env!("CARGO_PKG_VERSION"), " (", env!("SIM_REVISION"), ")"),
    before_help = COMMANDS,
    help_template = "{about-with-newline}\n{usage-heading} {usage}\n\n{before-help}Options:\n{options}{after-help}",
    after_help = "Where a command has a use for it, -o, --out says where to write, --jobs how many run at once, --seconds when to end
(or 90s, 10m, 2h), and --json prints a JSON line for each result. Progress is shown on a terminal.
`sim COMMAND --help` shows each with examples.

Examples:
  sim                                   run a seed that is drawn and printed
  sim --seed 1                          run one seed and print what happened
  sim --seed 0xbeef --steps 1000000     a long run
  sim --seed 7 --nodes 5 --trace 7.jsonl
                                        record every event, one JSON line each
  sim explore --seeds 0..1000           a thousand seeds
  sim exhaust                           every order of events of a small cluster
  sim shrink 7.jsonl -o short.jsonl     what of it makes it fail
  sim show short.jsonl                  look at it here
  sim why short.jsonl                   when it became certain
  sim report short.jsonl -o run.html    look at it in a browser

Exit status of every command:
  0  all checks held, or what was asked for is done
  1  a property was violated, a bug was not caught, or something differs from what it should be
  2  bad usage, a file that cannot be read or written, or nothing was checked
  3  a replay went otherwise than it was recorded"
)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArguments,
}

/// What can be done besides running a seed.
#[derive(Subcommand, Debug)]
enum Command {
    Explore(ExploreArguments),
    Merge(merge::MergeArguments),
    Conform(ConformArguments),
    Scenario(ScenarioArguments),
    Play(play::PlayArguments),
    /// Runs a recorded run again, and says where it goes otherwise
    Replay(replay::ReplayArguments),
    /// Finds a short trace that fails in the same way
    Shrink(shrink::ShrinkArguments),
    /// Shows a run as a table: a line an event, a column a node
    Show(show::ShowArguments),
    /// Makes a page for the browser of a run
    Report(report::ReportArguments),
    Properties(properties::PropertiesArguments),
    Situations(coverage::SituationsArguments),
    Exhaust(exhaust::ExhaustArguments),
    Availability(availability::AvailabilityArguments),
    Fuzz(fuzz::FuzzArguments),
    Sweep(sweep::SweepArguments),
    Why(why::WhyArguments),
    Bugs(bugs::BugsArguments),
    Campaign(campaign::CampaignArguments),
    Tla(tla::TlaArguments),
}

/// Parses the arguments and does what they say. `engines` are those that `--engine` and traces may name beside the project's own.
pub fn main(engines: &[Arc<dyn Engine>]) -> ExitCode {
    engines::are(engines);
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return answer(&error),
    };
    let ended = match &arguments.command {
        Some(Command::Explore(arguments)) => explore::run(arguments),
        Some(Command::Merge(arguments)) => merge::run(arguments),
        Some(Command::Conform(arguments)) => conform::run(arguments),
        Some(Command::Scenario(arguments)) => scenario::run(arguments),
        Some(Command::Play(arguments)) => play::run(arguments),
        Some(Command::Replay(arguments)) => replay::run(arguments),
        Some(Command::Shrink(arguments)) => shrink::run(arguments),
        Some(Command::Show(arguments)) => show::run(arguments),
        Some(Command::Report(arguments)) => report::run(arguments),
        Some(Command::Properties(arguments)) => properties::run(arguments),
        Some(Command::Situations(arguments)) => coverage::run(arguments),
        Some(Command::Exhaust(arguments)) => exhaust::run(arguments),
        Some(Command::Availability(arguments)) => availability::run(arguments),
        Some(Command::Fuzz(arguments)) => fuzz::run(arguments),
        Some(Command::Sweep(arguments)) => sweep::run(arguments),
        Some(Command::Why(arguments)) => why::run(arguments),
        Some(Command::Bugs(arguments)) => bugs::run(arguments),
        Some(Command::Campaign(arguments)) => campaign::run(arguments),
        Some(Command::Tla(arguments)) => tla::run(arguments),
        None => run::run(&arguments.run),
    };
    exit(ended)
}

fn exit(ended: Result<u8, String>) -> ExitCode {
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(message) => {
            output::tell(format_args!("error: {message}"));
            ExitCode::from(USAGE)
        }
    }
}

/// Prints a line about what was written to this path: to standard error if the path is a pipe.
fn say_beside(path: &Path, text: impl Display) -> Result<(), String> {
    if output::is_stream(path) {
        output::tell(text);
        return Ok(());
    }
    output::say(text)
}

/// Prints text that belongs to what was written to this path: to standard error if the path is a pipe.
fn tell_or_print(path: &Path, text: String) -> Result<(), String> {
    if output::is_stream(path) {
        output::tell(text.trim_end());
        return Ok(());
    }
    output::print(text)
}

/// The files that paths stand for, at least one for each path: a run that checks nothing must not look like one in
/// which all held.
fn files_in(paths: &[PathBuf], kind: &str) -> Result<Vec<PathBuf>, String> {
    let files = |path: &PathBuf| {
        std::fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
        match script::transcripts(std::slice::from_ref(path)) {
            none if none.is_empty() => {
                Err(format!("{}: there is no {kind} (*.txt) in it: nothing was checked", path.display()))
            }
            files => Ok(files),
        }
    };
    Ok(paths.iter().map(files).collect::<Result<Vec<_>, _>>()?.concat())
}

/// Names a file that was written.
fn say_written(path: &Path) -> Result<(), String> {
    say_beside(path, path.display())
}

/// Prints help and version as they are, and an error in one line.
fn answer(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return exit(output::print(error).map(|()| HELD));
    }
    let text = error.to_string();
    let lines = text.lines().map(str::trim).take_while(|line| !line.is_empty() && !line.starts_with("Usage:"));
    output::tell(lines.collect::<Vec<_>>().join(" "));
    ExitCode::from(USAGE)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_help_names_each_command_once_and_says_what_it_does() {
        let commands = Arguments::command();
        let named: Vec<&str> = COMMANDS.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
        let mut expected: Vec<&str> = commands.get_subcommands().map(clap::Command::get_name).collect();
        let mut named: Vec<&str> = named.into_iter().filter(|name| *name != "(no").collect();
        expected.sort_unstable();
        named.sort_unstable();
        assert_eq!(named, expected);
    }

    #[test]
    fn each_command_shows_examples() {
        for command in Arguments::command().get_subcommands() {
            let examples = |command: &clap::Command| {
                command.get_after_help().is_some_and(|help| help.to_string().contains("Example"))
            };
            let has = examples(command) || command.get_subcommands().all(examples) && command.has_subcommands();
            assert!(has, "sim {} --help shows no example", command.get_name());
        }
    }

    /// Commands and their own subcommands, with all their options.
    fn options(command: &clap::Command) -> Vec<&clap::Arg> {
        command.get_arguments().chain(command.get_subcommands().flat_map(options)).collect()
    }

    #[test]
    fn an_option_that_several_commands_have_is_spelt_alike() {
        for command in Arguments::command().get_subcommands() {
            for option in options(command) {
                let value = option.get_value_names().map(|names| names[0].as_str());
                let is_usual = match option.get_long() {
                    Some("out") => option.get_short() == Some('o'),
                    Some("jobs") => value == Some("J"),
                    Some("seconds" | "hang-after") => value == Some("T"),
                    Some("json") => !option.get_action().takes_values(),
                    Some(_) | None => true,
                };
                assert!(is_usual, "sim {}: {option}", command.get_name());
            }
        }
    }

    #[test]
    fn the_readme_says_which_command_has_which_of_the_common_options() {
        const COMMON: [&str; 4] = ["json", "jobs", "seconds", "out"];
        let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
        let readme = std::fs::read_to_string(readme).expect("there is a README");
        let (_, table) = readme.split_once("\n| command | `--json` |").expect("it has a table of options");
        let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
        let mut said: Vec<(String, Vec<bool>)> = rows
            .map(|row| {
                let mut cells = row.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`'));
                let name = cells.next().expect("a name").to_owned();
                (name, cells.take(COMMON.len()).map(|cell| cell == "yes").collect())
            })
            .collect();
        let commands = Arguments::command();
        let has = |options: &[&clap::Arg]| {
            COMMON.iter().map(|name| options.iter().any(|option| option.get_long() == Some(name))).collect()
        };
        let mut are: Vec<(String, Vec<bool>)> =
            commands.get_subcommands().map(|one| (one.get_name().to_owned(), has(&options(one)))).collect();
        are.push(("(no command)".to_owned(), has(&commands.get_arguments().collect::<Vec<_>>())));
        said.sort();
        are.sort();
        assert_eq!(said, are);
    }
}
