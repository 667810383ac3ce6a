//! Bare Ed25519 verify over 64 bytes: what a signature costs in each backend.

use std::hint::black_box;

use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};

use crate::payload::{OWNER, Payload, key_pair, public};

type Check = Box<dyn Fn(&(Vec<u8>, [u8; 64]))>;

pub struct Floor {
    pub name: &'static str,
    pub tokens: Vec<(Vec<u8>, [u8; 64])>,
    pub check: Check,
}

pub const RING_FLOOR: &str = "ring";
pub const FLOORS: [&str; 4] =
    [RING_FLOOR, "aws-lc-rs", "ed25519-dalek, key parsed once", "ed25519-dalek strict, key parsed once"];

pub fn floors(payloads: &[Payload]) -> Vec<Floor> {
    let (owner, signer) = (public(OWNER), key_pair(OWNER));
    let tokens: Vec<(Vec<u8>, [u8; 64])> = payloads
        .iter()
        .map(|payload| {
            let message = [payload.lock, payload.guest].concat();
            let signature = signer.sign(&message).as_ref().try_into().expect("64 bytes");
            (message, signature)
        })
        .collect();
    let parsed = VerifyingKey::from_bytes(&owner).expect("a key");
    let ring = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, owner);
    let aws = aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::ED25519, owner);
    let checks: [Check; 4] = [
        Box::new(move |(message, signature)| ring.verify(message, signature).expect("it holds")),
        Box::new(move |(message, signature)| aws.verify(message, signature).expect("it holds")),
        Box::new(move |(message, signature)| {
            black_box(&parsed).verify(message, &Signature::from_bytes(signature)).expect("it holds");
        }),
        Box::new(move |(message, signature)| {
            black_box(&parsed).verify_strict(message, &Signature::from_bytes(signature)).expect("it holds");
        }),
    ];
    FLOORS.into_iter().zip(checks).map(|(name, check)| Floor { name, tokens: tokens.clone(), check }).collect()
}
