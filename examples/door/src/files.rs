//! Files that are there whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Writes a file so that a crash leaves the old content or the new: temporary file, fsync, rename.
pub fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let told = || format!("cannot write {}", path.display());
    let temporary = temporary(path);
    let mut file = File::create(&temporary).with_context(told)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).with_context(told)?;
    rename(&temporary, path).with_context(told)
}

/// The second half of [`write`]: the renaming, made durable.
pub fn rename(temporary: &Path, path: &Path) -> io::Result<()> {
    fs::rename(temporary, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Where a file's new content stands until it is whole.
pub fn temporary(path: &Path) -> PathBuf {
    path.with_extension("tmp")
}

/// The file's bytes; `None` where there is no file.
pub fn read(path: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

pub fn write_json(path: &Path, value: &impl Serialize) -> anyhow::Result<()> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    write(path, &bytes)
}

pub fn read_json<T: DeserializeOwned>(path: &Path) -> anyhow::Result<Option<T>> {
    let Some(bytes) = read(path)? else { return Ok(None) };
    let value = serde_json::from_slice(&bytes).with_context(|| format!("{} is damaged", path.display()))?;
    Ok(Some(value))
}

/// The paths in a folder, sorted; none where there is no folder.
pub fn list(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let told = || format!("cannot read {}", folder.display());
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(told)?,
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>();
    let mut paths = paths.with_context(told)?;
    paths.sort();
    Ok(paths)
}

pub fn make_folder(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))
}

/// Held as long as the value lives: no other process works in the folder meanwhile.
#[derive(Debug)]
pub struct Held {
    _file: File,
}

/// Waits until no other process holds the folder.
pub fn hold(folder: &Path) -> anyhow::Result<Held> {
    make_folder(folder)?;
    let path = folder.join(".lock");
    let file = File::create(&path).with_context(|| format!("cannot make {}", path.display()))?;
    if let Err(error) = file.lock() {
        bail!("cannot lock {}: {error}", path.display());
    }
    Ok(Held { _file: file })
}
