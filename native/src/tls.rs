//! The certificate for `wss://` and `https://`.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate with its key, for [`Builder::tls`](crate::Builder::tls). TLS 1.2 and 1.3 are spoken, through rustls.
#[derive(Clone)]
pub struct Tls(Arc<ServerConfig>);

impl Tls {
    /// Reads a certificate, followed by its chain, and its private key, both as PEM files: ACME clients call them
    /// `fullchain.pem` and `privkey.pem`.
    pub fn from_files(cert: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, TlsError> {
        let (cert, key) = (cert.as_ref(), key.as_ref());
        let read = |file: &Path| {
            std::fs::read(file).map_err(|source| TlsError::Read { file: file.display().to_string(), source })
        };
        Self::parse((&cert.display().to_string(), &read(cert)?), (&key.display().to_string(), &read(key)?))
    }

    /// The same from memory.
    pub fn from_pem(cert: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        Self::parse(("the certificate", cert), ("the key", key))
    }

    /// A configuration of rustls, for everything else: client certificates, several names, keys that change. Its ALPN
    /// protocols have to be none, or to include `http/1.1`.
    pub fn from_config(config: Arc<ServerConfig>) -> Self {
        Self(config)
    }

    /// The configuration of rustls.
    pub fn into_config(self) -> Arc<ServerConfig> {
        self.0
    }

    fn parse((cert_name, cert): (&str, &[u8]), (key_name, key): (&str, &[u8])) -> Result<Self, TlsError> {
        let certificates: Vec<_> =
            CertificateDer::pem_slice_iter(cert).collect::<Result<_, _>>().map_err(|error| {
                TlsError::Certificate { place: cert_name.to_owned(), reason: error.to_string() }
            })?;
        if certificates.is_empty() {
            return Err(TlsError::NoCertificate(cert_name.to_owned()));
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::NoKey(key_name.to_owned()))?;
        // Named, because the application may have built in more than one.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(certificates, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }
}

impl fmt::Debug for Tls {
    /// Nothing of the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file is not there, or may not be read.
    #[error("{file} cannot be read: {source}")]
    Read {
        /// Its path.
        file: String,
        /// The system's error.
        source: io::Error,
    },
    /// There is no certificate in it.
    #[error("{0} has no certificate: it has to be PEM, with -----BEGIN CERTIFICATE-----")]
    NoCertificate(String),
    /// The PEM is broken.
    #[error("{place} has no certificate that can be read: {reason}")]
    Certificate {
        /// Where.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// There is no key in it.
    #[error("{0} has no private key: it has to be PEM, in PKCS #8, PKCS #1 or SEC1, without a password")]
    NoKey(String),
    /// The two are not a pair.
    #[error("the private key does not belong to the certificate")]
    OtherKey,
    /// rustls refuses them.
    #[error("the certificate and its key cannot be used: {0}")]
    Rustls(rustls::Error),
}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        match error {
            rustls::Error::InconsistentKeys(_) => TlsError::OtherKey,
            other => TlsError::Rustls(other),
        }
    }
}
