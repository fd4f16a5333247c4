//! Suggestions for names that are not known.

/// `; did you mean "…"?` with the nearest of the names, or nothing when none is near.
pub(super) fn suggestion<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> String {
    let word = word.to_ascii_lowercase();
    let nearest = names
        .map(|name| (strsim::damerau_levenshtein(&word, &name.to_ascii_lowercase()), name))
        .min_by_key(|(distance, _)| *distance);
    match nearest {
        Some((distance, name)) if distance <= word.len().div_ceil(3).max(2) => {
            format!("; did you mean \"{name}\"?")
        }
        _ => String::new(),
    }
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
