//! Clients in a world: what they are told, and what is found where a cluster tells them wrong.

mod answers;
mod cluster;
mod faults;
