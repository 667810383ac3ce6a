//! The lock's role: firmware around the lock, with flash that can fail. It makes, boots and asks the lock itself, and not
//! through the tests' stage: a peer stands on the library alone, and its making can stop at any record.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sharekey::error::LockError;
use sharekey::id::SlotId;
use sharekey::lock::{Cell, Found, Lock, Making, PhysicalPresence, Record, Session, Staged, StoredSeed, purpose};
use sharekey::message::Refused;
use sharekey::secret::ActivationSecret;

use super::fail::{Fail, Named, Outcome};
use super::form::{form, hex, key};
use super::request::Request;
use crate::Provider;

/// How many slots the peer's lock has.
pub const SLOTS: usize = 3;

type TestLock = Lock<Provider, SLOTS>;
type Flash = BTreeMap<u16, Vec<u8>>;

/// One lock and what is around it.
pub struct Door {
    card: [u8; 16],
    flash: Flash,
    lock: Option<TestLock>,
    sessions: BTreeMap<u64, Open>,
    next_session: u64,
}

enum Open {
    Install(Session<purpose::Install>),
    Operate(Session<purpose::Operate>),
}

/// What the store does with a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Store {
    /// Keeps it.
    Good,
    /// Keeps nothing, and says so.
    Fails,
    /// Keeps it, and says that it failed.
    Lost,
}

pub fn cell_of(key: u64) -> Result<Cell, Fail> {
    match key {
        0 => Ok(Cell::Seed),
        1 => Ok(Cell::Header),
        2 => Ok(Cell::Counter),
        _ => u8::try_from(key - 3).map(|slot| Cell::Slot(SlotId::new(slot))).map_err(|_| Fail::request("no such cell")),
    }
}

fn cells() -> impl Iterator<Item = Cell> {
    TestLock::cells()
}

fn store_of(request: Request<'_>) -> Result<Store, Fail> {
    match request.get("store").and_then(Value::as_str) {
        None => Ok(Store::Good),
        Some("fails") => Ok(Store::Fails),
        Some("lost") => Ok(Store::Lost),
        Some(other) => Err(Fail::request(format!("no such store: {other}"))),
    }
}

/// Records as they stand in a reply: by the number of the cell.
fn records(flash: &Flash) -> Value {
    flash.iter().map(|(cell, bytes)| (cell.to_string(), hex(bytes))).collect::<serde_json::Map<_, _>>().into()
}

/// Commits; gives the result, and the records that were written.
fn commit<T>(staged: Staged<'_, T>, flash: &mut Flash, store: Store) -> Result<(T, Value), Fail> {
    let mut written = Flash::new();
    let put = |record: &Record| {
        if store != Store::Fails {
            written.insert(record.cell().key(), record.as_bytes().to_vec());
        }
        if store == Store::Good { Ok(()) } else { Err(Fail::named("StoreFailed")) }
    };
    let result = staged.commit(put);
    flash.extend(written.clone());
    result.map(|output| (output, records(&written)))
}

fn superseded() -> Fail {
    Fail { answer: Some(Refused::OPAQUE.to_vec()), ..Fail::of(&LockError::SessionSuperseded) }
}

impl Door {
    /// Makes a lock, in the place of `old` where there is one.
    pub fn make(old: Option<&Self>, request: Request<'_>) -> Result<(Self, Value), Fail> {
        let card = match old {
            Some(old) if request.get("card").is_none() => old.card,
            _ => request.array("card")?,
        };
        let mut flash = old.map(|old| old.flash.clone()).unwrap_or_default();
        let found = flash.get(&0).cloned();
        let found = found.as_deref().map_or(Found::Nothing, Found::Bytes);
        let mut entropy = request.entropy()?;
        let mut making =
            Making::<Provider, SLOTS>::new(Provider, ActivationSecret::from_bytes(card), found, &mut entropy)
                .named()?;
        let writes = request.get("writes").map(|_| request.number("writes")).transpose()?.unwrap_or(u64::MAX);
        let mut written = Vec::new();
        while let Some(record) = making.record().named()?.filter(|_| (written.len() as u64) < writes) {
            flash.insert(record.cell().key(), record.as_bytes().to_vec());
            written.push(json!({ "cell": record.cell().key(), "bytes": hex(record.as_bytes()) }));
            making.written();
        }
        check_entropy(entropy.ran_short())?;
        let lock = making.finish().ok();
        let id = lock.as_ref().map(|lock| key(lock.id().key()));
        let door = Self { card, flash, lock, sessions: BTreeMap::new(), next_session: 0 };
        Ok((door, json!({ "lock": id, "written": written })))
    }

    /// A lock that boots with these records.
    pub fn load(request: Request<'_>) -> Result<(Self, Value), Fail> {
        let mut flash = Flash::new();
        for (cell, bytes) in request.get("records").and_then(Value::as_object).into_iter().flatten() {
            let cell = cell.parse().map_err(|_| Fail::request("no such cell"))?;
            let bytes = bytes.as_str().and_then(super::request::unhex);
            flash.insert(cell, bytes.ok_or_else(|| Fail::request("a record is not hexadecimal"))?);
        }
        let card = request.array("card")?;
        let mut door = Self { card, flash, lock: None, sessions: BTreeMap::new(), next_session: 0 };
        let reply = door.reboot()?;
        Ok((door, reply))
    }

    fn reboot(&mut self) -> Outcome {
        (self.lock, self.sessions) = (None, BTreeMap::new());
        let found = self.flash.get(&0).map_or(Found::Nothing, |bytes| Found::Bytes(bytes));
        let seed = StoredSeed::read(found).named()?;
        let mut lock = TestLock::load(Provider, ActivationSecret::from_bytes(self.card), &seed).named()?;
        for cell in cells() {
            lock.reload(cell, self.flash.get(&cell.key()).map(Vec::as_slice)).named()?;
        }
        let id = key(lock.id().key());
        self.lock = Some(lock);
        Ok(json!({ "lock": id }))
    }

    pub fn handle(&mut self, op: &str, request: Request<'_>) -> Outcome {
        match op {
            "reboot" => self.reboot(),
            "challenge" => self.challenge(request),
            "install" => self.install(request),
            "unlock" => self.unlock(request),
            "command" => self.command(request),
            "provision" => self.provision(request),
            "reset" => self.reset(request),
            "reload" => self.reload(request),
            "damage" => self.damage(request),
            "records" => Ok(json!({ "records": records(&self.flash) })),
            "status" => self.status(request),
            other => Err(Fail::request(format!("a lock has no op {other}"))),
        }
    }

    fn lock(&mut self) -> Result<&mut TestLock, Fail> {
        self.lock.as_mut().ok_or_else(|| Fail::named("NotMade"))
    }

    fn challenge(&mut self, request: Request<'_>) -> Outcome {
        let install = match request.text("purpose")? {
            "Install" => true,
            "Operate" => false,
            other => return Err(Fail::request(format!("no such purpose: {other}"))),
        };
        let (now, store, mut entropy) = (request.now()?, store_of(request)?, request.entropy()?);
        let (challenge, open, written) = if install {
            let staged = self.lock.as_mut().ok_or_else(not_made)?.challenge(now, &mut entropy).named()?;
            let (given, written) = commit(staged, &mut self.flash, store)?;
            (given.challenge, Open::Install(given.session), written)
        } else {
            let staged = self.lock.as_mut().ok_or_else(not_made)?.challenge(now, &mut entropy).named()?;
            let (given, written) = commit(staged, &mut self.flash, store)?;
            (given.challenge, Open::Operate(given.session), written)
        };
        check_entropy(entropy.ran_short())?;
        self.next_session += 1;
        self.sessions.insert(self.next_session, open);
        Ok(json!({ "challenge": hex(&challenge), "session": self.next_session, "written": written }))
    }

    fn operate(&mut self, request: Request<'_>) -> Result<Session<purpose::Operate>, Fail> {
        match self.sessions.remove(&request.number("session")?) {
            Some(Open::Operate(session)) => Ok(session),
            Some(Open::Install(_)) | None => Err(superseded()),
        }
    }

    fn install(&mut self, request: Request<'_>) -> Outcome {
        let Some(Open::Install(session)) = self.sessions.remove(&request.number("session")?) else {
            return Err(superseded());
        };
        let (message, now, store) = (request.bytes("message")?, request.now()?, store_of(request)?);
        let mut entropy = request.entropy()?;
        let lock = self.lock.as_mut().ok_or_else(not_made)?;
        let staged = lock.install(session, &message, now, &mut entropy).map_err(|refusal| Fail::refused(&refusal))?;
        let (done, written) = commit(staged, &mut self.flash, store)?;
        check_entropy(entropy.ran_short())?;
        Ok(json!({
            "answer": hex(&done.receipt),
            "slot": done.slot.index(),
            "generation": done.generation.value(),
            "device": key(&done.device),
            "written": written,
        }))
    }

    fn unlock(&mut self, request: Request<'_>) -> Outcome {
        let session = self.operate(request)?;
        let (message, now, store) = (request.bytes("message")?, request.now()?, store_of(request)?);
        let staged = self.lock.as_mut().ok_or_else(not_made)?.unlock(session, &message, now);
        let (done, written) = commit(staged.map_err(|refusal| Fail::refused(&refusal))?, &mut self.flash, store)?;
        Ok(json!({
            "answer": hex(&done.reply),
            "bolt": format!("{:?}", done.action),
            "slot": done.slot.index(),
            "generation": done.generation.value(),
            "device": key(&done.device),
            "written": written,
        }))
    }

    fn command(&mut self, request: Request<'_>) -> Outcome {
        let session = self.operate(request)?;
        let (message, now, store) = (request.bytes("message")?, request.now()?, store_of(request)?);
        let staged = self.lock.as_mut().ok_or_else(not_made)?.command(session, &message, now);
        let (done, written) = commit(staged.map_err(|refusal| Fail::refused(&refusal))?, &mut self.flash, store)?;
        Ok(json!({ "answer": hex(&done.done), "operation": form(&done.operation), "written": written }))
    }

    fn provision(&mut self, request: Request<'_>) -> Outcome {
        let session = self.operate(request)?;
        let (message, now, store) = (request.bytes("message")?, request.now()?, store_of(request)?);
        let staged = self.lock.as_mut().ok_or_else(not_made)?.provision(session, &message, now);
        let (done, written) = commit(staged.map_err(|refusal| Fail::refused(&refusal))?, &mut self.flash, store)?;
        Ok(json!({ "answer": hex(&done.provisioned), "written": written }))
    }

    fn reset(&mut self, request: Request<'_>) -> Outcome {
        if !request.flag("presence") {
            // Without the button there is no call to make.
            return Err(Fail { answer: Some(Refused::OPAQUE.to_vec()), ..Fail::named("NoPresence") });
        }
        let session = self.operate(request)?;
        let (message, now, store) = (request.bytes("message")?, request.now()?, store_of(request)?);
        let (mut entropy, presence) = (request.entropy()?, PhysicalPresence::button_is_pressed());
        let lock = self.lock.as_mut().ok_or_else(not_made)?;
        let staged = lock.factory_reset(session, &message, presence, now, &mut entropy);
        let (_, written) = commit(staged.map_err(|refusal| Fail::refused(&refusal))?, &mut self.flash, store)?;
        check_entropy(entropy.ran_short())?;
        Ok(json!({ "written": written }))
    }

    /// Reads one cell again, as it is on flash.
    fn reload(&mut self, request: Request<'_>) -> Outcome {
        let cell = cell_of(request.number("cell")?)?;
        let stored = self.flash.get(&cell.key()).cloned();
        self.lock()?.reload(cell, stored.as_deref()).named()?;
        Ok(json!({}))
    }

    /// Writes to the flash behind the lock's back; without bytes, erases.
    fn damage(&mut self, request: Request<'_>) -> Outcome {
        let cell = cell_of(request.number("cell")?)?.key();
        match request.optional_bytes("bytes")? {
            Some(bytes) => self.flash.insert(cell, bytes),
            None => self.flash.remove(&cell),
        };
        Ok(json!({}))
    }

    /// Whose the lock is, and how each cell stands and what each slot holds.
    fn status(&mut self, _: Request<'_>) -> Outcome {
        let lock = self.lock()?;
        let owned = match lock.ownership() {
            Ok(owned) => {
                json!({ "epoch": owned.epoch.value(), "owner": key(&owned.owner), "service": key(&owned.service) })
            }
            Err(error) => json!(super::fail::error_name(&error)),
        };
        let conditions = cells().map(|cell| {
            let condition =
                lock.condition(cell).map_or_else(|error| Fail::of(&error).name, |found| format!("{found:?}"));
            (cell.key().to_string(), condition.into())
        });
        let conditions: serde_json::Map<String, Value> = conditions.collect();
        let slots = (0..SLOTS).map(|slot| match lock.report(SlotId::new(slot as u8)) {
            Ok(found) => form(&found),
            Err(error) => json!(super::fail::error_name(&error)),
        });
        Ok(json!({
            "lock": key(lock.id().key()),
            "ownership": owned,
            "cells": conditions.clone(),
            "slots": slots.collect::<Vec<_>>(),
        }))
    }
}

fn not_made() -> Fail {
    Fail::named("NotMade")
}

/// Entropy that ran out makes a reply that nobody can make again.
pub fn check_entropy(ran_short: bool) -> Result<(), Fail> {
    if ran_short { Err(Fail::request("too little entropy was given")) } else { Ok(()) }
}
