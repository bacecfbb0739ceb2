//! Traces: what is recorded, replayed and shrunk.

mod command;
mod converged;
mod driver;
mod format;
mod liveness;
mod replay;
mod report;
mod scenario;
mod shrink;
