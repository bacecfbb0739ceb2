//! A property that a user brings, as reports and traces name it.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a user's property is called, says, and comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct About {
    /// Its name, as reports and traces spell it.
    pub name: &'static str,
    /// What it says, in one sentence.
    pub meaning: &'static str,
    /// Where it comes from.
    pub source: &'static str,
}

/// A user's property. Two are the same if their names are.
///
/// A trace holds the name alone. Whoever reads one and does not have the property still sees what was broken.
///
/// ```
/// use sim::invariant::{About, Invariant, UserDefined};
///
/// let about = &About { name: "money", meaning: "money is neither made nor lost.", source: "the rules of the bank" };
/// let broken = Invariant::UserDefined(UserDefined::new(about));
/// assert_eq!((broken.name(), broken.meaning()), ("money", "money is neither made nor lost."));
///
/// let written = serde_json::to_string(&broken)?;
/// assert_eq!(written, r#"{"user-defined":"money"}"#);
/// assert_eq!(serde_json::from_str::<Invariant>(&written)?, broken);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct UserDefined(&'static About);

impl UserDefined {
    /// The longest name that is read from a file, in bytes.
    pub const LONGEST: usize = 64;

    /// This property.
    pub const fn new(about: &'static About) -> Self {
        Self(about)
    }

    /// What it is called, says, and comes from.
    pub const fn about(self) -> &'static About {
        self.0
    }

    /// A property of which only the name is known.
    fn named(name: &str) -> Result<Self, &'static str> {
        let is_named_well = !name.is_empty() && name.len() <= Self::LONGEST;
        let about = is_named_well.then(|| kept(name)).flatten();
        about.map(Self).ok_or("the name of a user's property is empty, too long, or one of too many")
    }
}

/// What is known of the names that were read, kept for as long as the program runs: so a property is a plain value that is
/// copied. `None` where there are very many, which no honest files hold.
fn kept(name: &str) -> Option<&'static About> {
    const MOST: usize = 1 << 16;
    static NAMES: Mutex<BTreeMap<&'static str, &'static About>> = Mutex::new(BTreeMap::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return Some(known);
    }
    (names.len() < MOST).then(|| {
        let name: &'static str = Box::leak(name.into());
        let meaning = "a property that whoever recorded this brought.";
        let about: &'static About = Box::leak(Box::new(About { name, meaning, source: "whoever recorded this" }));
        names.insert(name, about);
        about
    })
}

impl PartialEq for UserDefined {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for UserDefined {}

impl PartialOrd for UserDefined {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for UserDefined {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.name.cmp(other.0.name)
    }
}

impl Hash for UserDefined {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name.hash(state);
    }
}

impl fmt::Display for UserDefined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.name)
    }
}

impl Serialize for UserDefined {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name)
    }
}

impl<'de> Deserialize<'de> for UserDefined {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_read_is_the_same_property_as_the_one_that_was_written() {
        let money = UserDefined::new(&About { name: "money", meaning: "neither made nor lost", source: "the bank" });
        let read: UserDefined = serde_json::from_str(r#""money""#).unwrap();
        assert_eq!(read, money);
        assert_ne!(read, serde_json::from_str(r#""time""#).unwrap());
        assert_ne!(read.about().meaning, money.about().meaning);
    }

    #[test]
    fn a_name_that_is_empty_or_endless_is_refused() {
        for name in [String::new(), "x".repeat(UserDefined::LONGEST + 1)] {
            assert!(serde_json::from_value::<UserDefined>(name.into()).is_err());
        }
    }
}
