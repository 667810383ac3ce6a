//! A provider without cryptography: fast, deterministic, and as strong as the protocol assumes
//! cryptography to be, against whoever asks it only through its traits.
//!
//! Every digest, tag, key and signature is a term: what it was made of, under a label of its own, put
//! through one fixed function. Terms of different making do not collide (within 128 bits), so a
//! signature or a MAC exists only where somebody called [`Sign::sign`] or [`Mac::hmac_sha256`] with
//! the key. A model's attacker calls them with the keys that it got hold of, and otherwise passes on
//! what it saw.
//!
//! **No secret is safe here.** The function is public; whoever computes it by hand forges.

use core::num::NonZeroU32;

use siphasher::sip128::{Hasher128, SipHasher13};
use zeroize::Zeroizing;

use sharekey::crypto::{Agree, AgreementKey, Hash, Kdf, Mac, PublicKey, Sign, Signature, Stretch, Verify};
use sharekey::error::{NonContributory, ProviderFailed};
use sharekey::secret::{AgreementSecret, Seed, SharedSecret};

/// The symbolic provider.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Symbolic;

/// A signing key: the seed's public half, which is also what its signatures are made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SymbolicKey(PublicKey);

/// What a term stands for. Each has its own key for the hash, so no term is another kind's.
#[derive(Clone, Copy)]
enum Label {
    Digest = 1,
    Mac,
    Derived,
    Stretched,
    PublicKey,
    SignatureR,
    SignatureS,
    AgreementKey,
    Shared,
}

/// The term of `label` over `parts`, whose boundaries count.
fn term(label: Label, parts: &[&[u8]]) -> [u8; 32] {
    hashed(label, parts.iter().flat_map(|part| [Part::Length(part.len()), Part::Bytes(part)]))
}

enum Part<'a> {
    Length(usize),
    Bytes(&'a [u8]),
}

fn hashed<'a>(label: Label, parts: impl Iterator<Item = Part<'a>>) -> [u8; 32] {
    use core::hash::Hasher as _;
    // Two keyed hashes of 128 bits each: the halves of the term.
    #[allow(clippy::as_conversions, reason = "the discriminant of a label")]
    let label = label as u64;
    let (mut low, mut high) = (SipHasher13::new_with_keys(label, 0), SipHasher13::new_with_keys(label, 1));
    for part in parts {
        match part {
            Part::Length(length) => {
                low.write_usize(length);
                high.write_usize(length);
            }
            Part::Bytes(bytes) => {
                low.write(bytes);
                high.write(bytes);
            }
        }
    }
    let mut out = [0; 32];
    let halves = low.finish128().as_bytes().into_iter().chain(high.finish128().as_bytes());
    out.iter_mut().zip(halves).for_each(|(to, from)| *to = from);
    out
}

/// The term as the encoding of a point: canonical, and of none of the small-order points but by a
/// chance of 2^-200.
const fn point(mut term: [u8; 32]) -> [u8; 32] {
    let [.., top] = &mut term;
    *top = (*top & 0x1f) | 0x40;
    term
}

/// The term as a scalar below the group's order.
const fn scalar(mut term: [u8; 32]) -> [u8; 32] {
    let [.., top] = &mut term;
    *top &= 0x0f;
    term
}

fn signature(key: &PublicKey, message: &[&[u8]]) -> Signature {
    let mut bytes = [0; 64];
    let r = point(term(Label::SignatureR, &[key.as_bytes(), &message.concat()]));
    let s = scalar(term(Label::SignatureS, &[&r]));
    bytes.iter_mut().zip(r.into_iter().chain(s)).for_each(|(to, from)| *to = from);
    Signature::from_bytes(bytes)
}

impl Verify for Symbolic {
    type Ready = PublicKey;

    fn ready(&self, key: &PublicKey) -> Option<PublicKey> {
        Some(*key)
    }

    fn verify_equation(&self, key: &PublicKey, message: &[&[u8]], given: &Signature) -> bool {
        signature(key, message) == *given
    }
}

impl Sign for Symbolic {
    type Key = SymbolicKey;

    fn signing_key(&self, seed: &Seed) -> Result<SymbolicKey, ProviderFailed> {
        Ok(SymbolicKey(PublicKey::from_bytes(point(term(Label::PublicKey, &[seed.expose()])))))
    }

    fn public_key(&self, key: &SymbolicKey) -> PublicKey {
        key.0
    }

    fn sign(&self, key: &SymbolicKey, message: &[&[u8]]) -> Result<Signature, ProviderFailed> {
        Ok(signature(&key.0, message))
    }
}

impl Agree for Symbolic {
    fn agreement_key(&self, secret: &AgreementSecret) -> AgreementKey {
        AgreementKey::from_bytes(term(Label::AgreementKey, &[secret.expose()]))
    }

    /// The zero key stands for every key that fixes the result.
    fn agree(&self, secret: &AgreementSecret, peer: &AgreementKey) -> Result<SharedSecret, NonContributory> {
        if peer.as_bytes().iter().all(|byte| *byte == 0) {
            return Err(NonContributory);
        }
        let own = self.agreement_key(secret);
        let mut ends = [own.as_bytes(), peer.as_bytes()];
        ends.sort_unstable();
        let [first, second] = ends;
        Ok(SharedSecret::from_bytes(term(Label::Shared, &[first, second])))
    }
}

impl Hash for Symbolic {
    /// Of the concatenation: where one part ends does not count.
    fn sha256(&self, parts: &[&[u8]]) -> [u8; 32] {
        hashed(Label::Digest, parts.iter().map(|part| Part::Bytes(part)))
    }
}

impl Mac for Symbolic {
    /// Over the concatenation: where one part ends does not count.
    fn hmac_sha256(&self, key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        let key = [Part::Length(key.len()), Part::Bytes(key)].into_iter();
        hashed(Label::Mac, key.chain(parts.iter().map(|part| Part::Bytes(part))))
    }
}

impl Kdf for Symbolic {
    fn hkdf_sha256(&self, salt: &[u8], ikm: &[u8], info: &[u8]) -> Result<Zeroizing<[u8; 32]>, ProviderFailed> {
        Ok(Zeroizing::new(term(Label::Derived, &[salt, ikm, info])))
    }
}

impl Stretch for Symbolic {
    fn pbkdf2_sha256(&self, password: &[u8], salt: &[u8], rounds: NonZeroU32) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(term(Label::Stretched, &[password, salt, &rounds.get().to_le_bytes()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sharekey::crypto::verify;

    fn key(byte: u8) -> SymbolicKey {
        SymbolicKey(PublicKey::from_bytes(point(term(Label::PublicKey, &[&[byte; 32]]))))
    }

    #[test]
    fn a_signature_holds_for_its_key_and_message_alone() {
        for byte in 0..=u8::MAX {
            let (key, message) = (key(byte), [byte; 40]);
            let signed = Symbolic.sign(&key, &[&message]).map_err(|_| ());
            let Ok(signed) = signed else { continue };
            assert_eq!(verify(&Symbolic, &key.0, &[&message], &signed), Ok(()));
            assert!(verify(&Symbolic, &key.0, &[&[byte; 41]], &signed).is_err());
            assert!(verify(&Symbolic, &self::key(byte.wrapping_add(1)).0, &[&message], &signed).is_err());
            for bit in 0..64 * 8 {
                let mut bytes = *signed.as_bytes();
                let at: usize = bit / 8;
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << (bit % 8);
                }
                assert!(verify(&Symbolic, &key.0, &[&message], &Signature::from_bytes(bytes)).is_err());
            }
        }
    }

    #[test]
    fn both_ends_agree_and_nobody_else() {
        let secret = |byte| AgreementSecret::from_bytes([byte; 32]);
        let public = |byte| Symbolic.agreement_key(&secret(byte));
        assert_eq!(Symbolic.agree(&secret(1), &public(2)), Symbolic.agree(&secret(2), &public(1)));
        assert_ne!(Symbolic.agree(&secret(1), &public(2)), Symbolic.agree(&secret(3), &public(2)));
        assert!(Symbolic.agree(&secret(1), &AgreementKey::from_bytes([0; 32])).is_err());
    }

    #[test]
    fn parts_of_a_digest_and_of_a_mac_run_together_and_those_of_a_derivation_do_not() {
        assert_eq!(Symbolic.sha256(&[b"ab", b"c"]), Symbolic.sha256(&[b"abc"]));
        assert_eq!(Symbolic.hmac_sha256(b"k", &[b"ab", b"c"]), Symbolic.hmac_sha256(b"k", &[b"a", b"bc"]));
        assert_ne!(Symbolic.hmac_sha256(b"ka", &[b"b"]), Symbolic.hmac_sha256(b"k", &[b"ab"]));
        let derived = |salt, ikm, info| Symbolic.hkdf_sha256(salt, ikm, info).map(|key| *key).map_err(|_| ());
        assert_ne!(derived(b"a", b"b", b"c"), derived(b"ab", b"", b"c"));
        assert_ne!(Symbolic.sha256(&[b"abc"]), Symbolic.hmac_sha256(b"", &[b"abc"]));
    }
}
