//! The numbers that only ever rise: [`Epoch`], [`Generation`], [`Term`] and [`Counter`].
//!
//! Each is ordered, checked and never wraps: at the top, `next` gives `None` and the operation that
//! needed a further number is refused.

use serde::{Deserialize, Serialize};

macro_rules! rising {
    ($(#[$doc:meta])* $name:ident($int:ty)) => {
        $(#[$doc])*
        //= spec/protocol.md#encoding
        //# MSG-14. A party MUST compare numbers without wrapping.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
        pub struct $name(#[serde(with = "crate::form::number")] $int);

        impl $name {
            /// The number below every number that is ever used.
            pub const ZERO: Self = Self(0);
            /// The last number.
            pub const MAX: Self = Self(<$int>::MAX);

            /// The number with this value.
            #[must_use]
            pub const fn new(value: $int) -> Self {
                Self(value)
            }

            /// The value as an integer.
            #[must_use]
            pub const fn value(self) -> $int {
                self.0
            }

            /// The next number, or `None` after the last.
            #[must_use]
            pub const fn next(self) -> Option<Self> {
                match self.0.checked_add(1) {
                    Some(value) => Some(Self(value)),
                    None => None,
                }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

rising! {
    /// Which ownership of a lock: 1 after provisioning, one more with each transfer. 4 bytes on the wire.
    Epoch(u32)
}

rising! {
    /// The overwrite counter of one slot in one epoch. Every grant and every activation or
    /// deactivation of the slot takes the next one; 0 is the floor of a slot that nothing has
    /// touched. 4 bytes on the wire.
    Generation(u32)
}

rising! {
    /// Who signs for a lock: the owner, or a steward by the number of his appointment. 4 bytes on the wire.
    Term(u32)
}

rising! {
    /// The lock's replay counter: every challenge takes the next one. 8 bytes in the record.
    Counter(u64)
}

impl Epoch {
    /// The epoch that provisioning begins.
    pub const FIRST: Self = Self(1);
}

impl Term {
    /// The owner, who needs no appointment.
    pub const OWNER: Self = Self(0);
}

impl Counter {
    /// This counter moved on by `by`, or `None` past the last.
    #[must_use]
    pub const fn checked_add(self, by: u64) -> Option<Self> {
        match self.0.checked_add(by) {
            Some(value) => Some(Self(value)),
            None => None,
        }
    }
}
