//! This crate's grant, with the dates as its limits.

use sharekey::counter::{Epoch, Generation, Term};
use sharekey::crypto::{Pinned, PublicKey, Ring, RustCrypto, SIGNATURE_CONTEXT, Sign as _, Verify};
use sharekey::id::{LockId, SlotId};
use sharekey::limits::{Limits, Rights, Timestamp};
use sharekey::message::Grant;
use sharekey::secret::Seed;
use sharekey::wire::{Message as _, Unverified};

use super::Peer;
use crate::payload::{OWNER, Payload, public};

pub fn peers(payloads: &[Payload]) -> [Peer; 2] {
    [peer("sharekey, ring", Ring, payloads), peer("sharekey, rustcrypto", RustCrypto, payloads)]
}

fn peer<C: Verify + Copy + 'static>(name: &'static str, crypto: C, payloads: &[Payload]) -> Peer {
    let owner = Pinned::new(&crypto, PublicKey::from_bytes(public(OWNER)));
    Peer::new(name, payloads, write, move |token| {
        let grant = Unverified::<Grant>::parse(token).ok()?.verify_pinned(&crypto, &owner).ok()?;
        read(&grant)
    })
}

/// What `Owner::share` would make; made by hand here, for it numbers its grants itself.
fn write(payload: &Payload) -> Vec<u8> {
    let at = |seconds| Some(Timestamp::from_unix_seconds(seconds));
    let grant = Grant {
        lock: LockId::new(PublicKey::from_bytes(payload.lock)),
        epoch: Epoch::FIRST,
        by: Term::OWNER,
        slot: SlotId::new(payload.slot),
        generation: Generation::new(payload.generation),
        subject: PublicKey::from_bytes(payload.guest),
        rights: Rights::try_from(payload.rights).expect("a set of rights"),
        limits: Limits::new(at(payload.from), at(payload.until), None, None).expect("a period"),
    };
    let mut bytes = Grant::KIND.header().to_vec();
    bytes.extend(postcard::to_allocvec(&grant).expect("it encodes"));
    let key = Ring.signing_key(&Seed::from_bytes([OWNER; 32])).expect("any seed is good");
    let signature = Ring.sign(&key, &[SIGNATURE_CONTEXT, &bytes]).expect("ring signs");
    bytes.extend(signature.as_bytes());
    bytes
}

fn read(grant: &Grant) -> Option<Payload> {
    let payload = Payload {
        lock: *grant.lock.key().as_bytes(),
        slot: grant.slot.index(),
        generation: grant.generation.value(),
        guest: *grant.subject.as_bytes(),
        from: grant.limits.valid_from()?.unix_seconds(),
        until: grant.limits.valid_until()?.unix_seconds(),
        rights: grant.rights.into(),
    };
    payload.valid_now().then_some(payload)
}
