//! What an owner can order at a lock, one row an operation.

use serde::{Deserialize, Serialize};

use super::SlotReport;
use crate::counter::Generation;
use crate::crypto::PublicKey;
use crate::id::{SlotCount, SlotId};
use crate::limits::{Action, Timestamp};
use crate::wire::tagged;

/// Declares what a Command orders and what its Done says, by one table. A row: its tag, its name, for one that is about a
/// slot the names of that slot and of what is left in it, its fields, what only the Done says, and its words.
macro_rules! operations {
    ($(
        $(#[$doc:meta])*
        $tag:literal = $name:ident $(($slot:ident => $left:ident))? {
            $( $(#[$fdoc:meta])* $field:ident: $ty:ty, )*
        } $( says { $( $(#[$sdoc:meta])* $said:ident: $sty:ty, )* } )? $words:literal,
    )*) => {
        tagged! {
            /// What the owner orders at the lock. Shown in words.
            #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
            pub enum Operation {
                $( $(#[$doc])* $tag = $name {
                    $( #[doc = "The slot."] $slot: SlotId, )?
                    $( $(#[$fdoc])* $field: $ty, )*
                }, )*
            }
        }

        tagged! {
            /// An operation that the lock carried out, and what it left.
            #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
            pub enum Completed {
                $( $(#[$doc])* $tag = $name {
                    $( #[doc = "The slot."] $slot: SlotId, )?
                    $( $(#[$fdoc])* $field: $ty, )*
                    $( $( $(#[$sdoc])* $said: $sty, )* )?
                    $( #[doc = "What the slot holds afterwards."] $left: SlotReport, )?
                }, )*
            }
        }

        impl Operation {
            /// The slot that it is about; `None` where it is about the lock.
            #[must_use]
            pub fn slot(&self) -> Option<SlotId> {
                match *self {
                    $( Self::$name { $( $slot, )? .. } => <[SlotId]>::first(&[$($slot)?]).copied(), )*
                }
            }
        }

        impl Completed {
            /// The operation that was ordered.
            #[must_use]
            pub const fn operation(&self) -> Operation {
                match *self {
                    $( Self::$name { $( $slot, )? $( $field, )* .. } => {
                        Operation::$name { $( $slot, )? $( $field, )* }
                    } )*
                }
            }

            /// How many slots the lock has, where it says so.
            #[must_use]
            pub const fn slots(&self) -> Option<SlotCount> {
                match *self {
                    Self::Transfer { slots, .. } | Self::Inspect { slots, .. } => Some(slots),
                    _ => None,
                }
            }

            /// The slot that it is about, and what that holds afterwards; `None` where it is about the lock.
            #[must_use]
            pub fn left(&self) -> Option<(SlotId, SlotReport)> {
                match *self {
                    $( Self::$name { $( $slot, $left, )? .. } => {
                        <[(SlotId, SlotReport)]>::first(&[$(($slot, $left))?]).copied()
                    } )*
                }
            }
        }

        impl core::fmt::Display for Operation {
            #[allow(unused_variables, reason = "words need not say all of it")]
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self {
                    $( Self::$name { $( $slot, )? $( $field, )* } => write!(f, $words), )*
                }
            }
        }
    };
}

operations! {
    /// Open a slot for sharing; wipes what is installed there.
    1 = Activate(slot => left) {
        /// A number above the slot's floor; becomes the floor.
        generation: Generation,
    } "activate slot {slot} with number {generation}",

    /// Close a slot; wipes what is installed there.
    2 = Deactivate(slot => left) {
        /// A number above the slot's floor; becomes the floor.
        generation: Generation,
    } "deactivate slot {slot} with number {generation}",

    /// Hand the lock to an owner and a service: ends the epoch. The Done carries the new one.
    3 = Transfer {
        /// The new owner's key.
        owner: PublicKey,
        /// The new service's key.
        service: PublicKey,
    } says {
        /// How many slots the lock has.
        slots: SlotCount,
    } "transfer",

    /// Set the lock's clock.
    4 = SetClock {
        /// The time now.
        to: Timestamp,
    } "set the clock to {to}",

    /// Move the bolt.
    5 = Act {
        /// Which way.
        action: Action,
    } "{action}",

    /// State what a slot holds.
    6 = Inspect(slot => left) {} says {
        /// How many slots the lock has.
        slots: SlotCount,
    } "inspect slot {slot}",
}
