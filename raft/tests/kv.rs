//! The example's tour, as a test: put, get, add and remove nodes, stop and restart them from their disks.

#[path = "../examples/kv/main.rs"]
#[allow(dead_code, reason = "the example's own entry point")]
mod example;
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_keeps_what_was_put_while_nodes_come_and_go() {
    let directory = tempfile::tempdir().unwrap();
    example::run(true, directory.path().to_path_buf()).await.unwrap();
}
