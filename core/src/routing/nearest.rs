//! The pattern that somebody probably meant who asked for a path that nothing serves.

/// The pattern nearest to `path`, segment by segment, if one is near enough to be meant: one in three of the characters that
/// the pattern writes out may be wrong.
pub(crate) fn nearest<'p>(path: &str, patterns: impl IntoIterator<Item = &'p str>) -> Option<&'p str> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let near = patterns.into_iter().filter_map(|pattern| Some((distance(&segments, pattern)?, pattern)));
    near.min_by_key(|(distance, _)| *distance).map(|(_, pattern)| pattern)
}

/// The pattern that lacks a segment at the end, or has one too many there, if all others are as they should be and at least
/// one of them is written out.
pub(crate) fn nearest_but_one<'p>(
    path: &str,
    patterns: impl IntoIterator<Item = &'p str>,
) -> Option<&'p str> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    patterns.into_iter().find(|pattern| {
        let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
        let is_open = |part: &str| part.contains(['{', '*', '?']);
        let same = segments.iter().zip(&parts).all(|(segment, part)| is_open(part) || segment == part);
        let shared = &parts[..parts.len().min(segments.len())];
        same && parts.len().abs_diff(segments.len()) == 1 && shared.iter().any(|part| !is_open(part))
    })
}

/// In how many characters they differ; `None` when it is too many, or there are more or fewer segments.
fn distance(path: &[&str], pattern: &str) -> Option<usize> {
    let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    if parts.len() != path.len() {
        return None;
    }
    let (mut distance, mut written) = (0, 0);
    for (segment, part) in path.iter().zip(parts) {
        // What stands for something is not compared.
        if !part.contains(['{', '*', '?']) {
            // Nobody writes twice as much by a slip, and comparing takes the product of both lengths.
            if segment.len() > 2 * part.len() {
                return None;
            }
            distance += strsim::damerau_levenshtein(&segment.to_lowercase(), &part.to_lowercase());
            written += part.chars().count();
        }
    }
    (distance <= written / 3).then_some(distance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let patterns = ["/api/ws/chat/{room}", "/api/ws/game", "/**", "/{a}"];
        for (path, expected) in [
            ("/api/ws/chta/x", Some("/api/ws/chat/{room}")),
            ("/API/WS/Game", Some("/api/ws/game")),
            ("/api/wss/game/", Some("/api/ws/game")),
            ("/other/way/round", None),
            ("/api/ws/game/x/y", None),
        ] {
            assert_eq!(nearest(path, patterns), expected, "{path}");
        }
    }

    #[test]
    fn a_segment_too_few_or_too_many_is_found() {
        let patterns = ["/{a}/{b}", "/api/ws/chat/{room}", "/api/ws/game", "/**"];
        for (path, expected) in [
            ("/api/ws/chat", Some("/api/ws/chat/{room}")),
            ("/api/ws/chat/x/y", Some("/api/ws/chat/{room}")),
            ("/api/ws/game/1", Some("/api/ws/game")),
            ("/api/ws", Some("/api/ws/game")),
            ("/api", None),
            ("/x", None),
            ("/", None),
        ] {
            assert_eq!(nearest_but_one(path, patterns), expected, "{path}");
        }
    }
}
