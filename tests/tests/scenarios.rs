//! Every scenario prints what its snapshot says, and every snapshot belongs to a scenario.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use sim::script;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}

/// The files of this kind, one folder deep.
fn files(extension: &str) -> Vec<PathBuf> {
    let list = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).expect("a folder of scenarios can be read");
        entries.map(|entry| entry.expect("an entry of it too").path()).collect()
    };
    let folders = list(&folder()).into_iter().filter(|path| path.is_dir());
    let mut files: Vec<PathBuf> = folders.flat_map(|folder| list(&folder)).collect();
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    files.sort();
    files
}

/// Compares with the snapshot; where it is missing or differs, insta leaves a new one to be reviewed.
fn matches_its_snapshot(path: &Path) {
    let text = std::fs::read_to_string(path).expect("a scenario can be read");
    let played = script::play(&text);
    if let Some(failure) = played.failure {
        panic!("{}: {failure}\n{}", path.display(), played.transcript);
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(path.parent().expect("a scenario is in a folder"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let name = path.file_stem().expect("a scenario has a name").to_string_lossy();
    settings.bind(|| insta::assert_snapshot!(name.as_ref(), played.transcript));
}

#[test]
fn every_scenario_prints_what_its_snapshot_says() {
    let scenarios = files("txt");
    assert!(!scenarios.is_empty(), "there are no scenarios");
    let compare = |path: &&PathBuf| catch_unwind(AssertUnwindSafe(|| matches_its_snapshot(path))).is_err();
    let failed: Vec<&PathBuf> = scenarios.iter().filter(compare).collect();
    assert!(failed.is_empty(), "{} of {} scenarios fail: {failed:#?}", failed.len(), scenarios.len());
}

#[test]
fn every_snapshot_belongs_to_a_scenario() {
    let orphans: Vec<PathBuf> = files("snap").into_iter().filter(|path| !path.with_extension("txt").exists()).collect();
    assert!(orphans.is_empty(), "snapshots without a scenario: {orphans:#?}");
}

#[test]
fn the_command_line_agrees_with_the_snapshots() {
    for path in files("txt") {
        let played = script::play(&std::fs::read_to_string(&path).expect("a scenario can be read"));
        let contents = script::snapshot_contents(&script::snapshot_beside(&path)).expect("a snapshot has contents");
        assert_eq!(contents.trim_end(), played.transcript.trim_end(), "{}", path.display());
    }
}
