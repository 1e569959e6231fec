//! `Sec-WebSocket-Extensions` as the client sends it (RFC 6455 section 9.1).

use super::token::is_token;

/// How many extensions and how many parameters of each are looked at; more make an offer malformed.
const MAX_ENTRIES: usize = 16;

/// One element of the list: a name and its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExtensionOffer {
    /// The extension's name as the client wrote it.
    pub name: String,
    /// Parameters in order, with their value if they have one. Quoted values are unquoted.
    pub parameters: Vec<(String, Option<String>)>,
    /// Whether all of the element was understood. If not, only the name may be relied upon.
    pub is_well_formed: bool,
}

impl ExtensionOffer {
    /// Reads one header line. Elements after the sixteenth are ignored.
    pub fn parse_list(line: &str) -> Vec<Self> {
        split_unquoted(line, ',')
            .map(str::trim)
            .filter(|element| !element.is_empty())
            .take(MAX_ENTRIES)
            .map(Self::parse)
            .collect()
    }

    /// Whether this is an offer of the extension with that name.
    pub fn is_named(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    fn parse(element: &str) -> Self {
        let mut parts = split_unquoted(element, ';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let mut offer =
            Self { name: name.to_owned(), parameters: Vec::new(), is_well_formed: is_token(name) };
        for part in parts {
            match parse_parameter(part) {
                Some(parameter) if offer.parameters.len() < MAX_ENTRIES => offer.parameters.push(parameter),
                _ => offer.is_well_formed = false,
            }
        }
        offer
    }
}

fn parse_parameter(part: &str) -> Option<(String, Option<String>)> {
    let Some((name, value)) = part.split_once('=') else {
        return is_token(part).then(|| (part.to_owned(), None));
    };
    let (name, value) = (name.trim_end(), value.trim_start());
    let value = match value.strip_prefix('"') {
        Some(quoted) => unquote(quoted)?,
        None => value.to_owned(),
    };
    // A quoted value has to be a token as well, once unquoted (section 9.1).
    (is_token(name) && is_token(&value)).then(|| (name.to_owned(), Some(value)))
}

/// The content of a quoted string after its opening quote; `None` unless it ends with its closing quote.
fn unquote(quoted: &str) -> Option<String> {
    let mut value = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => return characters.next().is_none().then_some(value),
            '\\' => value.push(characters.next()?),
            character => value.push(character),
        }
    }
}

/// Splits at a separator that stands outside of quoted strings.
fn split_unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |character| {
        if escaped {
            escaped = false;
            return false;
        }
        match character {
            '"' => quoted = !quoted,
            '\\' => escaped = quoted,
            _ => return !quoted && character == separator,
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_split_outside_of_quotes() {
        let offers = ExtensionOffer::parse_list(r#"a; x="1,2;\"3"; y , b;z=4,, c"#);
        let names: Vec<_> = offers.iter().map(|offer| offer.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert!(!offers[0].is_well_formed, "a comma is no token character");
        assert_eq!(offers[1].parameters, [("z".to_owned(), Some("4".to_owned()))]);
        assert!(offers[2].is_well_formed && offers[2].parameters.is_empty());
    }

    #[test]
    fn broken_elements_are_marked_and_do_not_hide_the_next() {
        for line in ["a b", "a;", "a; x=", "a; x=\"1\"2", "a; x y", "a; =1", "\u{e9}"] {
            let offers = ExtensionOffer::parse_list(&format!("{line}, good"));
            assert!(!offers[0].is_well_formed, "{line}");
            assert!(offers[1].is_well_formed, "{line}");
        }
    }

    #[test]
    fn the_list_is_bounded() {
        assert_eq!(ExtensionOffer::parse_list(&"a,".repeat(1000)).len(), MAX_ENTRIES);
        assert!(!ExtensionOffer::parse_list(&format!("a{}", ";b".repeat(17)))[0].is_well_formed);
    }
}
