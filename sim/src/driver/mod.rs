//! What chooses the next event of a [`World`](crate::world::World): each driver in a file or a folder of its own.
//!
//! All of them let events happen by [`apply`], which checks what the world cannot judge by itself.

pub mod availability;
pub mod bytes;
pub mod exhaust;
pub mod liveness;
mod play;
mod recording;
mod replay;
mod start;
pub mod swarm;
pub mod sweep;

pub use play::{Stop, apply};
pub use replay::{Divergence, How, Replayed, replay, replay_in};
pub use start::Start;
