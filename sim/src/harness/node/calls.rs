//! Calls of a handle: what they are for, and how they are answered.

use futures_core::Stream;
use raft::{
    ChangeError, ConfState, HardState, MemStorage, Node, NodeError, ProposeError, ReadError, Ready, Status, Stopped,
};

use super::task::Task;

/// A call that waits.
pub(super) struct Call {
    pub(super) kind: Kind,
    pub(super) task: Task<Answer>,
    /// How often the driver had been polled when the call began.
    pub(super) began: u64,
    /// Whether it has joined the queue of messages, after it waited for room there.
    pub(super) entered: bool,
}

impl Call {
    /// Whether it stands in line for room among the messages.
    pub(super) fn waits_for_message_room(&self) -> bool {
        self.kind.is_message() && !self.entered
    }
}

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// A proposal of data under this number. Waits for room, and then until it is stepped.
    Proposal(u32),
    /// A proposed membership change, or a proposal that a peer forwarded. Waits for room, and then until it is stepped.
    Unattended,
    /// Another message or notice, which waits for room only.
    Message,
    /// A read under this number. Waits for room among the messages, and then until it is taken.
    Read(u32),
    Ready,
    /// The status; what the node had promised when it was asked for.
    Status(HardState),
    AppliedChange,
}

impl Kind {
    pub(super) fn number(self) -> Option<u32> {
        match self {
            Self::Proposal(number) | Self::Read(number) => Some(number),
            Self::Message | Self::Unattended | Self::Ready | Self::Status(_) | Self::AppliedChange => None,
        }
    }

    /// Whether it joins the queue of messages.
    pub(super) fn is_message(self) -> bool {
        matches!(self, Self::Message | Self::Read(_))
    }

    /// Whether the call is over as soon as there is room for it.
    pub(super) fn only_enters(self) -> bool {
        match self {
            Self::Message => true,
            Self::Proposal(_)
            | Self::Read(_)
            | Self::Unattended
            | Self::Ready
            | Self::Status(_)
            | Self::AppliedChange => false,
        }
    }
}

/// What a call returns.
#[derive(Debug)]
pub(super) enum Answer {
    Proposed(Result<(), NodeError<ProposeError>>),
    Entered(Result<(), Stopped>),
    Read(Result<(), NodeError<ReadError>>),
    Ready(Result<Box<Ready>, Stopped>),
    Status(Result<Box<Status>, Stopped>),
    Changed(Result<ConfState, NodeError<ChangeError>>),
}

impl Answer {
    pub(super) fn is_stopped(&self) -> bool {
        match self {
            Self::Proposed(result) => matches!(result, Err(NodeError::Stopped)),
            Self::Entered(result) => result.is_err(),
            Self::Read(result) => matches!(result, Err(NodeError::Stopped)),
            Self::Ready(result) => result.is_err(),
            Self::Status(result) => result.is_err(),
            Self::Changed(result) => matches!(result, Err(NodeError::Stopped)),
        }
    }
}

/// The next Ready, from the call for one or from the stream of Readys.
pub(super) async fn next_ready(node: Node<MemStorage>, stream: bool) -> Answer {
    if !stream {
        return Answer::Ready(node.ready().await.map(Box::new));
    }
    let mut readys = node.readys();
    let next = std::future::poll_fn(|context| Stream::poll_next(std::pin::Pin::new(&mut readys), context)).await;
    Answer::Ready(next.map(Box::new).ok_or(Stopped))
}
