//! Messages, verified before they are believed.

use sharekey::crypto::{Mac, PublicKey, Verify};
use sharekey::error::{SignatureError, WireError};
use sharekey::limits::Limits;
use sharekey::message::{Challenge, Claim, Grant, Receipt, Unlock};
use sharekey::secret::PairingKey;
use sharekey::wire::{Encoded, Unverified, Verified};

fn show_as_downloaded(_receipt: &Verified<'_, Receipt>) {}

fn unverified_read(grant: &Verified<'_, Grant>) -> PublicKey {
    grant.subject
}

fn unverified_passed_as_verified(receipt: Unverified<'_, Receipt>, crypto: &impl Verify, lock: &PublicKey) {
    if let Ok(receipt) = receipt.verify(crypto, lock) {
        show_as_downloaded(&receipt);
    }
}

fn unverified_declared_verified<'a>(
    grant: Unverified<'a, Grant>,
    crypto: &impl Verify,
    owner: &PublicKey,
) -> Result<Verified<'a, Grant>, SignatureError> {
    grant.verify(crypto, owner)
}

fn verified_by_hand<'a>(bytes: &'a [u8], crypto: &impl Verify, owner: &PublicKey) -> Option<Verified<'a, Grant>> {
    Unverified::parse(bytes).ok()?.verify(crypto, owner).ok()
}

fn verified_altered(grant: &mut Verified<'_, Grant>) -> Grant {
    Grant { limits: Limits::NONE, ..**grant }
}

fn unsigned_message_verified(claim: Unverified<'_, Claim>, crypto: &impl Verify, subject: &PublicKey) {
    let _ = claim.verify(crypto, subject);
}

fn unsigned_message_read(challenge: &Unverified<'_, Challenge>) -> Challenge {
    *challenge.claims()
}

fn mac_checked_as_signature(unlock: Unverified<'_, Unlock>, crypto: &impl Mac, key: &PairingKey) {
    let _ = unlock.verify_mac(crypto, key.expose());
}

fn message_made_up(bytes: &[u8]) -> Result<Encoded<Grant>, WireError> {
    Encoded::copy(bytes)
}

fn main() {}
