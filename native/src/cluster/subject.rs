//! Names of channels and leases as NATS takes them: subjects, keys and buckets have few characters.

/// The subject of a channel: `switchboard:channel:a room` is `switchboard.channel.a=20room`.
pub(super) fn subject(channel: &str) -> String {
    let parts: Vec<String> = channel.splitn(3, ':').map(|part| escaped(part, '=')).collect();
    parts.join(".")
}

/// The key of a lease.
pub(super) fn key(lease: &str) -> String {
    escaped(lease, '=')
}

/// The bucket of the leases of a cluster.
pub(super) fn bucket(prefix: &str) -> String {
    format!("{}-leases", escaped(prefix, '_'))
}

/// The stream of what is kept of a channel.
pub(super) fn stream(channel: &str) -> String {
    let parts: Vec<String> = channel.splitn(3, ':').map(|part| escaped(part, '_')).collect();
    parts.join("-")
}

/// The stream of the notes of all channels of a cluster, by one of them, and its subjects.
pub(super) fn notes_stream(channel: &str) -> (String, String) {
    let prefix = channel.split(':').next().unwrap_or_default();
    (format!("{}-notes", escaped(prefix, '_')), format!("{}.note.>", escaped(prefix, '=')))
}

/// The subject of a note of a channel. Its key has letters and digits alone, or is `*` for all of them.
pub(super) fn note_subject(channel: &str, key: &str) -> String {
    let mut parts = channel.splitn(3, ':');
    let (prefix, name) = (parts.next().unwrap_or_default(), parts.nth(1).unwrap_or_default());
    format!("{}.note.{}.{key}", escaped(prefix, '='), escaped(name, '='))
}

/// The text with all but letters, digits and `-` as `mark` and two hexadecimal digits; alone, `mark` is an empty text.
fn escaped(text: &str, mark: char) -> String {
    if text.is_empty() {
        return mark.to_string();
    }
    let mut escaped = String::with_capacity(text.len());
    for &byte in text.as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => escaped.push(char::from(byte)),
            other => escaped.extend([mark, digit(other >> 4), digit(other & 15)]),
        }
    }
    escaped
}

fn digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap_or('0').to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_channels_have_different_subjects_of_allowed_characters() {
        for (channel, expected) in [
            ("switchboard:nodes", "switchboard.nodes"),
            ("switchboard:channel:a room", "switchboard.channel.a=20room"),
            ("switchboard:channel:a:b.c", "switchboard.channel.a=3Ab=2Ec"),
            ("switchboard:channel:", "switchboard.channel.="),
            ("switchboard:channel:=", "switchboard.channel.=3D"),
            ("switchboard:channel:*", "switchboard.channel.=2A"),
            ("switchboard:channel:>é\n", "switchboard.channel.=3E=C3=A9=0A"),
        ] {
            assert_eq!(subject(channel), expected);
        }
        assert_eq!(key("switchboard:lease:feed/x"), "switchboard=3Alease=3Afeed=2Fx");
        assert_eq!(bucket("my_prefix"), "my_5Fprefix-leases");
        let route = "my_prefix:channel:route /a";
        assert_eq!(stream(route), "my_5Fprefix-channel-route_20_2Fa");
        assert_eq!(notes_stream(route), ("my_5Fprefix-notes".to_owned(), "my=5Fprefix.note.>".to_owned()));
        assert_eq!(note_subject(route, "0a"), "my=5Fprefix.note.route=20=2Fa.0a");
    }
}
