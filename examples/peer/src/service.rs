//! The service's role: one record per lock and slot.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sharekey::crypto::PublicKey;
use sharekey::id::{LockId, SlotId};
use sharekey::secret::Seed;
use sharekey::service::{Service, ShareRecord, Standing, place_of};

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
            "reopen" => self.reopen(request),
            "publish" => self.publish(request),
            "withdraw" => self.withdraw(request),
            "find" => self.find(&request.key("subject")?),
            "release" => self.release(request),
            "confirm" | "done" => self.prove(op, request),
            "messages" => self.messages(request),
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
        let record = self.service.open(&request.bytes("statement")?, request.slot()?).named()?;
        let reply = json!({ "lock": key(record.lock().key()), "version": record.version() });
        self.records.insert((record.lock(), record.slot_id()), record);
        Ok(reply)
    }

    fn reopen(&mut self, request: Request<'_>) -> Outcome {
        let (service, record) = self.record(request)?;
        store(service.reopen(record, &request.bytes("statement")?).named()?);
        Ok(json!({ "version": record.version() }))
    }

    fn publish(&mut self, request: Request<'_>) -> Outcome {
        let (service, record) = self.record(request)?;
        store(service.publish(record, &request.bytes("message")?).named()?).named()?;
        Ok(json!({ "version": record.version() }))
    }

    fn withdraw(&mut self, request: Request<'_>) -> Outcome {
        let (service, record) = self.record(request)?;
        let answer = store(service.withdraw(record, &request.bytes("message")?).named()?);
        Ok(json!({ "message": hex(&answer), "version": record.version() }))
    }

    fn find(&self, subject: &PublicKey) -> Outcome {
        let found = self.records.values().find(|record| record.subject() == Some(*subject));
        let found = found.and_then(|record| Some((record, record.grant()?)));
        let (record, grant) = found.ok_or_else(|| Fail::request("nothing is shared with this subject"))?;
        Ok(json!({ "lock": key(record.lock().key()), "slot": record.slot_id().index(), "grant": hex(grant) }))
    }

    fn release(&mut self, request: Request<'_>) -> Outcome {
        let (claim, install) = (request.bytes("claim")?, request.bytes("install")?);
        let (service, record) = self.record(request)?;
        let release = store(service.release(record, &claim, &install).named()?);
        Ok(json!({ "message": hex(&release), "version": record.version() }))
    }

    fn prove(&mut self, op: &str, request: Request<'_>) -> Outcome {
        let message = request.bytes("message")?;
        let (service, record) = self.record(request)?;
        let staged = if op == "confirm" { service.confirm(record, &message) } else { service.done(record, &message) };
        let state = store(staged.named()?);
        Ok(json!({ "state": format!("{state:?}"), "version": record.version() }))
    }

    fn messages(&mut self, request: Request<'_>) -> Outcome {
        let (service, record) = self.record(request)?;
        let messages = service.messages(record).named()?;
        Ok(json!({ "version": record.version(), "messages": messages.iter().map(hex).collect::<Vec<_>>() }))
    }

    fn state(&mut self, request: Request<'_>) -> Outcome {
        let (_, record) = self.record(request)?;
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
            "standing": if record.standing() == Standing::Serving { "Serving" } else { "Moved" },
            "state": format!("{:?}", slot.state()),
            "downloaded": slot.is_downloaded(),
            "highest": slot.highest().value(),
            "floor": slot.floor().value(),
            "last_done": slot.last_done().value(),
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
