//! What becomes of reads that are awaited: answered once their index is applied, or lost with the leadership.

use raft::node::{Arm, SettledRead, Taken, Ticket};
use raft::{Body, Index, ReadError};

use super::{Loop, heartbeat, leader, loop_of, message, ready, step, store, work};

/// Has a read taken up.
fn read(run_loop: &mut Loop, context: &'static str) -> Ticket {
    let ticket = run_loop.read_index_awaited(context.into()).unwrap();
    assert_eq!(run_loop.take(Arm::Message), Some(Taken::Read { ticket, result: Ok(()) }));
    ticket
}

fn lost(ticket: Ticket) -> SettledRead {
    SettledRead { ticket, result: Err(ReadError::LeadershipChanged) }
}

fn answered(ticket: Ticket, index: u64) -> SettledRead {
    SettledRead { ticket, result: Ok(Index(index)) }
}

/// Node 1 of three, which follows node 2 in term 1.
fn follower() -> Loop {
    let mut run_loop = loop_of(&[1, 2, 3]);
    step(&mut run_loop, heartbeat(2, 1));
    work(&mut run_loop);
    run_loop
}

fn hear_answer(run_loop: &mut Loop, index: u64, context: &'static str) {
    step(run_loop, message(2, 1, Body::ReadIndexResponse { index: Index(index), context: context.into() }));
}

#[test]
fn a_read_is_answered_when_everything_up_to_its_index_is_applied() {
    let mut run_loop = leader();
    run_loop.propose("data".into()).unwrap();
    run_loop.take(Arm::Proposal);
    let written = ready(&mut run_loop).unwrap();
    store(&mut run_loop, &written);
    run_loop.advance(written).unwrap();
    run_loop.take(Arm::Advance);
    let ticket = read(&mut run_loop, "read");
    let handed_out = ready(&mut run_loop).unwrap();
    assert_eq!((handed_out.committed_entries.len(), handed_out.read_states.len()), (1, 1));
    assert_eq!((run_loop.take_settled_reads(), run_loop.awaited_reads()), (vec![], 1), "entry 2 is not applied");
    run_loop.advance(handed_out).unwrap();
    run_loop.take(Arm::Advance);
    assert_eq!((run_loop.take_settled_reads(), run_loop.awaited_reads()), (vec![answered(ticket, 2)], 0));

    let again = read(&mut run_loop, "again");
    ready(&mut run_loop).unwrap();
    assert_eq!(run_loop.take_settled_reads(), [answered(again, 2)], "at once where it is applied");
}

#[test]
fn a_read_that_was_sent_on_ends_with_its_own_answer() {
    let mut run_loop = follower();
    let [first, second] = ["first", "second"].map(|context| read(&mut run_loop, context));
    hear_answer(&mut run_loop, 0, "second");
    hear_answer(&mut run_loop, 0, "a stranger's");
    work(&mut run_loop);
    assert_eq!(run_loop.take_settled_reads(), [answered(second, 0)]);
    hear_answer(&mut run_loop, 0, "first");
    work(&mut run_loop);
    assert_eq!(run_loop.take_settled_reads(), [answered(first, 0)]);
}

#[test]
fn a_read_is_lost_with_the_leadership_that_it_was_asked_of() {
    let ends: [fn(&mut Loop); 3] = [
        |run_loop| step(run_loop, heartbeat(3, 2)),
        |run_loop| step(run_loop, heartbeat(2, 2)),
        |run_loop| {
            run_loop.forget_leader().unwrap();
            run_loop.take(Arm::Message);
        },
    ];
    for end in ends {
        let mut run_loop = follower();
        let ticket = read(&mut run_loop, "read");
        step(&mut run_loop, heartbeat(2, 1));
        assert_eq!(run_loop.take_settled_reads(), [], "the same leadership goes on");
        end(&mut run_loop);
        assert_eq!((run_loop.take_settled_reads(), run_loop.awaited_reads()), (vec![lost(ticket)], 0));
    }
}

#[test]
fn a_read_for_which_there_is_nobody_to_ask_is_refused_at_once() {
    let mut run_loop = loop_of(&[1, 2, 3]);
    let ticket = run_loop.read_index_awaited("read".into()).unwrap();
    let result = Err(ReadError::NoLeader);
    assert_eq!(run_loop.take(Arm::Message), Some(Taken::Read { ticket, result }));
    assert_eq!(run_loop.take_settled_reads(), [SettledRead { ticket, result: Err(ReadError::NoLeader) }]);
}

#[test]
fn of_two_reads_with_one_context_the_second_is_refused_while_the_first_waits() {
    let mut run_loop = follower();
    let first = read(&mut run_loop, "read");
    let second = run_loop.read_index_awaited("read".into()).unwrap();
    run_loop.take(Arm::Message);
    let refused = SettledRead { ticket: second, result: Err(ReadError::ContextInUse) };
    assert_eq!(run_loop.take_settled_reads(), [refused]);
    hear_answer(&mut run_loop, 0, "read");
    work(&mut run_loop);
    assert_eq!(run_loop.take_settled_reads(), [answered(first, 0)]);
}

#[test]
fn a_read_that_nobody_waits_for_any_more_is_forgotten() {
    let mut run_loop = follower();
    let [asked, in_line] = [read(&mut run_loop, "asked"), run_loop.read_index_awaited("in line".into()).unwrap()];
    run_loop.cancel(asked);
    run_loop.cancel(in_line);
    assert_eq!((run_loop.take(Arm::Message), run_loop.awaited_reads()), (None, 0));
    hear_answer(&mut run_loop, 0, "asked");
    work(&mut run_loop);
    assert_eq!(run_loop.take_settled_reads(), []);
}

#[test]
fn a_stopped_loop_answers_no_read() {
    let mut run_loop = follower();
    read(&mut run_loop, "read");
    run_loop.stop();
    run_loop.take(Arm::Stop);
    assert_eq!((run_loop.take_settled_reads(), run_loop.awaited_reads()), (vec![], 0));
}
