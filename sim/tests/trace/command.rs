//! The subcommands, as they are called.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sim::explain::{Influence, causal_past};
use tempfile::TempDir;

use crate::replay::broken;

/// Runs `sim`, with files in this folder.
fn sim(folder: &TempDir, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    command.current_dir(folder.path()).args(arguments).output().expect("sim runs")
}

fn status(output: &Output) -> (Option<i32>, String) {
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr),
    )
}

fn path(folder: &TempDir, name: &str) -> PathBuf {
    Path::new(folder.path()).join(name)
}

#[test]
fn what_a_seed_records_replays_well_and_a_change_to_it_does_not() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["t.jsonl", "t.jsonl.zst"] {
        assert_eq!(
            status(&sim(&folder, &["--seed", "3", "--steps", "3000", "--no-settle", "--trace", name])).0,
            Some(0)
        );
        let replayed = status(&sim(&folder, &["replay", name]));
        assert_eq!(replayed, (Some(0), "3000 events replayed as recorded, nothing broken\n".to_string()));
    }
    let text = std::fs::read_to_string(path(&folder, "t.jsonl")).unwrap();
    let tick = text.lines().find(|line| line.starts_with("{\"Tick")).unwrap();
    std::fs::write(path(&folder, "other.jsonl"), text.replacen(tick, r#"{"Tick":{"node":60}}"#, 1)).unwrap();
    let (code, said) = status(&sim(&folder, &["replay", "other.jsonl"]));
    assert_eq!(code, Some(3), "{said}");
    assert!(said.starts_with("diverged at step ") && said.contains("node 3c never started"), "{said}");
    std::fs::write(path(&folder, "cut.jsonl"), &text[..text.len() / 2]).unwrap();
    let (code, said) = status(&sim(&folder, &["replay", "cut.jsonl"]));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.starts_with("error: cut.jsonl:"), "{said}");
}

#[test]
fn a_failure_replays_shrinks_and_shows() {
    let folder = tempfile::tempdir().unwrap();
    broken(5, 1000).save(&path(&folder, "long.jsonl")).unwrap();
    let (code, said) = status(&sim(&folder, &["shrink", "long.jsonl", "-o", "short.jsonl.zst"]));
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = status(&sim(&folder, &["replay", "short.jsonl.zst"]));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.starts_with("election-safety violated at step "), "{said}");
    let (code, said) = status(&sim(&folder, &["show", "short.jsonl.zst"]));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("campaigns") && said.contains("election-safety violated"), "{said}");
    assert!(!said.contains('\x1b'), "no colours where there is no terminal");
    let (code, said) = status(&sim(&folder, &["show", "long.jsonl", "--from", "100", "--to", "109"]));
    // The legend, and one more line for each other node after the first.
    assert_eq!((code, said.lines().count()), (Some(0), 15), "{said}");
}

/// The lines of a table below its header, without what is said at its end.
fn table(folder: &TempDir, options: &[&str]) -> Vec<String> {
    let (code, said) = status(&sim(folder, &[&["show", "t.jsonl"], options].concat()));
    assert_eq!(code, Some(0), "{said}");
    let is_of_table = |line: &&str| line.starts_with("   ");
    said.lines().skip(2).filter(is_of_table).map(str::to_owned).collect()
}

#[test]
fn a_table_fits_a_hundred_columns_and_says_what_changed_and_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    sim(&folder, &["--seed", "1", "--steps", "6000", "--nodes", "7", "--no-settle", "--trace", "t.jsonl"]);
    let lines = table(&folder, &[]);
    let widest = lines.iter().map(|line| line.chars().count()).max();
    assert!(lines.len() >= 6000 && widest.is_some_and(|widest| widest <= 100), "{widest:?}");
    let has = |text: &str| lines.iter().any(|line| line.contains(text));
    assert!(has(" writes term 1, vote for ") && has(" writes 1/2"), "{lines:#?}");
    assert!(has("│ 1    *"), "a star marks what changed");
    assert!(lines.iter().any(|line| line.ends_with(" sends")), "nothing follows where nothing changed");
}

#[test]
fn a_table_is_of_changes_alone_or_of_some_kinds() {
    let folder = tempfile::tempdir().unwrap();
    sim(&folder, &["--seed", "1", "--steps", "6000", "--no-settle", "--trace", "t.jsonl"]);
    let (all, changes) = (table(&folder, &[]), table(&folder, &["--changes"]));
    let with_state = |lines: &[String]| lines.iter().filter(|line| line.contains(" │ ")).count();
    assert!(changes.len() < all.len() / 2 && with_state(&changes) == changes.len(), "{changes:#?}");
    assert_eq!(with_state(&all), changes.len(), "no change is left out");
    let events = |options: &[&str]| -> Vec<String> {
        let is_event = |line: &String| !line.starts_with("        ");
        table(&folder, options).into_iter().filter(is_event).collect()
    };
    let says = |lines: &[String], texts: &[&str]| lines.iter().all(|line| texts.iter().any(|text| line.contains(text)));
    let ticks = events(&["--kind", "ticks"]);
    assert!(ticks.len() > 100 && says(&ticks, &["ticks"]), "{ticks:#?}");
    let both = events(&["--kind", "MsgAppResp", "--kind", "take-ready"]);
    assert!(both.len() > 100 && says(&both, &["MsgAppResp", "takes a Ready"]), "{both:#?}");
    let (code, said) = status(&sim(&folder, &["show", "t.jsonl", "--kind", "fautls"]));
    assert!(code == Some(2) && said.contains("there is no kind fautls; did you mean faults?"), "{said}");
}

/// The steps of a table's lines before which this stands.
fn steps_with(said: &str, mark: char) -> Vec<u64> {
    let step = |line: &str| line.strip_prefix(mark)?.split_whitespace().next()?.parse().ok();
    said.lines().filter_map(step).collect()
}

#[test]
fn what_cannot_have_influenced_the_failure_is_marked_and_left_out_where_only_the_past_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let trace = broken(5, 600);
    trace.save(&path(&folder, "t.jsonl")).unwrap();
    let past = causal_past(&trace.events, &trace.ending);
    let steps_of = |wanted: Influence| -> Vec<u64> {
        (0..).zip(&past).filter(|(_, influence)| **influence == wanted).map(|(step, _)| step).collect()
    };
    let outside = steps_of(Influence::None);
    assert!(!outside.is_empty() && outside.len() < past.len() / 2, "{} of {}", outside.len(), past.len());
    let (_, said) = status(&sim(&folder, &["show", "t.jsonl"]));
    assert_eq!((steps_with(&said, '·'), steps_with(&said, ' ')), (outside.clone(), steps_of(Influence::Possible)));
    let legend =
        format!("\n· marks {} of {} events, which cannot have influenced the failure\n", outside.len(), past.len());
    assert!(said.contains(&legend), "{said}");
    let (_, said) = status(&sim(&folder, &["show", "t.jsonl", "--past"]));
    assert_eq!((steps_with(&said, '·'), steps_with(&said, ' ')), (Vec::new(), steps_of(Influence::Possible)));
    assert!(said.contains("left out: ") && said.contains("election-safety violated"), "{said}");
}

#[test]
fn of_a_run_that_does_not_fail_nothing_is_marked_or_left_out() {
    let folder = tempfile::tempdir().unwrap();
    sim(&folder, &["--seed", "1", "--steps", "600", "--no-settle", "--trace", "t.jsonl"]);
    let [(_, all), (_, past)] =
        [&["show", "t.jsonl"][..], &["show", "t.jsonl", "--past"]].map(|of| status(&sim(&folder, of)));
    assert!(!all.contains("\n·") && steps_with(&past, ' ') == steps_with(&all, ' '), "{past}");
    assert!(past.contains("nothing breaks, so --past leaves nothing out\n"), "{past}");
}

#[test]
fn a_report_is_a_page_or_a_timeline_or_both() {
    let folder = tempfile::tempdir().unwrap();
    broken(5, 100).save(&path(&folder, "t.jsonl")).unwrap();
    let (code, said) = status(&sim(&folder, &["report", "t.jsonl", "--perfetto", "run.json", "-o", "run.html"]));
    assert!(code == Some(0) && said.starts_with("run.html\nrun.json\nVIOLATED "), "{said}");
    assert!(std::fs::read_to_string(path(&folder, "run.html")).unwrap().starts_with("<!doctype html>"));
    assert!(std::fs::read_to_string(path(&folder, "run.json")).unwrap().starts_with("{\"displayTimeUnit\""));
    assert_eq!(status(&sim(&folder, &["report", "t.jsonl", "--perfetto", "alone.json"])).0, Some(0));
    let (code, said) = status(&sim(&folder, &["report", "t.jsonl"]));
    assert!(code == Some(2) && said.contains("--out"), "{said}");
}

#[test]
fn a_loop_is_shown_with_the_message_that_it_takes() {
    let folder = tempfile::tempdir().unwrap();
    sim(&folder, &["--seed", "3", "--steps", "3000", "--no-settle", "--trace", "t.jsonl"]);
    let (_, said) = status(&sim(&folder, &["show", "t.jsonl"]));
    assert!(said.contains("'s loop takes 3→1 MsgApp") && said.contains("'s loop hands out a Ready"), "{said}");
}

#[cfg(feature = "planted-bugs")]
#[test]
fn a_violation_leaves_a_trace_whether_or_not_one_was_asked_for_and_it_fails_again() {
    let folder = tempfile::tempdir().unwrap();
    let run = ["--seed", "0", "--bug", "vote-double-grant"];
    for (asked, name) in [(&[][..], "violation-0.jsonl"), (&["--trace", "t.jsonl.zst"], "t.jsonl.zst")] {
        let (code, said) = status(&sim(&folder, &[&run, asked].concat()));
        assert_eq!(code, Some(1), "{said}");
        assert!(
            said.contains("VIOLATED   vote-once at step ") && said.contains(&format!("trace      {name}")),
            "{said}"
        );
        let (code, said) = status(&sim(&folder, &["replay", name]));
        assert_eq!(code, Some(1), "{said}");
        assert!(said.starts_with("vote-once violated at step ") && said.contains("\nas recorded\nmeaning "), "{said}");
    }
}

#[test]
fn what_breaks_nothing_cannot_be_shrunk() {
    let folder = tempfile::tempdir().unwrap();
    sim(&folder, &["--seed", "3", "--steps", "100", "--trace", "t.jsonl"]);
    let (code, said) = status(&sim(&folder, &["shrink", "t.jsonl", "-o", "o.jsonl"]));
    assert_eq!((code, &*said), (Some(2), "error: t.jsonl: the events of this trace break nothing\n"));
}

#[test]
fn a_short_failure_becomes_a_scenario_that_fails_too() {
    let folder = tempfile::tempdir().unwrap();
    broken(5, 1000).save(&path(&folder, "long.jsonl")).unwrap();
    let (code, said) = status(&sim(&folder, &["scenario", "--from-trace", "long.jsonl", "-o", "short.txt"]));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.starts_with("error: long.jsonl: ") && said.contains("are too many for a scenario"), "{said}");
    sim(&folder, &["shrink", "long.jsonl", "-o", "short.jsonl"]);
    let told = status(&sim(&folder, &["scenario", "--from-trace", "short.jsonl", "-o", "short.txt"]));
    assert_eq!(told, (Some(0), "short.txt\n".to_owned()));
    let (code, said) = status(&sim(&folder, &["scenario", "short.txt"]));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("election-safety violated at step "), "{said}");
    let (code, said) = status(&sim(&folder, &["scenario", "short.txt", "--trace", "again.jsonl"]));
    assert_eq!((code, said.contains("election-safety violated at step ")), (Some(1), true), "{said}");
    assert_eq!(status(&sim(&folder, &["replay", "again.jsonl"])).0, Some(1));
    std::fs::write(path(&folder, "bug.txt"), "planted-bug no-such-bug\n").unwrap();
    let (code, said) = status(&sim(&folder, &["scenario", "bug.txt"]));
    assert_eq!((code, said.contains("skipped, line 1: this build has no planted bug")), (Some(2), true), "{said}");
    let (code, said) = status(&sim(&folder, &["scenario", "--check", "bug.txt"]));
    assert_eq!((code, said.contains("1 skipped")), (Some(2), true), "nothing was checked: {said}");
}
