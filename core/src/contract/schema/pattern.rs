//! Regular expressions as ECMA-262 writes them with its flag `u`, translated for the crate `regex`.

use regex::{Regex, RegexBuilder};

/// The most bytes that a compiled regular expression may take.
const MAX_REGEX_BYTES: usize = 1 << 20;

/// Compiles a pattern, which is not anchored. The error says what is wrong with it.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    let translated = translate(pattern)?;
    RegexBuilder::new(&translated).size_limit(MAX_REGEX_BYTES).build().map_err(|error| {
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("the regular expression {pattern:?} cannot be used: {reason}")
    })
}

/// What `\s` matches: white space and line terminators of ECMA-262 section 12.
const SPACE: &str =
    r"\t\n\x0B\x0C\r \u{A0}\u{1680}\u{2000}-\u{200A}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}\u{FEFF}";

/// The same pattern in the crate's syntax.
fn translate(pattern: &str) -> Result<String, String> {
    let cannot = |what: &str| {
        format!(
            "the regular expression {pattern:?} cannot be used: {what}; write it without, or leave it out"
        )
    };
    let mut translated = String::with_capacity(pattern.len() + 16);
    let mut characters = pattern.chars().peekable();
    let mut is_in_class = false;
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                let escape = characters.next().ok_or_else(|| cannot("it ends in a backslash"))?;
                translated
                    .push_str(&escaped(escape, &mut characters, is_in_class).map_err(|what| cannot(&what))?);
            }
            '[' if !is_in_class => {
                is_in_class = true;
                translated.push('[');
                if characters.next_if_eq(&'^').is_some() {
                    translated.push('^');
                }
                // An empty class matches nothing, its negation everything.
                if characters.next_if_eq(&']').is_some() {
                    is_in_class = false;
                    let is_negated = translated.ends_with('^');
                    translated.truncate(translated.len() - if is_negated { 2 } else { 1 });
                    translated.push_str(if is_negated { r"[\s\S]" } else { r"[^\s\S]" });
                }
            }
            ']' if is_in_class => {
                is_in_class = false;
                translated.push(']');
            }
            // The crate knows classes in classes and operators on them, ECMA-262 does not.
            '[' | '&' | '~' if is_in_class => {
                translated.push('\\');
                translated.push(character);
            }
            '-' if is_in_class && translated.ends_with('-') => translated.push_str(r"\-"),
            '.' if !is_in_class => translated.push_str(r"[^\n\r\u{2028}\u{2029}]"),
            '(' if !is_in_class && characters.peek() == Some(&'?') => {
                let rest: String = characters.clone().take(3).collect();
                if rest.starts_with("?=") || rest.starts_with("?!") {
                    return Err(cannot("it looks ahead, for which there is no bound in time"));
                }
                if rest.starts_with("?<=") || rest.starts_with("?<!") {
                    return Err(cannot("it looks behind, for which there is no bound in time"));
                }
                translated.push('(');
            }
            character => translated.push(character),
        }
    }
    Ok(translated)
}

type Characters<'p> = std::iter::Peekable<std::str::Chars<'p>>;

/// What stands for an escape. The error is the reason why nothing does.
fn escaped(escape: char, rest: &mut Characters<'_>, is_in_class: bool) -> Result<String, String> {
    let class = |is_negated: bool, characters: &str| match (is_in_class, is_negated) {
        (true, false) => characters.to_owned(),
        (_, is_negated) => format!("[{}{characters}]", if is_negated { "^" } else { "" }),
    };
    Ok(match escape {
        'd' | 'D' => class(escape == 'D', "0-9"),
        'w' | 'W' => class(escape == 'W', "A-Za-z0-9_"),
        's' | 'S' => class(escape == 'S', SPACE),
        'b' if is_in_class => r"\x08".to_owned(),
        'b' | 'B' => format!(r"(?-u:\{escape})"),
        'c' => match rest.next() {
            Some(letter) if letter.is_ascii_alphabetic() => format!(r"\x{{{:X}}}", letter as u32 % 32),
            _ => return Err("\\c has to be followed by a letter".to_owned()),
        },
        '0' if !rest.peek().is_some_and(char::is_ascii_digit) => r"\x00".to_owned(),
        '0'..='9' | 'k' => {
            return Err("it refers back to a group, for which there is no bound in time".to_owned());
        }
        'u' => return unicode(rest),
        'p' | 'P' | 'x' | 't' | 'n' | 'r' | 'v' | 'f' => format!("\\{escape}"),
        letter if letter.is_ascii_alphabetic() => {
            return Err(format!("\\{letter} means nothing in ECMA-262"));
        }
        '/' => "/".to_owned(),
        character if character.is_ascii_punctuation() => format!("\\{character}"),
        character => character.to_string(),
    })
}

/// What follows `\u`: four hexadecimal digits, two such escapes for a pair of surrogates, or digits in braces.
fn unicode(rest: &mut Characters<'_>) -> Result<String, String> {
    let wrong = || "\\u has to be followed by four hexadecimal digits".to_owned();
    if rest.next_if_eq(&'{').is_some() {
        let digits: String = rest.take_while(|digit| *digit != '}').collect();
        return Ok(format!(r"\u{{{digits}}}"));
    }
    let four = |rest: &mut Characters<'_>| {
        let digits: String = rest.take(4).collect();
        if digits.len() == 4 { u32::from_str_radix(&digits, 16).map_err(|_| wrong()) } else { Err(wrong()) }
    };
    let mut code = four(rest)?;
    if (0xD800..0xDC00).contains(&code) {
        if rest.next() != Some('\\') || rest.next() != Some('u') {
            return Err("\\u has half of a pair of surrogates".to_owned());
        }
        code = 0x10000 + ((code - 0xD800) << 10) + (four(rest)?.wrapping_sub(0xDC00) & 0x3FF);
    }
    Ok(format!(r"\u{{{code:X}}}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_ecma_262() {
        for (pattern, text, expected) in [
            (r"^\d+$", "12", true),
            (r"^\d+$", "১২", false),
            (r"^\d+$", "12\n", false),
            (r"^[\d-]+$", "1-2", true),
            (r"^\w$", "é", false),
            (r"^\W$", "é", true),
            (r"^\s$", "\u{feff}", true),
            (r"^[^\s]$", "\u{2028}", false),
            (r"^\S$", "x", true),
            (r"^[\W]$", "é", true),
            (r"^.$", "\r", false),
            (r"^.$", "💙", true),
            (r"^\cA\cj$", "\u{1}\n", true),
            (r"^\u00e9\u{1F499}\uD83D\uDC99$", "é💙💙", true),
            (r"^a\/b\-c$", "a/b-c", true),
            (r"^[[&&a]+$", "[&a", true),
            (r"^[+--]+$", ",", true),
            (r"^[]$", "", false),
            (r"^[^]$", "\n", true),
            (r"\bcat\b", "a cat.", true),
            (r"^[\b]$", "\u{8}", true),
            (r"^(?<year>\d{4})$", "2026", true),
            (r"^\0$", "\0", true),
        ] {
            assert_eq!(compile(pattern).unwrap().is_match(text), expected, "{pattern} on {text:?}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (pattern, reason) in [
            (r"^(?=a)", "looks ahead"),
            (r"^(?!a)", "looks ahead"),
            (r"(?<=a)b", "looks behind"),
            (r"(?<!a)b", "looks behind"),
            (r"(a)\1", "refers back"),
            (r"\k<x>", "refers back"),
            (r"\a", "means nothing"),
            (r"\Z", "means nothing"),
            (r"a{99999999}", "cannot be used"),
            (r"(", "unclosed group"),
            ("\\", "ends in a backslash"),
            (r"\u12", "four hexadecimal digits"),
            (r"\ud83d", "surrogates"),
            (r"\c1", "followed by a letter"),
        ] {
            let error = compile(pattern).unwrap_err();
            assert!(error.contains(reason), "{pattern}: {error}");
        }
    }
}
