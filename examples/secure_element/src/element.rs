//! A fake secure element: keeps the lock's seed and what is derived from it, and tells only names.
//!
//! Everything in here stands for what happens on the other side of the bus.

use std::cell::RefCell;

use rand_core::CryptoRng;
use sharekey::crypto::{Kdf as _, Mac as _, PublicKey, Sign as _, Signature};
use sharekey::secret::Seed;

#[cfg(not(feature = "rustcrypto"))]
pub use sharekey::crypto::Ring as Inside;
/// What the element computes with.
#[cfg(feature = "rustcrypto")]
pub use sharekey::crypto::RustCrypto as Inside;

/// Names a key that is inside. It is as long as the key would be, and worth nothing without the element.
pub type Name = [u8; 32];

/// The keys of a lock, as the spec's table "Keys of a lock" labels them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Derived {
    Signing,
    Records,
    Nonces,
    Agreements,
}

impl Derived {
    pub const ALL: [Self; 4] = [Self::Signing, Self::Records, Self::Nonces, Self::Agreements];

    pub const fn label(self) -> &'static [u8] {
        match self {
            Self::Signing => b"sharekey v1 lock key",
            Self::Records => b"sharekey v1 record mac",
            Self::Nonces => b"sharekey v1 nonce",
            Self::Agreements => b"sharekey v1 agreement",
        }
    }
}

/// The label under which a new seed is derived.
pub const SEEDS: &[u8] = b"sharekey v1 seed";

/// The label under which the X25519 secret of an install is derived, from the agreement key.
pub const AGREEMENT_SECRETS: &[u8] = b"sharekey v1 agreement secret";

/// The bus did not answer, or the element refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unavailable;

struct Inner {
    /// Kept over power cuts. Two: a factory reset makes the next seed while the present one still counts.
    seeds: [Option<(Name, [u8; 32])>; 2],
    /// Which of them the running lock signs with; the other one is the one to overwrite.
    current: usize,
    serial: u64,
    rng: Box<dyn CryptoRng>,
    asleep: bool,
}

/// Calls take `&self`, as of a device on a bus; the state is the device's own.
pub struct Element {
    naming: [u8; 32],
    inner: RefCell<Inner>,
}

impl Element {
    pub fn new(mut rng: Box<dyn CryptoRng>) -> Self {
        let mut naming = [0; 32];
        rng.fill_bytes(&mut naming);
        let inner = Inner { seeds: [None, None], current: 0, serial: 0, rng, asleep: false };
        Self { naming, inner: RefCell::new(inner) }
    }

    /// Makes a new seed, and keeps it. Its entropy is the element's own and the host's: neither alone
    /// decides, and whoever reads the host's memory learns nothing.
    pub fn new_seed(&self, before: &[u8], from_host: &[u8]) -> Result<Name, Unavailable> {
        self.awake()?;
        let before = self.key(before).map_or_else(|| before.to_vec(), Vec::from);
        let mut inner = self.inner.borrow_mut();
        let mut entropy = [0; 32];
        inner.rng.fill_bytes(&mut entropy);
        entropy.iter_mut().zip(from_host).for_each(|(to, from)| *to ^= *from);
        let seed = *Inside.hkdf_sha256(&before, &entropy, SEEDS).map_err(|_| Unavailable)?;
        inner.serial += 1;
        let name = Inside.hmac_sha256(&self.naming, &[b"seed", &inner.serial.to_le_bytes()]);
        let free = 1 - inner.current;
        inner.seeds[free] = Some((name, seed));
        Ok(name)
    }

    /// The name of a key derived from the seed with this name.
    pub fn derive(&self, seed: &[u8], which: Derived) -> Result<Option<Name>, Unavailable> {
        self.awake()?;
        let known = self.inner.borrow().seeds.iter().flatten().any(|(name, _)| name == seed);
        Ok(known.then(|| self.name(seed, which)))
    }

    /// Takes the signing key with this name into use: its seed is the present lock's from now on.
    pub fn load(&self, signing: &Name) -> Result<PublicKey, Unavailable> {
        self.awake()?;
        let (at, which) = self.find(signing).ok_or(Unavailable)?;
        let key = self.key(signing).filter(|_| which == Derived::Signing).ok_or(Unavailable)?;
        self.inner.borrow_mut().current = at;
        let key = Inside.signing_key(&Seed::from_bytes(key)).map_err(|_| Unavailable)?;
        Ok(Inside.public_key(&key))
    }

    pub fn sign(&self, signing: &Name, message: &[&[u8]]) -> Result<Signature, Unavailable> {
        self.awake()?;
        let key = self.key(signing).ok_or(Unavailable)?;
        let key = Inside.signing_key(&Seed::from_bytes(key)).map_err(|_| Unavailable)?;
        Inside.sign(&key, message).map_err(|_| Unavailable)
    }

    /// The X25519 secret of one install, from the agreement key with this name. The secret leaves: the host agrees with it.
    pub fn agreement_secret(&self, name: &[u8], input: &[u8]) -> Result<[u8; 32], Unavailable> {
        self.awake()?;
        self.find(name).filter(|(_, which)| *which == Derived::Agreements).ok_or(Unavailable)?;
        let key = self.key(name).ok_or(Unavailable)?;
        Inside.hkdf_sha256(&key, input, AGREEMENT_SECRETS).map(|secret| *secret).map_err(|_| Unavailable)
    }

    /// The MAC under a key that is inside; `None` where the element has none of this name.
    pub fn mac(&self, name: &[u8], parts: &[&[u8]]) -> Option<[u8; 32]> {
        self.key(name).map(|key| Inside.hmac_sha256(&key, parts))
    }

    /// Whether the bus is down. A real one is not asked to be.
    pub fn sleep(&self, asleep: bool) {
        self.inner.borrow_mut().asleep = asleep;
    }

    /// What no element has: all that it keeps, for a test to look for outside.
    pub fn opened(&self) -> Vec<[u8; 32]> {
        let seeds: Vec<_> = self.inner.borrow().seeds.iter().flatten().copied().collect();
        let keys = seeds.iter().flat_map(|(name, _)| Derived::ALL.map(|which| self.key(&self.name(name, which))));
        seeds.iter().map(|(_, seed)| *seed).chain(keys.flatten()).collect()
    }

    fn awake(&self) -> Result<(), Unavailable> {
        if self.inner.borrow().asleep { Err(Unavailable) } else { Ok(()) }
    }

    fn name(&self, seed: &[u8], which: Derived) -> Name {
        Inside.hmac_sha256(&self.naming, &[b"key", seed, which.label()])
    }

    /// The seed and the label that a derived key's name stands for.
    fn find(&self, name: &[u8]) -> Option<(usize, Derived)> {
        let seeds = self.inner.borrow().seeds;
        let named = |seed: &Name| Derived::ALL.into_iter().find(|which| self.name(seed, *which) == name);
        seeds.iter().enumerate().find_map(|(at, seed)| Some((at, named(&seed.as_ref()?.0)?)))
    }

    /// The key itself. It leaves this file only through [`Element::opened`].
    fn key(&self, name: &[u8]) -> Option<[u8; 32]> {
        let seeds = self.inner.borrow().seeds;
        if let Some((_, seed)) = seeds.iter().flatten().find(|(known, _)| known == name) {
            return Some(*seed);
        }
        let (at, which) = self.find(name)?;
        let (_, seed) = seeds[at]?;
        Inside.hkdf_sha256(&[], &seed, which.label()).ok().map(|key| *key)
    }
}
