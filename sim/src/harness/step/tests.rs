//! The harness holds for random input, and notices a node that does not behave.

use arbitrary::{Arbitrary, Unstructured};
use proptest::prelude::*;
use raft::{
    Body, ConfState, Config, Entry, EntryId, HardState, Index, MemStorage, Message, NodeId, RawNode, Storage, Term,
};

use super::watch::Watch;
use super::{Input, run};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_node_stands_any_messages(bytes in prop::collection::vec(any::<u8>(), 0..1200)) {
        run(&Input::arbitrary(&mut Unstructured::new(&bytes)).expect("any bytes are an input"));
    }
}

#[test]
fn no_input_is_a_new_node_among_three() {
    let input = Input::arbitrary(&mut Unstructured::new(&[])).expect("any bytes are an input");
    let node = input.start.node();
    assert_eq!(node.configuration().to_string(), "voters=(1 2 3)");
    assert_eq!((node.basic_status().hard_state, node.basic_status().last), (HardState::default(), EntryId::ZERO));
}

fn id(number: u64) -> NodeId {
    NodeId::new(number).expect("not zero")
}

/// One of two voters, whose stored log has these terms, all committed, and which has voted for node 2.
fn node(term: u64, terms: &[u64]) -> RawNode<MemStorage> {
    let members = ConfState { voters: [id(1), id(2)].into(), ..ConfState::default() };
    let mut storage = MemStorage::with_conf_state(members);
    let entry = |(index, term): (u64, &u64)| Entry { term: Term(*term), index: Index(index), ..Entry::default() };
    storage.append(&(1..).zip(terms).map(entry).collect::<Vec<_>>()).expect("they begin at 1");
    let commit = storage.last_index();
    storage.set_hard_state(HardState { term: Term(term), vote: Some(id(2)), commit });
    RawNode::new(Config::new(id(1)), storage).expect("a legal state")
}

/// Shows the watch one node and then, as if it were the same, another.
fn one_becomes(before: &RawNode<MemStorage>, after: &RawNode<MemStorage>) {
    let mut watch = Watch::new(before);
    watch.look(before);
    watch.look(after);
}

#[test]
#[should_panic(expected = "the term went back from 3 to 2")]
fn a_term_that_goes_back_is_noticed() {
    one_becomes(&node(3, &[]), &node(2, &[]));
}

#[test]
#[should_panic(expected = "the commit index went back from 2 to 1")]
fn a_commit_index_that_goes_back_is_noticed() {
    one_becomes(&node(3, &[1, 1]), &node(3, &[1]));
}

#[test]
#[should_panic(expected = "the committed entry 2 changed its term")]
fn a_committed_entry_that_changes_is_noticed() {
    one_becomes(&node(3, &[1, 1]), &node(3, &[1, 2]));
}

#[test]
#[should_panic(expected = "the vote of term 3 changed")]
fn a_vote_that_changes_is_noticed() {
    let mut other = node(3, &[]).storage().clone();
    other.set_hard_state(HardState { term: Term(3), vote: None, commit: Index::ZERO });
    one_becomes(&node(3, &[]), &RawNode::new(Config::new(id(1)), other).expect("a legal state"));
}

#[test]
#[should_panic(expected = "two votes in term 4")]
fn a_second_vote_that_was_sent_is_noticed_over_a_restart() {
    let mut watch = Watch::new(&node(3, &[]));
    // Each grants its vote of term 4, one as if the other had not.
    for candidate in [2, 3] {
        let mut node = node(3, &[]);
        watch.given(&node);
        let body = Body::RequestVote { last: EntryId::ZERO, transfer: false };
        node.step(Message { from: id(candidate), to: id(1), term: Some(Term(4)), body }).expect("well-formed");
        let ready = node.ready().expect("an answer");
        ready.messages.iter().for_each(|message| watch.sent(message));
    }
}

#[test]
#[should_panic(expected = "one message more than the node was given reason for")]
fn a_node_that_sends_without_reason_is_noticed() {
    let mut node = node(3, &[]);
    let mut watch = Watch::new(&node);
    node.campaign();
    watch.taken(&node.ready().expect("a request for votes"));
}

#[test]
#[should_panic(expected = "entries are handed out once and in order")]
fn a_committed_entry_that_is_handed_out_twice_is_noticed() {
    let mut watch = Watch::new(&node(3, &[1]));
    for _ in 0..2 {
        watch.taken(&node(3, &[1]).ready().expect("an entry to apply"));
    }
}

/// The node no longer knows whether these entries were committed, and a node that lies may send others.
#[test]
fn what_was_committed_and_is_not_known_as_that_after_a_restart_may_change() {
    let mut watch = Watch::new(&node(3, &[1, 1]));
    let mut storage = node(3, &[1, 1]).storage().clone();
    storage.set_hard_state(HardState { commit: Index(1), ..storage.hard_state() });
    let stored = storage.hard_state();
    let restarted = RawNode::new(Config::new(id(1)), storage).expect("a legal state");
    watch.restarted(&restarted, stored, EntryId::new(Term(1), Index(2)));
    watch.look(&node(3, &[1, 2]));
}

/// A vote that a crash took back with its Ready was never given.
#[test]
fn a_vote_that_was_not_stored_may_go_to_another_after_a_restart() {
    let mut watch = Watch::new(&node(3, &[]));
    for candidate in [2, 3] {
        let mut node = node(3, &[]);
        watch.given(&node);
        let body = Body::RequestVote { last: EntryId::ZERO, transfer: false };
        node.step(Message { from: id(candidate), to: id(1), term: Some(Term(4)), body }).expect("well-formed");
        watch.taken(&node.ready().expect("an answer"));
    }
}

#[test]
#[should_panic(expected = "term and vote after a restart")]
fn a_vote_that_a_restart_loses_is_noticed() {
    let node = node(3, &[]);
    let stored = HardState { vote: Some(id(1)), ..node.storage().hard_state() };
    Watch::new(&node).restarted(&node, stored, EntryId::ZERO);
}
