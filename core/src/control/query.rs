//! The query of a request to the control API.

use crate::control::operation::{self, Operation};
use crate::schema::nearest;

/// The most entries of one page.
const MOST: usize = 1_000;

/// The entries of a page where nothing else is asked for.
const USUAL: usize = 100;

/// The parameters that a request gives, all of them known to its operation.
#[derive(Debug, Default)]
pub(crate) struct Query {
    values: Vec<(String, String)>,
}

impl Query {
    /// Reads a query string; otherwise says what is wrong with it.
    pub(crate) fn read(operation: Operation, text: Option<&str>) -> Result<Self, String> {
        let known = operation::ALL.iter().filter(|known| known.operation == operation);
        let known: Vec<&str> =
            known.flat_map(|known| known.parameters).map(|parameter| parameter.name).collect();
        let mut values: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(text.unwrap_or_default().as_bytes()) {
            if !known.contains(&&*name) {
                let name: String = name.chars().take(100).collect();
                return Err(match nearest(&name, known.iter().copied()) {
                    Some(near) => format!("unknown parameter {name:?}; did you mean {near:?}?"),
                    None if known.is_empty() => format!("unknown parameter {name:?}; there are none here"),
                    None => format!("unknown parameter {name:?}; known here are {}", known.join(", ")),
                });
            }
            if values.iter().any(|(known, _)| *known == name) {
                return Err(format!("{name}: given twice; write it once"));
            }
            values.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self { values })
    }

    /// The value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter that is a number within these bounds.
    pub(crate) fn number(&self, name: &str, least: usize, most: usize) -> Result<Option<usize>, String> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        let shown: String = text.chars().take(100).collect();
        number
            .map(Some)
            .ok_or_else(|| format!("{name}: expected a number from {least} to {most}, got {shown:?}"))
    }

    /// How many entries a page may have.
    pub(crate) fn limit(&self) -> Result<usize, String> {
        Ok(self.number("limit", 1, MOST)?.unwrap_or(USUAL))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_or_not_a_number_is_named() {
        let query = Query::read(Operation::Connections, Some("route=%2Fa+b&limit=7")).expect("a query");
        assert_eq!((query.get("route"), query.limit(), query.get("after")), (Some("/a b"), Ok(7), None));
        assert_eq!(Query::default().limit(), Ok(100));
        for (text, expected) in [
            ("limit=0", "limit: expected a number from 1 to 1000, got \"0\""),
            ("limit=x", "limit: expected a number from 1 to 1000, got \"x\""),
        ] {
            let query = Query::read(Operation::Connections, Some(text)).expect("a query");
            assert_eq!(query.limit().expect_err("no limit"), expected);
        }
        for (text, expected) in [
            ("rout=x", "unknown parameter \"rout\"; did you mean \"route\"?"),
            ("zzzzzz", "unknown parameter \"zzzzzz\"; known here are state, route, room, limit, after"),
            ("limit=1&limit=2", "limit: given twice; write it once"),
        ] {
            assert_eq!(Query::read(Operation::Connections, Some(text)).expect_err("a mistake"), expected);
        }
        let none = Query::read(Operation::Stats, Some("x=1")).expect_err("a mistake");
        assert_eq!(none, "unknown parameter \"x\"; there are none here");
    }
}
