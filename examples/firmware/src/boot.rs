//! From what is on flash to a lock.

use embedded_storage_async::nor_flash::NorFlash;
use sharekey::crypto::RustCrypto;
use sharekey::error::LoadError;
use sharekey::lock::{Cell, Found, Lock, Making, StoredSeed};
use sharekey::secret::ActivationSecret;

use crate::board::{Board, SLOTS};
use crate::entropy::Drawn;
use crate::store::Store;

/// The lock of this firmware.
pub type ThisLock = Lock<RustCrypto, SLOTS>;

/// Why there is no lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BootFailed {
    /// The seed cannot be read. To make a lock anew here would erase one: that takes an order from
    /// whoever services it, which this firmware does not take.
    SeedDamaged,
    /// The flash does not store.
    Flash,
    /// The provider has failed, or there is no entropy to make a lock with.
    Provider,
}

impl BootFailed {
    /// For the log.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::SeedDamaged => "the seed cannot be read",
            Self::Flash => "the flash does not store",
            Self::Provider => "no keys, or no entropy",
        }
    }
}

/// Loads the lock, or makes it where none was made to the end.
///
/// # Errors
/// [`BootFailed`].
#[inline(never)]
pub fn boot<F: NorFlash>(
    board: &mut impl Board,
    store: &mut Store<F>,
    card: ActivationSecret,
) -> Result<ThisLock, BootFailed> {
    match store.get(Cell::Seed, |bytes| StoredSeed::read(found(bytes))) {
        Ok(Ok(seed)) => load(store, card, &seed),
        Ok(Err(LoadError::NotMade)) => make(board, store, card),
        Ok(Err(_)) | Err(_) => Err(BootFailed::SeedDamaged),
    }
}

fn found(bytes: Option<&[u8]>) -> Found<'_> {
    bytes.map_or(Found::Nothing, Found::Bytes)
}

#[inline(never)]
fn load<F: NorFlash>(store: &mut Store<F>, card: ActivationSecret, seed: &StoredSeed) -> Result<ThisLock, BootFailed> {
    let mut lock = ThisLock::load(RustCrypto, card, seed).map_err(|_| BootFailed::Provider)?;
    for cell in ThisLock::cells() {
        reload(&mut lock, store, cell);
    }
    Ok(lock)
}

/// Reads a cell again. What cannot be read, after a second try, counts as damaged.
#[inline(never)]
pub(crate) fn reload<F: NorFlash>(lock: &mut ThisLock, store: &mut Store<F>, cell: Cell) {
    let read = store.get(cell, |bytes| lock.reload(cell, bytes));
    let read = read.or_else(|_| store.get(cell, |bytes| lock.reload(cell, bytes)));
    // A refusal says that the cell needed no reload, or that the lock is being made anew: both are for
    // the next request to tell.
    let _ = read.unwrap_or_else(|_| lock.reload(cell, None));
}

#[inline(never)]
fn make<F: NorFlash>(
    board: &mut impl Board,
    store: &mut Store<F>,
    card: ActivationSecret,
) -> Result<ThisLock, BootFailed> {
    board.log(format_args!("making a lock"));
    let mut rng = Drawn::from(board).map_err(|_| BootFailed::Provider)?;
    let making = store.get(Cell::Seed, |bytes| Making::new(RustCrypto, card, found(bytes), &mut rng));
    let mut making = making.map_err(|_| BootFailed::SeedDamaged)?.map_err(|_| BootFailed::Provider)?;
    while let Some(record) = making.record().map_err(|_| BootFailed::Provider)? {
        store.put(&record).map_err(|_| BootFailed::Flash)?;
        making.written();
    }
    making.finish().map_err(|_| BootFailed::Flash)
}
