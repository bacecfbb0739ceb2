//! What was found happens again, and stands in the documentation.

use std::path::Path;

use sim::driver::replay_in;
use sim::driver::swarm::run_to_end_in;
use sim::plan::{Overrides, Plan};
use sim::trace::{Failure, Reader};
use sim::world::World;
use sim_raft_rs::findings::{FINDINGS, STEPS, table};
use sim_raft_rs::world;

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
fn each_seed_leads_to_what_its_row_says() {
    let world = world();
    for finding in FINDINGS {
        let shown = finding.show().unwrap();
        let overrides = Overrides { steps: Some(STEPS), ..Overrides::default() };
        let (_, ending) = run_to_end_in(&world, &Plan::draw(shown.seed, &overrides).fit(&world), |_| {});
        assert_eq!(Failure::exactly(&ending), Failure::exactly(&shown.ending), "{}: {ending}", finding.name);
    }
}

#[test]
fn a_trace_of_raft_rs_is_refused_where_it_would_run_other_nodes() {
    for finding in FINDINGS {
        let refused = replay_in(&World::new(), Reader::open(&finding.path()).unwrap()).unwrap_err().to_string();
        assert!(refused.contains("another engine: raft-rs, not the project's own"), "{refused}");
    }
}
