use thiserror::Error;

use super::{Fault, Retry};

/// Why a text is not a share code. Checked in the order of the variants.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum CodeError {
    /// A character that neither stands in a code nor is ignored.
    #[error("a character that no share code has")]
    UnknownSymbol,
    /// The letter U, which no code has: most likely a V.
    #[error("the letter U, which no share code has")]
    LetterU,
    /// Fewer than 20 symbols.
    #[error("the share code is too short")]
    TooShort,
    /// More than 20 symbols.
    #[error("the share code is too long")]
    TooLong,
    /// The check symbols do not match the others: the code was mistyped.
    #[error("the share code was mistyped")]
    CheckFailed,
}

impl CodeError {
    /// Whose fault it is: the guest's, who typed the code.
    #[must_use]
    pub const fn fault(self) -> Fault {
        Fault::Guest
    }

    /// What to do: have the code typed again.
    #[must_use]
    pub const fn retry(self) -> Retry {
        Retry::OtherInput
    }
}
