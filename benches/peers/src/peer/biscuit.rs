//! A biscuit: one fact and a check of the time in the authority block. Parsed alone, its signatures hold; what it
//! says is known only to an authorizer, which then asks for the fact.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use biscuit_auth::builder::Algorithm;
use biscuit_auth::datalog::RunLimits;
use biscuit_auth::macros::{authorizer, biscuit};
use biscuit_auth::{Biscuit, KeyPair, PrivateKey, PublicKey};

use super::Peer;
use crate::payload::{OWNER, Payload, public};

fn owner() -> KeyPair {
    KeyPair::from(&PrivateKey::from_bytes(&[OWNER; 32], Algorithm::Ed25519).expect("a key"))
}

fn write(payload: &Payload) -> Vec<u8> {
    let (lock, guest) = (payload.lock.to_vec(), payload.guest.to_vec());
    let (slot, generation, rights) =
        (i64::from(payload.slot), i64::from(payload.generation), i64::from(payload.rights));
    let date = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    let (from, until) = (date(payload.from), date(payload.until));
    biscuit!(
        r#"
        key({lock}, {slot}, {generation}, {guest}, {from}, {until}, {rights});
        check if time($now), key($l, $s, $n, $g, $from, $until, $r), $from <= $now, $now < $until;
        "#
    )
    .build(&owner())
    .expect("it signs")
    .to_vec()
    .expect("it encodes")
}

fn root() -> PublicKey {
    PublicKey::from_bytes(&public(OWNER), Algorithm::Ed25519).expect("a key")
}

pub fn parsed(payloads: &[Payload]) -> Peer {
    let root = root();
    let mut peer = Peer::new("biscuit-auth, parsed only", payloads, write, move |token| {
        Biscuit::from(token, root).ok().map(|_| Payload::default())
    });
    peer.tokens.iter_mut().for_each(|(_, payload)| *payload = Payload::default());
    peer
}

pub fn authorized(payloads: &[Payload]) -> Peer {
    let root = root();
    Peer::new("biscuit-auth, authorized", payloads, write, move |token| read(&Biscuit::from(token, root).ok()?))
}

type Key = (Vec<u8>, i64, i64, Vec<u8>, SystemTime, SystemTime, i64);

/// The default allows a millisecond, which a busy machine does not keep; it is no part of the work.
fn limits() -> RunLimits {
    RunLimits { max_time: Duration::from_secs(1), ..RunLimits::default() }
}

fn seconds(date: SystemTime) -> Option<u64> {
    Some(date.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

fn read(token: &Biscuit) -> Option<Payload> {
    let mut authorizer = authorizer!("allow if true;").time().set_limits(limits()).build(token).ok()?;
    authorizer.authorize().ok()?;
    let query = "key($l, $s, $n, $g, $from, $until, $r) <- key($l, $s, $n, $g, $from, $until, $r)";
    let (lock, slot, generation, guest, from, until, rights): Key = authorizer.query_exactly_one(query).ok()?;
    Some(Payload {
        lock: lock.try_into().ok()?,
        slot: slot.try_into().ok()?,
        generation: generation.try_into().ok()?,
        guest: guest.try_into().ok()?,
        from: seconds(from)?,
        until: seconds(until)?,
        rights: rights.try_into().ok()?,
    })
}
