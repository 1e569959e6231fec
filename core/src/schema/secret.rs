//! What only the right people may know.

use std::fmt;

use serde::Deserialize;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Text that no log and no debug output shows, and that is overwritten in memory when it is dropped. Copies that the
/// configuration's parser or the allocator made on the way are not.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Secret(pub String);

impl Secret {
    /// Whether somebody has shown it. How long that takes says nothing about where the first difference is.
    pub fn is(&self, shown: &str) -> bool {
        is_same(&self.0, shown)
    }
}

/// Whether two secrets are the same, in a time that depends on their lengths only.
pub(crate) fn is_same(secret: &str, shown: &str) -> bool {
    secret.as_bytes().ct_eq(shown.as_bytes()).into()
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for Secret {}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.0)
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_overwritten() {
        fn is_overwritten<T: ZeroizeOnDrop>() {}
        is_overwritten::<Secret>();
        is_overwritten::<crate::routing::authentication::TokenRule>();
    }

    #[test]
    fn a_secret_is_known_by_all_of_it() {
        let secret = Secret::from("s3cret");
        for (shown, expected) in [
            ("s3cret", true),
            ("s3cres", false),
            ("S3cret", false),
            ("s3cre", false),
            ("s3cret ", false),
            ("", false),
        ] {
            assert_eq!(secret.is(shown), expected, "{shown:?}");
        }
        assert_eq!(format!("{secret:?}"), "<secret>");
    }
}
