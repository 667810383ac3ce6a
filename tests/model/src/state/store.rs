//! Writes and readings: persist, then act; boots; and the making of a lock.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::cell::{CellModel, Content, CounterModel, Flash, HeaderModel, Hold, SlotModel};
use super::lock::{Decision, LockModel, PendingModel};
use super::op::{Ending, Read, Verdict};
use sharekey::counter::{Counter, Epoch};
use sharekey::error::LockError;
use sharekey::id::SlotId;
use sharekey::limits::Timestamp;
use sharekey::lock::Cell;

impl LockModel {
    // --- persist, then act ---

    pub(super) fn end(&mut self, decision: Decision, ending: Ending) -> Verdict {
        let (effect, record, held) = (decision.effect.clone(), decision.record, decision.held);
        let mut ticket = None;
        match ending {
            Ending::Drop => {}
            Ending::Commit => self.carry_out(decision, true),
            Ending::Fail { .. } if record.is_none() => self.carry_out(decision, true),
            Ending::Fail { written } => {
                if let Some(record) = record.filter(|_| written) {
                    self.flash.put(record);
                }
                self.hold(held, Hold::Failed);
            }
            Ending::Detach => {
                ticket = Some(self.tickets);
                self.hold(held, Hold::Pending(self.tickets));
                self.pending.insert(self.tickets, PendingModel { decision, stored: false });
                self.tickets = self.tickets.saturating_add(1);
            }
        }
        Verdict::Accepted { effect, record, ticket }
    }

    fn hold(&mut self, cell: Cell, hold: Hold) {
        match cell {
            Cell::Seed => self.seed = hold,
            Cell::Header => self.header.hold = hold,
            Cell::Counter => self.counter.hold = hold,
            Cell::Slot(slot) => {
                if let Some(slot) = self.slots.get_mut(usize::from(slot.index())) {
                    slot.hold = hold;
                }
            }
        }
    }

    /// The record is stored: it takes effect.
    fn carry_out(&mut self, decision: Decision, store: bool) {
        let Decision { held, record, opened, .. } = decision;
        if let Some(record) = record {
            if store {
                self.flash.put(record);
            }
            self.shown = self.shown.max(record.shows());
            match record {
                Content::Seed { .. } => self.erased = true,
                Content::Header(header) => self.begin(header),
                Content::Counter(counter) => self.counter = CellModel::of(counter),
                Content::Slot(slot, content) => self.set_slot(slot, content),
            }
        }
        self.hold(held, Hold::Idle);
        if let Some((purpose, open)) = opened {
            self.open(purpose, open);
        }
    }

    fn set_slot(&mut self, slot: SlotId, content: SlotModel) {
        if let Some(slot) = self.slots.get_mut(usize::from(slot.index())) {
            *slot = CellModel::of(content);
        }
    }

    /// A header is known. Of a later epoch than the one known before, it ends all sessions, and every
    /// slot is one in which nothing was written yet.
    fn begin(&mut self, header: HeaderModel) {
        let later = self.header.known.is_some_and(|known| known.epoch() < header.epoch());
        self.header = CellModel::of(header);
        if later {
            self.sessions.clear();
            for slot in &mut self.slots {
                (slot.known, slot.damaged) = (Some(SlotModel::UNTOUCHED), false);
            }
        }
    }

    fn waits_for(&self, ticket: u64, cell: Cell) -> bool {
        let hold = match cell {
            Cell::Seed => Some(self.seed),
            Cell::Header => Some(self.header.hold),
            Cell::Counter => Some(self.counter.hold),
            Cell::Slot(slot) => self.slot_cell(slot).map(|cell| cell.hold),
        };
        !self.erased && hold == Some(Hold::Pending(ticket))
    }

    pub(super) fn store(&mut self, ticket: u64) {
        let waits = self.pending.get(&ticket).is_some_and(|pending| self.waits_for(ticket, pending.cell()));
        if let Some(pending) = self.pending.get_mut(&ticket)
            && waits
            && !pending.stored
        {
            pending.stored = true;
            if let Some(record) = pending.decision.record {
                self.flash.put(record);
            }
        }
    }

    pub(super) fn written(&mut self, ticket: u64) -> Result<Verdict, LockError> {
        let pending = self.pending.remove(&ticket).ok_or(LockError::NotPending)?;
        if !self.waits_for(ticket, pending.cell()) {
            return Err(LockError::NotPending);
        }
        let (effect, record) = (pending.decision.effect.clone(), pending.decision.record);
        self.carry_out(pending.decision, !pending.stored);
        Ok(Verdict::Accepted { effect, record, ticket: None })
    }

    pub(super) fn abandon(&mut self, ticket: u64) -> Result<(), LockError> {
        let pending = self.pending.remove(&ticket).ok_or(LockError::NotPending)?;
        if !self.waits_for(ticket, pending.cell()) {
            return Err(LockError::NotPending);
        }
        if pending.decision.record.is_some() {
            return Err(LockError::Busy);
        }
        self.hold(pending.cell(), Hold::Idle);
        Ok(())
    }

    // --- reading ---

    pub(super) fn reload(&mut self, cell: Cell, read: Read) -> Result<(), LockError> {
        if self.erased {
            return Err(LockError::Resetting);
        }
        let found = self.flash.read(cell, read);
        self.shown = self.shown.max(found.map_or(Epoch::ZERO, |found| found.shows()));
        match cell {
            Cell::Seed => {
                if self.seed == Hold::Idle {
                    return Err(LockError::NotBusy);
                }
                self.seed = Hold::Idle;
                self.erased = found != Some(Content::Seed { lock: self.lock, initialised: true });
            }
            Cell::Header => {
                let header = if let Some(Content::Header(header)) = found { Some(header) } else { None };
                let before = self.header;
                if let Some(header) = self.header.reload(header)? {
                    self.header = before;
                    self.begin(header);
                }
            }
            Cell::Counter => {
                let counter = if let Some(Content::Counter(counter)) = found { Some(counter) } else { None };
                if let Some(counter) = self.counter.reload(counter)? {
                    // After a boot the numbers go on at the stored ceiling.
                    self.next = self.next.or(Some(counter.ceiling));
                }
            }
            Cell::Slot(slot) => {
                let content = if let Some(Content::Slot(_, content)) = found { Some(content) } else { None };
                let newer = self.is_newer(slot);
                let cell = self.slots.get_mut(usize::from(slot.index())).ok_or(LockError::NoSuchSlot)?;
                // What is newer than the header counts as damaged, and may be read again.
                cell.damaged |= newer;
                cell.reload(content)?;
            }
        }
        Ok(())
    }

    /// Memory is gone; what is stored is read.
    pub(super) fn boot(&mut self, reads: &BTreeMap<Cell, Read>) -> Verdict {
        (self.header, self.counter) = (CellModel::UNREAD, CellModel::UNREAD);
        self.slots.iter_mut().for_each(|slot| *slot = CellModel::UNREAD);
        (self.next, self.ticks, self.seed, self.erased) = (None, 0, Hold::Idle, false);
        self.shown = Epoch::ZERO;
        self.sessions.clear();
        self.pending.clear();
        match self.flash.newest(Cell::Seed) {
            Some(Content::Seed { lock, initialised: true }) => self.lock = lock,
            _ => return Verdict::NotMade,
        }
        for cell in self.cells() {
            let read = reads.get(&cell).copied().unwrap_or(Read::Newest);
            if read != Read::NotYet {
                let _ = self.reload(cell, read);
            }
        }
        Verdict::So
    }

    /// Makes another lock, in this many writes: the seed, everything else, the seed again.
    pub(super) fn make(&mut self, writes: usize) -> Verdict {
        let lock = self.locks;
        self.locks = lock.saturating_add(1);
        let counter =
            CounterModel { ceiling: Counter::ZERO, latest: Timestamp::from_unix_seconds(0), set_in: Epoch::ZERO };
        let slots = (0..=u8::MAX).zip(&self.slots).map(|(slot, _)| (SlotId::new(slot), SlotModel::UNTOUCHED));
        let mut records = Vec::from([Content::Seed { lock, initialised: false }]);
        records.extend([Content::Header(HeaderModel::Unprovisioned), Content::Counter(counter)]);
        records.extend(slots.map(|(slot, content)| Content::Slot(slot, content)));
        records.push(Content::Seed { lock, initialised: true });
        for (at, record) in (0..writes).zip(records) {
            if at == 0 {
                // What was stored before is foreign from here on.
                self.flash = Flash::default();
            }
            self.flash.put(record);
        }
        self.boot(&BTreeMap::new())
    }
}
