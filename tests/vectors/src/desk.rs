//! Messages of one lock, owner, service and guest whose keys are known, for the roles that are not a lock. Not the
//! stage's desk, whose cast has numbers: everything here comes of a name that stands in the files, which any language
//! derives again.

use sharekey::counter::{Epoch, Generation, Term};
use sharekey::crypto::{Digest, PublicKey, Tag};
use sharekey::id::{SlotCount, SlotId};
use sharekey::limits::{Limits, Rights, Timestamp};
use sharekey::message::{
    Battery, Challenge, Claim, Completed, Done, Grant, Holding, Install, LockTime, Provisioned, Receipt, RefusedBody,
    Release, Report, ReportAnswer, ReportRequest, SlotReport, Withdraw, Withdrawn, WithdrawnOutcome,
};
use sharekey::slot::State;

use super::forge::{bare, card_tag, last_signature, signed};
use super::keys::{agreement, bytes16, card, digest, lock, nonce, public, seed, some_digest};
use super::provider::Provider;

pub const SLOT: SlotId = SlotId::new(1);
pub const SLOTS: SlotCount = SlotCount::new(10).unwrap();

pub fn number(n: u32) -> Generation {
    Generation::new(n)
}

pub fn challenge(name: &str) -> Vec<u8> {
    bare(&Challenge { lock: lock("lock"), nonce: nonce(name) })
}

pub fn provisioned_body(provision: &Digest) -> Provisioned {
    let id = lock("lock");
    let (owner, service) = (public("owner"), public("service"));
    let tag = card_tag(&card(), provision, id);
    Provisioned { lock: id, epoch: Epoch::FIRST, owner, service, slots: SLOTS, card: tag }
}

/// A statement of ownership for the service, which does not look at the card's tag.
pub fn statement() -> Provisioned {
    Provisioned { card: Tag::from_bytes(bytes16("card tag")), ..provisioned_body(&some_digest("provision")) }
}

pub fn by_lock<T: sharekey::wire::Message<Auth = sharekey::crypto::Signature>>(body: &T) -> Vec<u8> {
    signed(body, &seed("lock"))
}

pub fn done_body(command: Digest, completed: Completed) -> Done {
    let (lock, epoch, time, battery) = (lock("lock"), Epoch::FIRST, LockTime::UNKNOWN, Battery::UNKNOWN);
    Done { command, lock, epoch, time, battery, completed }
}

pub fn activated(n: u32) -> Completed {
    Completed::Activate { slot: SLOT, generation: number(n), left: report(n, Holding::Empty) }
}

pub fn deactivated(n: u32) -> Completed {
    Completed::Deactivate { slot: SLOT, generation: number(n), left: report(n, Holding::Inactive) }
}

pub fn inspected(floor: u32, holding: Holding) -> Completed {
    Completed::Inspect { slot: SLOT, slots: SLOTS, left: report(floor, holding) }
}

fn report(floor: u32, holding: Holding) -> SlotReport {
    SlotReport { floor: number(floor), holding }
}

/// A Done that answers nobody's command in particular.
pub fn done(completed: Completed) -> Vec<u8> {
    by_lock(&done_body(some_digest("a command"), completed))
}

pub fn transfer_done(owner: PublicKey, service: PublicKey, epoch: u32) -> Vec<u8> {
    let body = done_body(some_digest("a transfer"), Completed::Transfer { owner, service, slots: SLOTS });
    by_lock(&Done { epoch: Epoch::new(epoch), ..body })
}

pub fn grant_body(n: u32) -> Grant {
    Grant {
        lock: lock("lock"),
        epoch: Epoch::FIRST,
        by: Term::OWNER,
        slot: SLOT,
        generation: number(n),
        subject: public("subject"),
        rights: Rights::OPEN_AND_LOCK,
        limits: Limits::NONE,
    }
}

pub fn grant(n: u32) -> Vec<u8> {
    signed(&grant_body(n), &seed("owner"))
}

/// Another grant of the same number.
pub fn twin(n: u32) -> Vec<u8> {
    signed(&Grant { rights: Rights::OPEN, ..grant_body(n) }, &seed("owner"))
}

pub fn claim_of(grant: &[u8], device: &str) -> Vec<u8> {
    signed(&Claim { grant: digest(grant), device: public(device) }, &seed("subject"))
}

pub fn install_of(claim: &[u8], device: &str, challenge: &str) -> Vec<u8> {
    let body = Install { claim: digest(claim), nonce: nonce(challenge), agreement: agreement("guest's agreement") };
    signed(&body, &seed(device))
}

pub fn release_of(install: &[u8]) -> Vec<u8> {
    signed(&Release { install: digest(install) }, &seed("service"))
}

pub fn receipt_body(grant: &[u8], n: u32, device: &str) -> Receipt {
    let install = install_of(&claim_of(grant, device), device, "challenge");
    Receipt {
        install: digest(&install),
        lock: lock("lock"),
        epoch: Epoch::FIRST,
        slot: SLOT,
        generation: number(n),
        grant: digest(grant),
        device: public(device),
        agreement: agreement("lock's agreement"),
    }
}

pub fn receipt(grant: &[u8], n: u32) -> Vec<u8> {
    by_lock(&receipt_body(grant, n, "device"))
}

pub fn withdraw_body(grant: &[u8], n: u32) -> Withdraw {
    let (lock, epoch, by) = (lock("lock"), Epoch::FIRST, Term::OWNER);
    Withdraw { lock, epoch, by, slot: SLOT, generation: number(n), grant: digest(grant) }
}

pub fn withdraw(grant: &[u8], n: u32) -> Vec<u8> {
    signed(&withdraw_body(grant, n), &seed("owner"))
}

pub fn withdrawn(grant: &[u8], n: u32, outcome: WithdrawnOutcome) -> Vec<u8> {
    signed(&withdrawn_body(grant, n, outcome), &seed("service"))
}

pub fn withdrawn_body(grant: &[u8], n: u32, outcome: WithdrawnOutcome) -> Withdrawn {
    let withdraw_signature = last_signature(&withdraw(grant, n));
    Withdrawn { withdraw: withdraw_body(grant, n), withdraw_signature, outcome }
}

/// The time on every clock here.
pub const NOW: Timestamp = Timestamp::from_unix_seconds(super::bench::NOON);

pub fn request_body() -> ReportRequest {
    let (lock, nonce) = (lock("lock"), nonce("the owner's nonce"));
    ReportRequest { lock, epoch: Epoch::FIRST, by: Term::OWNER, slot: SLOT, nonce, time: NOW }
}

/// What a service says to a request for a report, of a record of version 5 in which something is shared.
pub fn report_body(request: &[u8], messages: &[Vec<u8>]) -> Report {
    Report {
        request: digest(request),
        lock: lock("lock"),
        epoch: Epoch::FIRST,
        slot: SLOT,
        version: 5,
        state: State::Sharing,
        slots: SLOTS,
        messages: ReportAnswer::digest(&Provider, messages.iter().map(Vec::as_slice)),
    }
}

/// A report, and the messages that go with it.
pub fn answer(body: &Report, messages: &[Vec<u8>]) -> Vec<u8> {
    answered(&signed(body, &seed("service")), messages)
}

/// An answer that begins with whatever is said to be the report.
pub fn answered(report: &[u8], messages: &[Vec<u8>]) -> Vec<u8> {
    ReportAnswer::encode(report, &messages.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

pub fn refused(request: Digest, reason: sharekey::error::RefuseReason) -> Vec<u8> {
    by_lock(&RefusedBody { request, reason })
}
