use super::view::OwnedLock;

/// The view of an ownership that a phone comes to, not stored yet: of a lock that was provisioned, handed over or taken
/// over.
#[must_use = "it is a view only once it is stored"]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewView(OwnedLock);

impl NewView {
    pub(super) const fn new(view: OwnedLock) -> Self {
        Self(view)
    }

    /// What it says: by whose lock and owner to look in the store.
    #[must_use]
    pub const fn view(&self) -> &OwnedLock {
        &self.0
    }

    /// Stores it through `put`, and gives the view to go on with. `held` is what the store holds of this lock for this
    /// owner, if anything.
    ///
    /// A view of the same ownership knows more than a new one (the same card provisions a lock again in its first
    /// epoch, with keys installed), and one of a later ownership is newer: it is given back, and nothing is stored.
    ///
    /// # Errors
    /// Whatever `put` fails with.
    pub fn put_new<E>(
        self,
        held: Option<OwnedLock>,
        put: impl FnOnce(&OwnedLock) -> Result<(), E>,
    ) -> Result<OwnedLock, E> {
        let Self(mut new) = self;
        if let Some(held) = held.filter(|held| held.is_of(&new)) {
            //= spec/protocol.md#owner
            //# OWN-37. A view MUST NOT be stored in place of another of the same lock and owner whose epoch is not lower.
            if held.epoch >= new.epoch {
                return Ok(held);
            }
            new.version = held.version.saturating_add(1);
        }
        put(&new)?;
        Ok(new)
    }
}

impl OwnedLock {
    /// Whether it is the next version of what a store `held` of this lock for this owner, or the same again: whether the
    /// store may take it in its place. Ask in the transaction that writes it, and have the commit fail where it is not so:
    /// somebody else changed the view meanwhile.
    #[must_use]
    pub fn follows(&self, held: Option<&Self>) -> bool {
        let held = held.filter(|held| held.is_of(self));
        //= spec/protocol.md#owner
        //# OWN-38. A view MUST be stored only in place of the version that it was made from.
        held == Some(self) || held.map_or(0, Self::version).checked_add(1) == Some(self.version)
    }

    /// Whether it is of the same lock and owner.
    fn is_of(&self, other: &Self) -> bool {
        (self.lock, self.owner) == (other.lock, other.owner)
    }
}
