//! Any bytes, read as a trace.

use crate::trace::{ReadError, Reader, Trace};

/// Reads bytes as a trace: it is whole, or the error names a line of it.
///
/// # Panics
/// If the error names no line of the input.
pub fn trace(bytes: &[u8]) {
    match Reader::new(bytes, "input").and_then(Trace::read) {
        Ok(trace) => drop(trace),
        Err(error) => check_place(bytes, &error),
    }
}

/// Something missing at the end is reported after the last line.
fn check_place(bytes: &[u8], error: &ReadError) {
    let lines = bytes.split(|byte| *byte == b'\n').count() as u64;
    assert!((1..=lines).contains(&error.line), "{error}, in an input of {lines} lines");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::trace::{Header, Trouble};

    fn header() -> String {
        serde_json::to_string(&Header::new(Some(1))).expect("it has a JSON form") + "\n"
    }

    proptest! {
        #[test]
        fn arbitrary_lines_are_a_trace_or_an_error_with_a_line(
            begins in any::<bool>(), lines in "([{}:,\"a-z0-9]{0,20}\\n|[{]\"Tick\":[{]\"node\":[0-9]}}\\n){0,6}",
        ) {
            trace(format!("{}{lines}", if begins { header() } else { String::new() }).as_bytes());
        }
    }

    #[test]
    #[should_panic(expected = "in an input of 1 lines")]
    fn an_error_in_a_line_that_does_not_exist_is_noticed() {
        check_place(b"one", &ReadError { file: "input".into(), line: 2, column: None, trouble: Trouble::CutOff });
    }
}
