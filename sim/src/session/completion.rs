//! What a line that is being typed can go on with.

use super::{Session, forms};
use crate::world::World;

/// The words that make sense in a session as it is now.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    nodes: Vec<String>,
    links: Vec<String>,
    kinds: Vec<String>,
    /// How many events there are to pick from.
    choices: usize,
}

impl Session {
    /// The words that make sense now.
    ///
    /// ```
    /// use sim::session::Session;
    /// let mut session = Session::new();
    /// session.line(1, "add-nodes 2 voters=(1,2) index=2", &[]);
    /// let vocabulary = session.vocabulary();
    /// assert_eq!(vocabulary.completed("camp"), (0, vec!["campaign".to_owned()]));
    /// assert_eq!(vocabulary.completed("campaign "), (9, vec!["1".to_owned(), "2".to_owned()]));
    /// assert_eq!(vocabulary.hint("campaign ").as_deref(), Some("I"));
    /// ```
    #[must_use]
    pub fn vocabulary(&self) -> Vocabulary {
        let world = self.world();
        Vocabulary {
            nodes: world.replicas().map(|replica| replica.id().to_string()).collect(),
            links: in_flight(world, |from, to, _| format!("{from}->{to}")),
            kinds: in_flight(world, |_, _, kind| kind.to_owned()),
            choices: self.choices(),
        }
    }
}

/// Something about each message in flight, once.
fn in_flight(world: &World, what: impl Fn(u64, u64, &str) -> String) -> Vec<String> {
    let messages = world.network().iter().map(|(_, envelope)| envelope);
    let mut words: Vec<String> =
        messages.map(|envelope| what(envelope.from().get(), envelope.to().get(), envelope.kind())).collect();
    words.sort();
    words.dedup();
    words
}

impl Vocabulary {
    /// What the last word of the line can be: where it begins, in bytes, and what can stand there.
    #[must_use]
    pub fn completed(&self, line: &str) -> (usize, Vec<String>) {
        let begins = line.rfind([' ', '\t']).map_or(0, |blank| blank + 1);
        let (before, word) = line.split_at(begins);
        let mut words = before.split_whitespace();
        let candidates: Vec<String> = match words.next() {
            None | Some("help") => forms::names().map(str::to_owned).collect(),
            Some("pick") => (1..=self.choices).map(|number| number.to_string()).collect(),
            Some(name) => self.arguments(name, &words.collect::<Vec<_>>(), word),
        };
        let mut fitting: Vec<String> = candidates.into_iter().filter(|candidate| candidate.starts_with(word)).collect();
        fitting.sort_by_key(|candidate| (candidate.parse::<u64>().unwrap_or(u64::MAX), candidate.clone()));
        fitting.dedup();
        (begins, fitting)
    }

    /// What can follow the line, to be shown behind it.
    #[must_use]
    pub fn hint(&self, line: &str) -> Option<String> {
        let mut words = line.split_whitespace();
        let name = words.next()?;
        let is_whole = forms::names().any(|known| known == name);
        if !line.contains([' ', '\t']) {
            let mut others = forms::names().filter(|known| known.starts_with(name));
            let only = others.next().filter(|_| others.next().is_none());
            return match only.filter(|_| !is_whole) {
                Some(only) => Some(only[name.len()..].to_owned()),
                None if is_whole => Some(rest(name, &[])?).map(|rest| format!(" {rest}")),
                None => None,
            };
        }
        // Within a word nothing is known of what follows.
        line.ends_with([' ', '\t']).then(|| rest(name, &words.collect::<Vec<_>>())).flatten()
    }

    /// The arguments of a command that can follow those that stand before.
    fn arguments(&self, name: &str, before: &[&str], word: &str) -> Vec<String> {
        let forms = forms::of(name);
        let plain = before.iter().filter(|word| !word.contains('=')).count();
        let mut candidates = Vec::new();
        for (number, form) in forms.iter().enumerate() {
            let tokens = tokens(form);
            let positions = tokens.iter().skip(usize::from(number == 0 || form.starts_with(name)));
            let mut position = 0;
            for token in positions {
                if token == "SELECTION" {
                    candidates.extend(self.selection(word));
                } else if token.contains('=') {
                    candidates.extend(self.pair(token, word));
                } else if token == "…" || token == "(…)" {
                    candidates.extend(self.nodes.clone());
                } else {
                    // A number that may be repeated ends with dots.
                    if position == plain {
                        candidates.extend(self.plain(token));
                    }
                    position += 1;
                }
            }
        }
        let is_new = |candidate: &String| match candidate.split_once('=') {
            Some((key, _)) => !before.iter().any(|word| word.split_once('=').is_some_and(|(used, _)| used == key)),
            None => true,
        };
        candidates.into_iter().filter(is_new).collect()
    }

    fn plain(&self, token: &str) -> Vec<String> {
        match token {
            "I" | "J" => self.nodes.clone(),
            "1->3" => self.all_links(),
            "none" | "info" | "none," => vec!["none".to_owned(), "info".to_owned()],
            word if word.contains('|') => word.split('|').map(str::to_owned).collect(),
            word if word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-') => vec![word.to_owned()],
            _ => Vec::new(),
        }
    }

    fn all_links(&self) -> Vec<String> {
        let from = |from| self.nodes.iter().filter(move |to| *to != from).map(move |to| format!("{from}->{to}"));
        self.nodes.iter().flat_map(from).collect()
    }

    /// Words that select messages.
    fn selection(&self, word: &str) -> Vec<String> {
        let keys = ["from=", "to=", "first=", "nth="].map(str::to_owned);
        let kinds = self.kinds.iter().map(|kind| format!("type={kind}"));
        let from = word.strip_prefix("from=").map(|_| self.nodes.iter().map(|node| format!("from={node}")));
        let to = word.strip_prefix("to=").map(|_| self.nodes.iter().map(|node| format!("to={node}")));
        let ends = from.into_iter().flatten().chain(to.into_iter().flatten());
        self.links.iter().cloned().chain(kinds).chain(keys).chain(ends).collect()
    }

    /// `key=` with each value that is known, or alone.
    fn pair(&self, token: &str, word: &str) -> Vec<String> {
        let Some((key, value)) = token.split_once('=') else { return Vec::new() };
        let known: Vec<String> = match value {
            "I" | "J" if matches!(key, "from" | "to" | "leader" | "vote") => self.nodes.clone(),
            value if value.contains('|') => {
                let is_word = |value: &&str| !value.chars().any(char::is_uppercase);
                value.split('|').filter(is_word).map(str::to_owned).collect()
            }
            "true" | "false" => vec!["true".to_owned()],
            _ => Vec::new(),
        };
        // Of two words that begin alike, the key alone would hide the other.
        match known.is_empty() || !word.starts_with(&format!("{key}=")) && known.len() > 1 {
            true => vec![format!("{key}=")],
            false => known.into_iter().map(|value| format!("{key}={value}")).collect(),
        }
    }
}

/// The words of a form, without the brackets around what may be left out.
fn tokens(form: &str) -> Vec<String> {
    form.split_whitespace().map(|token| token.trim_matches(['[', ']', '"']).to_owned()).collect()
}

/// What of a command's form is not typed yet.
fn rest(name: &str, typed: &[&str]) -> Option<String> {
    let form = forms::of(name).into_iter().next()?;
    let mut plain = typed.iter().filter(|word| !word.contains('=')).count();
    let is_typed = |token: &str| {
        let key = token.trim_matches(['[', ']']).split_once('=').map(|(key, _)| key);
        key.is_some_and(|key| typed.iter().any(|word| word.split_once('=').is_some_and(|(used, _)| used == key)))
    };
    let left = form.split_whitespace().skip(1).filter(|token| {
        if token.contains('=') {
            return !is_typed(token);
        }
        let was = plain > 0 && *token != "…";
        plain -= usize::from(was);
        !was
    });
    Some(left.collect::<Vec<_>>().join(" ")).filter(|rest| !rest.is_empty())
}
