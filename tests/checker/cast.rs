//! Who plays: the keys of everybody, and entropy that depends only on who draws it and for what.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use sharekey::crypto::{Hash as _, PublicKey, Signer};
use sharekey::guest::Account;
use sharekey::id::LockId;
use sharekey::model::symbolic::Symbolic;
use sharekey::owner::Owner;
use sharekey::secret::Seed;
use sharekey::service::Service;

pub const CARD: [u8; 16] = [7; 16];

pub const OLGA: u8 = 1;
pub const CLOUD: u8 = 2;
/// Who gets the lock after Olga.
pub const OTTO: u8 = 3;
pub const ANA: u8 = 10;
pub const BEN: u8 = 11;

/// Entropy for one drawing. The same drawing in two states gives the same bytes, so that they merge.
pub fn entropy(what: &[&[u8]]) -> ChaCha20Rng {
    ChaCha20Rng::from_seed(Symbolic.sha256(what))
}

pub fn seed(role: u8) -> Seed {
    Seed::from_bytes([role; 32])
}

pub fn key_of(role: u8) -> PublicKey {
    *Signer::<Symbolic>::from_seed(&Symbolic, &seed(role)).unwrap().public()
}

pub fn owner(role: u8) -> Owner<Symbolic> {
    Owner::new(Symbolic, &seed(role)).unwrap()
}

pub fn account(role: u8) -> Account<Symbolic> {
    Account::from_seed(&Symbolic, &seed(role)).unwrap()
}

/// The roles that are the same in every state.
pub struct Cast {
    pub lock: LockId,
    pub service: Service<Symbolic>,
}

impl Cast {
    pub fn new(lock: LockId) -> Self {
        Self { lock, service: Service::new(Symbolic, &seed(CLOUD)).unwrap() }
    }
}
