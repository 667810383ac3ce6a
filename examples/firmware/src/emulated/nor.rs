//! Emulated NOR flash, memory-mapped, whose content survives in the file `flash`.
//!
//! Reads go to memory, as in a chip that executes from its flash. A word is programmed by one write
//! to the file, an erase goes through the page in steps: where QEMU is killed, the file holds what was
//! done until then, torn between two words or in the middle of an erase. The rules of NOR are kept
//! strictly: a word is programmed once after an erase, whole and aligned; a page is erased whole.

use core::future::poll_fn;
use core::marker::PhantomData;
use core::task::Poll;

use embedded_storage_async::nor_flash::{ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};

use super::semihosting::File;
use super::{Chip, Emulated};

/// An erase is written to the file in steps of so many bytes.
const STEP: usize = 64;

/// How much of it there is.
pub(super) const fn size<C: Chip>() -> usize {
    C::PAGE.saturating_mul(C::PAGES)
}

/// The flash. There is one: it is made from the whole of the board's.
pub struct Nor<C> {
    file: File,
    mapped: &'static mut [u8],
    chip: PhantomData<C>,
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

impl<C: Chip> Nor<C> {
    /// Opens the flash; `None` where there is no file of its size.
    ///
    /// Takes the board, so that there is one flash and one place that it is mapped to.
    #[must_use]
    pub fn open(_board: &Emulated<C>) -> Option<Self> {
        let file = File::open_to_change(c"flash")?;
        // SAFETY: memory that the chip has there and the memory map gives to nothing else. `open` is called once.
        let mapped = unsafe { core::slice::from_raw_parts_mut(C::MAPPED as *mut u8, size::<C>()) };
        file.read(mapped).then_some(Self { file, mapped, chip: PhantomData, words: 0, erased: 0 })
    }

    fn program(&mut self, at: usize, word: &[u8]) -> Result<(), NorError> {
        let place =
            self.mapped.get_mut(at..).and_then(|rest| rest.get_mut(..word.len())).ok_or(NorError::OutOfBounds)?;
        if place.iter().any(|byte| *byte != 0xff) {
            return Err(NorError::NotErased);
        }
        if !self.file.write_at(at, word) {
            return Err(NorError::Host);
        }
        place.iter_mut().zip(word).for_each(|(to, from)| *to = *from);
        busy::<C>();
        self.words = self.words.saturating_add(1);
        Ok(())
    }
}

impl<C> ErrorType for Nor<C> {
    type Error = NorError;
}

// The futures are ready at once, and written without `async`, whose every function brings a panic for
// those who poll it after its end.

impl<C: Chip> ReadNorFlash for Nor<C> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> impl Future<Output = Result<(), NorError>> {
        poll_fn(move |_| Poll::Ready(self.read_now(offset, bytes)))
    }

    fn capacity(&self) -> usize {
        size::<C>()
    }
}

impl<C: Chip> NorFlash for Nor<C> {
    const WRITE_SIZE: usize = C::WORD;
    const ERASE_SIZE: usize = C::PAGE;

    fn erase(&mut self, from: u32, to: u32) -> impl Future<Output = Result<(), NorError>> {
        poll_fn(move |_| Poll::Ready(self.erase_now(from, to)))
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> impl Future<Output = Result<(), NorError>> {
        poll_fn(move |_| Poll::Ready(self.write_now(offset, bytes)))
    }
}

impl<C: Chip> Nor<C> {
    fn read_now(&self, offset: u32, bytes: &mut [u8]) -> Result<(), NorError> {
        let found =
            range::<C>(offset, bytes.len()).and_then(|range| self.mapped.get(range)).ok_or(NorError::OutOfBounds)?;
        bytes.iter_mut().zip(found).for_each(|(to, from)| *to = *from);
        Ok(())
    }

    fn erase_now(&mut self, from: u32, to: u32) -> Result<(), NorError> {
        let length = to.checked_sub(from).ok_or(NorError::OutOfBounds)?;
        let range = range::<C>(from, length as usize).ok_or(NorError::OutOfBounds)?;
        if !range.start.is_multiple_of(C::PAGE) || !range.end.is_multiple_of(C::PAGE) {
            return Err(NorError::NotAligned);
        }
        self.erased = self.erased.saturating_add(length >> C::PAGE.trailing_zeros());
        for at in range.step_by(STEP) {
            let step = self.mapped.get_mut(at..).and_then(<[u8]>::first_chunk_mut).ok_or(NorError::OutOfBounds)?;
            let erased = [0xff; STEP];
            if !self.file.write_at(at, &erased) {
                return Err(NorError::Host);
            }
            *step = erased;
            busy::<C>();
        }
        Ok(())
    }

    fn write_now(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorError> {
        let range = range::<C>(offset, bytes.len()).ok_or(NorError::OutOfBounds)?;
        if !range.start.is_multiple_of(C::WORD) || !range.end.is_multiple_of(C::WORD) {
            return Err(NorError::NotAligned);
        }
        for (at, word) in range.step_by(C::WORD).zip(bytes.chunks(C::WORD)) {
            self.program(at, word)?;
        }
        Ok(())
    }
}

/// Not where instructions are counted, for then waiting would count.
fn busy<C: Chip>() {
    if cfg!(not(feature = "figures")) {
        C::busy();
    }
}

/// A range within the flash.
fn range<C: Chip>(offset: u32, length: usize) -> Option<core::ops::Range<usize>> {
    let start = offset as usize;
    let end = start.checked_add(length)?;
    (end <= size::<C>()).then_some(start..end)
}
