//! The service's role: one record per lock and slot.

use std::collections::BTreeMap;
use std::convert::Infallible;

use serde_json::{Value, json};
use sharekey::id::{LockId, SlotId};
use sharekey::secret::Seed;
use sharekey::service::{Service, ShareRecord, place_of};

use super::fail::{Fail, Named, Outcome};
use super::form::{hex, key};
use super::owner::store;
use super::request::Request;
use crate::Provider;

pub struct Cloud {
    service: Service<Provider>,
    records: BTreeMap<(LockId, SlotId), ShareRecord>,
}

impl Cloud {
    pub fn make(request: Request<'_>) -> Result<(Self, Value), Fail> {
        let service = Service::new(Provider, &Seed::from_bytes(request.array("seed")?)).named()?;
        let reply = json!({ "key": key(service.key()) });
        Ok((Self { service, records: BTreeMap::new() }, reply))
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

    fn record(&mut self, request: Request<'_>) -> Result<(&Service<Provider>, &mut ShareRecord), Fail> {
        let place = (LockId::new(request.key("lock")?), request.slot()?);
        let record = self.records.get_mut(&place).ok_or_else(|| Fail::request("no such record"))?;
        Ok((&self.service, record))
    }

    fn open(&mut self, request: Request<'_>) -> Outcome {
        let new = self.service.open(&request.bytes("statement")?, request.slot()?).named()?;
        let Ok(record) = new.put_new(|_| Ok::<(), Infallible>(()));
        let reply = json!({ "lock": key(record.lock().key()), "version": record.version() });
        self.records.insert(record.place(), record);
        Ok(reply)
    }

    /// A request is for one kind of message, as the text's tables are: another is refused as the call for that kind does.
    fn take(&mut self, op: &str, request: Request<'_>) -> Outcome {
        let message = if op == "reopen" { "statement" } else { "message" };
        let (service, record) = self.record(request)?;
        let staged = match op {
            "release" => service.release(record, &request.bytes("claim")?, &request.bytes("install")?),
            "reopen" => service.reopen(record, &request.bytes(message)?),
            "publish" => service.publish(record, &request.bytes(message)?),
            "withdraw" => service.withdraw(record, &request.bytes(message)?),
            "confirm" => service.confirm(record, &request.bytes(message)?),
            _ => service.done(record, &request.bytes(message)?),
        };
        let answer = store(staged.named()?).answer().named()?;
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
        let found = self.records.values().find(|record| record.subject() == Some(subject));
        let found = found.and_then(|record| Some((record, record.grant()?)));
        let (record, grant) = found.ok_or_else(|| Fail::request("nothing is shared with this subject"))?;
        Ok(json!({ "lock": key(record.lock().key()), "slot": record.slot_id().index(), "grant": hex(grant) }))
    }

    fn report(&mut self, request: Request<'_>) -> Outcome {
        let (message, time) = (request.bytes("message")?, request.time("time")?);
        let (service, record) = self.record(request)?;
        Ok(json!({ "answer": hex(service.report(record, &message, time).named()?) }))
    }

    fn state(&mut self, request: Request<'_>) -> Outcome {
        let (service, record) = self.record(request)?;
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
            "standing": if service.serves(record) { "Serving" } else { "Moved" },
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
