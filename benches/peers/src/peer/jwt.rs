//! A JSON Web Token with EdDSA, its keys in base64url.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

use super::Peer;
use crate::payload::{OWNER, Payload, pkcs8, public};

#[derive(Serialize, Deserialize)]
struct Claims {
    lock: String,
    slot: u8,
    #[serde(rename = "gen")]
    generation: u32,
    sub: String,
    nbf: u64,
    exp: u64,
    rights: u8,
}

pub fn peer(payloads: &[Payload]) -> Peer {
    let signer = EncodingKey::from_ed_der(&pkcs8([OWNER; 32]));
    let write = move |payload: &Payload| {
        let claims = Claims {
            lock: URL_SAFE_NO_PAD.encode(payload.lock),
            slot: payload.slot,
            generation: payload.generation,
            sub: URL_SAFE_NO_PAD.encode(payload.guest),
            nbf: payload.from,
            exp: payload.until,
            rights: payload.rights,
        };
        encode(&Header::new(Algorithm::EdDSA), &claims, &signer).expect("it encodes").into_bytes()
    };
    let owner = DecodingKey::from_ed_der(&public(OWNER));
    let mut rules = Validation::new(Algorithm::EdDSA);
    (rules.validate_nbf, rules.leeway) = (true, 0);
    rules.set_required_spec_claims(&["exp", "nbf", "sub"]);
    Peer::new("JWT EdDSA (jsonwebtoken, aws-lc)", payloads, write, move |token| {
        let claims = decode::<Claims>(token, &owner, &rules).ok()?.claims;
        let key = |text: &str| URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok();
        Some(Payload {
            lock: key(&claims.lock)?,
            slot: claims.slot,
            generation: claims.generation,
            guest: key(&claims.sub)?,
            from: claims.nbf,
            until: claims.exp,
            rights: claims.rights,
        })
    })
}
