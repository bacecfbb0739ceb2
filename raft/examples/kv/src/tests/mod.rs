//! The tour, as a test: put, get, add and remove nodes, stop and restart them from their disks.

mod strangers;

use crate::cluster::Cluster;
use crate::shell;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_keeps_what_was_put_while_nodes_come_and_go() {
    let directory = tempfile::tempdir().unwrap();
    let mut cluster = Cluster::start(directory.path().to_path_buf()).unwrap();
    shell::demo(&mut cluster).await.unwrap();
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_quorum_a_request_ends_and_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let mut cluster = Cluster::start(directory.path().to_path_buf()).unwrap();
    cluster.put("colour", "blue").await.unwrap();
    for number in 1..3 {
        cluster.stop(raft::NodeId::new(number).unwrap()).await.unwrap();
    }
    let said = cluster.put("colour", "red").await.unwrap_err().to_string();
    let why = "there is no quorum: 1 of 3 voters run, and it takes a majority; `start NODE` starts one";
    assert!(said.starts_with("no answer within ") && said.ends_with(why), "{said}");
    cluster.stop_all().await;
}
