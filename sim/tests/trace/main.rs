//! Traces: what is recorded, replayed and shrunk.

mod driver;
mod format;
mod replay;
mod shrink;
