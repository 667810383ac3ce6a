//! What the lock knows in memory: the cells as last read or written, who waits for which, and the
//! newest sessions. Free of the provider and of the number of slots, so that a
//! [`Accepted`](super::Accepted) can borrow it.

use super::cell::{CellState, Condition, Wait};
use super::challenge::{Given, Sessions};
use super::record::{Cell, Content, CounterRecord, HeaderRecord, OwnSeed, SlotRecord, Title, Write};
use crate::counter::{Epoch, Generation};
use crate::crypto::PublicKey;
use crate::error::LockError;
use crate::id::{LockId, SlotId};
use crate::message::{Holding, SlotReport};

/// Everything but the slots.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) id: LockId,
    /// Damaged, where a factory reset was written: this lock is no more.
    seed: CellState<OwnSeed>,
    header: CellState<HeaderRecord>,
    counter: CellState<CounterRecord>,
    /// The highest epoch that any record showed since the boot, the header's or another's.
    shown: Epoch,
    pub(crate) sessions: Sessions,
    next_ticket: u64,
}

/// Whose a provisioned lock is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Ownership {
    /// The number of the ownership.
    pub epoch: Epoch,
    /// The owner's key.
    pub owner: PublicKey,
    /// The service's key.
    pub service: PublicKey,
}

impl Core {
    pub(crate) const fn unread(id: LockId) -> Self {
        Self {
            id,
            seed: CellState::sound(OwnSeed),
            header: CellState::unread(),
            counter: CellState::unread(),
            shown: Epoch::ZERO,
            sessions: Sessions::new(),
            next_ticket: 0,
        }
    }

    /// A lock that was made just now.
    pub(crate) const fn known(id: LockId, header: HeaderRecord, counter: CounterRecord) -> Self {
        let mut core = Self::unread(id);
        core.header = CellState::sound(header);
        core.counter = CellState::sound(counter);
        core
    }

    /// Whether a factory reset ended this lock.
    pub(crate) const fn is_reset(&self) -> bool {
        self.seed.content().is_none()
    }

    /// Refuses everything while the header (or seed) waits for a write, and after a reset began.
    pub(crate) fn check_present(&self) -> Result<(), LockError> {
        //= spec/protocol.md#factory-reset
        //# RST-8. After that write a lock MUST refuse everything until it was made anew.
        if self.is_reset() {
            return Err(LockError::Resetting);
        }
        //= spec/protocol.md#persist-then-act
        //# STG-7. While the header's or the seed's write is pending, everything MUST be refused.
        if !self.seed.is_idle() || !self.header.is_idle() {
            return Err(LockError::Busy);
        }
        Ok(())
    }

    /// Tells the tickets of two runs, also where no ceiling was stored between them, by the entropy of
    /// their challenges: without a challenge there is nothing to report.
    fn stir_tickets(&mut self, given: &Given) {
        self.next_ticket = self.next_ticket.wrapping_add(given.ticket());
    }

    /// The header and the counter's record, which everything but a factory reset needs sound.
    pub(crate) fn sound(&self) -> Result<(&HeaderRecord, &CounterRecord), LockError> {
        self.check_present()?;
        // Not read yet is not damaged, whatever the header is.
        if !self.counter.is_idle() {
            return Err(LockError::Busy);
        }
        //= spec/protocol.md#damage
        //# DMG-3. A lock whose header or counter is damaged MUST refuse everything but a factory reset.
        let header = self.header.ready(LockError::Damaged)?;
        let counter = self.counter.ready(LockError::Damaged)?;
        Ok((header, counter))
    }

    /// Who owns the lock.
    pub(crate) fn ownership(&self) -> Result<Ownership, LockError> {
        match self.sound()?.0.title {
            Title::Unprovisioned => Err(LockError::NotProvisioned),
            Title::Owned { epoch, owner, service } => Ok(Ownership { epoch, owner, service }),
        }
    }

    /// The highest epoch that any record shows; 0 where none does.
    pub(crate) const fn highest_epoch(&self) -> Epoch {
        self.shown
    }

    fn show(&mut self, epoch: Epoch) {
        self.shown = self.shown.max(epoch);
    }

    /// The epoch that the header says, whatever it waits for.
    fn epoch(&self) -> Option<Epoch> {
        self.header.content().map(HeaderRecord::epoch)
    }

    /// Whether a slot's record is of a later epoch than the header: one of the two is not what was written last.
    fn is_newer(&self, slot: &CellState<SlotRecord>) -> bool {
        slot.content().zip(self.epoch()).is_some_and(|(record, epoch)| record.epoch > epoch)
    }
}

/// Everything, with the number of slots erased.
#[derive(Debug)]
pub(crate) struct Memory<'l> {
    pub(crate) core: &'l mut Core,
    pub(crate) slots: &'l mut [CellState<SlotRecord>],
}

/// What becomes of an accepted operation: which cell it holds until then, the record that is written into it, and what
/// changes in memory after that.
#[derive(Debug)]
pub(crate) enum Change {
    /// Nothing: its cell is only to stay as it is.
    Holds(Cell),
    /// A cell is written.
    Writes(Write),
    /// A challenge is given, for which the counter may be written.
    Gives { challenge: Given, write: Option<Write> },
}

impl Change {
    pub(crate) const fn write(&self) -> Option<&Write> {
        match self {
            Self::Holds(_) => None,
            Self::Writes(write) => Some(write),
            Self::Gives { write, .. } => write.as_ref(),
        }
    }

    pub(crate) fn copied(&self) -> Self {
        match self {
            Self::Holds(cell) => Self::Holds(*cell),
            Self::Writes(write) => Self::Writes(write.copied()),
            Self::Gives { challenge, write } => {
                Self::Gives { challenge: *challenge, write: write.as_ref().map(Write::copied) }
            }
        }
    }

    pub(crate) const fn cell(&self) -> Cell {
        match self {
            Self::Holds(cell) => *cell,
            Self::Writes(write) => write.cell(),
            Self::Gives { .. } => Cell::Counter,
        }
    }
}

/// How a cell stands.
pub(crate) fn condition(core: &Core, slots: &[CellState<SlotRecord>], cell: Cell) -> Result<Condition, LockError> {
    if core.is_reset() {
        return Err(LockError::Resetting);
    }
    match cell {
        Cell::Seed => Ok(core.seed.condition()),
        Cell::Header => Ok(core.header.condition()),
        Cell::Counter => Ok(core.counter.condition()),
        Cell::Slot(slot) => {
            let slot = slots.get(usize::from(slot.index())).ok_or(LockError::NoSuchSlot)?;
            Ok(match slot.condition() {
                //= spec/protocol.md#damage
                //# DMG-9. A lock MUST take a slot's record of a later epoch than the header's for damaged.
                Condition::Ready if core.is_newer(slot) => Condition::Damaged,
                condition => condition,
            })
        }
    }
}

/// The slot as it stands in the present epoch.
pub(crate) fn view<'s>(
    core: &Core,
    slots: &'s [CellState<SlotRecord>],
    slot: SlotId,
) -> Result<SlotView<'s>, LockError> {
    let header = core.sound()?.0;
    //= spec/protocol.md#making
    //# LCK-12. A slot at or above the firmware's number of slots, or the header's, MUST NOT exist.
    if slot.index() >= header.slots.value() {
        return Err(LockError::NoSuchSlot);
    }
    //= spec/protocol.md#damage
    //# DMG-2. A damaged slot MUST NOT keep other slots from working.
    let known = slots.get(usize::from(slot.index())).ok_or(LockError::NoSuchSlot)?;
    //= spec/protocol.md#operations
    //# OPR-12. An operation on a damaged slot MUST be refused.
    //= spec/protocol.md#damage
    //# DMG-1. A damaged slot MUST refuse every operation until the next epoch.
    let record = known.ready(LockError::SlotDamaged)?;
    match record.epoch.cmp(&header.epoch()) {
        //= spec/protocol.md#damage
        //# DMG-5. A slot's record of an older epoch MUST be read as Inactive with floor 0.
        core::cmp::Ordering::Less => Ok(SlotView::Untouched),
        core::cmp::Ordering::Equal => Ok(SlotView::Current(record)),
        //= spec/protocol.md#damage
        //# DMG-9. A lock MUST take a slot's record of a later epoch than the header's for damaged.
        core::cmp::Ordering::Greater => Err(LockError::SlotDamaged),
    }
}

/// A slot as it stands in the current epoch.
pub(crate) enum SlotView<'l> {
    /// Its record is of an older epoch: inactive, nothing taken.
    Untouched,
    /// Its record is of this epoch.
    Current(&'l SlotRecord),
}

impl Memory<'_> {
    /// Refuses unless no cell waits for a write.
    pub(crate) fn check_all_idle(&self) -> Result<(), LockError> {
        self.core.check_present()?;
        if self.core.counter.is_idle() && self.slots.iter().all(CellState::is_idle) {
            Ok(())
        } else {
            Err(LockError::Busy)
        }
    }

    /// Holds a cell for a write that begins now.
    pub(crate) fn hold_for_commit(&mut self, cell: Cell) {
        if let Some(wait) = self.wait_of(cell) {
            *wait = Some(Wait::Committing);
        }
    }

    /// Holds a cell for an operation that is reported later; gives its ticket, and whose that is.
    pub(crate) fn hold_detached(&mut self, change: &Change) -> (LockId, u64) {
        if let Change::Gives { challenge, .. } = change {
            self.core.stir_tickets(challenge);
        }
        // 2^64 operations in one run do not happen.
        self.core.next_ticket = self.core.next_ticket.wrapping_add(1);
        let ticket = self.core.next_ticket;
        if let Some(wait) = self.wait_of(change.cell()) {
            *wait = Some(Wait::Detached(ticket));
        }
        (self.core.id, ticket)
    }

    /// Whether the cell waits for the write with this lock's ticket.
    pub(crate) fn waits_for(&mut self, cell: Cell, (lock, ticket): (LockId, u64)) -> bool {
        !self.core.is_reset()
            && self.core.id == lock
            && self.wait_of(cell).is_some_and(|wait| *wait == Some(Wait::Detached(ticket)))
    }

    /// The write is through: the cell waits for nothing any more, and the change takes effect.
    #[inline(never)]
    pub(crate) fn apply(&mut self, change: &Change) {
        if let Some(wait) = self.wait_of(change.cell()) {
            *wait = None;
        }
        if let Some(write) = change.write() {
            self.wrote(write);
        }
        if let Change::Gives { challenge, .. } = change {
            self.core.stir_tickets(challenge);
            self.core.sessions.give(*challenge);
        }
    }

    fn wrote(&mut self, write: &Write) {
        match write {
            //= spec/protocol.md#factory-reset
            //# RST-8. After that write a lock MUST refuse everything until it was made anew.
            Write::Seed(_) => self.core.seed.damage(),
            Write::Header(record) => self.set_header(*record),
            Write::Counter(record) => {
                self.core.show(record.set_in);
                self.core.counter.set(*record);
            }
            Write::Slot(slot, record) => {
                self.core.show(record.epoch);
                if let Some(known) = self.slots.get_mut(usize::from(slot.index())) {
                    known.set(record.copied());
                }
            }
        }
    }

    /// A new epoch closes every session and ends every key: no slot was written in it yet, so whatever
    /// a slot holds, damage included, is of an older one. Read again, it reads so.
    fn set_header(&mut self, record: HeaderRecord) {
        self.core.show(record.epoch());
        let known = self.core.header.age();
        if known.is_some_and(|(known, _)| known < record.epoch()) {
            //= spec/protocol.md#sessions
            //# SES-7. A new epoch MUST end all sessions.
            self.core.sessions.close_all();
            self.slots.iter_mut().for_each(|slot| slot.overrule(SlotRecord::untouched(Epoch::ZERO)));
        }
        self.core.header.set(record);
    }

    /// Takes what the store holds of the header now. A later epoch is the transfer that it is, though its write was
    /// said to have failed.
    pub(crate) fn reload_header(&mut self, read: Option<HeaderRecord>) -> Result<(), LockError> {
        if let Some(record) = self.core.header.accept(read)? {
            self.set_header(record);
        }
        Ok(())
    }

    /// Takes what the store holds of the counter now. The first reading of a run starts above the
    /// ceiling of the run before.
    pub(crate) fn reload_counter(&mut self, read: Option<CounterRecord>) -> Result<(), LockError> {
        if let Some(read) = &read {
            self.core.show(read.set_in);
        }
        self.core.counter.reload(read)?;
        if let Some(record) = self.core.counter.content() {
            self.core.sessions.start_above(record.ceiling);
        }
        Ok(())
    }

    /// Takes what the store holds of a slot now.
    pub(crate) fn reload_slot(&mut self, slot: SlotId, read: Option<SlotRecord>) -> Result<(), LockError> {
        let Self { core, slots } = self;
        let known = slots.get_mut(usize::from(slot.index())).ok_or(LockError::NoSuchSlot)?;
        if let Some(read) = &read {
            core.show(read.epoch);
        }
        //= spec/protocol.md#damage
        //# DMG-9. A lock MUST take a slot's record of a later epoch than the header's for damaged.
        if core.is_newer(known) {
            known.read_again();
        }
        known.reload(read)
    }

    /// Takes what the store holds of the seed now: still this lock's, or not.
    pub(crate) fn reload_seed(&mut self, own: Option<OwnSeed>) -> Result<(), LockError> {
        //= spec/protocol.md#persist-then-act
        //# STG-14. A lock whose seed cell, read again, does not hold its own seed with `initialised` true MUST refuse everything until it was booted.
        self.core.seed.reload(own)
    }

    fn wait_of(&mut self, cell: Cell) -> Option<&mut Option<Wait>> {
        match cell {
            Cell::Seed => Some(self.core.seed.wait()),
            Cell::Header => Some(self.core.header.wait()),
            Cell::Counter => Some(self.core.counter.wait()),
            Cell::Slot(slot) => self.slots.get_mut(usize::from(slot.index())).map(CellState::wait),
        }
    }
}

impl SlotView<'_> {
    pub(crate) const fn floor(&self) -> Generation {
        match self {
            Self::Untouched => Generation::ZERO,
            Self::Current(record) => record.floor,
        }
    }

    pub(crate) const fn content(&self) -> &Content {
        match self {
            Self::Untouched => &Content::Inactive,
            Self::Current(record) => &record.content,
        }
    }

    pub(crate) fn report(&self) -> SlotReport {
        match self {
            Self::Untouched => SlotReport { floor: Generation::ZERO, holding: Holding::Inactive },
            Self::Current(record) => record.report(),
        }
    }
}
