//! Suggestions for unknown names.

/// The text `; did you mean "…"?` with the most similar name, or an empty text if no name
/// is similar.
pub(super) fn suggestion<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> String {
    let limit = word.len().div_ceil(3).max(2);
    nearest(word, names, limit)
        .map_or_else(String::new, |name| format!("; did you mean \"{name}\"?"))
}

/// The most similar name: the one with the fewest changed letters. Upper and lower case are
/// equal. `None` if more than `limit` changes are needed.
pub(crate) fn nearest<'a>(
    word: &str,
    names: impl Iterator<Item = &'a str>,
    limit: usize,
) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    names
        .map(|name| (strsim::damerau_levenshtein(&word, &name.to_ascii_lowercase()), name))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= limit)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_if_it_is_near() {
        let names = || ["cnsa-1", "cnsa-2", "anssi"].into_iter();
        assert_eq!(suggestion("CNSA2", names()), "; did you mean \"cnsa-2\"?");
        assert_eq!(suggestion("bsi-tr-02102", names()), "");
        assert_eq!(suggestion("", [].into_iter()), "");
    }
}
