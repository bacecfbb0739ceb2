//! Pages for the browser: one file each, which needs no network and no program.

use std::fmt::Display;

const STYLE: &str = include_str!("page.css");

/// A page with this title above what it says, in the language of pages.
pub(super) fn page(title: &str, body: &str) -> String {
    let title = escaped(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n<h1>{title}</h1>\n{body}</html>\n"
    )
}

/// A table with these names above its columns.
pub(super) fn table(names: &[&str], rows: &str) -> String {
    let head: String = names.iter().map(|name| format!("<th>{name}</th>")).collect();
    let head = if head.is_empty() { head } else { format!("<tr>{head}</tr>\n") };
    format!("<table>\n{head}{rows}</table>\n")
}

/// A row, of which the first so many cells are numbers.
pub(super) fn row(cells: &[&dyn Display], numbers: usize) -> String {
    let cell = |(place, value): (usize, &&dyn Display)| {
        let class = if place < numbers { " class=\"number\"" } else { "" };
        format!("<td{class}>{}</td>", escaped(value))
    };
    format!("<tr>{}</tr>\n", cells.iter().enumerate().map(cell).collect::<String>())
}

/// Text as it stands in a page.
pub(super) fn escaped(text: impl Display) -> String {
    text.to_string().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_cell_cannot_be_taken_for_a_part_of_the_page() {
        let cells: [&dyn Display; 2] = [&7, &"<b>\"&"];
        assert_eq!(row(&cells, 1), "<tr><td class=\"number\">7</td><td>&lt;b&gt;&quot;&amp;</td></tr>\n");
    }
}
