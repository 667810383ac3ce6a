#[cfg(feature = "alloc")]
use super::KeyError;

errors! { {$} "Hex"
    /// Why a text is not a key, a digest or another value of so many bytes in hexadecimal.
    #[non_exhaustive]
    HexError {
        NotHex: "a character that is no hexadecimal digit",           Caller, OtherInput;
        /// Two digits a byte, and nothing else.
        Length: "too few or too many hexadecimal digits",             Caller, OtherInput;
    }
}

impl HexError {
    /// What is wrong with a text that is none.
    pub(crate) fn of(text: &str) -> Self {
        if text.bytes().all(|byte| byte.is_ascii_hexdigit()) { Self::Length } else { Self::NotHex }
    }
}

errors! { {$} "Code"
    /// Why a text is not a share code, a card or a key. Checked in the order of the variants.
    #[non_exhaustive]
    CodeError {
        /// A character that neither stands in a code nor is ignored.
        UnknownSymbol: "a character that no code has",          Guest, OtherInput;
        /// Most likely a V.
        LetterU:       "the letter U, which no code has",       Guest, OtherInput;
        /// Fewer symbols than there are to be: 20 in a share code.
        TooShort:      "the code is too short",                 Guest, OtherInput;
        /// More than that.
        TooLong:       "the code is too long",                  Guest, OtherInput;
        /// The check symbols do not match the others.
        CheckFailed:   "the code was mistyped",                 Guest, OtherInput;
    }
}

errors! { {$} "Link"
    /// Why a text is not a link ([`Link`](crate::code::Link)).
    #[non_exhaustive]
    LinkError {
        /// It does not begin with `sharekey:`.
        NotALink:    "not a sharekey link",                           Guest, OtherInput;
        /// Of neither a code nor a key nor a card.
        UnknownKind: "a link of another kind",                        Guest, OtherInput;
        /// What it holds is none.
        Code(#[from] CodeError): _,                                   _,     _;
    }
}

#[cfg(feature = "alloc")]
errors! { {$} "Id"
    /// Why a text is not an [`AccountId`](crate::id::AccountId) or a [`ContactName`](crate::id::ContactName).
    #[non_exhaustive]
    IdError {
        Empty:      "the name is empty",                              Owner, OtherInput;
        /// More than 64 bytes of UTF-8.
        TooLong:    "the name is longer than 64 bytes",               Owner, OtherInput;
        /// A control character, such as a line break.
        Control:    "the name holds a control character",             Owner, OtherInput;
        /// A space of no width, a soft hyphen, a mark that turns the order of what is read.
        Invisible:  "the name has a character that is not seen",              Owner, OtherInput;
        /// Another than the visible ones of ASCII.
        Character:  "the id has a character that no id has",                  Owner, OtherInput;
        Whitespace: "the name begins or ends with whitespace",        Owner, OtherInput;
    }
}

#[cfg(feature = "alloc")]
errors! { {$} "Fingerprint"
    /// Why a text is not a [`Fingerprint`](crate::contacts::Fingerprint).
    #[non_exhaustive]
    FingerprintError {
        /// A character that is neither a decimal digit nor whitespace.
        NotADigit: "a character that no fingerprint has",             Owner, OtherInput;
        /// Fewer than 30 digits.
        TooShort:  "the fingerprint is too short",                    Owner, OtherInput;
        /// More than 30 digits.
        TooLong:   "the fingerprint is too long",                     Owner, OtherInput;
    }
}

#[cfg(feature = "alloc")]
errors! { {$} "Contact"
    /// Why the contact book refused. Nothing changed.
    ///
    /// A key that does not match is the transport's fault: the contact has a new phone, or somebody answers in the
    /// contact's name.
    #[non_exhaustive]
    ContactError {
        NotFound:             "no such contact",                                          Owner,     OtherInput;
        /// The book has a contact of this id.
        Duplicate:            "the contact exists already",                               Owner,     OtherInput;
        /// The account key is not a good key.
        Key(#[from] KeyError): "account key",                                             Guest,     OtherInput;
        /// Another key than the pinned one is said to be the contact's.
        KeyChanged:           "the contact's key has changed",                            Transport, CompareKeys;
        /// The key to accept is the pinned one.
        KeyNotChanged:        "the contact's key has not changed",                        Owner,     Already;
        /// The fingerprint that was compared is not the pinned key's: mistyped, or that of another key.
        FingerprintMismatch:  "the fingerprint is not that of the contact's key",         Transport, OtherInput;
        /// The key that was scanned is not the pinned one.
        ScannedKeyMismatch:   "the scanned key is not the contact's key",                 Transport, OtherInput;
    }
}
