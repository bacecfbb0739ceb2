//! Every trace of the corpus in `traces/` becomes a scenario that ends as the trace does.

use std::path::{Path, PathBuf};

use sim::driver::apply;
use sim::explain::{CannotTell, from_trace};
use sim::script::{self, Command, Environment, Played};
use sim::trace::{Ending, Trace};
use sim::world::World;

fn corpus() -> Vec<(PathBuf, Trace)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../traces");
    let files = std::fs::read_dir(folder).expect("the corpus is there").map(|entry| entry.expect("so is each").path());
    let traces = files.filter(|path| path.extension().is_none_or(|extension| extension != "md"));
    traces.map(|path| (path.clone(), Trace::open(&path).unwrap_or_else(|error| panic!("{error}")))).collect()
}

/// Each node, and what it shows.
fn states(world: &World) -> Vec<String> {
    world.replicas().map(|replica| format!("{} {} {:?}", replica.id(), replica.is_up(), replica.view())).collect()
}

#[test]
fn a_trace_that_breaks_nothing_leaves_the_nodes_as_its_scenario_does() {
    let mut told = 0;
    for (path, trace) in corpus().into_iter().filter(|(_, trace)| trace.ending == Ending::Completed) {
        let text = match from_trace(&trace) {
            Ok(text) => text,
            Err(CannotTell::TooLong(_)) => continue,
            Err(error) => panic!("{}: {error}", path.display()),
        };
        let mut world = World::new();
        trace.events.iter().for_each(|event| drop(apply(&mut world, event).expect("it runs as recorded")));
        let mut environment = Environment::new();
        for block in script::scenario(&text).expect("the scenario can be read") {
            environment.run(&Command::parse(&block).expect("and understood")).expect("and carried out");
        }
        assert_eq!(states(environment.world()), states(&world), "{}\n{text}", path.display());
        told += 1;
    }
    assert!(told > 3, "only {told} traces are short enough");
}

#[test]
fn a_trace_of_a_planted_bug_fails_as_its_scenario_does() {
    let failures = corpus().into_iter().filter_map(|(path, trace)| match trace.ending.clone() {
        Ending::Violation(violation) => Some((path, trace, violation)),
        Ending::Completed | Ending::Panic(_) | Ending::Hang(_) => None,
    });
    for (path, trace, violation) in failures {
        let told = from_trace(&trace);
        if !cfg!(feature = "planted-bugs") {
            assert!(matches!(told, Err(CannotTell::NeedsBug(_))), "{}: {told:?}", path.display());
            continue;
        }
        let text = told.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let Played { transcript, failure, needs_bug, .. } = script::play(&text);
        let failure = failure.unwrap_or_else(|| panic!("{} breaks nothing:\n{text}", path.display()));
        let said = format!("{} violated at step ", violation.invariant);
        assert!(failure.problem.starts_with(&said) && needs_bug.is_none(), "{}: {failure}\n{text}", path.display());
        assert!(transcript.trim_end().ends_with(&failure.problem), "the transcript ends with it:\n{transcript}");
        assert_eq!(failure.line, text.trim_end().lines().count(), "nothing follows the failure:\n{text}");
    }
}
