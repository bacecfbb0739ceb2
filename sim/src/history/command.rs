//! What clients ask the log for, as an entry holds it.

use bytes::Bytes;

/// A client's command, as an entry's data holds it: `c3.17 k5=value`, number 17 of client 3, writes;
/// `c3.17 k5?3=oldnew` does so only where the key holds the first 3 bytes, and writes the others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// Whose it is: below [`Self::CLIENTS`].
    pub client: u64,
    /// The client's number for it, counting up from 1. A client has one command outstanding, so an earlier number than
    /// the highest that took effect is a repetition or was given up.
    pub sequence: u64,
    /// What is written: below [`Self::KEYS`].
    pub key: u64,
    /// What the key has to hold for the command to change it, if anything. It never holds nothing: a key that was never
    /// written holds the empty value.
    pub expected: Option<Bytes>,
    /// The new value.
    pub value: Bytes,
}

impl Command {
    /// How many clients there can be.
    pub const CLIENTS: u64 = 64;
    /// How many keys there are.
    pub const KEYS: u64 = 16;

    /// The data to propose.
    pub fn encode(&self) -> Bytes {
        let Self { client, sequence, key, expected, value } = self;
        let mut data = format!("c{client}.{sequence} k{key}").into_bytes();
        if let Some(expected) = expected {
            data.extend_from_slice(format!("?{}", expected.len()).as_bytes());
        }
        data.push(b'=');
        data.extend_from_slice(expected.as_deref().unwrap_or_default());
        data.extend_from_slice(value);
        data.into()
    }

    /// The command that `data` holds, if it holds one. Its values share the bytes.
    pub fn parse(data: &Bytes) -> Option<Self> {
        let rest = data.strip_prefix(b"c")?;
        let (client, rest) = number(rest, b'.')?;
        let (sequence, rest) = number(rest, b' ')?;
        let rest = rest.strip_prefix(b"k")?;
        let (key, expected, rest) = match number(rest, b'=') {
            Some((key, rest)) => (key, None, rest),
            None => {
                let (key, rest) = number(rest, b'?')?;
                let (length, rest) = number(rest, b'=')?;
                let (expected, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
                (key, Some(data.slice_ref(expected)), rest)
            }
        };
        let value = data.slice_ref(rest);
        (client < Self::CLIENTS && key < Self::KEYS).then_some(Self { client, sequence, key, expected, value })
    }
}

/// The decimal number at the front, and what follows the byte that ends it.
pub(super) fn number(bytes: &[u8], end: u8) -> Option<(u64, &[u8])> {
    let length = bytes.iter().position(|byte| *byte == end)?;
    let (digits, rest) = bytes.split_at(length);
    let value = digits.iter().try_fold(0u64, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    });
    Some((value.filter(|_| length > 0)?, &rest[1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(client: u64, sequence: u64, value: &'static str) -> Command {
        Command { client, sequence, key: 5, expected: None, value: Bytes::from_static(value.as_bytes()) }
    }

    #[test]
    fn a_command_is_what_it_was_after_encoding() {
        let command = write(3, 17, "a=b c");
        assert_eq!(command.encode(), "c3.17 k5=a=b c");
        assert_eq!(Command::parse(&command.encode()), Some(command));
        let command = Command { expected: Some("a=?b".into()), ..write(3, 17, "=c") };
        assert_eq!(command.encode(), "c3.17 k5?4=a=?b=c");
        assert_eq!(Command::parse(&command.encode()), Some(command));
    }

    #[test]
    fn other_data_holds_no_command() {
        let cases = [
            "",
            "c",
            "c3",
            "c3.17",
            "c3.17 k5",
            "c.1 k5=",
            "c3.x k5=",
            "c64.1 k5=",
            "c3.1 k16=",
            "foo",
            "c3.1 k5?3=ab",
            "c3.1 k5?=ab",
            "c3.1 k?2=ab",
        ];
        for data in cases {
            assert_eq!(Command::parse(&Bytes::from_static(data.as_bytes())), None, "{data:?}");
        }
        let too_large = Bytes::from("c3.99999999999999999999 k5=");
        assert_eq!(Command::parse(&too_large), None);
    }
}
