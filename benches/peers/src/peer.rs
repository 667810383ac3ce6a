//! Each token's own library, as its documentation says to use it.

mod biscuit;
mod cose;
mod floor;
mod jwt;
mod macaroon;
mod paseto;
mod protobuf;
mod sharekey;
mod x509;

use crate::payload::Payload;

pub use self::floor::{FLOORS, RING_FLOOR, floors};

/// From bytes to usable fields, everything checked that the token limits; `None` where it is refused.
type Read = Box<dyn Fn(&[u8]) -> Option<Payload>>;

pub struct Peer {
    pub name: &'static str,
    pub tokens: Vec<(Vec<u8>, Payload)>,
    pub read: Read,
}

impl Peer {
    fn new(
        name: &'static str,
        payloads: &[Payload],
        write: impl Fn(&Payload) -> Vec<u8>,
        read: impl Fn(&[u8]) -> Option<Payload> + 'static,
    ) -> Self {
        let tokens = payloads.iter().map(|payload| (write(payload), payload.clone())).collect();
        Self { name, tokens, read: Box::new(read) }
    }
}

pub fn all(payloads: &[Payload]) -> Vec<Peer> {
    let [ring, rustcrypto] = sharekey::peers(payloads);
    let [sign1, cwt] = cose::peers(payloads);
    vec![
        ring,
        rustcrypto,
        protobuf::peer(payloads),
        sign1,
        cwt,
        biscuit::parsed(payloads),
        biscuit::authorized(payloads),
        x509::peer(payloads),
        jwt::peer(payloads),
        paseto::peer(payloads),
        macaroon::peer(payloads),
    ]
}

/// ring's bare verify, which the peers that bring no cryptography of their own get.
fn ring_verify(key: &[u8; 32], message: &[u8], signature: &[u8]) -> Option<()> {
    ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, key).verify(message, signature).ok()
}
