//! The service's key: made at the first start, and kept in a file that only its user reads.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use sharekey::secret::Seed;
use zeroize::Zeroizing;

/// The seed in a file of 32 bytes, which is made where there is none.
///
/// # Errors
/// Where the file cannot be read or made, has another length, or is open to others.
pub fn load_or_make(file: &Path) -> anyhow::Result<Seed> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Ok(made) => make(made, file),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => load(file),
        Err(error) => Err(error).with_context(|| format!("the service's key in {}", file.display())),
    }
}

fn make(mut made: File, file: &Path) -> anyhow::Result<Seed> {
    let seed = Seed::random(&mut sharekey::rand_core::UnwrapErr(getrandom::SysRng));
    // A key that a lock names and that a power cut took back could never be had again.
    made.write_all(seed.expose()).and_then(|()| made.sync_all()).context("the service's new key")?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).context("the folder of the service's key")?;
    Ok(seed)
}

fn load(file: &Path) -> anyhow::Result<Seed> {
    let opened = File::open(file).with_context(|| format!("the service's key in {}", file.display()))?;
    let mode = opened.metadata()?.mode();
    if mode & 0o077 != 0 {
        bail!("{} is open to others (mode {:o}): chmod 600 {0}", file.display(), mode & 0o777);
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(33));
    opened.take(33).read_to_end(&mut bytes)?;
    let bytes = Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok().with_context(|| {
        format!("{} has not the 32 bytes of a key: was it cut short when it was made? Without a lock that names it, remove it", file.display())
    })?);
    Ok(Seed::from_bytes(*bytes))
}
