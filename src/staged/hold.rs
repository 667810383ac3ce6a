//! One change at a time waits for its store.

use serde::{Deserializer, Serializer};

use crate::secret::{Expose, HoldsSecret};

// Where the target has no atomics there is one thread.
#[cfg(not(target_has_atomic = "ptr"))]
pub(crate) use alloc::rc::Rc as Counted;
#[cfg(target_has_atomic = "ptr")]
pub(crate) use alloc::sync::Arc as Counted;

// What copies of a state share may be a secret.
impl<T: Expose> Expose for Counted<T> {
    fn write_plain<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        T::write_plain(self, serializer)
    }
}

impl<T: HoldsSecret> HoldsSecret for Counted<T> {
    const KIND: &'static str = T::KIND;

    fn read_plain<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read_plain(deserializer).map(Self::new)
    }
}

/// That a change of a state waits for its store, and which. It belongs to the copy in memory and not to what that says:
/// it is neither stored nor compared.
#[derive(Clone, Debug, Default)]
pub struct Hold(Option<Ticket>);

/// Which change it is: no other has the same as long as somebody holds it.
pub(super) type Ticket = Counted<()>;

impl Hold {
    /// Whether a change waits.
    pub(crate) const fn is_held(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn take(&mut self) -> Ticket {
        Counted::clone(self.0.insert(Counted::new(())))
    }

    /// Lets go, if this is the change that waits.
    pub(super) fn release(&mut self, ticket: &Ticket) -> bool {
        let waits = self.0.as_ref().is_some_and(|held| Counted::ptr_eq(held, ticket));
        if waits {
            self.0 = None;
        }
        waits
    }
}

impl PartialEq for Hold {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Hold {}

/// A state that is stored whole: [`OwnedLock`](crate::owner::OwnedLock),
/// [`ShareRecord`](crate::service::ShareRecord) and [`LockRecord`](crate::service::LockRecord), and no other.
pub trait Held {
    #[doc(hidden)]
    fn hold(&mut self) -> &mut Hold;
}
