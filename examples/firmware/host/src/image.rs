//! What is in an image of the firmware: its sections, and where it may panic.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use object::elf::FileHeader32;
use object::read::elf::ElfFile;
use object::{Endianness, Object as _, ObjectSection as _};

use super::Outcome;

/// Bytes, by where they are.
#[derive(Clone, Copy, Default, Debug)]
pub struct Sizes {
    /// Code, and the vector table.
    pub text: u64,
    /// Constants.
    pub rodata: u64,
    /// Initialised variables: in flash and in RAM.
    pub data: u64,
    /// Variables that begin as zero.
    pub bss: u64,
}

impl Sizes {
    /// All that is in flash.
    #[must_use]
    pub const fn flash(&self) -> u64 {
        self.text + self.rodata + self.data
    }
}

/// An image, read.
pub struct Image(Vec<u8>);

impl Image {
    /// Reads an ELF file.
    ///
    /// # Errors
    /// Where there is none.
    pub fn read(path: &Path) -> Outcome<Self> {
        Ok(Self(fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?))
    }

    fn elf(&self) -> Outcome<ElfFile<'_, FileHeader32<Endianness>>> {
        Ok(ElfFile::parse(self.0.as_slice())?)
    }

    /// How much of what it takes.
    ///
    /// # Errors
    /// Where it is no ELF file of 32 bits.
    pub fn sizes(&self) -> Outcome<Sizes> {
        let elf = self.elf()?;
        let of = |name: &str| elf.section_by_name(name).map_or(0, |section| section.size());
        Ok(Sizes { text: of(".vector_table") + of(".text"), rodata: of(".rodata"), data: of(".data"), bss: of(".bss") })
    }

    /// The places in source files that a panic in it could name: all that the compiler could not rule
    /// out. What it has ruled out leaves no place in the image.
    ///
    /// # Errors
    /// Where it is no ELF file of 32 bits.
    pub fn panics(&self) -> Outcome<BTreeSet<Place>> {
        let elf = self.elf()?;
        let section = elf.section_by_name(".rodata").ok_or("no constants")?;
        let (base, bytes) = (section.address(), section.data()?);
        let word = |at: usize| bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map(u32::from_le_bytes);
        let places = (0..bytes.len()).step_by(4).filter_map(|at| {
            // core::panic::Location: where the file's name is, its length, line and column.
            let [name, length, line, column] = [word(at)?, word(at + 4)?, word(at + 8)?, word(at + 12)?];
            let start = usize::try_from(u64::from(name).checked_sub(base)?).ok()?;
            let file = bytes.get(start..start.checked_add(usize::try_from(length).ok()?)?)?;
            let file = std::str::from_utf8(file).ok().filter(|file| file.ends_with(".rs"))?;
            (line > 0 && column > 0 && column < 1000).then(|| Place { file: short(file), line })
        });
        Ok(places.collect())
    }
}

/// A line in a source file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// `crate-version/src/…`, `core/src/…`, or the whole path of a file of this project.
    pub file: String,
    /// The line.
    pub line: u32,
}

impl Place {
    /// Whether it is in this project, not in a dependency.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.file.starts_with("sharekey")
    }
}

/// Without the part that is a matter of whose machine it was built on.
fn short(file: &str) -> String {
    let after = |mark: &str| file.split_once(mark).map(|(_, rest)| rest.to_owned());
    let package = after("/registry/src/").and_then(|rest| rest.split_once('/').map(|(_, rest)| rest.to_owned()));
    let project = || format!("sharekey: {}", file.rsplit_once("/src/").map_or(file, |(_, rest)| rest));
    package.or_else(|| after("/library/")).unwrap_or_else(project)
}
