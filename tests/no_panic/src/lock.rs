//! What the lock's firmware calls: boot, challenge, and every operation, written and reported.

use core::hint::black_box;

use no_panic::no_panic;
use sharekey::error::{LoadError, LockError, ProviderFailed, SealError};
use sharekey::lock::{
    Cell, Found, Lock, Making, Now, PhysicalPresence, Record, Session, Step, StoredSeed,
    purpose::{Install, Operate},
};
use sharekey::secret::ActivationSecret;

use crate::provider::Opaque;

pub type Door = Lock<Opaque, 10>;
pub type Made = Making<Opaque, 10>;

/// A store that fails when it likes.
fn put(record: &Record) -> Result<(), ()> {
    black_box(record.as_bytes());
    black_box(Ok(()))
}

#[no_panic]
#[inline(never)]
pub fn make(card: [u8; 16], found: &[u8]) -> Result<Made, ProviderFailed> {
    Making::new(Opaque, ActivationSecret::from_bytes(card), Found::Bytes(found), &mut Opaque)
}

#[no_panic]
#[inline(never)]
pub fn make_record(making: &Made) -> Result<Option<Record>, SealError> {
    making.record()
}

#[no_panic]
#[inline(never)]
pub fn read_seed(found: &[u8]) -> Result<StoredSeed, LoadError> {
    StoredSeed::read(&Opaque, Found::Bytes(found))
}

#[no_panic]
#[inline(never)]
pub fn load(card: [u8; 16], seed: &StoredSeed) -> Result<Door, ProviderFailed> {
    Lock::load(Opaque, ActivationSecret::from_bytes(card), seed)
}

#[no_panic]
#[inline(never)]
pub fn reload(lock: &mut Door, cell: Cell, stored: &[u8]) -> Result<(), LockError> {
    lock.reload(cell, Found::Bytes(stored))
}

#[no_panic]
#[inline(never)]
pub fn challenge_install(lock: &mut Door, now: Now) -> Option<Session<Install>> {
    lock.challenge(now, &mut Opaque).ok()?.commit(put).ok().map(|given| given.session)
}

#[no_panic]
#[inline(never)]
pub fn challenge_operate(lock: &mut Door, now: Now) -> Option<Session<Operate>> {
    lock.challenge(now, &mut Opaque).ok()?.commit(put).ok().map(|given| given.session)
}

/// The answer to a request: of a refusal or of a result, its length.
macro_rules! answer {
    ($staged:expr, $answer:ident) => {
        match $staged {
            Ok(staged) => staged.commit(put).map_or(0, |output| output.$answer.len()),
            Err(refusal) => black_box(refusal.answer()).len(),
        }
    };
}

#[no_panic]
#[inline(never)]
pub fn install(lock: &mut Door, session: Session<Install>, bundle: &[u8], now: Now) -> usize {
    answer!(lock.install(session, bundle, now, &mut Opaque), receipt)
}

#[no_panic]
#[inline(never)]
pub fn unlock(lock: &mut Door, session: Session<Operate>, unlock: &[u8], now: Now) -> usize {
    answer!(lock.unlock(session, unlock, now), reply)
}

#[no_panic]
#[inline(never)]
pub fn command(lock: &mut Door, session: Session<Operate>, command: &[u8], now: Now) -> usize {
    answer!(lock.command(session, command, now), done)
}

#[no_panic]
#[inline(never)]
pub fn provision(lock: &mut Door, session: Session<Operate>, provision: &[u8], now: Now) -> usize {
    answer!(lock.provision(session, provision, now), provisioned)
}

#[no_panic]
#[inline(never)]
pub fn factory_reset(lock: &mut Door, session: Session<Operate>, reset: &[u8], now: Now) -> usize {
    let presence = PhysicalPresence::button_is_pressed();
    match lock.factory_reset(session, reset, presence, now, &mut Opaque) {
        Ok(staged) => staged.commit(put).map_or(0, |_erased| 1),
        Err(refusal) => black_box(refusal.answer()).len(),
    }
}

/// Any frame.
#[no_panic]
#[inline(never)]
pub fn step(lock: &mut Door, frame: &[u8], now: Now) -> usize {
    let staged = match lock.step(frame, now, Some(PhysicalPresence::button_is_pressed()), &mut Opaque) {
        Step::Served(served) => return served.answer().len(),
        Step::Write(staged) => staged,
        Step::SetClock(setting) => setting.is_set(),
    };
    staged.commit(put).map_or(0, |served| served.answer().len())
}

/// An operation taken off the lock, and reported later.
#[no_panic]
#[inline(never)]
pub fn unlock_detached(lock: &mut Door, session: Session<Operate>, unlock: &[u8], now: Now) -> bool {
    let Ok(staged) = lock.unlock(session, unlock, now) else { return false };
    let (record, pending) = staged.detach();
    match record {
        Some(record) if put(&record).is_err() => lock.abandon(pending).is_ok(),
        _ => lock.written(pending).is_ok(),
    }
}
