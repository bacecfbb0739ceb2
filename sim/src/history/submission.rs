//! A request for a user's application, as an entry of the log holds it.

use bytes::Bytes;

use super::command::{Command, number};

/// A request with the name of its client and its number: `#3.17 transfer 5` is number 17 of client 3. An entry without that
/// front is no client's.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Submission {
    /// Whose it is: below [`Command::CLIENTS`].
    pub client: u64,
    /// The client's number for it, counting up from 1.
    pub sequence: u64,
    /// What is asked.
    pub data: Bytes,
}

impl Submission {
    /// The data to propose.
    pub fn encode(&self) -> Bytes {
        let mut data = format!("#{}.{} ", self.client, self.sequence).into_bytes();
        data.extend_from_slice(&self.data);
        data.into()
    }

    /// The request that `data` holds, if it holds one. It shares the bytes.
    pub fn parse(data: &Bytes) -> Option<Self> {
        let (client, rest) = number(data.strip_prefix(b"#")?, b'.')?;
        let (sequence, rest) = number(rest, b' ')?;
        (client < Command::CLIENTS).then(|| Self { client, sequence, data: data.slice_ref(rest) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_what_it_was_after_encoding_and_other_data_is_none() {
        let request = Submission { client: 3, sequence: 17, data: "#1.1 a b".into() };
        assert_eq!(request.encode(), "#3.17 #1.1 a b");
        assert_eq!(Submission::parse(&request.encode()), Some(request));
        for data in ["", "#", "#3.17", "c3.17 k5=", "#64.1 ", "#3.x "] {
            assert_eq!(Submission::parse(&Bytes::from_static(data.as_bytes())), None, "{data:?}");
        }
    }
}
