//! The name that a misspelt one was probably meant to be.

/// The known name nearest to `name`, if one is near enough to be meant.
pub(crate) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    // What tools for people accept as a slip: one in three characters wrong, swapped ones counted once.
    let allowed = (name.chars().count() / 3).max(1);
    known
        .into_iter()
        .filter(|known| !known.is_empty())
        .map(|known| (strsim::damerau_levenshtein(&name.to_lowercase(), &known.to_lowercase()), known))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_strangers_are_not() {
        let known = ["heartbeat", "delay", "on", "defaultRoom"];
        for (name, expected) in [
            ("heartbaet", Some("heartbeat")),
            ("Delay", Some("delay")),
            ("default_room", Some("defaultRoom")),
            ("colour", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
    }
}
