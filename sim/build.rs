//! Says which revision of the code this is: `SIM_REVISION` in the environment of the compiler.
//!
//! Whoever builds from something else than a clone can name it in that variable; else it is the commit, with a mark where
//! files differed from it, or "unknown" where there is no git.

use std::path::Path;
use std::process::Command;

/// What the revision is the revision of.
const SOURCES: [&str; 6] = ["src", "build.rs", "Cargo.toml", "../raft/src", "../raft/Cargo.toml", "../Cargo.toml"];

fn main() {
    println!("cargo::rerun-if-env-changed=SIM_REVISION");
    for path in SOURCES {
        println!("cargo::rerun-if-changed={path}");
    }
    let named = std::env::var("SIM_REVISION").ok().filter(|named| !named.trim().is_empty());
    let revision = named.or_else(commit).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=SIM_REVISION={}", revision.trim());
}

/// The commit, where this file belongs to one.
fn commit() -> Option<String> {
    git(&["ls-files", "--error-unmatch", "build.rs"])?;
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let branch = git(&["rev-parse", "--symbolic-full-name", "HEAD"]).unwrap_or_default();
    // A file that is not there would have this run each time.
    for name in ["HEAD", &branch, "packed-refs"] {
        let path = git(&["rev-parse", "--git-path", name]).filter(|path| Path::new(path).is_file());
        path.iter().for_each(|path| println!("cargo::rerun-if-changed={path}"));
    }
    let changed = git(&[&["status", "--porcelain", "--untracked-files=no", "--"], &SOURCES[..]].concat())?;
    Some(if changed.is_empty() { commit } else { format!("{commit}-modified") })
}

/// What git says, if it is there and content.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(["--no-optional-locks"]).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
