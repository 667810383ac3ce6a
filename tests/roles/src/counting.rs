//! A provider that counts the work it is asked for, and may fail to sign.

use std::cell::Cell;
use std::rc::Rc;

use sharekey::crypto::{Agree, AgreementKey, Hash, Kdf, Mac, PublicKey, Sign, Signature, Verify};
use sharekey::error::{NonContributory, ProviderFailed};
use sharekey::secret::{AgreementSecret, Seed, SharedSecret};
use sharekey_stage::provider::Provider;
use zeroize::Zeroizing;

/// How often what was computed, over how many bytes in all.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Work {
    pub checks: usize,
    pub signatures: usize,
    pub macs: usize,
    pub agreements: usize,
    pub bytes: usize,
}

#[derive(Clone, Default)]
pub struct Counting {
    work: Rc<Cell<Work>>,
    /// Whether it fails to sign.
    weary: bool,
}

impl Counting {
    /// One that fails to sign, or does not.
    pub fn weary(weary: bool) -> Self {
        Self { weary, ..Self::default() }
    }

    /// What `run` asked for.
    pub fn of<T>(&self, run: impl FnOnce() -> T) -> (T, Work) {
        self.work.set(Work::default());
        let output = run();
        (output, self.work.get())
    }

    fn add(&self, parts: &[&[u8]], count: impl FnOnce(&mut Work)) {
        let mut work = self.work.get();
        work.bytes += parts.iter().map(|part| part.len()).sum::<usize>();
        count(&mut work);
        self.work.set(work);
    }
}

impl Work {
    /// The most of each.
    pub fn max(self, other: Self) -> Self {
        Self {
            checks: self.checks.max(other.checks),
            signatures: self.signatures.max(other.signatures),
            macs: self.macs.max(other.macs),
            agreements: self.agreements.max(other.agreements),
            bytes: self.bytes.max(other.bytes),
        }
    }
}

impl core::fmt::Display for Work {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { checks, signatures, macs, agreements, bytes } = self;
        write!(f, "{checks} checks, {signatures} signatures, {macs} MACs, {agreements} agreements, {bytes} bytes")
    }
}

impl Verify for Counting {
    type Ready = <Provider as Verify>::Ready;

    fn ready(&self, key: &PublicKey) -> Option<Self::Ready> {
        Provider.ready(key)
    }

    fn verify_equation(&self, key: &Self::Ready, message: &[&[u8]], signature: &Signature) -> bool {
        self.add(message, |work| work.checks += 1);
        Provider.verify_equation(key, message, signature)
    }
}

impl Sign for Counting {
    type Key = <Provider as Sign>::Key;

    fn signing_key(&self, seed: &Seed) -> Result<Self::Key, ProviderFailed> {
        Provider.signing_key(seed)
    }

    fn public_key(&self, key: &Self::Key) -> PublicKey {
        Provider.public_key(key)
    }

    fn sign(&self, key: &Self::Key, message: &[&[u8]]) -> Result<Signature, ProviderFailed> {
        self.add(message, |work| work.signatures += 1);
        if self.weary { Err(ProviderFailed) } else { Provider.sign(key, message) }
    }
}

impl Agree for Counting {
    fn agreement_key(&self, secret: &AgreementSecret) -> AgreementKey {
        self.add(&[], |work| work.agreements += 1);
        Provider.agreement_key(secret)
    }

    fn agree(&self, secret: &AgreementSecret, peer: &AgreementKey) -> Result<SharedSecret, NonContributory> {
        self.add(&[], |work| work.agreements += 1);
        Provider.agree(secret, peer)
    }
}

impl Hash for Counting {
    fn sha256(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.add(parts, |_| ());
        Provider.sha256(parts)
    }
}

impl Mac for Counting {
    fn hmac_sha256(&self, key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        self.add(parts, |work| work.macs += 1);
        Provider.hmac_sha256(key, parts)
    }
}

impl Kdf for Counting {
    fn hkdf_sha256(&self, salt: &[u8], ikm: &[u8], info: &[u8]) -> Result<Zeroizing<[u8; 32]>, ProviderFailed> {
        self.add(&[salt, ikm, info], |work| work.macs += 2);
        Provider.hkdf_sha256(salt, ikm, info)
    }
}
