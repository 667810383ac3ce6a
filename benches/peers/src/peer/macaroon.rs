//! A macaroon: HMAC, so whoever checks it could have made it. The fixed fields are its identifier, the dates
//! its caveats.

use macaroon::{ByteString, Format, Macaroon, MacaroonKey, Verifier};

use super::Peer;
use crate::payload::{OWNER, Payload, now};

fn write(payload: &Payload) -> Vec<u8> {
    let Payload { lock, slot, generation, guest, from, until, rights } = payload;
    let identifier = [&lock[..], &[*slot], &generation.to_le_bytes(), guest, &[*rights]].concat();
    let key = MacaroonKey::generate(&[OWNER; 32]);
    let mut macaroon = Macaroon::create(None, &key, ByteString(identifier)).expect("it signs");
    macaroon.add_first_party_caveat(format!("from {from}").as_str().into());
    macaroon.add_first_party_caveat(format!("until {until}").as_str().into());
    macaroon.serialize(Format::V2).expect("it encodes").into_bytes()
}

/// The moment in a caveat of this kind.
fn moment(caveat: &ByteString, kind: &str) -> Option<u64> {
    std::str::from_utf8(&caveat.0).ok()?.strip_prefix(kind)?.parse().ok()
}

fn in_time(caveat: &ByteString) -> bool {
    moment(caveat, "from ").is_some_and(|from| now() >= from)
        || moment(caveat, "until ").is_some_and(|until| now() < until)
}

pub fn peer(payloads: &[Payload]) -> Peer {
    macaroon::initialize().expect("its library starts");
    let key = MacaroonKey::generate(&[OWNER; 32]);
    let mut verifier = Verifier::default();
    verifier.satisfy_general(in_time);
    Peer::new("macaroon (HMAC)", payloads, write, move |token| {
        let macaroon = Macaroon::deserialize(token).ok()?;
        verifier.verify(&macaroon, &key, Vec::new()).ok()?;
        read(&macaroon)
    })
}

fn read(macaroon: &Macaroon) -> Option<Payload> {
    let identifier = macaroon.identifier();
    let (lock, rest) = identifier.0.split_first_chunk()?;
    let (slot, rest) = rest.split_first()?;
    let (generation, rest) = rest.split_first_chunk()?;
    let (guest, rights) = rest.split_first_chunk()?;
    let dates: Vec<ByteString> = macaroon
        .first_party_caveats()
        .into_iter()
        .filter_map(|caveat| match caveat {
            macaroon::Caveat::FirstParty(caveat) => Some(caveat.predicate()),
            macaroon::Caveat::ThirdParty(_) => None,
        })
        .collect();
    let date = |kind| dates.iter().find_map(|caveat| moment(caveat, kind));
    Some(Payload {
        lock: *lock,
        slot: *slot,
        generation: u32::from_le_bytes(*generation),
        guest: *guest,
        from: date("from ")?,
        until: date("until ")?,
        rights: *rights.first()?,
    })
}
