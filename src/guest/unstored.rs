/// What a step made, and nobody may see before it is stored. For an app that dies in between, only what is stored has
/// happened: a claim that went out and is forgotten is another device's for ever, and a key too.
///
/// | the store | the call |
/// |---|---|
/// | returns once it has stored | [`commit`](Self::commit) |
/// | is awaited | [`commit_async`](Self::commit_async) |
/// | calls back | store [`value`](Self::value), then [`stored`](Self::stored) |
///
/// Dropped before that: nothing happened.
#[must_use = "nothing may leave before it is stored"]
#[derive(PartialEq, Eq, Debug)]
pub struct Unstored<T>(T);

impl<T> Unstored<T> {
    pub(super) const fn new(value: T) -> Self {
        Self(value)
    }

    /// What is to be stored.
    #[must_use]
    pub const fn value(&self) -> &T {
        &self.0
    }

    /// Stores the value through `put`, then gives it.
    ///
    /// # Errors
    /// Whatever `put` fails with.
    pub fn commit<E>(self, put: impl FnOnce(&T) -> Result<(), E>) -> Result<T, E> {
        //= spec/protocol.md#guest
        //# GST-18. A guest MUST store a claim, with its device's seed, before the claim exists for anybody else.
        //= spec/protocol.md#guest
        //# GST-8. A guest MUST store the pairing key before it says that the download is done.
        put(&self.0)?;
        Ok(self.0)
    }

    /// [`commit`](Self::commit) for an asynchronous store.
    ///
    /// # Errors
    /// Whatever `put` fails with.
    pub async fn commit_async<E>(self, put: impl AsyncFnOnce(&T) -> Result<(), E>) -> Result<T, E> {
        put(&self.0).await?;
        Ok(self.0)
    }

    /// The store says that it has the [value](Self::value): gives it.
    #[must_use]
    pub fn stored(self) -> T {
        self.0
    }
}
