//! Compiled, a key could sign beside another's public half, which gives the key away.

use sharekey::crypto::{PublicKey, Sign, Signer};

fn signer_by_hand<C: Sign>(key: C::Key, public: PublicKey) -> Signer<C> {
    Signer { key, public } //~ E0451
}

fn main() {}
