//! The service's role: one record per lock, and one per slot.

use std::collections::BTreeMap;
use std::convert::Infallible;

use serde_json::{Value, json};
use sharekey::error::ServiceError;
use sharekey::id::{LockId, SlotId};
use sharekey::secret::Seed;
use sharekey::service::{Key, LockRecord, Place, Service, ShareRecord, place_of};

use super::fail::{Fail, Named, Outcome};
use super::form::{hex, key};
use super::owner::store;
use super::request::Request;
use crate::Provider;

pub struct Cloud {
    service: Service<Provider>,
    rows: BTreeMap<Key, Vec<u8>>,
}

impl Cloud {
    pub fn make(request: Request<'_>) -> Result<(Self, Value), Fail> {
        let service = Service::new(Provider, &Seed::from_bytes(request.array("seed")?)).named()?;
        let reply = json!({ "key": key(service.key()) });
        Ok((Self { service, rows: BTreeMap::new() }, reply))
    }

    pub fn handle(&mut self, op: &str, request: Request<'_>) -> Outcome {
        match op {
            "open" => self.open(request),
            "find" => self.find(request),
            "reopen" | "publish" | "withdraw" | "release" | "confirm" | "done" => self.take(op, request),
            "report" => self.report(request),
            "place" => place(request),
            "state" => self.state(request),
            other => Err(Fail::request(format!("a service has no op {other}"))),
        }
    }

    /// The record of the slot that is named; there is one where the lock has one.
    fn record(&self, request: Request<'_>) -> Result<ShareRecord, Fail> {
        let place = (LockId::new(request.key("lock")?), request.slot()?);
        if !self.rows.contains_key(&(place.0, None)) {
            return Err(Fail::request("no such record"));
        }
        self.load(place)
    }

    fn load(&self, place: Place) -> Result<ShareRecord, Fail> {
        ShareRecord::load::<ServiceError>(place, |key| Ok(self.rows.get(&key).cloned())).named()
    }

    fn put(&mut self, record: &ShareRecord) {
        let (lock, slot) = record.place();
        self.rows.insert((lock, Some(slot)), record.of_slot().to_bytes());
    }

    /// A lock that is new says whose it is; and one that is known, again or anew.
    fn open(&mut self, request: Request<'_>) -> Outcome {
        let (statement, slot) = (request.bytes("statement")?, request.slot()?);
        let known = place_of(&statement).ok().filter(|(lock, _)| self.rows.contains_key(&(*lock, None)));
        let lock = match known {
            Some((lock, _)) => lock,
            None => {
                let Ok(record) = self.service.open(&statement).named()?.put_new(|_| Ok::<(), Infallible>(()));
                self.rows.insert((record.lock(), None), record.to_bytes());
                record.lock()
            }
        };
        let version = self.told((lock, slot), &statement)?;
        Ok(json!({ "lock": key(lock.key()), "version": version }))
    }

    /// The lock's record takes a statement in, and the slot's is brought along; gives its version.
    fn told(&mut self, place: Place, statement: &[u8]) -> Result<u64, Fail> {
        let mut lock: LockRecord = self.load(place)?.of_lock().clone();
        store(self.service.reopen(&mut lock, statement).named()?).answer().named()?;
        self.rows.insert((place.0, None), lock.to_bytes());
        let mut record = self.load(place)?;
        store(self.service.bring_along(&mut record).named()?).answer().named()?;
        self.put(&record);
        Ok(record.version())
    }

    /// A request is for one kind of message, as the text's tables are: another is refused as the call for that kind does.
    fn take(&mut self, op: &str, request: Request<'_>) -> Outcome {
        let mut record = self.record(request)?;
        if op == "reopen" {
            let version = self.told(record.place(), &request.bytes("statement")?)?;
            return Ok(json!({ "version": version }));
        }
        let (service, message) = (&self.service, if op == "release" { "claim" } else { "message" });
        let message = request.bytes(message)?;
        let staged = match op {
            "release" => service.release(&mut record, &message, &request.bytes("install")?),
            "publish" => service.publish(&mut record, &message),
            "withdraw" => service.withdraw(&mut record, &message),
            "confirm" => service.confirm(&mut record, &message),
            _ => service.done(&mut record, &message),
        };
        let answer = store(staged.named()?).answer();
        self.put(&record);
        let answer = answer.named()?;
        let mut reply = json!({ "version": record.version() });
        match op {
            "withdraw" | "release" => reply["message"] = hex(answer),
            "confirm" | "done" => reply["state"] = format!("{:?}", record.slot().state()).into(),
            _ => {}
        }
        Ok(reply)
    }

    fn find(&self, request: Request<'_>) -> Outcome {
        let subject = self.service.find(&request.bytes("message")?, request.time("time")?).named()?;
        let slots = self.rows.keys().filter_map(|(lock, slot)| Some((*lock, (*slot)?)));
        for record in slots.map(|place| self.load(place)) {
            let record = record?;
            if let (Some(grant), true) = (record.grant(), record.subject() == Some(subject)) {
                let (lock, slot) = (key(record.lock().key()), record.slot_id().index());
                return Ok(json!({ "lock": lock, "slot": slot, "grant": hex(grant) }));
            }
        }
        Err(Fail::request("nothing is shared with this subject"))
    }

    fn report(&mut self, request: Request<'_>) -> Outcome {
        let (message, time) = (request.bytes("message")?, request.time("time")?);
        let mut record = self.record(request)?;
        let answer = store(self.service.take(&mut record, (&message, time)).named()?).answer().named()?;
        self.put(&record);
        Ok(json!({ "answer": hex(answer) }))
    }

    fn state(&mut self, request: Request<'_>) -> Outcome {
        let record = self.record(request)?;
        let slot = record.slot();
        let live = slot.may_open().iter().map(|live| {
            json!({
                "generation": live.key().generation.value(),
                "grant": hex(live.key().grant.as_bytes()),
                "confirmed": live.confirmation().map(|proof| key(&proof.device)),
            })
        });
        Ok(json!({
            "version": record.version(),
            "epoch": record.epoch().value(),
            "standing": if self.service.serves(&record) { "Serving" } else { "Moved" },
            "state": format!("{:?}", slot.state()),
            "downloaded": slot.is_downloaded(),
            "highest": slot.highest().value(),
            "floor": slot.floor().value(),
            "last_told": slot.last_told().value(),
            "shared": slot.shared().map(|shared| hex(shared.grant.as_bytes())),
            "device": slot.device().map(|device| key(&device)),
            "live": live.collect::<Vec<_>>(),
        }))
    }
}

/// Which record a message is for.
fn place(request: Request<'_>) -> Outcome {
    let (lock, slot) = place_of(&request.bytes("message")?).named()?;
    Ok(json!({ "lock": key(lock.key()), "slot": slot.map(SlotId::index) }))
}
