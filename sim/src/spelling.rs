//! What somebody most likely meant who misspelt a word.

/// Of the words that are known the one most like this one, if any is.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .min()
        // Beyond half of its letters a suggestion is a guess that only distracts.
        .filter(|(distance, candidate)| *distance <= word.len().max(candidate.len()).div_ceil(2))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_the_one_with_the_fewest_edits() {
        let known = ["stabilize", "status", "step"];
        assert_eq!(nearest("stabilise", known), Some("stabilize"));
        assert_eq!(nearest("stauts", known), Some("status"));
    }

    #[test]
    fn a_word_like_no_other_has_no_nearest() {
        assert_eq!(nearest("quux", ["stabilize", "status"]), None);
        assert_eq!(nearest("x", []), None);
    }
}
