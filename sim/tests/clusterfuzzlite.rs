//! What ClusterFuzzLite runs: a script that builds each fuzz target, with its seeds and its dictionary. cargo is a stand-in here; the real
//! build, with the address sanitizer, takes minutes, and is a stage of `.ci/nightly`.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Stands in for cargo: it notes its arguments, lists the targets, and builds nothing.
const CARGO: &str = "#!/bin/sh\necho \"$*\" >>\"$CARGO_TARGET_DIR/calls\"\ncase \"$*\" in *list) cat \"$CARGO_TARGET_DIR/list\" ;; esac\n";
/// Stands in for zip: the archive is the list of what was to be put into it.
const ZIP: &str = "#!/bin/sh\nshift\narchive=$1\nshift 2\necho \"$*\" >\"$archive\"\n";
const RUSTC: &str = "#!/bin/sh\necho 'host: here'\n";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The targets that `fuzz/Cargo.toml` has.
fn targets() -> Vec<String> {
    let manifest = read("fuzz/Cargo.toml");
    let after = manifest.split("[[bin]]\nname = \"").skip(1);
    after.map(|part| part.split('"').next().expect("a name").to_owned()).collect()
}

fn program(file: &Path, text: &str) {
    fs::write(file, text).expect("it can be written");
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("it is ours");
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect()
}

#[test]
fn the_script_gives_every_target_with_its_seeds_and_its_dictionary() {
    let folder = tempfile::tempdir().expect("a folder");
    let (tools, built, out) = (folder.path(), folder.path().join("here/release"), folder.path().join("out"));
    [&built, &out].iter().for_each(|folder| fs::create_dir_all(folder).expect("it can be made"));
    [("cargo", CARGO), ("zip", ZIP), ("rustc", RUSTC)].iter().for_each(|(name, text)| program(&tools.join(name), text));
    let targets = targets();
    fs::write(tools.join("list"), targets.join("\n")).expect("it can be written");
    targets.iter().for_each(|target| fs::write(built.join(target), "").expect("it can be written"));

    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", tools.display());
    let script = Command::new(root().join(".clusterfuzzlite/build.sh"))
        .current_dir(root())
        .envs([("PATH", Path::new(&path)), ("OUT", &out), ("CARGO_TARGET_DIR", tools)])
        .output()
        .expect("it starts");
    assert!(script.status.success(), "{script:?}");
    let calls = fs::read_to_string(tools.join("calls")).expect("calls");
    assert!(calls.starts_with("+nightly fuzz build -O --debug-assertions --sanitizer address\n"), "{calls}");
    let dictionaries = names(&root().join("fuzz/dictionaries"));
    let expected = targets.iter().flat_map(|target| [target.clone(), format!("{target}_seed_corpus.zip")]);
    let expected = expected.chain(dictionaries.iter().map(|name| format!("{name}.dict"))).collect::<BTreeSet<_>>();
    assert_eq!(names(&out), expected);
    for target in &targets {
        let archive = fs::read_to_string(out.join(format!("{target}_seed_corpus.zip"))).expect("an archive");
        let seeds = names(&root().join("fuzz/seeds").join(target));
        assert_eq!(archive.split_whitespace().map(str::to_owned).collect::<BTreeSet<_>>(), seeds, "{target}");
    }
}

#[test]
fn image_project_and_workflow_name_the_language_and_the_only_sanitizer_that_it_has() {
    assert!(read(".clusterfuzzlite/project.yaml").contains("\nlanguage: rust\n"));
    let image = read(".clusterfuzzlite/Dockerfile");
    assert!(image.contains("\nFROM gcr.io/oss-fuzz-base/base-builder-rust\n"), "{image}");
    assert!(image.ends_with("\nCOPY .clusterfuzzlite/build.sh $SRC/\n"), "{image}");
    let workflow = read(".github/workflows/cflite_pr.yml");
    assert_eq!(workflow.matches("sanitizer: address\n").count(), 2, "{workflow}");
    assert!(workflow.contains("language: rust\n") && workflow.contains("mode: code-change\n"), "{workflow}");
}
