//! What was found happens again, and stands in the documentation.

use std::path::Path;

use sim::driver::replay_in;
use sim::trace::Reader;
use sim::world::World;
use sim_raft_rs::findings::{FINDINGS, table};

/// `UPDATE_TABLES=1` writes it anew.
#[test]
fn the_page_shows_each_finding_as_it_happens_now() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/raft-rs.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (begin, end) = ("<!-- findings -->\n", "<!-- end -->\n");
    let (before, rest) = text.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let now = format!("{before}{begin}\n{}\n{end}{after}", table().unwrap());
    if std::env::var_os("UPDATE_TABLES").is_some() {
        std::fs::write(&page, now).unwrap();
    } else {
        assert_eq!(text, now);
    }
}

#[test]
fn a_trace_of_raft_rs_is_refused_where_it_would_run_other_nodes() {
    for finding in FINDINGS {
        let refused = replay_in(&World::new(), Reader::open(&finding.path()).unwrap()).unwrap_err().to_string();
        assert!(refused.contains("another engine: raft-rs, not the project's own"), "{refused}");
    }
}
