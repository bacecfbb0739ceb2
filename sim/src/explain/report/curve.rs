//! How certain a failure was, step by step, as the page draws it along the slider.

use serde_json::{Value, json};

/// At some steps, which share of the ways to go on from there fails; and where it jumps.
///
/// Whoever has sampled such ways hands it to [`Report::with_curve`](super::Report::with_curve). In the data of the page it is the
/// field `why`: `{"points": [[step, thousandths], …], "jumps": [[step, text], …]}`, or null.
///
/// ```
/// use sim::explain::Curve;
/// let jumps = vec![(3113, "node 2's vote is not synced".to_owned())];
/// let curve = Curve { points: vec![(0, 2), (3112, 40), (3113, 970)], jumps };
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Curve {
    /// Steps in order, each with the share of failures after it, in thousandths.
    pub points: Vec<(u64, u32)>,
    /// The steps at which the share jumps, with what is said of each.
    pub jumps: Vec<(u64, String)>,
}

impl Curve {
    pub(super) fn value(&self) -> Value {
        json!({ "points": self.points, "jumps": self.jumps })
    }
}
