//! `service_errors.json`: what a service refuses, and what it does.

use serde_json::{Value, json};
use sharekey::counter::Epoch;
use sharekey::crypto::PublicKey;
use sharekey::message::{Grant, Provisioned, Withdraw};

use super::desk::{
    SLOT, activated, by_lock, claim_of, deactivated, done, grant, grant_body, install_of, receipt, statement,
    transfer_done, withdraw, withdraw_body,
};
use super::forge::{frame, signed};
use super::keys::{lock, public, seed, signing};
use super::peer::form::{hex, key};
use super::scene::Scene;
use super::{bad, service_prove, service_report, service_rows, service_share};

/// A service with a record of one slot.
pub struct Cloud {
    pub scene: Scene,
    name: String,
}

impl Cloud {
    /// Nothing is known of any lock.
    fn new(name: &str) -> Self {
        let mut scene = Scene::recorded();
        scene.ask(json!({ "role": "service", "op": "make", "seed": hex(seed("service").expose()) }));
        Self { scene, name: name.to_owned() }
    }

    /// The record of a slot of a lock that was provisioned.
    pub fn opened(name: &str) -> Self {
        let mut cloud = Self::new(name);
        let request = Self::request("open", &[("statement", &by_lock(&statement()))]);
        cloud.scene.ask(request);
        cloud
    }

    /// The slot was activated with number 1.
    pub fn active(name: &str) -> Self {
        let mut cloud = Self::opened(name);
        cloud.message("done", &done(activated(1)));
        cloud
    }

    /// A grant with number 2 is published.
    pub fn sharing(name: &str) -> Self {
        let mut cloud = Self::active(name);
        cloud.message("publish", &grant(2));
        cloud
    }

    /// And released.
    pub fn shared(name: &str) -> Self {
        let mut cloud = Self::sharing(name);
        cloud.release(&grant(2), "device", "challenge");
        cloud
    }

    pub fn request(op: &str, arguments: &[(&str, &[u8])]) -> Value {
        let mut request = json!({ "role": "service", "op": op, "lock": key(lock("lock").key()), "slot": SLOT.index() });
        for (name, bytes) in arguments {
            request[*name] = hex(bytes);
        }
        request
    }

    #[track_caller]
    pub fn message(&mut self, op: &str, message: &[u8]) -> Value {
        self.scene.ask(Self::request(op, &[("message", message)]))
    }

    #[track_caller]
    pub fn refuses(&mut self, op: &str, message: &[u8], error: &str) {
        self.scene.refused(Self::request(op, &[("message", message)]), error);
    }

    pub fn release_request(grant: &[u8], device: &str, challenge: &str) -> Value {
        let claim = claim_of(grant, device);
        let install = install_of(&claim, device, challenge);
        Self::request("release", &[("claim", &claim), ("install", &install)])
    }

    #[track_caller]
    pub fn release(&mut self, grant: &[u8], device: &str, challenge: &str) -> Value {
        self.scene.ask(Self::release_request(grant, device, challenge))
    }

    fn state(&mut self) {
        self.scene.ask(Self::request("state", &[]));
    }

    pub fn case(mut self, rule: &str) -> Value {
        self.state();
        self.finish(rule)
    }

    fn finish(self, rule: &str) -> Value {
        self.scene.case(&self.name, rule)
    }
}

pub fn file() -> Value {
    let mut cases = openings();
    cases.extend(reopenings());
    cases.extend(service_share::publications());
    cases.extend(service_share::withdrawals());
    cases.extend(service_prove::releases());
    cases.extend(service_prove::receipts());
    cases.extend(service_prove::dones());
    cases.extend(service_report::reports());
    cases.extend(service_report::finds());
    cases.extend(service_rows::rows());
    cases.extend(histories());
    super::file(
        "A service and the record of one slot, from the first message on. Each case ends with the state of the record.",
        json!({ "keys": signing(&["owner", "service", "lock", "subject", "device", "other device", "stranger"]) }),
        cases,
    )
}

/// A first statement of ownership that is refused.
fn not_opened(name: &str, rule: &str, statement: &[u8], error: &str) -> Value {
    let mut cloud = Cloud::new(name);
    cloud.scene.refused(Cloud::request("open", &[("statement", statement)]), error);
    cloud.finish(rule)
}

fn openings() -> Vec<Value> {
    let good = by_lock(&statement());
    let small = PublicKey::from_bytes([0; 32]);
    let mut spoilt: Vec<Value> = bad::signatures(&good)
        .into_iter()
        .take(5)
        .map(|(what, bytes, why)| {
            not_opened(&format!("a statement with {what}"), "SVC-1", &bytes, &format!("OwnershipSignature.{why}"))
        })
        .collect();
    spoilt.extend([
        not_opened("a statement cut short", "SVC-1", &good[..183], "Wire.Truncated"),
        not_opened("a grant for a statement", "SVC-1", &grant(2), "Wire.Kind"),
        not_opened(
            "a statement signed by a stranger",
            "SVC-1",
            &signed(&statement(), &seed("stranger")),
            "OwnershipSignature.Mismatch",
        ),
        not_opened(
            "a lock whose key is of small order",
            "KEY-2",
            &bad::sign_as_identity(frame(&Provisioned { lock: sharekey::id::LockId::new(small), ..statement() })),
            "OwnershipSignature.Key.SmallOrder",
        ),
        not_opened(
            "a statement for another service",
            "SVC-1",
            &by_lock(&Provisioned { service: public("stranger"), ..statement() }),
            "OtherService",
        ),
        not_opened(
            "an owner's key of small order",
            "KEY-2",
            &by_lock(&Provisioned { owner: small, ..statement() }),
            "OwnerKey.SmallOrder",
        ),
        not_opened("a done that is no transfer", "SVC-1", &done(activated(1)), "NotATransfer"),
    ]);
    let mut cloud = Cloud::new("a transfer opens a record");
    cloud.scene.ask(Cloud::request("open", &[("statement", &transfer_done(public("owner"), public("service"), 4))]));
    spoilt.push(cloud.case("SVC-1"));
    spoilt
}

fn reopenings() -> Vec<Value> {
    let with = |name: &str, rule: &str, statement: &[u8], error: Option<&str>| {
        let mut cloud = Cloud::shared(name);
        let request = Cloud::request("reopen", &[("statement", statement)]);
        match error {
            Some(error) => drop(cloud.scene.refused(request, error)),
            None => drop(cloud.scene.ask(request)),
        }
        cloud.case(rule)
    };
    let (owner, service) = (public("owner"), public("service"));
    let other_lock = signed(&Provisioned { lock: lock("stranger"), ..statement() }, &seed("stranger"));
    let mut cases = vec![
        with("reopen: the same statement again", "SVC-17", &by_lock(&statement()), None),
        with("reopen: a transfer to oneself", "SVC-2", &transfer_done(owner, service, 2), None),
        with("reopen: a transfer to another owner", "SVC-2", &transfer_done(public("stranger"), service, 3), None),
        with("reopen: a transfer to another service", "SVC-16", &transfer_done(owner, public("stranger"), 2), None),
        with("reopen: a transfer to an old epoch", "SVC-2", &transfer_done(owner, service, 0), Some("OldEpoch")),
        with(
            "reopen: other keys in the same epoch",
            "SVC-17",
            &transfer_done(public("stranger"), service, 1),
            Some("Contradiction"),
        ),
        with("reopen: a statement of another lock", "SVC-1", &other_lock, Some("WrongLock")),
        with("reopen: a done that is no transfer", "SVC-1", &done(deactivated(9)), Some("NotATransfer")),
    ];
    let mut cloud = Cloud::sharing("nothing is done for a lock that went over");
    let moved = transfer_done(public("owner"), public("stranger"), 2);
    cloud.scene.ask(Cloud::request("reopen", &[("statement", &moved)]));
    let second = Grant { epoch: Epoch::new(2), ..grant_body(2) };
    cloud.refuses("publish", &signed(&second, &seed("owner")), "Moved");
    let back = Withdraw { epoch: Epoch::new(2), ..withdraw_body(&grant(2), 2) };
    cloud.refuses("withdraw", &signed(&back, &seed("owner")), "Moved");
    cloud.scene.refused(Cloud::release_request(&grant(2), "device", "challenge"), "Moved");
    cases.push(cloud.case("SVC-16"));
    cases
}

/// One message that is refused by a record.
pub fn refusal(cloud: Cloud, rule: &str, op: &str, message: &[u8], error: &str) -> Value {
    let mut cloud = cloud;
    cloud.refuses(op, message, error);
    cloud.case(rule)
}

/// A slot's life, in many steps.
fn histories() -> Vec<Value> {
    let mut cloud = Cloud::shared("a receipt that comes late keeps its effects");
    cloud.message("withdraw", &withdraw(&grant(2), 2));
    cloud.message("publish", &grant(3));
    cloud.message("confirm", &receipt(&grant(2), 2));
    cloud.state();
    cloud.release(&grant(3), "device", "challenge");
    cloud.state();
    cloud.message("confirm", &receipt(&grant(3), 3));
    cloud.state();
    cloud.message("confirm", &receipt(&grant(2), 2));
    vec![cloud.case("SLO-37")]
}
