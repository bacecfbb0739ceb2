//! The order in which inputs came to the loop that runs a node, as its host remembers it.

use std::collections::VecDeque;
use std::fmt;

use raft::node::Arm;

/// What came to a loop and was not taken yet, oldest first: inputs, and requests for a Ready.
///
/// ```
/// use raft::node::Arm;
/// use sim::invariant::{Arrivals, Disorder};
///
/// let mut arrivals = Arrivals::default();
/// [Arm::Proposal, Arm::Message, Arm::Tick].into_iter().for_each(|arm| arrivals.came(arm));
/// assert_eq!(arrivals.taken(Arm::Message, false), Ok(()), "no leader is known, and the proposal has to wait");
/// assert_eq!(arrivals.taken(Arm::Tick, true), Err(Disorder::Overtakes(Arm::Proposal)));
/// ```
#[derive(Clone, Hash, Debug, Default)]
pub struct Arrivals(VecDeque<Arm>);

/// How the taking of something was out of order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Disorder {
    /// This came before it, could be taken, and waits.
    Overtakes(Arm),
    /// Everything of the kind that came was taken before.
    NeverCame,
}

impl Arrivals {
    /// An input came, or a request for a Ready.
    pub fn came(&mut self, arm: Arm) {
        self.0.push_back(arm);
    }

    /// The loop takes the oldest from this arm. A proposal may be passed while proposals are not accepted; a request for
    /// a Ready always, since a Ready may be collected late; and a stop passes everything.
    ///
    /// # Errors
    /// It is not the turn of this arm. It counts as taken all the same.
    pub fn taken(&mut self, arm: Arm, accepts_proposals: bool) -> Result<(), Disorder> {
        let position = self.0.iter().position(|waiting| *waiting == arm).ok_or(Disorder::NeverCame)?;
        let passed = self.0.range(..position).find(|earlier| match earlier {
            _ if arm == Arm::Stop => false,
            Arm::Ready => false,
            Arm::Proposal => accepts_proposals,
            Arm::Message | Arm::MembershipChange | Arm::Tick | Arm::Advance | Arm::Status | Arm::Stop => true,
        });
        let result = passed.map_or(Ok(()), |earlier| Err(Disorder::Overtakes(*earlier)));
        self.0.remove(position);
        result
    }
}

/// What follows "took", and what came of it.
pub(super) struct Took(pub(super) Arm, pub(super) Disorder);

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(arm, disorder) = *self;
        match disorder {
            Disorder::Overtakes(earlier) => {
                write!(f, "took {} before {} that came earlier and could be taken", named(arm), named(earlier))
            }
            Disorder::NeverCame => write!(f, "took {}, and none came that it had not taken before", named(arm)),
        }
    }
}

const fn named(arm: Arm) -> &'static str {
    match arm {
        Arm::Proposal => "a proposal",
        Arm::Message => "a message, request or report",
        Arm::MembershipChange => "an applied membership change",
        Arm::Tick => "a tick",
        Arm::Ready => "a request for a Ready",
        Arm::Advance => "an advanced Ready",
        Arm::Status => "a question for the status",
        Arm::Stop => "a stop",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(arms: &[Arm]) -> Arrivals {
        let mut arrivals = Arrivals::default();
        arms.iter().for_each(|arm| arrivals.came(*arm));
        arrivals
    }

    #[test]
    fn what_is_taken_as_it_came_is_in_order_whatever_it_is() {
        let came: Vec<Arm> = Arm::ALL.into_iter().chain(Arm::ALL).collect();
        let mut arrivals = arrivals(&came);
        for arm in came {
            assert_eq!(arrivals.taken(arm, true), Ok(()));
        }
        for arm in Arm::ALL {
            assert_eq!(arrivals.taken(arm, true), Err(Disorder::NeverCame));
        }
    }

    #[test]
    fn whatever_is_passed_is_told_but_for_a_ready_and_for_proposals_that_wait_and_by_a_stop() {
        for earlier in Arm::ALL {
            for later in Arm::ALL.into_iter().filter(|later| *later != earlier) {
                for accepts_proposals in [false, true] {
                    let may_be_passed =
                        later == Arm::Stop || earlier == Arm::Ready || earlier == Arm::Proposal && !accepts_proposals;
                    let expected = if may_be_passed { Ok(()) } else { Err(Disorder::Overtakes(earlier)) };
                    let result = arrivals(&[earlier, later]).taken(later, accepts_proposals);
                    assert_eq!(result, expected, "{later:?} after {earlier:?}");
                }
            }
        }
    }

    #[test]
    fn a_proposal_that_waited_comes_before_what_came_after_it() {
        let mut arrivals = arrivals(&[Arm::Proposal, Arm::Message, Arm::Proposal, Arm::Tick]);
        assert_eq!(arrivals.taken(Arm::Message, false), Ok(()));
        assert_eq!(arrivals.clone().taken(Arm::Tick, true), Err(Disorder::Overtakes(Arm::Proposal)));
        for arm in [Arm::Proposal, Arm::Proposal, Arm::Tick] {
            assert_eq!(arrivals.taken(arm, true), Ok(()));
        }
    }

    #[test]
    fn what_is_wrong_is_told_in_words() {
        let told = Took(Arm::Tick, Disorder::Overtakes(Arm::Advance)).to_string();
        assert_eq!(told, "took a tick before an advanced Ready that came earlier and could be taken");
        let told = Took(Arm::Message, Disorder::NeverCame).to_string();
        assert_eq!(told, "took a message, request or report, and none came that it had not taken before");
    }
}
