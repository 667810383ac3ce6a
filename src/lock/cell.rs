//! One cell in memory: what it holds, and what it waits for.

use super::record::Stored;
use crate::error::LockError;

/// How a cell stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Condition {
    /// What it holds is known.
    Ready,
    /// It was not read yet: reload it. Until then, what needs it is refused as busy.
    Unread,
    /// A [`Pending`](super::Pending) holds it. Reload it only where that was lost and its write, if it
    /// has one, can take effect no more. Until then, what needs it is refused as busy.
    Pending,
    /// A write through [`commit`](super::Staged::commit) failed or was cancelled: once it can take
    /// effect no more, reload it. Until then, what needs it is refused as busy.
    Failed,
    /// What was read is missing, foreign, damaged or older than what this run knew.
    Damaged,
}

/// One cell: its content, and whether a write holds it.
#[derive(Debug)]
pub(crate) struct CellState<T> {
    /// As last written, or read soundly; `None` before either.
    pub(super) content: Option<T>,
    /// What was read last was no sound record. `content` stays, to know an older copy by.
    pub(super) damaged: bool,
    pub(super) hold: Hold,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hold {
    Idle,
    /// Not read yet.
    Unread,
    /// A write through `commit` is under way, failed, or was cancelled.
    Committing,
    /// A detached operation with this ticket waits to be reported, or was lost.
    Detached(u64),
}

impl Hold {
    pub(super) const fn condition(self) -> Condition {
        match self {
            Self::Idle => Condition::Ready,
            Self::Unread => Condition::Unread,
            Self::Committing => Condition::Failed,
            Self::Detached(_) => Condition::Pending,
        }
    }
}

impl<T> CellState<T> {
    pub(crate) const fn unread() -> Self {
        Self { content: None, damaged: false, hold: Hold::Unread }
    }

    pub(crate) const fn known(content: T) -> Self {
        Self { content: Some(content), damaged: false, hold: Hold::Idle }
    }

    pub(super) const fn is_idle(&self) -> bool {
        matches!(self.hold, Hold::Idle)
    }

    /// The content, or `damaged`.
    pub(super) fn ready(&self, damaged: LockError) -> Result<&T, LockError> {
        if !self.is_idle() {
            //= spec/protocol.md#persist-then-act
            //# STG-4. A busy cell MUST refuse every operation that needs it until it was read again from the store.
            //= spec/protocol.md#persist-then-act
            //# STG-12. A held cell MUST refuse every operation that needs it, as a busy one does.
            return Err(LockError::Busy);
        }
        //= spec/protocol.md#damage
        //# DMG-7. A cell that was found damaged MUST NOT be used again in its epoch unless its record is read again, sound and not older than known.
        self.content.as_ref().filter(|_| !self.damaged).ok_or(damaged)
    }

    pub(super) fn condition(&self) -> Condition {
        match self.hold {
            Hold::Idle if self.damaged => Condition::Damaged,
            hold => hold.condition(),
        }
    }

    pub(super) fn set(&mut self, content: T) {
        (self.content, self.damaged) = (Some(content), false);
    }
}

impl<T: Stored> CellState<T> {
    /// Takes what the store holds now. Only a cell that is held or damaged has anything to reload.
    pub(super) fn reload(&mut self, read: Option<T>) -> Result<(), LockError> {
        let read = self.accept(read)?;
        self.hold = Hold::Idle;
        match read {
            //= spec/protocol.md#damage
            //# DMG-7. A cell that was found damaged MUST NOT be used again in its epoch unless its record is read again, sound and not older than known.
            Some(read) => self.set(read),
            //= spec/protocol.md#damage
            //# DMG-4. A damaged record MUST NOT be read as a fresh one.
            None => self.damaged = true,
        }
        Ok(())
    }

    /// What was read, unless it is older than what is known.
    pub(super) fn accept(&self, read: Option<T>) -> Result<Option<T>, LockError> {
        if self.is_idle() && !self.damaged {
            //= spec/protocol.md#persist-then-act
            //# STG-13. A cell that is neither held, busy nor damaged MUST NOT be read again.
            return Err(LockError::NotBusy);
        }
        //= spec/protocol.md#operations
        //# OPR-13. An epoch, a counter and, within an epoch, a floor MUST NOT go down.
        //= spec/protocol.md#damage
        //# DMG-6. A record read back that is older than the newest one known since boot MUST be taken for damaged.
        Ok(read.filter(|read| !self.content.as_ref().is_some_and(|known| read.is_older_than(known))))
    }
}
