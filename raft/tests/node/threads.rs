//! The application of a node with asynchronous storage writes: a task that takes Readys, and for the storage one that
//! appends and one that applies, each with a queue.

use raft::{HardState, MemStorage, Node, ReadState, SoftState, StorageAppend, StorageApply};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::cluster::{Application, Applied, Cluster, store};

/// What the applying task does, in order.
enum Work {
    Apply(StorageApply),
    Read(Vec<ReadState>),
    GiveUpRequests(Option<HardState>, Option<SoftState>),
}

/// Works off the Readys of one node until it is stopped. What was handed out by then is still written and applied.
pub async fn run(application: Application, cluster: Cluster) -> Applied {
    let node = application.running.node.clone();
    let (appends, to_append) = unbounded_channel();
    let (work, to_do) = unbounded_channel();
    let appending = tokio::spawn(append(node.clone(), cluster.clone(), to_append));
    let applying = tokio::spawn(apply(application, to_do));
    while let Ok(ready) = node.ready().await {
        cluster.send(ready.messages);
        ready.storage_append.into_iter().for_each(|append| assert!(appends.send(*append).is_ok()));
        let apply = ready.storage_apply.map(Work::Apply);
        let others = [Work::Read(ready.read_states), Work::GiveUpRequests(ready.hard_state, ready.soft_state)];
        apply.into_iter().chain(others).for_each(|todo| assert!(work.send(todo).is_ok()));
    }
    drop((appends, work));
    appending.await.unwrap();
    applying.await.unwrap()
}

/// Once a node is stopped it need not be told any more.
async fn append(node: Node<MemStorage>, cluster: Cluster, mut queue: UnboundedReceiver<StorageAppend>) {
    let id = node.inspect(|run_loop| run_loop.node().id());
    while let Some(append) = queue.recv().await {
        store(&node, append.hard_state, &append.entries);
        let (own, others): (Vec<_>, _) = append.responses.into_iter().partition(|message| message.to == id);
        cluster.send(others);
        for message in own {
            let _ = node.step(message).await;
        }
        let _ = append.appended.map(|appended| node.storage_appended(appended));
    }
}

async fn apply(mut application: Application, mut queue: UnboundedReceiver<Work>) -> Applied {
    let node = application.running.node.clone();
    while let Some(work) = queue.recv().await {
        match work {
            Work::Apply(apply) => {
                application.apply(&apply.entries);
                application.answer_reads(&[]);
                let _ = node.storage_applied(apply.into_applied());
            }
            Work::Read(reads) => application.answer_reads(&reads),
            Work::GiveUpRequests(hard_state, soft_state) => application.give_up_requests(hard_state, soft_state),
        }
    }
    application.end()
}
