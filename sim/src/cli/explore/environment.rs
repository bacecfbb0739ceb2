//! The share that an engine has put into the environment: Kubernetes, Slurm, AWS Batch, GNU parallel, Buildkite, or whoever sets this
//! program's own two variables.

use crate::campaign::explore::Shard;

/// The variables of this program: for engines that set none, and where those that they set do not say enough.
const INDEX: &str = "SIM_SHARD_INDEX";
const COUNT: &str = "SIM_SHARD_COUNT";

/// What an engine sets.
struct Engine {
    name: &'static str,
    /// Which of the tasks this is.
    index: &'static str,
    first: First,
    /// How many tasks there are.
    count: Option<&'static str>,
}

/// How an engine counts.
enum First {
    /// From this number on.
    At(u64),
    /// As its user says: from a number in a variable on, in steps.
    In { first: &'static str, last: &'static str, step: &'static str },
}

const ENGINES: [Engine; 5] = [
    Engine { name: "Kubernetes", index: "JOB_COMPLETION_INDEX", first: First::At(0), count: None },
    Engine {
        name: "Slurm",
        index: "SLURM_ARRAY_TASK_ID",
        first: First::In { first: "SLURM_ARRAY_TASK_MIN", last: "SLURM_ARRAY_TASK_MAX", step: "SLURM_ARRAY_TASK_STEP" },
        count: Some("SLURM_ARRAY_TASK_COUNT"),
    },
    Engine {
        name: "AWS Batch",
        index: "AWS_BATCH_JOB_ARRAY_INDEX",
        first: First::At(0),
        count: Some("AWS_BATCH_JOB_ARRAY_SIZE"),
    },
    Engine {
        name: "Buildkite",
        index: "BUILDKITE_PARALLEL_JOB",
        first: First::At(0),
        count: Some("BUILDKITE_PARALLEL_JOB_COUNT"),
    },
    Engine { name: "GNU parallel", index: "PARALLEL_SEQ", first: First::At(1), count: None },
];

/// The environment, as a function: the value of a variable, if it has one.
pub(super) struct Environment<F>(pub(super) F);

impl<F: Fn(&str) -> Option<String>> Environment<F> {
    /// The share that the environment names.
    ///
    /// # Errors
    /// It names none, or several, or one that makes no sense; with what was found, and what is missing.
    pub(super) fn shard(&self) -> Result<Shard, String> {
        let (position, count) = match self.number(INDEX)? {
            Some(position) => (position, self.own_count(INDEX)?),
            None => self.of_engine()?,
        };
        Shard::at(position, count).ok_or_else(|| {
            format!("the environment says {} of {count} shares: there is no such share", ordinal(position))
        })
    }

    fn of_engine(&self) -> Result<(u64, u64), String> {
        let found: Vec<&Engine> = ENGINES.iter().filter(|engine| self.text(engine.index).is_some()).collect();
        match found[..] {
            [] => {
                let indices = ENGINES.map(|engine| format!("{} ({})", engine.index, engine.name)).join(", ");
                let count = self.text(COUNT).map(|count| format!("{COUNT}={count} is set, but ")).unwrap_or_default();
                Err(format!("{count}no variable says which share this is: neither {indices} nor {INDEX}"))
            }
            [engine] => self.of(engine),
            [..] => {
                let found: Vec<String> = found.iter().map(|engine| self.said(engine.index)).collect();
                Err(format!("{} are set: set {INDEX} (counted from 0) and {COUNT} to say which counts", and(&found)))
            }
        }
    }

    fn of(&self, engine: &Engine) -> Result<(u64, u64), String> {
        let index = self.needed(engine.index, engine.index)?;
        let below = |first: u64| format!("{} counts from {first} on: {}", engine.name, self.said(engine.index));
        let (position, spanned) = match engine.first {
            First::At(first) => (index.checked_sub(first).ok_or_else(|| below(first))?, None),
            First::In { first, last, step } => {
                let (first, last) = (self.needed(first, engine.index)?, self.needed(last, engine.index)?);
                let step = self.number(step)?.unwrap_or(1).max(1);
                let beyond = index.checked_sub(first).ok_or_else(|| below(first))?;
                let spanned = last.saturating_sub(first) / step + 1;
                if !beyond.is_multiple_of(step) {
                    return Err(self.with_gaps(engine));
                }
                (beyond / step, Some(spanned))
            }
        };
        let theirs = engine.count.map(|name| self.number(name)).transpose()?.flatten();
        if let (Some(spanned), Some(theirs)) = (spanned, theirs)
            && spanned != theirs
        {
            return Err(self.with_gaps(engine));
        }
        let count = match (theirs.or(spanned), self.number(COUNT)?) {
            (Some(theirs), Some(ours)) if theirs != ours => {
                let (ours, engine) = (self.said(COUNT), engine.name);
                return Err(format!("{ours}, but {engine} runs {theirs} tasks: set {INDEX} (counted from 0) as well"));
            }
            (Some(count), _) | (None, Some(count)) => count,
            (None, None) => self.own_count(engine.index)?,
        };
        Ok((position, count))
    }

    /// What is said of a list of tasks from whose numbers nobody can tell which share each is.
    fn with_gaps(&self, engine: &Engine) -> String {
        let variables =
            ENGINES.iter().filter(|other| other.name == engine.name).flat_map(|engine| match engine.first {
                First::In { first, last, step } => vec![engine.index, first, last, step],
                First::At(_) => vec![engine.index],
            });
        let found: Vec<String> = variables
            .chain(engine.count)
            .filter(|name| self.text(name).is_some())
            .map(|name| self.said(name))
            .collect();
        format!(
            "{}: the tasks of this array have gaps, so they do not say which share this is; set {INDEX} (counted from 0) and {COUNT}",
            and(&found)
        )
    }

    fn own_count(&self, found: &str) -> Result<u64, String> {
        let missing = || format!("{}, but nothing says of how many shares: set {COUNT}", self.said(found));
        self.number(COUNT)?.ok_or_else(missing)
    }

    /// A variable that there has to be where another one was found.
    fn needed(&self, name: &str, found: &str) -> Result<u64, String> {
        self.number(name)?.ok_or_else(|| format!("{}, but {name} is not set", self.said(found)))
    }

    fn number(&self, name: &str) -> Result<Option<u64>, String> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.trim().parse().map(Some).map_err(|_| format!("{} is not a number", self.said(name)))
    }

    /// The value of a variable. One that is empty is as good as none.
    fn text(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|text| !text.trim().is_empty())
    }

    fn said(&self, name: &str) -> String {
        format!("{name}={}", self.text(name).unwrap_or_default())
    }
}

fn ordinal(position: u64) -> String {
    format!("number {position}, counted from 0,")
}

fn and(all: &[String]) -> String {
    match all {
        [most @ .., last] if !most.is_empty() => format!("{} and {last}", most.join(", ")),
        _ => all.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an environment of these variables says; the share as it is typed.
    fn says(variables: &str) -> Result<String, String> {
        let all: Vec<(&str, &str)> = variables.split_whitespace().filter_map(|one| one.split_once('=')).collect();
        let look = |name: &str| all.iter().find(|(of, _)| *of == name).map(|(_, value)| (*value).to_owned());
        Environment(look).shard().map(|shard| shard.to_string())
    }

    #[test]
    fn each_engine_says_which_share_of_how_many() {
        let slurm = "SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=20";
        let stepped = "SLURM_ARRAY_TASK_ID=15 SLURM_ARRAY_TASK_MIN=5 SLURM_ARRAY_TASK_MAX=45 SLURM_ARRAY_TASK_STEP=10";
        let cases = [
            ("JOB_COMPLETION_INDEX=0 SIM_SHARD_COUNT=20", "1/20"),
            ("JOB_COMPLETION_INDEX=19 SIM_SHARD_COUNT=20", "20/20"),
            (&format!("{slurm} SLURM_ARRAY_TASK_STEP=1 SLURM_ARRAY_TASK_COUNT=20"), "7/20"),
            (slurm, "7/20"),
            (&format!("{stepped} SLURM_ARRAY_TASK_COUNT=5"), "2/5"),
            ("AWS_BATCH_JOB_ARRAY_INDEX=9 AWS_BATCH_JOB_ARRAY_SIZE=10", "10/10"),
            ("AWS_BATCH_JOB_ARRAY_INDEX=0 SIM_SHARD_COUNT=10", "1/10"),
            ("AWS_BATCH_JOB_ARRAY_INDEX=0 AWS_BATCH_JOB_ARRAY_SIZE=10 SIM_SHARD_COUNT=10", "1/10"),
            ("BUILDKITE_PARALLEL_JOB=3 BUILDKITE_PARALLEL_JOB_COUNT=4", "4/4"),
            ("PARALLEL_SEQ=1 SIM_SHARD_COUNT=8", "1/8"),
            ("PARALLEL_SEQ=8 SIM_SHARD_COUNT=8", "8/8"),
            ("SIM_SHARD_INDEX=2 SIM_SHARD_COUNT=3", "3/3"),
            ("SIM_SHARD_INDEX=2 SIM_SHARD_COUNT=3 PARALLEL_SEQ=1 JOB_COMPLETION_INDEX=", "3/3"),
        ];
        for (variables, share) in cases {
            assert_eq!(says(variables).as_deref(), Ok(share), "{variables}");
        }
    }

    #[test]
    fn an_environment_that_does_not_say_it_is_refused_with_what_was_found_and_what_is_missing() {
        let cases = [
            ("", "no variable says which share this is: neither JOB_COMPLETION_INDEX (Kubernetes), SLURM_"),
            ("SIM_SHARD_COUNT=3", "SIM_SHARD_COUNT=3 is set, but no variable says which share this is"),
            ("SIM_SHARD_INDEX=3", "SIM_SHARD_INDEX=3, but nothing says of how many shares: set SIM_SHARD_COUNT"),
            (
                "JOB_COMPLETION_INDEX=3",
                "JOB_COMPLETION_INDEX=3, but nothing says of how many shares: set SIM_SHARD_COUNT",
            ),
            ("PARALLEL_SEQ=3", "PARALLEL_SEQ=3, but nothing says of how many shares"),
            ("PARALLEL_SEQ=0 SIM_SHARD_COUNT=3", "GNU parallel counts from 1 on: PARALLEL_SEQ=0"),
            ("PARALLEL_SEQ=4 SIM_SHARD_COUNT=3", "number 3, counted from 0, of 3 shares: there is no such share"),
            ("JOB_COMPLETION_INDEX=x SIM_SHARD_COUNT=3", "JOB_COMPLETION_INDEX=x is not a number"),
            ("JOB_COMPLETION_INDEX=1 SIM_SHARD_COUNT=-3", "SIM_SHARD_COUNT=-3 is not a number"),
            ("SLURM_ARRAY_TASK_ID=3", "SLURM_ARRAY_TASK_ID=3, but SLURM_ARRAY_TASK_MIN is not set"),
            (
                "SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_MIN=3 SLURM_ARRAY_TASK_MAX=7 SLURM_ARRAY_TASK_COUNT=2",
                "SLURM_ARRAY_TASK_ID=7, SLURM_ARRAY_TASK_MIN=3, SLURM_ARRAY_TASK_MAX=7 and SLURM_ARRAY_TASK_COUNT=2: \
                 the tasks of this array have gaps",
            ),
            (
                "SLURM_ARRAY_TASK_ID=4 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=7 SLURM_ARRAY_TASK_STEP=2",
                "the tasks of this array have gaps",
            ),
            (
                "AWS_BATCH_JOB_ARRAY_INDEX=0 AWS_BATCH_JOB_ARRAY_SIZE=10 SIM_SHARD_COUNT=20",
                "SIM_SHARD_COUNT=20, but AWS Batch runs 10 tasks: set SIM_SHARD_INDEX (counted from 0) as well",
            ),
            (
                "PARALLEL_SEQ=3 SLURM_ARRAY_TASK_ID=2 SIM_SHARD_COUNT=9",
                "SLURM_ARRAY_TASK_ID=2 and PARALLEL_SEQ=3 are set: set SIM_SHARD_INDEX (counted from 0) and SIM_SHARD_COUNT",
            ),
        ];
        for (variables, said) in cases {
            let error = says(variables).expect_err(variables);
            assert!(error.contains(said), "{variables}: {error}");
        }
    }
}
