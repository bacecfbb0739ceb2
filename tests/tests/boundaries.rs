//! What must never stand in a part of the code, found by reading the sources: ARCHITECTURE.md says each of these as a sentence.
//!
//! What stands in comments, and behind `#[cfg(test)]` at the end of a file, does not count.

use std::path::{Path, PathBuf};

/// Words, and the files or folders in which alone they may stand.
struct Boundary {
    says: &'static str,
    words: &'static [&'static str],
    only_in: &'static [&'static str],
}

const BOUNDARIES: &[Boundary] = &[
    Boundary {
        says: "nobody but the command line reads a clock",
        words: &["Instant", "SystemTime"],
        only_in: &["sim/src/cli"],
    },
    Boundary {
        says: "threads are for many runs, for shrinking, for what goes on from a run, and for the command line; there is none inside a world or a node",
        words: &["std::thread", "rayon"],
        only_in: &[
            "sim/src/campaign",
            "sim/src/cli",
            "sim/src/explain/shrink",
            "sim/src/explain/why",
            "sim/src/input.rs",
            "sim/src/planted.rs",
        ],
    },
    Boundary { says: "nothing is kept in the order of a hash", words: &["HashMap", "HashSet"], only_in: &[] },
    Boundary {
        says: "nobody but the command line asks the system for randomness, for a seed that it prints",
        words: &["RandomState", "getrandom", "thread_rng", "os_rng"],
        only_in: &["sim/src/cli/drawn.rs"],
    },
    Boundary { says: "no decision rests on a float", words: &["f32", "f64"], only_in: &["sim/src/cli"] },
    Boundary {
        says: "random numbers come from seeded streams: those of plans and drivers, of a scenario that names its seed, the \
               election timeouts of a node, and those of the suite that tests storages",
        words: &["ChaCha", "rand_chacha"],
        only_in: &[
            "raft/src/rng.rs",
            "raft/storage-suite/src/draws.rs",
            "sim/src/random.rs",
            "sim/src/script/environment/run.rs",
        ],
    },
];

/// What stands below the folders of sources: each line that says something, with its file.
fn lines() -> Vec<(String, usize, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = ["raft/src", "raft/wal/src", "raft/storage-suite/src", "sim/src"];
    let files = folders.iter().flat_map(|folder| files(&root.join(folder)));
    files
        .flat_map(|file| {
            let name = file.strip_prefix(&root).expect("it is below the root").to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&file).expect("a source can be read");
            let lines = text.lines().take_while(|line| *line != "#[cfg(test)]").enumerate();
            let says = lines.filter(|(_, line)| !line.trim_start().starts_with("//"));
            says.map(|(number, line)| (name.clone(), number + 1, line.to_owned())).collect::<Vec<_>>()
        })
        .collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder of sources can be read");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry of it too").path()).collect();
    paths.sort();
    paths.retain(|path| !matches!(path.file_stem().and_then(|name| name.to_str()), Some("tests" | "testing")));
    let (folders, mut files): (Vec<PathBuf>, Vec<PathBuf>) = paths.into_iter().partition(|path| path.is_dir());
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files.extend(folders.iter().flat_map(|folder| self::files(folder)));
    files
}

/// Whether a word stands in a line, and not as a part of another.
fn names(line: &str, word: &str) -> bool {
    let is_part = |character: Option<char>| character.is_some_and(|character| character.is_alphanumeric());
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (line[..at].chars().next_back(), line[at + word.len()..].chars().next());
        !is_part(before) && (!is_part(after) || word.starts_with("ChaCha"))
    })
}

#[test]
fn what_must_not_be_in_a_part_of_the_code_is_not_there() {
    let lines = lines();
    for Boundary { says, words, only_in } in BOUNDARIES {
        let is_outside = |file: &str| !only_in.iter().any(|place| file.starts_with(place));
        let crossed: Vec<String> = lines
            .iter()
            .filter(|(file, _, line)| is_outside(file) && words.iter().any(|word| names(line, word)))
            .map(|(file, number, line)| format!("{file}:{number}: {}", line.trim()))
            .collect();
        assert!(crossed.is_empty(), "{says}; but there is\n{}", crossed.join("\n"));
    }
}

#[test]
fn each_place_that_is_excepted_needs_its_exception() {
    let lines = lines();
    for Boundary { says, words, only_in } in BOUNDARIES {
        for place in *only_in {
            let needs = |(file, _, line): &(String, usize, String)| {
                file.starts_with(place) && words.iter().any(|word| names(line, word))
            };
            assert!(lines.iter().any(needs), "{says}: {place} is excepted, and has no need of it");
        }
    }
}

#[test]
fn a_word_is_found_by_itself_only() {
    assert!(names("let now = Instant::now();", "Instant"));
    assert!(names("ChaCha8Rng::seed_from_u64(1)", "ChaCha"));
    assert!(!names("Instantaneous", "Instant"));
    assert!(!names("let f640 = 1;", "f64"));
}

/// A boundary of which the document says nothing is known to nobody.
#[test]
fn architecture_says_each_boundary() {
    let document = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../ARCHITECTURE.md"));
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let document = words(&document.expect("there is one"));
    for Boundary { says, .. } in BOUNDARIES {
        assert!(document.contains(&words(says)), "ARCHITECTURE.md does not say: {says}");
    }
}
