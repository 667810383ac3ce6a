use crate::counter::{Epoch, Term};
use crate::crypto::{Digest, Nonce, PublicKey, Signature};
use crate::error::WireError;
use crate::id::{LockId, SlotCount, SlotId};
use crate::limits::Timestamp;
use crate::wire::{Shape, message, plain, value};

message! {
    /// Asks the service for the report of one slot. Signed, for only who manages the lock is answered.
    pub struct ReportRequest: ReportRequest, Signature {
        /// The lock.
        pub lock: LockId,
        /// The ownership that the phone knows; the service may know a later one.
        pub epoch: Epoch,
        /// Who signs.
        pub by: Term,
        /// The slot.
        pub slot: SlotId,
        /// Fresh for each request.
        pub nonce: Nonce,
        /// When it was signed, by the phone's clock.
        pub time: Timestamp,
    }
}

/// Which of the four states a slot is in. One byte.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum State {
    /// The slot is closed: nothing can be shared in it.
    Inactive,
    /// The slot is open, and nothing is shared in it.
    NotShared,
    /// A grant is published and was not released: it can be revoked.
    Sharing,
    /// The grant was released to one device: it can only be reset.
    Shared,
}

const STATES: &[(u8, &str)] = &[(1, "Inactive"), (2, "NotShared"), (3, "Sharing"), (4, "Shared")];

plain! {
    State: Shape::Named(STATES), 1, |state| [u8::from(state)], |byte| value(byte);
}

impl From<State> for u8 {
    fn from(state: State) -> Self {
        match state {
            State::Inactive => 1,
            State::NotShared => 2,
            State::Sharing => 3,
            State::Shared => 4,
        }
    }
}

impl TryFrom<u8> for State {
    type Error = WireError;

    fn try_from(byte: u8) -> Result<Self, WireError> {
        //= spec/protocol.md#encoding
        //# MSG-6. A decoder MUST refuse a tag byte, an enumeration byte or a flag bit that version 1 does not define.
        Self::ALL.into_iter().find(|state| u8::from(*state) == byte).ok_or(WireError::Value)
    }
}

message! {
    /// What the service's record of one slot said when the request came: proves, to who asked, that nothing was left out
    /// of the messages that go with it, as far as the service is honest; and convicts it where it was not.
    pub struct Report: Report, Signature {
        /// The request that it answers.
        pub request: Digest,
        /// The lock.
        pub lock: LockId,
        /// The record's ownership.
        pub epoch: Epoch,
        /// The slot.
        pub slot: SlotId,
        /// The record's version.
        pub version: u64,
        /// The state that the record is in.
        pub state: State,
        /// How many slots the lock has, as far as the record knows.
        pub slots: SlotCount,
        /// SHA-256 over the digests of the messages that go with it, in their order.
        pub messages: Digest,
    }
}

message! {
    /// Asks a service for what is shared with a subject: an account, or whoever has a code.
    pub struct FindRequest: FindRequest, Signature {
        /// The service that is asked, so that no other can ask it in the guest's name.
        pub service: PublicKey,
        /// The account's key, or the one that is derived from the code. The request is signed with it.
        pub subject: PublicKey,
        /// Fresh for each request.
        pub nonce: Nonce,
        /// When it was signed, by the guest's clock.
        pub time: Timestamp,
    }
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Inactive, Self::NotShared, Self::Sharing, Self::Shared];
}

impl core::fmt::Display for State {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Inactive => "inactive",
            Self::NotShared => "not shared",
            Self::Sharing => "sharing",
            Self::Shared => "shared",
        })
    }
}
