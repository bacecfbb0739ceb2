//! The seam for a user's own properties: checks over what all checks see.

use std::fmt::Debug;

use raft::NodeId;

use super::World;
use super::event::Event;
use crate::invariant::{About, Invariant, UserDefined, Violation};

/// A property of a user's own, checked after every event, beside those of the project. Where it does not hold, that is a
/// [`Violation`] like any other: it is reported, recorded, replayed, shrunk, explained and shown.
///
/// It may keep a picture of its own; that is cloned with the world. It must be deterministic: no clock, no randomness, no
/// order of a hash map, or else a failure does not happen again.
///
/// ```
/// use sim::driver::swarm::run_in;
/// use sim::invariant::About;
/// use sim::plan::{Overrides, Plan};
/// use sim::world::{Contradiction, Property, Seen, Setup, World};
///
/// /// No term is ever reached. (It is, of course.)
/// #[derive(Clone, Debug)]
/// struct TermsStayBelow(u64);
///
/// impl Property for TermsStayBelow {
///     fn about(&self) -> &'static About {
///         &About { name: "few-terms", meaning: "terms stay low.", source: "an example" }
///     }
///
///     fn check(&mut self, seen: &Seen<'_>) -> Result<(), Contradiction> {
///         for replica in seen.world.replicas() {
///             let term = replica.view().hard_state.term.0;
///             if term >= self.0 {
///                 let detail = format!("node {} is in term {term}; expected less than {}", replica.id(), self.0);
///                 return Err(Contradiction::of([replica.id()], detail));
///             }
///         }
///         Ok(())
///     }
/// }
///
/// let world = World::with(Setup::new().property(TermsStayBelow(3)));
/// let violation = run_in(&world, &Plan::draw(1, &Overrides { steps: Some(20_000), ..Overrides::default() }), |_| {}).violation.expect("terms grow");
/// assert_eq!(violation.invariant.name(), "few-terms");
/// ```
pub trait Property: CloneProperty + Debug + Send + Sync {
    /// What it is called, says, and comes from.
    fn about(&self) -> &'static About;

    /// Looks at the world after an event.
    ///
    /// # Errors
    /// It does not hold.
    fn check(&mut self, seen: &Seen<'_>) -> Result<(), Contradiction>;
}

/// What makes a [`Property`] cloneable behind a pointer. Everything that is [`Clone`] has it.
pub trait CloneProperty {
    /// The same once more.
    fn clone_boxed(&self) -> Box<dyn Property>;
}

impl<P: Property + Clone + 'static> CloneProperty for P {
    fn clone_boxed(&self) -> Box<dyn Property> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Property> {
    fn clone(&self) -> Self {
        (**self).clone_boxed()
    }
}

/// What a [`Property`] sees: what has just happened, and the world as it is now.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// What has happened.
    pub event: &'a Event,
    /// The node that it touched, if it touched one.
    pub node: Option<NodeId>,
    /// The replicas with their views and applications, the network and the clients.
    pub world: &'a World,
}

/// What a [`Property`] found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contradiction {
    nodes: Vec<NodeId>,
    detail: String,
}

impl Contradiction {
    /// States of these nodes clash, as the detail says: with their numbers, and with what was expected.
    pub fn of(nodes: impl IntoIterator<Item = NodeId>, detail: impl Into<String>) -> Self {
        Self { nodes: nodes.into_iter().collect(), detail: detail.into() }
    }
}

impl World {
    /// Asks all properties that were brought.
    pub(super) fn check_properties(&mut self, event: &Event, node: Option<NodeId>) -> Result<(), Violation> {
        if self.properties.is_empty() {
            return Ok(());
        }
        let mut properties = std::mem::take(&mut self.properties);
        let seen = Seen { event, node, world: self };
        let broken = properties.iter_mut().find_map(|property| {
            let Contradiction { nodes, detail } = property.check(&seen).err()?;
            Some(
                Violation::new(Invariant::UserDefined(UserDefined::new(property.about())), &nodes, detail)
                    .at(self.step),
            )
        });
        self.properties = properties;
        broken.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{Boot, Halt, NodeOptions, Setup};

    /// So many events, and no more.
    #[derive(Clone, Debug)]
    struct Few(u64);

    impl Property for Few {
        fn about(&self) -> &'static About {
            &About { name: "few", meaning: "there are few events.", source: "this test" }
        }

        fn check(&mut self, seen: &Seen<'_>) -> Result<(), Contradiction> {
            self.0 = self.0.checked_sub(1).ok_or_else(|| Contradiction::of(seen.node, "there are more"))?;
            Ok(())
        }
    }

    #[test]
    fn a_property_that_does_not_hold_is_a_violation_at_its_event_and_each_copy_of_a_world_has_its_own() {
        let node = NodeId::new(1).unwrap();
        let mut world = World::with(Setup::new().property(Few(2)));
        let (boot, options) = (Boot::Peers(vec![node]), NodeOptions::default());
        world.apply(&Event::Start { node, boot, options, seed: Some(1) }).unwrap();
        for _ in 0..2 {
            let mut copy = world.clone();
            copy.apply(&Event::Tick { node }).unwrap();
            let halt = copy.apply(&Event::Tick { node }).unwrap_err();
            let few = UserDefined::new(Few(0).about());
            let expected = Violation::new(Invariant::UserDefined(few), &[node], "there are more").at(2);
            assert_eq!(halt, Halt::Violation(expected));
        }
    }
}
