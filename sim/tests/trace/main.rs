//! Traces: what is recorded, replayed and shrunk.

mod calm;
mod command;
mod driver;
mod format;
mod replay;
mod report;
mod rest;
mod scenario;
mod shrink;
