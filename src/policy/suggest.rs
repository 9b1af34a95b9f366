//! "did you mean": the nearest of a few known words.

/// The candidate nearest to `word`, if it is near enough to be what was meant: up to one edit in three characters.
pub(super) fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(1);
    let lower = word.to_lowercase().replace('-', "_");
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `did you mean ...?`, or else the list of all candidates.
pub(super) fn hint(word: &str, what: &str, candidates: &[&str]) -> String {
    match closest(word, candidates.iter().copied()) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None => format!("{what}: {}", listed(candidates)),
    }
}

/// `` `a`, `b`, `c` ``.
pub(super) fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_only_what_is_near() {
        let words = ["email", "normalize", "keep", "on_error"];
        assert_eq!(closest("emial", words), Some("email"));
        assert_eq!(closest("normalise", words), Some("normalize"));
        assert_eq!(closest("On-Error", words), Some("on_error"));
        assert_eq!(closest("fpe", words), None);
        assert_eq!(closest("kp", words), None);
    }
}
