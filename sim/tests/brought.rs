//! What users bring goes through all of it: run, found out, shrunk, told, and played again.

#[allow(dead_code, reason = "an example is a program, and its main is not called here")]
#[path = "../examples/bank.rs"]
mod bank;
#[allow(dead_code, reason = "an example is a program, and its main is not called here")]
#[path = "../examples/own_log.rs"]
mod own_log;
#[allow(dead_code, reason = "an example is a program, and its main is not called here")]
#[path = "../examples/own_loop.rs"]
mod own_loop;

use own_log::{Mistake, OwnLog};
use sim::application::Application;
use sim::campaign::sweep::{Sweep, Unwatched, sweep_in};
use sim::driver::swarm::run_in;
use sim::driver::{Replayed, replay_in};
use sim::explain::{View, show_in};
use sim::history::Operation;
use sim::invariant::{Invariant, Violation};
use sim::plan::{Overrides, Plan};
use sim::random::Stream;
use sim::script::{play, play_in, record_in};
use sim::trace::{Ending, Property, Reader};
use sim::wal::{Checkpoint, DiskError, Files, RecoveryError, Write};
use sim::world::{Appender, Client, KeyValue, Log, LogContents, ProjectLog, Setup, World};

#[test]
fn the_bank_keeps_its_money() {
    let world = bank::world(false);
    for seed in 1..4 {
        assert_eq!(bank::run(&world, seed).ending, Ending::Completed, "seed {seed}");
    }
}

#[test]
fn a_snapshot_that_forgets_transfers_is_found_shrunk_and_told_as_a_scenario() {
    let world = bank::world(true);
    let (_, short, scenario) = bank::found(&world, 1).expect("some seed fails");
    assert!(short.events.len() < 60, "{} events", short.events.len());
    let Ending::Violation(violation) = &short.ending else { panic!("{}", short.ending) };
    assert_eq!(violation.invariant.name(), "money-is-kept");

    let played = play_in(&world, &scenario);
    assert!(played.failure.is_some_and(|failure| failure.to_string().contains("money-is-kept")), "{scenario}");
    assert!(scenario.contains("request"), "{scenario}");
    assert_eq!(play_in(&bank::world(false), &scenario).failure, None, "without the flaw nothing breaks");

    // The trace replays, and can be read without the bank as well.
    let written = short.write_in(&world, Vec::new()).unwrap();
    let read = || Reader::new(&written[..], "here").unwrap();
    assert!(matches!(replay_in(&world, read()).unwrap(), Replayed::Broken { .. }));
    assert!(String::from_utf8_lossy(&written).contains(r#"{"user-defined":"money-is-kept"}"#));
    let mut table = Vec::new();
    show_in(&World::new(), read(), View::default(), &mut table).unwrap();
    let table = String::from_utf8(table).unwrap();
    assert!(table.contains("takes no such request"), "{table}");
    assert!(table.contains("money-is-kept violated"), "{table}");
    assert!(play(&scenario).failure.is_some(), "whoever has no bank cannot play it");
}

/// Writes and reads a few keys, each of which is searched.
#[derive(Debug)]
struct Keys;

impl Client for Keys {
    fn draw(&self, _: u64, stream: &mut Stream) -> Operation {
        let key = stream.below(4);
        match stream.chance(300) {
            true => Operation::Query { data: format!("k{key}").into() },
            false => Operation::Request { data: format!("k{key}={}", stream.below(1000)).into() },
        }
    }

    fn key(&self, operation: &Operation) -> Option<u64> {
        let (Operation::Request { data } | Operation::Query { data }) = operation else { return None };
        data.get(1).map(|digit| u64::from(*digit))
    }
}

fn passes(world: &World, seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let plan = Plan::draw(seed, &Overrides { steps: Some(3000), ..Overrides::default() });
        assert_eq!(run_in(world, &plan, |_| {}).violation, None, "seed {seed}");
    }
}

#[test]
fn the_projects_own_application_and_log_do_on_the_seams() {
    let setup = Setup::new().application(KeyValue::default()).client(Keys).log(ProjectLog::default());
    passes(&World::with(setup), 0..20);
    passes(&World::with(Setup::new().log(ProjectLog::default())), 20..40);
}

/// Answers with what it does not hold, now and then.
#[derive(Clone, Debug, Default)]
struct Forgetful(Appender);

impl Application for Forgetful {
    fn apply(&mut self, request: &sim::application::Request<'_>) -> bytes::Bytes {
        self.0.apply(request)
    }

    fn query(&self, _: &[u8]) -> bytes::Bytes {
        self.0.snapshot().len().to_string().into()
    }

    fn snapshot(&self) -> bytes::Bytes {
        self.0.snapshot()
    }

    fn restore(&mut self, snapshot: &[u8]) {
        self.0.restore(&snapshot[..snapshot.len().min(9)]);
    }

    fn hash(&self) -> u64 {
        0
    }
}

#[test]
fn an_answer_that_the_model_does_not_give_is_a_violation() {
    let world = World::with(Setup::new().application(Forgetful::default()).client(Keys));
    let broken = (0..20).find_map(|seed| run_in(&world, &Plan::draw(seed, &Overrides::default()), |_| {}).violation);
    assert_eq!(broken.expect("answers are wrong").invariant, Invariant::Linearizability);
}

#[test]
fn a_log_with_a_mistake_is_broken_within_a_hundred_seeds_by_the_promise_that_it_breaks_and_one_without_is_not() {
    let broken = |mistake| own_log::explored(Some(mistake), 100).unwrap().broken;
    let promise = Property::Holds(Invariant::DurableBeforeSend);
    for mistake in [Mistake::NoFsync, Mistake::NoChecksum, Mistake::RemovesFirst] {
        let broken = broken(mistake);
        assert!(broken.contains_key(&promise), "{mistake:?}: {:?}", broken.keys());
        assert!(!broken.contains_key(&Property::Holds(Invariant::LogMatching)), "{mistake:?}: {broken:?}");
    }

    let repaired = own_log::explored(None, 100).unwrap();
    assert_eq!(repaired.failures(), 0, "{:?}", repaired.broken);
}

#[test]
fn every_crash_point_of_a_log_that_was_brought_is_tried() {
    // Long enough that a half of it is written, and zeros stand in for the rest.
    let long = "x".repeat(700);
    let script = format!(
        "add-nodes 3 voters=(1,2,3) index=2\ncampaign 1\nstabilize log-level=none\npropose 1 {long}\nstabilize log-level=none\n"
    );
    let swept = |mistake| {
        let world = World::with(Setup::new().log(OwnLog::new(mistake)));
        sweep_in(&world, &record_in(&world, &script).unwrap(), &Sweep::default(), &Unwatched).unwrap()
    };
    assert!(!swept(None).is_broken());
    for mistake in [Mistake::NoFsync, Mistake::NoChecksum] {
        let failures = swept(Some(mistake)).failures;
        assert!(!failures.is_empty(), "{mistake:?}");
        for ending in failures.iter().map(|found| &found.trace.ending) {
            let broken = Property::broken_by(ending);
            assert_eq!(broken, Some(Property::Holds(Invariant::DurableBeforeSend)), "{mistake:?}: {ending}");
        }
    }
}

/// The project's log, which expects that no fsync comes upon half a checkpoint, and may lose an entry when it is read back.
#[derive(Clone, Debug, Default)]
struct Strict {
    log: ProjectLog,
    loses: bool,
    is_open: bool,
}

impl Log for Strict {
    fn create(&mut self, files: &mut dyn Files, checkpoint: Checkpoint<'_>) -> Result<(), DiskError> {
        self.log.create(files, checkpoint)
    }

    fn open(&mut self, files: &mut dyn Files) -> Result<LogContents, RecoveryError> {
        let mut contents = self.log.open(files)?;
        if self.loses && contents.entries.len() > 2 {
            contents.entries.remove(1);
        }
        Ok(contents)
    }

    fn write(&mut self, files: &mut dyn Files, write: Write<'_>) -> Result<(), DiskError> {
        self.is_open = match write {
            Write::Segment => true,
            Write::HardState(_) => false,
            Write::Snapshot { .. } | Write::Entry(_) => self.is_open,
        };
        self.log.write(files, write)
    }

    fn sync(&mut self, files: &mut dyn Files) -> Result<(), DiskError> {
        assert!(!self.is_open, "half a checkpoint is made durable");
        self.log.sync(files)
    }

    fn replaced(&mut self, files: &mut dyn Files) -> Result<(), DiskError> {
        self.log.replaced(files)
    }
}

#[test]
fn a_log_that_gives_back_what_no_log_holds_breaks_its_promise() {
    let world = World::with(Setup::new().log(Strict { loses: true, ..Strict::default() }));
    let broken = (0..20).find_map(|seed| run_in(&world, &Plan::draw(seed, &Overrides::default()), |_| {}).violation);
    let violation = broken.expect("nodes restart");
    assert_eq!(violation.invariant, Invariant::DurableBeforeSend);
    assert!(violation.detail.contains("comes next"), "{violation}");
}

#[test]
fn no_fsync_comes_upon_half_a_checkpoint() {
    passes(&World::with(Setup::new().log(Strict::default())), 0..40);
}

#[test]
fn a_loop_of_ones_own_is_checked_without_a_world() {
    assert!(own_loop::Cluster::new(false).unwrap().run().is_ok());
    let broken = own_loop::Cluster::new(true).unwrap().run().unwrap_err();
    let violation = broken.downcast_ref::<Violation>().expect("a property does not hold");
    assert_eq!(violation.invariant, Invariant::DurableBeforeSend);
}
