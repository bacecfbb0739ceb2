//! What becomes of proposals that are awaited: applied, overwritten, skipped by a snapshot, refused or forgotten.

use raft::node::{ApplyError, Arm, Limits, RunLoop, Settled, Taken, Ticket};
use raft::{
    Body, ConfChange, ConfChangeV1, Config, Entry, EntryId, Index, ProposeError, RawNode, Ready, Role, Snapshot, Term,
};

use super::{Loop, heartbeat, id, leader, loop_of, message, ready, step, storage, store, voters, work};

fn entry_id(term: u64, index: u64) -> EntryId {
    EntryId::new(Term(term), Index(index))
}

fn entry(term: u64, index: u64) -> Entry {
    Entry { term: Term(term), index: Index(index), ..Entry::default() }
}

fn applied(ticket: Ticket, term: u64, index: u64) -> Settled {
    Settled { ticket, result: Ok(entry_id(term, index)) }
}

fn overwritten(ticket: Ticket, term: u64, index: u64) -> Settled {
    Settled { ticket, result: Err(ApplyError::Overwritten { by: entry_id(term, index) }) }
}

/// Node 1 of three, which leads in this term. Its log ends with an empty entry of the term.
fn lead(run_loop: &mut Loop, term: u64) {
    run_loop.campaign().unwrap();
    run_loop.take(Arm::Message);
    work(run_loop);
    step(run_loop, message(2, term, Body::VoteResponse { granted: true }));
    work(run_loop);
    assert_eq!(run_loop.node().soft_state().role, Role::Leader);
}

fn leader_of_three() -> Loop {
    let mut run_loop = loop_of(&[1, 2, 3]);
    lead(&mut run_loop, 1);
    run_loop
}

/// Has data appended, which is stored thereafter.
fn append(run_loop: &mut Loop, data: &'static str) -> Ticket {
    let ticket = run_loop.propose_awaited(data.into()).unwrap();
    assert_eq!(run_loop.take(Arm::Proposal), Some(Taken::Proposal { ticket, result: Ok(()) }));
    work(run_loop);
    ticket
}

fn acknowledge(run_loop: &mut Loop, term: u64, index: u64) {
    step(run_loop, message(2, term, Body::AppendAccepted { index: Index(index) }));
}

/// Node 2 leads in this term, and has these entries behind `previous`.
fn hear_append(run_loop: &mut Loop, term: u64, previous: EntryId, entries: Vec<Entry>, commit: u64) {
    step(run_loop, message(2, term, Body::Append { previous, entries, commit: Index(commit) }));
}

fn advance(run_loop: &mut Loop, ready: Ready) {
    run_loop.advance(ready).unwrap();
    run_loop.take(Arm::Advance);
}

#[test]
fn proposals_are_settled_in_the_order_of_the_log_when_what_they_are_in_is_applied() {
    let mut run_loop = leader_of_three();
    let tickets = ["first", "second"].map(|data| append(&mut run_loop, data));
    assert_eq!(run_loop.take_settled(), [], "appended is not committed");
    acknowledge(&mut run_loop, 1, 3);
    let handed_out = ready(&mut run_loop).unwrap();
    assert_eq!((handed_out.committed_entries.len(), run_loop.take_settled()), (3, vec![]));
    store(&mut run_loop, &handed_out);
    advance(&mut run_loop, handed_out);
    assert_eq!(run_loop.take_settled(), [applied(tickets[0], 1, 2), applied(tickets[1], 1, 3)]);
    assert_eq!((run_loop.take_settled(), run_loop.awaited_entries()), (vec![], 0), "once");
}

#[test]
fn an_answer_is_for_whoever_waits_for_that_very_entry_and_settles_it() {
    let mut run_loop = leader_of_three();
    let ticket = append(&mut run_loop, "data");
    assert_eq!(run_loop.take_awaited(entry_id(1, 2)), None, "nobody can have applied it");
    acknowledge(&mut run_loop, 1, 2);
    let handed_out = ready(&mut run_loop).unwrap();
    assert_eq!(run_loop.take_awaited(entry_id(1, 1)), None, "nobody waits for the empty entry");
    assert_eq!(run_loop.take_awaited(entry_id(2, 2)), None, "another entry");
    assert_eq!(run_loop.take_awaited(entry_id(1, 2)), Some(ticket));
    assert_eq!(run_loop.take_awaited(entry_id(1, 2)), None, "once");
    advance(&mut run_loop, handed_out);
    assert_eq!(run_loop.take_settled(), []);
}

#[test]
fn an_entry_that_the_next_leader_commits_is_applied_although_the_leadership_is_lost() {
    let mut run_loop = leader_of_three();
    let ticket = append(&mut run_loop, "data");
    step(&mut run_loop, heartbeat(2, 2));
    work(&mut run_loop);
    assert_eq!((run_loop.take_settled(), run_loop.awaited_entries()), (vec![], 1), "nobody can know yet");
    hear_append(&mut run_loop, 2, entry_id(1, 2), vec![entry(2, 3)], 3);
    work(&mut run_loop);
    assert_eq!(run_loop.take_settled(), [applied(ticket, 1, 2)]);
}

#[test]
fn an_entry_in_whose_place_another_is_committed_is_overwritten() {
    let mut run_loop = leader_of_three();
    let ticket = append(&mut run_loop, "data");
    hear_append(&mut run_loop, 2, entry_id(1, 1), vec![entry(2, 2)], 1);
    work(&mut run_loop);
    assert_eq!(run_loop.take_settled(), [], "others may still have it and commit it");
    hear_append(&mut run_loop, 2, entry_id(2, 2), vec![], 2);
    ready(&mut run_loop).unwrap();
    assert_eq!(run_loop.take_settled(), [overwritten(ticket, 2, 2)], "as soon as it is handed out");
    assert_eq!(run_loop.take_awaited(entry_id(2, 2)), None);
}

#[test]
fn of_two_proposals_at_one_index_each_learns_its_own_fate() {
    let mut run_loop = leader_of_three();
    let old = ["a", "b", "c"].map(|data| append(&mut run_loop, data));
    hear_append(&mut run_loop, 2, entry_id(1, 1), vec![entry(2, 2)], 1);
    work(&mut run_loop);
    lead(&mut run_loop, 3);
    let new = append(&mut run_loop, "d");
    acknowledge(&mut run_loop, 3, 4);
    work(&mut run_loop);
    let [a, b, c] = old;
    let expected = [overwritten(a, 2, 2), overwritten(b, 3, 3), overwritten(c, 3, 4), applied(new, 3, 4)];
    assert_eq!(run_loop.take_settled(), expected);
}

#[test]
fn whether_an_entry_is_applied_that_a_snapshot_skips_is_unknown() {
    let mut run_loop = leader_of_three();
    let ticket = append(&mut run_loop, "data");
    let snapshot = Box::new(Snapshot { id: entry_id(2, 5), conf_state: voters(&[1, 2, 3]), data: "state".into() });
    step(&mut run_loop, message(2, 2, Body::InstallSnapshot { snapshot }));
    work(&mut run_loop);
    assert_eq!(run_loop.take_settled(), [Settled { ticket, result: Err(ApplyError::Unknown) }]);
    assert!(ApplyError::Unknown.may_be_applied());
}

#[test]
fn who_follows_appends_nothing_and_names_the_leader() {
    let mut run_loop = loop_of(&[1, 2, 3]);
    let early = run_loop.propose_awaited("data".into()).unwrap();
    assert_eq!(run_loop.take(Arm::Proposal), None, "it waits for a leader");
    step(&mut run_loop, heartbeat(2, 1));
    let refused = ProposeError::NotLeader { leader: id(2) };
    let taken = Taken::Proposal { ticket: early, result: Err(refused) };
    assert_eq!(run_loop.take(Arm::Proposal), Some(taken));
    assert_eq!(run_loop.take_settled(), [Settled { ticket: early, result: Err(refused.into()) }]);
    let forwarded = ready(&mut run_loop).unwrap().messages;
    assert!(!forwarded.iter().any(|message| matches!(message.body, Body::Propose { .. })), "{forwarded:?}");
}

#[test]
fn a_membership_change_is_settled_like_data_and_a_second_one_as_refused() {
    let mut run_loop = leader();
    let changes = [2, 3].map(|number| ConfChange::V1(ConfChangeV1::add_learner(id(number))));
    let tickets = changes.map(|change| run_loop.propose_conf_change_awaited(change).unwrap());
    assert!(run_loop.awaits_conf_change());
    for ticket in tickets {
        assert_eq!(run_loop.take(Arm::Proposal), Some(Taken::Proposal { ticket, result: Ok(()) }));
    }
    work(&mut run_loop);
    let refused = Settled { ticket: tickets[1], result: Err(ApplyError::ChangeRefused) };
    let mut settled = run_loop.take_settled();
    settled.sort_by_key(|settled| settled.ticket);
    assert_eq!(settled, [applied(tickets[0], 1, 2), refused]);
}

#[test]
fn with_asynchronous_storage_writes_the_apply_thread_settles() {
    let config = Config { async_storage_writes: true, ..Config::new(id(1)) };
    let mut run_loop = RunLoop::new(RawNode::new(config, storage(&[1])).unwrap(), Limits::default());
    run_loop.campaign().unwrap();
    let mut ticket = None;
    for _ in 0..6 {
        while run_loop.next_input().is_some_and(|arm| run_loop.take(arm).is_some()) {}
        if run_loop.accepts_proposals() && ticket.is_none() {
            ticket = Some(run_loop.propose_awaited("data".into()).unwrap());
            continue;
        }
        let Some(ready) = ready(&mut run_loop) else { break };
        store(&mut run_loop, &ready);
        if let Some(append) = ready.storage_append {
            append.responses.into_iter().for_each(|own| run_loop.step(own).unwrap());
            append.appended.into_iter().for_each(|appended| run_loop.storage_appended(appended).unwrap());
        }
        assert_eq!(run_loop.take_settled(), [], "nothing is applied that the thread has not reported");
        ready.storage_apply.into_iter().for_each(|apply| run_loop.storage_applied(apply.into_applied()).unwrap());
    }
    while run_loop.next_input().is_some_and(|arm| run_loop.take(arm).is_some()) {}
    assert_eq!(run_loop.take_settled(), [applied(ticket.unwrap(), 1, 2)]);
}

#[test]
fn what_nobody_waits_for_any_more_is_forgotten() {
    let mut run_loop = leader_of_three();
    let [kept, forgotten] = ["kept", "forgotten"].map(|data| append(&mut run_loop, data));
    assert_eq!(run_loop.awaited_entries(), 2);
    run_loop.cancel(forgotten);
    assert_eq!(run_loop.awaited_entries(), 1);
    acknowledge(&mut run_loop, 1, 3);
    work(&mut run_loop);
    assert_eq!(run_loop.take_settled(), [applied(kept, 1, 2)]);
}

#[test]
fn a_stopped_loop_settles_nothing() {
    let mut run_loop = leader_of_three();
    append(&mut run_loop, "data");
    run_loop.stop();
    run_loop.take(Arm::Stop);
    assert_eq!((run_loop.take_settled(), run_loop.awaited_entries()), (vec![], 0));
}
