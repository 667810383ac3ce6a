use super::{KeyError, MacMismatch, NonContributory, RefuseReason, Retry, SealError, SignatureError, WireError};

/// Declares the lock's errors: a row has what it tells whoever has authenticated, a reason or nothing (`opaque`), in
/// its last cell. Where that says all, the others are `_`.
macro_rules! lock_errors {
    ({$d:tt} $(#[$meta:meta])* {
        $( $(#[$doc:meta])* $variant:ident $( ( $($inner:tt)* ) )?: $text:tt, $fault:tt, $retry:tt, $told:ident; )*
    }) => {
        errors! { {$d} "Lock" $(#[$meta])* LockError {
            $( $(#[$doc])* $variant $( ( $($inner)* ) )?: {$text $told}, {$fault $told}, {$retry $told}; )*
        } }

        impl LockError {
            /// What whoever has authenticated is told; `None` for nothing.
            pub(crate) const fn reason(self) -> Option<RefuseReason> {
                match self { $( Self::$variant { .. } => reason!($told), )* }
            }
        }
    };
}

macro_rules! reason {
    (opaque) => {
        None
    };
    ($told:ident) => {
        Some(RefuseReason::$told)
    };
}

lock_errors! { {$}
    /// Why the lock refused. Nothing changed.
    #[non_exhaustive]
    {
        /// Of the request, or of a part of the bundle.
        Wire(#[from] WireError):  "malformed",                                Transport, {anew},       opaque;
        /// The session is not the newest for its purpose.
        SessionSuperseded:        "a newer challenge was given",              Transport, NewChallenge, opaque;
        /// Or the ticks went backwards.
        SessionExpired:           "the session's deadline is over",           Transport, NewChallenge, opaque;
        /// A cell that the operation needs was not read yet, waits for a write, or its write failed.
        Busy:           "a record is being written or must be reloaded",      Lock,      Reload,       Busy;
        /// The header or the counter is damaged; or nobody owns the lock, and another record says that somebody did.
        Damaged:                  "the lock's records are damaged",           Lock,      FactoryReset, opaque;
        /// Until the next epoch.
        SlotDamaged:              _, _, _, SlotDamaged;
        /// A factory reset without a hand at the button inside.
        NoPresence:               "nobody presses the button inside",         Owner,     OtherInput,   opaque;
        /// A message that is none of those that a lock takes.
        NoRequest:                "no request to a lock",                     Transport, Resend,       opaque;
        /// A factory reset has begun.
        Resetting:                "the lock is being made anew",              Lock,      Make,         opaque;
        /// Nobody owns the lock yet.
        NotProvisioned:           "the lock is not provisioned",              Owner,     AskOwner,     opaque;
        AlreadyProvisioned:       _, _, _, AlreadyProvisioned;
        WrongLock:                "meant for another lock",                   Transport, NewChallenge, opaque;
        /// The message is from another ownership.
        WrongEpoch:               _, _, _, WrongEpoch;
        NoSuchSlot:               _, _, _, NoSuchSlot;
        SlotInactive:             _, _, _, SlotInactive;
        /// The term of nobody who manages the lock.
        UnknownSigner:            "signed by nobody who manages the lock",    Owner,     OtherInput,   opaque;
        /// The grant is not signed by this lock's owner.
        GrantSignature(SignatureError):   "grant",                            Owner,     FetchGrant,   opaque;
        ClaimNamesOtherGrant:     "the claim names another grant",            Guest,     NewChallenge, opaque;
        /// The claim is not signed by the grant's subject.
        ClaimSignature(SignatureError):   "claim",                            Guest,     NewChallenge, opaque;
        InstallNamesOtherClaim:   "the install names another claim",          Guest,     NewChallenge, opaque;
        /// The request does not carry this session's nonce.
        WrongNonce:       "not an answer to this session's challenge",        Transport, NewChallenge, opaque;
        /// The install is not signed by the claimed device.
        InstallSignature(SignatureError): "install",                          Guest,     NewChallenge, opaque;
        ReleaseNamesOtherInstall: "the release names another install",        Service,   NewChallenge, opaque;
        /// The release is not signed by this lock's service.
        ReleaseSignature(SignatureError): "release",                          Service,   NewChallenge, opaque;
        /// The lock can never tell time, and the key's limits need it; or its clock cannot be set.
        NoClock:                  _, _, _, NoClock;
        /// The grant's number is below the slot's floor, or at the floor without that very key installed.
        StaleGeneration:          _, _, _, StaleGeneration;
        NonContributory:          _, _, _, NonContributory;
        NotInstalled:             "no key is installed in the slot",          Guest,     AskOwner,     opaque;
        /// Another key than the guest's may be installed by now.
        UnlockMac:                "the unlock is not by the installed key",   Guest,     AskOwner,     opaque;
        /// The key's start date has not come.
        NotYetValid:              _, _, _, NotYetValid;
        /// The key's end date is past.
        Expired:                  _, _, _, Expired;
        OutsideSchedule:          _, _, _, OutsideSchedule;
        /// The limits need the time, and the lock does not know it now.
        ClockUnset:               _, _, _, ClockUnset;
        /// All openings were used.
        UsesSpent:                _, _, _, UsesSpent;
        ActionNotAllowed:         _, _, _, ActionNotAllowed;
        /// The command is not signed by this lock's owner.
        CommandSignature(SignatureError): "command",                          Owner,     NewChallenge, opaque;
        StaleNumber:              _, _, _, StaleNumber;
        /// The new owner's key is not a good key.
        OwnerKey(KeyError):               "owner's key",                      Owner,     OtherInput,   BadKey;
        /// The new service's key is not a good key.
        ServiceKey(KeyError):             "service's key",                    Owner,     OtherInput,   BadKey;
        /// The request is not under the MAC of the activation card's secret.
        CardMac:          "not by the holder of the activation card",         Owner,     OtherInput,   opaque;
        /// A counter, an epoch or a slot's floor has no further number. Where an epoch has none, only a factory reset
        /// helps.
        Exhausted:                _, _, _, Exhausted;
        Seal(#[from] SealError):          "the answer could not be made",     Lock,      _,            Busy;
        /// A pending write was reported that this cell does not wait for: it was reloaded since.
        NotPending:               "the cell does not wait for this write",    Lock,      Already,      opaque;
        /// A reload of a cell that does not wait for one.
        NotBusy:                  "the cell needs no reload",                 Lock,      Already,      opaque;
    }
}

/// The session is spent, so the same message again does not help.
const fn anew(error: WireError) -> Retry {
    match error.retry() {
        Retry::Resend => Retry::NewChallenge,
        other => other,
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

errors! { {$} "Load"
    /// Why a lock could not be loaded from its seed record.
    LoadError {
        /// There is no seed, or making the lock was interrupted: make the lock
        /// ([`Making::new`](crate::lock::Making::new)).
        NotMade:     "the lock was never made, or not to the end",                        Lock, Make;
        /// Where reading it again does not help, whoever services the lock may order it to be made anew, as another
        /// lock. Never do that unasked: it erases the owner's.
        SeedDamaged: "the seed record is damaged",                                        Lock, Reload;
        /// Whether the seed's record is damaged cannot be told.
        Seal(#[from] SealError): "the seed record could not be checked",                  Lock, _;
    }
}
