//! A host that writes a log from a script, beside a plain model of what the log then is.

use bytes::Bytes;
use proptest::prelude::*;
use raft::{ConfState, Entry, EntryId, HardState, Index, NodeId, Snapshot, Term};
use sim::disk::{Disk, Keep};
use sim::wal::{Checkpoint, Mark, Recovered, Wal, Write, plan, recover};

/// What a log holds.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct State {
    pub hard_state: HardState,
    pub snapshot: Option<Snapshot>,
    pub base: EntryId,
    pub entries: Vec<Entry>,
}

impl State {
    pub fn checkpoint(&self) -> Checkpoint<'_> {
        let Self { hard_state, snapshot, base, entries } = self;
        Checkpoint { hard_state: *hard_state, snapshot: snapshot.as_ref(), base: *base, entries }
    }

    pub fn last(&self) -> EntryId {
        self.entries.last().map_or(self.base, Entry::id)
    }

    fn follow(&mut self, write: Write<'_>) {
        match write {
            Write::Segment => {}
            Write::Snapshot { snapshot, base } => {
                (self.snapshot, self.base) = (Some(snapshot.clone()), base);
                self.entries.clear();
            }
            Write::Entry(entry) => {
                self.entries.retain(|kept| kept.index < entry.index);
                self.entries.push(entry.clone());
            }
            Write::HardState(hard_state) => self.hard_state = hard_state,
        }
    }

    /// As recovery shows it: the term not behind the log's, the commit index not behind the snapshot.
    fn recovered(mut self) -> Self {
        let snapshot = self.snapshot.as_ref().map_or(EntryId::ZERO, |snapshot| snapshot.id);
        let term = self.last().term.max(snapshot.term);
        if term > self.hard_state.term {
            (self.hard_state.term, self.hard_state.vote) = (term, None);
        }
        self.hard_state.commit = self.hard_state.commit.max(snapshot.index);
        self
    }
}

impl From<Recovered> for State {
    fn from(recovered: Recovered) -> Self {
        let Recovered { hard_state, snapshot, base, entries, .. } = recovered;
        Self { hard_state, snapshot, base, entries }
    }
}

/// A step of the script. Numbers are reduced to what makes sense at that point.
#[derive(Clone, Debug)]
pub enum Step {
    Ready {
        raise_term: bool,
        vote: u64,
        replaced: u64,
        sizes: Vec<usize>,
        commit: u64,
        install: Option<u64>,
    },
    Compact {
        apply: u64,
        keep: u64,
        state: usize,
    },
    BeginSync,
    CompleteSync,
    RemoveOlder,
    /// Crash after this many writes of the next Ready or compaction, or at once if it has fewer.
    Crash {
        after: usize,
        keep: Keep,
    },
}

pub fn keeps() -> impl Strategy<Value = Keep> {
    prop_oneof![
        Just(Keep::All),
        Just(Keep::Nothing),
        (0..3000u64).prop_map(|bytes| Keep::Prefix { bytes }),
        (any::<u64>(), any::<bool>()).prop_map(|(blocks, zeros)| Keep::Subset { blocks, zeros }),
        (0..8u64, 0..513u64, any::<bool>()).prop_map(|(block, bytes, zeros)| Keep::Torn { block, bytes, zeros }),
    ]
}

pub fn scripts() -> impl Strategy<Value = Vec<Step>> {
    let sizes = proptest::collection::vec(prop_oneof![4 => 0..60usize, 1 => 0..2000usize], 0..5);
    let ready = (any::<bool>(), 0..4u64, 0..4u64, sizes, 0..5u64, proptest::option::weighted(0.1, 1..5u64));
    let ready = ready.prop_map(|(raise_term, vote, replaced, sizes, commit, install)| Step::Ready {
        raise_term,
        vote,
        replaced,
        sizes,
        commit,
        install,
    });
    let compact =
        (0..9u64, 0..4u64, 0..1500usize).prop_map(|(apply, keep, state)| Step::Compact { apply, keep, state });
    let crash = (0..8usize, keeps()).prop_map(|(after, keep)| Step::Crash { after, keep });
    let step = prop_oneof![
        6 => ready,
        2 => compact,
        3 => Just(Step::BeginSync),
        3 => Just(Step::CompleteSync),
        1 => Just(Step::RemoveOlder),
        1 => crash,
    ];
    proptest::collection::vec(step, 1..40)
}

pub fn node(number: u64) -> Option<NodeId> {
    NodeId::new(number)
}

/// Bytes that differ from entry to entry; some are mostly zeros, which is what a torn sector looks like.
fn data(seed: u64, size: usize) -> Bytes {
    (0..size).map(|at| if seed.is_multiple_of(3) { 0 } else { (seed as usize * 31 + at * 7) as u8 }).collect()
}

fn snapshot(id: EntryId, size: usize) -> Snapshot {
    let conf_state = ConfState { voters: (1..4).filter_map(node).collect(), ..ConfState::default() };
    Snapshot { id, conf_state, data: data(id.index.0, size) }
}

/// The host, its disk and what the log may be after a crash.
pub struct Host {
    pub disk: Disk,
    pub wal: Wal,
    /// The states since the last completed sync, the oldest first: a crash may lead to any of them.
    pub possible: Vec<State>,
    /// How many states are no longer in `possible`.
    forgotten: usize,
    syncs: Vec<(Mark, usize)>,
    crash: Option<(usize, Keep)>,
}

impl Default for Host {
    fn default() -> Self {
        let state = State { snapshot: Some(snapshot(EntryId::ZERO, 20)), ..State::default() };
        let mut disk = Disk::default();
        let wal = Wal::create(&mut disk, state.checkpoint()).expect("an empty disk takes a log");
        Self { disk, wal, possible: vec![state], forgotten: 0, syncs: Vec::new(), crash: None }
    }
}

impl Host {
    pub fn state(&self) -> &State {
        self.possible.last().expect("a log is always in some state")
    }

    /// Follows a script to its end.
    pub fn run(&mut self, script: &[Step]) {
        for step in script {
            self.step(step);
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Ready { raise_term, vote, replaced, sizes, commit, install } => {
                let (hard_state, entries, snapshot) =
                    self.ready(*raise_term, *vote, *replaced, sizes, *commit, *install);
                self.write_ready(hard_state, &entries, snapshot.as_ref());
                self.crash_if_asked();
            }
            Step::Compact { apply, keep, state } => {
                self.compact(*apply, *keep, *state);
                self.crash_if_asked();
            }
            Step::BeginSync => self.begin_sync(),
            Step::CompleteSync => self.complete_sync(),
            Step::RemoveOlder => while self.wal.remove_older(&mut self.disk).expect("the disk works").is_some() {},
            Step::Crash { after, keep } => self.crash = Some((*after, *keep)),
        }
    }

    /// Crashes and recovers where the step before was one to crash in.
    fn crash_if_asked(&mut self) {
        if let Some((_, keep)) = self.crash.take() {
            self.crash_and_recover(keep);
        }
    }

    fn ready(
        &self,
        raise_term: bool,
        vote: u64,
        replaced: u64,
        sizes: &[usize],
        commit: u64,
        install: Option<u64>,
    ) -> (HardState, Vec<Entry>, Option<Snapshot>) {
        let state = self.state();
        let mut hard_state = state.hard_state;
        if raise_term {
            hard_state.term = hard_state.term.next();
            hard_state.vote = node(vote);
        }
        let term = hard_state.term.max(Term(1));
        hard_state.term = term;
        let snapshot = install.map(|more| snapshot(EntryId::new(term, state.last().index.plus(more)), 700));
        let mut last = snapshot.as_ref().map_or(state.last().index, |snapshot| snapshot.id.index);
        if snapshot.is_none() && raise_term {
            last = Index(last.0.saturating_sub(replaced)).max(hard_state.commit).max(state.base.index);
        }
        let entry = |(at, &size): (usize, &usize)| {
            let index = last.plus(at as u64 + 1);
            Entry { term, index, data: data(index.0 + term.0, size), ..Entry::default() }
        };
        let entries: Vec<Entry> = sizes.iter().enumerate().map(entry).collect();
        if let Some(snapshot) = &snapshot {
            hard_state.commit = snapshot.id.index;
        }
        hard_state.commit = hard_state.commit.plus(commit).min(last.plus(sizes.len() as u64)).max(hard_state.commit);
        (hard_state, entries, snapshot)
    }

    /// The writes of a Ready, or as many of them as there are before the crash.
    fn write_ready(&mut self, hard_state: HardState, entries: &[Entry], snapshot: Option<&Snapshot>) {
        for write in plan(Some(hard_state), entries, snapshot).take(self.writes_until_crash()) {
            self.write(write);
        }
    }

    /// One write, with what it makes of the log.
    pub fn write(&mut self, write: Write<'_>) {
        self.wal.write(&mut self.disk, write).expect("the disk works");
        let mut state = self.state().clone();
        state.follow(write);
        self.possible.push(state);
    }

    fn writes_until_crash(&self) -> usize {
        self.crash.map_or(usize::MAX, |(after, _)| after)
    }

    /// Takes a snapshot of up to `apply` more committed entries, keeping `keep` entries before it.
    fn compact(&mut self, apply: u64, keep: u64, size: usize) {
        let mut state = self.state().clone();
        let from = state.snapshot.as_ref().map_or(Index::ZERO, |snapshot| snapshot.id.index).max(state.base.index);
        let applied = from.plus(apply).min(state.hard_state.commit).max(from);
        let base = Index(applied.0.saturating_sub(keep)).max(state.base.index);
        let id = |index: Index| {
            let entry = state.entries.iter().find(|entry| entry.index == index);
            entry.map_or(state.base, Entry::id)
        };
        let (applied, base) = (id(applied), id(base));
        if applied.index > from {
            state.snapshot = Some(snapshot(applied, size));
            state.base = base;
            state.entries.retain(|entry| entry.index > base.index);
        }
        let writes = state.checkpoint().plan().count().min(self.writes_until_crash());
        for (number, write) in state.checkpoint().plan().take(writes).enumerate() {
            self.wal.write(&mut self.disk, write).expect("the disk works");
            if number + 1 == state.checkpoint().plan().count() {
                self.possible.push(state.clone());
            }
        }
    }

    pub fn begin_sync(&mut self) {
        self.disk.begin_sync(self.wal.segment()).expect("the disk works");
        self.syncs.push((self.wal.mark(), self.forgotten + self.possible.len() - 1));
    }

    pub fn complete_sync(&mut self) {
        if self.disk.complete_sync().expect("the disk works").is_some() {
            let (mark, state) = self.syncs.remove(0);
            self.wal.synced(mark);
            let forgotten = state.saturating_sub(self.forgotten);
            self.possible.drain(..forgotten);
            self.forgotten += forgotten;
        }
    }

    pub fn sync(&mut self) {
        self.begin_sync();
        while self.disk.syncs_under_way() > 0 {
            self.complete_sync();
        }
    }

    fn crash_and_recover(&mut self, keep: Keep) {
        self.disk.crash(keep);
        let (wal, recovered) = Wal::open(&mut self.disk).expect("a crash leaves no corruption");
        let state = State::from(recovered);
        assert!(self.may_be(&state), "recovered {state:#?}\nwhich is none of {:#?}", self.possible);
        (self.wal, self.possible, self.forgotten) = (wal, vec![state], 0);
        self.syncs.clear();
    }

    /// The commit index that the worst of crashes leaves.
    pub fn commit_after_worst_crash(&self) -> Index {
        let mut disk = self.disk.clone();
        disk.crash(Keep::Nothing);
        recover(&disk).expect("a crash leaves no corruption").hard_state.commit
    }

    /// Whether this is a state that the log was in since the last completed sync.
    pub fn may_be(&self, recovered: &State) -> bool {
        self.possible.iter().any(|state| state.clone().recovered() == *recovered)
    }
}
