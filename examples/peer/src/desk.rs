//! Everybody that one process plays, by name.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::fail::{Fail, Outcome};
use super::guest::Guest;
use super::lock::Door;
use super::owner::Phone;
use super::request::Request;
use super::service::Cloud;

/// Takes requests and gives replies.
#[derive(Default)]
pub struct Peer {
    locks: BTreeMap<String, Door>,
    owners: BTreeMap<String, Phone>,
    services: BTreeMap<String, Cloud>,
    guests: BTreeMap<String, Guest>,
}

impl Peer {
    pub fn handle(&mut self, request: &Value) -> Value {
        match self.outcome(Request(request)) {
            Ok(reply) => json!({ "ok": reply }),
            Err(fail) => fail.to_json(),
        }
    }

    fn outcome(&mut self, request: Request<'_>) -> Outcome {
        let (role, op) = (request.text("role")?, request.text("op")?);
        let name = request.get("as").and_then(Value::as_str).unwrap_or(role).to_owned();
        match role {
            "lock" => self.lock(op, name, request),
            "owner" if op == "make" => made(&mut self.owners, name, Phone::make(request)),
            "service" if op == "make" => made(&mut self.services, name, Cloud::make(request)),
            "guest" if op == "make" => made(&mut self.guests, name, Guest::make(request)),
            "owner" => of(&mut self.owners, &name)?.handle(op, request),
            "service" => of(&mut self.services, &name)?.handle(op, request),
            "guest" => of(&mut self.guests, &name)?.handle(op, request),
            other => Err(Fail::request(format!("no such role: {other}"))),
        }
    }

    fn lock(&mut self, op: &str, name: String, request: Request<'_>) -> Outcome {
        match op {
            "make" => {
                let door = Door::make(self.locks.get(&name), request);
                made(&mut self.locks, name, door)
            }
            "load" => made(&mut self.locks, name, Door::load(request)),
            _ => of(&mut self.locks, &name)?.handle(op, request),
        }
    }
}

fn made<T>(all: &mut BTreeMap<String, T>, name: String, made: Result<(T, Value), Fail>) -> Outcome {
    let (one, reply) = made?;
    all.insert(name, one);
    Ok(reply)
}

fn of<'a, T>(all: &'a mut BTreeMap<String, T>, name: &str) -> Result<&'a mut T, Fail> {
    all.get_mut(name).ok_or_else(|| Fail::request(format!("nobody is called {name}")))
}
