use thiserror::Error;

use super::{
    Fault, KeyError, NonContributory, ProviderFailed, RefuseReason, Retry, SealError, SignatureError, WireError,
};

/// Why the guest's side stopped. Nothing changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum GuestError {
    /// The message is not well-formed.
    #[error("malformed: {0}")]
    Wire(#[from] WireError),
    /// The grant is not for this account or code.
    #[error("the grant is for somebody else")]
    NotTheSubject,
    /// The lock that the grant names cannot be a lock: its id is not a good key.
    #[error("the grant's lock: {0}")]
    LockKey(KeyError),
    /// The grant is not signed by the owner that it was expected from.
    #[error("grant: {0}")]
    GrantSignature(SignatureError),
    /// The challenge is another lock's.
    #[error("the challenge is another lock's")]
    WrongLock,
    /// The release names another install.
    #[error("the release names another install")]
    ReleaseNamesOtherInstall,
    /// The receipt is not signed by the grant's lock.
    #[error("receipt: {0}")]
    ReceiptSignature(SignatureError),
    /// The receipt answers another install.
    #[error("the receipt answers another install")]
    ReceiptNamesOtherInstall,
    /// The receipt names another lock, epoch, slot, number, grant or device than this download's.
    #[error("the receipt does not fit the grant")]
    ReceiptDoesNotFit,
    /// The lock's X25519 key does not contribute.
    #[error("the lock's X25519 key does not contribute")]
    NonContributory,
    /// The refusal claims to be signed, and is not by this lock.
    #[error("refusal: {0}")]
    RefusalSignature(SignatureError),
    /// The lock refused, and says why.
    #[error("the lock refused: {0:?}")]
    Refused(RefuseReason),
    /// Somebody refused without a proof of being the lock, and without a reason.
    #[error("refused without a reason")]
    RefusedOpaquely,
    /// The reply is not under this key's MAC.
    #[error("the reply is not the lock's")]
    ReplyMac,
    /// The reply answers another unlock.
    #[error("the reply answers another unlock")]
    ReplyToOther,
    /// A message could not be made.
    #[error("a message could not be made: {0}")]
    Seal(#[from] SealError),
}

impl GuestError {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::Wire(_)
            | Self::WrongLock
            | Self::RefusedOpaquely
            | Self::ReceiptNamesOtherInstall
            | Self::ReplyMac
            | Self::ReplyToOther
            | Self::ReceiptSignature(_)
            | Self::RefusalSignature(_) => Fault::Transport,
            Self::NotTheSubject | Self::Seal(_) => Fault::Guest,
            Self::LockKey(_) | Self::GrantSignature(_) => Fault::Owner,
            Self::ReleaseNamesOtherInstall => Fault::Service,
            Self::ReceiptDoesNotFit | Self::NonContributory => Fault::Lock,
            Self::Refused(reason) => reason.fault(),
        }
    }

    /// What to do.
    #[must_use]
    pub const fn retry(self) -> Retry {
        match self {
            Self::Wire(error) => error.retry(),
            Self::NotTheSubject => Retry::OtherInput,
            Self::LockKey(_) | Self::GrantSignature(_) => Retry::Never,
            Self::WrongLock
            | Self::ReleaseNamesOtherInstall
            | Self::ReceiptSignature(_)
            | Self::ReceiptNamesOtherInstall
            | Self::ReceiptDoesNotFit
            | Self::NonContributory
            | Self::RefusalSignature(_)
            | Self::RefusedOpaquely
            | Self::ReplyMac
            | Self::ReplyToOther => Retry::NewChallenge,
            Self::Refused(reason) => reason.retry(),
            Self::Seal(error) => error.retry(),
        }
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
