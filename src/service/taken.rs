//! What reaches a record, and what comes of it.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::lock::Ownership;
use super::{LockRecord, Place, Service, ShareRecord};
use crate::counter::{Epoch, Generation};
use crate::crypto::{Crypto, PublicKey};
use crate::error::ServiceError;
use crate::limits::Timestamp;
use crate::message::{Done, WithdrawnOutcome};
use crate::slot::GrantRef;
use crate::staged::Staged;
use crate::wire::{Kind, Unverified};

/// What is asked of a record: one message, or the two that ask for a release. The bytes of any message are one,
/// and so is a pair of a claim and an install, with or without the place before them, and a request for a report with the
/// service's time.
#[derive(Clone, Copy, Debug)]
pub enum Request<'a> {
    /// A `Grant`, `Withdraw`, `Receipt`, `Done` or `Provisioned`.
    Message(&'a [u8]),
    /// A `ReportRequest`.
    Report {
        /// The `ReportRequest`.
        request: &'a [u8],
        /// The service's time.
        now: Timestamp,
    },
    /// A guest's two messages, of which neither asks for anything without the other.
    Release {
        /// The place whose grant the guest was given, where it is not known otherwise.
        place: Option<Place>,
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
        Self::Release { place: None, claim: claim.as_ref(), install: install.as_ref() }
    }
}

impl<'a, A: AsRef<[u8]> + ?Sized, B: AsRef<[u8]> + ?Sized> From<(Place, &'a A, &'a B)> for Request<'a> {
    fn from((place, claim, install): (Place, &'a A, &'a B)) -> Self {
        Self::Release { place: Some(place), claim: claim.as_ref(), install: install.as_ref() }
    }
}

impl<'a, M: AsRef<[u8]> + ?Sized> From<(&'a M, Timestamp)> for Request<'a> {
    fn from((request, now): (&'a M, Timestamp)) -> Self {
        Self::Report { request: request.as_ref(), now }
    }
}

/// What a request changed in a record: the event for whoever listens. It is a fact once the record is stored;
/// an outbox takes it in the same transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Changed {
    /// Nothing: what was asked had been done before. (Where the record is written all the same, it followed an older
    /// record of the lock, and is brought along.)
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
    /// The lock began a later ownership, and still names this service: every slot is as new.
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
    /// The lock named this service, of which it had no record.
    Opened {
        /// The ownership.
        epoch: Epoch,
    },
    /// The record was marked after its store was restored.
    Restored,
}

/// What comes of a request once the record is stored.
#[must_use = "it has the message to send, or a refusal"]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    changed: Changed,
    answer: Result<Vec<u8>, ServiceError>,
}

impl Taken {
    pub(super) const fn new(changed: Changed) -> Self {
        Self { changed, answer: Ok(Vec::new()) }
    }

    /// What it changed.
    #[must_use]
    pub const fn changed(&self) -> Changed {
        self.changed
    }

    /// What to send: a `Release`, a `Withdrawn`, a [`ReportAnswer`](crate::message::ReportAnswer), or no bytes where it is enough to say that the request was
    /// taken in.
    ///
    /// # Errors
    /// The refusal of a grant that took its number (SVC-21).
    pub fn answer(self) -> Result<Vec<u8>, ServiceError> {
        self.answer
    }
}

/// A change of a lock's record, which waits for its store; or why there is none.
pub type LockChange<'r> = Result<Staged<'r, LockRecord, Taken>, ServiceError>;

/// A change of a slot's record, which waits for its store; or why there is none. Where nothing changed, nothing is stored.
pub type RecordChange<'r> = Result<Staged<'r, ShareRecord, Taken>, ServiceError>;

impl<S> Staged<'_, S, Taken> {
    /// What the request will have changed, for an outbox that is written together with the record.
    #[must_use]
    pub const fn changed(&self) -> Changed {
        self.output().changed
    }
}

impl<C: Crypto> Service<C> {
    /// Takes in whatever is sent for a slot, by the call below that is for it: the bytes of a
    /// message, or a claim and an install, `(claim, install)`.
    ///
    /// The same request again, after an answer that was lost, is answered as it was, and changes nothing,
    /// for as long as nothing else came between that it would contradict: a grant that is not shared any
    /// more is not published again, nor one that was withdrawn released.
    ///
    /// # Errors
    /// With nothing changed: [`ServiceError::NotOfASlot`] for a message that is not for a slot's record, and those of
    /// [`publish`](Self::publish), [`withdraw`](Self::withdraw), [`release`](Self::release),
    /// [`confirm`](Self::confirm), [`done`](Self::done) and [`report`](Self::report).
    pub fn take<'r, 'a>(&self, record: &'r mut ShareRecord, request: impl Into<Request<'a>>) -> RecordChange<'r> {
        let message = match request.into() {
            Request::Message(message) => message,
            Request::Release { claim, install, .. } => return self.release(record, claim, install),
            Request::Report { request, now } => {
                let same = record.draft()?;
                // Of the record as it is stored by the time that the answer exists.
                let reported = if same.is_stored() { same.clone() } else { same.clone().stored_next()? };
                let answer = self.report(&reported, request, now)?;
                return staged(record, same, Changed::Nothing, Ok(answer));
            }
        };
        match Kind::of(message)? {
            Kind::Grant => self.publish(record, message),
            Kind::Withdraw => self.withdraw(record, message),
            Kind::Receipt => self.confirm(record, message),
            Kind::Done if Ownership::of_done(Unverified::<Done>::parse(message)?.claims()).is_none() => {
                self.done(record, message)
            }
            _ => Err(ServiceError::NotOfASlot),
        }
    }

    /// Stores a record that was opened just now, or that follows an older record of its lock; what is stored already
    /// stays as it is. Whatever changes a record does this by itself.
    ///
    /// # Errors
    /// [`ServiceError::Busy`], [`ServiceError::Exhausted`].
    pub fn bring_along<'r>(&self, record: &'r mut ShareRecord) -> RecordChange<'r> {
        let next = record.draft()?;
        staged(record, next, Changed::Nothing, Ok(Vec::new()))
    }
}

/// The next version of a record, and what it is for. Where the request changed nothing, that is what it changed.
pub(super) fn staged(
    record: &mut ShareRecord,
    next: ShareRecord,
    changed: Changed,
    answer: Result<Vec<u8>, ServiceError>,
) -> RecordChange<'_> {
    let same = next == *record;
    let changed = if same { Changed::Nothing } else { changed };
    let taken = Taken { changed, answer };
    //= spec/protocol.md#service-confirmation
    //# SVC-25. What is accepted and changes nothing MUST be answered without a write.
    if same && record.is_stored() {
        return Ok(Staged::unchanged(record, taken));
    }
    let next = next.stored_next()?;
    Ok(Staged::new(record, next, taken))
}
