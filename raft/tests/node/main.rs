//! The concurrent node: the rules of its loop, one by one and under any order of inputs, and its handle under real
//! concurrency.

mod answers;
mod any_order;
mod awaited_reads;
mod chooser;
mod cluster;
mod concurrent;
mod handle;
mod membership;
mod order;
mod queues;
mod rules;
mod stopping;
mod threads;

use bytes::Bytes;
use raft::node::{Arm, Limits, RunLoop, Taken};
use raft::{Body, ConfState, Config, Entry, Index, MemStorage, Message, NodeId, RawNode, Ready, Term};

type Loop = RunLoop<MemStorage>;

fn id(number: u64) -> NodeId {
    NodeId::new(number).unwrap()
}

fn voters(numbers: &[u64]) -> ConfState {
    ConfState { voters: numbers.iter().map(|&number| id(number)).collect(), ..ConfState::default() }
}

fn storage(numbers: &[u64]) -> MemStorage {
    MemStorage::with_conf_state(voters(numbers))
}

/// Node 1 of these voters.
fn loop_of(numbers: &[u64]) -> Loop {
    limited(numbers, Limits::default())
}

fn limited(numbers: &[u64], limits: Limits) -> Loop {
    let config = Config { fixed_election_timeout: true, ..Config::new(id(1)) };
    RunLoop::new(RawNode::new(config, storage(numbers)).unwrap(), limits)
}

/// Node 1 alone, which leads and has nothing left to do.
fn leader() -> Loop {
    let mut run_loop = loop_of(&[1]);
    run_loop.campaign().unwrap();
    run_loop.take(Arm::Message);
    work(&mut run_loop);
    assert!(run_loop.accepts_proposals());
    run_loop
}

fn message(from: u64, term: u64, body: Body) -> Message {
    Message { from: id(from), to: id(1), term: Some(Term(term)), body }
}

/// A sign of life of a leader.
fn heartbeat(from: u64, term: u64) -> Message {
    message(from, term, Body::Heartbeat { commit: Index::ZERO, context: Bytes::new() })
}

/// A proposal that another node sent on.
fn forwarded(data: &'static str) -> Message {
    let entries = vec![Entry { data: Bytes::from_static(data.as_bytes()), ..Entry::default() }];
    Message { from: id(2), to: id(1), term: None, body: Body::Propose { entries } }
}

fn step(run_loop: &mut Loop, message: Message) {
    run_loop.step(message).unwrap();
    assert_eq!(run_loop.take(Arm::Message), Some(Taken::Message(Ok(()))));
}

fn ready(run_loop: &mut Loop) -> Option<Ready> {
    let asked = run_loop.request_ready().unwrap();
    match run_loop.take(Arm::Ready) {
        Some(Taken::Ready { ticket, ready }) => {
            assert_eq!(ticket, asked);
            Some(*ready)
        }
        other => {
            assert_eq!(other, None);
            run_loop.cancel(asked);
            None
        }
    }
}

fn store(run_loop: &mut Loop, ready: &Ready) {
    run_loop.storage_mut().write(ready).unwrap();
}

/// Does what Readys say until there is none.
fn work(run_loop: &mut Loop) {
    while let Some(ready) = ready(run_loop) {
        store(run_loop, &ready);
        run_loop.advance(ready).unwrap();
        assert_eq!(run_loop.take(Arm::Advance), Some(Taken::Advance));
    }
}
