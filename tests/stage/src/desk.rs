//! One lock, one owner, one service, one guest: their keys, and the messages they exchange.

use crate::provider::Provider;
use rand_chacha::ChaCha20Rng;
use sharekey::counter::{Epoch, Generation, Term};
use sharekey::crypto::{AgreementKey, Crypto, Digest, Nonce, PublicKey, Tag};
use sharekey::error::OwnerError;
use sharekey::id::{LockId, SlotCount, SlotId};
use sharekey::limits::{Limits, Rights, Timestamp};
use sharekey::message::{
    Battery, Challenge, Claim, Completed, Done, Grant, Holding, Install, LockTime, Provisioned, Receipt, Report,
    ReportAnswer, ReportRequest, SlotReport, Withdraw, Withdrawn, WithdrawnOutcome,
};
use sharekey::owner::{Fact, Method, NewView, OwnedLock, Owner, Seen};
use sharekey::secret::{ActivationSecret, Seed};
use sharekey::service::{Request, Service, ShareRecord};
use sharekey::slot::State;
use sharekey::staged::Staged;
use sharekey::wire::Unverified;

use super::forge::{bare, card_tag, last_signature, report_of, signed, some_digest};
pub use super::rows::{open, reopen, serve};
use super::store::stored;
use super::{digest, public, seed};

pub const SLOT: SlotId = SlotId::new(3);
pub const EPOCH: Epoch = Epoch::FIRST;
pub const SLOTS: SlotCount = SlotCount::new(10).unwrap();

pub fn generation(n: u32) -> Generation {
    Generation::new(n)
}

/// A point of small order.
pub fn bad_key() -> PublicKey {
    PublicKey::from_bytes([0; 32])
}

/// Commits to a store that always accepts.
pub fn accept<S, T>(staged: Staged<'_, S, T>) -> T {
    let Ok(output) = staged.commit(stored);
    output
}

pub fn owner_seed() -> Seed {
    seed(1)
}

pub fn service_seed() -> Seed {
    seed(2)
}

pub fn lock_seed() -> Seed {
    seed(3)
}

pub fn subject_seed() -> Seed {
    seed(4)
}

pub fn device_seed() -> Seed {
    seed(5)
}

/// Somebody whom nobody named.
pub fn stranger_seed() -> Seed {
    seed(99)
}

pub fn lock() -> LockId {
    LockId::new(public(&lock_seed()))
}

pub fn device() -> PublicKey {
    public(&device_seed())
}

pub fn owner() -> Owner<Provider> {
    Owner::new(Provider, &owner_seed()).unwrap()
}

pub fn service() -> Service<Provider> {
    Service::new(Provider, &service_seed()).unwrap()
}

pub fn challenge() -> Vec<u8> {
    bare(&Challenge { lock: lock(), nonce: Nonce::from_bytes([7; 16]) })
}

pub fn provisioned() -> Provisioned {
    Provisioned {
        lock: lock(),
        epoch: EPOCH,
        owner: public(&owner_seed()),
        service: public(&service_seed()),
        slots: SLOTS,
        card: Tag::from_bytes([0; 16]),
    }
}

pub fn done(completed: Completed) -> Done {
    let (time, battery) = (LockTime::UNKNOWN, Battery::UNKNOWN);
    Done { command: some_digest(0), lock: lock(), epoch: EPOCH, time, battery, completed }
}

/// What a phone learns from such a Done.
pub fn told(completed: Completed) -> Fact {
    Fact::Done { completed, time: None, battery: Battery::UNKNOWN }
}

pub fn transfer_to(owner: PublicKey, service: PublicKey, epoch: u32) -> Done {
    Done { epoch: Epoch::new(epoch), ..done(Completed::Transfer { owner, service, slots: SLOTS }) }
}

pub fn activated(n: u32) -> Done {
    let left = SlotReport { floor: generation(n), holding: Holding::Empty };
    done(Completed::Activate { slot: SLOT, generation: generation(n), left })
}

pub fn deactivated(n: u32) -> Done {
    let left = SlotReport { floor: generation(n), holding: Holding::Inactive };
    done(Completed::Deactivate { slot: SLOT, generation: generation(n), left })
}

pub fn found(floor: u32, holding: Holding) -> Done {
    let left = SlotReport { floor: generation(floor), holding };
    done(Completed::Inspect { slot: SLOT, slots: SLOTS, left })
}

pub fn by_lock(body: &Done) -> Vec<u8> {
    signed(body, &lock_seed())
}

pub fn grant(n: u32) -> Grant {
    Grant {
        lock: lock(),
        epoch: EPOCH,
        by: Term::OWNER,
        slot: SLOT,
        generation: generation(n),
        subject: public(&subject_seed()),
        rights: Rights::OPEN,
        limits: Limits::NONE,
    }
}

pub fn granted(n: u32) -> Vec<u8> {
    signed(&grant(n), &owner_seed())
}

pub fn withdraw_of(grant: &Grant) -> Withdraw {
    let digest = digest(&signed(grant, &owner_seed()));
    let Grant { lock, epoch, by, slot, generation, .. } = *grant;
    Withdraw { lock, epoch, by, slot, generation, grant: digest }
}

pub fn withdraw(n: u32) -> Vec<u8> {
    signed(&withdraw_of(&grant(n)), &owner_seed())
}

pub fn withdrawn(n: u32, outcome: WithdrawnOutcome) -> Vec<u8> {
    signed(&withdrawn_of(&grant(n), outcome), &service_seed())
}

/// What a service says of a withdrawal that the owner signed.
pub fn withdrawn_of(grant: &Grant, outcome: WithdrawnOutcome) -> Withdrawn {
    let withdraw = withdraw_of(grant);
    Withdrawn { withdraw, withdraw_signature: last_signature(&signed(&withdraw, &owner_seed())), outcome }
}

/// The time on every clock here.
pub const NOW: Timestamp = Timestamp::from_unix_seconds(1_790_000_000);

/// What the lock says of whose it is in this ownership, by which the service opens its records.
pub fn ownership(epoch: Epoch) -> Vec<u8> {
    if epoch == EPOCH {
        return signed(&provisioned(), &lock_seed());
    }
    by_lock(&transfer_to(public(&owner_seed()), public(&service_seed()), epoch.value()))
}

/// What the service answers to a request for a report, with these messages behind the statement of ownership.
pub fn answer(request: &[u8], (version, state): (u64, State), messages: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let ReportRequest { lock, epoch, slot, .. } = *Unverified::parse(request).unwrap().claims();
    let ownership = ownership(epoch);
    let messages: Vec<&[u8]> = std::iter::once(&ownership[..]).chain(messages.iter().map(AsRef::as_ref)).collect();
    let (request, slots, messages_digest) = (digest(request), SLOTS, digest(b""));
    let body = Report { request, lock, epoch, slot, version, state, slots, messages: messages_digest };
    report_of(body, &messages, &service_seed())
}

/// A request for the report of a record, by its owner.
pub fn request_of(record: &ShareRecord) -> ReportRequest {
    let (lock, slot) = record.place();
    ReportRequest { lock, epoch: record.epoch(), by: Term::OWNER, slot, nonce: Nonce::from_bytes([6; 16]), time: NOW }
}

/// What the service reports of a record, and the messages behind the statement of ownership.
pub fn reported(service: &Service<impl Crypto>, record: &ShareRecord) -> (Report, Vec<Vec<u8>>) {
    let answer = service.report(record, &signed(&request_of(record), &owner_seed()), NOW).unwrap();
    let answer = ReportAnswer::parse(&answer).unwrap();
    let report = *Unverified::<Report>::parse(answer.report).unwrap().claims();
    assert_eq!(answer.messages().next(), Some(record.of_lock().statement()));
    (report, answer.messages().skip(1).map(Vec::from).collect())
}

/// The owner asks, and takes in what the service answers.
pub fn see<'v>(
    view: &'v mut OwnedLock,
    (version, state): (u64, State),
    messages: &[impl AsRef<[u8]>],
) -> Result<Staged<'v, OwnedLock, Seen>, OwnerError> {
    let (request, pending) = owner().ask(view, SLOT, NOW, &mut super::rng(9))?;
    owner().see(view, pending, &answer(&request, (version, state), messages))
}

pub fn claim_of(grant: &[u8], device: PublicKey) -> Claim {
    Claim { grant: digest(grant), device }
}

pub fn claimed(n: u32) -> Vec<u8> {
    signed(&claim_of(&granted(n), device()), &subject_seed())
}

pub fn install_of(claim: &[u8], nonce: u8) -> Install {
    Install {
        claim: digest(claim),
        nonce: Nonce::from_bytes([nonce; 16]),
        agreement: AgreementKey::from_bytes([9; 32]),
    }
}

pub fn install(n: u32, nonce: u8) -> Vec<u8> {
    signed(&install_of(&claimed(n), nonce), &device_seed())
}

pub fn receipt_of(n: u32) -> Receipt {
    receipt_naming(n, digest(&granted(n)))
}

pub fn receipt_naming(n: u32, grant: Digest) -> Receipt {
    Receipt {
        install: digest(&install(n, 1)),
        lock: lock(),
        epoch: EPOCH,
        slot: SLOT,
        generation: generation(n),
        grant,
        device: device(),
        agreement: AgreementKey::from_bytes([8; 32]),
    }
}

pub fn receipt(n: u32) -> Vec<u8> {
    signed(&receipt_of(n), &lock_seed())
}

/// The one service takes this in.
pub fn take<'a>(record: &mut ShareRecord, request: impl Into<Request<'a>>) -> Vec<u8> {
    serve(&service(), record, request).unwrap()
}

pub fn record() -> ShareRecord {
    open(&service(), &signed(&provisioned(), &lock_seed()), SLOT).unwrap()
}

/// A record whose slot was activated with number 1.
pub fn active_record() -> ShareRecord {
    let mut record = record();
    take(&mut record, &by_lock(&activated(1)));
    record
}

/// … in which grant `n` is published.
pub fn sharing_record(n: u32) -> ShareRecord {
    let mut record = active_record();
    take(&mut record, &granted(n));
    record
}

/// … and released.
pub fn shared_record(n: u32) -> ShareRecord {
    let mut record = sharing_record(n);
    take(&mut record, (&claimed(n), &install(n, 1)));
    record
}

// --- the owner ----------------------------------------------------------------------------------

pub fn rng() -> ChaCha20Rng {
    super::rng(1)
}

pub fn card() -> ActivationSecret {
    ActivationSecret::from_bytes([11; 16])
}

/// What the lock with the card answers to a provision.
pub fn answer_provision(provision: &[u8]) -> Provisioned {
    Provisioned { card: card_tag(card().expose(), &digest(provision), lock()), ..provisioned() }
}

/// The first view of a phone, in a store that always accepts.
pub fn keep(new: NewView) -> OwnedLock {
    let Ok(view) = new.put_new(None, stored);
    view
}

/// The owner's view of a lock that was just provisioned.
pub fn view() -> OwnedLock {
    let (message, pending) = owner().provision(&card(), &challenge(), public(&service_seed()), &mut rng()).unwrap();
    keep(pending.finish(&owner(), &signed(&answer_provision(&message), &lock_seed())).unwrap())
}

/// … whose slot was activated with number 1.
pub fn active_view() -> OwnedLock {
    let mut view = view();
    let _ = accept(owner().learn(&mut view, &by_lock(&activated(1))).unwrap());
    view
}

/// … in which grant 2 was signed.
pub fn sharing_view() -> OwnedLock {
    let mut view = active_view();
    let subject = public(&subject_seed());
    let method = Method::Account;
    let message = accept(owner().share(&mut view, SLOT, subject, method, Rights::OPEN, Limits::NONE).unwrap());
    assert_eq!(message.as_bytes(), granted(2));
    view
}
