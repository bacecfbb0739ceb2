//! Entry data prints as Go's `%q` does, since that is how etcd prints it.

/// Quotes bytes as Go's `strconv.Quote` does: printable characters stand for themselves, the others are escaped, and
/// bytes that are no UTF-8 print as `\x` and two digits each.
///
/// ```
/// use sim::script::quote;
/// assert_eq!(quote(b"a \"b\"\n\x00\xff\xe2\x80\xa8"), r#""a \"b\"\n\x00\xff\u2028""#);
/// ```
#[must_use]
pub fn quote(bytes: &[u8]) -> String {
    let mut quoted = String::with_capacity(bytes.len() + 2);
    quoted.push('"');
    for chunk in bytes.utf8_chunks() {
        chunk.valid().chars().for_each(|character| push_character(&mut quoted, character));
        for byte in chunk.invalid() {
            quoted.push_str(&format!("\\x{byte:02x}"));
        }
    }
    quoted.push('"');
    quoted
}

fn push_character(quoted: &mut String, character: char) {
    match character {
        '"' => quoted.push_str("\\\""),
        '\\' => quoted.push_str("\\\\"),
        '\x07' => quoted.push_str("\\a"),
        '\x08' => quoted.push_str("\\b"),
        '\x0c' => quoted.push_str("\\f"),
        '\n' => quoted.push_str("\\n"),
        '\r' => quoted.push_str("\\r"),
        '\t' => quoted.push_str("\\t"),
        '\x0b' => quoted.push_str("\\v"),
        character if is_printable(character) => quoted.push(character),
        character => quoted.push_str(&match u32::from(character) {
            code @ (0..0x20 | 0x7f) => format!("\\x{code:02x}"),
            code @ ..0x10000 => format!("\\u{code:04x}"),
            code => format!("\\U{code:08x}"),
        }),
    }
}

/// Go calls letters, marks, numbers, punctuation, symbols and the ASCII space printable. Rust's `escape_debug` escapes
/// just the other characters (and quotes), save that it escapes a mark that begins a string: hence the letter before it.
fn is_printable(character: char) -> bool {
    character == '\'' || format!("a{character}").escape_debug().eq(['a', character])
}

#[cfg(test)]
mod tests {
    use super::quote;

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
            assert_eq!(&quote(bytes), expected, "{bytes:x?}");
        }
    }
}
