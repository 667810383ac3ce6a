use thiserror::Error;

use super::{Fault, KeyError, Retry, SealError, SignatureError, SlotError, WireError};

/// Why the service refused. Unless it comes out of a [`Staged`](crate::staged::Staged), nothing
/// changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The request is not a well-formed message.
    #[error("malformed: {0}")]
    Wire(#[from] WireError),
    /// The message is for another lock.
    #[error("meant for another lock")]
    WrongLock,
    /// The message is from another ownership.
    #[error("meant for another epoch")]
    WrongEpoch,
    /// The message is for another slot.
    #[error("meant for another slot")]
    WrongSlot,
    /// The lock has gone over to another service.
    #[error("the lock has gone over to another service")]
    Moved,
    /// The lock's statement names another service.
    #[error("the lock names another service")]
    OtherService,
    /// The statement is of an ownership that has ended.
    #[error("the ownership has ended")]
    OldEpoch,
    /// The statement names another owner or service than an earlier one of the same ownership.
    #[error("two statements of one ownership contradict each other")]
    Contradiction,
    /// The statement is a Done, and not of a transfer.
    #[error("the lock's statement says nothing of ownership")]
    NotATransfer,
    /// The Done is of an operation that concerns no slot.
    #[error("the lock's statement says nothing of a slot")]
    NotOfASlot,
    /// The statement of ownership is not signed by the lock that it names.
    #[error("statement of ownership: {0}")]
    OwnershipSignature(SignatureError),
    /// The owner's key is not a good key.
    #[error("owner's key: {0}")]
    OwnerKey(KeyError),
    /// The grant is not signed by the lock's owner.
    #[error("grant: {0}")]
    GrantSignature(SignatureError),
    /// The grant's subject is not a good key.
    #[error("subject's key: {0}")]
    SubjectKey(KeyError),
    /// The withdrawal is not signed by the lock's owner.
    #[error("withdrawal: {0}")]
    WithdrawSignature(SignatureError),
    /// Nothing is shared in the slot.
    #[error("nothing is shared in the slot")]
    NothingShared,
    /// The claim names another grant than the one that is shared.
    #[error("the claim names another grant")]
    ClaimNamesOtherGrant,
    /// The claim is not signed by the grant's subject.
    #[error("claim: {0}")]
    ClaimSignature(SignatureError),
    /// The install names another claim.
    #[error("the install names another claim")]
    InstallNamesOtherClaim,
    /// The install is not signed by the claimed device.
    #[error("install: {0}")]
    InstallSignature(SignatureError),
    /// The receipt is not signed by the lock.
    #[error("receipt: {0}")]
    ReceiptSignature(SignatureError),
    /// The Done is not signed by the lock.
    #[error("done: {0}")]
    DoneSignature(SignatureError),
    /// The slot does not allow it.
    #[error(transparent)]
    Slot(#[from] SlotError),
    /// The record's version has no further number.
    #[error("the record's version is at its end")]
    Exhausted,
    /// The answer could not be made.
    #[error("the answer could not be made: {0}")]
    Seal(#[from] SealError),
}

impl ServiceError {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::Wire(error) => error.fault(),
            Self::Slot(error) => error.fault(),
            Self::WrongLock | Self::WrongSlot => Fault::Transport,
            Self::Contradiction => Fault::Lock,
            Self::WrongEpoch
            | Self::Moved
            | Self::OtherService
            | Self::OldEpoch
            | Self::NotATransfer
            | Self::NotOfASlot
            | Self::OwnershipSignature(_)
            | Self::OwnerKey(_)
            | Self::GrantSignature(_)
            | Self::SubjectKey(_)
            | Self::WithdrawSignature(_)
            | Self::DoneSignature(_) => Fault::Owner,
            Self::NothingShared
            | Self::ClaimNamesOtherGrant
            | Self::ClaimSignature(_)
            | Self::InstallNamesOtherClaim
            | Self::InstallSignature(_)
            | Self::ReceiptSignature(_) => Fault::Guest,
            Self::Exhausted | Self::Seal(_) => Fault::Service,
        }
    }

    /// What to do.
    #[must_use]
    pub const fn retry(self) -> Retry {
        match self {
            Self::Wire(error) => error.retry(),
            Self::Slot(error) => error.retry(),
            Self::Seal(error) => error.retry(),
            Self::OwnerKey(_) | Self::SubjectKey(_) | Self::OtherService => Retry::OtherInput,
            Self::NothingShared | Self::ClaimNamesOtherGrant | Self::WrongEpoch | Self::Moved => Retry::AfterOwnerActs,
            Self::WrongLock
            | Self::WrongSlot
            | Self::OldEpoch
            | Self::Contradiction
            | Self::NotATransfer
            | Self::NotOfASlot
            | Self::OwnershipSignature(_)
            | Self::GrantSignature(_)
            | Self::WithdrawSignature(_)
            | Self::ClaimSignature(_)
            | Self::InstallNamesOtherClaim
            | Self::InstallSignature(_)
            | Self::ReceiptSignature(_)
            | Self::DoneSignature(_)
            | Self::Exhausted => Retry::Never,
        }
    }
}

/// Why stored data are not a service's record: they contradict themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum StoredRecordError {
    /// The version is 0; the first is 1.
    #[error("the version is 0")]
    Version,
    /// The slot's state is of another epoch than the record.
    #[error("the slot's state is of another epoch")]
    Epoch,
    /// A share without its grant, or a grant without its share.
    #[error("the stored grant and the slot's state contradict each other")]
    GrantPresence,
    /// The stored grant is not a grant, or is not for this record.
    #[error("the stored grant is not the one that is shared")]
    GrantContent,
}
