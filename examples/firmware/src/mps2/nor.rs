//! Emulated NOR flash, memory-mapped, whose content survives in the file `flash`.
//!
//! Reads go to memory, as in a chip that executes from its flash. A word is programmed by one write
//! to the file, an erase goes through the page in steps: where QEMU is killed, the file holds what was
//! done until then, torn between two words or in the middle of an erase. The rules of NOR are kept
//! strictly: a word is programmed once after an erase, whole and aligned; a page is erased whole.

use core::future::poll_fn;
use core::task::Poll;

use embedded_storage_async::nor_flash::{ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};

use super::semihosting::File;

/// Bytes that are programmed at once.
pub const WORD: usize = 4;
/// Bytes that are erased at once.
pub const PAGE: usize = 4096;
/// How many pages there are.
pub const PAGES: usize = 8;

const SIZE: usize = PAGE * PAGES;
const ERASED: [u8; WORD] = [0xff; WORD];
/// An erase is written to the file in steps of so many bytes.
const STEP: usize = 64;

/// Where the flash is mapped: the board's PSRAM, which the program does not use otherwise.
const MAPPED: usize = 0x2100_0000;

/// The flash. There is one: it is made from the whole of the board's.
pub struct Nor {
    file: File,
    mapped: &'static mut [u8; SIZE],
    /// Words programmed since boot.
    pub words: u32,
    /// Pages erased since boot.
    pub erased: u32,
}

/// What the driver refuses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NorError {
    /// Not on whole words or pages.
    NotAligned,
    /// Outside the flash.
    OutOfBounds,
    /// A word was programmed already.
    NotErased,
    /// The host did not take it.
    Host,
}

impl NorFlashError for NorError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::NotAligned => NorFlashErrorKind::NotAligned,
            Self::OutOfBounds => NorFlashErrorKind::OutOfBounds,
            Self::NotErased | Self::Host => NorFlashErrorKind::Other,
        }
    }
}

impl Nor {
    /// Opens the flash; `None` where there is no file of its size.
    ///
    /// Takes the board, so that there is one flash and one place that it is mapped to.
    #[must_use]
    pub fn open(_board: &super::Mps2) -> Option<Self> {
        let file = File::open_to_change(c"flash")?;
        // SAFETY: PSRAM, 16 MiB that the memory map gives to nothing else. `open` is called once.
        let mapped = unsafe { &mut *(MAPPED as *mut [u8; SIZE]) };
        file.read(mapped.as_mut_slice()).then_some(Self { file, mapped, words: 0, erased: 0 })
    }

    fn program(&mut self, at: usize, word: [u8; WORD]) -> Result<(), NorError> {
        let place = self.mapped.get_mut(at..).and_then(<[u8]>::first_chunk_mut).ok_or(NorError::OutOfBounds)?;
        if *place != ERASED {
            return Err(NorError::NotErased);
        }
        if !self.file.write_at(at, &word) {
            return Err(NorError::Host);
        }
        *place = word;
        busy();
        self.words = self.words.saturating_add(1);
        Ok(())
    }
}

impl ErrorType for Nor {
    type Error = NorError;
}

// The futures are ready at once, and written without `async`, whose every function brings a panic for
// those who poll it after its end.

impl ReadNorFlash for Nor {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> impl Future<Output = Result<(), NorError>> {
        poll_fn(move |_| Poll::Ready(self.read_now(offset, bytes)))
    }

    fn capacity(&self) -> usize {
        SIZE
    }
}

impl NorFlash for Nor {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    fn erase(&mut self, from: u32, to: u32) -> impl Future<Output = Result<(), NorError>> {
        poll_fn(move |_| Poll::Ready(self.erase_now(from, to)))
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> impl Future<Output = Result<(), NorError>> {
        poll_fn(move |_| Poll::Ready(self.write_now(offset, bytes)))
    }
}

impl Nor {
    fn read_now(&self, offset: u32, bytes: &mut [u8]) -> Result<(), NorError> {
        let found = range(offset, bytes.len()).and_then(|range| self.mapped.get(range)).ok_or(NorError::OutOfBounds)?;
        bytes.iter_mut().zip(found).for_each(|(to, from)| *to = *from);
        Ok(())
    }

    fn erase_now(&mut self, from: u32, to: u32) -> Result<(), NorError> {
        let length = to.checked_sub(from).ok_or(NorError::OutOfBounds)?;
        let range = range(from, length as usize).ok_or(NorError::OutOfBounds)?;
        if !range.start.is_multiple_of(PAGE) || !range.end.is_multiple_of(PAGE) {
            return Err(NorError::NotAligned);
        }
        self.erased = self.erased.saturating_add(length >> PAGE.trailing_zeros());
        for at in range.step_by(STEP) {
            let step = self.mapped.get_mut(at..).and_then(<[u8]>::first_chunk_mut).ok_or(NorError::OutOfBounds)?;
            let erased = [0xff; STEP];
            if !self.file.write_at(at, &erased) {
                return Err(NorError::Host);
            }
            *step = erased;
            busy();
        }
        Ok(())
    }

    fn write_now(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorError> {
        let range = range(offset, bytes.len()).ok_or(NorError::OutOfBounds)?;
        let (words, rest) = bytes.as_chunks();
        if !range.start.is_multiple_of(WORD) || !rest.is_empty() {
            return Err(NorError::NotAligned);
        }
        for (at, word) in range.step_by(WORD).zip(words) {
            self.program(at, *word)?;
        }
        Ok(())
    }
}

/// What a word, or a step of an erase, takes: 0.4 ms, as on a slow part, so that a cut of the power finds
/// writes half done. Not where instructions are counted, for then waiting would count.
fn busy() {
    #[cfg(not(feature = "figures"))]
    super::ticks::wait_counts(10_000);
}

/// A range within the flash.
fn range(offset: u32, length: usize) -> Option<core::ops::Range<usize>> {
    let start = offset as usize;
    let end = start.checked_add(length)?;
    (end <= SIZE).then_some(start..end)
}
