//! What a node makes of what its storage threads report, in whatever order the reports come.

use raft::{ConfState, Config, MemStorage, NodeId, RawNode, StorageApplied};

/// The only voter, which writes asynchronously.
fn alone() -> RawNode<MemStorage> {
    let id = NodeId::new(1).expect("not zero");
    let voters = ConfState { voters: [id].into(), ..ConfState::default() };
    let config = Config { async_storage_writes: true, max_uncommitted_size: 10, ..Config::new(id) };
    let mut node = RawNode::new(config, MemStorage::with_conf_state(voters)).expect("a sensible configuration");
    node.campaign();
    node
}

/// Does all storage work but apply, and returns the reports of what there was to apply.
fn work_off(node: &mut RawNode<MemStorage>) -> Vec<StorageApplied> {
    let mut applied = Vec::new();
    while let Some(ready) = node.ready() {
        if let Some(append) = ready.storage_append {
            node.storage_mut().write_append(&append).expect("entries follow the log");
            append.responses.into_iter().for_each(|message| node.step(message).expect("from itself"));
            append.appended.into_iter().for_each(|appended| node.storage_appended(appended));
        }
        applied.extend(ready.storage_apply.map(raft::StorageApply::into_applied));
    }
    applied
}

#[test]
fn entries_that_are_reported_as_applied_out_of_turn_no_longer_count_as_uncommitted() {
    let mut node = alone();
    work_off(&mut node).into_iter().for_each(|applied| node.storage_applied(applied));
    node.propose("12345".into()).expect("there is room");
    let mut reports = work_off(&mut node);
    node.propose("67890".into()).expect("there is room");
    reports.extend(work_off(&mut node));
    assert_eq!((reports.len(), node.uncommitted_size()), (2, 10));

    reports.into_iter().rev().for_each(|applied| node.storage_applied(applied));
    assert_eq!(node.uncommitted_size(), 0);
}
