//! Template text to parts.

use super::source::Source;
use super::{Part, TemplateError};

/// Said where a brace may have been meant as text.
const BRACE_HINT: &str = "for a brace that is text write {{";

pub(super) fn parse(text: &str) -> Result<Vec<Part>, TemplateError> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, braces) = rest.split_at(at);
        literal.push_str(before);
        if let Some(after) = braces.strip_prefix("{{") {
            literal.push('{');
            rest = after;
        } else if let Some(after) = braces.strip_prefix('}') {
            literal.push('}');
            rest = after.strip_prefix('}').unwrap_or(after);
        } else {
            let Some((inside, after)) = braces[1..].split_once('}') else {
                return Err(TemplateError(format!("the brace of {braces} is never closed; {BRACE_HINT}")));
            };
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(Part::Placeholder(source(inside)?));
            rest = after;
        }
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(Part::Text(literal));
    }
    Ok(parts)
}

/// What stands between two braces.
fn source(inside: &str) -> Result<Source, TemplateError> {
    Source::parse(inside.trim()).map_err(|error| {
        let hint = if error.may_be_text { format!("; {BRACE_HINT}") } else { String::new() };
        TemplateError(format!("{{{inside}}} is no placeholder; {}{hint}", error.reason))
    })
}
