//! Making a lock: the one operation of several writes (spec: "Making").

use rand_core::CryptoRng;

use super::cell::CellState;
use super::keys::{self, LockKeys};
use super::memory::Core;
use super::pins::Pins;
use super::record::{self, Cell, CounterRecord, Found, HeaderRecord, Record, SeedRecord, SlotRecord, Write};
use super::{Lock, Role};
use crate::counter::{Counter, Epoch};
use crate::crypto::Crypto;
use crate::error::{ProviderFailed, SealError};
use crate::id::SlotId;
use crate::limits::Timestamp;
use crate::secret::{ActivationSecret, Seed};

/// A lock that is being made: one record after the other has to be written, in this order. Where
/// that ends early, the next boot finds [`LoadError::NotMade`](crate::error::LoadError::NotMade)
/// and makes a lock again.
pub struct Making<C: Crypto, const SLOTS: usize> {
    crypto: C,
    card: ActivationSecret,
    seed: Seed,
    keys: LockKeys<C>,
    written: usize,
}

const HEADER: HeaderRecord = HeaderRecord::Unprovisioned;
const COUNTER: CounterRecord = CounterRecord { ceiling: Counter::ZERO, latest: Timestamp::from_unix_seconds(0) };
const SLOT: SlotRecord = SlotRecord::untouched(Epoch::ZERO);

impl<C: Crypto, const SLOTS: usize> Making<C, SLOTS> {
    /// Begins a new lock, with a seed from `rng` and, where there is one, the seed of an earlier
    /// lock, so that no lock ever comes back, even where `rng` is not what it should be. `found` is
    /// what the store holds in [`Cell::Seed`]; `card` is the secret on the activation card.
    ///
    /// This erases whatever lock is there: do it where [`StoredSeed::read`](super::StoredSeed::read)
    /// says [`NotMade`](crate::error::LoadError::NotMade), or where whoever services the lock orders
    /// it.
    ///
    /// # Errors
    /// [`ProviderFailed`] when the provider cannot derive the lock's keys.
    pub fn new(
        crypto: C,
        card: ActivationSecret,
        found: Found<'_>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, ProviderFailed> {
        const { super::assert_slots(SLOTS) };
        let seed = keys::fresh_seed(&crypto, record::seed_before(found).expose(), rng)?;
        let keys = LockKeys::derive(&crypto, &seed)?;
        //= spec/protocol.md#making
        //# LCK-4. A boot that finds no seed record, or one with `initialised` false, MUST make the lock again, from the first step.
        Ok(Self { crypto, card, seed, keys, written: 0 })
    }

    /// The next record to write, or `None` when all are written.
    ///
    /// # Errors
    /// [`SealError`], which no record of a new lock gives.
    pub fn record(&self) -> Result<Option<Record>, SealError> {
        record_of::<C, SLOTS>(&self.crypto, &self.keys, &self.seed, self.written)
    }

    /// Reports that the record was written durably.
    pub fn written(&mut self) {
        self.written = self.written.saturating_add(1);
    }

    /// The lock, once all records are written; the making itself, to go on with, before.
    #[allow(clippy::result_large_err, reason = "the error is the value to go on with")]
    pub fn finish(self) -> Result<Lock<C, SLOTS>, Self> {
        if cell::<SLOTS>(self.written).is_some() {
            return Err(self);
        }
        let mut lock = Lock::unread(self.crypto, self.card, self.keys);
        lock.role.was_made();
        Ok(lock)
    }
}

/// Makes a lock, as [`Making`] does, with a seed after the one `before`: writes all its records through `put`. Gives its
/// keys.
#[inline(never)]
pub(super) fn make<C: Crypto, E, const SLOTS: usize>(
    crypto: &C,
    before: &Seed,
    rng: &mut (impl CryptoRng + ?Sized),
    mut put: impl FnMut(&Record) -> Result<(), E>,
) -> Result<Result<LockKeys<C>, E>, SealError> {
    let seed = keys::fresh_seed(crypto, before.expose(), rng)?;
    let keys = LockKeys::derive(crypto, &seed)?;
    for number in 0.. {
        let Some(record) = record_of::<C, SLOTS>(crypto, &keys, &seed, number)? else { break };
        if let Err(error) = put(&record) {
            return Ok(Err(error));
        }
    }
    Ok(Ok(keys))
}

impl<C: Crypto, const SLOTS: usize> Role<C, SLOTS> {
    /// The memory of a lock whose records were all written just now.
    pub(super) fn was_made(&mut self) {
        self.core = Core::known(self.keys.id(), HEADER, COUNTER);
        self.core.sessions.start_above(COUNTER.ceiling);
        self.slots.iter_mut().for_each(|slot| *slot = CellState::sound(SLOT));
    }

    /// Makes the next lock in the place of this one, whatever state this one is in. Until all records are written this
    /// lock stays what it is: reset.
    pub(super) fn remake<E>(
        &mut self,
        before: &Seed,
        rng: &mut (impl CryptoRng + ?Sized),
        put: impl FnMut(&Record) -> Result<(), E>,
    ) -> Result<Result<(), E>, SealError> {
        Ok(make::<C, E, SLOTS>(&self.crypto, before, rng, put)?.map(|keys| {
            (self.keys, self.pins) = (keys, Pins::none());
            self.was_made();
        }))
    }
}

/// The record of this number in the order of a making.
fn record_of<C: Crypto, const SLOTS: usize>(
    crypto: &C,
    keys: &LockKeys<C>,
    seed: &Seed,
    number: usize,
) -> Result<Option<Record>, SealError> {
    let Some((cell, initialised)) = cell::<SLOTS>(number) else { return Ok(None) };
    let write = match cell {
        Cell::Seed => Write::Seed(SeedRecord { seed: Seed::from_bytes(*seed.expose()), initialised }),
        Cell::Header => Write::Header(HEADER),
        Cell::Counter => Write::Counter(COUNTER),
        Cell::Slot(slot) => Write::Slot(slot, SLOT),
    };
    let mut record = Record::empty();
    write.record(crypto, keys, &mut record)?;
    Ok(Some(record))
}

/// What is written, by its number in the order: the seed, not initialised; everything else; the seed, initialised.
fn cell<const SLOTS: usize>(number: usize) -> Option<(Cell, bool)> {
    match number {
        //= spec/protocol.md#making
        //# LCK-1. Making a lock MUST write the seed record with `initialised` false first.
        0 => Some((Cell::Seed, false)),
        //= spec/protocol.md#making
        //# LCK-2. Making a lock MUST write every other record, factory-fresh, after that and before the next step.
        1 => Some((Cell::Header, false)),
        2 => Some((Cell::Counter, false)),
        _ => match number.saturating_sub(3) {
            slot if slot < SLOTS => Some((Cell::Slot(SlotId::new(u8::try_from(slot).ok()?)), false)),
            //= spec/protocol.md#making
            //# LCK-3. Making a lock MUST write the seed record with `initialised` true last.
            end => (end == SLOTS).then_some((Cell::Seed, true)),
        },
    }
}

impl<C: Crypto, const SLOTS: usize> core::fmt::Debug for Making<C, SLOTS> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Making").field("written", &self.written).finish_non_exhaustive()
    }
}
