use thiserror::Error;

use super::{Fault, KeyError, RefuseReason, Retry, SealError, SignatureError, SlotError, WireError};

/// Why the owner's side refused. The view did not change.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum OwnerError {
    /// The bytes are not a well-formed message of the kind expected.
    #[error("malformed: {0}")]
    Wire(#[from] WireError),
    /// The view is another owner's.
    #[error("the view is another owner's")]
    NotOwner,
    /// The lock was transferred to another owner.
    #[error("the lock was transferred to another owner")]
    Transferred,
    /// The message is from or for another lock.
    #[error("from another lock")]
    WrongLock,
    /// The message is from another ownership.
    #[error("from another epoch")]
    WrongEpoch,
    /// The transfer is not later than the ownership that the view is of.
    #[error("the ownership has ended")]
    OldEpoch,
    /// The lock's key is not a good key.
    #[error("lock's key: {0}")]
    LockKey(KeyError),
    /// The owner's key to be stored is not a good key.
    #[error("owner's key: {0}")]
    OwnerKey(KeyError),
    /// The service's key to be stored is not a good key.
    #[error("service's key: {0}")]
    ServiceKey(KeyError),
    /// The subject's key is not a good key.
    #[error("subject's key: {0}")]
    SubjectKey(KeyError),
    /// The contact book has no such contact.
    #[error("no such contact")]
    UnknownContact,
    /// The lock names another owner than was asked for.
    #[error("the lock names another owner")]
    WrongOwner,
    /// The lock names another service than was asked for.
    #[error("the lock names another service")]
    WrongService,
    /// The lock's statement does not come from the lock whose card was used.
    #[error("not from the lock whose activation card was used")]
    CardTag,
    /// The answer to a provision is not signed by the lock.
    #[error("provisioned: {0}")]
    ProvisionedSignature(SignatureError),
    /// The Done is not signed by the lock.
    #[error("done: {0}")]
    DoneSignature(SignatureError),
    /// The Done answers another command: an old one, or another phone's.
    #[error("the answer is to another command")]
    OtherCommand,
    /// The Done does not echo the operation that was ordered.
    #[error("the answer is of another operation")]
    OtherOperation,
    /// The Done is not of a transfer.
    #[error("the lock's statement is not of a transfer")]
    NotATransfer,
    /// The refusal is not signed by the lock.
    #[error("refusal: {0}")]
    RefusalSignature(SignatureError),
    /// The refusal is of another request.
    #[error("the refusal is of another request")]
    RefusedOther,
    /// A refusal without a reason: anybody could have sent it.
    #[error("refused without a reason")]
    RefusedOpaque,
    /// The lock refused, and says why. After [`RefuseReason::StaleNumber`], inspect the slot: its
    /// floor is what the next number must be above.
    #[error("the lock refused: {0:?}")]
    Refused(RefuseReason),
    /// The grant is not signed by this owner.
    #[error("grant: {0}")]
    GrantSignature(SignatureError),
    /// The receipt is not signed by the lock.
    #[error("receipt: {0}")]
    ReceiptSignature(SignatureError),
    /// The answer to a withdrawal is not signed by the lock's service.
    #[error("withdrawn: {0}")]
    WithdrawnSignature(SignatureError),
    /// Messages of this kind teach an owner nothing.
    #[error("nothing to learn from a message of this kind")]
    NothingToLearn,
    /// Nothing is shared in the slot.
    #[error("nothing is shared in the slot")]
    NothingShared,
    /// The view knows no such grant that could still open.
    #[error("no such grant may open")]
    UnknownGrant,
    /// The report is of an older version than one seen before.
    #[error("an older report than one seen before")]
    OlderReport,
    /// The slot does not allow it.
    #[error(transparent)]
    Slot(#[from] SlotError),
    /// There is no further epoch.
    #[error("there is no further epoch")]
    Exhausted,
    /// The message could not be made.
    #[error("the message could not be made: {0}")]
    Seal(#[from] SealError),
}

impl OwnerError {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::Wire(error) => error.fault(),
            Self::Slot(error) => error.fault(),
            Self::WrongLock
            | Self::WrongEpoch
            | Self::OtherCommand
            | Self::RefusalSignature(_)
            | Self::RefusedOther
            | Self::RefusedOpaque => Fault::Transport,
            Self::NothingToLearn => Fault::Caller,
            Self::Refused(reason) => reason.fault(),
            Self::LockKey(_)
            | Self::CardTag
            | Self::ProvisionedSignature(_)
            | Self::DoneSignature(_)
            | Self::OtherOperation
            | Self::ReceiptSignature(_)
            | Self::Exhausted => Fault::Lock,
            Self::WithdrawnSignature(_) | Self::OlderReport => Fault::Service,
            Self::NotOwner
            | Self::Transferred
            | Self::OldEpoch
            | Self::OwnerKey(_)
            | Self::ServiceKey(_)
            | Self::SubjectKey(_)
            | Self::UnknownContact
            | Self::WrongOwner
            | Self::WrongService
            | Self::NotATransfer
            | Self::GrantSignature(_)
            | Self::NothingShared
            | Self::UnknownGrant
            | Self::Seal(_) => Fault::Owner,
        }
    }

    /// What to do.
    #[must_use]
    pub const fn retry(self) -> Retry {
        match self {
            Self::Wire(error) => error.retry(),
            Self::Slot(error) => error.retry(),
            Self::Seal(error) => error.retry(),
            Self::Refused(reason) => reason.retry(),
            Self::OtherCommand | Self::RefusedOther | Self::RefusedOpaque | Self::RefusalSignature(_) => {
                Retry::NewChallenge
            }
            Self::OlderReport => Retry::AfterRefresh,
            Self::OwnerKey(_)
            | Self::ServiceKey(_)
            | Self::SubjectKey(_)
            | Self::UnknownContact
            | Self::UnknownGrant => Retry::OtherInput,
            Self::NotOwner
            | Self::Transferred
            | Self::WrongLock
            | Self::WrongEpoch
            | Self::OldEpoch
            | Self::LockKey(_)
            | Self::WrongOwner
            | Self::WrongService
            | Self::CardTag
            | Self::ProvisionedSignature(_)
            | Self::DoneSignature(_)
            | Self::OtherOperation
            | Self::NotATransfer
            | Self::GrantSignature(_)
            | Self::ReceiptSignature(_)
            | Self::WithdrawnSignature(_)
            | Self::NothingToLearn
            | Self::Exhausted => Retry::Never,
            Self::NothingShared => Retry::AfterOwnerActs,
        }
    }
}

/// Why stored data are not an owner's view: they contradict themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum StoredViewError {
    /// A slot's state is of another epoch than the view.
    #[error("a slot's state is of another epoch")]
    Epoch,
    /// The grant that a slot shares is missing in the view.
    #[error("the shared grant is missing")]
    Grant,
    /// A message that is kept as evidence does not say what it is kept for.
    #[error("a kept message is no evidence of what it is kept for")]
    Evidence,
}
