use alloc::borrow::ToOwned;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::error::IdError;

const MAX_LEN: usize = 64;

fn check(name: &str) -> Result<(), IdError> {
    if name.is_empty() {
        return Err(IdError::Empty);
    }
    if name.len() > MAX_LEN {
        return Err(IdError::TooLong);
    }
    if name.chars().any(char::is_control) {
        return Err(IdError::Control);
    }
    if name.trim() == name { Ok(()) } else { Err(IdError::Whitespace) }
}

macro_rules! names {
    ($( $(#[$doc:meta])* $name:ident )*) => {$(
        $(#[$doc])*
        ///
        /// 1 to 64 bytes of UTF-8 without control characters, and without whitespace at either end.
        /// Compared byte by byte: the caller normalises what should be one name.
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
                check(&name)?;
                Ok(Self(name))
            }
        }

        impl core::str::FromStr for $name {
            type Err = IdError;

            fn from_str(name: &str) -> Result<Self, IdError> {
                check(name)?;
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
    AccountId
    /// What the owner calls a contact.
    ContactName
}
