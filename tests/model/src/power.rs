//! A store whose power goes in the middle of a write, and which keeps the store's contract all the
//! same (spec: "The store's contract").
//!
//! [`Flash`] is what a firmware would have, simulated down to the word: pages whose bits are cleared by
//! programming and set by erasing, power for so many words more ([`Flash::cut_after`]), and what a
//! cut leaves of the word under way ([`Tear`]). On top of that runs a small store with
//! two pages a cell:
//!
//! ```text
//! put       program the copy on the blank page: sequence number, length, bytes, checksum
//!           then its mark: from here on it counts
//!           then erase the older copy, mark first
//! recover   of two whole copies, program the newer one's mark again and erase the older one
//!           erase what was not whole
//! ```
//!
//! A copy without a mark was never written as far as anybody was told. A copy with a mark that does not
//! check has aged, and its cell is unreadable: the older copy is gone by then. Because recovery ends what the cut put left, and
//! nothing is read before, an older copy never comes back: not even where the cut left a word that reads
//! now this way, now that.
//!
//! [`Keeping::InPlace`] is a store without the second page: a torn put leaves its cell unreadable. It
//! breaks the contract where the contract says atomic, and shows what a lock does about damage.
//!
//! ```
//! use sharekey::lock::Cell;
//! use sharekey_model::power::{Flash, Keeping, Reading, Stopped, Tear};
//!
//! let mut flash = Flash::new(Keeping::TwoPages, 4, Tear::HalfTheBits);
//! flash.store(Cell::Counter, b"before")?;
//! flash.cut_after(3);
//! assert_eq!(flash.store(Cell::Counter, b"after"), Err(Stopped::PowerCut));
//! flash.boot(None)?;
//! assert_eq!(flash.read(Cell::Counter), Reading::Bytes(b"before".to_vec()));
//! # Ok::<(), Stopped>(())
//! ```

use alloc::collections::BTreeMap;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use siphasher::sip::SipHasher13;
use thiserror::Error;

use sharekey::lock::{Cell, Found, MAX_RECORD, Record};

mod page;
#[cfg(test)]
mod tests;

use self::page::{BLANK, Page, Power};

/// Why a write did not end well.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Error)]
pub enum Stopped {
    /// The power went; nothing works until [`Flash::boot`].
    #[error("the power went")]
    PowerCut,
    /// It failed as far as anybody was told ([`Flash::fail_next`]).
    #[error("the write failed")]
    Failed,
    /// More bytes than a record has.
    #[error("more bytes than a record has")]
    TooLong,
}

/// What a cut leaves of the word that was under way.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Tear {
    /// As it was: the cut came before it.
    Between,
    /// Every other bit was done.
    HalfTheBits,
    /// It reads as it was at one boot, and as it was to be at the next, until it is written again.
    Unsteady,
}

impl Tear {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Between, Self::HalfTheBits, Self::Unsteady];
}

/// How a cell is kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Keeping {
    /// The new copy is whole before the old one goes: as the store's contract asks.
    TwoPages,
    /// The old copy goes first: a cut leaves the cell unreadable.
    InPlace,
}

/// What becomes of a put that is reported as failed while the power stays on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Failure {
    /// Nothing was written.
    Before,
    /// It stopped after so many words.
    Partway(u64),
    /// It was written.
    After,
}

/// What a cell holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reading {
    /// It was never written.
    Nothing,
    /// It was written, and cannot be read.
    Unreadable,
    /// The copy that was written last.
    Bytes(Vec<u8>),
}

impl Reading {
    /// As a boot takes it of [`Cell::Seed`].
    #[must_use]
    pub fn found(&self) -> Found<'_> {
        match self {
            Self::Nothing => Found::Nothing,
            Self::Unreadable => Found::Unreadable,
            Self::Bytes(bytes) => Found::Bytes(bytes),
        }
    }

    /// As [`Lock::reload`](sharekey::lock::Lock::reload) takes it.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Nothing | Self::Unreadable => None,
            Self::Bytes(bytes) => Some(bytes),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Side {
    A,
    B,
    /// Says that the cell was written before, for a store with one page a cell.
    Used,
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B | Self::Used => Self::A,
        }
    }
}

/// A page as a copy of a cell.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Copied {
    Blank,
    /// Its mark is not there.
    Unfinished,
    /// Its mark is there, and it does not check.
    Aged,
    Whole {
        sequence: u32,
        bytes: Vec<u8>,
    },
}

/// Where a copy's content begins; its mark is the first word before that.
const CONTENT: usize = 8;
const MARK: [u8; CONTENT] = [0x5a; CONTENT];
const SUM_LEN: usize = 8;

fn sum(covered: &[u8]) -> [u8; SUM_LEN] {
    SipHasher13::new().hash(covered).to_le_bytes()
}

/// A copy's content: sequence number, length, bytes, checksum.
fn content(sequence: u32, bytes: &[u8]) -> Result<Vec<u8>, Stopped> {
    let length = u8::try_from(bytes.len()).ok().filter(|length| usize::from(*length) <= MAX_RECORD);
    let mut content = Vec::from(sequence.to_le_bytes());
    content.push(length.ok_or(Stopped::TooLong)?);
    content.extend_from_slice(bytes);
    content.extend_from_slice(&sum(&content));
    Ok(content)
}

fn whole(content: &[u8]) -> Option<Copied> {
    let (sequence, rest) = content.split_first_chunk()?;
    let (length, rest) = rest.split_first()?;
    let (bytes, rest) = rest.split_at_checked(usize::from(*length))?;
    let covered = content.get(..content.len().checked_sub(rest.len())?)?;
    let found: &[u8; SUM_LEN] = rest.first_chunk()?;
    let sequence = u32::from_le_bytes(*sequence);
    (sum(covered) == *found).then(|| Copied::Whole { sequence, bytes: Vec::from(bytes) })
}

/// A flash with a store on it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flash {
    keeping: Keeping,
    pages: BTreeMap<(Cell, Side), Page>,
    power: Power,
    failure: Option<Failure>,
}

impl Flash {
    /// A blank one with power, whose words have 1, 2, 4 or 8 bytes.
    #[must_use]
    pub fn new(keeping: Keeping, word: usize, tear: Tear) -> Self {
        let word = if [1, 2, 4, 8].contains(&word) { word } else { 1 };
        let power = Power { word, tear, fuel: None, spent: 0, is_on: true, odd: false };
        Self { keeping, pages: BTreeMap::new(), power, failure: None }
    }

    /// The power goes when so many words more were programmed or erased: in the middle of the next.
    pub const fn cut_after(&mut self, words: u64) {
        self.power.fuel = Some(words);
    }

    /// What later cuts leave of the word under way.
    pub const fn set_tear(&mut self, tear: Tear) {
        self.power.tear = tear;
    }

    /// What becomes of the next put, which is reported as failed.
    pub const fn fail_next(&mut self, failure: Failure) {
        self.failure = Some(failure);
    }

    /// How many words were programmed or erased so far.
    #[must_use]
    pub const fn spent(&self) -> u64 {
        self.power.spent
    }

    /// The power comes back, for so many words (`None`: to stay), and the store ends what was cut.
    ///
    /// # Errors
    /// [`Stopped::PowerCut`] when it goes again meanwhile.
    pub fn boot(&mut self, fuel: Option<u64>) -> Result<(), Stopped> {
        (self.power.is_on, self.power.fuel, self.power.odd) = (true, fuel, !self.power.odd);
        let cells: BTreeSet<Cell> = self.pages.keys().map(|(cell, _)| *cell).collect();
        cells.into_iter().try_for_each(|cell| self.recover(cell))
    }

    /// Stores a record, durably and atomically ([`Keeping::TwoPages`]).
    ///
    /// # Errors
    /// [`Stopped`]. Where the power stayed on, [`recover`](Self::recover) before the cell is read.
    pub fn put(&mut self, record: &Record) -> Result<(), Stopped> {
        self.store(record.cell(), record.as_bytes())
    }

    /// [`put`](Self::put) of any bytes, up to the length of a record.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub fn store(&mut self, cell: Cell, bytes: &[u8]) -> Result<(), Stopped> {
        match self.failure.take() {
            None => self.write(cell, bytes),
            Some(Failure::Before) => Err(Stopped::Failed),
            Some(Failure::After) => self.write(cell, bytes).and(Err(Stopped::Failed)),
            Some(Failure::Partway(words)) => {
                let fuel = self.power.fuel.replace(words);
                let written = self.write(cell, bytes);
                (self.power.fuel, self.power.is_on) = (fuel, true);
                // What it left of the last word is there to be read.
                self.power.odd = !self.power.odd;
                match written {
                    Ok(()) | Err(Stopped::PowerCut) => Err(Stopped::Failed),
                    Err(other) => Err(other),
                }
            }
        }
    }

    /// Ends what a put left that was cut or failed, so that it takes no effect later. [`boot`](Self::boot)
    /// does it for every cell.
    ///
    /// # Errors
    /// [`Stopped::PowerCut`].
    pub fn recover(&mut self, cell: Cell) -> Result<(), Stopped> {
        if self.keeping == Keeping::InPlace {
            return Ok(());
        }
        if let Some((newest, _)) = self.newest(cell) {
            let (copy, other) = (self.page(cell, newest), self.page(cell, newest.other()));
            // A driver, which cannot tell, does both always.
            if !copy.is_steady() || !other.is_blank() {
                self.mark(cell, newest)?;
                self.erase(cell, newest.other())?;
            }
            return Ok(());
        }
        for side in [Side::A, Side::B] {
            if self.copied(cell, side) == Copied::Unfinished {
                self.erase(cell, side)?;
            }
        }
        Ok(())
    }

    /// What a cell holds, since the last boot.
    #[must_use]
    pub fn read(&self, cell: Cell) -> Reading {
        if let Some((_, Copied::Whole { bytes, .. })) = self.newest(cell) {
            return Reading::Bytes(bytes);
        }
        let aged = [Side::A, Side::B].into_iter().any(|side| self.copied(cell, side) == Copied::Aged);
        let used = self.pages.get(&(cell, Side::Used)).is_some_and(|page| !page.is_blank());
        if aged || used { Reading::Unreadable } else { Reading::Nothing }
    }

    /// Spoils what a cell holds, as age does.
    pub fn age(&mut self, cell: Cell) {
        for side in [Side::A, Side::B] {
            if let Copied::Whole { .. } = self.copied(cell, side)
                && let Some(page) = self.pages.get_mut(&(cell, side))
            {
                page.flip(CONTENT);
            }
        }
    }

    /// Everything on it, for telling two states apart.
    #[must_use]
    pub fn image(&self) -> Vec<u8> {
        let mut image = Vec::new();
        for ((cell, side), page) in self.pages.iter().filter(|(_, page)| !page.is_blank()) {
            let [low, high] = cell.key().to_le_bytes();
            image.extend_from_slice(&[low, high, u8::from(*side == Side::A)]);
            image.extend(page.image(self.power.odd));
        }
        image
    }

    fn write(&mut self, cell: Cell, bytes: &[u8]) -> Result<(), Stopped> {
        self.recover(cell)?;
        let (old, sequence) = match self.newest(cell) {
            Some((side, Copied::Whole { sequence, .. })) => (side, sequence.wrapping_add(1)),
            // What aged stays until the new copy is whole.
            _ if self.copied(cell, Side::A) == Copied::Aged => (Side::A, 0),
            _ => (Side::B, 0),
        };
        let content = content(sequence, bytes)?;
        let new = match self.keeping {
            Keeping::TwoPages => old.other(),
            Keeping::InPlace => {
                self.mark(cell, Side::Used)?;
                Side::A
            }
        };
        self.erase(cell, new)?;
        let Self { pages, power, .. } = self;
        pages.entry((cell, new)).or_insert_with(Page::blank).program(power, CONTENT, &content)?;
        self.mark(cell, new)?;
        match self.keeping {
            Keeping::TwoPages => self.erase(cell, new.other()),
            Keeping::InPlace => Ok(()),
        }
    }

    fn mark(&mut self, cell: Cell, side: Side) -> Result<(), Stopped> {
        let Self { pages, power, .. } = self;
        let mark: Vec<u8> = MARK.into_iter().take(power.word).collect();
        pages.entry((cell, side)).or_insert_with(Page::blank).program(power, 0, &mark)
    }

    fn erase(&mut self, cell: Cell, side: Side) -> Result<(), Stopped> {
        let Self { pages, power, .. } = self;
        pages.get_mut(&(cell, side)).map_or(Ok(()), |page| page.erase(power))
    }

    fn page(&self, cell: Cell, side: Side) -> Page {
        self.pages.get(&(cell, side)).cloned().unwrap_or_else(Page::blank)
    }

    fn copied(&self, cell: Cell, side: Side) -> Copied {
        let Some(page) = self.pages.get(&(cell, side)) else { return Copied::Blank };
        let bytes = page.read(self.power.odd);
        let (mark, content) = bytes.split_at(CONTENT);
        if mark.iter().all(|byte| *byte == BLANK) {
            return if page.is_blank() { Copied::Blank } else { Copied::Unfinished };
        }
        whole(content).unwrap_or(Copied::Aged)
    }

    /// The newest copy that is whole.
    fn newest(&self, cell: Cell) -> Option<(Side, Copied)> {
        let whole = [Side::A, Side::B].map(|side| (side, self.copied(cell, side))).into_iter();
        let sequence = |copied: &Copied| match copied {
            Copied::Whole { sequence, .. } => Some(*sequence),
            _ => None,
        };
        whole.filter(|(_, copied)| sequence(copied).is_some()).max_by_key(|(_, copied)| sequence(copied))
    }
}
