//! The page: style, program and data in one file, which needs no network and no server.
//!
//! The data says what changed at each step, not how everything stood; the page adds it up again.

use serde_json::Value;

use crate::number::narrowed;

const PAGE: &str = include_str!("page/page.html");

/// What stands in the page for each mark in it. The scripts share one scope, and stand in the order of who uses whom.
const PIECES: [(&str, &[&str]); 2] = [
    ("/*STYLE*/", &[include_str!("page/palette.css"), include_str!("page/style.css")]),
    (
        "/*PROGRAM*/",
        &[
            include_str!("page/run.js"),
            include_str!("page/shown.js"),
            include_str!("page/marks.js"),
            include_str!("page/diagram.js"),
            include_str!("page/list.js"),
            include_str!("page/hover.js"),
            include_str!("page/overview.js"),
            include_str!("page/clients.js"),
            include_str!("page/panel.js"),
            include_str!("page/filters.js"),
            include_str!("page/search.js"),
            include_str!("page/keys.js"),
            include_str!("page/start.js"),
        ],
    ),
];

/// The page with this data.
pub(super) fn page(data: Value) -> String {
    // A browser holds no more digits of a number than other readers of JSON.
    let data = narrowed(data);
    // Text of the run must not end the script in which it stands.
    let data = data.to_string().replace('<', "\\u003c");
    let put = |page: String, (mark, pieces): &(&str, &[&str])| page.replacen(mark, &pieces.concat(), 1);
    PIECES.iter().fold(PAGE.to_owned(), put).replacen("/*DATA*/", &data, 1)
}
