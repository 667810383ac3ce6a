//! Requirements of the spec that no other test holds the code to: what is drawn anew, what goes into a
//! seed and a rescue nonce, and what an attempt costs.

use crate::counting::Counting;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::Rng as _;
use sharekey::crypto::{Agree as _, AgreementKey, Hash as _, Kdf, Mac, Nonce};
use sharekey::error::{LockError, SignatureError};
use sharekey::id::SlotId;
use sharekey::limits::Action;
use sharekey::lock::{Cell, Found, Making, Session, purpose};
use sharekey::message::{Provision, Receipt};
use sharekey::secret::AgreementSecret;
use sharekey::wire::Unverified;
use sharekey_stage::forge::label;
use sharekey_stage::provider::Provider;
use sharekey_stage::stand::{Key, SLOTS, Stand, card};
use sharekey_stage::{bad, desk, digest, forge, public, rng, seed};

/// The next 32 bytes that a source of entropy gives.
fn next_entropy(rng: &ChaCha20Rng) -> [u8; 32] {
    let mut entropy = [0; 32];
    rng.clone().fill_bytes(&mut entropy);
    entropy
}

// --- what is drawn anew -------------------------------------------------------------------------

//= spec/protocol.md#owner
//# OWN-4. The owner MUST draw the owner nonce of each Provision and each Command fresh and unpredictable.
#[test]
fn each_provision_draws_a_new_owner_nonce() {
    let (service, mut rng) = (public(&desk::service_seed()), desk::rng());
    let [one, other] = [(); 2].map(|()| {
        let (message, _) = desk::owner().provision(&desk::card(), &desk::challenge(), service, &mut rng).unwrap();
        Unverified::<Provision>::parse(&message).unwrap().claims().owner_nonce
    });
    assert_ne!(one, other);
}

//= spec/protocol.md#pairing-key
//# KDF-1. At an install the lock MUST make a new X25519 secret, HKDF(salt = agreement key, ikm = 32 bytes of fresh entropy ‖ digest(Install), info = `"sharekey v1 agreement secret"`).
#[test]
fn the_lock_draws_a_new_agreement_key_for_each_install() {
    let mut stand = Stand::active();
    let mut seen = Vec::new();
    // The second is a re-key: the same grant, the same device, the same key of the device's.
    for (generation, stuck) in [(2, false), (2, false), (3, false), (4, true), (5, true), (5, true)] {
        let (nonce, session) = stand.for_install();
        let parts = stand.chain(nonce, 0, generation).parts();
        if stuck {
            stand.rng = rng(9);
        }
        let input = [&next_entropy(&stand.rng)[..], digest(&parts.install).as_bytes()].concat();
        let receipt = stand.send_bundle(session, &parts.bundle()).unwrap().receipt;
        let agreement = Unverified::<Receipt>::parse(&receipt).unwrap().claims().agreement;
        let (key, info) = (stand.derived(label::AGREEMENT), label::AGREEMENT_SECRET.as_bytes());
        let secret = AgreementSecret::from_bytes(*Provider.hkdf_sha256(&key, &input, info).unwrap());
        assert_eq!(agreement, Provider.agreement_key(&secret));
        // A source of randomness that is stuck gives no key twice, and none that a listener could compute.
        assert!(!seen.contains(&agreement));
        seen.push(agreement);
    }
}

// --- seeds and nonces ---------------------------------------------------------------------------

//= spec/protocol.md#making
//# LCK-6. The entropy for a seed MUST be 32 bytes from a cryptographic source of randomness.
//= spec/protocol.md#making
//# LCK-7. A new seed MUST be HKDF-SHA256(salt = what was before, ikm = the entropy, info = `"sharekey v1 seed"`).
#[test]
fn a_seed_takes_in_32_bytes_of_entropy_and_what_was_before() {
    let made = |found: Found<'_>| {
        let making = Making::<Provider, SLOTS>::new(Provider, card(), found, &mut rng(5)).unwrap();
        making.record().unwrap().unwrap().as_bytes()[5..37].to_vec()
    };
    let seed = |before: &[u8]| *Provider.hkdf_sha256(before, &next_entropy(&rng(5)), label::SEED.as_bytes()).unwrap();
    //= spec/protocol.md#making
    //# LCK-9. At making, what was before MUST be the SHA-256 of the bytes found in the seed's cell, or 32 zero bytes where there are none.
    assert_eq!(made(Found::Nothing), seed(&[0; 32]));
    assert_eq!(made(Found::Unreadable), seed(&[0; 32]));
    let earlier = Stand::fresh().stored(Cell::Seed);
    for found in [&earlier[..], &earlier[..9], &[]] {
        assert_eq!(made(Found::Bytes(found)), seed(&Provider.sha256(&[found])));
    }
}

//= spec/protocol.md#making
//# LCK-8. At a factory reset, what was before MUST be the nonce key of the lock that ends.
#[test]
fn the_seed_after_a_factory_reset_takes_in_the_nonce_key_of_the_lock_that_ends() {
    let mut stand = Stand::active();
    let before = stand.derived(label::NONCE);
    let (nonce, session) = stand.operate();
    let reset = stand.reset_message(nonce);
    let seed = *Provider.hkdf_sha256(&before, &next_entropy(&stand.rng), label::SEED.as_bytes()).unwrap();
    stand.factory_reset(session, &reset).unwrap();
    assert_eq!(stand.stored(Cell::Seed)[5..37], seed);
}

//= spec/protocol.md#replay-counter
//# CTR-9. The nonce of such a challenge MUST be HMAC-SHA256(nonce key, `"rescue"` ‖ number as `u64` ‖ 32 bytes of fresh entropy)[..16], with a number that is unique since boot.
#[test]
fn the_nonce_of_a_damaged_lock_is_from_its_label_a_number_of_this_boot_and_entropy() {
    for cell in [Cell::Header, Cell::Counter] {
        let mut stand = Stand::active();
        let key = stand.derived(label::NONCE);
        for _boot in 0..2 {
            stand.boot_with(cell, None);
            for number in 0..3_u64 {
                let parts: [&[u8]; 3] = [b"rescue", &number.to_le_bytes(), &next_entropy(&stand.rng)];
                let mac = Provider.hmac_sha256(&key, &parts);
                assert_eq!(stand.operate().0, Nonce::from_bytes(*mac.first_chunk().unwrap()), "{cell:?} {number}");
            }
        }
    }
}

// --- what an attempt costs ----------------------------------------------------------------------

/// The lock of a stand, on a provider that counts.
fn counted(stand: Stand) -> (Stand<Counting>, Counting) {
    let counting = Counting::default();
    (stand.under(counting.clone()), counting)
}

/// How many signatures an install of this bundle checks, and how it ends.
fn installs(
    (stand, counting): &mut (Stand<Counting>, Counting),
    session: Session<purpose::Install>,
    bundle: &[u8],
) -> (usize, Result<(), LockError>) {
    let (now, Stand { lock, rng, .. }) = (stand.now(), stand);
    let (staged, work) = counting.of(|| lock.install(session, bundle, now, rng).map(drop));
    (work.checks, staged.map_err(|refusal| refusal.error()))
}

/// How many MACs this unlock makes, and why it is refused; for the nonce of its session, or another.
fn refuses_unlock(
    (stand, counting): &mut (Stand<Counting>, Counting),
    key: &Key,
    nonce: Option<Nonce>,
) -> (usize, LockError) {
    let (given, session) = stand.operate();
    let message = key.message(Action::Open, nonce.unwrap_or(given));
    let (refusal, work) = counting.of(|| stand.send_unlock(session, &message).unwrap_err());
    (work.macs, refusal.error())
}

//= spec/protocol.md#install
//# INS-18. A lock MUST NOT make more than four signature checks in one install.
#[test]
fn an_install_takes_four_signature_checks_and_a_refused_one_no_more() {
    let mut counted = counted(Stand::active());
    let (nonce, session) = counted.0.for_install();
    let bundle = counted.0.chain(nonce, 0, 2).bundle();
    assert_eq!(installs(&mut counted, session, &bundle), (4, Ok(())));

    let mismatch = SignatureError::Mismatch;
    for (at, error) in (1..).zip([
        LockError::GrantSignature(mismatch),
        LockError::ClaimSignature(mismatch),
        LockError::InstallSignature(mismatch),
        LockError::ReleaseSignature(mismatch),
    ]) {
        let (nonce, session) = counted.0.for_install();
        let mut parts = counted.0.chain(nonce, 0, 2).parts();
        let other = seed(40);
        let chain = counted.0.chain(nonce, 0, 2);
        match at {
            1 => parts = chain.after_grant(forge::signed(&chain.grant, &other)),
            2 => {
                let claim = forge::signed(&chain.claim(&parts.grant), &other);
                parts = chain.after_claim(parts.grant, claim);
            }
            3 => {
                let install = forge::signed(&chain.install(&parts.claim), &other);
                parts = chain.after_install(parts.grant, parts.claim, install);
            }
            _ => {
                let frame = parts.release[..parts.release.len() - 64].to_vec();
                parts.release = forge::sign(frame, &other);
            }
        }
        assert_eq!(installs(&mut counted, session, &parts.bundle()), (at, Err(error)));
    }

    // Refused after the signatures: stale, and an agreement that does not contribute.
    let (nonce, session) = counted.0.for_install();
    let bundle = counted.0.chain(nonce, 0, 1).bundle();
    assert_eq!(installs(&mut counted, session, &bundle), (4, Err(LockError::StaleGeneration)));
    let (nonce, session) = counted.0.for_install();
    let chain = counted.0.chain(nonce, 0, 2);
    let parts = chain.parts();
    let agreement = AgreementKey::from_bytes(bad::agreement_keys()[0]);
    let install = sharekey::message::Install { agreement, ..chain.install(&parts.claim) };
    let bundle = chain.after_install(parts.grant, parts.claim, forge::signed(&install, &chain.device)).bundle();
    assert_eq!(installs(&mut counted, session, &bundle), (4, Err(LockError::NonContributory)));
}

//= spec/protocol.md#unlock
//# UNL-16. An unlock that UNL-3 refuses MUST cost the computation of a tag before it is refused.
#[test]
fn an_unlock_of_a_slot_that_has_no_key_to_check_it_with_costs_a_tag_too() {
    let (mut stand, key) = Stand::installed();
    stand.activate(1, 1);
    let mut counted = counted(stand);
    let stranger = |slot: u8| Key { slot: SlotId::new(slot), pairing: [0; 32] };
    assert_eq!(refuses_unlock(&mut counted, &stranger(key.slot.index()), None), (1, LockError::UnlockMac));
    assert_eq!(refuses_unlock(&mut counted, &stranger(1), None), (1, LockError::NotInstalled), "empty");
    assert_eq!(refuses_unlock(&mut counted, &stranger(2), None), (1, LockError::NotInstalled), "inactive");
    assert_eq!(refuses_unlock(&mut counted, &stranger(99), None), (1, LockError::NoSuchSlot));

    let [damaged, unread] = [1, 2].map(|slot| Cell::Slot(SlotId::new(slot)));
    let stand = &mut counted.0;
    stand.boot_spoilt(damaged, None, &[unread]);
    assert_eq!(refuses_unlock(&mut counted, &stranger(1), None), (1, LockError::SlotDamaged));
    assert_eq!(refuses_unlock(&mut counted, &stranger(2), None), (1, LockError::Busy));
}

//= spec/protocol.md#unlock
//# UNL-19. An unlock that does not carry the session's nonce MUST cost the computation of a tag before it is refused.
#[test]
fn an_unlock_with_a_wrong_nonce_costs_a_tag_too() {
    let (stand, key) = Stand::installed();
    let mut counted = counted(stand);
    let wrong = Nonce::from_bytes([0; 16]);
    for pairing in [key.pairing, [0; 32]] {
        let by = Key { slot: key.slot, pairing };
        assert_eq!(refuses_unlock(&mut counted, &by, Some(wrong)), (1, LockError::WrongNonce));
    }
}
