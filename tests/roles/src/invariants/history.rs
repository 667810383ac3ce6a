//! Short histories of one lock, two slots and a few keys.

use sharekey::counter::{Epoch, Generation};
use sharekey::crypto::{Digest, PublicKey};
use sharekey::id::{LockId, SlotId};
use sharekey_model::invariant::Event::{
    Acted, Challenged, Claimed, Granted, Installed, Obeyed, Ordered, Owned, Released, Switched, Withdrawn,
};
use sharekey_model::invariant::{Answered, Event, Ledger, Place, Service, Violation, Withdrawal};

pub const LOCK: LockId = LockId::new(key(90));
pub const OTHER_LOCK: LockId = LockId::new(key(91));
pub const OWNER: PublicKey = key(1);
pub const NEXT_OWNER: PublicKey = key(2);
pub const DEVICE: PublicKey = key(31);
pub const OTHER_DEVICE: PublicKey = key(32);
pub const HALL: SlotId = SlotId::new(0);
pub const CELLAR: SlotId = SlotId::new(1);
pub const FIRST: Epoch = Epoch::FIRST;
pub const SECOND: Epoch = Epoch::new(2);

pub const fn key(byte: u8) -> PublicKey {
    PublicKey::from_bytes([byte; 32])
}

pub const fn digest(byte: u8) -> Digest {
    Digest::from_bytes([byte; 32])
}

pub const fn n(number: u32) -> Generation {
    Generation::new(number)
}

pub const fn place(slot: SlotId) -> Place {
    Place { lock: LOCK, epoch: FIRST, slot }
}

pub const fn to(nonce: u8) -> Answered {
    Answered { nonce: [nonce; 16], in_time: true }
}

pub fn challenged(nonce: u8) -> Event {
    Challenged { lock: LOCK, nonce: [nonce; 16] }
}

pub fn ordered(command: u8) -> Event {
    Ordered { command: digest(command), owner: OWNER, lock: LOCK, epoch: FIRST }
}

pub fn provisioned() -> Event {
    Owned { lock: LOCK, epoch: FIRST, owner: OWNER, answered: to(0), command: None }
}

pub fn transferred(nonce: u8, command: u8) -> Event {
    Owned { lock: LOCK, epoch: SECOND, owner: NEXT_OWNER, answered: to(nonce), command: Some(digest(command)) }
}

pub fn switched(active: bool, number: u32, nonce: u8) -> Event {
    Switched { place: place(HALL), active, generation: n(number), command: digest(nonce), answered: to(nonce) }
}

pub fn granted(grant: u8) -> Event {
    let (owner, generation) = (OWNER, n(grant.into()));
    Granted { grant: digest(grant), owner, place: place(HALL), generation, uses: Some(1) }
}

pub fn claimed(grant: u8) -> Event {
    Claimed { grant: digest(grant), device: DEVICE }
}

pub fn released(grant: u8, device: PublicKey, version: u64) -> Event {
    Released { grant: digest(grant), device, version }
}

pub fn withdrawn(grant: u8, outcome: Withdrawal) -> Event {
    Withdrawn { grant: digest(grant), outcome }
}

pub fn installed(grant: u8, nonce: u8) -> Event {
    let (generation, device) = (n(grant.into()), DEVICE);
    Installed { place: place(HALL), grant: digest(grant), generation, device, answered: to(nonce) }
}

pub fn acted(number: u32, nonce: u8, opened: bool) -> Event {
    Acted { place: place(HALL), device: DEVICE, generation: n(number), answered: to(nonce), opened }
}

pub fn obeyed(command: u8, nonce: u8) -> Event {
    Obeyed { lock: LOCK, epoch: FIRST, command: digest(command), answered: to(nonce) }
}

/// A lock with an owner; its first nonces, up to 9, are given.
pub fn owned() -> Vec<Event> {
    let mut events: Vec<Event> = (0..10).map(challenged).collect();
    events.push(provisioned());
    events
}

/// … whose slot is open: number 1, command and nonce 1.
pub fn open() -> Vec<Event> {
    then(owned(), [ordered(1), switched(true, 1, 1)])
}

/// … for which grant 5 was signed, claimed and released (version 7).
pub fn shared() -> Vec<Event> {
    then(open(), [granted(5), claimed(5), released(5, DEVICE, 7)])
}

/// … and installed, with nonce 2.
pub fn downloaded() -> Vec<Event> {
    then(shared(), [installed(5, 2)])
}

pub fn then(mut events: Vec<Event>, more: impl IntoIterator<Item = Event>) -> Vec<Event> {
    events.extend(more);
    events
}

pub fn observe(service: Service, events: &[Event]) -> (Ledger, Result<(), Violation>) {
    let mut ledger = Ledger::new(service);
    for (at, event) in events.iter().enumerate() {
        if let Err(violation) = ledger.observe(event) {
            assert_eq!(at + 1, events.len(), "broken too early: {violation}, by {event:?}");
            return (ledger, Err(violation));
        }
    }
    (ledger, Ok(()))
}

pub fn honest(events: &[Event]) -> Ledger {
    let (ledger, result) = observe(Service::Honest, events);
    result.unwrap();
    ledger
}
