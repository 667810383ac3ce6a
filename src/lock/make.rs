//! Making a lock: the one operation of several writes (spec: "Making"); and completing one that was made by another
//! firmware, or that damage left without a record.

use rand_core::CryptoRng;

use super::accepted::Accepted;
use super::cell::{CellState, Condition};
use super::keys::{self, LockKeys};
use super::memory::{Change, Core};
use super::pins::Pins;
use super::plan::{FromPlan, Plan};
use super::record::{self, Cell, CounterRecord, Found, HeaderRecord, Record, SeedRecord, SlotRecord, Title, Write};
use super::{Lock, Role};
use crate::counter::{Counter, Epoch};
use crate::crypto::Crypto;
use crate::error::{LockError, ProviderFailed, SealError};
use crate::id::{LockId, SlotId};
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

const COUNTER: CounterRecord =
    CounterRecord { ceiling: Counter::ZERO, latest: Timestamp::from_unix_seconds(0), set_in: Epoch::ZERO };
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
        let seed = keys::fresh_seed(&crypto, record::seed_before(&crypto, found).expose(), rng)?;
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
        self.core = Core::known(self.keys.id(), header::<SLOTS>(), COUNTER);
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
        Cell::Header => Write::Header(header::<SLOTS>()),
        Cell::Counter => Write::Counter(COUNTER),
        Cell::Slot(slot) => Write::Slot(slot, SLOT),
    };
    let mut record = Record::empty();
    write.record(crypto, keys, &mut record)?;
    Ok(Some(record))
}

fn header<const SLOTS: usize>() -> HeaderRecord {
    HeaderRecord { slots: super::firmware_slots::<SLOTS>(), title: Title::Unprovisioned }
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

impl<C: Crypto, const SLOTS: usize> Lock<C, SLOTS> {
    /// The next record that the store lacks, to be written as any operation's is; `None` where it lacks none. Call it
    /// after a boot, and after each operation that was carried out, until it gives `None`:
    /// [`Door`](super::Door) does.
    ///
    /// Lacking are, of a firmware that has more slots than the lock was made with, those slots, and then the header that
    /// counts them; until then they do not exist. And the slots that were damaged when an epoch began: nothing was written
    /// in them yet, which the next boot could not know.
    ///
    /// # Errors
    /// [`LockError::Busy`] while any cell waits for a write, [`LockError::Damaged`], [`LockError::Resetting`]. Nothing is
    /// lost by going on without.
    pub fn complete(&mut self) -> Result<Option<Accepted<'_, ()>>, LockError> {
        let Some(write) = self.role.lacking()? else { return Ok(None) };
        let planned = self.plan(|role, plan| {
            plan.change = Change::Writes(write);
            Ok(role.record(plan)?)
        });
        planned.map(Some).map_err(|denial| denial.error)
    }

    /// A cell that waits to be read, with nothing else to come of it: not read since the boot, or its write failed, was
    /// cancelled or panicked. [`reload`](Self::reload) it, and ask again until there is `None`: what needs such a cell is
    /// refused as busy.
    ///
    /// A write that can still take effect must not be among them.
    #[must_use]
    pub fn unsettled(&self) -> Option<Cell> {
        let waits = |cell: &Cell| matches!(self.condition(*cell), Ok(Condition::Failed | Condition::Unread));
        Self::cells().chain([Cell::Seed]).find(waits)
    }
}

impl FromPlan for () {
    fn from_plan(_: &Plan, _: LockId) -> Self {}
}

impl<C: Crypto, const SLOTS: usize> Role<C, SLOTS> {
    #[inline(never)]
    fn lacking(&mut self) -> Result<Option<Write>, LockError> {
        self.memory().check_all_idle()?;
        let header = *self.core.sound()?.0;
        let mut slots = self.slots.iter().zip(0..=u8::MAX);
        let was_damaged = slots.find(|(slot, index)| slot.is_lacking() && *index < header.slots.value());
        if let Some((_, index)) = was_damaged {
            //= spec/protocol.md#damage
            //# DMG-8. A lock that a new epoch finds with damaged slots MUST write a record of that epoch, Inactive with floor 0, for each of them at once.
            return Ok(Some(Write::Slot(SlotId::new(index), SlotRecord::untouched(header.epoch()))));
        }
        let number = super::firmware_slots::<SLOTS>();
        if header.slots >= number {
            return Ok(None);
        }
        let new = self.slots.iter().zip(0..=u8::MAX).skip(usize::from(header.slots.value()));
        let mut unwritten = new.filter(|(slot, _)| slot.content().is_none());
        Ok(Some(match unwritten.next() {
            //= spec/protocol.md#making
            //# LCK-13. A lock whose firmware has more slots than its header says MUST write a record, Inactive with floor 0 and epoch 0, for each further slot that has no sound one, before the header that says so.
            Some((_, index)) => Write::Slot(SlotId::new(index), SLOT),
            //= spec/protocol.md#making
            //# LCK-11. The header MUST carry the number of slots, in every write, and never a lower one.
            None => Write::Header(HeaderRecord { slots: number, ..header }),
        }))
    }
}

impl<C: Crypto, const SLOTS: usize> core::fmt::Debug for Making<C, SLOTS> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Making").field("written", &self.written).finish_non_exhaustive()
    }
}
