//! The election timeout: elections begin, votes are withheld and leaderships end by it.
//!
//! ```text
//! n campaigns, and nobody told it to  ⇒  an election timeout is over since n started, entered its term, voted, and
//!                                        heard from the leader of its term                                      (1)
//! n follows l with check-quorum, and heard from it within an election timeout
//!                                     ⇒  n keeps its term, whoever asks for its vote, but for a transfer         (2)
//!                                     ∧  n grants no pre-vote that it is asked for then                          (2)
//! n asks, or is asked, for a pre-vote ⇒  n keeps its term                                                        (2)
//! n goes by leases                    ⇒  n keeps its leader as long as its term and its part                     (2)
//! l leads with check-quorum           ⇒  a quorum answered it within three election timeouts                     (3)
//! a quorum answered l within an election timeout, and its term and its membership stay
//!                                     ⇒  l leads on                                                              (4)
//! ```
//!
//! Source: Raft paper, section 5.2, and thesis, section 3.4 (1); sections 4.2.3, 6.4.1 and 9.6 (2); section 6.2 (3, 4).
//! None of them is about safety by itself, though a lease stands on (2) and (3). A node that breaks (1) disturbs a
//! cluster that works well.
//!
//! Time is counted in the ticks that reached a node. A leader looks for its quorum once in each election timeout, and what
//! it heard just after it looked counts the next time; a request to hand over may put that off once more.

use std::hash::{Hash, Hasher};

use raft::{Body, Message, NodeId, Purpose, ReadOnlyOption, Role, Term};

use super::cluster::{Cluster, Node};
use super::input::View;
use super::quorum;
use super::violation::{Check, Invariant, Violation};
use super::words;
use crate::few::Few;
use crate::shared::Shared;

/// The clock of every node, and what it has measured.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct ElectionTimeouts {
    clocks: Few<NodeId, Clock>,
}

#[derive(Clone, Debug, Default)]
struct Clock {
    ticks: u64,
    timer: Timer,
    /// Since when it leads with this configuration and hands over to the same node, or to none.
    leads_since: u64,
    transferee: Option<NodeId>,
    /// The requests for pre-votes, by term and sender, and whether each ever came while the node was free to grant it.
    asked: Few<(Term, NodeId), bool>,
    /// When it last heard from each follower.
    answered: Few<NodeId, u64>,
}

/// What decides when the node may campaign, and for whom it may vote.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Timer {
    /// When the node's election timer certainly started again.
    quiet_since: u64,
    /// Whether it was told to campaign, whatever its timer says.
    told: bool,
    /// Whether what it has received must not raise its term.
    withholds: bool,
}

/// What it shows counts for nothing, only how long ago things were.
impl Hash for Clock {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { ticks, timer, leads_since, transferee, asked, answered } = self;
        let Timer { quiet_since, told, withholds } = timer;
        (ticks - quiet_since, told, withholds, ticks - leads_since, transferee, asked, answered.len()).hash(state);
        answered.iter().for_each(|(id, heard)| (id, ticks - heard).hash(state));
    }
}

impl Clock {
    /// How many requests for pre-votes are remembered of each node; those of the lowest terms are forgotten.
    const ASKED: usize = 64;

    fn leads_anew(&mut self) {
        self.leads_since = self.ticks;
        self.answered.clear();
    }

    /// A follower answers.
    fn is_answered_by(&mut self, from: NodeId) {
        self.answered.insert(from, self.ticks);
    }

    /// Somebody asks for a pre-vote, and the node is free to grant it or not.
    fn is_asked(&mut self, term: Term, by: NodeId, free: bool) {
        *self.asked.get_or_default((term, by)) |= free;
        if self.asked.len() > Self::ASKED {
            self.asked.remove_first();
        }
    }
}

impl ElectionTimeouts {
    /// A node starts.
    pub fn started(&mut self, id: NodeId) {
        self.clocks.insert(id, Clock::default());
    }

    /// A node is told to campaign.
    pub fn told_to_campaign(&mut self, id: NodeId) {
        let clock = self.clock(id);
        (clock.timer.told, clock.timer.withholds) = (true, false);
    }

    /// A leader is asked to hand over, or its configuration changes.
    pub fn leads_anew(&mut self, id: NodeId) {
        self.clock(id).leads_anew();
    }

    /// A message arrives, and the receiver takes it next.
    pub fn received(all: &mut Shared<Self>, cluster: &Cluster, message: &Message) {
        let (Some(node), Some(term)) = (cluster.get(message.to), message.term) else { return };
        let Some(clock) = all.clocks.get(message.to) else { return };
        let own = node.view.hard_state.term;
        let mut timer = Timer { withholds: false, ..clock.timer };
        let mut answers = false;
        match &message.body {
            // A node refuses a message that tells it to commit beyond its log.
            Body::Heartbeat { commit, .. } if *commit > node.view.last.index => {}
            body if body.purpose() == Purpose::Replication && term >= own => timer.quiet_since = clock.ticks,
            Body::TimeoutNow if term >= own => timer.told = true,
            // A pre-candidate may win meanwhile, by its own vote.
            Body::RequestPreVote { .. } if node.view.soft_state.role == Role::Follower => {
                timer.withholds = !clock.timer.told;
            }
            Body::RequestVote { transfer: false, .. } if term > own => timer.withholds = holds_lease(node, clock),
            body if body.purpose() == Purpose::ReplicationResponse && term == own => {
                answers = clock.answered.get(message.from) != Some(&clock.ticks);
            }
            Body::Propose { .. }
            | Body::Append { .. }
            | Body::AppendAccepted { .. }
            | Body::AppendRejected { .. }
            | Body::Heartbeat { .. }
            | Body::HeartbeatResponse { .. }
            | Body::RequestPreVote { .. }
            | Body::PreVoteResponse { .. }
            | Body::RequestVote { .. }
            | Body::VoteResponse { .. }
            | Body::InstallSnapshot { .. }
            | Body::TransferLeader
            | Body::TimeoutNow
            | Body::ReadIndex { .. }
            | Body::ReadIndexResponse { .. } => {}
        }
        let free = term <= own || !holds_lease(node, clock);
        if timer != clock.timer {
            all.clock(message.to).timer = timer;
        }
        if answers {
            all.clock(message.to).is_answered_by(message.from);
        }
        if matches!(message.body, Body::RequestPreVote { .. }) {
            all.clock(message.to).is_asked(term, message.from, free);
        }
    }

    fn clock(&mut self, id: NodeId) -> &mut Clock {
        self.clocks.get_or_default(id)
    }

    /// A message leaves its sender.
    pub fn sent(&self, message: &Message) -> Check {
        let (Body::PreVoteResponse { granted: true }, Some(term)) = (&message.body, message.term) else {
            return Ok(());
        };
        let (from, to) = (message.from, message.to);
        match self.clocks.get(from).and_then(|clock| clock.asked.get((term, to))) {
            Some(false) => {
                let detail = format!(
                    "node {from} tells node {to} that it would vote for it in term {term}; expected it to withhold that, since \
                     it heard from its leader within an election timeout"
                );
                Err(Violation::new(Invariant::ElectionTimeout, &[from, to], detail))
            }
            Some(true) | None => Ok(()),
        }
    }

    /// A tick has reached a node, which is handing leadership over to `transferee`, if to anybody.
    pub fn ticked(&mut self, cluster: &Cluster, id: NodeId, transferee: Option<NodeId>) -> Check {
        let clock = self.clock(id);
        clock.ticks += 1;
        clock.timer.withholds = false;
        if transferee.is_some() && transferee != clock.transferee {
            clock.leads_anew();
        }
        clock.transferee = transferee;
        let Some((node, term, timeout)) = cluster.get(id).and_then(looks_for_its_quorum) else { return Ok(()) };
        let patience = 3 * timeout;
        let answers = |voter: NodeId| {
            voter == id || clock.answered.get(voter).is_some_and(|heard| clock.ticks - heard <= patience)
        };
        let configuration = &node.configuration;
        if clock.ticks - clock.leads_since <= patience
            || configuration.voters.is_empty()
            || quorum::decides(configuration, answers)
        {
            return Ok(());
        }
        let detail = format!(
            "node {id} leads term {term} with check-quorum; expected it to have stepped down, since no quorum of its members \
             {} has answered for {patience} ticks",
            words::members(configuration)
        );
        Err(Violation::new(Invariant::ElectionTimeout, &[id], detail))
    }

    /// The view of a node has changed.
    pub fn changed(all: &mut Shared<Self>, id: NodeId, node: &Node, before: &View, after: &View) -> Check {
        let Some(clock) = all.clocks.get(id) else { return Ok(()) };
        keeps_term(id, clock, before, after)?;
        asks_in_its_term(id, before, after)?;
        remembers_leader(id, node, before, after)?;
        leads_on(id, node, clock, before, after)?;
        let campaigns = |role| matches!(role, Role::PreCandidate | Role::Candidate);
        let begins = before.soft_state.role == Role::Follower && campaigns(after.soft_state.role);
        let mut timer = clock.timer;
        if begins {
            campaigns_in_time(id, node, clock)?;
            timer.told = false;
        }
        let (was, is) = (before.hard_state, after.hard_state);
        if was.term != is.term || (was.vote != is.vote && is.vote.is_some()) {
            timer.quiet_since = clock.ticks;
        }
        if timer != clock.timer {
            all.clock(id).timer = timer;
        }
        if before.soft_state.role != Role::Leader && after.soft_state.role == Role::Leader {
            all.clock(id).leads_anew();
        }
        Ok(())
    }
}

fn timeout(node: &Node) -> Option<u64> {
    node.config.as_ref().map(|config| u64::from(config.election_tick))
}

fn checks_quorum(node: &Node) -> bool {
    node.config.as_ref().is_some_and(|config| config.check_quorum)
}

/// Whether a leader's lease holds on this node.
fn holds_lease(node: &Node, clock: &Clock) -> bool {
    let heard = timeout(node).is_some_and(|timeout| clock.ticks - clock.timer.quiet_since < timeout);
    checks_quorum(node) && node.view.soft_state.leader.is_some() && heard && !clock.timer.told
}

/// A leader with check-quorum, its term, and its election timeout.
fn looks_for_its_quorum(node: &Node) -> Option<(&Node, Term, u64)> {
    let term = node.leads().filter(|_| checks_quorum(node))?;
    Some((node, term, timeout(node)?))
}

fn keeps_term(id: NodeId, clock: &Clock, before: &View, after: &View) -> Check {
    let (was, is) = (before.hard_state.term, after.hard_state.term);
    if !clock.timer.withholds || was == is {
        return Ok(());
    }
    let detail = format!(
        "node {id} was asked for its vote and went from term {was} to term {is}; expected it to stay in its term, since its \
         leader was heard {} ticks before",
        clock.ticks - clock.timer.quiet_since
    );
    Err(Violation::new(Invariant::ElectionTimeout, &[id], detail))
}

fn asks_in_its_term(id: NodeId, before: &View, after: &View) -> Check {
    let (was, is) = (before.hard_state.term, after.hard_state.term);
    if after.soft_state.role != Role::PreCandidate || was == is {
        return Ok(());
    }
    let detail = format!(
        "node {id} asks for pre-votes, and went from term {was} to term {is}; expected it to keep its term until it has them"
    );
    Err(Violation::new(Invariant::ElectionTimeout, &[id], detail))
}

fn remembers_leader(id: NodeId, node: &Node, before: &View, after: &View) -> Check {
    let goes_by_leases =
        node.config.as_ref().is_some_and(|config| config.read_only_option == ReadOnlyOption::LeaseBased);
    let follows = |view: &View| (view.soft_state.role == Role::Follower).then_some(view.hard_state.term);
    let stays = follows(before).is_some() && follows(before) == follows(after);
    match before.soft_state.leader {
        Some(leader) if goes_by_leases && stays && after.soft_state.leader.is_none() => {
            let detail = format!(
                "node {id} goes by leases and has forgotten its leader, node {leader}; expected it to keep its leader as long \
                 as it follows in the same term"
            );
            Err(Violation::new(Invariant::ElectionTimeout, &[id, leader], detail))
        }
        Some(_) | None => Ok(()),
    }
}

/// A change of the membership begins the count of answers anew, so that who is removed may step down.
fn leads_on(id: NodeId, node: &Node, clock: &Clock, before: &View, after: &View) -> Check {
    let (was, is) = (before.hard_state.term, after.hard_state.term);
    let stays = was == is && before.soft_state.role == Role::Leader && after.soft_state.role != Role::Leader;
    let Some(timeout) = timeout(node).filter(|_| stays) else { return Ok(()) };
    let answered = |voter: NodeId| clock.answered.get(voter).is_some_and(|heard| clock.ticks - heard < timeout);
    if !quorum::decides(&node.configuration, |voter| voter == id || answered(voter)) || clock.answered.is_empty() {
        return Ok(());
    }
    let heard: Vec<NodeId> = clock.answered.iter().map(|(voter, _)| voter).filter(|voter| answered(*voter)).collect();
    let detail = format!(
        "node {id} led term {was} and stepped down, though the nodes {} answered it within {timeout} ticks; expected it to \
         lead on, since with itself they are a quorum of its members {}",
        words::nodes(&heard),
        words::members(&node.configuration)
    );
    Err(Violation::new(Invariant::ElectionTimeout, &[id], detail))
}

fn campaigns_in_time(id: NodeId, node: &Node, clock: &Clock) -> Check {
    let (told, waited) = (clock.timer.told, clock.ticks - clock.timer.quiet_since);
    match timeout(node).filter(|timeout| waited < *timeout && !told) {
        Some(timeout) => {
            let detail = format!(
                "node {id} campaigns {waited} ticks after its election timer began anew; expected it to wait {timeout} ticks"
            );
            Err(Violation::new(Invariant::ElectionTimeout, &[id], detail))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use raft::{Config, EntryId, Index};

    use super::super::testing::{Bench, breaks, configuration, message, node};
    use super::*;

    /// The election timeout of the nodes, in ticks.
    const TIMEOUT: u64 = 10;

    /// Voters 1 to 3 with check-quorum, of whom 1 leads term 1.
    fn led() -> Bench {
        let mut bench = Bench::led();
        for id in 1..=3 {
            let config = Config { check_quorum: true, election_tick: TIMEOUT as u32, ..Config::new(node(id)) };
            bench.checkers.cluster.node(node(id)).config = Some(Arc::new(config));
        }
        bench
    }

    fn tick(bench: &mut Bench, id: u64, ticks: u64) -> Check {
        (0..ticks).try_for_each(|_| bench.checkers.ticked(node(id), None))
    }

    fn heartbeat(bench: &mut Bench, to: u64) {
        let body = Body::Heartbeat { commit: Index::ZERO, context: Bytes::new() };
        bench.checkers.received(&message(1, to, 1, body));
        let follows = bench.view(to, |view| {
            view.hard_state.term = Term(1);
            view.soft_state.leader = Some(node(1));
        });
        bench.checkers.observed(node(to), &follows).unwrap();
    }

    #[test]
    fn a_campaign_after_a_timeout_is_fine_and_a_tick_earlier_is_found() {
        for (ticks, right) in [(TIMEOUT, true), (TIMEOUT - 1, false)] {
            let mut bench = led();
            tick(&mut bench, 3, 50).unwrap();
            heartbeat(&mut bench, 3);
            tick(&mut bench, 3, ticks).unwrap();
            match right {
                true => bench.campaign_untold(3, 2).unwrap(),
                false => breaks(Invariant::ElectionTimeout, bench.campaign_untold(3, 2)),
            }
        }
    }

    #[test]
    fn a_campaign_just_after_the_start_or_a_vote_is_found() {
        let mut bench = led();
        bench.start(3, EntryId::ZERO, &[], raft::HardState::default()).unwrap();
        breaks(Invariant::ElectionTimeout, bench.campaign_untold(3, 1));
        let mut bench = led();
        tick(&mut bench, 3, 50).unwrap();
        bench.vote(3, 2, 2).unwrap();
        breaks(Invariant::ElectionTimeout, bench.campaign_untold(3, 3));
    }

    #[test]
    fn a_node_that_is_told_to_campaign_need_not_wait() {
        let mut bench = led();
        heartbeat(&mut bench, 3);
        bench.checkers.received(&message(1, 3, 1, Body::TimeoutNow));
        bench.campaign_untold(3, 2).unwrap();
        let mut bench = led();
        bench.campaign(3, 2).unwrap();
    }

    /// Node 3 heard from the leader this many ticks ago, and is asked for its vote in term 2.
    fn asked(ticks: u64, transfer: bool) -> Check {
        let mut bench = led();
        heartbeat(&mut bench, 3);
        tick(&mut bench, 3, ticks).unwrap();
        let request = Body::RequestVote { last: EntryId::ZERO, transfer };
        bench.checkers.received(&message(2, 3, 2, request));
        let raised = bench.view(3, |view| view.hard_state.term = Term(2));
        bench.checkers.observed(node(3), &raised)
    }

    #[test]
    fn a_term_that_is_raised_against_a_lease_is_found() {
        breaks(Invariant::ElectionTimeout, asked(TIMEOUT - 1, false));
        asked(TIMEOUT, false).unwrap();
        asked(TIMEOUT - 1, true).unwrap();
    }

    #[test]
    fn a_term_that_a_pre_vote_raises_is_found() {
        let mut bench = led();
        bench.checkers.received(&message(2, 3, 2, Body::RequestPreVote { last: EntryId::ZERO }));
        let raised = bench.view(3, |view| view.hard_state.term = Term(2));
        breaks(Invariant::ElectionTimeout, bench.checkers.observed(node(3), &raised));
    }

    #[test]
    fn a_pre_candidate_that_raises_its_term_is_found() {
        for (term, right) in [(1, true), (2, false)] {
            let mut bench = led();
            heartbeat(&mut bench, 3);
            bench.checkers.campaign_requested(node(3));
            let view = bench.view(3, |view| {
                view.soft_state = raft::SoftState { role: Role::PreCandidate, leader: None };
                view.hard_state.term = Term(term);
            });
            match right {
                true => bench.checkers.observed(node(3), &view).unwrap(),
                false => breaks(Invariant::ElectionTimeout, bench.checkers.observed(node(3), &view)),
            }
        }
    }

    #[test]
    fn a_pre_vote_that_is_granted_against_a_lease_is_found() {
        let asks = message(2, 3, 2, Body::RequestPreVote { last: EntryId::ZERO });
        let grants = message(3, 2, 2, Body::PreVoteResponse { granted: true });
        let mut bench = led();
        heartbeat(&mut bench, 3);
        bench.checkers.received(&asks);
        bench.checkers.sent(&message(3, 2, 1, Body::PreVoteResponse { granted: false })).unwrap();
        breaks(Invariant::ElectionTimeout, bench.checkers.sent(&grants));

        // A node that asks again is told, and an answer may leave later than it is given.
        tick(&mut bench, 3, TIMEOUT).unwrap();
        bench.checkers.received(&asks);
        heartbeat(&mut bench, 3);
        bench.checkers.received(&asks);
        bench.checkers.sent(&grants).unwrap();
    }

    #[test]
    fn a_leader_that_is_forgotten_in_spite_of_its_lease_is_found() {
        for (read_only_option, right) in [(ReadOnlyOption::Safe, true), (ReadOnlyOption::LeaseBased, false)] {
            let mut bench = led();
            heartbeat(&mut bench, 3);
            let config = Config { read_only_option, check_quorum: true, ..Config::new(node(3)) };
            bench.checkers.cluster.node(node(3)).config = Some(Arc::new(config));
            let forgetful = bench.view(3, |view| view.soft_state.leader = None);
            match right {
                true => bench.checkers.observed(node(3), &forgetful).unwrap(),
                false => breaks(Invariant::ElectionTimeout, bench.checkers.observed(node(3), &forgetful)),
            }
        }
    }

    #[test]
    fn a_leader_of_an_earlier_term_tells_nobody_to_campaign() {
        let mut bench = led();
        bench.vote(3, 2, 2).unwrap();
        bench.checkers.received(&message(1, 3, 1, Body::TimeoutNow));
        breaks(Invariant::ElectionTimeout, bench.campaign_untold(3, 3));
    }

    #[test]
    fn a_leader_that_hears_a_quorum_leads_on() {
        let mut bench = led();
        for _ in 0..10 {
            bench.checkers.received(&message(2, 1, 1, Body::HeartbeatResponse { context: Bytes::new() }));
            tick(&mut bench, 1, 2 * TIMEOUT).unwrap();
        }
    }

    #[test]
    fn a_leader_that_hears_no_quorum_and_leads_on_is_found() {
        let mut bench = led();
        tick(&mut bench, 1, 3 * TIMEOUT).unwrap();
        // A stranger, and an answer of another term, are no quorum.
        bench.checkers.received(&message(4, 1, 1, Body::HeartbeatResponse { context: Bytes::new() }));
        bench.checkers.received(&message(2, 1, 0, Body::HeartbeatResponse { context: Bytes::new() }));
        breaks(Invariant::ElectionTimeout, tick(&mut bench, 1, 1));
    }

    #[test]
    fn a_leader_that_hears_a_quorum_and_steps_down_is_found() {
        for (ticks, right) in [(TIMEOUT, true), (TIMEOUT - 1, false)] {
            let mut bench = led();
            bench.checkers.received(&message(2, 1, 1, Body::HeartbeatResponse { context: Bytes::new() }));
            tick(&mut bench, 1, ticks).unwrap();
            let follows = bench.view(1, |view| view.soft_state = raft::SoftState::default());
            match right {
                true => bench.checkers.observed(node(1), &follows).unwrap(),
                false => breaks(Invariant::ElectionTimeout, bench.checkers.observed(node(1), &follows)),
            }
        }
    }

    #[test]
    fn a_leader_that_hears_one_half_of_a_joint_configuration_and_leads_on_is_found() {
        let mut bench = led();
        let joint = raft::ConfState {
            voters_outgoing: [node(1), node(4), node(5)].into(),
            auto_leave: true,
            ..configuration(&[1, 2, 3])
        };
        bench.checkers.configuration_applied(node(1), Index(4), &joint).unwrap();
        let mut hears = |ticks: u64| {
            (0..ticks).try_for_each(|_| {
                bench.checkers.received(&message(2, 1, 1, Body::HeartbeatResponse { context: Bytes::new() }));
                tick(&mut bench, 1, 1)
            })
        };
        hears(3 * TIMEOUT).unwrap();
        breaks(Invariant::ElectionTimeout, hears(1));
    }
}
