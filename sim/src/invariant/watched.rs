//! Which properties are checked: all of them, unless somebody measures what one costs.

use super::violation::Invariant;

/// A set of properties.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Watched(u32);

impl Watched {
    pub(super) const ALL: Self = Self(u32::MAX);
    pub(super) const NONE: Self = Self(0);

    /// One property, and those whose picture of the cluster it needs.
    pub(super) fn only(invariant: Invariant) -> Self {
        goes_by(invariant).iter().map(|other| Self::only(*other)).fold(Self(bit(invariant)), Self::and)
    }

    /// All of these properties but one.
    pub(super) const fn but(self, invariant: Invariant) -> Self {
        Self(self.0 & !bit(invariant))
    }

    pub(super) const fn contains(self, invariant: Invariant) -> bool {
        self.0 & bit(invariant) != 0
    }

    const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Default for Watched {
    fn default() -> Self {
        Self::ALL
    }
}

/// A user's property has no bit: it is not checked here.
const fn bit(invariant: Invariant) -> u32 {
    use Invariant as Of;
    let number = match invariant {
        Of::ElectionSafety => 0,
        Of::VoteOnce => 1,
        Of::LeaderIsVoter => 2,
        Of::LogMatching => 3,
        Of::LeaderAppendOnly => 4,
        Of::LeaderCompleteness => 5,
        Of::StateMachineSafety => 6,
        Of::CommitQuorum => 7,
        Of::DurableBeforeSend => 8,
        Of::ConfigurationAgreement => 9,
        Of::Monotonic => 10,
        Of::LinearizableRead => 11,
        Of::ExactlyOnce => 12,
        Of::BoundedMemory => 13,
        Of::Liveness => 14,
        Of::Linearizability => 15,
        Of::RunLoop => 16,
        Of::ElectionTimeout => 17,
        Of::MessageEconomy => 18,
        Of::UserDefined(_) => return 0,
    };
    1 << number
}

/// Who voted decides who was elected, who was elected decides who may create entries, and what entries say decides what
/// disks may give back, what state machines may apply and what a read must see.
const fn goes_by(invariant: Invariant) -> &'static [Invariant] {
    use Invariant as Of;
    match invariant {
        Of::ElectionSafety => &[Of::VoteOnce],
        Of::LogMatching => &[Of::ElectionSafety],
        Of::StateMachineSafety | Of::BoundedMemory | Of::DurableBeforeSend => &[Of::LogMatching],
        Of::LinearizableRead => &[Of::StateMachineSafety],
        Of::VoteOnce
        | Of::LeaderIsVoter
        | Of::LeaderAppendOnly
        | Of::LeaderCompleteness
        | Of::CommitQuorum
        | Of::ConfigurationAgreement
        | Of::Monotonic
        | Of::ExactlyOnce
        | Of::Liveness
        | Of::Linearizability
        | Of::RunLoop
        | Of::ElectionTimeout
        | Of::MessageEconomy
        | Of::UserDefined(_) => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_property_is_watched_with_all_that_it_goes_by() {
        let reads = Watched::only(Invariant::LinearizableRead);
        let watched: Vec<Invariant> =
            Invariant::ALL.into_iter().filter(|invariant| reads.contains(*invariant)).collect();
        let expected = [
            Invariant::ElectionSafety,
            Invariant::VoteOnce,
            Invariant::LogMatching,
            Invariant::StateMachineSafety,
            Invariant::LinearizableRead,
        ];
        assert_eq!(watched, expected);
    }

    #[test]
    fn each_property_is_watched_apart_from_the_others() {
        let bits: std::collections::BTreeSet<u32> = Invariant::ALL.into_iter().map(bit).collect();
        assert_eq!((bits.len(), bits.contains(&0)), (Invariant::ALL.len(), false));
    }

    #[test]
    fn a_property_that_nothing_is_claimed_of_is_left_out() {
        let watched = Watched::ALL.but(Invariant::RunLoop);
        for invariant in Invariant::ALL {
            assert_eq!(watched.contains(invariant), invariant != Invariant::RunLoop);
        }
    }

    #[test]
    fn everything_is_watched_by_default_and_nothing_only_on_request() {
        for invariant in Invariant::ALL {
            assert!(Watched::default().contains(invariant) && !Watched::NONE.contains(invariant));
        }
    }
}
