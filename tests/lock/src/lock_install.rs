//! Install: each accept rule, broken alone. Whether it is refused with the right error, the right
//! answer and nothing changed, `Stand::refuses_bundle` checks.

use sharekey::counter::{Epoch, Generation, Term};
use sharekey::crypto::{AgreementKey, Nonce, Signature};
use sharekey::error::{LockError, RefuseReason, SignatureError, WireError};
use sharekey::id::{LockId, SlotId};
use sharekey::limits::{Action, Limits, Schedule, Timestamp, UtcOffset, Weekdays};
use sharekey::lock::{Cell, Installed, Session, purpose};
use sharekey::message::{Bundle, Claim, Grant, Holding, Install, Receipt, Release};
use sharekey::secret::Seed;
use sharekey::wire::{Message, Unverified};
use sharekey_stage::stand::{Chain, DEVICE, OWNER, Parts, SERVICE, SLOTS, SUBJECT, Stand};
use sharekey_stage::{bad, digest, forge, public, seed};

const OTHER: u8 = 40;

fn begin(stand: &mut Stand, generation: u32) -> (Chain, Session<purpose::Install>) {
    let (nonce, session) = stand.for_install();
    (stand.chain(nonce, 0, generation), session)
}

/// The chain is good but for `change`, and refused opaquely.
#[track_caller]
fn refuses(stand: &mut Stand, change: impl FnOnce(&mut Chain), error: LockError) {
    let (mut chain, session) = begin(stand, 2);
    change(&mut chain);
    stand.refuses_bundle(session, &chain.bundle(), error, None);
}

/// The chain is good but for what it is for, and the reason is told.
#[track_caller]
fn tells(stand: &mut Stand, change: impl FnOnce(&mut Chain), error: LockError, told: RefuseReason) {
    let (mut chain, session) = begin(stand, 2);
    change(&mut chain);
    stand.refuses_bundle(session, &chain.bundle(), error, Some(told));
}

/// The bundle is what `build` makes of a good chain.
#[track_caller]
fn refuses_built(stand: &mut Stand, build: impl FnOnce(&Chain) -> Vec<u8>, error: LockError) {
    let (chain, session) = begin(stand, 2);
    stand.refuses_bundle(session, &build(&chain), error, None);
}

//= spec/protocol.md#pairing-key
//# KDF-3. The pairing key MUST be HKDF(salt = digest(Receipt), ikm = the X25519 shared secret, info = `"sharekey v1 pairing"`), 32 bytes.
#[test]
fn a_good_bundle_installs_and_the_key_opens() {
    let (mut stand, key) = Stand::installed();
    let unlocked = stand.open(&key).unwrap();
    assert_eq!(unlocked.action, Action::Open);
}

//= spec/protocol.md#keys-of-a-lock
//# KDF-6. A lock MUST derive these four keys from its seed as the table says.
#[test]
fn an_install_writes_its_slot_and_gives_the_receipt_of_exactly_this_chain() {
    let mut stand = Stand::active();
    let (chain, session) = begin(&mut stand, 7);
    let (parts, mut before) = (chain.parts(), stand.store.clone());
    let installed: Installed = stand.send_bundle(session, &parts.bundle()).unwrap();
    assert_eq!((installed.slot, installed.generation), (SlotId::new(0), Generation::new(7)));
    assert_eq!(installed.device, public(&chain.device));

    let receipt = Unverified::<Receipt>::parse(&installed.receipt).unwrap();
    let expected = Receipt {
        install: digest(&parts.install),
        lock: stand.id(),
        epoch: Epoch::FIRST,
        slot: SlotId::new(0),
        generation: Generation::new(7),
        grant: digest(&parts.grant),
        device: public(&chain.device),
        agreement: receipt.claims().agreement,
    };
    assert_eq!(installed.receipt.as_bytes(), forge::signed(&expected, &stand.lock_key()));
    let holding = Holding::Installed { grant: digest(&parts.grant), device: public(&chain.device) };
    let report = stand.report(0).unwrap();
    assert_eq!((report.floor, report.holding), (Generation::new(7), holding));

    let cell = Cell::Slot(SlotId::new(0));
    before.set(cell, stand.store.get(cell).unwrap().to_vec());
    before.writes += 1;
    assert_eq!(stand.store, before);
}

//= spec/protocol.md#message-bundle
//# MSG-19. A decoder MUST divide a bundle into its four parts, and refuse bytes that follow them, before it decodes any part.
//= spec/protocol.md#install
//# INS-1. The bundle and its four parts MUST decode.
#[test]
fn a_malformed_bundle_is_refused() {
    let mut stand = Stand::active();
    let nothing = |frame: Vec<u8>| frame;
    for way in 0.. {
        let (chain, session) = begin(&mut stand, 2);
        let Some((bundle, error)) = bad::malformed(way, &chain.bundle(), Bundle::MAX_LEN, &nothing) else { break };
        stand.refuses_bundle(session, &bundle, LockError::Wire(error), None);
    }
    stand.goes_on();
}

//= spec/protocol.md#message-bundle
//# MSG-19. A decoder MUST divide a bundle into its four parts, and refuse bytes that follow them, before it decodes any part.
#[test]
fn a_bundle_whose_lengths_lie_is_refused() {
    let mut stand = Stand::active();
    for (length, error) in [(0, WireError::Truncated), (0xffff, WireError::Truncated), (4, WireError::Truncated)] {
        let lie = |chain: &Chain| {
            let mut bundle = chain.bundle();
            bundle[4..6].copy_from_slice(&u16::to_le_bytes(length));
            bundle
        };
        refuses_built(&mut stand, lie, LockError::Wire(error));
    }
    stand.goes_on();
}

/// Every malformed form of one part, authenticated anew by whom it must be, in a chain that goes on
/// from it.
fn refuses_malformed<T: Message<Auth = Signature>>(
    body: impl Fn(&Chain) -> (T, Seed),
    chained: impl Fn(&Chain, Vec<u8>) -> Vec<u8>,
) {
    let mut stand = Stand::active();
    for way in 0.. {
        let (chain, session) = begin(&mut stand, 2);
        let (body, signer) = body(&chain);
        let seal = |frame| forge::sign(frame, &signer);
        let Some((part, error)) = bad::malformed(way, &forge::frame(&body), T::MAX_LEN, &seal) else { break };
        stand.refuses_bundle(session, &chained(&chain, part), LockError::Wire(error), None);
    }
    stand.goes_on();
}

//= spec/protocol.md#install
//# INS-1. The bundle and its four parts MUST decode.
#[test]
fn a_malformed_grant_is_refused() {
    let body = |chain: &Chain| (chain.grant, seed(OWNER));
    refuses_malformed::<Grant>(body, |chain, grant| chain.after_grant(grant).unchecked_bundle());
}

//= spec/protocol.md#install
//# INS-1. The bundle and its four parts MUST decode.
#[test]
fn a_malformed_claim_is_refused() {
    let body = |chain: &Chain| (chain.claim(&chain.parts().grant), seed(SUBJECT));
    let chained = |chain: &Chain, claim| chain.after_claim(chain.parts().grant, claim).unchecked_bundle();
    refuses_malformed::<Claim>(body, chained);
}

//= spec/protocol.md#install
//# INS-1. The bundle and its four parts MUST decode.
#[test]
fn a_malformed_install_is_refused() {
    let body = |chain: &Chain| (chain.install(&chain.parts().claim), seed(DEVICE));
    let chained = |chain: &Chain, install| {
        let parts = chain.parts();
        chain.after_install(parts.grant, parts.claim, install).unchecked_bundle()
    };
    refuses_malformed::<Install>(body, chained);
}

//= spec/protocol.md#install
//# INS-1. The bundle and its four parts MUST decode.
#[test]
fn a_malformed_release_is_refused() {
    let body = |chain: &Chain| (Release { install: digest(&chain.parts().install) }, seed(SERVICE));
    let chained = |chain: &Chain, release| Parts { release, ..chain.parts() }.unchecked_bundle();
    refuses_malformed::<Release>(body, chained);
}

#[test]
fn a_grant_with_an_undefined_value_is_refused() {
    let mut stand = Stand::active();
    let at_rights = 4 + 32 + 4 + 4 + 1 + 4 + 32;
    let limits = |chain: &mut Chain| {
        let schedule = Schedule::new(Weekdays::ALL, 1, 2, UtcOffset::UTC, None).unwrap();
        let (from, until) = (Timestamp::from_unix_seconds(1), Timestamp::from_unix_seconds(2));
        chain.grant.limits = Limits::new(Some(from), Some(until), Some(schedule), Some(1)).unwrap();
    };
    let cases = [
        (0, 0, WireError::Value),    // no right
        (0, 4, WireError::Value),    // ONLINE, reserved
        (0, 0x83, WireError::Value), // an unknown right
        (1, 2, WireError::Option),   // from
        (1, 0xff, WireError::Option),
        (2, 2, WireError::Value),     // from = until
        (19, 2, WireError::Option),   // schedule
        (20, 0, WireError::Value),    // no weekday
        (20, 0x80, WireError::Value), // an eighth weekday
        (23, 1, WireError::Value),    // start = end
        (24, 0x80, WireError::Value), // end after midnight
        (26, 0x7f, WireError::Value), // an offset of days
        (27, 2, WireError::Option),   // next offset
        (28, 3, WireError::Option),   // uses
        (29, 0, WireError::Value),    // none
    ];
    for (at, byte, error) in cases {
        let (mut chain, session) = begin(&mut stand, 2);
        limits(&mut chain);
        let mut frame = forge::frame(&chain.grant);
        frame[at_rights + at] = byte;
        let bundle = chain.after_grant(forge::sign(frame, &chain.owner)).bundle();
        stand.refuses_bundle(session, &bundle, LockError::Wire(error), None);
    }
    stand.download(0, 2, limits).unwrap();
}

//= spec/protocol.md#install
//# INS-20. The header's and the counter's cells MUST be free and sound.
//= spec/protocol.md#install
//# INS-21. The lock MUST be provisioned.
#[test]
fn a_lock_without_an_owner_installs_nothing() {
    let mut stand = Stand::fresh();
    refuses(&mut stand, |_| {}, LockError::NotProvisioned);
}

//= spec/protocol.md#install
//# INS-3. The grant MUST name this lock.
#[test]
fn a_grant_for_another_lock_is_refused() {
    let mut stand = Stand::active();
    let other = LockId::new(public(&seed(OTHER)));
    refuses(&mut stand, |chain| chain.grant.lock = other, LockError::WrongLock);
    stand.goes_on();
}

//= spec/protocol.md#install
//# INS-4. The grant MUST be of the lock's epoch.
#[test]
fn a_grant_of_another_epoch_is_refused_be_it_lower_or_higher() {
    let mut stand = Stand::active();
    for epoch in [0, 2, u32::MAX] {
        let change = |chain: &mut Chain| chain.grant.epoch = Epoch::new(epoch);
        tells(&mut stand, change, LockError::WrongEpoch, RefuseReason::WrongEpoch);
    }
    stand.goes_on();
}

//= spec/protocol.md#install
//# INS-5. The slot MUST exist, undamaged and active.
#[test]
fn a_grant_for_a_slot_that_the_lock_does_not_have_is_refused() {
    let mut stand = Stand::active();
    for slot in [u8::try_from(SLOTS).unwrap(), u8::MAX] {
        let change = |chain: &mut Chain| chain.grant.slot = SlotId::new(slot);
        tells(&mut stand, change, LockError::NoSuchSlot, RefuseReason::NoSuchSlot);
    }
    let last = u8::try_from(SLOTS).unwrap() - 1;
    stand.activate(last, 1);
    stand.download(last, 2, |_| {}).unwrap();
}

//= spec/protocol.md#install
//# INS-5. The slot MUST exist, undamaged and active.
#[test]
fn a_grant_for_an_inactive_slot_is_refused() {
    let mut stand = Stand::active();
    stand.deactivate(2, 1);
    for slot in [1, 2] {
        let change = |chain: &mut Chain| chain.grant.slot = SlotId::new(slot);
        tells(&mut stand, change, LockError::SlotInactive, RefuseReason::SlotInactive);
    }
    stand.goes_on();
}

/// Against a draft the guest of a slot that was closed since was told nothing, and to try again, for ever.
//= spec/protocol.md#errors-and-refusals
//# ERR-1. A lock MUST NOT tell a sender that has not authenticated why it refuses.
#[test]
fn what_becomes_of_a_slot_is_told_to_four_good_signatures_and_to_nothing_less() {
    let closed = |spoil: fn(&mut Chain)| {
        move |chain: &mut Chain| {
            chain.grant.slot = SlotId::new(1);
            spoil(chain);
        }
    };
    let mut stand = Stand::active();
    tells(&mut stand, closed(|_| ()), LockError::SlotInactive, RefuseReason::SlotInactive);
    let mismatch = SignatureError::Mismatch;
    let spoilt: [(fn(&mut Chain), _); 5] = [
        (|chain| chain.owner = seed(OTHER), LockError::GrantSignature(mismatch)),
        (|chain| chain.subject = seed(OTHER), LockError::ClaimSignature(mismatch)),
        (|chain| chain.nonce = Nonce::from_bytes([0; 16]), LockError::WrongNonce),
        (|chain| chain.grant.lock = LockId::new(public(&seed(OTHER))), LockError::WrongLock),
        (|chain| chain.service = seed(OTHER), LockError::ReleaseSignature(mismatch)),
    ];
    for (spoil, error) in spoilt {
        refuses(&mut stand, closed(spoil), error);
    }
    stand.goes_on();
}

//= spec/protocol.md#install
//# INS-6. The grant's signature MUST verify under the owner key.
#[test]
fn a_grant_that_the_owner_did_not_sign_is_refused() {
    let mut stand = Stand::active();
    for signer in [OTHER, SERVICE, SUBJECT, DEVICE] {
        let error = LockError::GrantSignature(SignatureError::Mismatch);
        refuses(&mut stand, |chain| chain.owner = seed(signer), error);
    }
    stand.goes_on();
}

//= spec/protocol.md#install
//# INS-22. The grant MUST be signed by somebody whose key the lock has, so its `by` is 0.
#[test]
fn a_grant_that_says_that_another_than_the_owner_signed_it_is_refused_before_its_signature() {
    let mut stand = Stand::active();
    for signer in [OWNER, OTHER] {
        let by_another = |chain: &mut Chain| (chain.grant.by, chain.owner) = (Term::new(1), seed(signer));
        refuses(&mut stand, by_another, LockError::UnknownSigner);
    }
    stand.goes_on();
}

//= spec/protocol.md#install
//# INS-7. The claim MUST name the grant by its digest.
#[test]
fn a_claim_of_another_grant_is_refused() {
    let mut stand = Stand::active();
    let other_grant = |chain: &Chain| {
        let other = Grant { generation: Generation::new(3), ..chain.grant };
        let claim = chain.claim(&forge::signed(&other, &chain.owner));
        chain.after_claim(chain.parts().grant, forge::signed(&claim, &chain.subject)).bundle()
    };
    refuses_built(&mut stand, other_grant, LockError::ClaimNamesOtherGrant);
    stand.goes_on();
}

//= spec/protocol.md#install
//# INS-8. The claim's signature MUST verify under the grant's subject.
#[test]
fn a_claim_that_the_subject_did_not_sign_is_refused() {
    let mut stand = Stand::active();
    for signer in [OTHER, SERVICE, OWNER, DEVICE] {
        let error = LockError::ClaimSignature(SignatureError::Mismatch);
        refuses(&mut stand, |chain| chain.subject = seed(signer), error);
    }
    stand.goes_on();
}

//= spec/protocol.md#install
//# INS-9. The install MUST name the claim by its digest.
#[test]
fn an_install_of_another_claim_is_refused() {
    let mut stand = Stand::active();
    let other_claim = |chain: &Chain| {
        let parts = chain.parts();
        let other = Claim { device: public(&seed(OTHER)), ..chain.claim(&parts.grant) };
        let install = chain.install(&forge::signed(&other, &chain.subject));
        chain.after_install(parts.grant, parts.claim, forge::signed(&install, &chain.device)).bundle()
    };
    refuses_built(&mut stand, other_claim, LockError::InstallNamesOtherClaim);
    stand.goes_on();
}

//= spec/protocol.md#install
//# INS-10. The install MUST carry the session's nonce.
#[test]
fn an_install_with_another_nonce_is_refused_also_with_one_of_the_locks_own() {
    let mut stand = Stand::active();
    let (earlier, _) = stand.for_install();
    let (for_operation, _) = stand.operate();
    for nonce in [earlier, for_operation, Nonce::from_bytes([0; 16])] {
        refuses(&mut stand, |chain| chain.nonce = nonce, LockError::WrongNonce);
    }
    stand.goes_on();
}

//= spec/protocol.md#install
//# INS-11. The install's signature MUST verify under the claim's device.
#[test]
fn an_install_that_the_claimed_device_did_not_sign_is_refused() {
    let mut stand = Stand::active();
    for signer in [OTHER, SERVICE, OWNER, SUBJECT] {
        let other_signer = |chain: &Chain| {
            let parts = chain.parts();
            let install = forge::signed(&chain.install(&parts.claim), &seed(signer));
            chain.after_install(parts.grant, parts.claim, install).bundle()
        };
        refuses_built(&mut stand, other_signer, LockError::InstallSignature(SignatureError::Mismatch));
    }
    stand.goes_on();
}

#[test]
fn the_device_that_is_installed_is_the_one_that_the_claim_names() {
    let mut stand = Stand::active();
    stand.download(0, 2, |chain| chain.device = seed(OTHER)).unwrap();
    let Holding::Installed { device, .. } = stand.report(0).unwrap().holding else { panic!("installed") };
    assert_eq!(device, public(&seed(OTHER)));
}

//= spec/protocol.md#install
//# INS-12. The release MUST name the install by its digest.
#[test]
fn a_release_of_another_install_is_refused() {
    let mut stand = Stand::active();
    let other_install = |chain: &Chain| {
        let parts = chain.parts();
        let other = Install { nonce: Nonce::from_bytes([0; 16]), ..chain.install(&parts.claim) };
        let install = digest(&forge::signed(&other, &chain.device));
        let release = forge::signed(&Release { install }, &chain.service);
        Parts { release, ..parts }.bundle()
    };
    refuses_built(&mut stand, other_install, LockError::ReleaseNamesOtherInstall);
    stand.goes_on();
}

//= spec/protocol.md#install
//# INS-13. The release's signature MUST verify under the service key.
#[test]
fn a_release_that_the_service_did_not_sign_is_refused() {
    let mut stand = Stand::active();
    for signer in [OTHER, OWNER, SUBJECT, DEVICE] {
        let error = LockError::ReleaseSignature(SignatureError::Mismatch);
        refuses(&mut stand, |chain| chain.service = seed(signer), error);
    }
    stand.goes_on();
}

//= spec/protocol.md#install
//# INS-16. The X25519 agreement MUST contribute, as KEY-8 says.
#[test]
fn an_agreement_key_that_does_not_contribute_is_refused_with_the_reason() {
    let mut stand = Stand::active();
    for key in bad::agreement_keys() {
        let (chain, session) = begin(&mut stand, 2);
        let parts = chain.parts();
        let install = Install { agreement: AgreementKey::from_bytes(key), ..chain.install(&parts.claim) };
        let install = forge::signed(&install, &chain.device);
        let bundle = chain.after_install(parts.grant, parts.claim, install).bundle();
        let told = Some(RefuseReason::NonContributory);
        stand.refuses_bundle(session, &bundle, LockError::NonContributory, told);
    }
    stand.goes_on();
}
