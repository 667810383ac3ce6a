//! A taken-over service: the test holds its key. It decides order, and never who may enter; it hides
//! nothing that the lock signed.

use sharekey::counter::{Epoch, Generation, Term};
use sharekey::crypto::{Agree, Digest};
use sharekey::error::{LockError, OwnerError};
use sharekey::lock::{Session, purpose};
use sharekey::message::{
    Bundle, Claim, Grant, Install, Receipt, Release, Report, ReportRequest, Withdraw, Withdrawn, WithdrawnOutcome,
};
use sharekey::owner::{Equivocation, Order};
use sharekey::secret::AgreementSecret;
use sharekey::slot::State;
use sharekey::wire::{Kind, Unverified};
use sharekey_stage::forge::report_of;
use sharekey_stage::provider::Provider;

use super::MISMATCH;
use sharekey_stage::world::guest::Guest;
use sharekey_stage::world::{ANA, BEN, CLOUD, EVE, HALL, OLGA, STUDIO, World, digest, key_of, seed};
use sharekey_stage::{forge, nonce_of};

/// What Eve and the cloud's key make of a grant: a chain for Eve's device, its claim signed by
/// whomever they hold the key of.
fn chain(w: &mut World, grant: &[u8], claimed_by: u8) -> (Session<purpose::Install>, Vec<u8>) {
    let claim = forge::signed(&Claim { grant: digest(grant), device: key_of(EVE) }, &seed(claimed_by));
    chain_of_claim(w, grant, &claim)
}

fn chain_of_claim(w: &mut World, grant: &[u8], claim: &[u8]) -> (Session<purpose::Install>, Vec<u8>) {
    let (challenge, session) = w.door.connect::<purpose::Install>();
    let nonce = nonce_of(&challenge);
    let agreement = Provider.agreement_key(&AgreementSecret::from_bytes([7; 32]));
    let install = forge::signed(&Install { claim: digest(claim), nonce, agreement }, &seed(EVE));
    let release = forge::signed(&Release { install: digest(&install) }, &seed(CLOUD));
    (session, Bundle { grant, claim, install: &install, release: &release }.encode().unwrap().to_vec())
}

fn body(grant: &[u8]) -> Grant {
    *Unverified::<Grant>::parse(grant).unwrap().claims()
}

fn shared_with_ana() -> (World, Guest, Vec<u8>) {
    let mut w = World::active();
    let mut ana = w.guest(ANA);
    let grant = w.share(HALL, &ana).unwrap();
    ana.claim(&grant).unwrap();
    (w, ana, grant)
}

#[test]
fn it_installs_nothing_that_the_owner_did_not_grant() {
    let (mut w, _ana, grant) = shared_with_ana();
    for signer in [CLOUD, EVE, ANA] {
        let own = forge::signed(&Grant { subject: key_of(EVE), ..body(&grant) }, &seed(signer));
        let (session, bundle) = chain(&mut w, &own, EVE);
        w.lock_refuses(LockError::GrantSignature(MISMATCH), |w| w.door.install(session, &bundle));
    }
}

#[test]
fn it_installs_nothing_that_the_subject_did_not_claim() {
    let (mut w, _ana, grant) = shared_with_ana();
    for claimed_by in [EVE, CLOUD, OLGA] {
        let (session, bundle) = chain(&mut w, &grant, claimed_by);
        w.lock_refuses(LockError::ClaimSignature(MISMATCH), |w| w.door.install(session, &bundle));
    }
}

#[test]
fn it_installs_for_no_other_device_than_the_claimed() {
    let (mut w, ana, grant) = shared_with_ana();
    let (session, bundle) = chain_of_claim(&mut w, &grant, ana.claimed().claim());
    w.lock_refuses(LockError::InstallSignature(MISMATCH), |w| w.door.install(session, &bundle));
}

#[test]
fn it_installs_nothing_below_the_floor() {
    let (mut w, mut ana, grant) = shared_with_ana();
    w.withdraw(HALL).unwrap();
    let _ben = w.downloads(HALL, BEN);
    w.lock_refuses(LockError::StaleGeneration, |w| ana.fetch_colluding(&mut w.door));
    // Nor with a number of its own choice, even with the subject's help.
    let raised = forge::signed(&Grant { generation: Generation::new(99), ..body(&grant) }, &seed(CLOUD));
    let (session, bundle) = chain(&mut w, &raised, ANA);
    w.lock_refuses(LockError::GrantSignature(MISMATCH), |w| w.door.install(session, &bundle));
}

#[test]
fn it_turns_a_grant_to_no_other_slot_and_widens_no_limits() {
    let (mut w, _ana, grant) = shared_with_ana();
    let turned = Grant { slot: STUDIO, ..body(&grant) };
    let widened = Grant { rights: sharekey::limits::Rights::OPEN, ..body(&grant) };
    for changed in [turned, widened] {
        let (session, bundle) = chain(&mut w, &forge::signed(&changed, &seed(CLOUD)), ANA);
        w.lock_refuses(LockError::GrantSignature(MISMATCH), |w| w.door.install(session, &bundle));
    }
}

#[test]
fn it_turns_a_grant_to_no_other_lock_of_the_same_owner() {
    let (_, _ana, grant) = shared_with_ana();
    let mut other = World::active_at(2);
    let (session, bundle) = chain(&mut other, &grant, ANA);
    other.lock_refuses(LockError::WrongLock, |w| w.door.install(session, &bundle));
    let turned = forge::signed(&Grant { lock: other.door.id(), ..body(&grant) }, &seed(CLOUD));
    let (session, bundle) = chain(&mut other, &turned, ANA);
    other.lock_refuses(LockError::GrantSignature(MISMATCH), |w| w.door.install(session, &bundle));
}

#[test]
fn it_turns_a_grant_to_no_other_epoch_of_the_same_owner() {
    let (mut w, mut ana, grant) = shared_with_ana();
    let (owner, service) = (w.olga.key(), w.cloud.key());
    let done = w.olga.transfer(&mut w.door, owner, service).unwrap();
    w.cloud.hear(&done).unwrap();
    w.activate(HALL).unwrap();
    w.lock_refuses(LockError::WrongEpoch, |w| ana.fetch_colluding(&mut w.door));
    let turned = forge::signed(&Grant { epoch: Epoch::new(2), ..body(&grant) }, &seed(CLOUD));
    let (session, bundle) = chain(&mut w, &turned, ANA);
    w.lock_refuses(LockError::GrantSignature(MISMATCH), |w| w.door.install(session, &bundle));
}

//= spec/protocol.md#states
//# SLO-2. A share MUST NOT become confirmed without the lock's signed statement, a Receipt or a Done of an Inspect, that the grant is installed.
#[test]
fn it_makes_no_view_say_downloaded() {
    let (mut w, ana, grant) = shared_with_ana();
    let receipt = Receipt {
        install: digest(b"some install"),
        lock: w.door.id(),
        epoch: Epoch::FIRST,
        slot: HALL,
        generation: Generation::new(2),
        grant: digest(&grant),
        device: key_of(EVE),
        agreement: Provider.agreement_key(&AgreementSecret::from_bytes([7; 32])),
    };
    for signer in [CLOUD, EVE, OLGA] {
        let lie = forge::signed(&receipt, &seed(signer));
        w.refuses(OwnerError::ReceiptSignature(MISMATCH), |w| w.olga.learn(&lie));
    }
    // A later version of the record, with honest messages only, says nothing more.
    let version = w.record(HALL).version() + 5;
    let (request, pending) = w.olga.ask(HALL).unwrap();
    let ownership = w.record(HALL).of_lock().statement().to_vec();
    let lie = report(&request, (version, State::Shared), &[&ownership, &grant]);
    let _ = w.olga.change(|owner, view, _| owner.see(view, pending, &lie)).unwrap();
    assert_eq!((w.olga.state(HALL), w.olga.downloaded(HALL)), (State::Sharing, None));
    assert!(w.olga.view().status(HALL).shared.unwrap().said_released, "its word, shown as such");
    assert_eq!(w.olga.view().status(HALL).shared.unwrap().subject(), Some(ana.subject()));
}

/// The service's answer to a request for a report, whatever is true.
fn report(request: &[u8], (version, state): (u64, State), messages: &[&[u8]]) -> Vec<u8> {
    let ReportRequest { lock, epoch, slot, .. } = *Unverified::parse(request).unwrap().claims();
    let (request, slots) = (digest(request), sharekey_stage::desk::SLOTS);
    let body = Report { request, lock, epoch, slot, version, state, slots, messages: digest(b"") };
    report_of(body, messages, &seed(CLOUD))
}

/// The service's answer to a withdrawal of this grant that the owner signed, whatever is true.
fn answer(grant: &[u8], outcome: WithdrawnOutcome, signer: u8) -> Vec<u8> {
    let Grant { lock, epoch, slot, generation, .. } = body(grant);
    let withdraw = Withdraw { lock, epoch, by: Term::OWNER, slot, generation, grant: digest(grant) };
    let withdraw_signature = forge::last_signature(&forge::signed(&withdraw, &seed(OLGA)));
    forge::signed(&Withdrawn { withdraw, withdraw_signature, outcome }, &seed(signer))
}

/// The grant, the denial and the release in what convicts the service.
fn convicted(evidence: Equivocation) -> (Digest, Vec<u8>, Vec<u8>) {
    let Equivocation::Release { slot: HALL, key, denial, release } = evidence else { panic!("{evidence:?}") };
    (key.grant, denial, release)
}

#[test]
fn releasing_after_never_released_convicts_it_with_both_messages() {
    let (mut w, mut ana, grant) = shared_with_ana();
    w.olga.sign_withdrawal(HALL).unwrap();
    let denial = answer(&grant, WithdrawnOutcome::NeverReleased, CLOUD);
    assert!(w.olga.learn(&denial).unwrap().news);
    assert_eq!(w.olga.may_open(HALL), [0_u32; 0]);
    let receipt = ana.fetch_colluding(&mut w.door).unwrap();

    let evidence = w.olga.learn(&receipt).unwrap().equivocation.expect("convicted");
    assert!(w.olga.view().equivocations().eq([evidence.clone()]));
    assert_eq!(convicted(evidence), (digest(&grant), denial, receipt));
    assert_eq!(w.olga.may_open(HALL), [2], "and the key that it denied is seen");
}

//= spec/protocol.md#owner
//# OWN-11. A Withdrawn of NeverReleased and a Receipt for the same grant MUST be reported as equivocation of the service, with both messages as evidence.
#[test]
fn denying_a_release_that_the_lock_proved_convicts_it_and_hides_nothing() {
    let (mut w, ana) = World::downloaded();
    w.sync();
    let grant = w.tape.last(Kind::Grant);
    w.olga.sign_withdrawal(HALL).unwrap();
    let denial = answer(&grant, WithdrawnOutcome::NeverReleased, CLOUD);
    let evidence = w.olga.learn(&denial).unwrap().equivocation.expect("convicted");
    assert_eq!(convicted(evidence), (digest(&grant), denial, w.tape.last(Kind::Receipt)));
    let status = w.olga.view().status(HALL);
    assert_eq!(status.may_open[0].downloaded.unwrap().device, ana.key().device());
}

#[test]
fn an_inspection_convicts_it_too_where_the_guest_withholds_the_receipt() {
    let (mut w, mut ana, grant) = shared_with_ana();
    let denial = answer(&grant, WithdrawnOutcome::NeverReleased, CLOUD);
    let _ = w.olga.learn(&denial).unwrap();
    ana.fetch_colluding(&mut w.door).unwrap();
    let order = w.olga.order(&mut w.door, Order::Inspect { slot: HALL });
    let (done, learned) = order.unwrap();
    let evidence = learned.equivocation.expect("convicted");
    assert_eq!(convicted(evidence), (digest(&grant), denial, done));
    assert_eq!(w.olga.may_open(HALL), [2]);
}

#[test]
fn it_hides_no_key_by_settling_or_by_leaving_out() {
    let (mut w, mut ana, grant) = shared_with_ana();
    ana.fetch_colluding(&mut w.door).unwrap();
    // It passes neither release nor receipt on.
    w.sync();
    assert_eq!(w.olga.may_open(HALL), [2]);
    w.olga.sign_withdrawal(HALL).unwrap();
    let _ = w.olga.learn(&answer(&grant, WithdrawnOutcome::Settled, CLOUD)).unwrap();
    assert_eq!((w.olga.state(HALL), w.olga.may_open(HALL)), (State::NotShared, vec![2]));
    w.open(&mut ana).unwrap();
}

//= spec/protocol.md#owner
//# OWN-7. The owner MUST check a Withdrawn under the service key of the epoch.
#[test]
fn nobody_else_answers_a_withdrawal() {
    let (mut w, _ana, grant) = shared_with_ana();
    for signer in [EVE, ANA, OLGA] {
        let lie = answer(&grant, WithdrawnOutcome::NeverReleased, signer);
        w.refuses(OwnerError::WithdrawnSignature(MISMATCH), |w| w.olga.learn(&lie));
    }
}
