//! Guest, owner and service, without the mistakes.
#![deny(unused_must_use)]

use rand_core::CryptoRng;
use sharekey::code::ShareCode;
use sharekey::contacts::{Contact, ContactBook, Fingerprint, Trust};
use sharekey::counter::Generation;
use sharekey::crypto::{Crypto, Digest, PublicKey, Stretch};
use sharekey::error::{ContactError, GuestError, LimitsError};
use sharekey::guest::{Account, Claimed, GuestKey, Installing};
use sharekey::id::{AccountId, SlotId};
use sharekey::limits::{Action, Limits, Rights};
use sharekey::owner::{Method, OwnedLock, Owner, Standing};
use sharekey::service::ShareRecord;
use sharekey::slot::{Slot, GrantRef, Observer};

fn key_used_before_its_receipt(key: &GuestKey, crypto: &impl Crypto, challenge: &[u8], rng: &mut impl CryptoRng) {
    let _ = key.unlock(crypto, challenge, Action::Open, rng);
}

fn send(_message: &[u8]) {}

fn claim_sent_before_it_is_stored<C: Crypto>(
    account: &Account<C>,
    crypto: &C,
    grant: &[u8],
    rng: &mut impl CryptoRng,
    put: impl FnOnce(&Claimed) -> Result<(), ()>,
) {
    if let Ok(unstored) = account.claim(crypto, grant, None, rng)
        && let Ok(claimed) = unstored.commit(put)
    {
        send(claimed.claim());
    }
}

fn bundle_before_its_install(
    claimed: &Claimed,
    crypto: &impl Crypto,
    [challenge, release]: [&[u8]; 2],
    rng: &mut impl CryptoRng,
) {
    if let Ok(unstored) = claimed.install(crypto, challenge, rng) {
        let _ = unstored.stored().bundle(crypto, release);
    }
}

fn attempt_dropped_before_its_receipt(attempt: Installing, crypto: &impl Crypto, release: &[u8], receipt: &[u8]) {
    let Ok(download) = attempt.bundle(crypto, release) else { return };
    let _ = download.finish(crypto, receipt);
    drop(attempt);
}

fn reply_not_awaited(
    key: &GuestKey,
    crypto: &impl Crypto,
    [challenge, answer]: [&[u8]; 2],
    rng: &mut impl CryptoRng,
) -> Result<(), GuestError> {
    let (_unlock, awaiting) = key.unlock(crypto, challenge, Action::Open, rng)?;
    key.check_reply(crypto, &awaiting, answer).map(drop)
}

fn guest_key_by_hand(key: &GuestKey) -> Limits {
    *key.limits()
}

fn view_by_hand(view: OwnedLock) -> Standing {
    view.standing()
}

fn view_told_without_proof(view: &OwnedLock, hall: SlotId) -> Option<&Slot<Observer>> {
    view.slot(hall)
}

fn share_record_by_hand(record: &ShareRecord) -> u64 {
    record.version()
}

fn contact_verified_by_hand(
    book: &mut ContactBook,
    crypto: &impl Crypto,
    ana: &AccountId,
    read_out: &Fingerprint,
) -> Result<Option<Trust>, ContactError> {
    book.verify(crypto, ana, read_out)?;
    Ok(book.get(ana).map(Contact::trust))
}

fn contact_swapped<'b>(book: &'b mut ContactBook, ana: &AccountId) -> Option<&'b Contact> {
    book.get(ana)
}

fn limits_by_hand(limits: Limits) -> Result<Limits, LimitsError> {
    Limits::new(limits.valid_from(), limits.valid_until(), None, Some(1))
}

fn rights_by_hand() -> Result<Rights, LimitsError> {
    Rights::try_from(0x80)
}

fn numbers_confused(generation: Generation, grant: Digest) -> GrantRef {
    GrantRef { generation, grant }
}

fn number_wraps(last: Generation) -> Option<Generation> {
    last.next()
}

fn keys_confused(owner: &Owner<impl Crypto>, view: &mut OwnedLock, key: PublicKey) {
    let _ = owner.share(view, SlotId::new(0), key, Method::Account, Rights::OPEN, Limits::NONE);
}

fn code_shared_twice(owner: &Owner<impl Crypto + Stretch>, view: &mut OwnedLock, [code, next]: [ShareCode; 2]) {
    let [hall, studio] = [0, 1].map(SlotId::new);
    let _ = owner.share_by_code(view, hall, code, Rights::OPEN, Limits::NONE);
    let _ = owner.share_by_code(view, studio, next, Rights::OPEN, Limits::NONE);
}

fn main() {}
