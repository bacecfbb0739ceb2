//! Commands that stand in a file of Kubernetes, in one of GitHub, and for GNU parallel.

use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use super::{SHORT, command, ended, example, folder, merged, whole};

/// The command of an example that has these words, as it stands in the file, in one line.
fn command_of(file: &str, words: &str) -> String {
    let text = std::fs::read_to_string(example(file)).expect("the example");
    let mut lines = text.lines().map(str::trim).skip_while(|line| !line.contains(words)).peekable();
    let mut command = lines.next().expect("the example has such a command").to_owned();
    // A shell goes on behind a backslash, and a folded text of YAML as long as it is indented.
    while let Some(line) = lines.next_if(|line| command.ends_with('\\') || line.starts_with("--")) {
        command = format!("{} {line}", command.trim_end_matches('\\'));
    }
    command
}

/// Runs a line of an example in a shell.
fn shell(folder: &TempDir, line: &str, variables: &[(&str, &str)]) -> (i32, String, String) {
    let line = line.replace("0..1000000", SHORT).replace("/shares", "shares");
    ended(command(folder, "bash").args(["-c", &line]).envs(variables.iter().copied()))
}

#[test]
fn the_examples_for_kubernetes_and_github_make_shares_that_merge_to_the_whole() {
    let kubernetes = command_of("kubernetes-job.yaml", "exec sim explore");
    let github = command_of("github-actions.yaml", "release/sim explore").replace("target/release/sim", "sim");
    let github = github.replace("\"${{ inputs.seeds || '0..1000000' }}\"", "0..1000000");
    let github = github.replace("--out share ", "--out shares/$SIM_SHARD_INDEX ");
    for (line, index) in [(kubernetes, "JOB_COMPLETION_INDEX"), (github, "SIM_SHARD_INDEX")] {
        let folder = folder();
        for number in 0..20 {
            let number = number.to_string();
            let (code, out, error) = shell(&folder, &line, &[(index, &number), ("SIM_SHARD_COUNT", "20")]);
            assert_eq!(code, 0, "{line}: {out}{error}");
        }
        let merged = merged(&folder);
        assert_eq!(
            (&merged["complete"], &merged["digest"]),
            (&true.into(), &whole(&folder, SHORT)["digest"]),
            "{line}"
        );
    }
}

/// GNU parallel, where it is there; others have programs of that name too.
fn gnu_parallel() -> bool {
    let version = Command::new("parallel").arg("--version").output();
    version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("GNU parallel"))
}

#[test]
fn the_example_for_gnu_parallel_runs_again_what_failed_and_nothing_else() {
    if !gnu_parallel() {
        eprintln!("skipped: there is no GNU parallel here");
        return;
    }
    let folder = folder();
    let line = &command_of("README.md", "parallel --joblog");
    // A file where the folder of a share should be: that share fails.
    std::fs::create_dir(folder.path().join("shares")).unwrap();
    std::fs::write(folder.path().join("shares/7"), "").unwrap();
    let (code, _, error) = shell(&folder, line, &[]);
    assert_eq!(code, 1, "as many as failed: {error}");
    std::fs::remove_file(folder.path().join("shares/7")).unwrap();
    assert_eq!(merged(&folder)["missing"], json!([[7, 8]]));
    let log = || std::fs::read_to_string(folder.path().join("shares.log")).unwrap().lines().count();
    let before = log();
    let (code, _, error) = shell(&folder, line, &[]);
    assert_eq!((code, log()), (0, before + 1), "{error}");
    let merged = merged(&folder);
    assert_eq!((&merged["complete"], &merged["digest"]), (&true.into(), &whole(&folder, SHORT)["digest"]));
}
