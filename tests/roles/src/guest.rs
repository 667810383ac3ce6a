//! The guest's phone: what it draws anew, and what it checks before there is a key. For every rule, a
//! message in which only that rule is broken.

use sharekey::counter::Epoch;
use sharekey::crypto::{Agree, AgreementKey, Kdf, Nonce};
use sharekey::error::{GuestError, KeyError, Retry, SignatureError};
use sharekey::guest::{Account, Claimed, GuestKey, Installing, Invitation, Unstored};
use sharekey::id::{LockId, SlotId};
use sharekey::limits::{Action, Limits, Rights};
use sharekey::message::{Challenge, Claim, Grant, Install, Receipt, Release, Unlock};
use sharekey::secret::{AgreementSecret, Exposed, Seed};
use sharekey::wire::{Message, Unverified};
use sharekey_stage::desk::*;
use sharekey_stage::forge::label;
use sharekey_stage::forge::{bare, signed, some_digest};
use sharekey_stage::hex;
use sharekey_stage::provider::Provider;
use sharekey_stage::world::{exposed, through_storage};
use sharekey_stage::{digest, public, seed};

fn account() -> Account<Provider> {
    Account::from_seed(&Provider, &subject_seed()).unwrap()
}

fn claimed() -> Claimed {
    account().claim(&Provider, &granted(2), None, &mut rng()).unwrap().stored()
}

fn body<T: Message + Copy>(message: &[u8]) -> T {
    *Unverified::<T>::parse(message).unwrap().claims()
}

//= spec/protocol.md#guest
//# GST-2. A guest MUST check, before it claims, that the grant names its own key as the subject.
#[test]
fn a_grant_to_somebody_else_is_not_claimed() {
    for subject in [public(&seed(50)), public(&owner_seed()), device()] {
        let grant = signed(&Grant { subject, ..grant(2) }, &owner_seed());
        let claimed = account().claim(&Provider, &grant, Some(&public(&owner_seed())), &mut rng());
        assert_eq!(claimed.err(), Some(GuestError::NotTheSubject));
    }
    assert!(account().claim(&Provider, &granted(2), Some(&public(&owner_seed())), &mut rng()).is_ok());
}

//= spec/protocol.md#guest
//# GST-16. A guest MUST refuse a grant whose lock id fails KEY-1 or KEY-2.
#[test]
fn a_grant_of_a_lock_whose_id_is_no_good_key_is_not_claimed() {
    let grant = signed(&Grant { lock: LockId::new(bad_key()), ..grant(2) }, &owner_seed());
    let claimed = account().claim(&Provider, &grant, None, &mut rng());
    assert_eq!(claimed.err(), Some(GuestError::LockKey(KeyError::SmallOrder)));
}

#[test]
fn an_invitation_shows_what_the_grant_says_whoever_made_it() {
    let limits = Limits::NONE.uses(3).unwrap();
    let body = Grant { limits, rights: Rights::OPEN_AND_LOCK, ..grant(2) };
    for signer in [owner_seed(), stranger_seed()] {
        let bytes = signed(&body, &signer);
        let invitation = Invitation::read(&bytes).unwrap();
        assert_eq!((*invitation.subject(), invitation.lock(), invitation.epoch()), (body.subject, lock(), EPOCH));
        assert_eq!((invitation.slot(), invitation.generation()), (SLOT, generation(2)));
        assert_eq!((invitation.rights(), *invitation.limits()), (Rights::OPEN_AND_LOCK, limits));
        assert_eq!(invitation.grant().as_bytes(), bytes);
        assert_eq!(through_storage(&invitation), invitation);
    }
    assert_eq!(Invitation::read(&receipt(2)).err().map(|error| error.retry()), Some(Retry::Resend));
}

#[test]
fn a_claimed_grant_says_what_its_key_will_be() {
    let limits = Limits::NONE.uses(3).unwrap();
    let bytes = signed(&Grant { limits, ..grant(2) }, &owner_seed());
    let claimed = exposed(&account().claim(&Provider, &bytes, None, &mut rng()).unwrap().stored());
    assert_eq!((claimed.lock(), claimed.slot()), (lock(), SLOT));
    assert_eq!((claimed.rights(), *claimed.limits()), (Rights::OPEN, limits));
    assert_eq!(claimed.grant().as_bytes(), bytes);
    // What is stored is the grant as it came, and not as it was read.
    let mut stored = serde_json::to_value(Exposed(&claimed)).unwrap();
    assert_eq!(stored["grant"], serde_json::to_value(Invitation::read(&bytes).unwrap()).unwrap());
    stored["grant"] = stored["claim"].clone();
    assert!(serde_json::from_value::<Exposed<Claimed>>(stored).is_err());
}

//= spec/protocol.md#guest
//# GST-1. A guest MUST draw a new device key for each claim.
#[test]
fn each_claim_names_a_new_device_key() {
    let mut rng = rng();
    let claims = [2, 2, 3]
        .map(|n| body::<Claim>(account().claim(&Provider, &granted(n), None, &mut rng).unwrap().value().claim()));
    let [first, again, other] = claims.map(|claim| claim.device);
    assert!(first != again && first != other && again != other);
}

//= spec/protocol.md#pairing-key
//# KDF-2. For an install the guest device MUST draw a new X25519 secret.
//= spec/protocol.md#guest
//# GST-4. A guest MUST make a new install for each challenge.
#[test]
fn each_challenge_gets_its_own_install_with_a_new_agreement_key() {
    let (claimed, mut rng) = (claimed(), rng());
    let nonces = [7, 8].map(|byte| Nonce::from_bytes([byte; 16]));
    let installs = nonces.map(|nonce| {
        let challenge = bare(&Challenge { lock: lock(), nonce });
        body::<Install>(claimed.install(&Provider, &challenge, &mut rng).unwrap().value().install())
    });
    assert_eq!(installs.map(|install| install.nonce), nonces);
    let [one, other] = installs.map(|install| install.agreement);
    assert_ne!(one, other);
}

/// The lock's X25519 secret of the receipt that is expected.
fn lock_secret() -> AgreementSecret {
    AgreementSecret::from_bytes([6; 32])
}

fn expected(installing: &Installing) -> Receipt {
    Receipt {
        install: digest(installing.install()),
        lock: lock(),
        epoch: EPOCH,
        slot: SLOT,
        generation: generation(2),
        grant: digest(&granted(2)),
        device: body::<Claim>(installing.claim()).device,
        agreement: Provider.agreement_key(&lock_secret()),
    }
}

/// What the phone makes of this receipt under this key.
fn finish(installing: &Installing, receipt: &Receipt, signer: &Seed) -> Result<GuestKey, GuestError> {
    let release = signed(&Release { install: digest(installing.install()) }, &service_seed());
    installing.bundle(&Provider, &release).unwrap().finish(&Provider, &signed(receipt, signer)).map(Unstored::stored)
}

//= spec/protocol.md#pairing-key
//# KDF-4. A guest MUST NOT derive a pairing key from a receipt that it did not check as the receipt checks of the guest say.
#[test]
fn every_part_of_a_receipt_is_checked_before_there_is_a_key() {
    let installing = claimed().install(&Provider, &challenge(), &mut rng()).unwrap().stored();
    let good = expected(&installing);
    for signer in [stranger_seed(), owner_seed(), service_seed()] {
        //= spec/protocol.md#receipt-checks
        //# GST-9. The receipt's signature MUST verify under the lock id of the guest's grant.
        let forged = finish(&installing, &good, &signer);
        assert_eq!(forged.err(), Some(GuestError::ReceiptSignature(SignatureError::Mismatch)));
    }
    let error = |receipt: Receipt| finish(&installing, &receipt, &lock_seed()).unwrap_err();
    //= spec/protocol.md#receipt-checks
    //# GST-10. The receipt MUST name the guest's install.
    assert_eq!(error(Receipt { install: some_digest(1), ..good }), GuestError::ReceiptNamesOtherInstall);
    for other in [
        Receipt { lock: LockId::new(public(&seed(60))), ..good },
        //= spec/protocol.md#receipt-checks
        //# GST-13. The receipt MUST name the grant's epoch, slot and generation.
        Receipt { epoch: Epoch::new(2), ..good },
        Receipt { slot: SlotId::new(4), ..good },
        Receipt { generation: generation(3), ..good },
        //= spec/protocol.md#receipt-checks
        //# GST-11. The receipt MUST name the guest's grant.
        Receipt { grant: some_digest(1), ..good },
        //= spec/protocol.md#receipt-checks
        //# GST-12. The receipt MUST name the guest's device.
        Receipt { device: device(), ..good },
    ] {
        assert_eq!(error(other), GuestError::ReceiptDoesNotFit);
    }
    let zero = AgreementKey::from_bytes([0; 32]);
    assert_eq!(error(Receipt { agreement: zero, ..good }), GuestError::NonContributory);
    assert!(finish(&installing, &good, &lock_seed()).is_ok());
}

//= spec/protocol.md#pairing-key
//# KDF-3. The pairing key MUST be HKDF(salt = digest(Receipt), ikm = the X25519 shared secret, info = `"sharekey v1 pairing"`), 32 bytes.
#[test]
fn the_key_is_derived_from_the_agreement_under_the_receipts_digest() {
    let installing = claimed().install(&Provider, &challenge(), &mut rng()).unwrap().stored();
    let receipt = expected(&installing);
    let key = serde_json::to_value(Exposed(finish(&installing, &receipt, &lock_seed()).unwrap())).unwrap();

    let shared = Provider.agree(&lock_secret(), &body::<Install>(installing.install()).agreement).unwrap();
    let salt = digest(&signed(&receipt, &lock_seed()));
    let pairing = Provider.hkdf_sha256(salt.as_bytes(), shared.expose(), label::PAIRING.as_bytes()).unwrap();
    assert_eq!(hex::array(key["pairing"].as_str().unwrap()), *pairing);
}

//= spec/protocol.md#guest
//# GST-6. A guest MUST draw the guest nonce of each unlock fresh and unpredictable.
#[test]
fn each_unlock_draws_a_new_guest_nonce() {
    let installing = claimed().install(&Provider, &challenge(), &mut rng()).unwrap().stored();
    let key = finish(&installing, &expected(&installing), &lock_seed()).unwrap();
    let mut rng = rng();
    let [one, other] = [(); 2].map(|()| {
        let (unlock, _awaiting) = key.unlock(&Provider, &challenge(), Action::Open, &mut rng).unwrap();
        body::<Unlock>(&unlock).guest_nonce
    });
    assert_ne!(one, other);
}
