//! PASETO v4.public, its dates in RFC 3339.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pasetors::claims::{Claims, ClaimsValidationRules};
use pasetors::keys::{AsymmetricPublicKey, AsymmetricSecretKey};
use pasetors::token::UntrustedToken;
use pasetors::version4::V4;
use pasetors::{Public, public as paseto};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Peer;
use crate::payload::{OWNER, Payload, public};

fn written(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).expect("before the year 10000");
    OffsetDateTime::from_unix_timestamp(seconds).expect("a date").format(&Rfc3339).expect("a date")
}

fn read_date(text: &str) -> Option<u64> {
    OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp().try_into().ok()
}

fn write(payload: &Payload) -> Vec<u8> {
    let key = AsymmetricSecretKey::<V4>::from(&[[OWNER; 32], public(OWNER)].concat()).expect("seed and key");
    let mut claims = Claims::new().expect("empty claims");
    // The library's rules want it.
    claims.issued_at(&written(payload.from)).expect("a date");
    claims.not_before(&written(payload.from)).expect("a date");
    claims.expiration(&written(payload.until)).expect("a date");
    claims.subject(&URL_SAFE_NO_PAD.encode(payload.guest)).expect("a text");
    let mut add = |name, value: serde_json::Value| claims.add_additional(name, value).expect("a new name");
    add("lock", URL_SAFE_NO_PAD.encode(payload.lock).into());
    add("slot", payload.slot.into());
    add("gen", payload.generation.into());
    add("rights", payload.rights.into());
    paseto::sign(&key, &claims, None, None).expect("it signs").into_bytes()
}

pub fn peer(payloads: &[Payload]) -> Peer {
    let owner = AsymmetricPublicKey::<V4>::from(&public(OWNER)).expect("a key");
    let rules = ClaimsValidationRules::new();
    Peer::new("PASETO v4.public (pasetors)", payloads, write, move |token| {
        let token = std::str::from_utf8(token).ok()?;
        let token = UntrustedToken::<Public, V4>::try_from(token).ok()?;
        let trusted = paseto::verify(&owner, &token, &rules, None, None).ok()?;
        let claims = trusted.payload_claims()?;
        let text = |name| claims.get_claim(name)?.as_str();
        let key = |name| URL_SAFE_NO_PAD.decode(text(name)?).ok()?.try_into().ok();
        let number = |name| claims.get_claim(name)?.as_u64();
        Some(Payload {
            lock: key("lock")?,
            slot: number("slot")?.try_into().ok()?,
            generation: number("gen")?.try_into().ok()?,
            guest: key("sub")?,
            from: read_date(text("nbf")?)?,
            until: read_date(text("exp")?)?,
            rights: number("rights")?.try_into().ok()?,
        })
    })
}
