//! Proposals a second: through a [`RawNode`], and through a [`Node`] with one and with many proposers. One node alone,
//! with its log in memory, so that what differs is the queue, the lock and the waking.

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use raft::{ConfState, Config, MemStorage, Node, NodeId, RawNode, Ready, Storage};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

/// In each iteration, of 64 bytes.
const PROPOSALS: u64 = 4096;

/// How many are proposed before the next Ready: what a queue would gather.
const BATCHES: [u64; 2] = [1, 64];

const PROPOSERS: [u64; 3] = [1, 16, 256];

fn alone() -> RawNode<MemStorage> {
    let id = NodeId::new(1).expect("not zero");
    let members = ConfState { voters: [id].into(), ..ConfState::default() };
    let mut node = RawNode::new(Config::new(id), MemStorage::with_conf_state(members)).expect("a sound configuration");
    node.campaign();
    work(&mut node);
    node
}

fn data() -> Bytes {
    Bytes::from_static(&[7; 64])
}

fn store(storage: &mut MemStorage, ready: &Ready) {
    storage.write(ready).expect("entries follow the log");
    // What was applied before is not needed any more; without this the log would outgrow the memory.
    if let Some(first) = ready.committed_entries.first() {
        let applied = first.index.previous();
        if storage.create_snapshot(applied, storage.initial_state().unwrap().1, Bytes::new()).is_ok() {
            storage.compact(applied).expect("the snapshot covers it");
        }
    }
}

fn work(node: &mut RawNode<MemStorage>) {
    while let Some(ready) = node.ready() {
        store(node.storage_mut(), &ready);
        node.advance(ready).expect("it is the outstanding one");
    }
}

fn raw_node(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("raw_node");
    group.throughput(Throughput::Elements(PROPOSALS));
    for batch in BATCHES {
        let mut node = alone();
        group.bench_function(BenchmarkId::new("batch", batch), |bencher| {
            bencher.iter(|| {
                for _ in 0..PROPOSALS / batch {
                    (0..batch).for_each(|_| node.propose(data()).expect("it leads"));
                    work(&mut node);
                }
            });
        });
    }
}

/// A node with its application, on the runtime.
fn start(runtime: &Runtime) -> Node<MemStorage> {
    let run_loop = raft::node::RunLoop::new(alone(), raft::node::Limits::default());
    let (node, driver) = Node::run(run_loop);
    runtime.spawn(driver);
    let application = node.clone();
    runtime.spawn(async move {
        while let Ok(ready) = application.ready().await {
            application.with_storage(|storage| store(storage, &ready));
            if application.advance(ready).is_err() {
                break;
            }
        }
    });
    node
}

async fn propose(node: &Node<MemStorage>, proposers: u64) {
    let mut tasks = JoinSet::new();
    for _ in 0..proposers {
        let node = node.clone();
        tasks.spawn(async move {
            for _ in 0..PROPOSALS / proposers {
                node.propose(data()).await.expect("it leads");
            }
        });
    }
    tasks.join_all().await;
}

fn node(criterion: &mut Criterion) {
    let runtimes =
        [("one thread", Builder::new_current_thread().build()), ("many threads", Builder::new_multi_thread().build())];
    let mut group = criterion.benchmark_group("node");
    group.throughput(Throughput::Elements(PROPOSALS));
    for (name, runtime) in runtimes {
        let runtime = runtime.expect("threads");
        for proposers in PROPOSERS {
            let node = start(&runtime);
            group.bench_function(BenchmarkId::new(name, proposers), |bencher| {
                bencher.iter(|| runtime.block_on(propose(&node, proposers)));
            });
            node.stop();
        }
    }
}

criterion_group!(benches, raw_node, node);
criterion_main!(benches);
