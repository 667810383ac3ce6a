//! Protocol Buffers, and a signature over the encoded body.

use prost::Message as _;

use super::{Peer, ring_verify};
use crate::payload::{OWNER, Payload, key_pair, public};

#[derive(prost::Message)]
struct Signed {
    #[prost(bytes = "vec", tag = "1")]
    body: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    signature: Vec<u8>,
}

#[derive(prost::Message)]
struct Body {
    #[prost(bytes = "vec", tag = "1")]
    lock: Vec<u8>,
    #[prost(uint32, tag = "2")]
    slot: u32,
    #[prost(uint32, tag = "3")]
    generation: u32,
    #[prost(bytes = "vec", tag = "4")]
    guest: Vec<u8>,
    #[prost(uint64, tag = "5")]
    from: u64,
    #[prost(uint64, tag = "6")]
    until: u64,
    #[prost(uint32, tag = "7")]
    rights: u32,
}

pub fn peer(payloads: &[Payload]) -> Peer {
    let owner = public(OWNER);
    Peer::new("protobuf + Ed25519 (prost, ring)", payloads, write, move |token| {
        let Signed { body, signature } = Signed::decode(token).ok()?;
        ring_verify(&owner, &body, &signature)?;
        let body = Body::decode(body.as_slice()).ok()?;
        let payload = Payload {
            lock: body.lock.try_into().ok()?,
            slot: body.slot.try_into().ok()?,
            generation: body.generation,
            guest: body.guest.try_into().ok()?,
            from: body.from,
            until: body.until,
            rights: body.rights.try_into().ok()?,
        };
        payload.valid_now().then_some(payload)
    })
}

fn write(payload: &Payload) -> Vec<u8> {
    let Payload { lock, slot, generation, guest, from, until, rights } = payload.clone();
    let (slot, rights) = (slot.into(), rights.into());
    let body = Body { lock: lock.to_vec(), slot, generation, guest: guest.to_vec(), from, until, rights };
    let body = body.encode_to_vec();
    let signature = key_pair(OWNER).sign(&body).as_ref().to_vec();
    Signed { body, signature }.encode_to_vec()
}
