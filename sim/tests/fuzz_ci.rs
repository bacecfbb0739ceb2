//! `fuzz/ci` where tools are missing: it says what it skips and why, installs what it can, and fails where a target does.
//! The tools are stand-ins that do what a file tells them.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

/// Stands in for cargo: there is a nightly toolchain if there is a file `nightly`, and so on.
const CARGO: &str = r#"#!/bin/sh
cd "$(dirname "$0")"
echo "$*" >>calls
case "$*" in
    "+nightly --version") test -e nightly ;;
    "fuzz --version") test -e cargo-fuzz ;;
    "install "*) test -e registry && touch cargo-fuzz ;;
    "+nightly fuzz build -s none" | "fuzz build -s none") ;;
    "+nightly fuzz list" | "fuzz list") echo codec ;;
    *) exit 2 ;;
esac
"#;

const RUSTC: &str = "#!/bin/sh\necho 'host: here'\n";

/// Stands in for a target: it finds something if there is a file `finding`.
const TARGET: &str = r#"#!/bin/sh
test -e "$(dirname "$0")/../../finding" && echo "thread panicked: found" && exit 77
echo "Done 5 runs in 0 second(s)"
"#;

fn program(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().expect("a folder")).expect("it can be made");
    fs::write(file, text).expect("it can be written");
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("it is ours");
}

/// Runs it where there is what these files stand for; what it prints, and which tools it called, with what it listed as skipped.
fn ci(there: &[&str]) -> (Output, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    program(&folder.path().join("cargo"), CARGO);
    program(&folder.path().join("rustc"), RUSTC);
    program(&folder.path().join("here/release/codec"), TARGET);
    there.iter().for_each(|name| fs::write(folder.path().join(name), "").expect("it can be written"));
    let ci = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/ci");
    let path: std::ffi::OsString = format!("{}:/usr/local/bin:/usr/bin:/bin", folder.path().display()).into();
    let list = folder.path().join("skipped");
    let output = Command::new("bash")
        .arg(ci)
        .envs([
            ("PATH", path.as_os_str()),
            ("CARGO_TARGET_DIR", folder.path().as_os_str()),
            ("SKIPPED", list.as_os_str()),
        ])
        .output();
    let skipped = fs::read_to_string(list).unwrap_or_default();
    let calls = fs::read_to_string(folder.path().join("calls")).unwrap_or_default();
    (output.expect("there is a shell"), calls + &skipped)
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn without_a_nightly_toolchain_it_uses_the_one_that_there_is() {
    let (output, calls) = ci(&["cargo-fuzz", "registry"]);
    assert!(output.status.success());
    assert!(printed(&output).contains("codec     from seeds    Done 5 runs"), "{output:?}");
    assert!(calls.ends_with("\nfuzz build -s none\nfuzz list\n"), "{calls}");
}

#[test]
fn a_missing_cargo_fuzz_is_installed() {
    let (output, calls) = ci(&["nightly", "registry"]);
    assert!(output.status.success(), "{output:?}");
    assert!(printed(&output).starts_with("installing cargo-fuzz\n"), "{output:?}");
    assert!(calls.contains("install --locked --quiet cargo-fuzz\n"), "{calls}");
    assert!(printed(&output).contains("codec     from seeds    Done 5 runs"), "{output:?}");
}

#[test]
fn where_cargo_fuzz_cannot_be_installed_it_skips_all_and_says_so() {
    let (output, calls) = ci(&["nightly"]);
    assert!(output.status.success());
    assert!(
        printed(&output).ends_with("skipped: fuzzing: cargo-fuzz is missing and could not be installed\n"),
        "{output:?}"
    );
    assert!(!calls.contains("build"), "{calls}");
    assert!(calls.ends_with("\nmissing fuzzing: cargo-fuzz is missing and could not be installed\n"), "{calls}");
}

#[test]
fn each_target_runs_from_the_seeds_and_from_nothing() {
    let (output, calls) = ci(&["nightly", "cargo-fuzz"]);
    assert!(output.status.success(), "{output:?}");
    let lines: Vec<String> = printed(&output).lines().map(str::to_owned).collect();
    let done = "Done 5 runs in 0 second(s)";
    assert_eq!(lines, [format!("codec     from seeds    {done}"), format!("codec     from nothing  {done}")]);
    assert!(!calls.contains("install"), "{calls}");
}

#[test]
fn a_finding_fails_and_is_shown() {
    let (output, _) = ci(&["nightly", "cargo-fuzz", "finding"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(printed(&output).starts_with("thread panicked: found\n\ncodec failed, from seeds"), "{output:?}");
}
