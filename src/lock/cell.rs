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
    /// A write through [`commit`](super::Accepted::commit) failed or was cancelled: once it can take
    /// effect no more, reload it. Until then, what needs it is refused as busy.
    Failed,
    /// What was read is missing, foreign, damaged or older than what this run knew.
    Damaged,
}

/// One cell: what is known of its content, and what it waits for.
#[derive(Debug)]
pub(crate) struct CellState<T: Stored> {
    known: Known<T>,
    /// Beside the content, so that to hold a cell does not move the key in it.
    wait: Option<Wait>,
    /// What is known follows from the header alone: the cell's own record was damaged when the epoch began.
    lacking: bool,
}

/// What is known of a cell's content.
#[derive(Debug)]
pub(crate) enum Known<T: Stored> {
    /// As last written, or read soundly.
    Sound(T),
    /// What was read last was no sound record, or nothing was read yet. What this run knew before, an older copy is
    /// known by; its keys are not kept.
    Damaged(Option<T::Age>),
}

/// What a cell waits for; what needs it is refused until then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wait {
    /// To be read.
    Reading,
    /// A write through `commit`, which is under way, failed, or was cancelled.
    Committing,
    /// A detached operation with this ticket to be reported, or one that was lost.
    Detached(u64),
}

impl<T: Stored> CellState<T> {
    pub(crate) const fn unread() -> Self {
        Self { known: Known::Damaged(None), wait: Some(Wait::Reading), lacking: false }
    }

    pub(crate) const fn sound(content: T) -> Self {
        Self { known: Known::Sound(content), wait: None, lacking: false }
    }

    pub(super) const fn wait(&mut self) -> &mut Option<Wait> {
        &mut self.wait
    }

    pub(super) const fn is_idle(&self) -> bool {
        self.wait.is_none()
    }

    /// What it holds, busy or not.
    pub(super) const fn content(&self) -> Option<&T> {
        match &self.known {
            Known::Sound(content) => Some(content),
            Known::Damaged(_) => None,
        }
    }

    /// What it holds, or `damaged`.
    pub(super) const fn ready(&self, damaged: LockError) -> Result<&T, LockError> {
        match (&self.wait, &self.known) {
            //= spec/protocol.md#persist-then-act
            //# STG-4. A busy cell MUST refuse every operation that needs it until it was read again from the store.
            //= spec/protocol.md#persist-then-act
            //# STG-12. A held cell MUST refuse every operation that needs it, as a busy one does.
            (Some(_), _) => Err(LockError::Busy),
            (None, Known::Sound(content)) => Ok(content),
            //= spec/protocol.md#damage
            //# DMG-7. A cell that was found damaged MUST NOT be used again in its epoch unless its record is read again, sound and not older than known.
            (None, Known::Damaged(_)) => Err(damaged),
        }
    }

    pub(super) const fn condition(&self) -> Condition {
        match (&self.wait, &self.known) {
            (Some(Wait::Reading), _) => Condition::Unread,
            (Some(Wait::Committing), _) => Condition::Failed,
            (Some(Wait::Detached(_)), _) => Condition::Pending,
            (None, Known::Sound(_)) => Condition::Ready,
            (None, Known::Damaged(_)) => Condition::Damaged,
        }
    }

    pub(super) fn set(&mut self, content: T) {
        self.known = Known::Sound(content);
        self.lacking = false;
    }

    /// What it holds now, whatever its record says, by a write of another cell.
    pub(super) fn overrule(&mut self, content: T) {
        self.lacking |= self.content().is_none();
        self.known = Known::Sound(content);
    }

    /// Whether the store has no sound record of what it holds.
    pub(super) const fn is_lacking(&self) -> bool {
        self.lacking
    }

    pub(super) fn damage(&mut self) {
        self.known = Known::Damaged(self.age());
        self.lacking = false;
    }

    /// How old what is known is.
    pub(super) fn age(&self) -> Option<T::Age> {
        match &self.known {
            Known::Sound(content) => Some(content.age()),
            Known::Damaged(age) => *age,
        }
    }

    /// What it holds is not what was written last: there is something to read.
    pub(super) fn read_again(&mut self) {
        self.wait.get_or_insert(Wait::Reading);
    }

    /// Takes what the store holds now. Only a cell that waits or is damaged has anything to read.
    pub(super) fn reload(&mut self, read: Option<T>) -> Result<(), LockError> {
        if let Some(read) = self.accept(read)? {
            //= spec/protocol.md#damage
            //# DMG-7. A cell that was found damaged MUST NOT be used again in its epoch unless its record is read again, sound and not older than known.
            self.set(read);
        }
        Ok(())
    }

    /// The same, up to taking it: what is to be set, where it is sound and not older than known.
    pub(super) fn accept(&mut self, read: Option<T>) -> Result<Option<T>, LockError> {
        if let (None, Known::Sound(_)) = (&self.wait, &self.known) {
            //= spec/protocol.md#persist-then-act
            //# STG-13. A cell that is neither held, busy nor damaged MUST NOT be read again.
            return Err(LockError::NotBusy);
        }
        self.wait = None;
        //= spec/protocol.md#operations
        //# OPR-13. An epoch, a counter and, within an epoch, a floor MUST NOT go down.
        //= spec/protocol.md#damage
        //# DMG-6. A record read back that is older than the newest one known since boot MUST be taken for damaged.
        let read = read.filter(|read| self.age().is_none_or(|known| !T::is_older(read.age(), known)));
        if read.is_none() {
            //= spec/protocol.md#damage
            //# DMG-4. A damaged record MUST NOT be read as a fresh one.
            self.damage();
        }
        Ok(read)
    }
}
