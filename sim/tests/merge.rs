//! `sim merge`: many shares as one report.

use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn command(folder: &TempDir, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder.path()).env_remove("CARGO_PKG_NAME");
    command
}

/// The exit status, and what was printed on both ways.
fn ended(command: &mut Command) -> (i32, String, String) {
    let output = command.output().expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code().expect("an exit status"), text(output.stdout), text(output.stderr))
}

fn sim(folder: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    ended(command(folder, env!("CARGO_BIN_EXE_sim")).args(arguments))
}

/// Explores short runs.
fn explore(folder: &TempDir, arguments: &[&str]) -> (i32, Value) {
    let short = ["explore", "--steps", "300", "--no-settle", "--json"];
    let (code, out, error) = sim(folder, &[&short[..], arguments].concat());
    (
        code,
        out.lines().last().map(|line| serde_json::from_str(line).expect("JSON")).unwrap_or_else(|| panic!("{error}")),
    )
}

fn merge(folder: &TempDir, arguments: &[&str]) -> (i32, Value) {
    let (code, out, error) = sim(folder, &[&["merge", "--json"][..], arguments].concat());
    (code, serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{error}")))
}

/// Three shares of 0..60, in the folders `shares/1` to `shares/3`.
fn three_shares(folder: &TempDir) {
    for number in ["1", "2", "3"] {
        let (shard, out) = (format!("{number}/3"), format!("shares/{number}"));
        assert_eq!(explore(folder, &["--seeds", "0..60", "--shard", &shard, "--out", &out]).0, 0);
    }
}

#[test]
fn shares_are_together_what_one_run_is_in_any_order_and_however_often() {
    let folder = folder();
    three_shares(&folder);
    let (_, whole) = explore(&folder, &["--seeds", "0..60"]);
    let (code, merged) = merge(&folder, &["shares"]);
    assert_eq!((code, &merged["complete"], &merged["missing"]), (0, &true.into(), &json!([])));
    for field in ["seeds", "executed", "events", "failures", "digest", "situations", "fewer_than_one_in"] {
        assert_eq!(merged[field], whole[field], "{field}");
    }
    let (_, other) = merge(&folder, &["shares/3", "shares/1", "shares/3", "shares"]);
    assert_eq!(other["digest"], whole["digest"]);
    let (code, text, _) = sim(&folder, &["merge", "shares"]);
    let last = format!("60 seeds, 0 failures; digest {}\n", whole["digest"].as_str().expect("text"));
    assert!(code == 0 && text.ends_with(&last), "{text}");
    assert!(text.contains("\nshares     3 of 3\n"), "{text}");
    assert!(text.contains("no failure: with 95 % confidence fewer than one seed in 20 fails\n"), "{text}");
}

#[test]
fn what_is_missing_unfinished_or_of_another_revision_is_named() {
    let folder = folder();
    three_shares(&folder);
    std::fs::remove_dir_all(folder.path().join("shares/2")).unwrap();
    let path = folder.path().join("shares/3/summary.json");
    let other = std::fs::read_to_string(&path).unwrap().replacen("\"revision\": \"", "\"revision\": \"x", 1);
    std::fs::create_dir(folder.path().join("shares/other")).unwrap();
    std::fs::write(folder.path().join("shares/other/summary.json"), other).unwrap();
    let (code, merged) = merge(&folder, &["shares"]);
    assert_eq!((code, &merged["complete"], &merged["missing"]), (0, &false.into(), &json!([[2, 3]])));
    assert_eq!((&merged["seeds"], &merged["left_out"][0]["folder"]), (&40.into(), &"shares/other".into()));
    let (code, text, _) = sim(&folder, &["merge", "shares", "--complete"]);
    assert!(code == 1 && text.contains("\nshares     2 of 3; missing 2\n"), "{text}");
    assert!(
        text.contains("\nleft out   share 3: revision x") && text.contains("; 0 failures (shares/other)\n"),
        "{text}"
    );

    let open = ["--seeds", "0..1000000000000", "--shard", "2/3", "--seconds", "1", "--out", "open"];
    assert_eq!(explore(&folder, &open).0, 0);
    let (_, text, _) = sim(&folder, &["merge", "open"]);
    assert!(text.contains("\nshares     1 of 3; missing 1, 3\nunfinished share 2: "), "{text}");
    assert!(text.contains(" of 333333333333 seeds (open)\n"), "{text}");
}

#[test]
fn situations_are_asked_of_all_shares_together() {
    let folder = folder();
    three_shares(&folder);
    assert_eq!(sim(&folder, &["merge", "shares", "--all-situations"]).0, 1, "sixty short runs do not reach all");
    let (code, text, _) = sim(&folder, &["merge", "shares", "--situations"]);
    assert!(code == 0 && text.starts_with("       times     seeds  situation\n"), "{text}");
}

#[test]
fn folders_without_a_share_are_refused() {
    let folder = folder();
    std::fs::create_dir_all(folder.path().join("empty/inner")).unwrap();
    std::fs::create_dir(folder.path().join("damaged")).unwrap();
    std::fs::write(folder.path().join("damaged/summary.json"), "{}").unwrap();
    let cases = [
        ("empty", "empty: there is no summary.json in it, nor in a folder of it: nothing was checked"),
        ("absent", "absent: No such file or directory"),
        ("damaged", "damaged/summary.json: it is not the summary of a share"),
    ];
    for (name, said) in cases {
        let (code, _, error) = sim(&folder, &["merge", name]);
        assert_eq!((code, error.contains(said), error.lines().count()), (2, true, 1), "{error}");
    }
}

#[test]
fn the_page_stands_alone_and_has_the_sums_and_the_shares() {
    let folder = folder();
    three_shares(&folder);
    let (code, text, error) = sim(&folder, &["merge", "shares", "-o", "night.html"]);
    assert!(code == 0 && text.ends_with("\nnight.html\n"), "{text}{error}");
    let page = std::fs::read_to_string(folder.path().join("night.html")).unwrap();
    let (_, merged) = merge(&folder, &["shares"]);
    for said in [merged["digest"].as_str().expect("text"), "<td>60</td>", "shares/2", "<td>3 of 3</td>"] {
        assert!(page.contains(said), "{said}");
    }
    let links = ["http", "src=", "href=", "<script"];
    assert!(links.iter().all(|link| !page.contains(link)), "the page needs something else");
}

#[cfg(feature = "planted-bugs")]
mod planted {
    use super::*;

    const BUG: [&str; 5] = ["--bug", "vote-double-grant", "--steps", "3000", "--no-settle"];

    fn shares_with_failures(folder: &TempDir) {
        for number in ["1", "2"] {
            let (shard, out) = (format!("{number}/2"), format!("shares/{number}"));
            let share = ["explore", "--seeds", "0..40", "--shard", &shard, "--out", &out];
            assert_eq!(sim(folder, &[&share[..], &BUG].concat()).0, 1);
        }
    }

    #[test]
    fn failures_are_grouped_by_what_they_shrink_to_with_the_shortest_trace_and_what_to_type_next() {
        let folder = folder();
        shares_with_failures(&folder);
        let (code, merged) = merge(&folder, &["shares"]);
        let broken = &merged["broken"][0];
        assert_eq!((code, &broken["property"], &broken["seeds"]), (1, &"vote-once".into(), &merged["failures"]));
        let groups = broken["groups"].as_array().expect("groups");
        let failures = |group: &Value| group["failures"].as_array().expect("failures").clone();
        assert_eq!(groups.iter().map(|group| failures(group).len()).sum::<usize>(), 6, "{broken}");
        let shrunk: Vec<&Value> = groups.iter().filter(|group| group["shrinks_to"].is_array()).collect();
        assert!(!shrunk.is_empty() && shrunk.len() < 6, "two of six traces at least shrink to the same: {broken}");
        let first = &failures(&groups[0])[0];
        let trace = folder.path().join(first["trace"].as_str().expect("a trace"));
        assert!(trace.is_file() && first["shrunk_to"].as_u64() < first["events"].as_u64(), "{first}");
        assert_eq!(
            merge(&folder, &["shares/2", "shares/1", "--jobs", "1"]).1["broken"],
            *merged.get("broken").unwrap()
        );

        let (code, text, _) = sim(&folder, &["merge", "shares", "--no-shrink", "-o", "night.html"]);
        assert!(code == 1 && text.contains("\nBROKEN     vote-once, by "), "{text}");
        assert!(text.contains("\ngroup      6 in the same words, not shrunk\nshortest   seed "), "{text}");
        let next = text.lines().find(|line| line.starts_with("next ")).expect("what to type");
        let next = next[11..].replace(" shrink ", " shrink --seconds 2 ");
        let done = ended(command(&folder, "sh").args(["-c", &next]));
        assert_eq!(done.0, 0, "{next}: {}", done.2);
        let page = std::fs::read_to_string(folder.path().join("night.html")).unwrap();
        assert!(page.contains("Broken: vote-once, by ") && page.contains(&*next.replace(" --seconds 2", "")), "{page}");
    }

    #[test]
    fn a_failure_of_another_revision_is_a_failure() {
        let folder = folder();
        shares_with_failures(&folder);
        let good = ["explore", "--seeds", "0..9", "--steps", "300", "--out", "shares/good"];
        assert_eq!(sim(&folder, &good).0, 0);
        std::fs::remove_dir_all(folder.path().join("shares/1")).unwrap();
        let (_, whole) = merge(&folder, &["shares/good"]);
        let (code, merged) = merge(&folder, &["shares/good", "shares/2"]);
        let left_out: std::path::PathBuf = merged["left_out"][0]["folder"].as_str().expect("a folder").into();
        assert_eq!((code, whole["failures"].as_u64(), merged["left_out"].as_array().unwrap().len()), (1, Some(0), 1));
        assert!(left_out.starts_with("shares"));
    }
}
