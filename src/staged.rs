//! Persist, then act, for the owner's view and the service's record: what an operation gives exists
//! only after the state that it belongs to was stored. (The lock has its own,
//! [`lock::Accepted`](crate::lock::Accepted), which also holds the cell that is written.)
//!
//! | the store | the call |
//! |---|---|
//! | returns once it has stored | [`Staged::commit`] |
//! | is awaited | [`Staged::commit_async`] |
//! | calls back (IndexedDB, Core Data, Room) | [`Staged::detach`], then [`Detached::stored`] |

mod hold;

pub use self::hold::Held;
use self::hold::Ticket;
pub(crate) use self::hold::{Counted, Hold};
use crate::error::NotPending;

/// A decided operation: the state that it leaves, and a `T` that is only given once that is stored.
///
/// Dropped before [`commit`](Self::commit): nothing happened.
#[must_use = "nothing happens until it is committed"]
#[derive(Debug)]
pub struct Staged<'s, S, T> {
    state: &'s mut S,
    /// `None` where nothing changed.
    next: Option<S>,
    output: T,
}

impl<'s, S, T> Staged<'s, S, T> {
    pub(crate) const fn new(state: &'s mut S, next: S, output: T) -> Self {
        Self { state, next: Some(next), output }
    }

    /// An operation that changed nothing: what the store holds is what it would hold afterwards.
    pub(crate) const fn unchanged(state: &'s mut S, output: T) -> Self {
        Self { state, next: None, output }
    }

    /// The same operation with another result, which exists no sooner.
    pub(crate) fn map<U>(self, other: impl FnOnce(T) -> U) -> Staged<'s, S, U> {
        let Self { state, next, output } = self;
        Staged { state, next, output: other(output) }
    }

    /// The state before: what the store holds now, and an index of it still says.
    #[must_use]
    pub const fn before(&self) -> &S {
        self.state
    }

    /// The state that is to be stored.
    #[must_use]
    pub const fn next(&self) -> &S {
        match &self.next {
            Some(next) => next,
            None => self.state,
        }
    }

    /// Whether there is anything to store. Where there is not, the state is as it was read from the store, and a commit
    /// asks for no write.
    #[must_use]
    pub const fn writes(&self) -> bool {
        self.next.is_some()
    }

    pub(crate) const fn output(&self) -> &T {
        &self.output
    }

    #[cfg(feature = "alloc")]
    pub(crate) fn into_output(self) -> T {
        self.output
    }

    /// Stores the next state through `put`, if it is [another](Self::writes), then gives the result. Where `put` fails, the state in
    /// memory stays as it was: read it again from the store before deciding again.
    ///
    /// # Errors
    /// Whatever `put` fails with.
    pub fn commit<E>(self, put: impl FnOnce(&S) -> Result<(), E>) -> Result<T, E> {
        //= spec/protocol.md#service
        //# SVC-4. The service MUST NOT give out a Release or a Withdrawn before the store accepted the record that it belongs to.
        //= spec/protocol.md#owner
        //# OWN-8. The owner MUST store the number that a grant or a command takes before the message exists for anybody else.
        if let Some(next) = self.next {
            put(&next)?;
            *self.state = next;
        }
        Ok(self.output)
    }

    /// [`commit`](Self::commit) for an asynchronous store. Cancelled half-way, the state in memory
    /// stays as it was.
    ///
    /// # Errors
    /// Whatever `put` fails with.
    pub async fn commit_async<E>(self, put: impl AsyncFnOnce(&S) -> Result<(), E>) -> Result<T, E> {
        //= spec/protocol.md#service
        //# SVC-4. The service MUST NOT give out a Release or a Withdrawn before the store accepted the record that it belongs to.
        //= spec/protocol.md#owner
        //# OWN-8. The owner MUST store the number that a grant or a command takes before the message exists for anybody else.
        if let Some(next) = self.next {
            put(&next).await?;
            *self.state = next;
        }
        Ok(self.output)
    }
}

impl<S: Held + Clone, T> Staged<'_, S, T> {
    /// Takes the operation off the state, for stores that call back: store [`Detached::next`], and report it with
    /// [`Detached::stored`], which gives the result.
    ///
    /// Until then the state is held, whatever becomes of the [`Detached`]: it can be looked at, and every further
    /// operation on it is refused ([`OwnerError::Busy`](crate::error::OwnerError::Busy),
    /// [`ServiceError::Busy`](crate::error::ServiceError::Busy)). Two that were decided on the same state would take the
    /// same number, and the later write would undo the earlier one.
    pub fn detach(self) -> Detached<S, T> {
        let Self { state, next, output } = self;
        let next = next.unwrap_or_else(|| state.clone());
        Detached { ticket: state.hold().take(), next, output }
    }
}

/// A decided operation that waits for its store ([`Staged::detach`]).
///
/// Dropped, its result never exists; the state stays held, for it is not known whether it was stored. Read it again
/// from the store then: what was read is held by nothing.
#[must_use = "the state stays held until it is reported stored"]
pub struct Detached<S, T> {
    ticket: Ticket,
    next: S,
    output: T,
}

impl<S: Held, T> Detached<S, T> {
    /// The state that is to be stored.
    #[must_use]
    pub const fn next(&self) -> &S {
        &self.next
    }

    /// The store has it: moves the state on, lets go of it, and gives the result.
    ///
    /// # Errors
    /// [`NotPending`] where `state` does not wait for this write: it was read again since, or is another one. The result
    /// is gone then, and `state` is as it was.
    pub fn stored(self, state: &mut S) -> Result<T, NotPending> {
        //= spec/protocol.md#service
        //# SVC-4. The service MUST NOT give out a Release or a Withdrawn before the store accepted the record that it belongs to.
        //= spec/protocol.md#owner
        //# OWN-8. The owner MUST store the number that a grant or a command takes before the message exists for anybody else.
        let Self { ticket, next, output } = self;
        if !state.hold().release(&ticket) {
            return Err(NotPending);
        }
        *state = next;
        Ok(output)
    }

    /// The store has not taken it, and never will: lets go of the state, as if nothing had been decided. Where that is
    /// not known, read the state again instead.
    ///
    /// # Errors
    /// [`NotPending`], as for [`stored`](Self::stored).
    pub fn abandon(self, state: &mut S) -> Result<(), NotPending> {
        if state.hold().release(&self.ticket) { Ok(()) } else { Err(NotPending) }
    }
}

// Does not show its result, which does not exist yet.
impl<S: core::fmt::Debug, T> core::fmt::Debug for Detached<S, T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Detached").field("next", &self.next).finish_non_exhaustive()
    }
}
