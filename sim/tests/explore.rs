//! `sim explore` and `sim --seed`, as they are used: how failures are told, kept and followed up, and how they end.

use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

fn command(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    command.args(arguments).current_dir(folder.path()).env_remove("CARGO_PKG_NAME");
    command
}

fn sim(folder: &TempDir, arguments: &[&str]) -> Output {
    command(folder, arguments).output().expect("the simulator starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// The exit status, and what was printed on both ways.
fn said(folder: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    let output = sim(folder, arguments);
    (output.status.code().expect("an exit status"), text(&output.stdout), text(&output.stderr))
}

fn lines(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn digest(out: &str) -> String {
    out.rsplit("digest ").next().map(|rest| rest.split_whitespace().next().unwrap_or_default().to_owned()).unwrap()
}

const SHORT: [&str; 3] = ["--steps", "300", "--no-settle"];

fn explore(arguments: &[&str]) -> Vec<String> {
    [&["explore"][..], &SHORT, arguments].concat().into_iter().map(str::to_owned).collect()
}

fn explored(folder: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    let arguments = explore(arguments);
    said(folder, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_range_that_nobody_can_run_ends_when_the_time_is_over() {
    let (code, out, error) = explored(&folder(), &["--seeds", "0..1000000000000", "--time", "1"]);
    assert_eq!(code, 0, "{error}");
    let seeds: u64 = out.lines().last().and_then(|line| line.split(' ').next()?.parse().ok()).expect("a count");
    assert!((1..1_000_000_000).contains(&seeds), "{out}");
}

#[test]
fn the_digest_is_the_same_however_many_run_at_once_and_for_each_seed_twice() {
    let folder = folder();
    let of = |arguments: &[&str]| {
        let (code, out, error) = explored(&folder, &[&["--seeds", "0..30"], arguments].concat());
        assert_eq!(code, 0, "{error}");
        digest(&out)
    };
    assert_eq!(of(&["--jobs", "1"]), of(&["--jobs", "7"]));
    assert_eq!(of(&["--jobs", "1"]), of(&["--determinism"]));
    assert_ne!(of(&["--shard", "1/2"]), of(&["--shard", "2/2"]));
}

#[test]
fn determinism_has_json_and_situations_and_ends_when_the_time_is_over() {
    let folder = folder();
    let (code, out, error) =
        explored(&folder, &["--determinism", "--seeds", "0..1000000000000", "--time", "1", "--json"]);
    assert_eq!(code, 0, "{error}");
    let summary = lines(&out).pop().expect("a summary");
    assert_eq!((&summary["run_twice"], &summary["failures"]), (&true.into(), &0.into()), "{summary}");
    assert!(summary["situations"].as_object().is_some_and(|all| all.len() > 100), "{summary}");
    let (code, out, _) = explored(&folder, &["--determinism", "--seeds", "0..3", "--situations"]);
    assert_eq!(code, 0);
    assert!(out.contains("times     seeds  situation") && out.contains("3 seeds run twice, 0 failures"), "{out}");
}

#[test]
fn nothing_checked_is_not_all_held() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    std::fs::write(folder.path().join("no-command.txt"), "# nothing\n").unwrap();
    std::fs::write(folder.path().join("no-event.jsonl"), {
        let header = sim::trace::Header::new(None);
        let none = sim::trace::Trace { header, events: Vec::new(), ending: sim::trace::Ending::Completed };
        none.write(Vec::new()).unwrap()
    })
    .unwrap();
    let cases: [(&[&str], &str); 15] = [
        (&["explore", "--seeds", "0..5", "--time", "0"], "in no time nothing would be checked"),
        (&["explore", "--seeds", "0..5", "--time", "0h"], "in no time nothing would be checked"),
        (&["explore", "--seeds", "0..5", "--shard", "6/9"], "no seed of 0..5 belongs to the shard 6/9"),
        (&["explore", "--seeds", "0..5", "--shard", "6/9", "--determinism"], "belongs to the shard"),
        (&["explore", "--seeds", "5..5"], "a range of seeds is A..B"),
        (&["scenario", "--check", "empty"], "empty: there is no scenario (*.txt) in it"),
        (&["scenario", "empty"], "empty: there is no scenario (*.txt) in it"),
        (&["scenario", "no-command.txt"], "no-command.txt: holds no command"),
        (&["scenario", "--check", "no-command.txt"], "no-command.txt: holds no command"),
        (&["conform", "empty"], "empty: there is no transcript (*.txt) in it"),
        (&["scenario", "missing.txt"], "missing.txt: "),
        (&["situations", "missing.txt"], "missing.txt: "),
        (&["conform", "missing.txt"], "missing.txt: "),
        (&["replay", "no-event.jsonl"], "no-event.jsonl: holds no event"),
        (&["fuzz", "seeds", "-o", "made"], "no inputs are made"),
    ];
    for (arguments, what) in cases {
        let (code, out, error) = said(&folder, arguments);
        assert_eq!((code, error.contains(what)), (2, true), "{arguments:?}: {out}{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    let (code, out, _) = said(&folder, &["conform", "no-command.txt"]);
    assert_eq!((code, out.contains("holds no command")), (1, true), "{out}");
}

#[test]
fn more_threads_than_are_of_use_are_not_started_and_that_is_said() {
    let (code, _, error) = explored(&folder(), &["--seeds", "0..2", "--jobs", "18446744073709551615"]);
    assert_eq!(code, 0, "{error}");
    assert!(error.contains("18446744073709551615 at once are more than this machine has a use for"), "{error}");
}

#[test]
fn a_seed_that_is_not_given_is_drawn_and_printed() {
    let folder = folder();
    let (code, first, error) = said(&folder, &["--steps", "200", "--no-settle"]);
    assert_eq!(code, 0, "{error}");
    let again = first.lines().find(|line| line.contains(" is this run again")).expect("what to type").to_owned();
    let seed = again.split("--seed ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a seed");
    assert!(again.contains(" --steps 200 --no-settle "), "{again}");
    let (_, second, _) = said(&folder, &["--seed", seed, "--steps", "200", "--no-settle"]);
    assert_eq!(digest(&first.replace("digest     ", "digest ")), digest(&second.replace("digest     ", "digest ")));
    let (_, third, _) = said(&folder, &["--steps", "200", "--no-settle"]);
    assert_ne!(first, third);
}

#[test]
fn the_properties_are_listed_with_their_meaning_and_source() {
    let folder = folder();
    let (code, out, _) = said(&folder, &["properties"]);
    assert_eq!(code, 0);
    assert!(out.contains("vote-once\n    a node votes once a term") && out.contains("\n    paper, figure 2"), "{out}");
    let (_, out, _) = said(&folder, &["properties", "--json"]);
    let all = lines(&out);
    assert_eq!(all.len(), sim::trace::Property::all().count());
    assert!(all.iter().all(|one| ["property", "meaning", "source"].iter().all(|name| one[name].is_string())), "{out}");
    assert!(["liveness", "panic", "hang"].iter().all(|name| all.iter().any(|one| one["property"] == *name)));
}

/// A run that goes on until it is asked to end.
#[cfg(unix)]
mod interrupted {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Child, Stdio};

    use super::*;

    fn started(folder: &TempDir, arguments: &[&str]) -> Child {
        let mut command = command(folder, arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the simulator starts")
    }

    fn interrupt(child: &Child) {
        let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(killed.expect("kill is there").success());
    }

    /// Reads on to the end; what was read.
    fn rest(mut from: impl Read) -> String {
        let mut text = String::new();
        from.read_to_string(&mut text).expect("text");
        text
    }

    #[test]
    fn seeds_from_a_drawn_one_on_run_until_somebody_interrupts_and_are_summed_up() {
        let folder = folder();
        let mut child = started(&folder, &["explore", "--steps", "100", "--no-settle"]);
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut first = String::new();
        out.read_line(&mut first).expect("a line");
        assert!(first.starts_with("seeds from ") && first.contains("until one fails or ^C"), "{first}");
        interrupt(&child);
        let summary = rest(&mut out);
        assert_eq!(child.wait().expect("it ends").code(), Some(0), "{summary}");
        assert!(summary.contains(" seeds, 0 failures; ") && summary.contains("; digest "), "{summary}");
    }

    #[test]
    fn an_interrupted_exploration_prints_its_summary_as_json_too() {
        let folder = folder();
        let mut child = started(&folder, &["explore", "--steps", "100", "--no-settle", "--json"]);
        let mut error = BufReader::new(child.stderr.take().expect("piped"));
        let mut first = String::new();
        error.read_line(&mut first).expect("a line");
        assert!(first.starts_with("seeds from "), "{first}");
        interrupt(&child);
        let out = rest(child.stdout.take().expect("piped"));
        assert_eq!(child.wait().expect("it ends").code(), Some(0), "{out}");
        assert_eq!(lines(&out).pop().expect("a summary")["failures"], 0, "{out}");
    }

    #[cfg(feature = "planted-bugs")]
    #[test]
    fn a_failure_is_told_when_it_is_found_and_a_second_interrupt_ends_at_once() {
        let folder = folder();
        let all = ["explore", "--seeds", "0..1000000000000", "--bug", "vote-double-grant", "--json"];
        let mut child = started(&folder, &all);
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut first = String::new();
        out.read_line(&mut first).expect("a line");
        assert_eq!(lines(&first)[0]["property"], "vote-once", "{first}");
        interrupt(&child);
        let summary = lines(&rest(&mut out)).pop().expect("a summary");
        assert_eq!(child.wait().expect("it ends").code(), Some(1));
        assert!(summary["failures"].as_u64().is_some_and(|failures| failures > 0), "{summary}");

        let mut child = started(&folder, &["explore", "--bug", "endless-loop"]);
        let (out, error) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).expect("a line");
        interrupt(&child);
        // What is at work never ends, so this waits.
        BufReader::new(error).read_line(&mut line).expect("a line");
        assert!(line.contains("no further seed begins; "), "{line}");
        interrupt(&child);
        assert_eq!(child.wait().expect("it ends").code(), Some(130));
    }
}

#[cfg(feature = "planted-bugs")]
mod planted {
    use std::path::Path;

    use super::*;

    const BUG: [&str; 2] = ["--bug", "vote-double-grant"];

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .map(|all| all.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect())
            .unwrap_or_default();
        names.sort();
        names
    }

    #[test]
    fn failures_are_grouped_by_property_and_the_shortest_traces_are_kept_where_asked_for() {
        let folder = folder();
        let all = ["explore", "--seeds", "0..40", "--steps", "3000", "--no-settle", "--out", "the failures"];
        let (code, out, error) = said(&folder, &[&all[..], &BUG].concat());
        assert_eq!((code, &*error), (1, ""), "{out}");
        assert!(out.lines().any(|line| line.starts_with("seed ") && line.contains(": vote-once at step ")), "{out}");
        assert!(out.contains("\nBROKEN     vote-once, by ") && out.contains("\nmeaning    a node votes once"), "{out}");
        assert!(out.contains("\nsource     paper, figure 2"), "{out}");
        let kept = names(&folder.path().join("the failures"));
        let traces = kept.iter().filter(|name| name.starts_with("violation-"));
        assert_eq!(traces.count(), 3, "{out}");
        // The commands are right as they are printed.
        let next: Vec<&str> = out.lines().skip_while(|line| !line.starts_with("next ")).collect();
        assert_eq!(next.len(), 3, "{out}");
        for command in next {
            let command = command[11..].replace(" show ", " show --to 3 ").replace(" shrink ", " shrink --seconds 2 ");
            let done = Command::new("sh").args(["-c", &command]).current_dir(folder.path()).output().expect("a shell");
            assert_eq!(done.status.code(), Some(0), "{command}: {}", text(&done.stderr));
        }
        assert!(names(&folder.path().join("the failures")).len() >= 5);
    }

    #[test]
    fn the_summary_as_json_says_the_same() {
        let folder = folder();
        let all = ["explore", "--seeds", "0..6", "--steps", "3000", "--no-settle", "--json"];
        let (code, out, _) = said(&folder, &[&all[..], &BUG].concat());
        assert_eq!(code, 1);
        let mut lines = lines(&out);
        let summary = lines.pop().expect("a summary");
        assert_eq!(lines.len() as u64, summary["failures"].as_u64().unwrap());
        assert!(lines.iter().all(|line| line["seed"].is_string()), "seeds are text: {out}");
        let broken = &summary["broken"][0];
        assert_eq!(
            (&broken["property"], &broken["source"]),
            (&"vote-once".into(), &"paper, figure 2 and 5.4.1".into())
        );
        assert_eq!(broken["shortest"][0]["trace"], summary["begin_with"]);
        assert!(broken["shortest"][0]["seed"].is_string() && lines[0]["seed"].is_string(), "{out}");
        assert!(folder.path().join(summary["begin_with"].as_str().unwrap()).is_file(), "{summary}");
        assert!(summary["next"][0].as_str().unwrap().contains(" shrink violation-"), "{summary}");
    }

    #[test]
    fn seeds_from_a_drawn_one_on_end_with_the_first_that_fails() {
        let folder = folder();
        let (code, out, _) = said(&folder, &["explore", "--bug", "ack-before-durable"]);
        assert_eq!(code, 1, "{out}");
        assert!(out.starts_with("seeds from ") && out.contains("\nBROKEN     "), "{out}");
    }

    #[test]
    fn a_violation_is_told_even_where_its_trace_cannot_be_written() {
        let folder = folder();
        std::fs::write(folder.path().join("file"), "").unwrap();
        std::fs::create_dir(folder.path().join("violation-0.jsonl")).unwrap();
        std::fs::create_dir_all(folder.path().join("made/violation-0.jsonl")).unwrap();
        std::fs::create_dir_all(folder.path().join("made/violation-1.jsonl")).unwrap();
        let seed = [&["--seed", "0", "--steps", "3000", "--no-settle"][..], &BUG].concat();
        let many = [&["explore", "--seeds", "0..2", "--steps", "3000", "--no-settle"][..], &BUG].concat();
        let cases = [
            seed.clone(),
            [&seed[..], &["--trace", "no/such/folder/t.jsonl"]].concat(),
            [&seed[..], &["--trace", "/dev/full"]].concat(),
            [&many[..], &["--out", "made"]].concat(),
            many.clone(),
        ];
        for arguments in cases {
            let (code, out, error) = said(&folder, &arguments);
            assert_eq!(code, 1, "{arguments:?}: {out}{error}");
            assert!(out.contains("vote-once at step "), "{arguments:?}: {out}{error}");
            assert!(out.contains("trace      none: ") || out.contains("no trace: "), "{arguments:?}: {out}{error}");
        }
        let (code, out, error) = said(&folder, &[&many[..], &["--out", "file/in/it"]].concat());
        assert_eq!((code, &*out, error.starts_with("error: file/in/it: ")), (2, "", true), "nothing was run: {error}");
        let (code, out, error) = said(&folder, &["--seed", "1", "--steps", "100", "--trace", "no/such/t.jsonl"]);
        assert_eq!((code, out.contains("digest")), (2, true), "{error}");
    }

    #[test]
    fn a_failure_says_what_it_means_and_what_to_type_next_however_it_is_looked_at() {
        let folder = folder();
        let meaning = "meaning    a node votes once a term, for a candidate whose log is at least as up to date.\n";
        let seed = [&["--seed", "0", "--steps", "3000", "--no-settle"][..], &BUG].concat();
        let looks: [(&[&str], i32, &str); 5] = [
            (&seed, 1, " shrink violation-0.jsonl -o violation-0-short.jsonl\n"),
            (&["replay", "violation-0.jsonl"], 1, " shrink violation-0.jsonl -o violation-0-short.jsonl\n"),
            (&["shrink", "violation-0.jsonl", "-o", "s.jsonl", "--seconds", "3"], 0, " show s.jsonl\n"),
            (&["show", "s.jsonl"], 0, " report s.jsonl -o s.html\n"),
            (&["report", "s.jsonl", "-o", "s.html"], 0, " scenario --from-trace s.jsonl -o s.txt\n"),
        ];
        for (arguments, expected, next) in looks {
            let (code, out, error) = said(&folder, arguments);
            assert_eq!(code, expected, "{arguments:?}: {error}");
            assert!(out.contains(meaning) && out.contains("\nsource     paper, figure 2"), "{arguments:?}: {out}");
            assert!(out.contains("\nnext       ") && out.contains(next), "{arguments:?}: {out}");
            let same = format!(" {} {}", arguments[0], arguments[1]);
            assert!(!out.contains(&same), "not what was just done: {out}");
        }
        let (code, _, error) =
            said(&folder, &["shrink", "violation-0.jsonl", "-o", "t.jsonl", "--seconds", "18446744073709551615"]);
        assert_eq!(code, 0, "{error}");
    }

    #[test]
    fn a_replay_whose_violation_is_gone_says_so() {
        let folder = folder();
        let seed = [&["--seed", "0", "--steps", "3000", "--no-settle", "--trace", "t.jsonl"][..], &BUG].concat();
        said(&folder, &seed);
        let path = folder.path().join("t.jsonl");
        let without = std::fs::read_to_string(&path).unwrap().replacen(r#""bug":"vote-double-grant","#, "", 1);
        std::fs::write(&path, without).unwrap();
        let (code, out, error) = said(&folder, &["replay", "t.jsonl"]);
        assert_eq!(code, 0, "{out}{error}");
        assert!(out.contains("what was recorded to break is gone\nrecorded was vote-once violated at step "), "{out}");
        assert!(!out.contains("diverged"), "{out}");
    }

    #[test]
    fn a_panic_keeps_its_place_and_prints_no_noise() {
        let folder = folder();
        let (code, out, error) = said(&folder, &["explore", "--seeds", "3..4", "--bug", "assertion"]);
        assert_eq!((code, &*error), (1, ""), "{out}");
        assert!(out.contains("seed 3: a panic: the planted assertion fails (sim/src/planted.rs:"), "{out}");
        let trace = std::fs::read_to_string(folder.path().join("violation-3.jsonl")).unwrap();
        assert!(trace.lines().last().unwrap().contains("sim/src/planted.rs:"), "{trace}");
        let (code, out, _) = said(&folder, &["replay", "violation-3.jsonl"]);
        assert_eq!(
            (code, out.contains("as recorded\nmeaning    nothing in the code under test panics")),
            (1, true),
            "{out}"
        );
    }

    #[test]
    fn a_seed_that_hangs_is_named_recorded_and_ends_the_exploration() {
        let folder = folder();
        let hang = ["--bug", "endless-loop", "--hang-after", "1s"];
        let all = [&["explore", "--seeds", "5..1000000000000", "--nodes", "3", "--jobs", "2"][..], &hang].concat();
        let (code, out, error) = said(&folder, &all);
        assert_eq!(code, 1, "{out}{error}");
        assert!(
            error.contains("seed 5 hangs: no event has ended for 1 s, after 700 events; to record it: "),
            "{error}"
        );
        assert!(error.contains(" --seed 5 --nodes 3 --bug endless-loop --trace 5.jsonl\n"), "{error}");
        assert!(out.contains("\nBROKEN     hang, by 2 seeds\nmeaning    every event ends"), "{out}");
        let (code, out, error) =
            said(&folder, &[&["--seed", "5", "--nodes", "3", "--trace", "5.jsonl"][..], &hang].concat());
        assert_eq!(code, 1, "{out}{error}");
        assert!(out.contains("HANG       a hang: the event {"), "{out}");
        for name in ["5.jsonl", "violation-5.jsonl"] {
            let trace = sim::trace::Trace::open(&folder.path().join(name)).unwrap();
            assert_eq!(trace.events.len(), 700);
            assert!(matches!(trace.ending, sim::trace::Ending::Hang(Some(_))), "{:?}", trace.ending);
        }
        let (code, out, _) = said(&folder, &["replay", "5.jsonl", "--hang-after", "1"]);
        assert_eq!(
            (code, out.contains("at step 700: a hang: ") && out.contains(" never ends, as recorded")),
            (1, true),
            "{out}"
        );
        let (code, out, _) = said(&folder, &["show", "5.jsonl", "--from", "698"]);
        assert_eq!((code, out.contains("recorded was a hang: ")), (0, true), "{out}");
        assert_eq!(said(&folder, &["report", "5.jsonl", "-o", "5.html"]).0, 0);
        let (code, _, error) = said(&folder, &["shrink", "5.jsonl", "-o", "s.jsonl"]);
        assert_eq!((code, error.contains("the run hangs")), (2, true), "{error}");
        let without = std::fs::read_to_string(folder.path().join("5.jsonl")).unwrap();
        std::fs::write(folder.path().join("5.jsonl"), without.replacen(r#""bug":"endless-loop","#, "", 1)).unwrap();
        let (code, out, _) = said(&folder, &["replay", "5.jsonl"]);
        assert_eq!((code, out.contains("is gone\nrecorded was a hang: ")), (0, true), "{out}");
    }
}
