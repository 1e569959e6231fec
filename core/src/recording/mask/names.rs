//! Which names stand beside secrets: of headers, query parameters, and keys of JSON.

/// How much a name says about its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Suspicion {
    /// Nothing.
    None,
    /// It is a secret if it looks like one.
    Likely,
    /// It is a secret.
    Certain,
    /// It is a secret, and everything in it too.
    Deep,
}

/// Parts of a name, in lower case, that stand beside secrets wherever they are in it.
const PARTS: [&str; 9] =
    ["token", "secret", "passw", "passphrase", "passcode", "apikey", "jwt", "credential", "authorization"];

/// Those of them whose lists and objects hold nothing else.
const DEEP: [&str; 3] = ["secret", "passw", "credential"];

/// Whole words of a name that do.
const WORDS: [&str; 9] = ["auth", "bearer", "cookie", "cookies", "pwd", "sig", "signature", "otp", "csrf"];

/// Words that do so together with `key`.
const KINDS_OF_KEY: [&str; 7] = ["api", "access", "private", "secret", "signing", "encryption", "shared"];

/// Whole words of a name that often stand beside something else.
const LIKELY: [&str; 4] = ["key", "session", "sid", "pass"];

/// A name that ends with one of these tells something about a secret.
const ABOUT: [&str; 13] = [
    "type", "count", "limit", "expires", "expiry", "ttl", "length", "size", "status", "state", "error",
    "usage", "at",
];

/// What the name of a key or of a query parameter says.
pub(super) fn suspicion(name: &str) -> Suspicion {
    let words = words(name);
    if words.len() > 1 && words.last().is_some_and(|last| ABOUT.contains(&last.as_str())) {
        return Suspicion::None;
    }
    let joined = words.concat();
    let has = |words_known: &[&str]| words.iter().any(|word| words_known.contains(&word.as_str()));
    if DEEP.iter().any(|part| joined.contains(part)) {
        Suspicion::Deep
    } else if PARTS.iter().any(|part| joined.contains(part)) || has(&WORDS) || is_kind_of_key(&words) {
        Suspicion::Certain
    } else if has(&LIKELY) {
        Suspicion::Likely
    } else {
        Suspicion::None
    }
}

/// Whether a header's value is a secret.
pub(super) fn is_secret_header(name: &str) -> bool {
    const KNOWN: [&str; 6] = [
        "sec-websocket-key",
        "sec-websocket-accept",
        "sec-websocket-protocol",
        "sec-websocket-version",
        "sec-websocket-extensions",
        ":authority",
    ];
    const IN_HEADERS: [&str; 10] =
        ["token", "secret", "key", "auth", "session", "cookie", "passw", "jwt", "credential", "signature"];
    let name = name.to_ascii_lowercase();
    !KNOWN.contains(&name.as_str()) && IN_HEADERS.iter().any(|part| name.contains(part))
}

/// Whether a value could be a key or an id of a session: long, without spaces, of letters and digits.
pub(super) fn looks_secret(value: &str) -> bool {
    value.len() >= 16
        && value.bytes().all(|byte| byte.is_ascii_graphic())
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
}

fn is_kind_of_key(words: &[String]) -> bool {
    words.windows(2).any(|pair| {
        KINDS_OF_KEY.contains(&pair[0].as_str()) && (pair[1] == "key" || pair[1] == "keys")
            || pair[0] == "session" && pair[1] == "id"
    })
}

/// The words of `accessToken`, `access_token`, `Access-Token`, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for character in name.chars() {
        let is_new = character.is_uppercase() && was_lower;
        was_lower = character.is_lowercase() || character.is_ascii_digit();
        match words.last_mut() {
            Some(word) if character.is_alphanumeric() && !is_new => word.extend(character.to_lowercase()),
            _ if character.is_alphanumeric() => words.push(character.to_lowercase().collect()),
            _ => words.push(String::new()),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_judged_by_their_words() {
        for (name, expected) in [
            ("token", Suspicion::Certain),
            ("access_token", Suspicion::Certain),
            ("accessToken", Suspicion::Certain),
            ("ACCESS-TOKEN", Suspicion::Certain),
            ("refreshtoken", Suspicion::Certain),
            ("tokens", Suspicion::Certain),
            ("clientSecret", Suspicion::Deep),
            ("Passwort", Suspicion::Deep),
            ("password", Suspicion::Deep),
            ("apikey", Suspicion::Certain),
            ("api_key", Suspicion::Certain),
            ("apiKeys", Suspicion::Certain),
            ("x-api-key", Suspicion::Certain),
            ("auth", Suspicion::Certain),
            ("sig", Suspicion::Certain),
            ("sessionId", Suspicion::Certain),
            ("key", Suspicion::Likely),
            ("session", Suspicion::Likely),
            ("author", Suspicion::None),
            ("authenticated", Suspicion::None),
            ("token_type", Suspicion::None),
            ("tokenExpiresAt", Suspicion::None),
            ("keyboard", Suspicion::None),
            ("design", Suspicion::None),
            ("vsn", Suspicion::None),
            ("", Suspicion::None),
            ("é", Suspicion::None),
        ] {
            assert_eq!(suspicion(name), expected, "{name}");
        }
    }

    #[test]
    fn headers_are_judged_by_what_they_contain() {
        for (name, expected) in [
            ("Authorization", true),
            ("proxy-authorization", true),
            ("cookie", true),
            ("set-cookie", true),
            ("x-api-key", true),
            ("X-CSRF-Token", true),
            ("my-session", true),
            ("sec-websocket-key", false),
            ("sec-websocket-protocol", false),
            (":authority", false),
            ("origin", false),
            ("user-agent", false),
        ] {
            assert_eq!(is_secret_header(name), expected, "{name}");
        }
    }
}
