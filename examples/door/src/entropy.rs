//! Where randomness comes from.

use std::path::Path;

use anyhow::Context as _;
use getrandom::SysRng;
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, SeedableRng, UnwrapErr};

use crate::files;

/// The operating system's entropy; or, for tests, a stream that the seed and the number of the call
/// fix, so that the same calls print the same output. Whoever knows the seed knows every key.
pub fn source(seed: Option<u64>, home: &Path) -> anyhow::Result<Box<dyn CryptoRng>> {
    let Some(seed) = seed else { return Ok(Box::new(UnwrapErr(SysRng))) };
    let path = home.join("calls");
    let _held = files::hold(home)?;
    let calls = files::read_json::<u64>(&path)?.unwrap_or(0);
    files::write_json(&path, &calls.checked_add(1).context("too many calls")?)?;
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    rng.set_stream(calls);
    Ok(Box::new(rng))
}
