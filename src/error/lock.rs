use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Fault, KeyError, MacMismatch, NonContributory, Retry, SealError, SignatureError, WireError};

/// Why the lock refused. Nothing changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum LockError {
    /// The request, or a part of the bundle, is not a well-formed message.
    #[error("malformed: {0}")]
    Wire(#[from] WireError),
    /// The session is not the newest for its purpose.
    #[error("a newer challenge was given")]
    SessionSuperseded,
    /// The session's deadline is over, or the ticks went backwards.
    #[error("the session's deadline is over")]
    SessionExpired,
    /// A cell that the operation needs was not read yet, waits for a write, or its write failed.
    #[error("a record is being written or must be reloaded")]
    Busy,
    /// The header or the counter is damaged: nothing but a factory reset is possible.
    #[error("the lock's records are damaged")]
    Damaged,
    /// The slot's record is damaged: it waits for the next epoch.
    #[error("the slot's record is damaged")]
    SlotDamaged,
    /// A factory reset without a hand at the button inside.
    #[error("nobody presses the button inside")]
    NoPresence,
    /// A message that is none of those that a lock takes.
    #[error("no request to a lock")]
    NoRequest,
    /// A factory reset has begun; the lock must be made anew.
    #[error("the lock is being made anew")]
    Resetting,
    /// Nobody owns the lock yet.
    #[error("the lock is not provisioned")]
    NotProvisioned,
    /// Somebody owns the lock already.
    #[error("the lock is already provisioned")]
    AlreadyProvisioned,
    /// The message is for another lock.
    #[error("meant for another lock")]
    WrongLock,
    /// The message is from another ownership.
    #[error("meant for another epoch")]
    WrongEpoch,
    /// The lock has no such slot.
    #[error("the lock has no such slot")]
    NoSuchSlot,
    /// The slot is closed.
    #[error("the slot is not active")]
    SlotInactive,
    /// The grant is not signed by this lock's owner.
    #[error("grant: {0}")]
    GrantSignature(SignatureError),
    /// The claim names another grant.
    #[error("the claim names another grant")]
    ClaimNamesOtherGrant,
    /// The claim is not signed by the grant's subject.
    #[error("claim: {0}")]
    ClaimSignature(SignatureError),
    /// The install names another claim.
    #[error("the install names another claim")]
    InstallNamesOtherClaim,
    /// The request does not carry this session's nonce.
    #[error("not an answer to this session's challenge")]
    WrongNonce,
    /// The install is not signed by the claimed device.
    #[error("install: {0}")]
    InstallSignature(SignatureError),
    /// The release names another install.
    #[error("the release names another install")]
    ReleaseNamesOtherInstall,
    /// The release is not signed by this lock's service.
    #[error("release: {0}")]
    ReleaseSignature(SignatureError),
    /// The lock can never tell time, and the key's limits need it; or its clock cannot be set.
    #[error("the lock has no clock")]
    NoClock,
    /// The grant's number is below the slot's floor, or at the floor without that very key installed.
    #[error("the grant was overwritten or its slot closed since")]
    StaleGeneration,
    /// The guest's X25519 key does not contribute.
    #[error("the guest's X25519 key does not contribute")]
    NonContributory,
    /// No key is installed in the slot.
    #[error("no key is installed in the slot")]
    NotInstalled,
    /// The unlock is not under the installed key's MAC.
    #[error("the unlock is not by the installed key")]
    UnlockMac,
    /// The key's start date has not come.
    #[error("the key is not valid yet")]
    NotYetValid,
    /// The key's end date is past.
    #[error("the key has expired")]
    Expired,
    /// The time is outside the key's schedule.
    #[error("outside the key's schedule")]
    OutsideSchedule,
    /// The limits need the time, and the lock does not know it now.
    #[error("the lock's clock is not set")]
    ClockUnset,
    /// All openings were used.
    #[error("the key's uses are spent")]
    UsesSpent,
    /// The key has no right to this action.
    #[error("the key has no right to this action")]
    ActionNotAllowed,
    /// The command is not signed by this lock's owner.
    #[error("command: {0}")]
    CommandSignature(SignatureError),
    /// The command's number is not above the slot's floor.
    #[error("the number is not above the slot's floor")]
    StaleNumber,
    /// The new owner's key is not a good key.
    #[error("owner's key: {0}")]
    OwnerKey(KeyError),
    /// The new service's key is not a good key.
    #[error("service's key: {0}")]
    ServiceKey(KeyError),
    /// The request is not under the MAC of the activation card's secret.
    #[error("not by the holder of the activation card")]
    CardMac,
    /// A counter or the epoch has no further number.
    #[error("a counter is at its end")]
    Exhausted,
    /// The lock's answer could not be made.
    #[error("the answer could not be made: {0}")]
    Seal(#[from] SealError),
    /// A pending write was reported that this cell does not wait for.
    #[error("the cell does not wait for this write")]
    NotPending,
    /// A reload of a cell that does not wait for one.
    #[error("the cell needs no reload")]
    NotBusy,
}

impl LockError {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::Wire(_)
            | Self::NoRequest
            | Self::SessionSuperseded
            | Self::SessionExpired
            | Self::WrongLock
            | Self::WrongNonce => Fault::Transport,
            Self::Busy
            | Self::Damaged
            | Self::SlotDamaged
            | Self::Resetting
            | Self::NoClock
            | Self::ClockUnset
            | Self::Exhausted
            | Self::Seal(_)
            | Self::NotPending
            | Self::NotBusy => Fault::Lock,
            Self::NotProvisioned
            | Self::AlreadyProvisioned
            | Self::WrongEpoch
            | Self::NoSuchSlot
            | Self::SlotInactive
            | Self::GrantSignature(_)
            | Self::StaleGeneration
            | Self::CommandSignature(_)
            | Self::StaleNumber
            | Self::OwnerKey(_)
            | Self::ServiceKey(_)
            | Self::NoPresence
            | Self::CardMac => Fault::Owner,
            Self::ReleaseNamesOtherInstall | Self::ReleaseSignature(_) => Fault::Service,
            Self::ClaimNamesOtherGrant
            | Self::ClaimSignature(_)
            | Self::InstallNamesOtherClaim
            | Self::InstallSignature(_)
            | Self::NonContributory
            | Self::NotInstalled
            | Self::UnlockMac
            | Self::NotYetValid
            | Self::Expired
            | Self::OutsideSchedule
            | Self::UsesSpent
            | Self::ActionNotAllowed => Fault::Guest,
        }
    }

    /// What to do.
    #[must_use]
    pub const fn retry(self) -> Retry {
        match self {
            Self::Wire(error) => match error.retry() {
                Retry::Never => Retry::Never,
                _ => Retry::NewChallenge,
            },
            Self::SessionSuperseded
            | Self::SessionExpired
            | Self::WrongNonce
            | Self::ClaimNamesOtherGrant
            | Self::InstallNamesOtherClaim
            | Self::ReleaseNamesOtherInstall => Retry::NewChallenge,
            Self::Busy => Retry::AfterReload,
            Self::Resetting => Retry::AfterMaking,
            Self::ClockUnset => Retry::WhenClockSet,
            Self::NotYetValid | Self::OutsideSchedule => Retry::WithinLimits,
            Self::StaleNumber => Retry::HigherNumber,
            Self::SlotDamaged | Self::NotProvisioned | Self::SlotInactive | Self::WrongEpoch => Retry::AfterOwnerActs,
            Self::CardMac | Self::OwnerKey(_) | Self::ServiceKey(_) | Self::NoSuchSlot | Self::NoPresence => {
                Retry::OtherInput
            }
            Self::Seal(error) => error.retry(),
            Self::Damaged
            | Self::NoRequest
            | Self::AlreadyProvisioned
            | Self::WrongLock
            | Self::GrantSignature(_)
            | Self::ClaimSignature(_)
            | Self::InstallSignature(_)
            | Self::ReleaseSignature(_)
            | Self::NoClock
            | Self::StaleGeneration
            | Self::NonContributory
            | Self::NotInstalled
            | Self::UnlockMac
            | Self::Expired
            | Self::UsesSpent
            | Self::ActionNotAllowed
            | Self::CommandSignature(_)
            | Self::Exhausted
            | Self::NotPending
            | Self::NotBusy => Retry::Never,
        }
    }

    /// What whoever has authenticated is told.
    pub(crate) const fn reason(self) -> RefuseReason {
        match self {
            Self::StaleGeneration => RefuseReason::StaleGeneration,
            Self::NoClock => RefuseReason::NoClock,
            Self::ClockUnset => RefuseReason::ClockUnset,
            Self::NotYetValid => RefuseReason::NotYetValid,
            Self::Expired => RefuseReason::Expired,
            Self::OutsideSchedule => RefuseReason::OutsideSchedule,
            Self::UsesSpent => RefuseReason::UsesSpent,
            Self::ActionNotAllowed => RefuseReason::ActionNotAllowed,
            Self::StaleNumber => RefuseReason::StaleNumber,
            Self::NoSuchSlot => RefuseReason::NoSuchSlot,
            Self::SlotDamaged => RefuseReason::SlotDamaged,
            Self::OwnerKey(_) | Self::ServiceKey(_) => RefuseReason::BadKey,
            Self::AlreadyProvisioned => RefuseReason::AlreadyProvisioned,
            Self::Exhausted => RefuseReason::Exhausted,
            Self::NonContributory => RefuseReason::NonContributory,
            _ => RefuseReason::Busy,
        }
    }
}

impl From<NonContributory> for LockError {
    fn from(NonContributory: NonContributory) -> Self {
        Self::NonContributory
    }
}

impl From<MacMismatch> for LockError {
    fn from(MacMismatch: MacMismatch) -> Self {
        Self::UnlockMac
    }
}

macro_rules! reasons {
    ($( $(#[$doc:meta])* $byte:literal = $name:ident, )*) => {
        /// Why the lock refused, as it tells whoever has authenticated. One byte.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
        #[serde(try_from = "u8", into = "u8")]
        #[non_exhaustive]
        pub enum RefuseReason { $( $(#[$doc])* $name, )* }

        impl RefuseReason {
            /// Every reason.
            pub const ALL: &[Self] = &[ $( Self::$name, )* ];

            /// Each byte and its name.
            pub(crate) const NAMES: &[(u8, &str)] = &[ $( ($byte, stringify!($name)), )* ];
        }

        impl From<RefuseReason> for u8 {
            fn from(reason: RefuseReason) -> Self {
                match reason { $( RefuseReason::$name => $byte, )* }
            }
        }

        impl TryFrom<u8> for RefuseReason {
            type Error = WireError;

            fn try_from(byte: u8) -> Result<Self, WireError> {
                //= spec/protocol.md#encoding
                //# MSG-6. A decoder MUST refuse a tag byte, an enumeration byte or a flag bit that version 1 does not define.
                //= spec/protocol.md#errors-and-refusals
                //# ERR-3. A reason byte MUST be one of the table.
                match byte { $( $byte => Ok(Self::$name), )* _ => Err(WireError::Value) }
            }
        }
    };
}

reasons! {
    /// The lock cannot now: a record is being written or must be reloaded, or its provider failed.
    1 = Busy,
    /// The grant was overwritten or its slot closed since.
    2 = StaleGeneration,
    /// The lock can never tell time.
    3 = NoClock,
    /// The lock does not know the time now.
    4 = ClockUnset,
    /// The key is not valid yet.
    5 = NotYetValid,
    /// The key has expired.
    6 = Expired,
    /// Outside the key's schedule.
    7 = OutsideSchedule,
    /// All openings were used.
    8 = UsesSpent,
    /// The key has no right to this action.
    9 = ActionNotAllowed,
    /// The command's number is not above the slot's floor.
    10 = StaleNumber,
    /// The lock has no such slot.
    11 = NoSuchSlot,
    /// The slot's record is damaged; transfer the lock, to yourself if need be.
    12 = SlotDamaged,
    /// A key to be stored is not a good key.
    13 = BadKey,
    /// Somebody owns the lock already.
    14 = AlreadyProvisioned,
    /// A counter is at its end.
    15 = Exhausted,
    /// The guest's X25519 key does not contribute.
    16 = NonContributory,
}

impl RefuseReason {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::Busy | Self::NoClock | Self::ClockUnset | Self::SlotDamaged | Self::Exhausted => Fault::Lock,
            Self::StaleGeneration | Self::StaleNumber | Self::NoSuchSlot | Self::BadKey | Self::AlreadyProvisioned => {
                Fault::Owner
            }
            Self::NotYetValid
            | Self::Expired
            | Self::OutsideSchedule
            | Self::UsesSpent
            | Self::ActionNotAllowed
            | Self::NonContributory => Fault::Guest,
        }
    }

    /// What to do.
    #[must_use]
    pub const fn retry(self) -> Retry {
        match self {
            Self::Busy => Retry::NewChallenge,
            Self::ClockUnset => Retry::WhenClockSet,
            Self::NotYetValid | Self::OutsideSchedule => Retry::WithinLimits,
            Self::StaleNumber => Retry::HigherNumber,
            Self::SlotDamaged => Retry::AfterOwnerActs,
            Self::NoSuchSlot | Self::BadKey => Retry::OtherInput,
            Self::StaleGeneration
            | Self::NoClock
            | Self::Expired
            | Self::UsesSpent
            | Self::ActionNotAllowed
            | Self::AlreadyProvisioned
            | Self::Exhausted
            | Self::NonContributory => Retry::Never,
        }
    }
}
