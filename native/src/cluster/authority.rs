//! Who is trusted to vouch for the broker, in place of the authorities that the system knows.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Certificates of authorities.
pub(super) struct Authority {
    #[cfg_attr(not(feature = "nats"), allow(dead_code, reason = "Redis takes the text"))]
    pub(super) file: std::path::PathBuf,
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "NATS takes the file"))]
    pub(super) pem: Vec<u8>,
}

impl Authority {
    /// Reads a file that has at least one certificate.
    pub(super) fn read(file: &str) -> Result<Self, String> {
        let pem = std::fs::read(file).map_err(|error| format!("{file} cannot be read: {error}"))?;
        let broken = |reason: String| format!("{file} has no certificate that can be read: {reason}");
        let mut known = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| broken(error.to_string()))?;
            known.add(certificate).map_err(|error| broken(error.to_string()))?;
        }
        match known.is_empty() {
            true => {
                Err(format!("{file} has no certificate: it has to be PEM, with -----BEGIN CERTIFICATE-----"))
            }
            false => Ok(Self { file: file.into(), pem }),
        }
    }
}
