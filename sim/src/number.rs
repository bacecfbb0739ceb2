//! Numbers in JSON: many readers hold no more than 53 bits, so that what is larger is written as text, what is drawn from all
//! 64 bits always is, and a limit that limits nothing is `null`. Each form is read, and so is a number of any size, which
//! traces of version 1 have.

use raft::Index;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// The largest number that every reader of JSON holds.
const WIDEST: u64 = (1 << 53) - 1;

/// A number that is usually small.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    // The way in which the crate `raft` writes its numbers.
    Index(*number).serialize(serializer)
}

/// What [`serialize`] writes.
///
/// # Errors
/// It is no such number.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Index::deserialize(deserializer).map(|Index(number)| number)
}

/// A number that may be any of 64 bits, such as a seed: always text.
pub mod any {
    use super::*;

    /// As text.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub use super::deserialize;
}

/// The same, where there may be none.
pub mod perhaps {
    use super::*;

    /// As text, or `null`.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(number: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
        number.map(|number| number.to_string()).serialize(serializer)
    }

    /// What it writes.
    ///
    /// # Errors
    /// It is no such number.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
        Ok(Option::<Index>::deserialize(deserializer)?.map(|Index(number)| number))
    }
}

/// A digest: sixteen hexadecimal digits.
pub mod hexadecimal {
    use super::*;

    /// As text.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{number:016x}"))
    }

    /// What it writes.
    ///
    /// # Errors
    /// It is no such number.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let digits = String::deserialize(deserializer)?;
        let wrong = |_| serde::de::Error::custom("a digest has hexadecimal digits, at most 16");
        u64::from_str_radix(&digits, 16).map_err(wrong)
    }
}

/// A limit: the largest number there is limits nothing.
pub mod limit {
    use super::*;

    /// As a number, or `null` where nothing is limited.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer, T: Limit>(limit: &T, serializer: S) -> Result<S::Ok, S::Error> {
        limit.number().map(Index).serialize(serializer)
    }

    /// What it writes.
    ///
    /// # Errors
    /// It is no such number.
    pub fn deserialize<'de, D: Deserializer<'de>, T: Limit>(deserializer: D) -> Result<T, D::Error> {
        Ok(T::limited_to(Option::<Index>::deserialize(deserializer)?.map(|Index(number)| number)))
    }

    /// The numbers that are limits.
    pub trait Limit: Copy {
        /// What it limits something to, if it does.
        fn number(self) -> Option<u64>;
        /// The limit of this number; what is too large for it limits nothing.
        fn limited_to(number: Option<u64>) -> Self;
    }

    impl Limit for u64 {
        fn number(self) -> Option<u64> {
            Some(self).filter(|number| *number != Self::MAX)
        }

        fn limited_to(number: Option<u64>) -> Self {
            number.unwrap_or(Self::MAX)
        }
    }

    impl Limit for usize {
        fn number(self) -> Option<u64> {
            (self != Self::MAX).then_some(self as u64)
        }

        fn limited_to(number: Option<u64>) -> Self {
            number.and_then(|number| Self::try_from(number).ok()).unwrap_or(Self::MAX)
        }
    }
}

/// The value with every number as text that is larger than many readers hold.
pub(crate) fn narrowed(value: Value) -> Value {
    match value {
        Value::Number(number) => match number.as_u64() {
            Some(wide) if wide > WIDEST => Value::String(wide.to_string()),
            Some(_) | None => Value::Number(number),
        },
        Value::Array(values) => values.into_iter().map(narrowed).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, narrowed(value))).collect(),
        other @ (Value::Null | Value::Bool(_) | Value::String(_)) => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Numbers {
        #[serde(with = "super")]
        count: u64,
        #[serde(with = "super::any")]
        seed: u64,
        #[serde(with = "super::perhaps")]
        other: Option<u64>,
        #[serde(with = "super::limit")]
        bytes: u64,
        #[serde(with = "super::limit")]
        messages: usize,
    }

    fn written(numbers: &Numbers) -> Value {
        let json = serde_json::to_value(numbers).unwrap();
        assert_eq!(&serde_json::from_value::<Numbers>(json.clone()).unwrap(), numbers);
        json
    }

    #[test]
    fn small_numbers_are_numbers_but_for_seeds() {
        let numbers = Numbers { count: 7, seed: 7, other: Some(7), bytes: 7, messages: 7 };
        assert_eq!(written(&numbers), json!({"count": 7, "seed": "7", "other": "7", "bytes": 7, "messages": 7}));
    }

    #[test]
    fn what_not_every_reader_holds_is_text_and_no_limit_is_null() {
        let most = (1 << 53) - 1;
        let numbers = Numbers { count: most, seed: u64::MAX, other: None, bytes: u64::MAX, messages: usize::MAX };
        let json = json!({
            "count": most, "seed": "18446744073709551615", "other": null, "bytes": null, "messages": null
        });
        assert_eq!(written(&numbers), json);
        let numbers = Numbers { count: u64::MAX, seed: 0, other: Some(0), bytes: most + 1, messages: 0 };
        let json = json!({
            "count": "18446744073709551615", "seed": "0", "other": "0", "bytes": "9007199254740992", "messages": 0
        });
        assert_eq!(written(&numbers), json);
    }

    #[test]
    fn numbers_as_version_1_wrote_them_are_read() {
        let max = u64::MAX;
        let json = json!({"count": max, "seed": max, "other": max, "bytes": max, "messages": max});
        let numbers = Numbers { count: max, seed: max, other: Some(max), bytes: max, messages: usize::MAX };
        assert_eq!(serde_json::from_value::<Numbers>(json).unwrap(), numbers);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for wrong in [json!(-1), json!(1.5), json!(""), json!("1e3"), json!("18446744073709551616"), json!([1])] {
            let json = json!({"count": wrong, "seed": "0", "other": null, "bytes": 0, "messages": 0});
            assert!(serde_json::from_value::<Numbers>(json).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_plan_of_version_1_is_narrowed() {
        let old = json!({"seed": u64::MAX, "few": [1, 2.5, "x", null, {"most": 1u64 << 53}]});
        let new = json!({"seed": "18446744073709551615", "few": [1, 2.5, "x", null, {"most": "9007199254740992"}]});
        assert_eq!(narrowed(old), new);
    }
}
