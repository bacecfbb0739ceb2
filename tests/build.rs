//! Whether etcd's transcripts are at hand: `transcripts`. Where they are not, the test of them is shown as ignored.

use std::path::PathBuf;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(transcripts)");
    println!("cargo::rerun-if-env-changed=RAFT_CONFORMANCE_DIR");
    let folder = std::env::var_os("RAFT_CONFORMANCE_DIR").map_or("../../shared/conformance".into(), PathBuf::from);
    println!("cargo::rerun-if-changed={}", folder.display());
    if folder.is_dir() {
        println!("cargo::rustc-cfg=transcripts");
    }
}
