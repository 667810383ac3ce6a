use thiserror::Error;

use super::{Fault, Retry};

/// Why a slot's state machine refuses a step.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Error)]
#[non_exhaustive]
pub enum SlotError {
    /// The slot is not active: nothing can be shared in it.
    #[error("the slot is not active")]
    NotActive,
    /// Another grant is shared in the slot: withdraw it first.
    #[error("the slot is already shared")]
    AlreadyShared,
    /// This very grant is the one that is shared in the slot.
    #[error("this grant is already published")]
    AlreadyPublished,
    /// The number is not above the highest that the slot has seen.
    #[error("the number is taken")]
    StaleNumber,
    /// [`MAX_LIVE`](crate::slot::MAX_LIVE) keys of the slot may still open. An Inspect at the lock proves dead
    /// what is below the installed key; an Activate proves all dead, and wipes the installed key. In an owner's
    /// view, taking in the answer to a withdrawal of what was never released makes room too.
    #[error("too many keys of the slot may still open")]
    LiveFull,
    /// The grant is not the one that is shared in the slot.
    #[error("the grant is not shared in the slot")]
    NotPublished,
    /// The grant was released to another device.
    #[error("the grant was released to another device")]
    ClaimedByOtherDevice,
    /// The slot's number line has no further number in this epoch.
    #[error("the slot's number line is at its end")]
    Exhausted,
}

impl SlotError {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::NotActive
            | Self::AlreadyShared
            | Self::AlreadyPublished
            | Self::StaleNumber
            | Self::LiveFull
            | Self::Exhausted => Fault::Owner,
            Self::NotPublished | Self::ClaimedByOtherDevice => Fault::Guest,
        }
    }

    /// What to do.
    #[must_use]
    pub const fn retry(self) -> Retry {
        match self {
            Self::StaleNumber => Retry::HigherNumber,
            Self::NotActive | Self::AlreadyShared | Self::LiveFull | Self::Exhausted => Retry::AfterOwnerActs,
            Self::AlreadyPublished | Self::NotPublished | Self::ClaimedByOtherDevice => Retry::Never,
        }
    }
}

/// Why stored data are not a slot's state: they contradict themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum StoredSlotError {
    /// The last Done's number is above the proven floor.
    #[error("the last Done's number is above the proven floor")]
    LastDoneAboveFloor,
    /// The proven floor is above the highest number seen.
    #[error("the proven floor is above the highest number seen")]
    FloorAboveHighest,
    /// The live keys are not in strictly rising order.
    #[error("the live keys are not sorted or not unique")]
    LiveUnsorted,
    /// More live keys than [`MAX_LIVE`](crate::slot::MAX_LIVE) and one confirmed.
    #[error("too many live keys")]
    LiveTooMany,
    /// A live key's number is below the proven floor, or above the highest seen.
    #[error("a live key's number is out of range")]
    LiveOutOfRange,
    /// A live key is confirmed without being the proven floor, or is the floor unconfirmed.
    #[error("a live key is the proven floor exactly if it is confirmed")]
    LiveConfirmation,
    /// The share's number was proved dead, or is above the highest seen.
    #[error("the share's number is out of range")]
    ShareOutOfRange,
    /// The share is missing among the live keys, or is there without having been released.
    #[error("the share and the live keys contradict each other")]
    ShareNotLive,
    /// The confirmed device is not the share's.
    #[error("the share's device is not the confirmed one")]
    ShareDevice,
}
