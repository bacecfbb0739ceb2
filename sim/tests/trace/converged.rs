//! When a cluster counts as converged, and what excuses one that is not.

use sim::driver::apply;
use sim::script::record;
use sim::world::{Excuse, World};

/// Node 3 has pre-vote and check-quorum and gives its leader up, though it holds all that the leader holds.
const GIVEN_UP: &str = "add-nodes 3 voters=(1,2,3) index=2 prevote=true checkquorum=true
campaign 1
stabilize log-level=none
";

fn world_after(script: &str) -> World {
    let mut world = World::new();
    for event in record(script).expect("it can be played").events {
        apply(&mut world, &event).expect("it fits");
    }
    world
}

fn has_converged(script: &str) -> bool {
    world_after(script).unsettled().is_none()
}

/// In seed 8238841 several members outside the healthy quorum, on slow links, had to know their leader in one instant.
#[test]
fn a_member_on_a_slow_link_need_not_know_its_leader_all_the_time() {
    assert!(has_converged(GIVEN_UP));
    let heartbeat = "tick-heartbeat 1\nprocess-ready 1\ndeliver-msgs 2\n";
    let slow = "tick 1 1\ntick 2 2\ntick-election 3\nprocess-ready 3\nexpect 3 role=pre-candidate leader=none\n";
    assert!(has_converged(&format!("{GIVEN_UP}{heartbeat}{slow}")), "a heartbeat is under way and late");
    assert!(has_converged(&format!("{GIVEN_UP}{heartbeat}{slow}deliver-msgs 3\ntick-election 3\n")), "one was late");
}

#[test]
fn a_member_that_gives_its_leader_up_without_a_slow_link_has_not_converged() {
    let quiet = "tick-election 3\nprocess-ready 3\nexpect 3 role=pre-candidate leader=none\n";
    assert!(!has_converged(&format!("{GIVEN_UP}{quiet}")));
}

#[test]
fn a_member_on_a_slow_link_has_to_hold_what_its_leader_holds() {
    let to_node_2 = "process-ready 1\ndeliver-msgs 2\nprocess-ready 2\ndeliver-msgs 1\n";
    let slow =
        "tick 1 1\ntick 2 2\ntick-election 3\nexpect 3 role=pre-candidate last=1/3\nexpect 1 2 last=1/4 applied=4\n";
    let lags = format!("propose 1 more\n{to_node_2}{to_node_2}process-ready 1\n{slow}");
    assert!(!has_converged(&format!("{GIVEN_UP}{lags}")));
}

#[test]
fn nobody_is_excused_by_a_message_that_is_late_where_all_hear_their_leader_in_time() {
    let world =
        world_after(&format!("{GIVEN_UP}tick-heartbeat 1\nprocess-ready 1\ntick 1 1\nstabilize log-level=none\n"));
    assert_eq!((world.unsettled(), world.excuse()), (None, None::<Excuse>));
}
