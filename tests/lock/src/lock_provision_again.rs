//! A Provisioned that was lost is given again, to nobody but those whom it was for.

use sharekey::counter::Epoch;
use sharekey::crypto::Nonce;
use sharekey::error::LockError;
use sharekey::limits::Action;
use sharekey::lock::{Cell, purpose};
use sharekey::message::{Operation, Provision, Provisioned};
use sharekey::wire::Unverified;
use sharekey_stage::provider::Provider;
use sharekey_stage::stand::{CARD, OWNER, SERVICE, Stand};
use sharekey_stage::{digest, forge, public, seed};

/// Provisions with a nonce of the owner's that no other provision has.
fn provision(stand: &mut Stand, change: impl FnOnce(&mut Provision)) -> Result<(Vec<u8>, Vec<u8>), LockError> {
    let (nonce, session) = stand.operate();
    let mut body = Provision { owner_nonce: Nonce::from_bytes([0x55; 16]), ..stand.provision_body(nonce) };
    change(&mut body);
    let message = forge::tagged(&body, &CARD);
    let answer = stand.provision(session, &message).map_err(|refusal| refusal.error())?;
    Ok((message, answer))
}

//= spec/protocol.md#provisioning
//# PRV-11. A lock in epoch 1 whose owner's and service's keys are those in the Provision MUST answer with a Provisioned again, and write nothing.
#[test]
fn the_same_keys_get_an_answer_to_this_very_provision_and_nothing_is_written() {
    let mut stand = Stand::provisioned();
    stand.activate(0, 1);
    let key = stand.download(0, 2, |_| {}).unwrap();
    let before = stand.snapshot();
    let (message, answer) = provision(&mut stand, |_| {}).unwrap();
    assert_eq!(stand.snapshot(), before);

    let provisioned = Unverified::<Provisioned>::parse(&answer).unwrap().verify(&Provider, stand.id().key()).unwrap();
    assert_eq!((provisioned.lock, provisioned.epoch), (stand.id(), Epoch::FIRST));
    assert_eq!((provisioned.owner, provisioned.service), (public(&seed(OWNER)), public(&seed(SERVICE))));
    assert_eq!(provisioned.card, forge::card_tag(&CARD, &digest(&message), stand.id()));
    let _ = stand.open(&key).unwrap();
}

//= spec/protocol.md#provisioning
//# PRV-5. A provisioned lock MUST refuse with AlreadyProvisioned, unless PRV-11 applies.
#[test]
fn another_owner_or_service_is_refused() {
    let mut stand = Stand::provisioned();
    let before = stand.snapshot();
    let others: [fn(&mut Provision); 2] =
        [|body| body.owner = public(&seed(77)), |body| body.service = public(&seed(77))];
    for change in others {
        assert_eq!(provision(&mut stand, change).unwrap_err(), LockError::AlreadyProvisioned);
    }
    assert_eq!(stand.snapshot(), before);
}

//= spec/protocol.md#provisioning
//# PRV-11. A lock in epoch 1 whose owner's and service's keys are those in the Provision MUST answer with a Provisioned again, and write nothing.
#[test]
fn after_a_transfer_even_to_the_same_keys_nobody_is_answered() {
    let mut stand = Stand::provisioned();
    let (owner, service) = (public(&seed(OWNER)), public(&seed(SERVICE)));
    let _ = stand.command(Operation::Transfer { owner, service }).unwrap();
    assert_eq!(provision(&mut stand, |_| {}).unwrap_err(), LockError::AlreadyProvisioned);
}

#[test]
fn whoever_does_not_hold_the_card_is_told_nothing() {
    let mut stand = Stand::provisioned();
    let (nonce, session) = stand.operate();
    let message = forge::tagged(&stand.provision_body(nonce), &[0; 16]);
    let refusal = stand.provision(session, &message).unwrap_err();
    assert_eq!((refusal.error(), refusal.answer().len()), (LockError::CardMac, 4));
}

#[test]
fn a_detached_answer_holds_the_header_and_can_be_abandoned() {
    let mut stand = Stand::provisioned();
    let (nonce, session) = stand.operate();
    let message = stand.provision_message(nonce);
    let now = stand.now();
    let (record, pending) = stand.lock.provision(session, &message, now).unwrap().detach();
    assert!(record.is_none());
    assert_eq!(pending.cell(), Cell::Header);
    assert_eq!(stand.challenge::<purpose::Operate>().unwrap_err(), LockError::Busy);
    stand.lock.abandon(pending).unwrap();
    let _ = stand.command(Operation::Act { action: Action::Open }).unwrap();
}
