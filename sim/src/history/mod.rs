//! What clients asked and were told, and whether one copy of the data could have told them so.
//!
//! A cluster is *linearizable* if every operation seems to happen at one instant between its invocation and its answer
//! (Herlihy & Wing, "Linearizability: a correctness condition for concurrent objects", TOPLAS 1990). An operation without
//! an answer is unknown, never failed: it happened at some instant after its invocation, will happen later, or never.
//! From that follows what a client relies on: an acknowledged write is never lost, each operation happens once however
//! often it is sent, and no read goes back in time.
//!
//! Two checkers, which fail in different ways, look at the same operations:
//!
//! - [`AppliedOrder`] believes the log: an operation's instant is its position in the applied order, so that only real
//!   time and values remain to be compared. It costs a comparison for each operation and runs always.
//! - [`search`] believes nothing: it looks for any order of the operations on one key that explains all answers (Wing &
//!   Gong, "Testing and verifying concurrent objects", 1993; with the memory of Lowe, "Testing for linearizability",
//!   2017, and one key at a time as Porcupine does: Athalye, 2017). The problem is NP-complete, so it runs on samples,
//!   [`Windows`] of operations that follow each other closely, and within a budget.
//!
//! ```
//! use sim::history::{Answer, Fate, Initial, Operation, Record, Verdict, search};
//!
//! let write = Operation::Write { key: 5, value: "new".into() };
//! let read = Operation::Read { key: 5 };
//! let answered = |step, answer| Fate::Answered { step, answer };
//! let mut history = vec![
//!     Record { client: 1, sequence: 1, operation: write, invoked: 10, fate: answered(20, Answer::Written) },
//!     Record { client: 2, sequence: 1, operation: read, invoked: 15, fate: answered(30, Answer::Read("".into())) },
//! ];
//! // The read ran while the write did, so it may come first …
//! assert_eq!(search(&Initial::empty(), &history, 1000), Verdict::Linearizable);
//! // … but one that begins after the write was acknowledged has to see it.
//! history[1].invoked = 21;
//! assert_eq!(search(&Initial::empty(), &history, 1000), Verdict::Impossible);
//! ```

mod command;
mod instants;
mod keyed;
mod operation;
mod order;
mod prefix;
mod search;
mod search_any;
mod submission;
#[cfg(test)]
mod testing;
mod window;

pub use command::Command;
pub(crate) use instants::Instants;
pub use keyed::KeyedHistories;
pub(crate) use operation::Text;
pub use operation::{Answer, Fate, Operation, Record};
pub use order::{AppliedOrder, Session, TookEffect};
pub use prefix::Prefix;
pub use search::{Initial, Verdict, search, search_order};
pub use search_any::{search_order_with, search_with};
pub use submission::Submission;
pub use window::{Searched, Windows};
