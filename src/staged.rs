//! Persist, then act, for the owner's view and the service's record: what an operation gives exists
//! only after the state that it belongs to was stored. (The lock has its own,
//! [`lock::Staged`](crate::lock::Staged), which also holds the cell that is written.)

/// A decided operation: the state that it leaves, and a `T` that is only given once that is stored.
///
/// Dropped before [`commit`](Self::commit): nothing happened.
#[must_use = "nothing happens until it is committed"]
#[derive(Debug)]
pub struct Staged<'s, S, T> {
    state: &'s mut S,
    next: S,
    output: T,
}

impl<'s, S, T> Staged<'s, S, T> {
    pub(crate) const fn new(state: &'s mut S, next: S, output: T) -> Self {
        Self { state, next, output }
    }

    /// The state that is to be stored.
    #[must_use]
    pub const fn next(&self) -> &S {
        &self.next
    }

    /// Stores the next state through `put`, then gives the result. Where `put` fails, the state in
    /// memory stays as it was: read it again from the store before deciding again.
    ///
    /// # Errors
    /// Whatever `put` fails with.
    pub fn commit<E>(self, put: impl FnOnce(&S) -> Result<(), E>) -> Result<T, E> {
        //= spec/protocol.md#service
        //# SVC-4. The service MUST NOT give out a Release or a Withdrawn before the store accepted the record that it belongs to.
        //= spec/protocol.md#owner
        //# OWN-8. The owner MUST store the number that a grant or a command takes before the message exists for anybody else.
        put(&self.next)?;
        *self.state = self.next;
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
        put(&self.next).await?;
        *self.state = self.next;
        Ok(self.output)
    }
}
