//! The lock's role: firmware around the lock, with flash that can fail. It makes, boots and asks the lock by its typed
//! calls, and not by `lock::Door`, as a firmware would: a request names the session that it comes in, entropy for each is
//! given, a making can stop at any record, a boot makes nothing, and a write that failed stays so until it is read again.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sharekey::error::LockError;
use sharekey::id::SlotId;
use sharekey::lock::{
    Accepted, Cell, Found, FromPlan, Lock, Making, Now, PhysicalPresence, Record, Session, Store, StoredSeed, purpose,
};
use sharekey::message::Refused;
use sharekey::secret::ActivationSecret;

use super::fail::{Fail, Named, Outcome};
use super::form::{form, hex, key};
use super::request::Request;
use crate::Provider;

/// How many slots the peer's lock has.
pub const SLOTS: usize = 3;

type TestLock = Lock<Provider, SLOTS>;

/// Records by the number of their cell.
type Records = BTreeMap<u16, Vec<u8>>;

/// A flash that can fail.
#[derive(Default)]
struct Flash {
    records: Records,
    /// What it does with what is written now.
    kind: Kind,
    /// What was written since it was asked last.
    written: Records,
}

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

/// What the flash does with a record.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    /// Keeps it.
    #[default]
    Good,
    /// Keeps nothing, and says so.
    Fails,
    /// Keeps it, and says that it failed.
    Lost,
}

impl Store for Flash {
    type Error = Fail;

    fn put(&mut self, record: &Record) -> Result<(), Fail> {
        if self.kind != Kind::Fails {
            self.written.insert(record.cell().key(), record.as_bytes().to_vec());
            self.records.insert(record.cell().key(), record.as_bytes().to_vec());
        }
        if self.kind == Kind::Good { Ok(()) } else { Err(Fail::named("StoreFailed")) }
    }

    fn read<T>(&mut self, cell: Cell, look: impl FnOnce(Found<'_>) -> T) -> T {
        match self.records.get(&cell.key()) {
            Some(bytes) => look(Found::Bytes(bytes)),
            None => look(Found::Nothing),
        }
    }
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

fn kind_of(request: Request<'_>) -> Result<Kind, Fail> {
    match request.get("store").and_then(Value::as_str) {
        None => Ok(Kind::Good),
        Some("fails") => Ok(Kind::Fails),
        Some("lost") => Ok(Kind::Lost),
        Some(other) => Err(Fail::request(format!("no such store: {other}"))),
    }
}

/// Records as they stand in a reply: by the number of the cell.
fn records(records: &Records) -> Value {
    records.iter().map(|(cell, bytes)| (cell.to_string(), hex(bytes))).collect::<serde_json::Map<_, _>>().into()
}

/// Commits; gives the result, and the records that were written.
fn commit<T: FromPlan>(staged: Accepted<'_, T>, flash: &mut Flash) -> Result<(T, Value), Fail> {
    let result = staged.commit(|record| flash.put(record));
    let written = std::mem::take(&mut flash.written);
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
        let mut flash =
            Flash { records: old.map(|old| old.flash.records.clone()).unwrap_or_default(), ..Flash::default() };
        let (mut entropy, secret) = (request.entropy()?, ActivationSecret::from_bytes(card));
        let making = flash.read(Cell::Seed, |found| Making::<_, SLOTS>::new(Provider, secret, found, &mut entropy));
        let mut making = making.named()?;
        let writes = request.get("writes").map(|_| request.number("writes")).transpose()?.unwrap_or(u64::MAX);
        let mut written = Vec::new();
        while let Some(record) = making.record().named()?.filter(|_| (written.len() as u64) < writes) {
            flash.put(&record)?;
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
        let mut flash = Flash::default();
        for (cell, bytes) in request.get("records").and_then(Value::as_object).into_iter().flatten() {
            let cell = cell.parse().map_err(|_| Fail::request("no such cell"))?;
            let bytes = bytes.as_str().and_then(super::request::unhex);
            flash.records.insert(cell, bytes.ok_or_else(|| Fail::request("a record is not hexadecimal"))?);
        }
        let card = request.array("card")?;
        let mut door = Self { card, flash, lock: None, sessions: BTreeMap::new(), next_session: 0 };
        let reply = door.reboot(&[])?;
        Ok((door, reply))
    }

    fn reboot(&mut self, unread: &[u16]) -> Outcome {
        (self.lock, self.sessions) = (None, BTreeMap::new());
        let seed = self.flash.read(Cell::Seed, |found| StoredSeed::read(&Provider, found)).named()?;
        let mut lock = TestLock::load(Provider, ActivationSecret::from_bytes(self.card), &seed).named()?;
        for cell in cells().filter(|cell| !unread.contains(&cell.key())) {
            self.flash.read(cell, |found| lock.reload(cell, found)).named()?;
        }
        let id = key(lock.id().key());
        self.lock = Some(lock);
        Ok(json!({ "lock": id }))
    }

    pub fn handle(&mut self, op: &str, request: Request<'_>) -> Outcome {
        match op {
            "reboot" => {
                let unread = request.get("unread").and_then(Value::as_array).into_iter().flatten();
                let unread = unread.map(|cell| cell.as_u64().and_then(|cell| u16::try_from(cell).ok()));
                let unread: Option<Vec<u16>> = unread.collect();
                self.reboot(&unread.ok_or_else(|| Fail::request("no such cell"))?)
            }
            "complete" => self.complete(request),
            "challenge" => self.challenge(request),
            "install" => self.install(request),
            "unlock" => self.unlock(request),
            "command" => self.command(request),
            "provision" => self.provision(request),
            "reset" => self.reset(request),
            "reload" => self.reload(request),
            "damage" => self.damage(request),
            "records" => Ok(json!({ "records": records(&self.flash.records) })),
            "status" => self.status(request),
            other => Err(Fail::request(format!("a lock has no op {other}"))),
        }
    }

    fn lock(&mut self) -> Result<&mut TestLock, Fail> {
        self.lock.as_mut().ok_or_else(|| Fail::named("NotMade"))
    }

    /// When it is asked; what is written for it from here on, the flash treats so.
    fn now(&mut self, request: Request<'_>) -> Result<Now, Fail> {
        (self.flash.kind, self.flash.written) = (kind_of(request)?, Records::new());
        request.now()
    }

    fn challenge(&mut self, request: Request<'_>) -> Outcome {
        let install = match request.text("purpose")? {
            "Install" => true,
            "Operate" => false,
            other => return Err(Fail::request(format!("no such purpose: {other}"))),
        };
        let (now, mut entropy) = (self.now(request)?, request.entropy()?);
        let (challenge, open, written) = if install {
            let staged = self.lock.as_mut().ok_or_else(not_made)?.challenge(now, &mut entropy).named()?;
            let (given, written) = commit(staged, &mut self.flash)?;
            (given.challenge, Open::Install(given.session), written)
        } else {
            let staged = self.lock.as_mut().ok_or_else(not_made)?.challenge(now, &mut entropy).named()?;
            let (given, written) = commit(staged, &mut self.flash)?;
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
        let (message, now) = (request.bytes("message")?, self.now(request)?);
        let mut entropy = request.entropy()?;
        let lock = self.lock.as_mut().ok_or_else(not_made)?;
        let staged = lock.install(session, &message, now, &mut entropy).map_err(|refusal| Fail::refused(&refusal))?;
        let (done, written) = commit(staged, &mut self.flash)?;
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
        let (message, now) = (request.bytes("message")?, self.now(request)?);
        let staged = self.lock.as_mut().ok_or_else(not_made)?.unlock(session, &message, now);
        let (done, written) = commit(staged.map_err(|refusal| Fail::refused(&refusal))?, &mut self.flash)?;
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
        let (message, now) = (request.bytes("message")?, self.now(request)?);
        let staged = self.lock.as_mut().ok_or_else(not_made)?.command(session, &message, now);
        let (done, written) = commit(staged.map_err(|refusal| Fail::refused(&refusal))?, &mut self.flash)?;
        Ok(json!({ "answer": hex(&done.done), "operation": form(&done.operation), "written": written }))
    }

    fn provision(&mut self, request: Request<'_>) -> Outcome {
        let session = self.operate(request)?;
        let (message, now) = (request.bytes("message")?, self.now(request)?);
        let staged = self.lock.as_mut().ok_or_else(not_made)?.provision(session, &message, now);
        let (done, written) = commit(staged.map_err(|refusal| Fail::refused(&refusal))?, &mut self.flash)?;
        Ok(json!({ "answer": hex(&done.provisioned), "written": written }))
    }

    fn reset(&mut self, request: Request<'_>) -> Outcome {
        if !request.flag("presence") {
            // Without the button there is no call to make.
            return Err(Fail { answer: Some(Refused::OPAQUE.to_vec()), ..Fail::named("NoPresence") });
        }
        let session = self.operate(request)?;
        let (message, now) = (request.bytes("message")?, self.now(request)?);
        let (mut entropy, presence) = (request.entropy()?, PhysicalPresence::button_is_pressed());
        let lock = self.lock.as_mut().ok_or_else(not_made)?;
        let staged = lock.factory_reset(session, &message, presence, now, &mut entropy);
        let (_, written) = commit(staged.map_err(|refusal| Fail::refused(&refusal))?, &mut self.flash)?;
        check_entropy(entropy.ran_short())?;
        Ok(json!({ "written": written }))
    }

    /// Writes what the flash lacks, up to so many records.
    fn complete(&mut self, request: Request<'_>) -> Outcome {
        let writes = request.get("writes").map(|_| request.number("writes")).transpose()?.unwrap_or(u64::MAX);
        let lock = self.lock.as_mut().ok_or_else(not_made)?;
        (self.flash.kind, self.flash.written) = (kind_of(request)?, Records::new());
        let mut written = Vec::new();
        while (written.len() as u64) < writes
            && let Some(accepted) = lock.complete().named()?
        {
            accepted.commit(|record| {
                written.push(json!({ "cell": record.cell().key(), "bytes": hex(record.as_bytes()) }));
                self.flash.put(record)
            })?;
        }
        Ok(json!({ "written": written }))
    }

    /// Reads one cell again, as it is on flash.
    fn reload(&mut self, request: Request<'_>) -> Outcome {
        let cell = cell_of(request.number("cell")?)?;
        let lock = self.lock.as_mut().ok_or_else(not_made)?;
        self.flash.read(cell, |found| lock.reload(cell, found)).named()?;
        Ok(json!({}))
    }

    /// Writes to the flash behind the lock's back; without bytes, erases.
    fn damage(&mut self, request: Request<'_>) -> Outcome {
        let cell = cell_of(request.number("cell")?)?.key();
        match request.optional_bytes("bytes")? {
            Some(bytes) => self.flash.records.insert(cell, bytes),
            None => self.flash.records.remove(&cell),
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
