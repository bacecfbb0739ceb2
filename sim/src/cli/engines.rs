//! The engines that this program has beside the project's own.

use std::sync::{Arc, OnceLock};

use crate::trace::Header;
use crate::world::consensus::Engine;
use crate::world::{Setup, World};

/// What a program was built with is the same for as long as it runs.
static ENGINES: OnceLock<Vec<Arc<dyn Engine>>> = OnceLock::new();

/// Says once which engines there are.
pub(super) fn are(engines: &[Arc<dyn Engine>]) {
    ENGINES.get_or_init(|| engines.to_vec());
}

/// A world that runs the engine of this name, or the project's own nodes.
///
/// # Errors
/// This program does not have it.
pub(super) fn world(name: Option<&str>) -> Result<World, String> {
    let Some(name) = name else { return Ok(World::new()) };
    let mut engines = ENGINES.get().into_iter().flatten();
    let engine = engines.find(|engine| engine.name() == name).ok_or_else(|| missing(name))?;
    Ok(World::with(Setup::new().engine(Arc::clone(engine))))
}

/// The world in which a trace was recorded, without what happened there.
///
/// # Errors
/// This program does not have its engine.
pub(super) fn world_of(header: &Header) -> Result<World, String> {
    world(header.engine.as_deref())
}

fn missing(name: &str) -> String {
    let get = match name {
        "raft-rs" => {
            ": it is in a package of its own, cargo run --release --manifest-path sim/engines/raft-rs/Cargo.toml -- --engine raft-rs"
        }
        _ => "",
    };
    format!("this program has no engine {name:?}{get}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_is_not_built_in_is_refused_and_the_one_of_the_project_says_where_it_is() {
        assert!(world(None).is_ok());
        let refused = world(Some("raft-rs")).unwrap_err();
        assert!(refused.contains("sim/engines/raft-rs/Cargo.toml"), "{refused}");
        assert_eq!(world(Some("other")).unwrap_err(), "this program has no engine \"other\"");
        let header = Header { engine: Some("raft-rs".to_owned()), ..Header::new(None) };
        assert_eq!(world_of(&header).unwrap_err(), refused);
    }
}
