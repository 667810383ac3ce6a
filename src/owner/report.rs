use alloc::vec::Vec;

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use super::learn::check_service;
use super::reported::{Contradiction, Reported};
use super::view::{Equivocation, OwnedLock, Standing};
use super::{Learned, Owner, ViewChange};
use crate::counter::{Epoch, Term};
use crate::crypto::{Crypto, Digest, Nonce, PublicKey};
use crate::error::OwnerError;
use crate::id::{LockId, SlotId};
use crate::limits::Timestamp;
use crate::message::{Completed, Done, Provisioned, Report, ReportAnswer, ReportRequest};
use crate::slot::{GrantRef, State};
use crate::wire::{self, Encoded, Kind, Unverified, Verified};

/// A request for a report that waits for its answer. Each is good for one: ask anew where the answer was lost or refused.
#[must_use = "the answer is taken in by it"]
#[derive(PartialEq, Eq, Debug)]
pub struct PendingReport {
    request: Digest,
    lock: LockId,
    slot: SlotId,
    time: Timestamp,
}

/// What came of a report that the view took in.
#[must_use = "it may convict the service"]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// What each of its messages says.
    pub learned: Vec<Learned>,
    /// Where it contradicts an earlier report of the same version, the two reports.
    pub equivocation: Option<Equivocation>,
}

/// As of when a view is true of a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AsOf {
    /// The version of the service's record.
    pub version: u64,
    /// The moment at which the phone asked, by its clock.
    pub time: Timestamp,
}

impl<C: Crypto> Owner<C> {
    /// Asks the service for what its record says of a slot: gives the request to send, and what takes in the answer.
    /// `now` is the phone's time, which may be at most 300 seconds from the service's; `rng` gives the nonce. Of a slot
    /// that the view never heard of, too.
    ///
    /// # Errors
    /// [`OwnerError::NotOwner`], [`OwnerError::Transferred`], [`OwnerError::Busy`], [`OwnerError::Seal`].
    pub fn ask(
        &self,
        view: &OwnedLock,
        slot: SlotId,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(Encoded<ReportRequest>, PendingReport), OwnerError> {
        self.check_owns(view)?;
        self.request((view.lock, view.epoch), slot, now, rng)
    }

    /// [Asks](Self::ask) about a lock of which this phone has no view, but this owner's key and the lock's id. The
    /// answer [begins](crate::message::ReportAnswer::statement) with the statement of ownership that the service has, to
    /// [adopt](Self::adopt); then the view takes the answer in.
    ///
    /// # Errors
    /// [`OwnerError::Seal`].
    pub fn ask_anew(
        &self,
        lock: LockId,
        slot: SlotId,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(Encoded<ReportRequest>, PendingReport), OwnerError> {
        // No record is of an epoch below the first, so whichever it is of, its present owner is answered (RPT-3).
        self.request((lock, Epoch::FIRST), slot, now, rng)
    }

    fn request(
        &self,
        (lock, epoch): (LockId, Epoch),
        slot: SlotId,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(Encoded<ReportRequest>, PendingReport), OwnerError> {
        let body = ReportRequest {
            lock,
            epoch,
            by: Term::OWNER,
            slot,
            //= spec/protocol.md#reports
            //# RPT-1. The nonce of a ReportRequest and of a FindRequest MUST be drawn fresh and unpredictable.
            nonce: Nonce::random(rng),
            time: now,
        };
        let message = wire::seal(&self.crypto, &self.signer, &body)?;
        let request = message.digest(&self.crypto);
        Ok((message, PendingReport { request, lock, slot, time: now }))
    }

    /// Takes in the service's answer to a request: a report with its messages, whole or not at all. The view is then true
    /// as of the moment at which the request was signed, as far as the service is honest about what it has.
    ///
    /// What the report says of the record's state changes nothing but
    /// [`KeyStatus::said_released`](super::KeyStatus::said_released). Where the lock was handed to the view's own owner
    /// since, the view goes on in the new ownership.
    ///
    /// # Errors
    /// [`OwnerError::Busy`], [`OwnerError::NotOwner`], [`OwnerError::Transferred`], [`OwnerError::Wire`],
    /// [`OwnerError::ReportSignature`], [`OwnerError::OtherRequest`], [`OwnerError::OtherMessages`],
    /// [`OwnerError::NoOwnership`], [`OwnerError::WrongService`] where the lock went over to another service since
    /// ([`moved`](Self::moved)), [`OwnerError::WrongLock`], [`OwnerError::WrongEpoch`], [`OwnerError::WrongSlot`],
    /// [`OwnerError::OlderReport`], and as [`learn`](Self::learn) for any of the messages. The view did not change then.
    pub fn see<'v>(&self, view: &'v mut OwnedLock, pending: PendingReport, answer: &[u8]) -> ViewChange<'v, Seen> {
        self.check_owns(view)?;
        let answer = ReportAnswer::parse(answer)?;
        let report = self.verified_report(view, &pending, &answer)?;
        let mut next = view.clone();
        let mut messages = answer.messages();
        //= spec/protocol.md#owner
        //# OWN-28. A report MUST NOT change anything where one of its messages is refused.
        let mut learned: Vec<Learned> = self.see_ownership(&mut next, messages.next())?.into_iter().collect();
        if report.epoch != next.epoch {
            return Err(OwnerError::WrongEpoch);
        }
        next.count_slots(Some(report.slots));
        if next.standing == Standing::Transferred {
            // It is somebody else's lock, and the rest is no matter of this owner's.
            let rest = messages.next().map_or(Ok(()), |_| Err(OwnerError::Transferred));
            return rest.map(|()| view.staged(next, Seen { learned, equivocation: None }));
        }
        for message in messages {
            let one = self.apply(&mut next, message)?;
            //= spec/protocol.md#reports
            //# RPT-14. A phone MUST refuse a report of which a message, after the first, is not of the report's slot.
            if one.fact.slot() != Some(pending.slot) {
                return Err(OwnerError::WrongSlot);
            }
            learned.push(one);
        }
        let equivocation = note(&mut next, &report, pending.time)?;
        let grants: Vec<GrantRef> = learned.iter().filter_map(|learned| learned.fact.shared()).collect();
        let known = next.slot_mut(pending.slot);
        // What is shared in the record is the last grant of its report.
        known.said_released = grants.last().copied().filter(|_| report.state == State::Shared);
        known.shown(answer.messages(), &grants);
        Ok(view.staged(next, Seen { learned, equivocation }))
    }

    fn verified_report<'a>(
        &self,
        view: &OwnedLock,
        pending: &PendingReport,
        answer: &ReportAnswer<'a>,
    ) -> Result<Verified<'a, Report>, OwnerError> {
        let report = Unverified::<Report>::parse(answer.report)?;
        //= spec/protocol.md#reports
        //# RPT-10. A phone MUST check a Report under the service key of its view.
        let report = report.verify(&self.crypto, &view.service).map_err(OwnerError::ReportSignature)?;
        //= spec/protocol.md#reports
        //# RPT-9. A phone MUST refuse a Report that does not name the digest of its own pending request.
        if report.request != pending.request {
            return Err(OwnerError::OtherRequest);
        }
        //= spec/protocol.md#reports
        //# RPT-12. A phone MUST refuse a Report of another lock or slot than its request is of, or of another epoch than its view's after the statement of ownership.
        if report.lock != view.lock || pending.lock != view.lock {
            return Err(OwnerError::WrongLock);
        }
        if report.slot != pending.slot {
            return Err(OwnerError::WrongSlot);
        }
        //= spec/protocol.md#reports
        //# RPT-11. A phone MUST refuse an answer whose messages are not, in their order, those that the Report names.
        if report.messages != ReportAnswer::digest(&self.crypto, answer.messages()) {
            return Err(OwnerError::OtherMessages);
        }
        Ok(report)
    }

    /// Goes on in the ownership that the report begins with, where it is a later one.
    fn see_ownership(&self, next: &mut OwnedLock, first: Option<&[u8]>) -> Result<Option<Learned>, OwnerError> {
        let first = first.ok_or(OwnerError::NoOwnership)?;
        match Kind::of(first)? {
            Kind::Provisioned => {
                let body = Unverified::<Provisioned>::parse(first)?;
                let body = body.verify(&self.crypto, next.lock.key()).map_err(OwnerError::ProvisionedSignature)?;
                next.count_slots(Some(body.slots));
                same_ownership(next, (&body.lock, body.epoch), &body.owner, &body.service).map(|()| None)
            }
            Kind::Done => {
                let body = Unverified::<Done>::parse(first)?;
                let body = body.verify(&self.crypto, next.lock.key()).map_err(OwnerError::DoneSignature)?;
                let Completed::Transfer { owner, service, slots } = body.completed else {
                    return Err(OwnerError::NoOwnership);
                };
                next.count_slots(Some(slots));
                if body.epoch <= next.epoch {
                    return same_ownership(next, (&body.lock, body.epoch), &owner, &service).map(|()| None);
                }
                check_service(&body, &next.service)?;
                self.learn_done(next, first).map(Some)
            }
            _ => Err(OwnerError::NoOwnership),
        }
    }
}

/// Whether a statement of ownership is the one that the view is of already.
fn same_ownership(
    view: &OwnedLock,
    (lock, epoch): (&LockId, Epoch),
    owner: &PublicKey,
    service: &PublicKey,
) -> Result<(), OwnerError> {
    if *lock != view.lock {
        return Err(OwnerError::WrongLock);
    }
    if epoch != view.epoch {
        return Err(OwnerError::WrongEpoch);
    }
    if *owner != view.owner {
        return Err(OwnerError::WrongOwner);
    }
    //= spec/protocol.md#reports
    //# RPT-13. A phone MUST refuse a statement of ownership that names another service key than its view's, unless its owner names that key as the one expected.
    if *service == view.service { Ok(()) } else { Err(OwnerError::WrongService) }
}

/// Keeps the report, whose messages were taken in; gives what convicts the service.
fn note(
    next: &mut OwnedLock,
    report: &Verified<'_, Report>,
    time: Timestamp,
) -> Result<Option<Equivocation>, OwnerError> {
    let known = next.slot_mut(report.slot);
    let before = known.reported.take();
    //= spec/protocol.md#owner
    //# OWN-27. The owner MUST refuse a report whose version is below that of a report of the same slot and epoch that it took in before.
    if before.as_ref().is_some_and(|before| before.as_of.version > report.version) {
        return Err(OwnerError::OlderReport);
    }
    //= spec/protocol.md#states
    //# SLO-5. A view MUST name the version of the record that it is a view of.
    let as_of = AsOf { version: report.version, time };
    let reported = Reported { as_of, report: Vec::from(report.as_bytes()) };
    if let Some(before) = before.filter(|before| before.contradicts(report)) {
        known.contradiction.get_or_insert(Contradiction { first: before.report, second: reported.report.clone() });
    }
    known.reported = Some(reported);
    Ok(known.contradicted(report.slot))
}
