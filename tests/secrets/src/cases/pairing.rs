//! The pairing key's derivation on both sides, and signing.

use sharekey::crypto::Signer;
use sharekey::guest::Installing;
use sharekey::lock::{Cell, purpose};
use sharekey::owner::Owner;
use sharekey::secret::{Exposed, Seed};

use crate::provider::{Provider, Watched};
use crate::scene::{Fresh, NOW, SLOT, agreement_of, find, pairing_of};
use crate::watch::{Hidden, hide, is_hidden};

/// The lock draws its X25519 secret from hidden entropy.
pub(super) fn at_the_lock<P: Provider>(crypto: Watched<P>) {
    let mut scene = Fresh::new(crypto).owned();
    let claimed = scene.claim();
    let (challenge, session) = scene.challenge::<purpose::Install>();
    let attempt = claimed.install(&crypto, &challenge, &mut scene.rng).unwrap().stored();
    let release = scene.release(&attempt);
    let download = attempt.bundle(&crypto, &release).unwrap();
    let mut entropy = Hidden(&mut scene.rng);
    let staged = scene.lock.install(session, download.bundle(), NOW, &mut entropy).unwrap();
    let Ok(installed) = staged.commit(|record| scene.flash.put(record));
    assert!(is_hidden(scene.flash.get(Cell::Slot(SLOT))));
    let _ = download.finish(&crypto, &installed.receipt).unwrap();
}

/// The guest's X25519 secret and device key are hidden, drawn so and read back so.
pub(super) fn at_the_guest<P: Provider>(crypto: Watched<P>) {
    let mut scene = Fresh::new(crypto).owned();
    let claimed = scene.claim();
    let (challenge, session) = scene.challenge::<purpose::Install>();
    let drawn = claimed.install(&crypto, &challenge, &mut Hidden(&mut scene.rng)).unwrap().stored();
    assert!(is_hidden(&agreement_of(&drawn)));

    let attempt = hidden_attempt(&claimed.install(&crypto, &challenge, &mut scene.rng).unwrap().stored());
    let release = scene.release(&attempt);
    let download = attempt.bundle(&crypto, &release).unwrap();
    let staged = scene.lock.install(session, download.bundle(), NOW, &mut scene.rng).unwrap();
    let Ok(installed) = staged.commit(|record| scene.flash.put(record));
    let key = download.finish(&crypto, &installed.receipt).unwrap().stored();
    assert!(is_hidden(&pairing_of(&key)));
}

fn hidden_attempt(attempt: &Installing) -> Installing {
    let mut stored = postcard::to_allocvec(&Exposed(attempt)).unwrap();
    hide(find(&mut stored, &agreement_of(attempt)));
    postcard::from_bytes::<Exposed<Installing>>(&stored).unwrap().0
}

/// An account's key and a device's sign; so does an owner's.
pub(super) fn signing<P: Provider>(crypto: Watched<P>) {
    let mut seed = [7; 32];
    hide(&mut seed);
    let signer = Signer::from_seed(&crypto, &Seed::from_bytes(seed)).unwrap();
    let mut scene = Fresh::new(crypto).owned();
    scene.account = sharekey::guest::Account::from_seed(&crypto, &Seed::from_bytes(seed)).unwrap();
    assert_eq!(scene.account.public_key(), signer.public());
    let _ = scene.claim();
    let owner = Owner::new(crypto, &Seed::from_bytes(seed)).unwrap();
    assert_eq!(owner.key(), signer.public());
}
