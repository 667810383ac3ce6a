use super::{KeyError, Retry, SealError, SignatureError, SlotError, StoredSlotError, WireError};

errors! { {$} "StoredRecord"
    /// Why stored data are not a service's record.
    #[non_exhaustive]
    StoredRecordError {
        Format {
            /// The format that was found.
            found: u8 = 1
        }:             "the record has format {found}, which is not supported",           Caller, Update;
        Truncated:     "the record is cut short",                                         Caller, OtherInput;
        Trailing:      "bytes follow the record",                                         Caller, OtherInput;
        Malformed:     "the record does not decode",                                      Caller, OtherInput;
        /// The slot's state contradicts itself.
        Slot(#[from] StoredSlotError): _,                                                 _,      _;
        /// The first is 1.
        Version:       "the version is 0",                                                Caller, OtherInput;
        Epoch:         "the slot's state is of another epoch",                            Caller, OtherInput;
        /// It is stored under a key that is not its own.
        Place:         "the record is of another lock or slot",                           Caller, OtherInput;
        /// Than the one that the slot's record followed when it was stored: the store went on with an older copy.
        OlderLock:     "the lock's record is older than the slot's",                      Caller, TakeOver;
        /// A share without its grant, or a grant without its share.
        GrantPresence: "the stored grant and the slot's state contradict each other",     Caller, OtherInput;
        /// It is not a grant, or is not for this record.
        GrantContent:  "the stored grant is not the one that is shared",                  Caller, OtherInput;
        /// It is not what the lock, or the service, said of this record.
        Evidence:      "a message that is kept is not of this record",                    Caller, OtherInput;
    }
}

errors! { {$} "Service"
    /// Why the service refused. Unless it comes out of a [`Staged`](crate::staged::Staged), nothing changed.
    #[non_exhaustive]
    ServiceError {
        Wire(#[from] WireError):      "malformed",                                    _,         _;
        /// An earlier operation on this copy of the record was detached, and waits for the store's answer.
        Busy:                         "an earlier change waits for its store",        Service,   Later;
        WrongLock:                    "meant for another lock",                       Transport, OtherInput;
        /// The message is from another ownership than the latest that the service was told of.
        WrongEpoch:                   "meant for another epoch",                      Owner,     TellService;
        WrongSlot:                    "meant for another slot",                       Transport, OtherInput;
        /// That one is to be asked, or this one again once the lock names it again.
        Moved:                        "the lock has gone over to another service",    Owner,     TellService;
        /// A lock that grew since says so when the slot is inspected.
        NoSuchSlot:                   "the lock has no such slot",                    Owner,     TellService;
        /// The store was restored from an older copy, which may have forgotten a release or a withdrawal. The owner
        /// transfers the lock to himself.
        Restored:                     "the service's store was restored",             Service,   TakeOver;
        /// It was never told of the lock: by its Provisioned, or the Done of a transfer.
        UnknownLock:                  "the service does not know this lock",          Owner,     TellService;
        /// What the store holds is no record, or not what it acknowledged.
        Stored(#[from] StoredRecordError): "what is stored",                          _,         _;
        /// The lock's statement does.
        OtherService:                 "the lock names another service",               Owner,     OtherInput;
        /// The statement is of an ownership before the latest.
        OldEpoch:                     "the ownership has ended",                      Owner,     Never;
        /// It names another owner or service than an earlier one.
        Contradiction:      "two statements of one ownership contradict each other",  Lock,      Never;
        /// It is a Done of another operation.
        NotATransfer:       "the lock's statement says nothing of ownership",         Owner,     OtherInput;
        /// It is of another kind, or a Done of an operation that concerns no slot.
        NotOfASlot:         "the message is for no slot's record",                    Owner,     OtherInput;
        /// It is not signed by the lock that it names.
        OwnershipSignature(SignatureError): "statement of ownership",                 Owner,     Resend;
        /// It is not a good key.
        OwnerKey(KeyError):           "owner's key",                                  Owner,     OtherInput;
        /// The grant is not signed by the lock's owner, as the service knows him.
        GrantSignature(SignatureError): "grant",                                      Owner,     TellService;
        /// It is not a good key.
        SubjectKey(KeyError):         "subject's key",                                Owner,     OtherInput;
        /// The withdrawal is not signed by the lock's owner, as the service knows him.
        WithdrawSignature(SignatureError): "withdrawal",                              Owner,     TellService;
        /// The term of no steward of the lock, as the service knows it.
        UnknownSigner:                "signed by nobody who manages the lock",        Owner,     OtherInput;
        /// A request is not signed by whom it names.
        RequestSignature(SignatureError): "request",                                  Caller,    TellService;
        /// It is made anew with the time put right.
        RequestTime {
            /// The service's time, in whole seconds since 1970-01-01T00:00:00Z.
            now: u64 = 0
        }:                            "the request's time is more than 300 s from the service's, {now}", Caller, OtherInput;
        NothingShared:                "nothing is shared in the slot",                Guest,     FetchGrant;
        /// Than the one that is shared: the owner has shared anew.
        ClaimNamesOtherGrant:         "the claim names another grant",                Guest,     FetchGrant;
        /// The claim is not signed by the grant's subject.
        ClaimSignature(SignatureError): "claim",                                      Guest,     Resend;
        InstallNamesOtherClaim:       "the install names another claim",              Guest,     NewChallenge;
        /// The install is not signed by the claimed device.
        InstallSignature(SignatureError): "install",                                  Guest,     NewChallenge;
        /// The receipt is not signed by the lock.
        ReceiptSignature(SignatureError): "receipt",                                  Guest,     Resend;
        /// The Done is not signed by the lock.
        DoneSignature(SignatureError): "done",                                        Owner,     Resend;
        /// The slot does not allow it.
        Slot(#[from] SlotError):      _,                                              _,         {at_the_service};
        /// After 2^64 − 1 operations.
        Exhausted:                    "the record's version is at its end",           Service,   Never;
        Seal(#[from] SealError):      "the answer could not be made",                 Service,   _;
    }
}

/// An owner shares only what is active in his own view: then the service did not hear of it yet.
const fn at_the_service(error: SlotError) -> Retry {
    match error {
        SlotError::NotActive => Retry::TellService,
        other => other.retry(),
    }
}
