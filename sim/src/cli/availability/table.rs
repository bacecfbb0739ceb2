//! Rows as text, as JSON, and those that are recorded as Markdown.

use crate::campaign::availability::Row;

/// What `sim availability --json` printed.
const RECORDED: &str = include_str!("../../../recorded/availability.jsonl");

/// What stands above rows of text.
pub(super) const HEAD: &str = "\
topology              nodes  options       next commit     terms burnt     writes done
                                           median  most    median  most    median  share";

const MARKDOWN: &str = "\
| topology | nodes | options | next commit | terms burnt | writes done | |
|---|---:|---|---|---|---|---|
";

/// A row in columns.
pub(super) fn as_text(row: &Row) -> String {
    let case = &row.case;
    let (median, most) = commits(row);
    format!(
        "{:<21} {:>5}  {:<12}  {median:>6}  {most:<6}  {:>6}  {:<6}  {:>6}  {:<7}  {}",
        case.topology.name(),
        case.nodes,
        case.options.name(),
        row.terms_median,
        row.terms_most,
        row.written_median,
        share(row),
        beside(row),
    )
    .trim_end()
    .to_owned()
}

/// A row as a JSON line.
pub(super) fn as_json(row: &Row) -> String {
    serde_json::to_string(row).unwrap_or_default()
}

/// The recorded rows.
pub(super) fn markdown() -> Result<String, String> {
    let rows = RECORDED.lines().map(|line| serde_json::from_str(line).map(|row| as_row(&row)));
    let rows: Vec<String> = rows.collect::<Result<_, _>>().map_err(|error| format!("what is recorded: {error}"))?;
    Ok(MARKDOWN.to_owned() + &rows.concat())
}

fn as_row(row: &Row) -> String {
    let case = &row.case;
    let (median, most) = commits(row);
    let commits = if median == most { median } else { format!("{median}, {most}") };
    format!(
        "| {} | {} | {} | {commits} | {}, {} | {}, {} | {} |\n",
        case.topology.name(),
        case.nodes,
        case.options.name(),
        row.terms_median,
        row.terms_most,
        row.written_median,
        share(row),
        beside(row),
    )
}

/// After how many ticks half of the seeds committed again, and the last of those that did.
fn commits(row: &Row) -> (String, String) {
    let said = |ticks: Option<u64>| ticks.map_or_else(|| "never".to_owned(), |ticks| ticks.to_string());
    (said(row.commit_median), said(row.commit_most))
}

/// What the columns do not say.
fn beside(row: &Row) -> String {
    let leaves_a_quorum = row.case.topology.leaves_a_quorum(usize::try_from(row.case.nodes).unwrap_or(usize::MAX));
    match row.never {
        0 => String::new(),
        never if never == row.seeds && !leaves_a_quorum => "no node reaches a quorum".to_owned(),
        never if never == row.seeds => "cannot go on".to_owned(),
        never => format!("never in {never} of {}", row.seeds),
    }
}

fn share(row: &Row) -> String {
    let per_mille = row.written_per_mille();
    format!("{}.{} %", per_mille / 10, per_mille % 10)
}
