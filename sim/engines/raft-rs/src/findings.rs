//! What was found in raft-rs, one row each, with the trace that shows it.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use sim::driver::{Replayed, replay_in};
use sim::trace::{Ending, Failure, Reader, Trace};

use crate::world;

/// Something that a run of raft-rs broke.
#[derive(Clone, Copy, Debug)]
pub struct Finding {
    /// The name of the trace in `findings`.
    pub name: &'static str,
    /// What it is, once the code was read.
    pub verdict: Verdict,
    /// What happens, and where in raft-rs it is decided.
    pub judged: &'static str,
}

/// What a finding is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// raft-rs says that it does so.
    Documented,
    /// It should not be.
    Fault,
    /// etcd does otherwise, as the project's own node does.
    Difference,
}

impl Verdict {
    const fn name(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Fault => "fault",
            Self::Difference => "difference from etcd",
        }
    }
}

/// The runs in which it was found have so many events before faults end.
pub const STEPS: u64 = 4000;

/// A finding, and what its trace says.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The finding.
    pub finding: Finding,
    /// How the trace ends.
    pub ending: Ending,
    /// The seed in which it was found.
    pub seed: u64,
    /// How many events are left of it.
    pub events: usize,
}

impl Finding {
    /// Where its trace is.
    pub fn path(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("findings").join(format!("{}.jsonl", self.name))
    }

    /// Replays its trace.
    ///
    /// # Errors
    /// The trace cannot be read, or raft-rs does not break there any more what it broke.
    pub fn show(&self) -> Result<Shown, String> {
        let path = self.path();
        let Trace { header, events, ending } = Trace::open(&path).map_err(|error| error.to_string())?;
        let failure = Failure::exactly(&ending).ok_or_else(|| format!("{}: nothing is broken", path.display()))?;
        let reader = Reader::open(&path).map_err(|error| error.to_string())?;
        match replay_in(&world(), reader).map_err(|error| error.to_string())? {
            Replayed::Broken { ending, .. } if Failure::exactly(&ending) == Some(failure) => {}
            other => return Err(format!("{}: it does not end as it was recorded: {other:?}", path.display())),
        }
        Ok(Shown { finding: *self, ending, seed: header.seed.unwrap_or_default(), events: events.len() })
    }
}

/// The table of all findings, each of which is replayed for it.
///
/// # Errors
/// One of them does not happen any more.
pub fn table() -> Result<String, String> {
    let mut table = String::from(
        "| trace | property | seed | events | which it is | what happens, and where |\n|---|---|---|---|---|---|\n",
    );
    for finding in FINDINGS {
        let Shown { finding, ending, seed, events } = finding.show()?;
        let Finding { name, verdict, judged } = finding;
        let property = match &ending {
            Ending::Violation(violation) => violation.invariant.name(),
            _ => "panic",
        };
        let link = format!("[{name}](../sim/engines/raft-rs/findings/{name}.jsonl)");
        writeln!(table, "| {link} | `{property}` | {seed} | {events} | {} | {judged} |", verdict.name())
            .expect("text grows");
    }
    Ok(table)
}

/// What was found.
pub const FINDINGS: &[Finding] = &[
    Finding {
        name: "removed-leader-commits",
        verdict: Verdict::Fault,
        judged: "A leader that a change has removed goes on leading; the next acknowledgement that lets it commit makes it panic. \
                 `Raft::maybe_commit` notes the commit index in the progress of the leader itself, and unwraps it, though the change has \
                 taken it out of the map.",
    },
    Finding {
        name: "removed-leader-persists",
        verdict: Verdict::Fault,
        judged: "A leader that a change has removed panics when an entry is durable that it appended before it applied the change. \
                 `Raft::on_persist_entries` unwraps the progress of the leader itself.",
    },
    Finding {
        name: "stranger-campaigns",
        verdict: Verdict::Fault,
        judged: "A node that knows of no members is asked to campaign, and panics. Nobody is a quorum of nobody, so `Raft::campaign` wins at \
                 once, and `Raft::become_leader` unwraps a progress that the leader does not have.",
    },
    Finding {
        name: "campaign-while-a-snapshot-is-applied",
        verdict: Verdict::Fault,
        judged: "A follower that has taken up a snapshot (`advance_append_async`) and not yet been told that it is applied (`advance_apply_to`) \
                 panics when it campaigns. `Raft::hup` looks for membership changes from `applied + 1` on, which the snapshot has replaced; \
                 it asks for the first index of a snapshot only as long as that is unstable.",
    },
    Finding {
        name: "only-voter-leads-with-entries-to-write",
        verdict: Verdict::Fault,
        judged: "The only voter panics when it campaigns while it writes an entry, which it has from a leader that is no voter any more. It wins \
                 in the same call, and `Raft::become_leader` asserts that all of its log is durable: \"if there is only one peer, it becomes \
                 leader after campaigning so all logs must be persisted\".",
    },
    Finding {
        name: "demoted-leader-reads",
        verdict: Verdict::Fault,
        judged: "A leader that is no voter any more answers a read at once, without asking the one voter that there is, which may lead a \
                 later term and have written since. `Raft::step_leader` asks `is_singleton`, and not whether it is that voter. etcd does the \
                 same.",
    },
    Finding {
        name: "alone-leads-before-its-vote-is-durable",
        verdict: Verdict::Difference,
        judged: "The only voter leads in the call in which it campaigns, before its new term and its vote are even handed out to be stored: \
                 `Raft::campaign` counts its own vote at once. In etcd that vote counts when it is durable.",
    },
    Finding {
        name: "learner-campaigns",
        verdict: Verdict::Difference,
        judged: "A learner that is asked to campaign does. `Raft::hup` does not ask whether it is `promotable`; the election timer and \
                 `MsgTimeoutNow` do. etcd asks in all three.",
    },
    Finding {
        name: "leaves-joint-while-handing-over",
        verdict: Verdict::Difference,
        judged: "A leader that hands leadership over appends an entry all the same, which leaves a joint configuration: `Raft::commit_apply` appends \
                 it directly. etcd proposes it, and so waits until the hand-over has ended. The target has to catch up again.",
    },
    Finding {
        name: "old-rejection-lowers-next",
        verdict: Verdict::Difference,
        judged: "A rejection that comes late, when the follower has acknowledged more since, has the leader send it again what it has acknowledged: \
                 while it probes, `Progress::maybe_decr_to` takes the least of what was rejected and of the hint, however much is matched. etcd \
                 sends what comes after that.",
    },
    Finding {
        name: "heartbeat-answer-frees-a-slot",
        verdict: Verdict::Documented,
        judged: "More appends are in flight to a follower than its window counts: each answer to a heartbeat takes the oldest one out of a full window, \
                 though nobody has acknowledged it. `Raft::handle_heartbeat_response` says so: \"free one slot for the full inflights window to allow \
                 progress\".",
    },
];
