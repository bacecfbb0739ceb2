//! Asynchronous storage writes: what may leave at once, what waits for which write, and what a report says.

use raft::{Body, Config, Entry, Index, MemStorage, RawNode, Ready, Role, StorageAppend, StorageAppended, Term};

use crate::host::*;

fn asynchronous(voting: &[u64]) -> RawNode<MemStorage> {
    let config = Config { async_storage_writes: true, ..config() };
    RawNode::new(config, MemStorage::with_conf_state(voters(voting))).expect("a sensible configuration")
}

fn hear(node: &mut RawNode<MemStorage>, from: u64, term: u64, body: Body) -> Option<Ready> {
    node.step(message(from, term, body)).expect("the message is taken");
    node.ready()
}

fn write(node: &mut RawNode<MemStorage>, append: &StorageAppend) {
    node.storage_mut().write_append(append).expect("entries follow the log");
}

fn finish(node: &mut RawNode<MemStorage>, append: Box<StorageAppend>) {
    write(node, &append);
    append.responses.into_iter().filter(|message| message.to == id(1)).for_each(|own| node.step(own).unwrap());
    append.appended.into_iter().for_each(|appended| node.storage_appended(appended));
}

fn follower() -> RawNode<MemStorage> {
    let mut node = asynchronous(&[1, 2, 3]);
    let append = hear(&mut node, 2, 1, heartbeat(0)).and_then(|ready| ready.storage_append).expect("a new term");
    finish(&mut node, append);
    node
}

fn bodies(messages: &[raft::Message]) -> Vec<Body> {
    messages.iter().map(|message| message.body.clone()).collect()
}

fn data(term: u64, index: u64) -> Entry {
    Entry { data: "x".into(), ..entry(term, index) }
}

#[test]
fn the_append_thread_has_work_exactly_where_something_is_written_or_waits_for_a_write() {
    let vote = |node: &mut RawNode<MemStorage>, from| hear(node, from, 5, request_vote(entry_id(0, 0)));
    let mut node = follower();
    let answers = hear(&mut node, 2, 1, heartbeat(0)).expect("an answer");
    assert_eq!((bodies(&answers.messages), answers.storage_append), (vec![heartbeat_response()], None));

    let new_term = hear(&mut node, 2, 4, Body::VoteResponse { granted: false }).expect("a new term");
    let append = new_term.storage_append.expect("the term is written");
    assert_eq!((append.hard_state.map(|state| state.term), append.responses.len()), (Some(Term(4)), 0));

    let voted = vote(&mut node, 2).and_then(|ready| ready.storage_append).expect("a vote");
    assert!(voted.hard_state.is_some() && voted.must_sync);
    assert_eq!(bodies(&voted.responses), [granted()]);

    let refused = vote(&mut node, 3).and_then(|ready| ready.storage_append).expect("a refusal");
    assert_eq!((refused.hard_state, refused.entries.len()), (None, 0));
    assert_eq!(bodies(&refused.responses), [Body::VoteResponse { granted: false }]);
}

#[test]
fn an_acknowledgement_waits_for_the_write_of_what_it_acknowledges() {
    let mut node = follower();
    let ready = hear(&mut node, 2, 1, append(entry_id(0, 0), vec![data(1, 1)], 0)).expect("an entry");
    assert_eq!(ready.messages, []);
    let append = ready.storage_append.expect("an entry to write");
    assert_eq!((append.entries, append.must_sync), (vec![data(1, 1)], true));
    assert_eq!(bodies(&append.responses), [accepted(1)]);
    let last = Some(entry_id(1, 1));
    assert_eq!(append.appended, Some(StorageAppended { term: Term(1), last, snapshot: None }));
}

#[test]
fn committed_entries_are_applied_with_their_write_or_with_asynchronous_writes_after_it() {
    let bring = || append(entry_id(0, 0), vec![data(1, 1)], 1);
    let mut together = Host::follower();
    together.node.step(message(2, 1, bring())).expect("the message is taken");
    let ready = together.node.ready().expect("an entry");
    assert_eq!((ready.entries.len(), ready.committed_entries.len()), (1, 1));

    let mut node = follower();
    let ready = hear(&mut node, 2, 1, bring()).expect("an entry");
    assert_eq!((ready.entries.len(), ready.committed_entries.len(), ready.storage_apply), (1, 0, None));
    assert!(!node.has_ready(), "it is not known to be written");
    finish(&mut node, ready.storage_append.expect("an entry to write"));
    assert!(node.has_ready());
    let ready = node.ready().expect("an entry to apply");
    assert_eq!(ready.committed_entries, [data(1, 1)]);
    assert_eq!(ready.storage_append, None);
    assert_eq!(ready.storage_apply.expect("an entry to apply").entries, [data(1, 1)]);
    assert!(!node.has_ready(), "it is handed out once");
}

#[test]
fn readys_follow_one_another_without_waiting_and_say_everything_once() {
    let mut node = follower();
    let first = hear(&mut node, 2, 1, append(entry_id(0, 0), vec![data(1, 1)], 0)).expect("an entry");
    let second = hear(&mut node, 2, 1, append(entry_id(1, 1), vec![data(1, 2)], 0)).expect("another entry");
    assert_eq!((first.entries, second.entries), (vec![data(1, 1)], vec![data(1, 2)]));
    assert!(node.ready().is_none());
}

#[test]
fn a_report_of_an_earlier_term_makes_no_entry_stable() {
    let mut node = follower();
    let first = hear(&mut node, 2, 1, append(entry_id(0, 0), vec![data(1, 1)], 0)).expect("an entry");
    let second = hear(&mut node, 3, 2, append(entry_id(0, 0), vec![data(1, 1)], 1)).expect("a new leader");
    finish(&mut node, first.storage_append.expect("an entry to write"));
    assert!(!node.has_ready(), "the entry is committed, but may have been overwritten since");
    finish(&mut node, second.storage_append.expect("a term to write"));
    assert_eq!(node.ready().map(|ready| ready.committed_entries), Some(vec![data(1, 1)]));
}

#[test]
fn a_snapshot_that_is_written_is_applied_whatever_the_term_by_then() {
    let mut node = follower();
    let ready = hear(&mut node, 2, 1, install(snapshot(1, 9, &[1, 2, 3]))).expect("a snapshot");
    let append = ready.storage_append.expect("a snapshot to write");
    assert_eq!(append.snapshot, Some(snapshot(1, 9, &[1, 2, 3])));
    assert_eq!(append.appended.as_ref().and_then(|appended| appended.last), None, "no entry waits for the write");
    assert_eq!(node.basic_status().applied, Index(0));
    hear(&mut node, 3, 2, heartbeat(0));
    finish(&mut node, append);
    assert_eq!((node.basic_status().applied, node.basic_status().first_index), (Index(9), Index(10)));
}

#[test]
fn entries_behind_a_snapshot_wait_until_it_is_written() {
    let mut node = follower();
    let restored = hear(&mut node, 2, 1, install(snapshot(1, 9, &[1, 2, 3]))).expect("a snapshot");
    let more = hear(&mut node, 2, 1, append(entry_id(1, 9), vec![data(1, 10)], 10)).expect("an entry");
    assert_eq!(more.committed_entries, []);
    finish(&mut node, restored.storage_append.expect("a snapshot to write"));
    assert!(node.ready().is_none(), "the entry is not written");
    finish(&mut node, more.storage_append.expect("an entry to write"));
    assert_eq!(node.ready().map(|ready| ready.committed_entries), Some(vec![data(1, 10)]));
}

#[test]
fn nobody_leads_before_the_own_vote_is_durable_unless_so_configured() {
    for lead_before_own_vote in [false, true] {
        let config = Config { async_storage_writes: true, lead_before_own_vote, ..config() };
        let storage = MemStorage::with_conf_state(voters(&[1, 2, 3]));
        let mut node = RawNode::new(config, storage).expect("a sensible configuration");
        node.campaign();
        let ready = node.ready().expect("a campaign");
        let asked: Vec<_> = ready.messages.iter().map(|message| message.to.get()).collect();
        assert_eq!(asked, [2, 3], "the others are asked at once");
        for peer in [2, 3] {
            node.step(message(peer, 1, granted())).expect("a vote");
        }
        let expected = if lead_before_own_vote { Role::Leader } else { Role::Candidate };
        assert_eq!(node.soft_state().role, expected);
        finish(&mut node, ready.storage_append.expect("term and vote to write"));
        assert_eq!(node.soft_state().role, Role::Leader);
    }
}

#[test]
fn a_leader_counts_its_own_entries_when_they_are_written() {
    let mut node = asynchronous(&[1]);
    node.campaign();
    let elected = node.ready().and_then(|ready| ready.storage_append).expect("term and vote");
    finish(&mut node, elected);
    let first = node.ready().expect("its first entry");
    assert_eq!(node.basic_status().hard_state.commit, Index(0));
    finish(&mut node, first.storage_append.expect("an entry to write"));
    assert_eq!(node.basic_status().hard_state.commit, Index(1));
}
