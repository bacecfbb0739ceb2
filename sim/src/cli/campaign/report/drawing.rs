//! Small drawings as SVG: bars that are compared with each other, and a line over revisions.

use std::fmt::Write;

/// A bar as long as the value is of the most that there is of its kind.
pub(super) fn bar(value: u64, most: u64) -> String {
    const LONGEST: u64 = 100;
    let width = (u128::from(value) * u128::from(LONGEST) / u128::from(most.max(1))) as u64;
    format!(
        "<svg width=\"{LONGEST}\" height=\"10\" aria-hidden=\"true\">\
         <rect width=\"{width}\" height=\"10\" fill=\"currentColor\"/></svg>"
    )
}

/// A line through the values, one for each revision, on a scale on which each doubling is as high. Where there is no value, there is a gap.
pub(super) fn line(values: &[Option<u64>]) -> String {
    const STEP: usize = 14;
    const HEIGHT: u32 = 24;
    let doublings = |value: u64| (value + 1).ilog2();
    let most = values.iter().flatten().map(|value| doublings(*value)).max().unwrap_or(0).max(1);
    let width = values.len() * STEP;
    let mut drawn = format!("<svg width=\"{width}\" height=\"{HEIGHT}\" aria-hidden=\"true\">");
    let at = |place: usize, value: u64| (place * STEP + STEP / 2, HEIGHT - 3 - doublings(value) * (HEIGHT - 6) / most);
    for (place, two) in values.windows(2).enumerate() {
        if let [Some(one), Some(other)] = two {
            let ((x1, y1), (x2, y2)) = (at(place, *one), at(place + 1, *other));
            write!(drawn, "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"currentColor\"/>")
                .expect("text grows");
        }
    }
    for (place, value) in values.iter().enumerate() {
        if let Some(value) = value {
            let (x, y) = at(place, *value);
            write!(drawn, "<circle cx=\"{x}\" cy=\"{y}\" r=\"2\" fill=\"currentColor\"/>").expect("text grows");
        }
    }
    drawn + "</svg>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_in_proportion() {
        assert!(bar(5, 10).contains("<rect width=\"50\""));
        assert!(bar(0, 0).contains("<rect width=\"0\"") && bar(u64::MAX, u64::MAX).contains("<rect width=\"100\""));
    }

    #[test]
    fn a_line_has_a_point_for_each_value_and_a_gap_where_there_is_none() {
        let drawn = line(&[Some(1), Some(u64::MAX - 1), None, Some(0)]);
        assert_eq!((drawn.matches("<circle").count(), drawn.matches("<line").count()), (3, 1));
        assert_eq!(line(&[]).matches("<circle").count(), 0);
    }
}
