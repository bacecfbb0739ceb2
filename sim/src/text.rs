//! Bytes as readable text, in traces: data that is printable stays as it is.

use bytes::Bytes;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

/// What begins the hexadecimal form of bytes that are not printable, or that begin like this themselves.
const HEXADECIMAL: &str = "0x";

/// Writes printable bytes as text and others in hexadecimal.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(data: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    match std::str::from_utf8(data) {
        Ok(text) if is_plain(text) => serializer.serialize_str(text),
        Ok(_) | Err(_) => {
            let digits = data.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            serializer.serialize_str(&format!("{HEXADECIMAL}{digits}"))
        }
    }
}

/// Reads what [`serialize`] writes.
///
/// # Errors
/// The hexadecimal form is damaged.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.strip_prefix(HEXADECIMAL) {
        None => Ok(Bytes::from(text)),
        Some(digits) => parse(digits).ok_or_else(|| D::Error::custom("bytes in hexadecimal need pairs of digits")),
    }
}

fn is_plain(text: &str) -> bool {
    !text.starts_with(HEXADECIMAL) && text.chars().all(|character| !character.is_control())
}

fn parse(digits: &str) -> Option<Bytes> {
    let digits = digits.bytes().map(|digit| (digit as char).to_digit(16)).collect::<Option<Vec<u32>>>()?;
    let pairs = digits.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs.map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Serialize, Deserialize)]
    struct Holder(#[serde(with = "super")] Bytes);

    #[test]
    fn every_kind_of_bytes_survives() {
        let cases: [(&'static [u8], &str); 5] = [
            (b"", r#""""#),
            (b"a=b", r#""a=b""#),
            (b"0x", r#""0x3078""#),
            (b"\n", r#""0x0a""#),
            (&[0xff], r#""0xff""#),
        ];
        for (data, json) in cases {
            let held = Holder(Bytes::from_static(data));
            assert_eq!(serde_json::to_string(&held).unwrap(), json);
            assert_eq!(serde_json::from_str::<Holder>(json).unwrap().0, held.0);
        }
    }

    #[test]
    fn damaged_hexadecimal_is_an_error() {
        for json in [r#""0x1""#, r#""0xzz""#, r#""0x+1""#] {
            assert!(serde_json::from_str::<Holder>(json).is_err(), "{json}");
        }
    }
}
