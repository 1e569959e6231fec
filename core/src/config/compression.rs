//! permessage-deflate (RFC 7692), by a short option and a long one.

use serde::Deserialize;

use super::{ConfigError, Toggle};
use crate::protocol::DeflateConfig;

/// The short form: whether to compress, and from what size on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CompressionConfig {
    /// Whether compression is offered to clients that ask for it. Default true.
    pub enabled: bool,
    /// Messages shorter than this many bytes are sent as they are. Default 1024.
    pub threshold: Option<usize>,
}

impl Default for CompressionConfig {
    fn default() -> Self {
        Self { enabled: true, threshold: None }
    }
}

/// The long form: every parameter of the extension.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PerMessageDeflateConfig {
    /// The server compresses each message on its own. Default true: a broadcast is compressed once for all receivers.
    /// With false, each connection has its own compressor, unless the client asks otherwise.
    pub server_no_context_takeover: Option<bool>,
    /// The client compresses each message on its own. Default true. With false, messages become smaller, and the
    /// server keeps a window of what each connection sent.
    pub client_no_context_takeover: Option<bool>,
    /// The server's largest window, as a power of two: 9 to 15. Default 15.
    #[cfg_attr(feature = "json-schema", schemars(range(min = 9, max = 15)))]
    pub server_max_window_bits: Option<u8>,
    /// The client's largest window, as a power of two: 8 to 15. Default 15. It only binds clients that offer the parameter.
    #[cfg_attr(feature = "json-schema", schemars(range(min = 8, max = 15)))]
    pub client_max_window_bits: Option<u8>,
    /// Messages shorter than this many bytes are sent as they are. Default 1024.
    pub threshold: Option<usize>,
    /// How hard to compress: 0 to 9. Default 6.
    #[cfg_attr(feature = "json-schema", schemars(range(max = 9)))]
    pub level: Option<u8>,
    /// Refuse with HTTP 400 a client whose offers of compression are all unacceptable, instead of going on without.
    /// Default false.
    pub strict: bool,
}

impl PerMessageDeflateConfig {
    fn check(&self) -> Result<(), ConfigError> {
        match self.server_max_window_bits {
            Some(8) => {
                let message = "zlib cannot compress with a window of 8 bits; write 9 to 15";
                return Err(ConfigError::at("serverMaxWindowBits", message));
            }
            Some(bits) if !(9..=15).contains(&bits) => {
                return Err(ConfigError::at("serverMaxWindowBits", format!("expected 9 to 15, got {bits}")));
            }
            _ => {}
        }
        if let Some(bits) = self.client_max_window_bits.filter(|bits| !(8..=15).contains(bits)) {
            return Err(ConfigError::at("clientMaxWindowBits", format!("expected 8 to 15, got {bits}")));
        }
        match self.level.filter(|level| *level > 9) {
            Some(level) => Err(ConfigError::at("level", format!("expected 0 to 9, got {level}"))),
            None => Ok(()),
        }
    }
}

/// Both options of a route. They may be given together if they agree.
pub(super) struct Compression<'c> {
    pub(super) short: Option<&'c Toggle<CompressionConfig>>,
    pub(super) long: Option<&'c Toggle<PerMessageDeflateConfig>>,
}

impl Compression<'_> {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let (short, long) = (self.short.and_then(Toggle::options), self.long.and_then(Toggle::options));
        if let Some(long) = &long {
            long.check().map_err(|error| error.under("perMessageDeflate"))?;
        }
        let is_on = short.as_ref().is_some_and(|short| short.enabled);
        if self.short.is_some() && self.long.is_some() && is_on != long.is_some() {
            let (is, other) = if is_on { ("on", "off") } else { ("off", "on") };
            let message =
                format!("switched {is} here but {other} by perMessageDeflate; write one of the two");
            return Err(ConfigError::at("compression", message));
        }
        let thresholds = (short.and_then(|short| short.threshold), long.and_then(|long| long.threshold));
        if let (Some(short), Some(long)) = thresholds
            && short != long
        {
            let message = format!("{short} here but {long} in perMessageDeflate; write one of the two");
            return Err(ConfigError::at("compression.threshold", message));
        }
        Ok(())
    }

    /// The settings for the negotiation, if compression is on.
    pub(super) fn deflate(&self) -> Option<DeflateConfig> {
        let short = self.short.and_then(Toggle::options).filter(|short| short.enabled);
        let long = self.long.and_then(Toggle::options);
        if short.is_none() && long.is_none() {
            return None;
        }
        let default = DeflateConfig::default();
        let threshold = short.and_then(|short| short.threshold);
        let long = long.unwrap_or_default();
        Some(DeflateConfig {
            server_no_context_takeover: long
                .server_no_context_takeover
                .unwrap_or(default.server_no_context_takeover),
            client_no_context_takeover: long
                .client_no_context_takeover
                .unwrap_or(default.client_no_context_takeover),
            server_max_window_bits: long.server_max_window_bits.unwrap_or(default.server_max_window_bits),
            client_max_window_bits: long.client_max_window_bits.unwrap_or(default.client_max_window_bits),
            threshold: threshold.or(long.threshold).unwrap_or(default.threshold),
            level: long.level.unwrap_or(default.level),
            strict: long.strict,
        })
    }
}
