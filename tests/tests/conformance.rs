//! Every transcript of etcd's behaviour that is at hand prints as it says.

use std::path::PathBuf;

use sim::script::{self, Verdict};

/// Where the transcripts are: what the environment says, or beside the workspace.
fn folder() -> PathBuf {
    match std::env::var_os("RAFT_CONFORMANCE_DIR") {
        Some(folder) => folder.into(),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/conformance"),
    }
}

#[test]
#[cfg_attr(not(transcripts), ignore = "needs transcripts in ../shared/conformance or RAFT_CONFORMANCE_DIR")]
fn every_transcript_is_identical() {
    let files = script::transcripts(&[folder()]);
    assert!(!files.is_empty(), "the folder holds no transcript");
    let different: Vec<String> = files
        .iter()
        .filter_map(|path| match script::check_file(path) {
            Verdict::Identical => None,
            Verdict::Unusable(why) => Some(format!("{}: {why}", path.display())),
            Verdict::Different(mismatches) => {
                Some(format!("{}:{}: {}", path.display(), mismatches[0].difference.line, mismatches[0]))
            }
        })
        .collect();
    assert!(different.is_empty(), "{} of {} differ\n{}", different.len(), files.len(), different.join("\n"));
}

#[test]
fn a_transcript_that_says_something_else_is_not_identical() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("different.txt");
    let write = |text: &str| std::fs::write(&path, text).expect("the folder for temporary files is there");
    write("add-nodes 1\n----\nok\n\nraft-log 1\n----\nlog is empty: first index=1, last index=0\n");
    assert_eq!(script::check_file(&path), Verdict::Identical);
    write("add-nodes 1\n----\nok\n\nraft-log 1\n----\nlog is empty: first index=2, last index=1\n");
    assert!(matches!(script::check_file(&path), Verdict::Different(mismatches) if mismatches.len() == 1));
    write("add-nodes 1\n----\nok\n\nraft-lag 1\n----\n");
    let nearest = "line 5: there is no command \"raft-lag\"; the nearest known word is \"raft-log\"";
    assert_eq!(script::check_file(&path), Verdict::Unusable(nearest.to_owned()));
}
