//! What one node makes of what it is told, seen as its host sees it: by its Readys, its messages and its status.

mod host;

mod asynchronous;
mod elections;
mod failing_storage;
mod flow;
mod followers;
mod handing_back;
mod joined;
mod membership;
mod news;
mod proposals;
mod reads;
mod replication;
mod restarts;
mod telling;
mod terms;
mod together;
mod transfers;
mod votes;
mod writes;
