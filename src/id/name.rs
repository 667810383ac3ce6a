use alloc::borrow::ToOwned;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::error::IdError;

const MAX_LEN: usize = 64;

/// Between two ids of other characters no eye could tell: `ana` beside `ana` and a space of no width, beside one with a
/// Cyrillic а, beside `Ana` of letters and marks that were put together otherwise.
fn check_id(id: &str) -> Result<(), IdError> {
    check_name(id)?;
    //= spec/protocol.md#contacts
    //# CON-8. An id MUST be 1 to 64 characters from U+0021 to U+007E.
    if id.bytes().all(|byte| byte.is_ascii_graphic()) { Ok(()) } else { Err(IdError::Character) }
}

//= spec/protocol.md#contacts
//# CON-9. A contact's name MUST be 1 to 64 bytes of UTF-8 without control characters and the invisible ones that are listed here, and without whitespace at either end.
fn check_name(name: &str) -> Result<(), IdError> {
    if name.is_empty() {
        return Err(IdError::Empty);
    }
    if name.len() > MAX_LEN {
        return Err(IdError::TooLong);
    }
    if name.chars().any(char::is_control) {
        return Err(IdError::Control);
    }
    if name.chars().any(is_invisible) {
        return Err(IdError::Invisible);
    }
    if name.trim() == name { Ok(()) } else { Err(IdError::Whitespace) }
}

/// What Unicode has a reader not show (Default_Ignorable_Code_Point), marks of interlinear notes, and ends of lines: some
/// of it turns the order of what stands beside it round.
const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

macro_rules! names {
    ($( $(#[$doc:meta])* $name:ident by $check:ident )*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The most bytes of UTF-8.
            pub const MAX_LEN: usize = MAX_LEN;

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(name: String) -> Result<Self, IdError> {
                $check(&name)?;
                Ok(Self(name))
            }
        }

        impl core::str::FromStr for $name {
            type Err = IdError;

            fn from_str(name: &str) -> Result<Self, IdError> {
                $check(name)?;
                Ok(Self(name.to_owned()))
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

names! {
    /// The name of an account, as people tell it to each other: what a key is shared "to". It finds
    /// a contact; who may enter is said by the contact's pinned key alone.
    ///
    /// 1 to 64 visible characters of ASCII, compared as they are: so two ids that look the same are the same. An app whose
    /// accounts have names in other letters gives them ids in these (an address, a number, Punycode), and shows the
    /// name as a [`ContactName`].
    AccountId by check_id
    /// What the owner calls a contact. It tells nobody apart: show the id beside it.
    ///
    /// 1 to 64 bytes of UTF-8 without control characters and others that are not seen, and without whitespace at either
    /// end.
    ContactName by check_name
}
