//! Entry data prints as Go's `%q` does, since that is how etcd prints it.

use std::fmt::{self, Display, Formatter, Write};

/// Bytes as Go's `strconv.Quote` prints them: printable characters stand for themselves, the others are escaped, and
/// bytes that are no UTF-8 print as `\x` and two digits each.
pub(super) struct Quoted<'a>(pub(super) &'a [u8]);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for chunk in self.0.utf8_chunks() {
            chunk.valid().chars().try_for_each(|character| write_character(f, character))?;
            chunk.invalid().iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))?;
        }
        f.write_char('"')
    }
}

fn write_character(f: &mut Formatter<'_>, character: char) -> fmt::Result {
    match character {
        '"' => f.write_str("\\\""),
        '\\' => f.write_str("\\\\"),
        '\x07' => f.write_str("\\a"),
        '\x08' => f.write_str("\\b"),
        '\x0c' => f.write_str("\\f"),
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        '\x0b' => f.write_str("\\v"),
        character if is_printable(character) => f.write_char(character),
        character => match u32::from(character) {
            code @ (0..0x20 | 0x7f) => write!(f, "\\x{code:02x}"),
            code @ ..0x10000 => write!(f, "\\u{code:04x}"),
            code => write!(f, "\\U{code:08x}"),
        },
    }
}

/// Go calls letters, marks, numbers, punctuation, symbols and the ASCII space printable. Rust's `escape_debug` escapes
/// just the other characters (and quotes), save that it escapes a mark that begins a string: hence the letter before it.
fn is_printable(character: char) -> bool {
    character == '\'' || format!("a{character}").escape_debug().eq(['a', character])
}

#[cfg(test)]
mod tests {
    use super::Quoted;

    #[test]
    fn quotes_what_go_quotes_in_the_way_of_go() {
        let table: &[(&[u8], &str)] = &[
            (b"", r#""""#),
            (b"prop_1", r#""prop_1""#),
            (b"it's \"so\" \\", r#""it's \"so\" \\""#),
            (b"\x07\x08\x0c\n\r\t\x0b", r#""\a\b\f\n\r\t\v""#),
            (b"\x00\x1f\x7f", r#""\x00\x1f\x7f""#),
            (b"\xff\xc3(\xe2\x82", r#""\xff\xc3(\xe2\x82""#),
            ("é世😀".as_bytes(), "\"é世😀\""),
            ("\u{301}".as_bytes(), "\"\u{301}\""),
            ("\u{fffd}".as_bytes(), "\"\u{fffd}\""),
            ("\u{80}\u{a0}\u{200b}\u{2028}\u{e000}\u{feff}".as_bytes(), r#""\u0080\u00a0\u200b\u2028\ue000\ufeff""#),
            ("\u{e0001}\u{10ffff}".as_bytes(), r#""\U000e0001\U0010ffff""#),
        ];
        for (bytes, expected) in table {
            assert_eq!(&Quoted(bytes).to_string(), expected, "{bytes:x?}");
        }
    }
}
