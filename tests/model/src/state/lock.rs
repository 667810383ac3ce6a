//! The lock: its store, its memory, and everything that can happen to it.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::cell::{CellModel, Content, CounterModel, Flash, HeaderModel, Hold, SlotModel};
use super::facts::Purpose;
use super::op::{Effect, Op, Verdict};
use sharekey::counter::{Counter, Epoch};
use sharekey::crypto::PublicKey;
use sharekey::error::LockError;
use sharekey::id::SlotId;
use sharekey::lock::{Cell, Clock, Condition, Now};
use sharekey::message::SlotReport;

/// How far a write of the counter's record is ahead (spec: CTR-6).
const LEASE: u64 = 65_536;

/// Whose a provisioned lock is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ownership {
    /// The number of the ownership.
    pub epoch: Epoch,
    /// The owner's key.
    pub owner: PublicKey,
    /// The service's key.
    pub service: PublicKey,
}

/// An open session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Open {
    /// Its challenge.
    pub id: u64,
    /// When that was given.
    pub ticks: u64,
    /// The lock could not count when it was: only a factory reset is accepted.
    pub rescue: bool,
    /// The ticks had gone backwards when it was asked for.
    pub backwards: bool,
}

/// What an accepted operation changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Decision {
    pub(super) effect: Effect,
    pub(super) held: Cell,
    pub(super) record: Option<Content>,
    pub(super) opened: Option<(Purpose, Open)>,
}

/// A detached operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PendingModel {
    pub(super) decision: Decision,
    /// Its record reached the store.
    pub stored: bool,
}

impl PendingModel {
    /// The cell that it holds.
    #[must_use]
    pub const fn cell(&self) -> Cell {
        self.decision.held
    }

    /// The record that it is to write.
    #[must_use]
    pub const fn record(&self) -> Option<Content> {
        self.decision.record
    }
}

/// What must happen at a lock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LockModel {
    /// The store.
    pub flash: Flash,
    /// Which lock this is: another number after each making.
    pub lock: u64,
    /// A factory reset ended it.
    pub erased: bool,
    /// What the seed's cell waits for.
    pub seed: Hold,
    /// The header.
    pub header: CellModel<HeaderModel>,
    /// The counter's record.
    pub counter: CellModel<CounterModel>,
    /// The slots.
    pub slots: Vec<CellModel<SlotModel>>,
    /// The highest epoch that any record showed since the boot.
    pub shown: Epoch,
    /// The next number of the counter, once that was read.
    pub next: Option<Counter>,
    /// The newest session of each purpose, while it is open.
    pub sessions: BTreeMap<Purpose, Open>,
    /// The ticks when a session was last opened or used.
    pub ticks: u64,
    /// Detached operations that were not reported.
    pub pending: BTreeMap<u64, PendingModel>,
    /// How many challenges there were: the number of the next.
    pub challenges: u64,
    /// How many pairing keys there were: the number of the next.
    pub pairings: u64,
    /// How many operations were detached: the number of the next.
    pub tickets: u64,
    /// How many locks were made: the number of the next.
    pub locks: u64,
}

impl LockModel {
    /// A lock with this many slots that was made just now.
    #[must_use]
    pub fn made(slots: u8) -> Self {
        let mut lock = Self {
            flash: Flash::default(),
            lock: 0,
            erased: false,
            seed: Hold::Idle,
            header: CellModel::UNREAD,
            counter: CellModel::UNREAD,
            slots: (0..slots).map(|_| CellModel::UNREAD).collect(),
            shown: Epoch::ZERO,
            next: None,
            sessions: BTreeMap::new(),
            ticks: 0,
            pending: BTreeMap::new(),
            challenges: 0,
            pairings: 0,
            tickets: 0,
            locks: 0,
        };
        lock.make(usize::MAX);
        lock
    }

    /// Something happens; says what must come of it.
    pub fn apply(&mut self, op: &Op) -> Verdict {
        match op {
            Op::Challenge { purpose, now, ending } => match self.challenge(*purpose, *now) {
                Ok(decision) => self.end(decision, *ending),
                Err(why) => Verdict::Refused { why, answer: None },
            },
            Op::Request { session, request, now, ending } => match self.judge(*session, request, *now) {
                Ok(decision) => self.end(decision, *ending),
                Err((why, answer)) => Verdict::Refused { why, answer: Some(answer) },
            },
            Op::Store { ticket } => {
                self.store(*ticket);
                Verdict::So
            }
            Op::Written { ticket } => so_or(self.written(*ticket)),
            Op::Abandon { ticket } => so_or(self.abandon(*ticket).map(|()| Verdict::So)),
            Op::Reload { cell, read } => so_or(self.reload(*cell, *read).map(|()| Verdict::So)),
            Op::Boot { reads } => self.boot(reads),
            Op::Make { writes } => self.make(*writes),
        }
    }

    /// Every cell but the seed's.
    #[must_use]
    pub fn cells(&self) -> Vec<Cell> {
        let slots = (0..=u8::MAX).zip(&self.slots).map(|(slot, _)| Cell::Slot(SlotId::new(slot)));
        [Cell::Header, Cell::Counter].into_iter().chain(slots).collect()
    }

    // --- what the lock says of itself ---

    /// Whose the lock is.
    ///
    /// # Errors
    /// Why it does not say.
    pub fn ownership(&self) -> Result<Ownership, LockError> {
        match self.sound()? {
            (HeaderModel::Unprovisioned, _) => Err(LockError::NotProvisioned),
            (HeaderModel::Owned { epoch, owner, service }, _) => Ok(Ownership { epoch, owner, service }),
        }
    }

    /// What a slot holds.
    ///
    /// # Errors
    /// Why it does not say.
    pub fn report(&self, slot: SlotId) -> Result<SlotReport, LockError> {
        let epoch = self.ownership()?.epoch;
        self.slot(slot, epoch).map(|slot| slot.report())
    }

    /// How a cell stands.
    ///
    /// # Errors
    /// Why it does not say.
    pub fn condition(&self, cell: Cell) -> Result<Condition, LockError> {
        if self.erased {
            return Err(LockError::Resetting);
        }
        match cell {
            Cell::Seed => Ok(self.seed.condition()),
            Cell::Header => Ok(self.header.condition()),
            Cell::Counter => Ok(self.counter.condition()),
            Cell::Slot(slot) => {
                let condition = self.slot_cell(slot).ok_or(LockError::NoSuchSlot)?.condition();
                let newer = condition == Condition::Ready && self.is_newer(slot);
                Ok(if newer { Condition::Damaged } else { condition })
            }
        }
    }

    /// Whether a slot that was read soundly is of a later epoch than the header that was.
    pub(super) fn is_newer(&self, slot: SlotId) -> bool {
        let slot = self.slot_cell(slot).filter(|cell| !cell.damaged).and_then(|cell| cell.known);
        let header = self.header.known.filter(|_| !self.header.damaged);
        slot.zip(header).is_some_and(|(slot, header)| slot.epoch > header.epoch())
    }

    pub(super) fn slot_cell(&self, slot: SlotId) -> Option<&CellModel<SlotModel>> {
        self.slots.get(usize::from(slot.index()))
    }

    /// The slot in this epoch: untouched where its record is of an older one, damaged where it is of a
    /// newer one than the header knows.
    pub(super) fn slot(&self, slot: SlotId, epoch: Epoch) -> Result<SlotModel, LockError> {
        let found = self.slot_cell(slot).ok_or(LockError::NoSuchSlot)?.ready(LockError::SlotDamaged)?;
        if found.epoch > epoch {
            return Err(LockError::SlotDamaged);
        }
        Ok(if found.epoch == epoch { found } else { SlotModel::UNTOUCHED })
    }

    /// Header and counter, of a lock that is no more erased than busy or damaged.
    pub(super) fn sound(&self) -> Result<(HeaderModel, CounterModel), LockError> {
        if self.erased {
            return Err(LockError::Resetting);
        }
        if self.seed != Hold::Idle || !self.header.idle() || !self.counter.idle() {
            return Err(LockError::Busy);
        }
        Ok((self.header.ready(LockError::Damaged)?, self.counter.ready(LockError::Damaged)?))
    }

    /// No cell waits for anything.
    pub(super) fn all_idle(&self) -> Result<(), LockError> {
        if self.erased {
            return Err(LockError::Resetting);
        }
        let core = self.seed == Hold::Idle && self.header.idle() && self.counter.idle();
        if core && self.slots.iter().all(CellModel::idle) { Ok(()) } else { Err(LockError::Busy) }
    }

    // --- challenges and sessions ---

    fn challenge(&mut self, purpose: Purpose, now: Now) -> Result<Decision, LockError> {
        let (number, record) = match self.sound() {
            Ok((header, counter)) => self.count(header, counter, now)?,
            Err(LockError::Damaged) => (None, None),
            Err(why) => return Err(why),
        };
        let id = self.challenges;
        self.challenges = id.saturating_add(1);
        let (rescue, backwards) = (number.is_none(), now.ticks < self.ticks);
        let opened = Some((purpose, Open { id, ticks: now.ticks, rescue, backwards }));
        Ok(Decision { effect: Effect::Challenged { id, number }, held: Cell::Counter, record, opened })
    }

    /// The next number, and the record to write first where it is not below the stored ceiling.
    #[allow(clippy::type_complexity, reason = "a number and a record")]
    fn count(
        &self,
        header: HeaderModel,
        counter: CounterModel,
        now: Now,
    ) -> Result<(Option<Counter>, Option<Content>), LockError> {
        let number = self.next.ok_or(LockError::Exhausted)?;
        if number < counter.ceiling {
            return Ok((Some(number), None));
        }
        let ceiling = counter.ceiling.value().checked_add(LEASE).map(Counter::new).ok_or(LockError::Exhausted)?;
        let latest = match now.clock {
            Clock::At(time) if is_set(header, counter) => counter.latest.max(time),
            _ => counter.latest,
        };
        let record = Content::Counter(CounterModel { ceiling, latest, ..counter });
        Ok((Some(number), Some(record)))
    }

    pub(super) fn open(&mut self, purpose: Purpose, open: Open) {
        if !open.rescue {
            self.next = self.next.and_then(|number| number.value().checked_add(1)).map(Counter::new);
        }
        if open.backwards {
            // How old the others are, nobody can say.
            self.sessions.clear();
            self.ticks = open.ticks;
        } else {
            // What is reported late was asked for before what came meanwhile: no step backwards.
            self.ticks = self.ticks.max(open.ticks);
        }
        self.sessions.insert(purpose, open);
    }

    /// Spends a session: it must be the newest, in time, and the ticks must not have gone backwards.
    pub(super) fn spend(&mut self, purpose: Purpose, session: u64, ticks: u64) -> Result<Open, LockError> {
        let newest = self.sessions.get(&purpose).copied().filter(|open| open.id == session);
        let open = newest.ok_or(LockError::SessionSuperseded)?;
        self.sessions.remove(&purpose);
        if ticks < self.ticks {
            self.sessions.clear();
            return Err(LockError::SessionExpired);
        }
        self.ticks = ticks;
        let deadline: u64 = match purpose {
            Purpose::Install => 120_000,
            Purpose::Operate => 10_000,
        };
        if i128::from(ticks) > i128::from(open.ticks).saturating_add(i128::from(deadline)) {
            return Err(LockError::SessionExpired);
        }
        Ok(open)
    }
}

/// Whether the present owner set the clock.
pub(super) fn is_set(header: HeaderModel, counter: CounterModel) -> bool {
    header != HeaderModel::Unprovisioned && header.epoch() == counter.set_in
}

fn so_or(result: Result<Verdict, LockError>) -> Verdict {
    result.unwrap_or_else(|why| Verdict::Refused { why, answer: None })
}
