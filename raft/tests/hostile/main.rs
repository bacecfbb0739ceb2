//! A node among peers that say what no correct peer says: what it refuses, and that nothing makes it panic.

mod contradictions;
mod host;
mod sequences;
