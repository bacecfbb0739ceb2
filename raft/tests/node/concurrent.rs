//! Real concurrency: several threads, thousands of proposals and reads, leaders that are stopped on the way. Bounded by
//! counts: of requests, and of ticks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use raft::{Node, NodeError, NodeId};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::cluster::{Applied, Cluster, Stopped, Tasks};
use super::loop_of;

const CLIENTS: u64 = 48;
const PROPOSALS: u64 = 60;
const STOPS: u64 = 4;

/// Numbers that nobody uses twice: what is proposed, and the contexts of reads.
#[derive(Clone, Default)]
struct Numbers(Arc<AtomicU64>);

impl Numbers {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// Proposes until enough of it is acknowledged, and reads each of it back at another node. Returns what was
/// acknowledged.
async fn client(cluster: Cluster, numbers: Numbers, acknowledged: watch::Sender<u64>) -> Vec<u64> {
    let mut mine = Vec::new();
    while (mine.len() as u64) < PROPOSALS {
        let number = numbers.next();
        let Some(node) = cluster.any(number) else { return mine };
        if node.put(number).await.is_none() {
            // Its outcome is not known: it is not proposed again, or it could be applied twice.
            tokio::task::yield_now().await;
            continue;
        }
        mine.push(number);
        acknowledged.send_modify(|count| *count += 1);
        let seen = read(&cluster, &numbers).await;
        assert!(seen.is_none_or(|seen| seen.contains(&number)), "a read does not see {number}, acknowledged before");
    }
    mine
}

/// Asks again, elsewhere, until somebody answers; nothing once no node runs.
async fn read(cluster: &Cluster, numbers: &Numbers) -> Option<BTreeSet<u64>> {
    loop {
        let context = numbers.next();
        if let Some(seen) = cluster.any(context)?.read(context).await {
            return Some(seen.into_iter().collect());
        }
        tokio::task::yield_now().await;
    }
}

/// Stops the leader again and again, each time letting the others make progress, and starts it again from what it kept.
async fn stop_leaders(
    cluster: Cluster,
    mut tasks: BTreeMap<NodeId, Tasks>,
    mut acknowledged: watch::Receiver<u64>,
) -> BTreeMap<NodeId, Tasks> {
    let step = CLIENTS * PROPOSALS / (3 * STOPS);
    for round in 0..STOPS {
        if acknowledged.wait_for(|count| *count > (3 * round + 1) * step).await.is_err() {
            break;
        }
        let leader = loop {
            if let Some(leader) = cluster.leader().await {
                break leader;
            }
            assert!(acknowledged.changed().await.is_ok(), "nobody leads and nobody asks any more");
        };
        let stopped = cluster.stop(leader, tasks.remove(&leader).unwrap()).await;
        let went_on = acknowledged.wait_for(|count| *count > (3 * round + 2) * step).await.is_ok();
        tasks.insert(leader, cluster.run(stopped));
        assert!(went_on, "two nodes of three make no progress");
    }
    tasks
}

async fn stop_all_when_equal(cluster: &Cluster, tasks: BTreeMap<NodeId, Tasks>) -> Vec<Applied> {
    let all = cluster.all();
    let last = all.iter().map(|running| *running.applied.borrow()).max().unwrap();
    for mut running in all {
        running.applied.wait_for(|index| *index >= last).await.expect("the node runs");
    }
    let mut applied = Vec::new();
    for (id, tasks) in tasks {
        let stopped: Stopped = cluster.stop(id, tasks).await;
        applied.push(stopped.applied);
    }
    applied
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_acknowledged_proposal_is_applied_exactly_once_on_every_node_while_leaders_are_stopped() {
    acknowledged_proposals_are_applied_once(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_acknowledged_proposal_is_applied_exactly_once_with_asynchronous_storage_writes_too() {
    acknowledged_proposals_are_applied_once(true).await;
}

/// Clients propose and read while leaders are stopped; in the end all nodes have applied the same.
async fn acknowledged_proposals_are_applied_once(asynchronous_writes: bool) {
    let (cluster, tasks) = Cluster::start(asynchronous_writes);
    let numbers = Numbers::default();
    let (sender, receiver) = watch::channel(0);
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(client(cluster.clone(), numbers.clone(), sender.clone()));
    }
    drop(sender);
    let tasks = tokio::spawn(stop_leaders(cluster.clone(), tasks, receiver)).await.unwrap();
    let acknowledged: Vec<u64> = clients.join_all().await.concat();
    assert_eq!(acknowledged.len() as u64, CLIENTS * PROPOSALS, "the cluster came to its end too early");

    for applied in stop_all_when_equal(&cluster, tasks).await {
        let mut times: BTreeMap<u64, u32> = BTreeMap::new();
        applied.numbers.iter().for_each(|number| *times.entry(*number).or_default() += 1);
        let lost: Vec<&u64> = acknowledged.iter().filter(|number| !times.contains_key(number)).collect();
        assert_eq!(lost, [&0u64; 0], "acknowledged and not applied");
        times.retain(|_, times| *times != 1);
        assert_eq!(times, BTreeMap::new(), "applied more than once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn stopping_under_load_leaves_nobody_waiting() {
    for _ in 0..20 {
        let (node, driver) = Node::run(loop_of(&[1, 2, 3]));
        let driver = tokio::spawn(driver);
        let mut calls = JoinSet::new();
        // More than the queue holds, and nobody to lead: some wait in the queue and some before it.
        for _ in 0..2000 {
            let node = node.clone();
            calls.spawn(async move { node.propose("data".into()).await == Err(NodeError::Stopped) });
        }
        for _ in 0..50 {
            let node = node.clone();
            calls.spawn(async move {
                while node.status().await.is_ok() && node.campaign().await.is_ok() {
                    tokio::task::yield_now().await;
                }
                node.tick().is_err()
            });
        }
        let stopper = node.clone();
        calls.spawn(async move {
            stopper.stop();
            true
        });
        assert!(calls.join_all().await.into_iter().all(|stopped| stopped));
        driver.await.unwrap();
    }
}
