//! What the log promises, on the modelled disk and on real files: after any crash it is a state that the log was in
//! since the last completed sync, and damage to what was durable never passes for anything else.

mod crash;
mod damage;
mod hosts;
mod real;
mod script;
