//! Restarts of a node whose application kept what it applied: the membership has to be as new.

use raft::node::StartError;
use raft::{
    Change, ChangeKind, ConfChangeV1, ConfChangeV2, ConfState, Config, ConfigError, Entry, HardState, Index,
    MemStorage, Node, RawNode, Role, Snapshot, Storage, StorageError, Term, Transition,
};

use crate::host::*;

fn change(index: u64, change: impl Into<raft::ConfChange>) -> Entry {
    let (kind, data) = change.into().encode();
    Entry { kind, data, ..entry(1, index) }
}

fn joint(steps: &[(ChangeKind, u64)]) -> ConfChangeV2 {
    ConfChangeV2::new(Transition::Explicit, steps.iter().map(|(kind, node)| Change::new(*kind, id(*node))).collect())
}

/// A storage of voter 1 that holds these entries from 1 on, all committed.
fn holding(entries: &[Entry]) -> MemStorage {
    let mut storage = MemStorage::with_conf_state(voters(&[1]));
    storage.append(entries).expect("entries without a gap");
    let commit = storage.last_index();
    storage.set_hard_state(HardState { term: Term(1), vote: None, commit });
    storage
}

fn restart(storage: impl Storage, applied: u64) -> Result<ConfState, ConfigError> {
    let config = Config { applied: Index(applied), ..config() };
    RawNode::new(config, storage).map(|node| node.configuration().conf_state())
}

fn outdated(change: u64, applied: u64) -> Result<ConfState, ConfigError> {
    Err(ConfigError::OutdatedMembership { change: Index(change), applied: Index(applied) })
}

#[test]
fn a_membership_that_lacks_what_was_applied_is_refused() {
    let add = change(2, ConfChangeV1::add_voter(id(2)));
    let observe = change(2, ConfChangeV1::add_learner(id(2)));
    let enter = change(2, joint(&[(ChangeKind::AddVoter, 2), (ChangeKind::AddVoter, 3)]));
    for first in [add, observe, enter] {
        let storage = holding(&[entry(1, 1), first, entry(1, 3)]);
        assert_eq!(restart(storage.clone(), 2), outdated(2, 2));
        assert_eq!(restart(storage.clone(), 3), outdated(2, 3));
        // What is not applied is handed out again, with the change in it.
        assert_eq!(restart(storage.clone(), 1), Ok(voters(&[1])));
        assert_eq!(restart(storage, 0), Ok(voters(&[1])));
    }
    let error = restart(holding(&[change(1, ConfChangeV1::add_voter(id(2)))]), 1).expect_err("it lacks node 2");
    assert_eq!(error.to_string(), "stored conf_state lacks the change in entry 1, but everything up to 1 is applied");
}

#[test]
fn a_bootstrapped_node_does_not_forget_its_peers() {
    let peers = [1, 2, 3].map(|number| (id(number), Default::default()));
    let mut host = Host::over(config(), MemStorage::new());
    host.node.bootstrap(&peers).expect("it is empty");
    host.work_off();
    let storage = host.node.storage().clone();
    assert_eq!(restart(storage.clone(), 3), outdated(1, 3));
    assert_eq!(restart(storage.clone(), 0), Ok(ConfState::default()), "the changes are applied again");
    let concurrent = Node::restart(Config { applied: Index(3), ..config() }, storage).err();
    let error = ConfigError::OutdatedMembership { change: Index(1), applied: Index(3) };
    assert_eq!(concurrent, Some(StartError::Config(error)));
}

#[test]
fn with_the_membership_of_what_is_applied_a_node_starts() {
    let log = [
        change(1, ConfChangeV1::add_voter(id(2))),
        change(2, joint(&[(ChangeKind::AddVoter, 3), (ChangeKind::Remove, 2)])),
        change(3, ConfChangeV2::leave_joint()),
        entry(1, 4),
    ];
    let mut snapshotted = holding(&log);
    snapshotted.create_snapshot(Index(3), voters(&[1, 3]), "state".into()).expect("it is committed");
    assert_eq!(restart(snapshotted, 4), Ok(voters(&[1, 3])));

    let mut told = holding(&log);
    told.set_conf_state(Index(3), voters(&[1, 3]));
    assert_eq!(restart(told.clone(), 4), Ok(voters(&[1, 3])));
    // One from the middle is told from the newest by the entry that it says it is of, or by its members.
    told.set_conf_state(Index(1), voters(&[1, 2]));
    assert_eq!(restart(told, 4), outdated(2, 4));
}

#[test]
fn what_was_undone_or_changed_nobody_is_not_missed() {
    let undone = [change(1, ConfChangeV1::add_voter(id(2))), change(2, ConfChangeV1::remove(id(2)))];
    assert_eq!(restart(holding(&undone), 2), Ok(voters(&[1])));
    assert_eq!(restart(holding(&undone), 1), outdated(1, 1));
    let update = change(1, ConfChangeV1::new(ChangeKind::Update, id(1)));
    let undecodable = Entry { data: "\u{7f}".into(), ..update.clone() };
    let forbidden = change(1, ConfChangeV1::remove(id(1)));
    for entry in [update, undecodable, forbidden] {
        assert_eq!(restart(holding(&[entry]), 1), Ok(voters(&[1])));
    }
}

#[test]
fn what_is_compacted_cannot_be_missed() {
    let mut storage = holding(&[change(1, ConfChangeV1::add_voter(id(2))), entry(1, 2)]);
    storage.create_snapshot(Index(1), voters(&[1]), "a snapshot that lies".into()).expect("it is committed");
    storage.compact(Index(1)).expect("the snapshot covers it");
    assert_eq!(restart(storage, 2), Ok(voters(&[1])));
}

/// What a crash leaves between the entries of a Ready and its hard state.
fn holding_uncommitted(entries: &[Entry], commit: u64) -> MemStorage {
    let mut storage = holding(entries);
    storage.set_hard_state(HardState { term: Term(1), vote: None, commit: Index(commit) });
    storage
}

fn committed_at_start(config: Config, storage: MemStorage) -> Index {
    RawNode::new(config, storage).expect("it starts").basic_status().hard_state.commit
}

#[test]
fn a_membership_change_that_another_one_follows_is_committed_whatever_the_hard_state_says() {
    let add = |index| change(index, ConfChangeV1::add_voter(id(index)));
    let table = [
        (vec![entry(1, 1), add(2)], 0, 0),
        (vec![entry(1, 1), add(2), entry(1, 3)], 1, 1),
        (vec![entry(1, 1), add(2), entry(1, 3), add(4), entry(1, 5)], 1, 2),
        (vec![entry(1, 1), add(2), entry(1, 3), add(4), entry(1, 5)], 2, 2),
        (vec![entry(1, 1), add(2), entry(1, 3), add(4), entry(1, 5)], 3, 3),
        (vec![add(1), add(2), entry(1, 3), add(4)], 0, 2),
        (
            vec![entry(1, 1), change(2, joint(&[(ChangeKind::AddVoter, 2)])), change(3, ConfChangeV2::leave_joint())],
            0,
            2,
        ),
        // The first members, of which a crash may have kept a part.
        (vec![add(1), add(2)], 0, 0),
        (vec![add(1), add(2), add(3), entry(2, 4)], 0, 0),
    ];
    for (entries, stored, committed) in table {
        assert_eq!(
            committed_at_start(config(), holding_uncommitted(&entries, stored)),
            Index(committed),
            "{entries:?}"
        );
    }
}

#[test]
fn a_node_that_lost_its_commit_index_campaigns_only_by_the_membership_before_the_last() {
    let log = [entry(1, 1), change(2, ConfChangeV1::add_voter(id(2))), change(3, ConfChangeV1::add_voter(id(3)))];
    let mut host = Host::over(config(), holding_uncommitted(&log, 0));
    host.node.campaign();
    assert_eq!(host.node.basic_status().soft_state.role, Role::Follower, "the change of entry 2 is not applied yet");
    host.work_off();
    assert_eq!(host.node.configuration().conf_state(), voters(&[1, 2]));
    host.node.campaign();
    host.work_off();
    assert_eq!(host.node.basic_status().soft_state.role, Role::Candidate, "its own vote is no majority of two");
}

#[test]
fn a_node_that_crashed_in_the_middle_of_its_bootstrap_does_not_lead_with_the_members_it_had_written() {
    let log = [change(1, ConfChangeV1::add_voter(id(1))), change(2, ConfChangeV1::add_voter(id(2)))];
    let mut storage = MemStorage::new();
    storage.append(&log).expect("entries without a gap");
    let mut host = Host::over(config(), storage);
    host.work_off();
    host.node.campaign();
    host.work_off();
    assert_eq!(host.node.configuration().conf_state(), ConfState::default());
    assert_eq!(host.node.basic_status().soft_state.role, Role::Follower);
}

#[test]
fn where_changes_need_not_wait_for_each_other_the_log_shows_nothing() {
    let log = [entry(1, 1), change(2, ConfChangeV1::add_voter(id(2))), change(3, ConfChangeV1::add_voter(id(3)))];
    for config in [
        Config { disable_conf_change_validation: true, ..config() },
        Config { allow_outdated_membership: true, ..config() },
    ] {
        assert_eq!(committed_at_start(config, holding_uncommitted(&log, 0)), Index::ZERO);
    }
}

#[test]
fn a_host_may_insist() {
    let storage = holding(&[change(1, ConfChangeV1::add_voter(id(2)))]);
    let config = Config { applied: Index(1), allow_outdated_membership: true, ..config() };
    assert!(RawNode::new(config, storage).is_ok());
}

/// A storage of another make, which does not say of which entry its membership is.
struct Bare {
    log: MemStorage,
    members: ConfState,
}

impl Storage for Bare {
    fn initial_state(&self) -> Result<(HardState, ConfState), StorageError> {
        Ok((self.log.hard_state(), self.members.clone()))
    }

    fn entries(&self, low: Index, high: Index, max_size: u64) -> Result<Vec<Entry>, StorageError> {
        self.log.entries(low, high, max_size)
    }

    fn term(&self, index: Index) -> Result<Term, StorageError> {
        self.log.term(index)
    }

    fn first_index(&self) -> Index {
        self.log.first_index()
    }

    fn last_index(&self) -> Index {
        self.log.last_index()
    }

    fn snapshot(&self) -> Result<Snapshot, StorageError> {
        Err(StorageError::SnapshotTemporarilyUnavailable)
    }
}

#[test]
fn a_storage_that_keeps_the_newest_membership_beside_a_long_log_is_believed_and_an_old_one_is_not() {
    let log = [
        change(1, ConfChangeV1::add_voter(id(2))),
        change(2, joint(&[(ChangeKind::AddVoter, 3), (ChangeKind::AddLearner, 2)])),
        change(3, ConfChangeV2::leave_joint()),
        change(4, joint(&[(ChangeKind::Remove, 1), (ChangeKind::AddVoter, 4)])),
    ];
    let mut host = Host::over(config(), holding(&log));
    host.node.storage_mut().set_hard_state(HardState { term: Term(1), vote: None, commit: Index(4) });
    let mut members = vec![voters(&[1])];
    for entry in &log {
        let change = entry.conf_change().expect("it was encoded").expect("it is one").into_v2();
        members.push(host.node.apply_conf_change(&change).expect("it may follow"));
    }
    for applied in 0..=4 {
        for (stored, members) in members.iter().enumerate().take(applied + 1) {
            let storage = Bare { log: holding(&log), members: members.clone() };
            let refused = matches!(restart(storage, applied as u64), Err(ConfigError::OutdatedMembership { .. }));
            assert_eq!(refused, stored < applied, "the membership after {stored}, applied {applied}");
        }
    }
}
