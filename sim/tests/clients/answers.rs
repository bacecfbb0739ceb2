//! Which operations are answered, when, and with what.

use sim::disk::Keep;
use sim::history::{Answer, Operation};
use sim::world::{ApplicationKind, Event, Halt, Inapplicable, NodeOptions};

use crate::cluster::{Cluster, compare_and_set, node, write};

const READ: Operation = Operation::Read { key: 5 };

/// What the clients were told since this was asked last: client, node, answer.
fn told(cluster: &mut Cluster) -> Vec<(u64, u64, Answer)> {
    let completed = std::mem::take(&mut cluster.completed);
    completed.into_iter().map(|one| (one.client, one.node.get(), one.answer)).collect()
}

fn both_ways_of_writing() -> [NodeOptions; 2] {
    [false, true].map(|async_storage_writes| NodeOptions { async_storage_writes, ..NodeOptions::default() })
}

#[test]
fn every_operation_is_answered_at_the_node_that_was_asked() {
    for options in both_ways_of_writing() {
        let mut cluster = Cluster::led(3, &options);
        for at in 1..=3 {
            cluster.invoke(1, at, write(5, "a"));
            cluster.settle();
            cluster.invoke(1, at, compare_and_set(5, "a", "b"));
            cluster.settle();
            cluster.invoke(1, at, compare_and_set(5, "a", "c"));
            cluster.settle();
            cluster.invoke(1, at, READ);
            cluster.settle();
            let answers =
                [Answer::Written, Answer::CompareAndSet(true), Answer::CompareAndSet(false), Answer::Read("b".into())];
            assert_eq!(told(&mut cluster), answers.map(|answer| (1, at, answer)));
        }
        assert_eq!(cluster.world.statistics().answered, 12);
        cluster.apply(Event::SearchHistories);
    }
}

#[test]
fn a_retried_command_takes_effect_once_and_is_answered_once() {
    let mut cluster = Cluster::led(3, &NodeOptions::default());
    cluster.invoke(1, 1, compare_and_set(5, "", "a"));
    cluster.retry(1, 1);
    cluster.retry(1, 2);
    cluster.settle();
    assert_eq!(told(&mut cluster), [(1, 1, Answer::CompareAndSet(true))]);
    assert_eq!(cluster.world.statistics().executed, 3);
    assert_eq!(cluster.world.statistics().repeated, 6);
}

#[test]
fn a_crash_makes_what_the_node_was_asked_unknown_until_it_is_asked_again() {
    let mut cluster = Cluster::led(3, &NodeOptions::default());
    cluster.invoke(1, 1, write(5, "a"));
    cluster.invoke(2, 1, READ);
    // The write reaches the others, and is committed by the next leader.
    cluster.work(1).unwrap();
    cluster.apply(Event::Crash { node: node(1), keep: Keep::All });
    cluster.settle();
    assert!(!cluster.world.clients().may_be_answered(1));
    cluster.apply(Event::Campaign { node: node(2) });
    cluster.settle();
    assert_eq!(told(&mut cluster), []);
    assert_eq!(cluster.world.clients().under_way(1), Some(&write(5, "a")));
    cluster.retry(1, 2);
    cluster.retry(2, 2);
    cluster.settle();
    assert_eq!(told(&mut cluster), [(2, 2, Answer::Read("a".into())), (1, 2, Answer::Written)]);
    assert_eq!(cluster.world.clients().under_way(1), None);
}

#[test]
fn an_operation_that_was_given_up_is_never_answered() {
    let mut cluster = Cluster::led(3, &NodeOptions::default());
    cluster.invoke(1, 1, write(5, "a"));
    cluster.invoke(1, 1, write(5, "b"));
    cluster.settle();
    assert_eq!(cluster.completed.len(), 1);
    assert_eq!((cluster.completed[0].sequence, &cluster.completed[0].operation), (2, &write(5, "b")));
}

#[test]
fn a_read_waits_for_its_node_to_apply_what_it_has_to_see() {
    let mut cluster = Cluster::led(3, &NodeOptions::default());
    cluster.isolate(3);
    cluster.invoke(1, 1, write(5, "a"));
    cluster.settle();
    cluster.heal(3);
    told(&mut cluster);
    cluster.invoke(2, 3, READ);
    cluster.settle();
    // Node 3 has forgotten nothing and learned nothing; a heartbeat tells it.
    cluster.apply(Event::Tick { node: node(1) });
    cluster.settle();
    cluster.apply(Event::Tick { node: node(1) });
    cluster.settle();
    assert_eq!(told(&mut cluster), [(2, 3, Answer::Read("a".into()))]);
}

#[test]
fn what_does_not_fit_changes_nothing() {
    let mut cluster = Cluster::led(1, &NodeOptions::default());
    let operation = || write(5, "a");
    let cases = [
        (Event::Invoke { client: 64, node: node(1), operation: operation() }, Inapplicable::NoSuchClient(64)),
        (Event::Invoke { client: 1, node: node(1), operation: write(16, "a") }, Inapplicable::NoSuchKey(16)),
        (Event::Invoke { client: 1, node: node(2), operation: operation() }, Inapplicable::NoSuchNode(node(2))),
        (Event::Retry { client: 1, node: node(1) }, Inapplicable::NothingUnderWay(1)),
        (Event::Retry { client: u64::MAX, node: node(1) }, Inapplicable::NothingUnderWay(u64::MAX)),
    ];
    let digest = cluster.world.digest();
    for (event, reason) in cases {
        assert_eq!(cluster.try_apply(event), Err(Halt::Inapplicable(reason)));
    }
    assert_eq!((cluster.world.digest(), cluster.world.clients().under_way(1)), (digest, None));

    cluster.apply(Event::Crash { node: node(1), keep: Keep::All });
    let down = cluster.try_apply(Event::Invoke { client: 1, node: node(1), operation: operation() });
    assert_eq!(down, Err(Halt::Inapplicable(Inapplicable::NodeDown(node(1)))));

    let options = NodeOptions { application: ApplicationKind::Appender, ..NodeOptions::default() };
    let mut cluster = Cluster::led(1, &options);
    let no_keys = cluster.try_apply(Event::Invoke { client: 1, node: node(1), operation: operation() });
    assert_eq!(no_keys, Err(Halt::Inapplicable(Inapplicable::NotNow(node(1), "keeps no keys"))));
}

#[test]
fn events_of_clients_are_readable_in_traces() {
    let events = [
        Event::Invoke { client: 1, node: node(2), operation: compare_and_set(5, "", "b") },
        Event::Invoke { client: 1, node: node(2), operation: READ },
        Event::Retry { client: 1, node: node(3) },
        Event::BreakLeases,
    ];
    let lines = events.clone().map(|event| serde_json::to_string(&event).unwrap());
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"Invoke":{"client":1,"node":2,"operation":{"CompareAndSet":{"key":5,"expected":"","value":"b"}}}}
    {"Invoke":{"client":1,"node":2,"operation":{"Read":{"key":5}}}}
    {"Retry":{"client":1,"node":3}}
    "BreakLeases"
    "#);
    assert_eq!(lines.map(|line| serde_json::from_str::<Event>(&line).unwrap()), events);
}
