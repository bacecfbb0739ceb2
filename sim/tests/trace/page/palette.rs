//! The colours of the page: what stands on what is readable, and roles differ for eyes that lack one kind of cone.

use std::collections::BTreeMap;

const PALETTE: &str = include_str!("../../../src/explain/report/page/palette.css");

/// Red, green and blue, as amounts of light.
type Light = [f64; 3];

/// The light and the dark palette, by name.
fn palettes() -> Vec<BTreeMap<&'static str, Light>> {
    let themes = PALETTE.split("@media");
    themes.map(|theme| theme.split("--").skip(1).filter_map(colour).collect()).collect()
}

fn colour(text: &'static str) -> Option<(&'static str, Light)> {
    let (name, rest) = text.split_once(": #")?;
    let digits = rest.get(..6)?;
    let light = |at: usize| {
        let value = f64::from(u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal")) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    Some((name, [light(0), light(2), light(4)]))
}

/// Contrast as WCAG defines it.
fn contrast(one: Light, other: Light) -> f64 {
    let luminance = |[red, green, blue]: Light| 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05;
    let (one, other) = (luminance(one), luminance(other));
    one.max(other) / one.min(other)
}

#[test]
fn what_is_written_or_drawn_stands_out_by_four_and_a_half_to_one() {
    const DRAWN: [&str; 12] = [
        "front",
        "muted",
        "message",
        "lost",
        "cut",
        "broken",
        "hit",
        "follower",
        "pre-candidate",
        "candidate",
        "leader",
        "down",
    ];
    const GROUNDS: [&str; 4] = ["back", "card", "select", "broken-back"];
    let palettes = palettes();
    assert_eq!(palettes.len(), 2);
    for palette in palettes {
        let pairs = GROUNDS.iter().flat_map(|ground| DRAWN.iter().map(move |drawn| (*drawn, *ground)));
        for (drawn, ground) in pairs.chain([("front", "changed")]) {
            let contrast = contrast(palette[drawn], palette[ground]);
            assert!(contrast >= 4.5, "{drawn} on {ground}: {contrast:.2}");
        }
        for ground in GROUNDS {
            let [dim, usual] = ["dim", "message"].map(|drawn| contrast(palette[drawn], palette[ground]));
            assert!(dim >= 3.0 && usual >= 1.5 * dim, "dim on {ground}: {dim:.2}, what is not dimmed: {usual:.2}");
        }
    }
}

/// What is left of light for eyes that lack the cones for red, for green, or for blue (Machado, Oliveira and Fernandes, "A
/// Physiologically-based Model for Simulation of Color Vision Deficiency", 2009).
const SIGHT: [(&str, [Light; 3]); 4] = [
    ("all cones", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    ("protanopia", [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    ("deuteranopia", [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]),
    ("tritanopia", [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]]),
];

fn product(matrix: &[Light; 3], light: Light) -> Light {
    matrix.map(|row| row.iter().zip(light).map(|(factor, light)| factor * light).sum::<f64>())
}

/// Lightness and two differences of hue, in which equal distances look about equal (CIE 1976).
fn lab(light: Light) -> Light {
    let xyz = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]];
    let [x, y, z] = product(&xyz, light.map(|light| light.clamp(0.0, 1.0)));
    let [x, y, z] = [x / 0.95047, y, z / 1.08883]
        .map(|part: f64| if part > 0.008856 { part.cbrt() } else { 7.787 * part + 16.0 / 116.0 });
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

#[test]
fn roles_differ_in_colour_for_all_eyes() {
    const ROLES: [&str; 5] = ["follower", "pre-candidate", "candidate", "leader", "down"];
    for palette in palettes() {
        for (eyes, matrix) in &SIGHT {
            let seen = |role: &str| lab(product(matrix, palette[role]));
            for (at, one) in ROLES.iter().enumerate() {
                for other in &ROLES[at + 1..] {
                    let squares = seen(one).into_iter().zip(seen(other)).map(|(one, other)| (one - other).powi(2));
                    let distance = squares.sum::<f64>().sqrt();
                    // Ten times what eyes just notice.
                    assert!(distance >= 23.0, "{one} and {other} for {eyes}: {distance:.1}");
                }
            }
        }
    }
}
