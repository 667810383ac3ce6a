//! Who plays: the keys of everybody, and entropy that depends only on who draws it and for what.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use sharekey::crypto::{Hash as _, PublicKey};
use sharekey::guest::Account;
use sharekey::id::LockId;
use sharekey::owner::Owner;
use sharekey::service::Service;
use sharekey_model::symbolic::Symbolic;
use sharekey_stage::forge::Forge;
pub use sharekey_stage::seed;
pub use sharekey_stage::store::stored as never;

pub const CARD: [u8; 16] = [7; 16];

pub const OLGA: u8 = 1;
pub const CLOUD: u8 = 2;
/// Who gets the lock after Olga.
pub const OTTO: u8 = 3;
pub const ANA: u8 = 10;
pub const BEN: u8 = 11;

/// Makes what the attacker can make from the keys that it holds.
pub const FORGE: Forge<Symbolic> = Forge::new();

/// Entropy for one drawing. The same drawing in two states gives the same bytes, so that they merge.
pub fn entropy(what: &[&[u8]]) -> ChaCha20Rng {
    ChaCha20Rng::from_seed(Symbolic.sha256(what))
}

pub fn key_of(role: u8) -> PublicKey {
    FORGE.public(&seed(role))
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
