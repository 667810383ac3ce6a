//! Ring against the RustCrypto crates: the same verdict on any key, message and signature, the same bytes from
//! everything that is deterministic.
#![cfg(feature = "rustcrypto")]

use core::num::NonZeroU32;

use sharekey::crypto::{
    Agree, AgreementKey, Crypto, Hash as _, Kdf as _, Mac as _, PublicKey, Ring, RustCrypto, Signature, Stretch as _,
    verify,
};
use sharekey::error::SignatureError;
use sharekey::secret::{AgreementSecret, Seed};

use crate::choices::Choices;

pub fn run(data: &[u8]) {
    let Some((mode, data)) = data.split_first() else { return };
    match mode % 4 {
        0 => anything(data),
        1 => spoilt(data),
        2 => agreed(data),
        _ => derived(data),
    }
}

fn both(key: &PublicKey, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
    let verdict = verify(&Ring, key, &[message], signature);
    assert_eq!(verdict, verify(&RustCrypto, key, &[message], signature), "{key:?} {signature:?}");
    if let Err(error) = key.check() {
        assert_eq!(verdict, Err(SignatureError::Key(error)));
    }
    verdict
}

/// Key, signature, message: as they come.
fn anything(data: &[u8]) {
    let Some((key, data)) = data.split_first_chunk() else { return };
    let key = PublicKey::from_bytes(*key);
    let Some((signature, message)) = data.split_first_chunk() else {
        let _ = key.check();
        return;
    };
    let _ = both(&key, message, &Signature::from_bytes(*signature));
}

fn signed(provider: &impl Crypto, seed: &Seed, message: &[u8]) -> (PublicKey, Signature) {
    let key = provider.signing_key(seed).unwrap();
    (provider.public_key(&key), provider.sign(&key, &[message]).unwrap())
}

/// A good signature, with some bytes of key, signature or message changed.
fn spoilt(data: &[u8]) {
    let mut choices = Choices::new(data);
    let seed = Seed::from_bytes(choices.any());
    let mut changes = Vec::new();
    for _ in 0..choices.below(4) {
        changes.push((choices.any::<u8>(), choices.any::<u8>()));
    }
    let message = choices.rest();
    let (key, signature) = signed(&Ring, &seed, message);
    assert_eq!((key, signature), signed(&RustCrypto, &seed, message));
    assert_eq!(both(&key, message, &signature), Ok(()));
    let good = [key.as_bytes().as_slice(), signature.as_bytes(), message].concat();
    let mut bytes = good.clone();
    for (at, change) in changes {
        let at = usize::from(at) % bytes.len();
        bytes[at] ^= change;
    }
    let (key, rest) = bytes.split_first_chunk::<32>().unwrap();
    let (signature, message) = rest.split_first_chunk::<64>().unwrap();
    let verdict = both(&PublicKey::from_bytes(*key), message, &Signature::from_bytes(*signature));
    assert_eq!(verdict.is_ok(), bytes == good);
}

fn agreed(data: &[u8]) {
    let mut choices = Choices::new(data);
    let (own, other) = (choices.any::<[u8; 32]>(), choices.any::<[u8; 32]>());
    let peer = AgreementKey::from_bytes(choices.any());
    let secret = AgreementSecret::from_bytes;
    assert_eq!(Ring.agreement_key(&secret(own)), RustCrypto.agreement_key(&secret(own)));
    let shared = Ring.agree(&secret(own), &peer);
    assert_eq!(shared, RustCrypto.agree(&secret(own), &peer));
    let (here, there) = (Ring.agreement_key(&secret(own)), RustCrypto.agreement_key(&secret(other)));
    assert_eq!(Ring.agree(&secret(own), &there), RustCrypto.agree(&secret(other), &here));
}

fn derived(data: &[u8]) {
    let mut choices = Choices::new(data);
    let rounds = NonZeroU32::MIN.saturating_add(choices.any::<u8>().into());
    let length = data.len();
    let (first, second) = (choices.below(length + 1), choices.below(length + 1));
    let rest = choices.rest();
    let (a, rest) = rest.split_at(first.min(rest.len()));
    let (b, c) = rest.split_at(second.min(rest.len()));
    assert_eq!(Ring.sha256(&[a, b, c]), RustCrypto.sha256(&[a, b, c]));
    assert_eq!(Ring.hmac_sha256(a, &[b, c]), RustCrypto.hmac_sha256(a, &[b, c]));
    assert_eq!(Ring.hkdf_sha256(a, b, c), RustCrypto.hkdf_sha256(a, b, c));
    assert_eq!(Ring.pbkdf2_sha256(a, b, rounds), RustCrypto.pbkdf2_sha256(a, b, rounds));
}
