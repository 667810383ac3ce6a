use serde::{Deserialize, Serialize};

use super::WireError;
use crate::form::byte_or_name;

/// Declares the reasons, with the byte of each.
macro_rules! reasons {
    ({$d:tt} $(#[$meta:meta])* {
        $( $byte:literal $variant:ident: $text:literal, $fault:ident, $retry:ident; )*
    }) => {
        errors! { {$d} "Refused" $(#[$meta])* RefuseReason { $( $variant: $text, $fault, $retry; )* } }

        impl RefuseReason {
            /// Every reason.
            pub const ALL: &[Self] = &[ $( Self::$variant, )* ];

            /// Each byte and its name.
            pub(crate) const NAMES: &[(u8, &str)] = &[ $( ($byte, stringify!($variant)), )* ];
        }

        impl From<RefuseReason> for u8 {
            fn from(reason: RefuseReason) -> Self {
                match reason { $( RefuseReason::$variant => $byte, )* }
            }
        }

        impl TryFrom<u8> for RefuseReason {
            type Error = WireError;

            fn try_from(byte: u8) -> Result<Self, WireError> {
                //= spec/protocol.md#encoding
                //# MSG-6. A decoder MUST refuse a tag byte, an enumeration byte or a flag bit that version 1 does not define.
                //= spec/protocol.md#errors-and-refusals
                //# ERR-3. A reason byte MUST be one of the table.
                match byte { $( $byte => Ok(Self::$variant), )* _ => Err(WireError::Value) }
            }
        }
    };
}

reasons! { {$}
    /// Why the lock refused, as it tells whoever has authenticated. One byte.
    #[derive(Serialize, Deserialize)]
    #[serde(remote = "Self")]
    #[non_exhaustive]
    {
        1  Busy:               "the lock cannot now: it writes a record or must read it again, or its provider failed",
                                                                                          Lock,  NewChallenge;
        2  StaleGeneration:    "the grant was overwritten or its slot closed since",      Owner, FetchGrant;
        3  NoClock:            "the lock has no clock",                                   Lock,  AskOwner;
        4  ClockUnset:         "the lock's clock is not set",                             Lock,  SetClock;
        5  NotYetValid:        "the key is not valid yet",                                Guest, WithinLimits;
        6  Expired:            "the key has expired",                                     Guest, WithinLimits;
        7  OutsideSchedule:    "outside the key's schedule",                              Guest, WithinLimits;
        8  UsesSpent:          "the key's uses are spent",                                Guest, AskOwner;
        9  ActionNotAllowed:   "the key has no right to this action",                     Guest, AskOwner;
        10 StaleNumber:        "the number is not above the slot's floor",                Owner, Inspect;
        11 NoSuchSlot:         "the lock has no such slot",                               Owner, OtherInput;
        12 SlotDamaged:        "the slot's record is damaged",                            Lock,  TakeOver;
        13 BadKey:             "a key to be stored is not a good key",                    Owner, OtherInput;
        14 AlreadyProvisioned: "the lock is already provisioned",                         Owner, AskOwner;
        15 Exhausted:          "a counter is at its end",                                 Lock,  TakeOver;
        16 NonContributory:    "the guest's X25519 key does not contribute",              Guest, NewChallenge;
        17 SlotInactive:       "the slot is not active",                                  Owner, AskOwner;
        18 WrongEpoch:         "meant for another epoch",                                 Owner, AskOwner;
    }
}

byte_or_name!(RefuseReason);
