//! The simulator's command line, for the project's own nodes.

fn main() -> std::process::ExitCode {
    sim::cli::main(&[])
}
