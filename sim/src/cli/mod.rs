//! The command line: what each subcommand is called, and who does it.

mod run;
mod summary;

use std::process::ExitCode;

use clap::Parser;

use self::run::RunArguments;

/// All checks held.
pub(crate) const HELD: u8 = 0;
/// A property was violated.
pub(crate) const VIOLATED: u8 = 1;
/// The command makes no sense, or a file cannot be read or written.
pub(crate) const USAGE: u8 = 2;

/// Drives a cluster of real Raft nodes through faults that a seed decides, and checks every safety property.
#[derive(Parser, Debug)]
#[command(
    name = "sim",
    version,
    after_help = "Examples:
  sim --seed 1                          run one seed and print what happened
  sim --seed 0xbeef --steps 1000000     a long run
  sim --seed 7 --nodes 5 --trace 7.jsonl
                                        record every event, one JSON line each

Exit status: 0 all checks held, 1 a property was violated, 2 bad usage"
)]
struct Arguments {
    #[command(flatten)]
    run: RunArguments,
}

/// Parses the arguments and does what they say.
pub(crate) fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return answer(&error),
    };
    match run::run(&arguments.run) {
        Ok(code) => ExitCode::from(code),
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(USAGE)
        }
    }
}

/// Help and version go out as they are; what is wrong is said in one line.
fn answer(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        print!("{error}");
        return ExitCode::from(HELD);
    }
    let text = error.to_string();
    let lines = text.lines().map(str::trim).take_while(|line| !line.is_empty() && !line.starts_with("Usage:"));
    eprintln!("{}", lines.collect::<Vec<_>>().join(" "));
    ExitCode::from(USAGE)
}
