//! The providers are one: what one makes the other accepts, and what is deterministic is the same.
#![cfg(all(feature = "ring", feature = "rustcrypto"))]

use proptest::prelude::*;
use sharekey::crypto::verify;
use sharekey::crypto::{
    Aead, Agree, AgreementKey, Crypto, Hash, Kdf, Mac, PublicKey, Ring, RustCrypto, Signature, Stretch,
};
use sharekey::secret::{AgreementSecret, Seed};

fn signed(provider: &impl Crypto, seed: &Seed, message: &[u8]) -> (PublicKey, Signature) {
    let key = provider.signing_key(seed).unwrap();
    (provider.public_key(&key), provider.sign(&key, &[message]).unwrap())
}

proptest! {
    #[test]
    fn both_make_the_same_signature_and_accept_it(seed in any::<[u8; 32]>(), message in any::<Vec<u8>>()) {
        let seed = Seed::from_bytes(seed);
        let by_ring = signed(&Ring, &seed, &message);
        prop_assert_eq!(by_ring, signed(&RustCrypto, &seed, &message));
        let (key, signature) = by_ring;
        prop_assert_eq!(verify(&Ring, &key, &[&message], &signature), Ok(()));
        prop_assert_eq!(verify(&RustCrypto, &key, &[&message], &signature), Ok(()));
    }

    #[test]
    fn both_give_one_verdict_on_a_spoilt_signature(
        seed in any::<[u8; 32]>(),
        message in any::<[u8; 8]>(),
        bit in 0_usize..(32 + 64 + 8) * 8,
    ) {
        let (key, signature) = signed(&Ring, &Seed::from_bytes(seed), &message);
        let mut bytes = [key.as_bytes().as_slice(), signature.as_bytes(), &message].concat();
        if let Some(byte) = bytes.get_mut(bit / 8) {
            *byte ^= 1 << (bit % 8);
        }
        let (key, rest) = bytes.split_first_chunk::<32>().unwrap();
        let (signature, message) = rest.split_first_chunk::<64>().unwrap();
        let (key, signature) = (PublicKey::from_bytes(*key), Signature::from_bytes(*signature));
        let verdict = verify(&Ring, &key, &[message], &signature);
        prop_assert!(verdict.is_err());
        prop_assert_eq!(verdict, verify(&RustCrypto, &key, &[message], &signature));
    }

    #[test]
    fn both_give_one_verdict_on_anything(
        key in any::<[u8; 32]>(),
        signature in any::<[u8; 64]>(),
        message in any::<[u8; 4]>(),
    ) {
        let (key, signature) = (PublicKey::from_bytes(key), Signature::from_bytes(signature));
        prop_assert_eq!(verify(&Ring, &key, &[&message], &signature), verify(&RustCrypto, &key, &[&message], &signature));
    }

    #[test]
    fn both_hash_authenticate_derive_and_agree_alike(
        key in any::<Vec<u8>>(),
        parts in any::<[Vec<u8>; 3]>(),
        secret in any::<[u8; 32]>(),
        peer in any::<[u8; 32]>(),
    ) {
        let [a, b, c] = &parts;
        let parts: [&[u8]; 3] = [a, b, c];
        prop_assert_eq!(Ring.sha256(&parts), RustCrypto.sha256(&parts));
        prop_assert_eq!(Ring.hmac_sha256(&key, &parts), RustCrypto.hmac_sha256(&key, &parts));
        prop_assert_eq!(Ring.hkdf_sha256(a, b, c), RustCrypto.hkdf_sha256(a, b, c));
        let (secret, peer) = (AgreementSecret::from_bytes(secret), AgreementKey::from_bytes(peer));
        prop_assert_eq!(Ring.agreement_key(&secret), RustCrypto.agreement_key(&secret));
        prop_assert_eq!(Ring.agree(&secret, &peer), RustCrypto.agree(&secret, &peer));
        let rounds = core::num::NonZeroU32::new(3).unwrap();
        prop_assert_eq!(Ring.pbkdf2_sha256(&key, a, rounds), RustCrypto.pbkdf2_sha256(&key, a, rounds));
    }
}

proptest! {
    /// What one sealed the other opens, and neither opens what is altered.
    #[test]
    fn both_seal_the_same(
        key in any::<[u8; 32]>(),
        about in any::<Vec<u8>>(),
        content in any::<Vec<u8>>(),
        bit in 0..128_usize,
    ) {
        let (mut by_ring, mut by_rust) = (content.clone(), content.clone());
        let tag = Ring.chacha20_poly1305_seal(&key, &about, &mut by_ring).unwrap();
        prop_assert_eq!(RustCrypto.chacha20_poly1305_seal(&key, &about, &mut by_rust).unwrap(), tag);
        prop_assert_eq!(&by_ring, &by_rust);
        let mut other = tag;
        other[bit / 8] ^= 1 << (bit % 8);
        for (tag, opens) in [(tag, true), (other, false)] {
            let (mut by_ring, mut by_rust) = (by_ring.clone(), by_rust.clone());
            prop_assert_eq!(Ring.chacha20_poly1305_open(&key, &about, &mut by_ring, &tag), opens);
            prop_assert_eq!(RustCrypto.chacha20_poly1305_open(&key, &about, &mut by_rust, &tag), opens);
            prop_assert!(!opens || by_ring == content && by_rust == content);
        }
    }
}
