//! Provisioning: each accept rule, broken alone and in pairs, and exactly what the lock then proves.

use sharekey::counter::{Epoch, Generation};
use sharekey::crypto::Nonce;
use sharekey::error::{LockError, RefuseReason, WireError};
use sharekey::lock::Cell;
use sharekey::message::{Holding, Provision, Provisioned, SlotReport};
use sharekey_stage::stand::{CARD, OWNER, SERVICE, SLOTS, Stand, TestLock, fails, slot_count};
use sharekey_stage::{bad, digest, forge, public, seed};

const OTHER: u8 = 40;

/// A provision that is good but for `change`.
#[track_caller]
fn refuses(stand: &mut Stand, change: impl FnOnce(&mut Provision), error: LockError, told: Option<RefuseReason>) {
    let (nonce, session) = stand.operate();
    let mut provision = stand.provision_body(nonce);
    change(&mut provision);
    stand.refuses_provision(session, &forge::tagged(&provision, &CARD), error, told);
}

//= spec/protocol.md#message-provisioned
//# MSG-18. The card tag MUST be HMAC-SHA256(activation secret, `"sharekey v1 provisioned"` ‖ digest(Provision) ‖ lock id)[..16].
//= spec/protocol.md#provisioning
//# PRV-7. Provisioning MUST begin epoch 1.
#[test]
fn the_lock_proves_whose_it_is_and_that_its_card_was_used() {
    let mut stand = Stand::fresh();
    let (nonce, session) = stand.operate();
    let provision = stand.provision_message(nonce);
    let mut store = stand.store.clone();
    let provisioned = stand.provision(session, &provision).unwrap();

    let expected = Provisioned {
        lock: stand.id(),
        epoch: Epoch::FIRST,
        owner: public(&seed(OWNER)),
        service: public(&seed(SERVICE)),
        slots: slot_count(),
        card: forge::card_tag(&CARD, &digest(&provision), stand.id()),
    };
    assert_eq!(provisioned, forge::signed(&expected, &stand.lock_key()));

    store.set(Cell::Header, stand.store.get(Cell::Header).unwrap().to_vec());
    store.writes += 1;
    assert_eq!(stand.store, store, "only the header is written");
    for _ in 0..2 {
        assert_eq!(stand.owner(), Ok((Epoch::FIRST, public(&seed(OWNER)))));
        for slot in 0..u8::try_from(SLOTS).unwrap() {
            let untouched = SlotReport { floor: Generation::ZERO, holding: Holding::Inactive };
            assert_eq!(stand.report(slot), Ok(untouched));
        }
        stand.reboot();
    }
}

//= spec/protocol.md#provisioning
//# PRV-3. The Provision MUST carry the session's nonce.
#[test]
fn a_provision_with_another_nonce_is_refused_also_with_one_of_the_locks_own() {
    let mut stand = Stand::fresh();
    let (earlier, _) = stand.operate();
    let (for_install, _) = stand.for_install();
    for nonce in [earlier, for_install, Nonce::from_bytes([8; 16])] {
        refuses(&mut stand, |provision| provision.lock_nonce = nonce, LockError::WrongNonce, None);
    }
    stand.begins();
}

//= spec/protocol.md#provisioning
//# PRV-4. The Provision's tag MUST verify under the activation secret.
#[test]
fn a_provision_without_the_cards_secret_is_refused() {
    let mut stand = Stand::fresh();
    let mut close = CARD;
    close[15] ^= 1;
    for secret in [&close[..], &[0; 16], &CARD[..15], &[]] {
        let (nonce, session) = stand.operate();
        let provision = forge::tagged(&stand.provision_body(nonce), secret);
        stand.refuses_provision(session, &provision, LockError::CardMac, None);
    }
    stand.begins();
}

//= spec/protocol.md#provisioning
//# PRV-5. A provisioned lock MUST refuse with AlreadyProvisioned, unless PRV-11 applies.
#[test]
fn a_provisioned_lock_says_so_to_the_holder_of_its_card_alone() {
    let mut stand = Stand::active();
    let change = |provision: &mut Provision| provision.owner = public(&seed(OTHER));
    refuses(&mut stand, change, LockError::AlreadyProvisioned, Some(RefuseReason::AlreadyProvisioned));
    let (nonce, session) = stand.operate();
    let provision = forge::tagged(&stand.provision_body(nonce), &[0; 16]);
    stand.refuses_provision(session, &provision, LockError::CardMac, None);
    stand.reboot();
    refuses(&mut stand, change, LockError::AlreadyProvisioned, Some(RefuseReason::AlreadyProvisioned));
    stand.goes_on();
}

//= spec/protocol.md#strict-keys
//# KEY-7. A lock MUST make the checks KEY-1 and KEY-2 on every public key that it is to store, before anything is staged.
//= spec/protocol.md#provisioning
//# PRV-6. Both keys in the Provision MUST pass KEY-1 and KEY-2.
#[test]
fn keys_that_are_not_good_keys_are_refused_with_the_reason() {
    let mut stand = Stand::fresh();
    //= spec/protocol.md#provisioning
    //# PRV-10. A refusal after the tag held MUST be a signed Refused with the reason.
    let told = Some(RefuseReason::BadKey);
    for (key, why) in bad::keys() {
        refuses(&mut stand, |provision| provision.owner = key, LockError::OwnerKey(why), told);
        refuses(&mut stand, |provision| provision.service = key, LockError::ServiceKey(why), told);
        let both = |provision: &mut Provision| (provision.owner, provision.service) = (key, key);
        refuses(&mut stand, both, LockError::OwnerKey(why), told);
    }
    stand.begins();
}

/// The rules, in the order of the design, each broken below.
const RULES: [(LockError, Option<RefuseReason>); 6] = [
    (LockError::Wire(WireError::Version { found: 2 }), None),
    (LockError::SessionExpired, None),
    (LockError::WrongNonce, None),
    (LockError::CardMac, None),
    (LockError::AlreadyProvisioned, Some(RefuseReason::AlreadyProvisioned)),
    (LockError::OwnerKey(sharekey::error::KeyError::SmallOrder), Some(RefuseReason::BadKey)),
];

//= spec/protocol.md#provisioning
//# PRV-9. A refusal before the tag held MUST be the opaque Refused.
//= spec/protocol.md#provisioning
//# PRV-14. The lock MUST make these checks in this order; the first that fails decides the error.
#[test]
fn of_two_broken_rules_the_earlier_one_is_reported_and_decides_what_is_told() {
    for (at, (first, told)) in RULES.into_iter().enumerate() {
        for (second, _) in RULES.into_iter().skip(at) {
            let is = |rule: usize| first == RULES[rule].0 || second == RULES[rule].0;
            let mut stand = if is(4) { Stand::provisioned() } else { Stand::fresh() };
            let (nonce, session) = stand.operate();
            let mut provision = stand.provision_body(nonce);
            if is(4) {
                provision.owner = public(&seed(9));
            }
            if is(5) {
                provision.owner = bad::keys()[0].0;
            }
            if is(2) {
                provision.lock_nonce = Nonce::from_bytes([0; 16]);
            }
            let mut frame = forge::frame(&provision);
            if is(0) {
                frame[2] = 2;
            }
            if is(1) {
                stand.ticks += 10_001;
            }
            let secret = if is(3) { [0; 16] } else { CARD };
            stand.refuses_provision(session, &forge::tag(frame, &secret), first, told);
        }
    }
}

#[test]
fn while_a_write_is_unknown_nothing_is_provisioned() {
    let mut stand = Stand::fresh();
    let (nonce, session) = stand.operate();
    let provision = stand.provision_message(nonce);
    let now = stand.now();
    stand.lock.provision(session, &provision, now).unwrap().commit(fails).unwrap_err();
    assert_eq!(stand.owner(), Err(LockError::Busy));
    stand.lock.reload(Cell::Header, stand.store.found(Cell::Header)).unwrap();
    assert_eq!(stand.owner(), Err(LockError::NotProvisioned));
    stand.begins();
}

#[test]
fn a_lock_that_did_not_read_all_its_slots_yet_is_busy_and_says_so() {
    let mut stand = Stand::fresh();
    let last = TestLock::cells().last().unwrap();
    stand.boot_without(&[last]);
    refuses(&mut stand, |_| {}, LockError::Busy, Some(RefuseReason::Busy));
    stand.reload(last).unwrap();
    stand.begins();
}
