//! The gate's building blocks: what is skipped is listed at the end, and fails in CI where it could have been installed.
#![cfg(unix)]

use std::path::Path;
use std::process::{Command, Output};

/// Runs commands after the building blocks, where `apt-get` is one that installs nothing, or is not there. In CI or not.
fn run(commands: &str, packages: bool, ci: bool) -> Output {
    let common = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/common");
    let apt = if packages { "apt-get() { :; }; id() { echo 0; }" } else { "can_install() { false; }" };
    let script = format!("set -euo pipefail\n. {}\n{apt}\n{commands}\nfinish", common.display());
    let mut command = Command::new("bash");
    command.arg("-c").arg(script).env_remove("CI");
    if ci {
        command.env("CI", "true");
    }
    command.output().expect("there is a shell")
}

fn ended(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

const NEED: &str = "if need 'a check' no-such-program a-package; then echo checked; fi";

#[test]
fn where_nothing_is_skipped_the_gate_says_so() {
    let (code, said) = ended(&run("if need 'a check' sh; then echo checked; fi", true, true));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("checked\n\nnothing was skipped\nall else passed in "), "{said}");
}

#[test]
fn what_is_skipped_is_listed_with_its_reason() {
    for ci in [false, true] {
        let (code, said) = ended(&run(NEED, false, ci));
        assert_eq!(code, Some(0), "nobody could have installed it: {said}");
        let listed = "skipped, and so not checked:\n  a check: there is no no-such-program, and only root with apt-get";
        assert!(said.contains(listed) && !said.contains("checked\n\n"), "{said}");
    }
}

#[test]
fn in_ci_a_check_that_could_have_been_installed_must_not_be_skipped() {
    let (code, said) = ended(&run(NEED, true, false));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("  a check: there is no no-such-program, and the package a-package could not be"), "{said}");
    let (code, said) = ended(&run(NEED, true, true));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.starts_with("installing a-package\n") && said.contains("failed: this is CI"), "{said}");
}

#[test]
fn what_others_skip_is_listed_too() {
    let (code, said) = ended(&run("echo 'missing fuzzing: no tool' >>\"$SKIPPED\"", true, true));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("\n  fuzzing: no tool\n"), "{said}");
}

/// A `pip` that puts a program into its target, and how the gate asks for that program.
const PIP: &str = r#"pip() { mkdir -p "$5/bin"; echo 'echo it runs' >"$5/bin/$6"; chmod +x "$5/bin/$6"; }"#;
const NEED_WHEEL: &str = "if need_wheel 'a check' no-such-program no-such-program; then no-such-program; fi";

#[test]
fn a_program_from_a_package_of_python_is_found_once_it_is_installed() {
    let target = tempfile::tempdir().expect("a directory");
    let commands = format!("export CARGO_TARGET_DIR={}\n{PIP}\n{NEED_WHEEL}", target.path().display());
    let (code, said) = ended(&run(&commands, false, true));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("it runs\n\nnothing was skipped\n"), "{said}");
}

#[test]
fn a_tool_that_pip_or_cargo_cannot_install_is_skipped_with_that_reason() {
    let table = [
        (NEED_WHEEL, "no no-such-program, and pip could not install no-such-program"),
        ("need_crate 'a check' no-such-program || true", "no no-such-program, and cargo could not install it"),
    ];
    for (need, why) in table {
        let commands = format!("pip() {{ false; }}\ncargo() {{ false; }}\n{need}");
        let (code, said) = ended(&run(&commands, false, true));
        assert_eq!(code, Some(0), "not everybody can install it: {said}");
        assert!(said.contains(&format!("skipped, and so not checked:\n  a check: there is {why}\n")), "{said}");
    }
}
