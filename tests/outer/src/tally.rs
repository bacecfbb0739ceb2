//! What came of all episodes, in numbers.

use std::fmt;

use crate::episode::{Done, Outcome};
use crate::history::Summary;

/// The sums.
#[derive(Default)]
pub struct Tally {
    episodes: u64,
    summary: Summary,
    done: Done,
    disk: &'static str,
}

impl Tally {
    /// Adds an episode.
    pub fn add(&mut self, outcome: &Outcome) {
        self.episodes += 1;
        self.disk = outcome.disk;
        self.summary.answered += outcome.summary.answered;
        self.summary.unknown += outcome.summary.unknown;
        self.summary.searched.linearizable += outcome.summary.searched.linearizable;
        self.summary.searched.undecided += outcome.summary.searched.undecided;
        let (all, one) = (&mut self.done, &outcome.done);
        let counts = [
            (&mut all.kills, one.kills),
            (&mut all.stops, one.stops),
            (&mut all.full_disks, one.full_disks),
            (&mut all.ended_full, one.ended_full),
            (&mut all.added, one.added),
            (&mut all.removed, one.removed),
            (&mut all.strangers, one.strangers),
            (&mut all.cuts, one.cuts),
            (&mut all.truncated, one.truncated),
            (&mut all.dropped, one.dropped),
            (&mut all.delayed, one.delayed),
        ];
        counts.into_iter().for_each(|(sum, count)| *sum += count);
    }
}

/// An episode in a line.
pub fn line(outcome: &Outcome) -> String {
    let (Summary { answered, unknown, .. }, done) = (&outcome.summary, &outcome.done);
    let Done { kills, stops, cuts, added, removed, full_disks, .. } = done;
    format!(
        "{} operations, {unknown} unanswered; {kills} kills, {stops} stops, {cuts} cuts, {full_disks} full disks, members +{added} \
         -{removed}",
        answered + unknown
    )
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { episodes, summary: Summary { answered, unknown, searched }, done, disk } = self;
        let Done { kills, stops, full_disks, ended_full, added, removed, strangers, .. } = done;
        let Done { cuts, truncated, dropped, delayed, .. } = done;
        writeln!(f, "{episodes} clusters, {} operations: {answered} answered, {unknown} not", answered + unknown)?;
        writeln!(f, "{kills} kills (SIGKILL), {stops} stops (SIGSTOP), {added} members added, {removed} removed")?;
        writeln!(f, "{cuts} connections cut, {truncated} of them short; {dropped} pieces dropped, {delayed} delayed")?;
        writeln!(
            f,
            "{full_disks} times a full disk ({disk}), for which {ended_full} processes ended; {strangers} strangers"
        )?;
        write!(f, "{} searches found an order, {} were given up", searched.linearizable, searched.undecided)
    }
}
