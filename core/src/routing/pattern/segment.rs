//! One segment of a pattern: the text between two slashes.

use std::sync::Arc;

use regex::Regex;

use super::Params;

/// What one segment of a path has to look like.
#[derive(Clone, Debug)]
pub(super) enum Segment {
    /// Exactly this text. Empty at the end of a pattern with a trailing slash.
    Literal(String),
    /// `*`: any text, also empty.
    Any,
    /// `**`: any number of whole segments.
    AnySegments,
    /// `{name}`: any text, but not empty.
    Param(Arc<str>),
    /// A mixture of these. The expression is anchored; its group `g<n>` holds the n-th parameter.
    Mixed {
        /// The whole segment as one expression.
        regex: Regex,
        /// The parameters' names with the names of their groups.
        names: Vec<(Arc<str>, String)>,
    },
}

impl Segment {
    /// Whether `text` is matched; adds its parameters if so. For all but [`AnySegments`](Self::AnySegments).
    pub(super) fn matches(&self, text: &str, params: &mut Params) -> bool {
        match self {
            Segment::Literal(literal) => literal == text,
            Segment::Any => true,
            Segment::AnySegments => false,
            Segment::Param(name) => {
                if !text.is_empty() {
                    params.push(name, text);
                }
                !text.is_empty()
            }
            // Only `*` and `**` match the empty segment after a trailing slash.
            Segment::Mixed { .. } if text.is_empty() => false,
            Segment::Mixed { regex, names } if names.is_empty() => regex.is_match(text),
            Segment::Mixed { regex, names } => {
                let Some(captures) = regex.captures(text) else { return false };
                for (name, group) in names {
                    params.push(name, captures.name(group).map_or("", |found| found.as_str()));
                }
                true
            }
        }
    }

    /// The names of the parameters in it.
    pub(super) fn names(&self) -> Vec<&Arc<str>> {
        match self {
            Segment::Param(name) => vec![name],
            Segment::Mixed { names, .. } => names.iter().map(|(name, _)| name).collect(),
            _ => Vec::new(),
        }
    }

    /// A glob that matches at least what this segment matches.
    pub(super) fn candidate_glob(&self) -> String {
        match self {
            // For globset a path that ends with a dot has no file name, so the glob must not demand one.
            Segment::Literal(literal) if !literal.ends_with('.') => globset::escape(literal),
            Segment::AnySegments => "**".to_owned(),
            _ => "*".to_owned(),
        }
    }
}
