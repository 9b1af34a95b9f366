mod laws;
mod linear;
mod sentences;
mod vectors;

use super::scan::Find;
use super::{Kind, Pattern, Replacement, Scrubber};

/// A search for these alone, which puts labels.
fn scrubber(kinds: &[Kind]) -> Scrubber {
    Scrubber::new(kinds, Vec::new(), Vec::new(), |_| Replacement::Label)
}

fn everything() -> Scrubber {
    scrubber(Kind::ALL)
}

/// The name and the text of each find.
fn found<'a>(scrubber: &Scrubber, text: &'a str) -> Vec<(String, &'a str)> {
    let mut finds = Vec::new();
    scrubber.find(text, &mut finds);
    let kinds = scrubber.kinds();
    finds.into_iter().map(|Find { start, end, kind }| (kinds[usize::from(kind)].clone(), &text[start..end])).collect()
}

fn pattern(name: &str, regex: &str) -> Pattern {
    Pattern::new(name, regex).unwrap()
}
