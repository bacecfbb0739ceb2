//! What chooses the next event of a [`World`](crate::world::World): each driver in a file of its own.

pub mod bytes;
pub mod swarm;
