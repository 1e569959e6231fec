//! The README's links, for places that do not have the repository's files beside it.

/// The text with every link to a file of the repository as one to the repository on the web; images as files themselves.
pub(super) fn absolute(text: &str, repository: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("](") {
        let (before, after) = rest.split_at(at + 2);
        out.push_str(before);
        let is_local = !["http://", "https://", "#", "mailto:"].iter().any(|start| after.starts_with(start))
            && after.split(')').next().is_some_and(|target| !target.contains(char::is_whitespace));
        if is_local {
            let is_image = before.rfind('[').is_some_and(|open| before[..open].ends_with('!'));
            out.push_str(repository);
            out.push_str(if is_image { "/raw/main/" } else { "/blob/main/" });
        }
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_from_elsewhere() {
        let text = "[a](docs/a.md#b), ![b](docs/b.png), [c](#c), [d](https://d.example), `x[0](1, 2)`";
        let expected = "[a](https://r/blob/main/docs/a.md#b), ![b](https://r/raw/main/docs/b.png), [c](#c), \
                        [d](https://d.example), `x[0](1, 2)`";
        assert_eq!(absolute(text, "https://r"), expected);
    }
}
