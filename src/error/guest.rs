use super::{KeyError, NonContributory, ProviderFailed, RefuseReason, SealError, SignatureError, WireError};

errors! { {$} "Guest"
    /// Why the guest's side stopped. Nothing changed.
    #[non_exhaustive]
    GuestError {
        Wire(#[from] WireError):          "malformed",                                _,         _;
        /// An earlier change of this copy of the ring was detached, and waits for the store's answer.
        Busy:                             "an earlier change waits for its store",    Caller,    Later;
        /// No grant for this slot of this lock was taken in, or its key is gone.
        NotClaimed:                       "nothing for this slot is claimed here",    Guest,     FetchGrant;
        /// A second download would end the key that works, and where its answer is lost leave none.
        KeyHeld:                          "this phone has the key already",           Guest,     Already;
        /// No bundle was made that this could answer.
        NotReleased:                      "no download is under way",                 Transport, NewChallenge;
        /// It is not for this account or code.
        NotTheSubject:                    "the grant is for somebody else",           Guest,     OtherInput;
        /// The lock that the grant names cannot be a lock: its id is not a good key.
        LockKey(KeyError):                "the grant's lock",                         Owner,     FetchGrant;
        /// The grant is not signed by the owner that it was expected from.
        GrantSignature(SignatureError):   "grant",                                    Owner,     FetchGrant;
        WrongLock:                        "the challenge is another lock's",          Transport, NewChallenge;
        ReleaseNamesOtherInstall:         "the release names another install",        Service,   NewChallenge;
        /// The receipt is not signed by the grant's lock.
        ReceiptSignature(SignatureError): "receipt",                                  Transport, NewChallenge;
        ReceiptNamesOtherInstall:         "the receipt answers another install",      Transport, NewChallenge;
        /// It names another lock, epoch, slot, number, grant or device than this download's.
        ReceiptDoesNotFit:                "the receipt does not fit the grant",       Lock,      NewChallenge;
        NonContributory:           "the lock's X25519 key does not contribute",       Lock,      NewChallenge;
        /// The refusal claims to be signed, and is not by this lock.
        RefusalSignature(SignatureError): "refusal",                                  Transport, NewChallenge;
        /// It says why.
        Refused(RefuseReason):            "the lock refused",                         _,         _;
        /// Anybody could have sent this: keep the key.
        RefusedOpaquely:                  "refused without a reason",                 Transport, NewChallenge;
        /// It is not under this key's MAC.
        ReplyMac:                         "the reply is not the lock's",              Transport, NewChallenge;
        ReplyToOther:                     "the reply answers another unlock",         Transport, NewChallenge;
        Seal(#[from] SealError):          "a message could not be made",              Guest,     _;
    }
}

impl From<NonContributory> for GuestError {
    fn from(NonContributory: NonContributory) -> Self {
        Self::NonContributory
    }
}

impl From<ProviderFailed> for GuestError {
    fn from(error: ProviderFailed) -> Self {
        Self::Seal(SealError::Provider(error))
    }
}
