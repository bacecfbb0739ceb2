//! The kinds of events.

use serde::{Deserialize, Serialize};

use super::Event;

/// The kinds, each of the name of its event.
macro_rules! kinds {
    ($($kind:ident),* $(,)?) => {
        /// What kind of event an [`Event`] is: for counting, weighing and naming.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "each is the event of the same name")]
        pub enum EventKind {
            $($kind),*
        }

        impl EventKind {
            /// All kinds, in the order of their declaration.
            pub const ALL: [Self; [$(Self::$kind),*].len()] = [$(Self::$kind),*];
        }

        impl Event {
            /// Its kind.
            pub const fn kind(&self) -> EventKind {
                match self {
                    $(Self::$kind { .. } => EventKind::$kind),*
                }
            }
        }
    };
}

kinds! {
    Start,
    Crash,
    Restart,
    Tick,
    Campaign,
    Propose,
    ProposeConfChange,
    TransferLeadership,
    ForgetLeader,
    ReadIndex,
    Invoke,
    Retry,
    BreakLeases,
    SearchHistories,
    ReportUnreachable,
    ReportSnapshot,
    SetElectionTimeout,
    TakeReady,
    Write,
    Sync,
    SyncDone,
    Release,
    Send,
    Apply,
    Advance,
    TakeSnapshot,
    Compact,
    Deliver,
    Drop,
    Duplicate,
    Cut,
    HealLink,
    ExpectSettled,
    Inject,
    Take,
    DiskFault,
    ExpectLiveness,
}
