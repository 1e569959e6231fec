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
    }
}
