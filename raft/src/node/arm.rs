//! The kinds of input that a run loop takes.

/// What a [`RunLoop`](super::RunLoop) takes next. Which input of that kind it takes follows from the order in which
/// they came; see there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Arm {
    /// A proposal: of data, of a membership change, or one that a peer forwarded.
    Proposal,
    /// A message, request to campaign, to read or to hand over, report, or storage response.
    Message,
    /// A membership change that the application applies.
    MembershipChange,
    /// A tick.
    Tick,
    /// A caller that waits for a Ready gets one.
    Ready,
    /// The Ready that came back.
    Advance,
    /// A question for the status.
    Status,
    /// The request to stop.
    Stop,
}

impl Arm {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Proposal,
        Self::Message,
        Self::MembershipChange,
        Self::Tick,
        Self::Ready,
        Self::Advance,
        Self::Status,
        Self::Stop,
    ];
}
