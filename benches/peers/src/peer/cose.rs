//! COSE_Sign1 over a CBOR array, and over a CWT's claims.

use coset::cbor::value::Value;
use coset::cwt::{ClaimName, ClaimsSet, ClaimsSetBuilder, Timestamp};
use coset::{CborSerializable as _, CoseSign1, CoseSign1Builder, Header, HeaderBuilder, iana};

use super::{Peer, ring_verify};
use crate::payload::{OWNER, Payload, key_pair, public};

// Of the range for private use, one byte shorter than a text.
const LOCK: i64 = -65_537;
const SLOT: i64 = -65_538;
const GENERATION: i64 = -65_539;
const GUEST: i64 = -65_540;
const RIGHTS: i64 = -65_541;

pub fn peers(payloads: &[Payload]) -> [Peer; 2] {
    [
        Peer::new(
            "COSE_Sign1 (coset, ring)",
            payloads,
            |payload| sign(array(payload)),
            |token| read_array(&open(token)?),
        ),
        Peer::new("CWT (coset, ring)", payloads, |payload| sign(claims(payload)), |token| read_claims(&open(token)?)),
    ]
}

fn header() -> Header {
    HeaderBuilder::new().algorithm(iana::Algorithm::EdDSA).build()
}

fn sign(payload: Vec<u8>) -> Vec<u8> {
    let builder = CoseSign1Builder::new().protected(header()).payload(payload);
    let signed = builder.create_signature(b"", |message| key_pair(OWNER).sign(message).as_ref().to_vec());
    signed.build().to_vec().expect("it encodes")
}

fn open(token: &[u8]) -> Option<Vec<u8>> {
    let owner = public_owner();
    let signed = CoseSign1::from_slice(token).ok()?;
    if signed.protected.header.alg != header().alg {
        return None;
    }
    signed.verify_signature(b"", |signature, message| ring_verify(owner, message, signature).ok_or(())).ok()?;
    signed.payload
}

fn public_owner() -> &'static [u8; 32] {
    static KEY: std::sync::LazyLock<[u8; 32]> = std::sync::LazyLock::new(|| public(OWNER));
    &KEY
}

fn array(payload: &Payload) -> Vec<u8> {
    let Payload { lock, slot, generation, guest, from, until, rights } = payload.clone();
    let bytes = |bytes: [u8; 32]| Value::Bytes(bytes.to_vec());
    let fields =
        vec![bytes(lock), slot.into(), generation.into(), bytes(guest), from.into(), until.into(), rights.into()];
    Value::Array(fields).to_vec().expect("it encodes")
}

fn number<T: TryFrom<i128>>(value: &Value) -> Option<T> {
    T::try_from(value.as_integer()?.into()).ok()
}

fn key(value: &Value) -> Option<[u8; 32]> {
    value.as_bytes()?.as_slice().try_into().ok()
}

fn read_array(bytes: &[u8]) -> Option<Payload> {
    let value = Value::from_slice(bytes).ok()?;
    let [lock, slot, generation, guest, from, until, rights] = value.as_array()?.as_slice() else { return None };
    let payload = Payload {
        lock: key(lock)?,
        slot: number(slot)?,
        generation: number(generation)?,
        guest: key(guest)?,
        from: number(from)?,
        until: number(until)?,
        rights: number(rights)?,
    };
    payload.valid_now().then_some(payload)
}

fn claims(payload: &Payload) -> Vec<u8> {
    let Payload { lock, slot, generation, guest, from, until, rights } = payload.clone();
    let seconds = |seconds: u64| Timestamp::WholeSeconds(seconds.try_into().expect("before the year 292277026596"));
    let claims = ClaimsSetBuilder::new()
        .not_before(seconds(from))
        .expiration_time(seconds(until))
        .private_claim(LOCK, Value::Bytes(lock.to_vec()))
        .private_claim(SLOT, slot.into())
        .private_claim(GENERATION, generation.into())
        .private_claim(GUEST, Value::Bytes(guest.to_vec()))
        .private_claim(RIGHTS, rights.into());
    claims.build().to_vec().expect("it encodes")
}

fn read_claims(bytes: &[u8]) -> Option<Payload> {
    let claims = ClaimsSet::from_slice(bytes).ok()?;
    let find = |id| claims.rest.iter().find(|(name, _)| *name == ClaimName::PrivateUse(id)).map(|(_, value)| value);
    let seconds = |time: &Option<Timestamp>| match time {
        Some(Timestamp::WholeSeconds(seconds)) => u64::try_from(*seconds).ok(),
        _ => None,
    };
    let payload = Payload {
        lock: key(find(LOCK)?)?,
        slot: number(find(SLOT)?)?,
        generation: number(find(GENERATION)?)?,
        guest: key(find(GUEST)?)?,
        from: seconds(&claims.not_before)?,
        until: seconds(&claims.expiration_time)?,
        rights: number(find(RIGHTS)?)?,
    };
    payload.valid_now().then_some(payload)
}
