//! How large the engine may be.

use std::io::Write;
use std::path::Path;

use anyhow::{Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;

/// The most bytes that the engine may have when it is compressed, as it is in the tarball: what it has, and a thirtieth more.
/// CONTRIBUTING.md tells what was tried.
const BUDGET: usize = 1_625_000;

/// Fails if the engine is larger than it may be.
pub(super) fn check(module: &Path) -> Result<()> {
    let module = std::fs::read(module)?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&module)?;
    let compressed = encoder.finish()?.len();
    println!("the engine: {} kB, {} kB compressed", module.len() / 1000, compressed / 1000);
    ensure!(
        compressed <= BUDGET,
        "the engine has {compressed} bytes compressed, and may have {BUDGET}: take out what the plugin does not need"
    );
    Ok(())
}
