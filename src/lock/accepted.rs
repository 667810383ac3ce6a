//! Persist, then act (spec: "Persist, then act").

use core::marker::PhantomData;

use super::memory::{Change, Memory};
use super::plan::{FromPlan, Plan, Planned};
use super::record::{Cell, Record};
use super::step::{Answer, fill};
use crate::id::LockId;

/// An accepted operation, whose result exists only after its record, if it has one, was written.
///
/// Dropped before the write: nothing happened, and the session that it used is spent. A write that
/// fails, panics or is cancelled half-way leaves the cell busy until
/// [`Lock::reload`](super::Lock::reload); answer nothing then, for it is not known whether it happened.
///
/// A write that failed or was cancelled must never take effect later: the store has to make sure
/// of that before the cell is read again (spec: "The store's contract").
#[must_use = "nothing happens until it is committed"]
pub struct Accepted<'l, T> {
    memory: Memory<'l>,
    plan: Planned<'l>,
    result: PhantomData<fn() -> T>,
}

/// An accepted operation that waits for its record to be written elsewhere
/// ([`Accepted::detach`], [`Lock::written`](super::Lock::written)).
///
/// It holds its cell, record or not, dropped or not: until the write is reported or the cell is
/// reloaded, what needs the cell is refused.
#[must_use = "its cell stays held until the write is reported"]
pub struct Pending<T> {
    pub(super) ticket: (LockId, u64),
    pub(super) change: Change,
    pub(super) output: T,
}

impl<'l, T> Accepted<'l, T> {
    pub(super) const fn new(memory: Memory<'l>, plan: Planned<'l>) -> Self {
        Self { memory, plan, result: PhantomData }
    }

    /// What was decided, to see what has to be done before the write.
    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The record that has to be written, or `None` where nothing has to. To look at only: write it
    /// through [`commit`](Self::commit) or [`detach`](Self::detach), or the lock does not know of it.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        self.plan.change.write().map(|_| &self.plan.record)
    }

    /// The cell that the operation holds until it is through.
    #[must_use]
    pub fn cell(&self) -> Cell {
        self.plan.change.cell()
    }
}

impl<T: FromPlan> Accepted<'_, T> {
    /// Writes the record through `put`, if there is one, then gives the result. `put` returns once
    /// the record is durable.
    ///
    /// # Errors
    /// Whatever `put` fails with. The cell is busy then.
    pub fn commit<E>(mut self, put: impl FnOnce(&Record) -> Result<(), E>) -> Result<T, E> {
        self.store(put)?;
        Ok(self.output())
    }

    /// [`commit`](Self::commit), and the message goes to its place.
    pub(super) fn commit_into<E>(
        mut self,
        answer: &mut Answer,
        put: impl FnOnce(&Record) -> Result<(), E>,
    ) -> Result<T, E> {
        self.store(put)?;
        fill(answer, &self.plan.answer);
        Ok(self.output())
    }

    fn store<E>(&mut self, put: impl FnOnce(&Record) -> Result<(), E>) -> Result<(), E> {
        // Held before the call, so that a panic in it leaves the cell busy too.
        //= spec/protocol.md#persist-then-act
        //# STG-3. A write that fails, or of which it is unknown whether it succeeded, MUST leave its cell busy.
        self.memory.hold_for_commit(self.cell());
        if let Some(record) = self.record() {
            //= spec/protocol.md#persist-then-act
            //# STG-1. The result of an accepted operation MUST NOT be given to the caller before its record was stored.
            put(record)?;
        }
        //= spec/protocol.md#persist-then-act
        //# STG-9. An operation that was dropped before its write began MUST change nothing but its session.
        self.memory.apply(&self.plan.change);
        Ok(())
    }

    /// [`commit`](Self::commit) for an asynchronous store. Cancelled half-way: as if it had failed.
    ///
    /// # Errors
    /// Whatever `put` fails with. The cell is busy then.
    pub async fn commit_async<E>(mut self, put: impl AsyncFnOnce(&Record) -> Result<(), E>) -> Result<T, E> {
        //= spec/protocol.md#persist-then-act
        //# STG-3. A write that fails, or of which it is unknown whether it succeeded, MUST leave its cell busy.
        self.memory.hold_for_commit(self.cell());
        if let Some(record) = self.record() {
            //= spec/protocol.md#persist-then-act
            //# STG-1. The result of an accepted operation MUST NOT be given to the caller before its record was stored.
            put(record).await?;
        }
        self.memory.apply(&self.plan.change);
        Ok(self.output())
    }

    /// Takes the operation off the lock, for stores that call back: write the record, then report
    /// with [`Lock::written`](super::Lock::written). Where there is no record, report at once, or
    /// give it up with [`Lock::abandon`](super::Lock::abandon).
    pub fn detach(mut self) -> (Option<Record>, Pending<T>) {
        //= spec/protocol.md#persist-then-act
        //# STG-3. A write that fails, or of which it is unknown whether it succeeded, MUST leave its cell busy.
        //= spec/protocol.md#persist-then-act
        //# STG-5. An accepted operation whose result is not taken yet MUST hold its cell, whether it writes a record or not.
        let ticket = self.memory.hold_detached(&self.plan.change);
        // Copied, for what is moved out would stay where it stood: only what is dropped there is wiped.
        let record = self.record().map(Record::copied);
        (record, Pending { ticket, change: self.plan.change.copied(), output: self.output() })
    }

    fn output(&self) -> T {
        T::from_plan(&self.plan, self.memory.core.id)
    }
}

impl<T> Pending<T> {
    /// The cell that the operation holds until it is reported written or abandoned.
    #[must_use]
    pub const fn cell(&self) -> Cell {
        self.change.cell()
    }
}

// Neither shows its result, which does not exist yet.

impl<T> core::fmt::Debug for Accepted<'_, T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Accepted({:?})", self.cell())
    }
}

impl<T> core::fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Pending({:?})", self.cell())
    }
}
