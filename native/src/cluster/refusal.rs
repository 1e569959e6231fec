//! Why a broker cannot be used, with what to change.

/// What the libraries and the brokers say, in part, and what to do about it.
const ADVICE: [(&str, &str); 10] = [
    ("WRONGPASS", "it refuses this user and password: check them in cluster.url"),
    ("Password authentication failed", "it refuses this user and password: check them in cluster.url"),
    (
        "authorization violation",
        "it refuses this user, password, token or these credentials, or wants some: check cluster.url and cluster.credentials",
    ),
    ("NOAUTH", "it wants a password: write it in cluster.url, as in redis://user:password@host"),
    ("NoPerm", "it does not let this user do what a node does: docs/cluster.md has the rights that it needs"),
    (
        "UnknownIssuer",
        "nobody who is trusted here vouches for its certificate: cluster.ca names a file with that of its authority",
    ),
    (
        "BadSignature",
        "another authority of the same name vouches for its certificate than the one that is trusted here: check cluster.ca",
    ),
    (
        "CaUsedAsEndEntity",
        "its certificate is one of an authority: give it one of its own, which that authority has signed",
    ),
    ("NotValidForName", "its certificate is for another host than that of cluster.url"),
    ("certificate not valid for name", "its certificate is for another host than that of cluster.url"),
];

/// The error, and what to change.
pub(super) fn explained(error: &str) -> String {
    match ADVICE.iter().find(|(part, _)| error.contains(part)) {
        Some((_, advice)) => format!("{advice} ({error})"),
        None => error.to_owned(),
    }
}
