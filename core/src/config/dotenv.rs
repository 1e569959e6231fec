//! Files of `NAME=value` lines, as npm's `dotenv` reads them.
//!
//! Written here because the Rust crates of that name follow a shell's rules, which take the quotes out of
//! `EVENTS=[{"name":"ticker"}]`.

/// The variables of a `.env` file, in its order. A later one of the same name wins. Lines that are none are passed
/// over.
pub fn parse_dotenv(text: &str) -> Vec<(String, String)> {
    let mut variables = Vec::new();
    let mut rest = text.trim_start_matches('\u{feff}');
    while !rest.is_empty() {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        match assignment(line) {
            None => rest = after,
            Some((name, value)) => {
                let (value, end) = read_value(&rest[line.len() - value.len()..]);
                variables.push((name.to_owned(), value));
                rest = end;
            }
        }
    }
    variables
}

/// The name, and everything on the line behind its `=`.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").map_or(line, str::trim_start);
    let (name, value) = line.split_once('=')?;
    let name = name.trim_end();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    (!name.is_empty() && name.chars().all(is_name)).then_some((name, value))
}

/// The value at the start of `text`, and what follows its line. In quotes it may span lines; without them it ends
/// with its line or at a `#`.
fn read_value(text: &str) -> (String, &str) {
    let next_line = |text: &'_ str| text.find('\n').map_or(text.len(), |end| end + 1);
    let start = text.trim_start_matches([' ', '\t']);
    if let Some(quote) = start.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))
        && let Some(end) = start[1..].find(quote)
    {
        let value = &start[1..=end];
        let value =
            if quote == '"' { value.replace("\\n", "\n").replace("\\r", "\r") } else { value.to_owned() };
        let after = &start[end + 2..];
        return (value, &after[next_line(after)..]);
    }
    let (line, after) = text.split_at(next_line(text));
    let value = line.split('#').next().unwrap_or_default().trim();
    (value.to_owned(), after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_npm_dotenv_reads_them() {
        let text = "\u{feff}# comment\n\nA=1\r\n export B = two words  # more\nC=\"x\\ny # z\" # c\nD='a\\nb'\nE=`it's \"it\"`\n\
                    F=\"two\nlines\"\nno assignment\nG=\nbad name=1\nH=\"open\nI=[{\"n\":\"t\",\"d\":{\"p\":1}}]\nJ=last";
        let expected = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "x\ny # z"),
            ("D", "a\\nb"),
            ("E", "it's \"it\""),
            ("F", "two\nlines"),
            ("G", ""),
            // A quote that nothing closes is text; dotenv looks for its end across lines first.
            ("H", "open\nI=[{"),
            ("J", "last"),
        ];
        let read = parse_dotenv(text);
        let read: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(read, expected);
        let events = "EVENTS=[{\"name\":\"ticker\",\"interval\":2000,\"data\":{\"price\":100}}]";
        assert_eq!(parse_dotenv(events)[0].1, &events["EVENTS=".len()..]);
    }
}
