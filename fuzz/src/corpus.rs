//! What a target is replayed on, and what a search begins with: what fuzzing found, in `corpus/TARGET.bin`, and the
//! seeds, which are made of the vectors whenever they are needed.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::archive;
use crate::seeds::seeds;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

fn path(target: &str) -> PathBuf {
    folder().join(format!("{target}.bin"))
}

/// Those of which there is an archive. Folders are what `cargo fuzz run` leaves.
pub fn archived() -> BTreeSet<String> {
    let files = fs::read_dir(folder()).unwrap().map(Result::unwrap).filter(|file| !file.file_type().unwrap().is_dir());
    let names = files.map(|file| file.file_name().into_string().unwrap());
    names.map(|name| name.strip_suffix(".bin").map_or_else(|| panic!("{name} is no archive"), str::to_owned)).collect()
}

/// What was found.
pub fn found(target: &str) -> Vec<Vec<u8>> {
    let path = path(target);
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    archive::read(&bytes).unwrap_or_else(|damaged| panic!("{}: {damaged:?}", path.display()))
}

/// Everything: the seeds, and what was found.
pub fn whole(target: &str) -> Vec<Vec<u8>> {
    seeds(target).iter().cloned().chain(found(target)).collect()
}

/// Writes each input to a file of its own: `DIR/seeds/…` and `DIR/found/…`.
///
/// # Errors
/// What the file system says.
pub fn unpack(target: &str, to: &Path) -> io::Result<()> {
    let seeds: Vec<_> = seeds(target).iter().cloned().collect();
    for (name, inputs) in [("seeds", seeds), ("found", found(target))] {
        let folder = to.join(name);
        fs::create_dir_all(&folder)?;
        for (at, input) in inputs.iter().enumerate() {
            fs::write(folder.join(format!("{at:04}")), input)?;
        }
    }
    Ok(())
}

/// Makes the archive of the files in a folder, the seeds among them left out, and says how many stayed.
///
/// # Errors
/// What the file system says.
pub fn pack(target: &str, from: &Path) -> io::Result<usize> {
    let mut inputs = BTreeSet::new();
    for file in fs::read_dir(from)? {
        inputs.insert(fs::read(file?.path())?);
    }
    inputs.retain(|input| !seeds(target).contains(input));
    let count = inputs.len();
    fs::write(path(target), archive::write(inputs))?;
    Ok(count)
}
