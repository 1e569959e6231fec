//! What code threw, as the log and `onError` get it.

/// An error of user code.
#[derive(Debug)]
pub(super) struct Thrown {
    pub(super) message: String,
    /// The calls that led there, one a line.
    pub(super) stack: Option<String>,
}

/// How many calls are shown at most; the first ones matter most.
const MOST: usize = 8;

/// What is missing, and what to do instead.
const MISSING: [(&str, &str); 10] = [
    ("process", "it is Node's; use attach() on Node"),
    ("require", "write import; for packages of npm use attach() on Node"),
    ("module", "write export default"),
    ("exports", "write export default"),
    ("__dirname", "files cannot be read here; use attach() on Node"),
    ("__filename", "files cannot be read here; use attach() on Node"),
    ("WebSocket", "to talk to another server use the dialect proxy, or attach() on Node"),
    ("XMLHttpRequest", "use attach() on Node"),
    ("Worker", "use attach() on Node"),
    ("Intl", "use toISOString() and the like, or attach() on Node"),
];

/// What the interpreter throws if its memory does not suffice for an error either.
const NO_ERROR: &str = "null";

/// The message of an error; where something of Node's or of a browser's is missing, with what to do instead.
pub(super) fn with_advice(message: String) -> String {
    if message == NO_ERROR {
        return "null was thrown: by the code itself, or because it ran out of memory".to_owned();
    }
    let Some(name) = message.strip_suffix(" is not defined") else { return message };
    let name = name.trim_matches('\'');
    match MISSING.iter().find(|(missing, _)| *missing == name) {
        Some((_, advice)) => format!("{message} on the native server: {advice}"),
        None => message,
    }
}

/// The calls of a stack that are the user's, with the names that files have.
pub(super) fn shorten(stack: &str) -> String {
    let calls = stack.lines().map(str::trim).filter(|call| {
        call.starts_with("at ")
            && !call.contains("switchboard:")
            && !call.contains("(native)")
            && call.contains(':')
    });
    let calls = calls.take(MOST).map(|call| format!("    {}", without_version(call)));
    calls.collect::<Vec<_>>().join("\n")
}

/// The name of a module, in whichever version it is.
pub(super) fn without_version(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("?v=") {
        plain.push_str(&rest[..at]);
        rest = rest[at + 3..].trim_start_matches(|character: char| character.is_ascii_digit());
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_shows_the_users_calls() {
        let stack = "    at helper (ws/_own.ts?v=12:3:5)\n    at onMessage (ws/chat.ts?v=2:10:7)\n    at map (native)\n    \
                     at run (switchboard:plugin/callbacks/hooks.ts:80:1)\n    at <anonymous> (ws/chat.ts:1:1)\n";
        let expected = "    at helper (ws/_own.ts:3:5)\n    at onMessage (ws/chat.ts:10:7)\n    at <anonymous> (ws/chat.ts:1:1)";
        assert_eq!(shorten(stack), expected);
    }

    #[test]
    fn what_is_missing_says_what_to_do() {
        let message = with_advice("process is not defined".to_owned());
        assert_eq!(
            message,
            "process is not defined on the native server: it is Node's; use attach() on Node"
        );
        assert_eq!(with_advice("other is not defined".to_owned()), "other is not defined");
    }
}
