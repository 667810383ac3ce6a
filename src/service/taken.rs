//! What reaches a record, and what comes of it.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::open::Ownership;
use super::{Service, ShareRecord};
use crate::counter::{Epoch, Generation};
use crate::crypto::{Crypto, PublicKey};
use crate::error::ServiceError;
use crate::message::{Done, WithdrawnOutcome};
use crate::slot::GrantRef;
use crate::staged::Staged;
use crate::wire::{Kind, Unverified};

/// What is asked of a record: one message, or the two that ask for a release. The bytes of any message are one,
/// and so is a pair of a claim and an install.
#[derive(Clone, Copy, Debug)]
pub enum Request<'a> {
    /// A `Grant`, `Withdraw`, `Receipt`, `Done` or `Provisioned`.
    Message(&'a [u8]),
    /// A guest's two messages, of which neither asks for anything without the other.
    Release {
        /// The `Claim`.
        claim: &'a [u8],
        /// The `Install` on that claim.
        install: &'a [u8],
    },
}

impl<'a, M: AsRef<[u8]> + ?Sized> From<&'a M> for Request<'a> {
    fn from(message: &'a M) -> Self {
        Self::Message(message.as_ref())
    }
}

impl<'a, A: AsRef<[u8]> + ?Sized, B: AsRef<[u8]> + ?Sized> From<(&'a A, &'a B)> for Request<'a> {
    fn from((claim, install): (&'a A, &'a B)) -> Self {
        Self::Release { claim: claim.as_ref(), install: install.as_ref() }
    }
}

/// What a request changed in a record: the event for whoever listens. It is a fact once the record is stored;
/// an outbox takes it in the same transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Changed {
    /// Nothing but the version: what was asked had been done before.
    Nothing,
    /// A grant is shared, and its subject can fetch it.
    Published {
        /// The grant.
        key: GrantRef,
        /// Who may claim it.
        subject: PublicKey,
    },
    /// A grant was refused; no other of its number, or below, will be published.
    NumberTaken {
        /// The number.
        number: Generation,
    },
    /// The shared grant was released: from now on its key may open. Also for each further install of the same
    /// device.
    Released {
        /// The grant.
        key: GrantRef,
        /// The device that claimed it.
        device: PublicKey,
    },
    /// A withdrawal was answered. Where another one was answered since, the same again is told again.
    Withdrawn {
        /// The grant.
        key: GrantRef,
        /// The answer.
        outcome: WithdrawnOutcome,
    },
    /// The lock proved that it holds the grant's key: keys below are dead.
    Downloaded {
        /// The grant.
        key: GrantRef,
        /// The device that holds the key.
        device: PublicKey,
    },
    /// The lock proved that the slot holds no key: those up to this number are dead.
    Vacant {
        /// The lock's floor.
        floor: Generation,
    },
    /// The lock opened the slot: keys up to this number are dead.
    Activated {
        /// The number that it took.
        number: Generation,
    },
    /// The lock closed the slot: keys up to this number are dead, and nothing is shared.
    Deactivated {
        /// The number that it took.
        number: Generation,
    },
    /// The lock began a later ownership, and still names this service: the slot is as new.
    Reopened {
        /// The ownership.
        epoch: Epoch,
    },
    /// The lock went over to another service: this one may forget its index and answers nothing more of it.
    Moved {
        /// The ownership.
        epoch: Epoch,
        /// The service that the lock names now.
        to: PublicKey,
    },
}

/// What comes of a request once the record is stored.
#[must_use = "it has the message to send, or a refusal"]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    changed: Changed,
    answer: Result<Vec<u8>, ServiceError>,
}

impl Taken {
    /// What it changed.
    #[must_use]
    pub const fn changed(&self) -> Changed {
        self.changed
    }

    /// The message to send: a `Release`, a `Withdrawn`, or no bytes where it is enough to say that the request was
    /// taken in.
    ///
    /// # Errors
    /// The refusal of a grant that took its number (SVC-21).
    pub fn answer(self) -> Result<Vec<u8>, ServiceError> {
        self.answer
    }
}

/// A change of a record, which waits for its store; or why there is none.
pub type RecordChange<'r> = Result<Staged<'r, ShareRecord, Taken>, ServiceError>;

impl Staged<'_, ShareRecord, Taken> {
    /// What the request will have changed, for an outbox that is written together with the record.
    #[must_use]
    pub const fn changed(&self) -> Changed {
        self.output().changed
    }
}

impl<C: Crypto> Service<C> {
    /// Takes in whatever is sent for a record that is there, by the call below that is for it: the bytes of a
    /// message, or a claim and an install, `(claim, install)`.
    ///
    /// The same request again, after an answer that was lost, is answered as it was, and changes nothing but the
    /// version, for as long as nothing else came between that it would contradict: a grant that is not shared any
    /// more is not published again, nor one that was withdrawn released.
    ///
    /// # Errors
    /// With nothing changed: [`ServiceError::NotOfASlot`] for a message that is not for a record, and those of
    /// [`publish`](Self::publish), [`withdraw`](Self::withdraw), [`release`](Self::release),
    /// [`confirm`](Self::confirm), [`done`](Self::done), and [`reopen`](Self::reopen) for a `Provisioned` or a
    /// `Done(Transfer)`.
    pub fn take<'r, 'a>(&self, record: &'r mut ShareRecord, request: impl Into<Request<'a>>) -> RecordChange<'r> {
        let message = match request.into() {
            Request::Message(message) => message,
            Request::Release { claim, install } => return self.release(record, claim, install),
        };
        match Kind::of(message)? {
            Kind::Grant => self.publish(record, message),
            Kind::Withdraw => self.withdraw(record, message),
            Kind::Receipt => self.confirm(record, message),
            Kind::Done if Ownership::of_done(Unverified::<Done>::parse(message)?.claims()).is_none() => {
                self.done(record, message)
            }
            Kind::Done | Kind::Provisioned => self.reopen(record, message),
            _ => Err(ServiceError::NotOfASlot),
        }
    }
}

/// The next version of a record, and what it is for. Where the request changed nothing, that is what it changed.
pub(super) fn staged(
    record: &mut ShareRecord,
    next: ShareRecord,
    changed: Changed,
    answer: Result<Vec<u8>, ServiceError>,
) -> RecordChange<'_> {
    let changed = if next == *record { Changed::Nothing } else { changed };
    //= spec/protocol.md#service-confirmation
    //# SVC-20. Every accepted operation MUST raise the record's version by one, also where it changes nothing else.
    let version = record.version.checked_add(1).ok_or(ServiceError::Exhausted)?;
    Ok(Staged::new(record, ShareRecord { version, ..next }, Taken { changed, answer }))
}
