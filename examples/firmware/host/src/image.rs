//! What is in an image of the firmware: its sections, and where it may panic.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use object::elf::FileHeader32;
use object::read::elf::ElfFile;
use object::{Endianness, Object as _, ObjectSection as _, ObjectSymbol as _, SymbolKind};

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
pub struct Image {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Image {
    /// Reads an ELF file.
    ///
    /// # Errors
    /// Where there is none.
    pub fn read(path: &Path) -> Outcome<Self> {
        let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { path: path.to_owned(), bytes })
    }

    fn elf(&self) -> Outcome<ElfFile<'_, FileHeader32<Endianness>>> {
        Ok(ElfFile::parse(self.bytes.as_slice())?)
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

    /// Its functions, by name, and how many bytes they take. One that has several names is there once.
    ///
    /// # Errors
    /// Where it is no ELF file of 32 bits.
    pub fn functions(&self) -> Outcome<Vec<(String, u64)>> {
        let elf = self.elf()?;
        let mut functions = BTreeMap::new();
        for symbol in elf.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0) {
            let name = format!("{:#}", rustc_demangle::demangle(symbol.name()?));
            functions.entry(symbol.address() & !1).or_insert((name, symbol.size()));
        }
        Ok(functions.into_values().collect())
    }

    /// Every call of a function of core that panics, as the line that it is made from: all that the
    /// compiler could not rule out.
    ///
    /// # Errors
    /// Where it is no ELF file of 32 bits with its line numbers.
    pub fn panics(&self) -> Outcome<BTreeSet<Place>> {
        let elf = self.elf()?;
        let panicking: BTreeMap<u64, u64> = elf
            .symbols()
            .filter(|symbol| symbol.name().is_ok_and(panics))
            .map(|symbol| (symbol.address() & !1, symbol.size()))
            .collect();
        let inside = |at: u64| panicking.range(..=at).next_back().is_some_and(|(start, size)| at < start + size);
        let text = elf.section_by_name(".text").ok_or("no code")?;
        let lines = addr2line::Loader::new(&self.path).map_err(|error| error.to_string())?;
        let mut places = BTreeSet::new();
        for (at, to) in calls(text.address(), text.data()?) {
            if panicking.contains_key(&to) && !inside(at) {
                places.insert(place(&lines, at)?);
            }
        }
        Ok(places)
    }
}

/// Whether a symbol is a function of core that ends in a panic.
fn panics(symbol: &str) -> bool {
    let name = format!("{:#}", rustc_demangle::demangle(symbol));
    name.starts_with("core::")
        && (name.contains("::panicking::") || name.ends_with("_fail") || name.ends_with("_failed"))
}

/// Calls and long jumps (Thumb-2 `BL` and `B.W`): from where, and to where.
fn calls(base: u64, code: &[u8]) -> impl Iterator<Item = (u64, u64)> + '_ {
    (0..code.len().saturating_sub(3)).step_by(2).filter_map(move |at| {
        let [a, b, c, d] = *code.get(at..)?.first_chunk()?;
        let (first, second) = (u32::from(u16::from_le_bytes([a, b])), u32::from(u16::from_le_bytes([c, d])));
        if first >> 11 != 0b11110 || second >> 15 != 1 || second & (1 << 12) == 0 {
            return None;
        }
        let sign = first >> 10 & 1;
        let bit = |at: u32| !(second >> at & 1 ^ sign) & 1;
        let offset = sign << 24 | bit(13) << 23 | bit(11) << 22 | (first & 0x3ff) << 12 | (second & 0x7ff) << 1;
        // 25 bits, signed; relative to the instruction after the next halfwords.
        let offset = i64::from(offset) - if sign == 1 { 1 << 25 } else { 0 };
        let at = base + at as u64;
        Some((at, at.checked_add(4)?.checked_add_signed(offset)?))
    })
}

/// The line that a call is made from: of all that was inlined there, the innermost that is not core's.
fn place(lines: &addr2line::Loader, at: u64) -> Outcome<Place> {
    let mut frames = lines.find_frames(at).map_err(|error| error.to_string())?;
    let mut innermost = None;
    while let Some(frame) = frames.next().map_err(|error| error.to_string())? {
        let Some((file, line)) = frame.location.and_then(|location| Some((location.file?, location.line?))) else {
            continue;
        };
        let place = Place { file: short(file), line };
        if !place.is_cores() {
            return Ok(place);
        }
        innermost.get_or_insert(place);
    }
    // Made by the compiler, such as the end of an async function: there is no line, but a function.
    let function =
        || lines.find_symbol(at).map(|name| Place { file: format!("{:#}", rustc_demangle::demangle(name)), line: 0 });
    innermost.or_else(function).ok_or_else(|| format!("no line for the call at {at:#x}").into())
}

/// A line in a source file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// `crate-version/src/…`, `core/src/…`, or `sharekey: ` and a file of this project; a function, where
    /// the call has no line.
    pub file: String,
    /// The line; 0 where there is none.
    pub line: u32,
}

impl Place {
    fn is_cores(&self) -> bool {
        self.file.starts_with("core/") || self.file.starts_with("alloc/")
    }

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
