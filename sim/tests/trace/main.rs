//! Traces: what is recorded, replayed and shrunk.

mod command;
mod converged;
mod driver;
mod format;
mod liveness;
mod page;
mod replay;
mod scenario;
mod shrink;
