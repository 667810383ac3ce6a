//! A key that was made ready once decides as one that is made ready each time: also where the provider could
//! not make it ready at first.
#![cfg(feature = "ring")]

use std::cell::Cell;

use sharekey::crypto::{Pinned, PublicKey, Ring, Sign, Signature, Verify};
use sharekey::error::SignatureError;
use sharekey::secret::Seed;

/// A provider that fails the first so many times that it is asked to make a key ready.
struct Failing {
    left: Cell<u8>,
}

impl Verify for Failing {
    type Ready = <Ring as Verify>::Ready;

    fn ready(&self, key: &PublicKey) -> Option<Self::Ready> {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        if left > 0 { None } else { Ring.ready(key) }
    }

    fn verify_equation(&self, key: &Self::Ready, message: &[&[u8]], signature: &Signature) -> bool {
        Ring.verify_equation(key, message, signature)
    }
}

fn signed(message: &[u8]) -> (PublicKey, Signature) {
    let signing = Ring.signing_key(&Seed::from_bytes([7; 32])).unwrap();
    (Ring.public_key(&signing), Ring.sign(&signing, &[message]).unwrap())
}

#[test]
fn a_provider_that_failed_once_is_asked_again() {
    let (key, signature) = signed(b"open");
    let provider = Failing { left: Cell::new(2) };
    let pinned = Pinned::new(&provider, key);
    assert_eq!(format!("{pinned:?}"), format!("Pinned({key:?})"));
    assert_eq!(pinned.verify(&provider, &[b"open"], &signature), Err(SignatureError::Mismatch));
    assert_eq!(pinned.verify(&provider, &[b"open"], &signature), Ok(()));
    assert_eq!(pinned.verify(&provider, &[b"shut"], &signature), Err(SignatureError::Mismatch));
}
