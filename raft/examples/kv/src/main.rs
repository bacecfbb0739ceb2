//! The program: see the library.

use std::process::ExitCode;

use clap::Parser as _;
use kv::arguments::Arguments;

#[tokio::main]
async fn main() -> ExitCode {
    match kv::commands::run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kv: {error}");
            ExitCode::FAILURE
        }
    }
}
