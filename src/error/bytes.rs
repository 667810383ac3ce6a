use crate::kind::Kind;

errors! { {$} "Wire"
    /// Why bytes are not a message of the kind that was expected.
    #[non_exhaustive]
    WireError {
        /// The bytes end before the message does.
        Truncated: "the message is cut short",                                            Transport, Resend;
        /// More bytes than the longest message of this kind.
        TooLong:   "the message is longer than its kind allows",                          Transport, Resend;
        Trailing:  "bytes follow the message",                                            Transport, Resend;
        /// The first two bytes are not `SK`.
        Magic:     "not a sharekey message",                                              Transport, Resend;
        Version {
            /// The version byte.
            found: u8 = 2
        }:         "the message has version {found}, which is not supported",             Transport, Update;
        /// Another kind than was expected here.
        Kind {
            /// What was expected.
            expected: Kind = Kind::Grant,
            /// The kind byte that was found.
            found: u8 = 2
        }:         "expected a {expected:?}, found kind {found}",                         Transport, Resend;
        /// An `Option` tag that is neither 0 nor 1, or a `bool` likewise.
        Option:    "an option or boolean byte is neither 0 nor 1",                        Transport, Resend;
        /// A field holds an enumerator, a flag bit or a number that is none.
        Value:     "a field holds a value that this version does not define",             Transport, Resend;
    }
}

errors! { {$} "Key"
    /// Why a public key is refused before any signature is computed.
    KeyError {
        NotCanonical: "the encoding is not canonical",                                    Transport, OtherInput;
        /// The point is one of the eight of small order.
        SmallOrder:   "the point has small order",                                        Transport, OtherInput;
    }
}

errors! { {$} "Signature"
    /// Why a signature is refused.
    SignatureError {
        /// The public key is not a good key.
        Key(KeyError):        "public key",                                               Transport, Resend;
        /// R, the first half of the signature, is not a good point.
        Commitment(KeyError): "signature's R",                                            Transport, Resend;
        /// S, the second half, is not below the group order.
        ScalarNotReduced:     "signature's S is not reduced",                             Transport, Resend;
        /// The signature is not this key's over these bytes.
        Mismatch:             "the signature does not match",                             Transport, Resend;
    }
}

errors! { {$} "Mac.Mismatch"
    /// A MAC is not this key's over these bytes.
    MacMismatch: "the MAC does not match", Transport, Resend;
}

errors! { {$} "Provider.Failed"
    /// The crypto provider (a secure element, say) could not do its work now.
    ProviderFailed: "the crypto provider failed", Caller, Later;
}

errors! { {$} "Agreement.NonContributory"
    /// The peer's X25519 key fixes the shared secret whatever ours is.
    NonContributory: "the peer's X25519 key does not contribute", Transport, NewChallenge;
}

errors! { {$} "Seal"
    /// Why a message could not be made.
    SealError {
        /// The message does not fit its kind's `MAX_LEN`. No message that this crate builds does that.
        TooLong: "the message is longer than its kind allows",                            Caller, Never;
        /// The crypto provider could not sign now.
        Provider(#[from] ProviderFailed): _,                                              Caller, Later;
    }
}

errors! { {$} "Limits"
    /// Why limits cannot be built.
    LimitsError {
        EmptyPeriod: "the end is not after the start",                                    Owner, OtherInput;
        /// A key with no openings at all.
        NoUses:      "the number of uses is 0",                                           Owner, OtherInput;
        Weekdays:    "the set of weekdays is empty or has an unknown bit",                Owner, OtherInput;
        /// A window that does not begin in 0..1440, end in 1..=1440, or that is empty.
        Window:      "the window of minutes is empty or out of range",                    Owner, OtherInput;
        /// An offset from UTC outside −720..=840 minutes.
        Offset:      "the offset from UTC is out of range",                               Owner, OtherInput;
        Rights:      "the set of rights is empty or has an unknown bit",                  Owner, OtherInput;
        Action:      "unknown action",                                                    Owner, OtherInput;
        /// In or after the year 10000, as milliseconds are that were taken for seconds.
        FarAway:     "a date is too far away: were milliseconds taken for seconds?",      Owner, OtherInput;
        UsesWithoutOpen: "a number of openings for a key that may not open",              Owner, OtherInput;
        NoTime:      "the schedule allows no time between the dates",                     Owner, OtherInput;
    }
}
