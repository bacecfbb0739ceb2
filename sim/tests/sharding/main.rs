//! The examples of `sim/examples/sharding`, as they stand in the files: whatever engine starts the shares, they merge to what one
//! process finds. Where an engine is not there, its test says so and passes; `.ci/run` installs it, or lists it as skipped.
#![cfg(unix)]

mod ray;
mod shell;
mod slurm;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// What the tests give instead of the million seeds of the examples: fewer and shorter runs.
const SHORT: &str = "0..60 --steps 300 --no-settle";

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// A file of the examples.
fn example(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/sharding").join(file)
}

/// A program in that folder, in which the simulator is `sim`, and without what says which share it is.
fn command(folder: &TempDir, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder.path()).env("PATH", path_with_sim(folder)).env_remove("CARGO_PKG_NAME");
    for name in ["SIM_SHARD_INDEX", "SIM_SHARD_COUNT", "PARALLEL_SEQ"] {
        command.env_remove(name);
    }
    command
}

/// A folder of programs in which the simulator is `sim`, before all others.
fn path_with_sim(folder: &TempDir) -> std::ffi::OsString {
    let programs = folder.path().join("programs");
    std::fs::create_dir_all(&programs).unwrap();
    let link = programs.join("sim");
    if !link.exists() {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_sim"), &link).expect("a link");
    }
    let rest = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(programs).chain(std::env::split_paths(&rest))).expect("a path")
}

/// The exit status, and what was printed on both ways.
fn ended(command: &mut Command) -> (i32, String, String) {
    let output = command.output().expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code().expect("an exit status"), text(output.stdout), text(output.stderr))
}

/// What one process finds in the same seeds.
fn whole(folder: &TempDir, seeds: &str) -> Value {
    let (_, out, error) = ended(command(folder, "sim").args(["explore", "--json", "--seeds"]).args(seeds.split(' ')));
    serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{error}"))
}

/// What the shares in the folder `shares` are together.
fn merged(folder: &TempDir) -> Value {
    let (_, out, error) = ended(command(folder, "sim").args(["merge", "--json", "shares"]));
    serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{error}"))
}
