//! How the application of a running node goes on: entries are applied, or a snapshot takes their place.

use raft::{ChangeError, ConfChangeV2, ConfState, Configuration, Entry, EntryKind, Snapshot, Storage, StorageApplied};

use super::handling::Handling;
use super::running::Running;
use super::{Recorded, Step, Surroundings};
use crate::history::{Command, Submission};
use crate::invariant::Check;
use crate::planted::{Bug, planted};
use crate::situation::Situation;
use crate::world::client::Clients;
use crate::world::consensus::Stored;
use crate::world::coverage::membership_changed;
use crate::world::hosted::Handled;
use crate::world::key_value::Effect;
use crate::world::network::{Envelope, LocalMessage};
use crate::world::outcome::{Halt, Refusal};

impl Running {
    /// Restores the application, or applies at least one entry and not more than `at_most`. An application that stores
    /// its own snapshots stores them in `recorded`.
    pub(super) fn apply(
        &mut self,
        at_most: u32,
        recorded: &mut Option<Box<Recorded>>,
        around: &mut Surroundings<'_>,
    ) -> Step {
        if let Handling::OneByOne(Some(one)) = &mut self.handling
            && one.persisted
            && let Some(snapshot) = one.snapshot_to_restore().cloned()
        {
            one.restored = true;
            self.restore(&snapshot, around)?;
            return Ok(None);
        }
        if self.driven.is_changing() {
            return Err(self.not_now("waits for the answer to a membership change").into());
        }
        if self.handling.next_entry().is_none() {
            return Err(self.not_now("has nothing to apply").into());
        }
        let refused = self.apply_entries(at_most.max(1), recorded, around)?;
        self.applied_some(around)?;
        Ok(refused)
    }

    /// What follows once some entries are applied: checks, answers to reads, and the report of the apply thread.
    pub(super) fn applied_some(&mut self, around: &mut Surroundings<'_>) -> Check {
        let (id, applied) = (self.id(), self.state_machine.applied());
        around.checkers.state(id, applied.index, self.state_machine.hash())?;
        self.answer_reads(around)?;
        self.finish_apply(around);
        Ok(())
    }

    fn apply_entries(
        &mut self,
        at_most: u32,
        recorded: &mut Option<Box<Recorded>>,
        around: &mut Surroundings<'_>,
    ) -> Step {
        let mut refused = None;
        for _ in 0..at_most {
            let Some(entry) = self.handling.next_entry() else { break };
            // A snapshot may have overtaken what waits in the apply thread's queue.
            if entry.index > self.state_machine.applied().index {
                let entry = entry.clone();
                if self.ask_to_change(&entry) {
                    break;
                }
                refused = self.apply_entry(&entry, around)?.or(refused);
                self.record_snapshot(recorded);
            }
            self.handling.count_applied();
        }
        Ok(refused)
    }

    /// Lets an application that stores its own snapshots do so.
    pub(super) fn record_snapshot(&mut self, recorded: &mut Option<Box<Recorded>>) {
        if self.state_machine.records_snapshots() {
            let snapshot = self.state_machine.snapshot();
            self.driven.told().store(Stored::Offered(&snapshot));
            let (_, membership) = self.node().storage().initial_state().expect("memory can be read");
            *recorded = Some(Box::new(Recorded { snapshot, membership }));
        }
    }

    fn apply_entry(&mut self, entry: &Entry, around: &mut Surroundings<'_>) -> Step {
        let changed = match entry.conf_change() {
            Ok(None) => None,
            Ok(Some(change)) => Some(self.apply_conf_change(entry, &change.into_v2()).map_err(Refusal::Change)),
            // No leader proposes what does not decode, but a follower takes entries as they come.
            Err(error) => Some(Err(Refusal::Undecodable(error))),
        };
        self.complete_entry(entry, changed, around)
    }

    /// Applies an entry. If it holds a membership change, the node has been told of that, and has given this answer.
    pub(super) fn complete_entry(
        &mut self,
        entry: &Entry,
        changed: Option<Result<ConfState, Refusal>>,
        around: &mut Surroundings<'_>,
    ) -> Step {
        let id = self.id();
        around.checkers.applied(id, entry)?;
        around.statistics.applied += 1;
        let refused_change = entry.kind == EntryKind::RefusedConfChange;
        around.statistics.situations.note_if(refused_change, Situation::ChangeRefused);
        let refused = match changed {
            None => None,
            Some(Ok(conf_state)) => {
                around.statistics.conf_change(self.state_machine.conf_state(), &conf_state);
                let situations = &mut around.statistics.situations;
                membership_changed(
                    situations,
                    self.driven.seen(),
                    entry.index,
                    self.state_machine.conf_state(),
                    &conf_state,
                );
                if let Ok(Some(change)) = entry.conf_change() {
                    around.checkers.change_applied(id, entry.index, &change.into_v2(), &conf_state)?;
                }
                around.checkers.configuration_applied(id, entry.index, &conf_state)?;
                // A leader may have committed more by it, and must not be judged by the next change.
                around.checkers.observed(id, &self.view())?;
                if planted(Bug::SnapshotConfstateLatest)
                    && let Ok(snapshot) = self.node().storage().snapshot()
                {
                    let conf_state = conf_state.clone();
                    self.driven.told().store(Stored::Offered(&Snapshot { conf_state, ..snapshot }));
                }
                self.state_machine.set_conf_state(conf_state);
                None
            }
            Some(Err(refusal)) => {
                around.statistics.conf_changes_skipped += 1;
                Some(refusal)
            }
        };
        self.execute(entry, around)?;
        Ok(refused)
    }

    /// Lets the application execute the client's command, if the entry holds one.
    fn execute(&mut self, entry: &Entry, around: &mut Surroundings<'_>) -> Check {
        let id = self.id();
        if let Some(submission) = self.state_machine.submission(entry) {
            return self.handle_request(entry, &submission, around);
        }
        let command = self.state_machine.command(entry);
        let effect = self.state_machine.apply(entry, command.as_ref());
        match (&command, effect) {
            (_, Effect::NoCommand) => {}
            (_, Effect::Repeated(_)) => around.statistics.repeated += 1,
            (None, Effect::Executed(_)) => {}
            (Some(Command { client, sequence, .. }), Effect::Executed(_)) => {
                around.statistics.executed += 1;
                around.checkers.executed(id, entry.index, *client, *sequence)?;
            }
        }
        let (clients, mut now) = around.clients();
        Clients::applied(clients, id, entry.index, command.as_ref(), effect, &mut now)
    }

    /// Lets a user's application do what a client asks.
    fn handle_request(&mut self, entry: &Entry, submission: &Submission, around: &mut Surroundings<'_>) -> Check {
        let (id, Submission { client, sequence, .. }) = (self.id(), submission);
        let Some(Handled { repeated, session }) = self.state_machine.handle(entry, submission) else { return Ok(()) };
        if repeated {
            around.statistics.repeated += 1;
        } else {
            around.statistics.executed += 1;
            around.checkers.executed(id, entry.index, *client, *sequence)?;
        }
        let (clients, mut now) = around.clients();
        clients.handled(id, entry.index, submission, &session, &mut now)
    }

    pub(super) fn answer_reads(&self, around: &mut Surroundings<'_>) -> Check {
        let (clients, mut now) = around.clients();
        if clients.are_reading() {
            clients.answer_reads(self.node().id(), &self.state_machine, &mut now)?;
        }
        Ok(())
    }

    /// Tells the node of an applied membership change, unless it has gone beyond it: a snapshot that arrived while the
    /// entry waited to be applied has brought a later membership, and forgotten the entry. It would be wrong to apply
    /// the change to that membership, and nothing in the interface of etcd's node keeps a host from doing so.
    fn apply_conf_change(&mut self, entry: &Entry, change: &ConfChangeV2) -> Result<ConfState, ChangeError> {
        let is_overtaken = entry.index < self.node().status().first_index && !planted(Bug::ChangeAfterSnapshot);
        let answer = if is_overtaken { None } else { self.driven.told().apply_conf_change(entry, change) };
        answer.unwrap_or_else(|| self.change_overtaken(change))
    }

    /// The membership that a change leads to when the node knows its outcome already.
    pub(super) fn change_overtaken(&self, change: &ConfChangeV2) -> Result<ConfState, ChangeError> {
        let configuration = Configuration::from_conf_state(self.state_machine.conf_state())?;
        Ok(configuration.apply(change)?.configuration.conf_state())
    }

    /// Lets the apply thread report that the first work in its queue is done, if it is.
    fn finish_apply(&mut self, around: &mut Surroundings<'_>) {
        let node = self.id();
        let Handling::Threads(threads) = &mut self.handling else { return };
        let Some(work) = threads.applies.pop_front_if(|work| work.entries.len() == threads.applied) else { return };
        threads.applied = 0;
        let applied: StorageApplied = work.into_applied();
        around.statistics.messages += 1;
        around.network.put(Envelope::Local { node, message: LocalMessage::Applied(applied) });
    }

    pub(super) fn restore(&mut self, snapshot: &Snapshot, around: &mut Surroundings<'_>) -> Result<(), Halt> {
        if self.state_machine.records_snapshots() {
            // It lives by entries alone, and goes on handing out the snapshot that it has made itself.
            self.driven.told().store(Stored::Offered(&self.state_machine.snapshot()));
        } else {
            self.state_machine = self.state_machine.restored(snapshot);
            around.checkers.state(self.id(), snapshot.id.index, self.state_machine.hash())?;
        }
        around.statistics.snapshots_installed += 1;
        around.checkers.snapshot_restored(self.id(), snapshot)?;
        self.answer_reads(around)?;
        Ok(())
    }
}
