//! What it says that nothing failed.

/// If none of so many independent runs fails, then, with 95 % confidence, fewer than one run in this many does. `None` where there
/// were too few to say anything.
///
/// Where one run in n fails, k runs without a failure have the probability (1 - 1/n)^k, which is below e^(-k/n). That is 5 % at
/// k = 3n, nearly: the rule of three (Hanley and Lippman-Hand, "If nothing goes wrong, is everything all right?", 1983).
///
/// ```
/// use sim::campaign::rarer_than;
/// assert_eq!(rarer_than(3_000), Some(1_000));
/// assert_eq!(rarer_than(5), None);
/// ```
pub const fn rarer_than(runs: u64) -> Option<u64> {
    match runs / 3 {
        0 | 1 => None,
        one_in => Some(one_in),
    }
}
