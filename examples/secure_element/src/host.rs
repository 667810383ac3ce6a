//! The provider on the microcontroller: what needs the lock's own keys goes over the bus, the rest is
//! computed here.

use std::rc::Rc;

use sharekey::crypto::{Agree, AgreementKey, Hash, Kdf, Mac, PublicKey, Sign, Signature, Verify};
use sharekey::error::{NonContributory, ProviderFailed};
use sharekey::secret::{AgreementSecret, Seed, SharedSecret};
use zeroize::Zeroizing;

use super::element::{AGREEMENT_SECRETS, Derived, Element, Inside, Name, SEEDS};

/// A provider with an element behind it.
#[derive(Clone)]
pub struct Host(pub Rc<Element>);

/// A signing key that is in the element: its name, and the public half, which is read once.
pub struct KeyInside {
    name: Name,
    public: PublicKey,
}

impl Sign for Host {
    type Key = KeyInside;

    /// `seed` is the name of a key, as [`Kdf::hkdf_sha256`] below gave it. The element signs for the lock
    /// and for nobody else: bytes that name nothing are refused.
    fn signing_key(&self, seed: &Seed) -> Result<KeyInside, ProviderFailed> {
        let name = *seed.expose();
        let public = self.0.load(&name).map_err(|_| ProviderFailed)?;
        Ok(KeyInside { name, public })
    }

    fn public_key(&self, key: &KeyInside) -> PublicKey {
        key.public
    }

    fn sign(&self, key: &KeyInside, message: &[&[u8]]) -> Result<Signature, ProviderFailed> {
        self.0.sign(&key.name, message).map_err(|_| ProviderFailed)
    }
}

impl Kdf for Host {
    /// A new seed and the keys derived from it stay inside; what comes back is their names, which the
    /// lock stores and passes on as it would the keys. Everything else (the pairing key) is derived here.
    fn hkdf_sha256(&self, salt: &[u8], ikm: &[u8], info: &[u8]) -> Result<Zeroizing<[u8; 32]>, ProviderFailed> {
        if info == SEEDS {
            return self.0.new_seed(salt, ikm).map(Zeroizing::new).map_err(|_| ProviderFailed);
        }
        if info == AGREEMENT_SECRETS {
            // From the agreement key, which is inside: a name would be worth no more than the flash that it stands on.
            return self.0.agreement_secret(salt, ikm).map(Zeroizing::new).map_err(|_| ProviderFailed);
        }
        match Derived::ALL.into_iter().find(|which| which.label() == info) {
            // A seed that this element does not know: the flash is another board's. Never a key from it.
            Some(which) => self.0.derive(ikm, which).ok().flatten().map(Zeroizing::new).ok_or(ProviderFailed),
            None => Inside.hkdf_sha256(salt, ikm, info),
        }
    }
}

impl Mac for Host {
    /// Of a key that is inside, by the element; of any other (a pairing key, the card's secret), here.
    ///
    /// A MAC cannot fail. A driver whose bus is down must try again, and restart the microcontroller where
    /// that does not help: whatever bytes it made up instead, somebody could guess.
    fn hmac_sha256(&self, key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        self.0.mac(key, parts).unwrap_or_else(|| Inside.hmac_sha256(key, parts))
    }
}

impl Verify for Host {
    type Ready = <Inside as Verify>::Ready;

    fn ready(&self, key: &PublicKey) -> Option<Self::Ready> {
        Inside.ready(key)
    }

    fn verify_equation(&self, key: &Self::Ready, message: &[&[u8]], signature: &Signature) -> bool {
        Inside.verify_equation(key, message, signature)
    }
}

impl Hash for Host {
    fn sha256(&self, parts: &[&[u8]]) -> [u8; 32] {
        Inside.sha256(parts)
    }
}

impl Agree for Host {
    fn agreement_key(&self, secret: &AgreementSecret) -> AgreementKey {
        Inside.agreement_key(secret)
    }

    fn agree(&self, secret: &AgreementSecret, peer: &AgreementKey) -> Result<SharedSecret, NonContributory> {
        Inside.agree(secret, peer)
    }
}
