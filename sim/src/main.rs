//! The command line of the simulator: each subcommand is a module of `cli`.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
