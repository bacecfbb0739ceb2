//! Nothing imports upwards: which folder of `sim/src` and of `raft/src` may use which, and that no files use each other in a circle.
//!
//! A folder may use those that its row names, all of which stand above it in the table. A row that names more than is used is wrong
//! too, so that the tables say how it is. Where a test here fails, ask who owns the decision: mostly a type has to move down into a
//! file of its own, or what decides has to move up.

mod house;

use std::collections::BTreeSet;
use std::path::Path;

use house::{House, Module, circles};

/// A folder, or a file that stands beside the folders, and what it may use.
type Row = (&'static str, &'static [&'static str]);

/// The simulator, from the ground up.
const SIM: &[Row] = &[
    // The ground: small things that know nothing of Raft.
    ("few", &[]),
    ("input", &[]),
    ("number", &[]),
    ("output", &[]),
    ("panics", &[]),
    ("random", &[]),
    ("slots", &[]),
    ("spelling", &[]),
    ("state_hasher", &[]),
    ("shared", &["state_hasher"]),
    ("text", &[]),
    // What is looked at and counted: the planted bugs, the situations of coverage, the properties over plain views.
    ("planted", &["spelling"]),
    ("situation", &[]),
    ("invariant", &["few", "number", "shared", "slots"]),
    // What a cluster keeps, as a user brings it.
    ("application", &[]),
    // What clients may see.
    ("history", &["application", "invariant", "number", "slots", "text"]),
    // The modelled disk, on which the log of a node is.
    ("disk", &["number", "state_hasher"]),
    // A cluster as one deterministic value: events go in, outcomes come out. It chooses nothing.
    (
        "world",
        &[
            "application",
            "disk",
            "history",
            "invariant",
            "number",
            "planted",
            "random",
            "shared",
            "situation",
            "slots",
            "state_hasher",
            "text",
        ],
    ),
    ("pulse", &["world"]),
    // What a seed decides before a run.
    ("plan", &["history", "number", "random", "world"]),
    // A run as data: the format, read and written.
    ("trace", &["input", "invariant", "number", "output", "world"]),
    // What chooses the next event, a replay and the judgement of liveness included.
    ("driver", &["disk", "history", "invariant", "panics", "plan", "planted", "pulse", "random", "trace", "world"]),
    // The language of scenarios, and what plays them.
    ("script", &["disk", "driver", "history", "input", "panics", "planted", "situation", "spelling", "trace", "world"]),
    // What makes a failure plain: shrunk, told as a scenario, shown.
    (
        "explain",
        &[
            "application",
            "disk",
            "driver",
            "history",
            "invariant",
            "number",
            "plan",
            "planted",
            "script",
            "spelling",
            "trace",
            "world",
        ],
    ),
    // What is typed, line by line, and what it leads to.
    ("session", &["disk", "driver", "explain", "planted", "script", "trace", "world"]),
    // Many runs: exploring seeds, hunting planted bugs.
    (
        "campaign",
        &["driver", "explain", "invariant", "number", "plan", "planted", "pulse", "situation", "trace", "world"],
    ),
    // What fuzzers call.
    ("harness", &["disk", "driver", "invariant", "script", "trace", "world"]),
    // The command line.
    (
        "cli",
        &[
            "campaign",
            "driver",
            "explain",
            "harness",
            "input",
            "invariant",
            "output",
            "plan",
            "planted",
            "pulse",
            "script",
            "session",
            "situation",
            "trace",
            "world",
        ],
    ),
];

/// The node, from the ground up.
const RAFT: &[Row] = &[
    ("planted", &[]),
    // Plain values that everything speaks of.
    ("types", &[]),
    ("number", &["types"]),
    ("quorum", &["planted", "types"]),
    ("membership", &["planted", "quorum", "types"]),
    ("snapshot", &["membership", "types"]),
    ("message", &["snapshot", "types"]),
    // What goes to the host and comes back, and where the log is kept.
    ("ready", &["message", "snapshot", "types"]),
    ("storage", &["membership", "ready", "snapshot", "types"]),
    // What is refused, and what a node runs with.
    ("error", &["membership", "storage", "types"]),
    ("config", &["error", "planted", "types"]),
    ("rng", &["config", "planted", "types"]),
    ("codec", &["membership", "message", "snapshot", "types"]),
    // The parts of the state machine.
    ("log", &["membership", "planted", "snapshot", "storage", "types"]),
    ("progress", &["planted", "types"]),
    ("status", &["membership", "progress", "types"]),
    // What a node says of itself: as etcd prints it, and to whoever listens.
    ("describe", &["membership", "message", "ready", "snapshot", "status", "types"]),
    ("events", &["error", "membership", "types"]),
    // The state machine.
    (
        "raft",
        &[
            "config",
            "error",
            "events",
            "log",
            "membership",
            "message",
            "planted",
            "progress",
            "quorum",
            "ready",
            "rng",
            "snapshot",
            "storage",
            "types",
        ],
    ),
    // A node without threads, and then one with them.
    (
        "raw_node",
        &[
            "config",
            "error",
            "membership",
            "message",
            "planted",
            "progress",
            "raft",
            "ready",
            "status",
            "storage",
            "types",
        ],
    ),
    (
        "node",
        &["config", "error", "membership", "message", "planted", "raw_node", "ready", "status", "storage", "types"],
    ),
];

fn sim() -> House {
    House::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../sim/src"), "sim")
}

fn raft() -> House {
    House::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../raft/src"), "raft")
}

/// Each folder uses what its row names, no more and no less.
fn stands_as_in(house: &House, table: &[Row]) {
    let mut wrong = Vec::new();
    let mut used: BTreeSet<(String, String)> = BTreeSet::new();
    for (file, others) in house.uses() {
        for other in others {
            let (Some(folder), Some(below)) = (file.first(), other.first()) else { continue };
            let allowed = table.iter().find(|(name, _)| name == folder).map(|(_, allowed)| *allowed);
            if folder != below && !allowed.is_some_and(|allowed| allowed.contains(&below.as_str())) {
                wrong.push(format!("{} uses {}, which {folder} may not use", shown(&file), shown(&other)));
            }
            used.insert((folder.clone(), below.clone()));
        }
    }
    for (folder, allowed) in table {
        let unused = allowed.iter().filter(|below| !used.contains(&(folder.to_string(), below.to_string())));
        wrong.extend(unused.map(|below| format!("{folder} does not use {below}, and its row says that it may")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn has_no_circle(house: &House) {
    let uses = house.uses();
    let circles = circles(&uses);
    let told = circles.iter().map(|circle| {
        let lines = circle.iter().map(|file| {
            let others: Vec<String> = uses[file].intersection(circle).map(shown).collect();
            format!("  {} uses {}\n", shown(file), others.join(", "))
        });
        format!("files use each other in a circle:\n{}", lines.collect::<String>())
    });
    assert!(circles.is_empty(), "{}", told.collect::<String>());
}

fn shown(module: &Module) -> String {
    module.join("/")
}

#[test]
fn every_row_names_only_what_stands_above_it() {
    for table in [SIM, RAFT] {
        for (position, (folder, allowed)) in table.iter().enumerate() {
            let above: Vec<&str> = table[..position].iter().map(|(name, _)| *name).collect();
            let below: Vec<&&str> = allowed.iter().filter(|name| !above.contains(*name)).collect();
            assert!(below.is_empty(), "{folder} may use {below:?}, which does not stand above it");
        }
    }
}

#[test]
fn the_folders_of_sim_use_what_their_rows_name() {
    stands_as_in(&sim(), SIM);
}

#[test]
fn the_folders_of_raft_use_what_their_rows_name() {
    stands_as_in(&raft(), RAFT);
}

#[test]
fn no_files_of_sim_use_each_other_in_a_circle() {
    has_no_circle(&sim());
}

#[test]
fn no_files_of_raft_use_each_other_in_a_circle() {
    has_no_circle(&raft());
}

#[test]
fn no_files_of_the_durable_log_use_each_other_in_a_circle() {
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../raft");
    has_no_circle(&House::read(&packages.join("wal/src"), "raft_wal"));
    has_no_circle(&House::read(&packages.join("storage-suite/src"), "raft_storage_suite"));
}

/// Three files, where `queue` plans `clocks::Trouble`, which the folder hands on, and `clocks` uses the queue.
#[test]
fn a_circle_is_found_past_a_folder_that_hands_on_what_is_used_and_not_in_tests() {
    let sources = Path::new(env!("CARGO_TARGET_TMPDIR")).join("circle");
    let write = |file: &str, text: &str| {
        let path = sources.join(file);
        std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder can be made");
        std::fs::write(path, text).expect("a file can be written");
    };
    write("swarm/mod.rs", "mod clocks;\nmod queue;\npub use self::clocks::Trouble;\n");
    write("swarm/clocks.rs", "use super::queue::Queue;\npub struct Trouble;\npub fn plan(_: &mut Queue) {}\n");
    write("swarm/queue.rs", "pub struct Queue(super::Trouble);\n");
    write("lib.rs", "pub mod swarm;\n");
    let found = circles(&House::read(&sources, "sim").uses());
    let circle: Vec<String> = found.iter().flatten().map(shown).collect();
    assert_eq!(circle, ["swarm/clocks", "swarm/queue"]);

    write("swarm/queue.rs", "pub struct Queue;\n#[cfg(test)]\nmod tests {\n    use super::super::Trouble;\n}\n");
    assert!(circles(&House::read(&sources, "sim").uses()).is_empty());
}
