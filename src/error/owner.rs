use super::{KeyError, LimitsError, RefuseReason, Retry, SealError, SignatureError, SlotError, WireError};

errors! { {$} "Owner"
    /// Why the owner's side refused. The view did not change.
    #[non_exhaustive]
    OwnerError {
        Wire(#[from] WireError):     "malformed",                                     _,         _;
        /// An earlier change of this copy of the view was detached, and waits for the store's answer.
        Busy:                        "an earlier change waits for its store",         Caller,    Later;
        NotOwner:                    "the view is another owner's",                   Owner,     OtherInput;
        Transferred:                 "the lock was transferred to another owner",     Owner,     Never;
        WrongLock:                   "from another lock",                             Transport, OtherInput;
        /// The message is from another ownership: an old one, or of one that the view did not hear of yet.
        WrongEpoch:                  "from another epoch",                            Transport, Refresh;
        /// The transfer is not later than the ownership that the view is of.
        OldEpoch:                    "the ownership has ended",                       Owner,     Already;
        /// The lock's key is not a good key.
        LockKey(KeyError):           "lock's key",                                    Lock,      NewChallenge;
        /// The owner's key to be stored is not a good key.
        OwnerKey(KeyError):          "owner's key",                                   Owner,     OtherInput;
        /// The service's key to be stored is not a good key.
        ServiceKey(KeyError):        "service's key",                                 Owner,     OtherInput;
        /// The subject's key is not a good key.
        SubjectKey(KeyError):        "subject's key",                                 Owner,     OtherInput;
        /// The limits cannot be meant so.
        Limits(LimitsError):         "the limits",                                    Owner,     OtherInput;
        /// The contact book has none of this id.
        UnknownContact:              "no such contact",                               Owner,     OtherInput;
        /// Nobody compared the contact's key yet.
        UnverifiedContact:           "the contact is not verified",                   Owner,     CompareKeys;
        /// Than was asked for.
        WrongOwner:                  "the lock names another owner",                  Owner,     OtherInput;
        /// Than was asked for.
        WrongService:                "the lock names another service",                Owner,     TakeOver;
        CardTag:                     "not from the lock whose activation card was used", Lock,   NewChallenge;
        /// The answer to a provision is not signed by the lock.
        ProvisionedSignature(SignatureError): "provisioned",                          Lock,      NewChallenge;
        /// The Done is not signed by the lock.
        DoneSignature(SignatureError): "done",                                        Lock,      Resend;
        /// An old one, or another phone's.
        OtherCommand:                "the answer is to another command",              Transport, NewChallenge;
        /// The Done does not echo the operation that was ordered.
        OtherOperation:              "the answer is of another operation",            Lock,      Never;
        /// The Done is of another operation.
        NotATransfer:                "the lock's statement is not of a transfer",     Owner,     OtherInput;
        /// The refusal is not signed by the lock.
        RefusalSignature(SignatureError): "refusal",                                  Transport, NewChallenge;
        RefusedOther:                "the refusal is of another request",             Transport, NewChallenge;
        /// Anybody could have sent this.
        RefusedOpaque:               "refused without a reason",                      Transport, NewChallenge;
        /// It says why.
        Refused(RefuseReason):       "the lock refused",                              _,         {to_the_owner};
        /// The term of nobody who manages the lock, as this view knows it.
        UnknownSigner:               "signed by nobody who manages the lock",         Owner,     OtherInput;
        /// The grant is not signed by this owner.
        GrantSignature(SignatureError): "grant",                                      Owner,     Resend;
        /// The receipt is not signed by the lock.
        ReceiptSignature(SignatureError): "receipt",                                  Lock,      Resend;
        /// The answer to a withdrawal is not signed by the lock's service.
        WithdrawnSignature(SignatureError): "withdrawn",                              Service,   Resend;
        /// An answer to a withdrawal that this owner did not sign.
        WithdrawSignature(SignatureError): "withdrawal",                              Service,   Resend;
        /// The report is not signed by the lock's service.
        ReportSignature(SignatureError): "report",                                    Service,   Resend;
        /// A repeated answer, or another phone's.
        OtherRequest:                "the report answers another request",            Transport, Resend;
        /// Fewer, more, others, or in another order.
        OtherMessages:               "the messages are not those of the report",      Transport, Resend;
        /// It begins with another message.
        NoOwnership:                 "the report does not begin with the lock's statement of ownership", Service, Resend;
        /// The report, or one of its messages, is of another.
        WrongSlot:                   "meant for another slot",                        Service,   Resend;
        NothingToLearn:              "nothing to learn from a message of this kind",  Caller,    OtherInput;
        NoSuchSlot:                  "the lock has no such slot",                      Owner,     OtherInput;
        NothingShared:               "nothing is shared in the slot",                 Owner,     Already;
        /// The view knows no such grant that could still open.
        UnknownGrant:                "no such grant may open",                        Owner,     Refresh;
        OlderReport:                 "an older report than one seen before",          Service,   Refresh;
        /// The slot does not allow it.
        Slot(#[from] SlotError):     _,                                               _,         _;
        Exhausted:                   "there is no further epoch",                     Lock,      FactoryReset;
        Seal(#[from] SealError):     "the message could not be made",                 Owner,     _;
    }
}

/// What a guest has to ask the owner for, the owner does; and a lock without a clock refuses one who would set it.
const fn to_the_owner(reason: RefuseReason) -> Retry {
    match reason {
        RefuseReason::NoClock => Retry::Never,
        RefuseReason::SlotInactive => Retry::Activate,
        // The answer to a transfer to oneself was lost.
        RefuseReason::WrongEpoch => Retry::TakeOver,
        other => other.retry(),
    }
}

errors! { {$} "StoredView"
    /// Why stored data are not an owner's view: they contradict themselves.
    #[non_exhaustive]
    StoredViewError {
        Epoch:    "a slot's state is of another epoch",                                   Caller, OtherInput;
        /// The grant that a slot shares is missing in the view, or one that is kept is of another slot.
        Grant:    "a grant is missing, or of another slot",                               Caller, OtherInput;
        Evidence: "a kept message is no evidence of what it is kept for",                 Caller, OtherInput;
    }
}
