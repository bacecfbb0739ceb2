//! The guide to a seed that failed: its commands are run one after another in one folder, each prints what stands below it, and the code
//! that it changes is in the code.
//!
//! `UPDATE_TABLES=1` writes what is printed now into it. The revision of the code, which traces name, is left out.
#![cfg(all(unix, feature = "planted-bugs"))]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in a workspace").to_owned()
}

fn guide() -> PathBuf {
    root().join("docs/a-seed-failed.md")
}

/// A folder as the reader's: `sim` is a command, and the scenarios are there.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    symlink(root().join("scenarios"), folder.path().join("scenarios")).expect("a link");
    fs::create_dir(folder.path().join("bin")).expect("a folder");
    symlink(env!("CARGO_BIN_EXE_sim"), folder.path().join("bin/sim")).expect("a link");
    folder
}

/// What the command prints for a reader, mistakes of usage excluded.
fn printed(command: &str, folder: &TempDir) -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-c", &format!("({command}) 2>&1")])
        .current_dir(folder.path())
        .env("PATH", format!("{}:{path}", folder.path().join("bin").display()))
        // Else the next commands would be told as cargo runs them.
        .env_remove("CARGO_PKG_NAME")
        .output()
        .expect("there is a shell");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(!text.lines().any(|line| line.starts_with("error: ")), "{command}: {text}");
    text.replace(concat!(" (", env!("SIM_REVISION"), ")"), "")
}

/// The guide as it should be: in each block of a console what a command prints stands below it.
fn brought_up_to_date(text: &str, folder: &TempDir) -> String {
    let (mut right, mut is_console) = (String::new(), false);
    for line in text.lines() {
        if let Some(language) = line.strip_prefix("```") {
            is_console = language == "console";
        }
        let command = line.strip_prefix("$ ").filter(|_| is_console);
        if !is_console || command.is_some() || line.starts_with("```") {
            right += &format!("{line}\n");
        }
        right += &command.map(|command| printed(command, folder)).unwrap_or_default();
    }
    right
}

#[test]
fn the_commands_of_the_guide_print_what_stands_below_them() {
    let text = fs::read_to_string(guide()).expect("it is there");
    let right = brought_up_to_date(&text, &folder());
    if std::env::var_os("UPDATE_TABLES").is_some() {
        return fs::write(guide(), right).expect("it can be written");
    }
    let differs = text.lines().zip(right.lines()).find(|(is, should)| is != should);
    assert_eq!(differs, None, "UPDATE_TABLES=1 cargo test --release -p sim --features planted-bugs --test guide");
    assert_eq!(text, right);
}

#[test]
fn no_command_of_the_guide_stands_where_it_is_not_run() {
    let text = fs::read_to_string(guide()).expect("it is there");
    let languages: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("```")).step_by(2).collect();
    let commands = text.lines().filter(|line| line.starts_with("$ ")).count();
    assert!(commands > 15 && languages.iter().all(|one| ["console", "diff"].contains(one)), "{languages:?}");
    let outside = text.split("```").step_by(2).flat_map(str::lines);
    assert!(!outside.into_iter().any(|line| line.starts_with("    ")), "a block that is indented");
}

#[test]
fn what_the_fix_changes_is_in_the_code() {
    let text = fs::read_to_string(guide()).expect("it is there");
    let code = fs::read_to_string(root().join("raft/src/raft/election.rs")).expect("it is there");
    let (_, rest) = text.split_once("```diff\n").expect("a change");
    let (change, _) = rest.split_once("```").expect("an end");
    let before: Vec<String> =
        change.lines().filter(|line| !line.starts_with('+')).map(|line| line[1..].to_owned()).collect();
    assert!(code.contains(&before.join("\n")), "{before:#?}");
}
