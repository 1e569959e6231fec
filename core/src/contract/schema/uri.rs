//! References to URIs, resolved as RFC 3986 section 5.2 says.

/// A reference in its parts. Everything is text as it was written; nothing is decoded.
#[derive(Clone, Copy, Debug)]
struct Parts<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

/// The URI, without a fragment, that a reference means where `base` is the base URI; and the reference's fragment.
pub(super) fn resolve<'r>(base: &str, reference: &'r str) -> (String, &'r str) {
    let (reference, fragment) = reference.split_once('#').unwrap_or((reference, ""));
    if reference.is_empty() {
        return (base.to_owned(), fragment);
    }
    let (base, wanted) = (Parts::of(base), Parts::of(reference));
    let resolved = if wanted.scheme.is_some() {
        wanted.text(&without_dots(wanted.path))
    } else if wanted.authority.is_some() {
        Parts { scheme: base.scheme, ..wanted }.text(&without_dots(wanted.path))
    } else {
        let query = if wanted.path.is_empty() { wanted.query.or(base.query) } else { wanted.query };
        let path = match wanted.path {
            "" => base.path.to_owned(),
            path if path.starts_with('/') => without_dots(path),
            path => without_dots(&merged(&base, path)),
        };
        Parts { query, ..base }.text(&path)
    };
    (resolved, fragment)
}

impl<'a> Parts<'a> {
    fn of(uri: &'a str) -> Self {
        let (scheme, rest) = match uri.split_once(':') {
            Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest),
            _ => (None, uri),
        };
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let Some(rest) = rest.strip_prefix("//") else {
            return Self { scheme, authority: None, path: rest, query };
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        Self { scheme, authority: Some(authority), path, query }
    }

    fn text(&self, path: &str) -> String {
        let scheme = self.scheme.map(|scheme| format!("{scheme}:")).unwrap_or_default();
        let authority = self.authority.map(|authority| format!("//{authority}")).unwrap_or_default();
        let query = self.query.map(|query| format!("?{query}")).unwrap_or_default();
        format!("{scheme}{authority}{path}{query}")
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// A relative path in the folder of the base's (section 5.2.3).
fn merged(base: &Parts<'_>, path: &str) -> String {
    match base.path.rfind('/') {
        Some(slash) => format!("{}{path}", &base.path[..=slash]),
        None if base.authority.is_some() => format!("/{path}"),
        None => path.to_owned(),
    }
}

/// Without `.` and `..` (section 5.2.4).
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let (segments, is_absolute) = match path.strip_prefix('/') {
        Some(rest) => (rest, true),
        None => (path, false),
    };
    let mut ends_in_folder = false;
    for segment in segments.split('/') {
        ends_in_folder = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
    }
    let slash = if is_absolute { "/" } else { "" };
    let end = if ends_in_folder && !kept.is_empty() { "/" } else { "" };
    format!("{slash}{}{end}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_resolve_as_in_the_rfc() {
        // RFC 3986 sections 5.4.1 and 5.4.2, and what schemas use.
        let base = "http://a/b/c/d;p?q";
        for (base, reference, expected) in [
            (base, "g:h", "g:h"),
            (base, "g", "http://a/b/c/g"),
            (base, "./g", "http://a/b/c/g"),
            (base, "g/", "http://a/b/c/g/"),
            (base, "/g", "http://a/g"),
            (base, "//g", "http://g"),
            (base, "?y", "http://a/b/c/d;p?y"),
            (base, "g?y", "http://a/b/c/g?y"),
            (base, "", "http://a/b/c/d;p?q"),
            (base, "#s", "http://a/b/c/d;p?q"),
            (base, ".", "http://a/b/c/"),
            (base, "..", "http://a/b/"),
            (base, "../g", "http://a/b/g"),
            (base, "../../../g", "http://a/g"),
            ("", "order.json", "order.json"),
            ("folder/x.json", "order.json", "folder/order.json"),
            ("urn:uuid:1", "#a", "urn:uuid:1"),
            ("http://a", "b", "http://a/b"),
            ("urn:x:y", "tag:example.com,2020:z", "tag:example.com,2020:z"),
        ] {
            assert_eq!(resolve(base, reference).0, expected, "{reference} from {base}");
        }
        assert_eq!(resolve("http://a/b", "c#/d").1, "/d");
    }
}
