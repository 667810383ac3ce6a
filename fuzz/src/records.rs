//! What is stored, read back: a lock's records under the lock's own MAC, against a reader that was written by hand; and
//! what service, owner and guest keep, in its `serde` form.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sharekey::contacts::ContactBook;
use sharekey::counter::{Epoch, Generation};
use sharekey::crypto::{Digest, PublicKey};
use sharekey::error::{LoadError, LockError};
use sharekey::guest::{Claimed, GuestKey, Installing, Keyring};
use sharekey::id::SlotId;
use sharekey::lock::{
    Battery, Cell, Clock, Condition, Found, Lock, MAX_RECORD, Making, Now, Ownership, StoredSeed, purpose,
};
use sharekey::message::{Holding, Provisioned, SlotReport, Withdrawn};
use sharekey::owner::{Equivocation, OwnedLock, Owner, PendingCommand, PendingProvision};
use sharekey::secret::{ActivationSecret, Exposed, Seed};
use sharekey::service::{LockRecord, Service, ShareRecord, SlotRecord};
use sharekey::slot::{Observer, Slot};
use sharekey::wire::Unverified;
use sharekey_model::symbolic::Symbolic;

use sharekey_stage::cells::prefix;
use sharekey_stage::desk::NOW;
use sharekey_stage::forge::{Forge, bare};
use sharekey_stage::store::Store;
use sharekey_stage::{firmware, rng};

use crate::choices::Choices;

const SEED: [u8; 32] = [0x5e; 32];
const CARD: [u8; 16] = [3; 16];
const SLOTS: usize = 2;
type Door = Lock<Symbolic, SLOTS>;

const FORGE: Forge<Symbolic> = Forge::new();

// --- the lock's ---

fn seed_record(seed: &[u8; 32], initialised: u8) -> Vec<u8> {
    under_own_key([&prefix(Cell::Seed)[..], seed, &[initialised]].concat())
}

/// A seed's record under the key of the seed in it, where there is one.
fn under_own_key(covered: Vec<u8>) -> Vec<u8> {
    let key = FORGE.derived(covered.get(5..37).unwrap_or_default(), "sharekey v1 record mac");
    FORGE.tag(covered, &key)
}

/// The record of a cell, under the lock's own MAC.
fn record(cell: Cell, content: &[u8]) -> Vec<u8> {
    let key = FORGE.derived(&SEED, "sharekey v1 record mac");
    FORGE.tag([&prefix(cell)[..], content].concat(), &key)
}

fn owned(epoch: u32) -> Vec<u8> {
    let keys = [1, 2].map(|who| FORGE.public(&sharekey_stage::seed(who)));
    [&[SLOTS as u8, 2][..], &epoch.to_le_bytes(), keys[0].as_bytes(), keys[1].as_bytes()].concat()
}

/// A lock of which one cell reads so, and the others are sound. The header is of this epoch.
fn booted(cell: Cell, stored: &[u8], epoch: u32) -> Door {
    let mut store = Store::default();
    store.set(Cell::Seed, seed_record(&SEED, 1));
    for sound in Door::cells() {
        let content = match sound {
            Cell::Header => owned(epoch),
            Cell::Slot(_) => vec![0, 0, 0, 0, 0, 0, 0, 0, 1],
            Cell::Counter | Cell::Seed => vec![0; 20],
        };
        store.set(sound, record(sound, &content));
    }
    store.set(cell, stored.to_vec());
    firmware::load(Symbolic, CARD, &store, |_| true).unwrap()
}

/// The cell is ready if the content is good, and otherwise damaged; spoilt anywhere, it is damaged too.
fn stands(cell: Cell, content: &[u8], good: bool, epoch: u32) -> Door {
    let stored = record(cell, content);
    assert!(!good || stored.len() <= MAX_RECORD);
    let door = booted(cell, &stored, epoch);
    let expected = if good { Condition::Ready } else { Condition::Damaged };
    assert_eq!(door.condition(cell), Ok(expected));
    let at =
        content.iter().fold(0_usize, |at, byte| at.wrapping_mul(31).wrapping_add(usize::from(*byte))) % stored.len();
    let mut spoilt = stored;
    spoilt[at] ^= 1 << (at % 8);
    assert_eq!(booted(cell, &spoilt, epoch).condition(cell), Ok(Condition::Damaged), "a MAC that does not hold");
    door
}

/// Fields one after another.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*first)
    }

    fn u32(&mut self) -> Option<u32> {
        self.bytes().map(u32::from_le_bytes)
    }

    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

pub fn seed(data: &[u8]) {
    let stored = under_own_key([&prefix(Cell::Seed)[..], data].concat());
    let read = |bytes: &[u8]| StoredSeed::read(&Symbolic, Found::Bytes(bytes)).map(|_| ());
    let expected = match data {
        [_, .., 1] if data.len() == 33 => Ok(()),
        [_, .., 0] if data.len() == 33 => Err(LoadError::NotMade),
        _ => Err(LoadError::SeedDamaged),
    };
    assert_eq!(read(&stored), expected);
    if let Some(error) = expected.err() {
        crate::blamed(&error);
    }
    assert_eq!(read(&under_own_key(data.to_vec())), whole_seed(data), "without the prefix");
    assert_eq!(read(data), Err(LoadError::SeedDamaged), "without a MAC");
    if let (Ok(()), Some((seed, _))) = (expected, data.split_first_chunk::<32>()) {
        let mut store = Store::default();
        store.set(Cell::Seed, stored.clone());
        let door: Door = firmware::load(Symbolic, CARD, &store, |_| false).unwrap();
        let lock = Seed::from_bytes(FORGE.derived(seed, "sharekey v1 lock key"));
        assert_eq!(*door.id().key(), FORGE.public(&lock), "another key than the seed's");
        assert_eq!(door.into_parts().1, ActivationSecret::from_bytes(CARD));
    }
    made(&stored);
}

/// Over whatever was found a lock is made, and nothing shows its secrets. Not `firmware::boot`: each record is looked at,
/// and the lock is asked for before the last.
fn made(found: &[u8]) {
    let making = |found| {
        let card = ActivationSecret::from_bytes(CARD);
        Making::<Symbolic, SLOTS>::new(Symbolic, card, found, &mut rng(1)).unwrap()
    };
    let again = making(Found::Unreadable).record().unwrap().unwrap();
    let mut making = making(Found::Bytes(found));
    let mut written = Vec::new();
    let mut lock = loop {
        assert!(format!("{making:?}").starts_with("Making"));
        making = match making.finish() {
            Ok(lock) => break lock,
            Err(making) => making,
        };
        let record = making.record().unwrap().unwrap();
        let cell = record.cell();
        assert_eq!(format!("{record:?}"), format!("Record({cell:?}, [redacted])"));
        written.push((cell.key(), record.as_bytes().to_vec()));
        making.written();
    };
    let keys: Vec<u16> = written.iter().map(|(key, _)| *key).collect();
    assert_eq!(keys, [0, 1, 2, 3, 4, 0]);
    let Some((_, seed)) = written.last() else { return };
    assert_eq!(StoredSeed::read(&Symbolic, Found::Bytes(seed)).map(|_| ()), Ok(()));
    assert_ne!(again.as_bytes()[..37], seed[..37], "what is found counts");
    assert_eq!(StoredSeed::read(&Symbolic, Found::Unreadable).err(), Some(LoadError::SeedDamaged));
    assert_eq!(StoredSeed::read(&Symbolic, Found::Nothing).err(), Some(LoadError::NotMade));
    detached(&mut lock);
}

/// The first challenge writes a lease, and the next needs none: that one can be given up.
fn detached(lock: &mut Door) {
    let mut rng = rng(2);
    let now = Now { ticks: 0, clock: Clock::Unset, battery: Battery::UNKNOWN };
    assert!(format!("{lock:?}").starts_with("Lock"));
    for writes in [true, false] {
        let staged = lock.challenge::<purpose::Operate>(now, &mut rng).unwrap();
        assert_eq!((staged.cell(), format!("{staged:?}")), (Cell::Counter, "Accepted(Counter)".to_owned()));
        let (record, pending) = staged.detach();
        assert_eq!((record.is_some(), pending.cell()), (writes, Cell::Counter));
        assert_eq!(format!("{pending:?}"), "Pending(Counter)");
        if !writes {
            assert_eq!(lock.abandon(pending), Ok(()));
        } else {
            assert!(format!("{:?}", lock.written(pending).unwrap()).starts_with("Challenged"));
        }
    }
}

fn whole_seed(data: &[u8]) -> Result<(), LoadError> {
    match data {
        [b'S', b'R', 1, 1, 0, .., 1] if data.len() == 38 => Ok(()),
        [b'S', b'R', 1, 1, 0, .., 0] if data.len() == 38 => Err(LoadError::NotMade),
        _ => Err(LoadError::SeedDamaged),
    }
}

fn owned_by(mut fields: Fields<'_>) -> Option<(Epoch, PublicKey, PublicKey)> {
    let epoch = Epoch::new(fields.u32()?);
    let (owner, service) = (PublicKey::from_bytes(fields.bytes()?), PublicKey::from_bytes(fields.bytes()?));
    fields.end().map(|()| (epoch, owner, service))
}

/// The content of a header's record.
pub fn header(data: &[u8]) {
    let expected = match data {
        [1..=255, 2, fields @ ..] => owned_by(Fields(fields)).map(Some),
        [1..=255, 1] => Some(None),
        _ => None,
    };
    let door = stands(Cell::Header, data, expected.is_some(), 1);
    let found = door.ownership().map(|Ownership { epoch, owner, service, .. }| (epoch, owner, service));
    assert_eq!(
        found,
        match expected {
            Some(Some(owned)) => Ok(owned),
            Some(None) => Err(LockError::NotProvisioned),
            None => Err(LockError::Damaged),
        }
    );
}

/// The content of the counter's record.
pub fn counter(data: &[u8]) {
    let door = stands(Cell::Counter, data, data.len() == 20, 1);
    assert_eq!(door.ownership().is_ok(), data.len() == 20);
}

/// The content of a slot's record.
pub fn slot(data: &[u8]) {
    let expected = slot_content(data);
    let epoch = 2;
    let door = stands(Cell::Slot(SlotId::new(1)), data, expected.is_some_and(|(of, _)| of <= epoch), epoch);
    let found = door.report(SlotId::new(1));
    assert_eq!(
        found,
        match expected {
            Some((of, report)) if of == epoch => Ok(report),
            Some((of, _)) if of < epoch => Ok(SlotReport { floor: Generation::ZERO, holding: Holding::Inactive }),
            _ => Err(LockError::SlotDamaged),
        }
    );
    assert!(door.report(SlotId::new(0)).is_ok(), "another slot does not work");
}

fn slot_content(data: &[u8]) -> Option<(u32, SlotReport)> {
    let mut fields = Fields(data);
    let (epoch, floor) = (fields.u32()?, Generation::new(fields.u32()?));
    let [tag] = fields.bytes()?;
    let holding = match tag {
        1 => Holding::Inactive,
        2 => Holding::Empty,
        3 => {
            let grant = Digest::from_bytes(fields.bytes()?);
            let device = PublicKey::from_bytes(fields.bytes()?);
            let _pairing: [u8; 32] = fields.bytes()?;
            let [rights] = fields.bytes()?;
            if !(1..=3).contains(&rights) {
                return None;
            }
            crate::limits::slow(&mut fields.0)?;
            let _used = fields.u32()?;
            Holding::Installed { grant, device }
        }
        _ => return None,
    };
    fields.end().map(|()| (epoch, SlotReport { floor, holding }))
}

// --- what the others keep ---

/// What reads is written, and reads the same.
fn kept<T: Serialize + DeserializeOwned + Debug>(data: &[u8]) -> Option<T> {
    let (value, _) = postcard::take_from_bytes::<T>(data).ok()?;
    let written = postcard::to_allocvec(&value).unwrap();
    let again: T = postcard::from_bytes(&written).unwrap();
    assert_eq!(postcard::to_allocvec(&again).unwrap(), written);
    assert_eq!(format!("{again:?}"), format!("{value:?}"));
    Some(value)
}

/// A record that reads works: whatever is sent to it is judged. A lock's, or a slot's that follows one.
pub fn share(data: &[u8]) {
    if let Ok(lock) = LockRecord::from_bytes(data) {
        assert!(SlotRecord::from_bytes(data).is_err(), "both a lock's and a slot's");
        return lock_record(data, lock);
    }
    let Ok(slot) = SlotRecord::from_bytes(data) else {
        // postcard itself does not mind what follows a value.
        let read = postcard::take_from_bytes::<SlotRecord>(data);
        assert!(!matches!(read, Ok((_, []))), "refused, and serde reads it");
        let read = postcard::take_from_bytes::<LockRecord>(data);
        assert!(!matches!(read, Ok((_, []))), "refused, and serde reads it");
        return;
    };
    assert_eq!(SlotRecord::from_bytes(&slot.to_bytes()).as_ref(), Ok(&slot));
    assert_eq!(kept::<SlotRecord>(data).as_ref(), Some(&slot));
    let mut record = joined(&slot);
    assert!(record.version() > 0 && record.is_stored() && record.slot().epoch() == record.epoch());
    assert_eq!(record.grant().is_some(), record.slot().shared().is_some());
    let _ = record.subject();
    let service = Service::new(Symbolic, &sharekey_stage::seed(11)).unwrap();
    let withdrawn = record.evidence().withdrawn();
    assert!(withdrawn.is_none_or(|last| Unverified::<Withdrawn>::parse(last).is_ok()));
    assert!(service.report(&record, data, NOW).is_err(), "nobody asked");
    let before = record.clone();
    let kept = before.evidence();
    let messages = [kept.done(), kept.inspected(), kept.receipt(), kept.withdrawn(), before.grant()];
    let texts: Vec<&[u8]> = messages.into_iter().flatten().chain([before.of_lock().statement(), data]).collect();
    for message in texts {
        // Nothing is stored, so nothing changes.
        let _ = service.take(&mut record, message).map(drop);
        let _ = service.take(&mut record, (message, message)).map(drop);
    }
    assert_eq!(record, before);
}

fn lock_record(data: &[u8], mut lock: LockRecord) {
    assert_eq!(LockRecord::from_bytes(&lock.to_bytes()).as_ref(), Ok(&lock));
    assert_eq!(kept::<LockRecord>(data).as_ref(), Some(&lock));
    let service = Service::new(Symbolic, &sharekey_stage::seed(11)).unwrap();
    let before = lock.clone();
    for statement in [before.statement(), data] {
        if let Ok(staged) = service.reopen(&mut lock, statement) {
            assert!(!staged.writes(), "the same statement changes nothing");
        }
    }
    assert_eq!(lock, before);
}

/// The slot's record under one of its lock that says what it has to.
fn joined(slot: &SlotRecord) -> ShareRecord {
    let ((lock, _), epoch, key) = (slot.place(), slot.epoch(), FORGE.public(&sharekey_stage::seed(11)));
    let card = sharekey::crypto::Tag::from_bytes([0; 16]);
    let slots = sharekey::id::SlotCount::MAX;
    let statement = Provisioned { lock, epoch, owner: key, service: key, slots, card };
    let statement = FORGE.signed(&statement, &sharekey_stage::seed(11));
    let lock = (129_u8, lock, epoch, key, key, slots, slot.follows(), false, statement);
    let lock = postcard::to_allocvec(&lock).unwrap();
    sharekey_stage::rows::joined(slot.place(), &LockRecord::from_bytes(&lock).unwrap(), Some(slot.to_bytes())).unwrap()
}

/// A view that reads works.
pub fn view(data: &[u8]) {
    let Some(mut view) = kept::<OwnedLock>(data) else { return };
    for status in view.statuses() {
        let _ = format!("{status:?}");
    }
    view.equivocations().for_each(|found| match found {
        Equivocation::Release { denial, release, .. } => assert_ne!(denial, release),
        Equivocation::Report { first, second, .. } => assert_ne!(first, second),
    });
    let owner = Owner::new(Symbolic, &sharekey_stage::seed(1)).unwrap();
    let before = view.clone();
    for slot in 0..3 {
        let _ = owner.withdraw(&mut view, SlotId::new(slot)).map(drop);
        let _ = owner.learn(&mut view, data).map(drop);
        if let Ok((_request, pending)) = owner.ask(&view, SlotId::new(slot), NOW, &mut rng(slot.into())) {
            assert!(owner.see(&mut view, pending, data).map(drop).is_err(), "nobody answered");
        }
    }
    assert_eq!(view, before);
}

/// What a guest keeps on the way to its key, and the key.
pub fn guest(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else { return };
    match kind % 4 {
        3 => drop(kept::<Exposed<Keyring>>(data)),
        0 => drop(kept::<Exposed<Claimed>>(data)),
        1 => drop(kept::<Exposed<Installing>>(data)),
        _ => {
            let Some(Exposed(key)) = kept::<Exposed<GuestKey>>(data) else { return };
            let mut choices = Choices::new(data);
            let action = choices.pick(&[sharekey::limits::Action::Open, sharekey::limits::Action::Lock]);
            let challenge = bare(&sharekey::message::Challenge {
                lock: key.lock(),
                nonce: sharekey::crypto::Nonce::from_bytes([1; 16]),
            });
            let (_, awaiting) = key.unlock(&Symbolic, &challenge, action, &mut rng(1)).unwrap();
            assert!(key.check_reply(&Symbolic, &awaiting, data).is_err());
        }
    }
}

/// What an owner keeps beside its views, and a slot alone.
pub fn owner(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else { return };
    match kind % 5 {
        0 => drop(kept::<PendingCommand>(data)),
        1 => drop(kept::<Exposed<PendingProvision>>(data)),
        2 => {
            let Some(book) = kept::<ContactBook>(data) else { return };
            assert!(book.iter().all(|(_, contact)| contact.key().check().is_ok()), "a bad key is pinned");
        }
        3 => drop(kept::<Slot>(data)),
        _ => drop(kept::<Slot<Observer>>(data)),
    }
}
