//! What one node makes of what it is told, seen as its host sees it: by its Readys, its messages and its status.

mod host;

mod asynchronous;
mod elections;
mod flow;
mod followers;
mod membership;
mod news;
mod proposals;
mod reads;
mod replication;
mod terms;
mod transfers;
mod votes;
