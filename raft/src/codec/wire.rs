//! The protobuf wire format (<https://protobuf.dev/programming-guides/encoding/>): numbers of seven bits a byte, and
//! fields that each come with their number and the way they are written.

use super::DecodeError;
use crate::types::NodeId;

/// A field that was read: its number in the message, and its value as written.
pub(super) struct Field<'a> {
    pub(super) number: u64,
    value: Value<'a>,
}

enum Value<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    /// Fixed-size numbers and groups: raftpb has none, so only fields of other schemas are written like this.
    Foreign,
}

impl<'a> Field<'a> {
    pub(super) fn varint(&self) -> Result<u64, DecodeError> {
        match self.value {
            Value::Varint(value) => Ok(value),
            Value::Bytes(_) | Value::Foreign => Err(DecodeError::WrongWireType(self.number)),
        }
    }

    /// The number of an enumeration's value. It has 32 bits; what a longer number has above them is dropped.
    pub(super) fn enumeration(&self) -> Result<u64, DecodeError> {
        Ok(self.varint()? & u64::from(u32::MAX))
    }

    pub(super) fn bool(&self) -> Result<bool, DecodeError> {
        Ok(self.varint()? != 0)
    }

    /// A node, or none for zero.
    pub(super) fn node(&self) -> Result<Option<NodeId>, DecodeError> {
        Ok(NodeId::new(self.varint()?))
    }

    pub(super) fn bytes(&self) -> Result<&'a [u8], DecodeError> {
        match self.value {
            Value::Bytes(bytes) => Ok(bytes),
            Value::Varint(_) | Value::Foreign => Err(DecodeError::WrongWireType(self.number)),
        }
    }

    /// Calls `visit` for each number of a repeated field, which may be written one by one or packed.
    pub(super) fn each_varint(&self, mut visit: impl FnMut(u64) -> Result<(), DecodeError>) -> Result<(), DecodeError> {
        match self.value {
            Value::Varint(value) => visit(value),
            Value::Bytes(mut packed) => {
                while !packed.is_empty() {
                    visit(read_varint(&mut packed)?)?;
                }
                Ok(())
            }
            Value::Foreign => Err(DecodeError::WrongWireType(self.number)),
        }
    }
}

/// Reads the fields of a message, one after the other.
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) const fn new(message: &'a [u8]) -> Self {
        Self(message)
    }

    /// The next field; `None` at the end. Reads no further than `message` and never goes back.
    pub(super) fn next(&mut self) -> Result<Option<Field<'a>>, DecodeError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let (number, wire_type) = read_tag(&mut self.0)?;
        let value = match wire_type {
            VARINT => Value::Varint(read_varint(&mut self.0)?),
            LENGTH_DELIMITED => Value::Bytes(read_bytes(&mut self.0)?),
            GROUP_START => {
                skip_group(&mut self.0)?;
                Value::Foreign
            }
            other => {
                skip_plain(&mut self.0, other)?;
                Value::Foreign
            }
        };
        Ok(Some(Field { number, value }))
    }
}

const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const LENGTH_DELIMITED: u64 = 2;
const GROUP_START: u64 = 3;
const GROUP_END: u64 = 4;
const FIXED_32: u64 = 5;

fn read_tag(input: &mut &[u8]) -> Result<(u64, u64), DecodeError> {
    let tag = read_varint(input)?;
    match tag >> 3 {
        0 => Err(DecodeError::InvalidTag(tag)),
        number => Ok((number, tag & 7)),
    }
}

fn read_varint(input: &mut &[u8]) -> Result<u64, DecodeError> {
    let mut value = 0;
    for (position, &byte) in input.iter().enumerate() {
        let bits = u64::from(byte & 0x7f);
        let shift = 7 * position as u32;
        if position == 9 && byte > 1 {
            return Err(DecodeError::VarintTooLong);
        }
        value |= bits << shift;
        if byte < 0x80 {
            *input = &input[position + 1..];
            return Ok(value);
        }
    }
    Err(DecodeError::Truncated)
}

fn read_bytes<'a>(input: &mut &'a [u8]) -> Result<&'a [u8], DecodeError> {
    let length = read_varint(input)?;
    take(input, length)
}

fn take<'a>(input: &mut &'a [u8], length: u64) -> Result<&'a [u8], DecodeError> {
    let length = usize::try_from(length).map_err(|_| DecodeError::Truncated)?;
    let (taken, rest) = input.split_at_checked(length).ok_or(DecodeError::Truncated)?;
    *input = rest;
    Ok(taken)
}

/// Skips what follows the tag that starts a group, up to the tag that ends it. Counts nested groups instead of calling
/// itself, so that no input exhausts the stack.
fn skip_group(input: &mut &[u8]) -> Result<(), DecodeError> {
    let mut depth = 1u64;
    while depth > 0 {
        let (_, wire_type) = read_tag(input)?;
        match wire_type {
            GROUP_START => depth += 1,
            GROUP_END => depth -= 1,
            plain => skip_plain(input, plain)?,
        }
    }
    Ok(())
}

fn skip_plain(input: &mut &[u8], wire_type: u64) -> Result<(), DecodeError> {
    match wire_type {
        VARINT => read_varint(input).map(drop),
        LENGTH_DELIMITED => read_bytes(input).map(drop),
        FIXED_64 => take(input, 8).map(drop),
        FIXED_32 => take(input, 4).map(drop),
        other => Err(DecodeError::InvalidTag(other)),
    }
}

/// Writes a number field, whatever its value.
pub(super) fn put_varint(out: &mut Vec<u8>, number: u64, value: u64) {
    write_varint(out, number << 3 | VARINT);
    write_varint(out, value);
}

/// Writes a number field unless it is zero, which is what a reader takes it for where it is absent.
pub(super) fn put_nonzero(out: &mut Vec<u8>, number: u64, value: u64) {
    if value != 0 {
        put_varint(out, number, value);
    }
}

/// Writes a field of bytes unless it is empty.
pub(super) fn put_bytes(out: &mut Vec<u8>, number: u64, bytes: &[u8]) {
    if !bytes.is_empty() {
        write_varint(out, number << 3 | LENGTH_DELIMITED);
        write_varint(out, bytes.len() as u64);
        out.extend_from_slice(bytes);
    }
}

/// Writes the message that `write` writes as a field, be it empty.
pub(super) fn put_message(out: &mut Vec<u8>, number: u64, write: impl FnOnce(&mut Vec<u8>)) {
    write_varint(out, number << 3 | LENGTH_DELIMITED);
    let start = out.len();
    write(out);
    let end = out.len();
    // Only now is the length known, which stands before the message.
    write_varint(out, (end - start) as u64);
    let length_size = out.len() - end;
    out[start..].rotate_right(length_size);
}

fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
