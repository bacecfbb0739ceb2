//! Lengths of time, as they are typed.

use std::time::Duration;

/// Seconds, or with s, m or h.
pub(super) fn length(text: &str) -> Result<Duration, String> {
    let (digits, seconds) = match text.chars().last() {
        Some('s') => (&text[..text.len() - 1], 1),
        Some('m') => (&text[..text.len() - 1], 60),
        Some('h') => (&text[..text.len() - 1], 3600),
        Some(_) | None => (text, 1),
    };
    let number: u64 =
        digits.parse().map_err(|_| format!("a time is a number of seconds, or like 90s, 10m or 2h, not {text:?}"))?;
    Ok(Duration::from_secs(number.saturating_mul(seconds)))
}

/// The same, but more than zero: in no time, nothing is checked.
pub(super) fn some(text: &str) -> Result<Duration, String> {
    match length(text)? {
        Duration::ZERO => Err("in no time nothing would be checked".to_owned()),
        some => Ok(some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_seconds_minutes_or_hours() {
        assert_eq!(length("90"), Ok(Duration::from_secs(90)));
        assert_eq!(length("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(length("1h"), Ok(Duration::from_secs(3600)));
        assert_eq!(length("18446744073709551615h"), Ok(Duration::from_secs(u64::MAX)));
        for wrong in ["", "m", "-1s", "1d", "ä"] {
            assert!(length(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn no_time_is_not_enough() {
        assert!(some("0").is_err() && some("0h").is_err() && some("1").is_ok());
    }
}
