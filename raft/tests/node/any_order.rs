//! The loop under any order of inputs and choices: nothing panics, what comes joins the end of what waits and is taken
//! from its front, nobody is answered twice or for what was not asked, and one Ready is out at a time.

use std::collections::BTreeSet;

use proptest::prelude::*;
use raft::node::{Arm, FairChooser, Limits, Taken, Ticket};
use raft::{ConfChangeV1, Ready};

use super::{Loop, heartbeat, id, limited, store};

#[derive(Clone, Debug)]
enum Move {
    Propose,
    Heartbeat { term: u64 },
    Campaign,
    ForgetLeader,
    ProposeRemoval,
    ApplyChange { remove: bool },
    Tick,
    AskReady,
    AskStatus,
    Advance,
    CancelOldest,
    ReturnReady,
    Take(Arm),
}

fn any_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        2 => Just(Move::Propose),
        1 => (1..4u64).prop_map(|term| Move::Heartbeat { term }),
        1 => Just(Move::Campaign),
        1 => Just(Move::ForgetLeader),
        1 => Just(Move::ProposeRemoval),
        1 => any::<bool>().prop_map(|remove| Move::ApplyChange { remove }),
        1 => Just(Move::Tick),
        2 => Just(Move::AskReady),
        1 => Just(Move::AskStatus),
        2 => Just(Move::Advance),
        1 => Just(Move::CancelOldest),
        1 => Just(Move::ReturnReady),
        10 => (0..Arm::ALL.len() - 1).prop_map(|position| Move::Take(Arm::ALL[position])),
    ]
}

/// A loop with what an application and its clients remember.
struct Host {
    run_loop: Loop,
    waiting: BTreeSet<Ticket>,
    out: Option<Ready>,
}

impl Host {
    /// What comes goes behind all that waits, whatever it is.
    fn make(&mut self, next: Move) {
        let before = self.run_loop.waiting();
        let takes = matches!(next, Move::Take(_) | Move::CancelOldest);
        self.make_any(next);
        if !takes {
            assert!(self.run_loop.waiting().starts_with(&before), "what came joined before {before:?}");
        }
    }

    fn make_any(&mut self, next: Move) {
        let run_loop = &mut self.run_loop;
        match next {
            Move::Propose => self.waiting.extend(run_loop.propose("data".into())),
            Move::Heartbeat { term } => drop(run_loop.step(heartbeat(2, term))),
            Move::Campaign => drop(run_loop.campaign()),
            Move::ForgetLeader => drop(run_loop.forget_leader()),
            Move::ProposeRemoval => drop(run_loop.propose_conf_change(ConfChangeV1::remove(id(1)).into())),
            Move::ApplyChange { remove } => {
                let change = if remove { ConfChangeV1::remove(id(1)) } else { ConfChangeV1::add_voter(id(1)) };
                self.waiting.extend(run_loop.apply_conf_change(change.into()));
            }
            Move::Tick => drop(run_loop.tick()),
            Move::AskReady => self.waiting.extend(run_loop.request_ready()),
            Move::AskStatus => self.waiting.extend(run_loop.request_status()),
            Move::Advance => {
                if let Some(ready) = self.out.take() {
                    store(run_loop, &ready);
                    run_loop.advance(ready).unwrap();
                }
            }
            Move::CancelOldest => {
                if let Some(ticket) = self.waiting.pop_first() {
                    run_loop.cancel(ticket);
                }
            }
            Move::ReturnReady => {
                if let Some(ready) = self.out.take() {
                    run_loop.return_ready(ready);
                }
            }
            Move::Take(arm) => self.take(arm),
        }
    }

    fn work_off(&mut self) {
        let mut chooser = FairChooser::default();
        self.make(Move::Advance);
        while let Some(arm) = chooser.choose(&self.run_loop) {
            self.take(arm);
            self.make(Move::Advance);
        }
    }

    /// Whether it is the turn of this arm: of an input if it is the first, of a Ready if no input is before it, where
    /// proposals that are not accepted do not count.
    fn is_turn_of(&self, arm: Arm) -> bool {
        let accepts_proposals = self.run_loop.accepts_proposals();
        let mut counts = self.run_loop.waiting().into_iter().map(|(_, arm)| arm);
        let first = counts.find(|waiting| match waiting {
            Arm::Ready => arm == Arm::Ready,
            Arm::Proposal => accepts_proposals,
            _ => true,
        });
        first == Some(arm)
    }

    fn take(&mut self, arm: Arm) {
        let could = self.run_loop.can_take(arm);
        assert!(!could || self.is_turn_of(arm), "{arm:?} can be taken, and is not next");
        assert!(could || arm == Arm::Ready || !self.is_turn_of(arm), "{arm:?} is next, and cannot be taken");
        let taken = self.run_loop.take(arm);
        assert_eq!(taken.is_some(), could);
        match taken {
            Some(
                Taken::Proposal { ticket, .. } | Taken::MembershipChange { ticket, .. } | Taken::Status { ticket, .. },
            ) => {
                assert!(self.waiting.remove(&ticket), "nobody waits for {ticket:?}");
            }
            Some(Taken::Ready { ticket, ready }) => {
                assert!(self.waiting.remove(&ticket), "nobody waits for {ticket:?}");
                assert_eq!(self.out.replace(*ready), None, "two Readys are out");
            }
            Some(
                Taken::UnattendedProposal { .. }
                | Taken::Message(_)
                | Taken::Read { .. }
                | Taken::Tick
                | Taken::Advance
                | Taken::Stop,
            )
            | None => {}
        }
    }
}

proptest! {
    #[test]
    fn every_answer_goes_to_who_asked_and_comes_once_nobody_holds_it_up(moves in prop::collection::vec(any_move(), 1..300)) {
        let limits = Limits { proposals: 4, messages: 4, ticks: 4 };
        let mut host = Host { run_loop: limited(&[1, 2, 3], limits), waiting: BTreeSet::new(), out: None };
        moves.into_iter().for_each(|next| host.make(next));

        host.work_off();
        // Two leaders, one after the other: at least one of them is a change of leader, even for a removed node.
        for (from, term) in [(2, 1000), (3, 1001)] {
            host.run_loop.step(heartbeat(from, term)).unwrap();
            host.work_off();
        }
        prop_assert_eq!(host.run_loop.proposal_room(), 4, "proposals wait although there is a leader");
        prop_assert!(host.run_loop.available().next().is_none());
    }
}
