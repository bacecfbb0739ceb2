//! Every order of events within bounds, breadth first, on the production node.
//!
//! A *move* is what somebody outside a node decides, with what the node's host then does for it: a message arrives, a node
//! campaigns, a client proposes, a node crashes. From each state all moves are tried that the [bounds](Bounds) still allow;
//! a state that was met before is not gone on from. States are told apart by the world's [hash](crate::world::World::state_hash)
//! and by how much of the bounds is used up. So when a search ends, either nothing within the bounds breaks anything, or there is a
//! shortest run that does, which is a trace like any other.
//!
//! # What a host does in one move
//! With synchronous storage writes all there is to do: it takes the Ready, writes, syncs, sends, applies, hands it back, and takes
//! the next one. With asynchronous ones it takes Readys and sends; an append, an apply, and each answer of a storage thread are moves
//! of their own, in any order. With [`Bounds::host_steps`] each step of a host is a move in either case.
//!
//! # What is left out
//! - A message does not arrive at a node that is down. It is as if it arrived later, or never.
//! - A move that leads back to the state it began in is not one: it only uses up the bounds, and from the state itself at least as
//!   much can happen.
//! - A crash keeps all or nothing of what is pending, and a node comes back with the options that it had.
//! - Timeouts are fixed, at the election tick.
//!
//! # What makes it smaller
//! The first move is one of node 1, where all nodes begin alike. No node and no check decides anything by which of two identities is
//! greater: renaming the nodes in a run gives a run, so that each run that begins with another node is one of those that begin with
//! node 1, under other names. `tests::whichever_node_begins_as_many_states_are_reached` counts both ways.
//!
//! Nothing else is left out for symmetry, and all orders of independent events are tried: they lead to the same state, which is
//! noticed. To skip them as well takes a proof that their effects on what the checks remember commute, of which there is none.
//!
//! ```
//! use sim::driver::exhaust::{Act, Bounds, Ended, Alone, Unwatched, search};
//!
//! let bounds = Bounds { nodes: 2, ..Bounds::default() }.with(Act::Campaign, 1).with(Act::Propose, 0);
//! let explored = search(&bounds, &Alone, &mut Unwatched);
//! assert_eq!(explored.ended, Ended::Whole);
//! assert!(explored.states > 5);
//! ```

mod act;
mod bounds;
mod moves;
mod reached;
mod search;
#[cfg(test)]
mod tests;
mod visited;

pub use act::{Act, Counts};
pub use bounds::Bounds;
pub use reached::{Expanded, Reached, expand};
pub use search::{Alone, Ended, Explored, Progress, Spread, Unwatched, Watch, search};
