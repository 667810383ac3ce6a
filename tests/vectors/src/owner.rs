//! `owner_errors.json`: what an owner refuses, and what the view shows.

use serde_json::{Value, json};
use sharekey::counter::Epoch;
use sharekey::crypto::PublicKey;
use sharekey::error::RefuseReason;
use sharekey::id::LockId;
use sharekey::limits::Action;
use sharekey::message::{Challenge, Completed, Done, Holding, Provisioned, RefusedBody, WithdrawnOutcome};

use super::bench::bytes;
use super::desk::{
    SLOT, SLOTS, activated, by_lock, challenge, deactivated, done_body, grant, inspected, provisioned_body, receipt,
    refused, withdrawn,
};
use super::forge::{bare, signed};
use super::keys::{card, digest, draw, lock, nonce, public, seed, signing, some_digest};
use super::peer::form::{hex, key};
use super::scene::Scene;
use super::{bad, owner_learn, owner_report};

/// An owner's phone.
pub struct Phone {
    pub scene: Scene,
    name: String,
    draws: usize,
}

/// A message that was sent, and the number of what waits for its answer.
pub struct Sent {
    pub message: Vec<u8>,
    pub pending: u64,
}

impl Phone {
    pub fn new(name: &str) -> Self {
        let mut scene = Scene::recorded();
        scene.ask(json!({ "role": "owner", "op": "make", "seed": hex(seed("owner").expose()) }));
        Self { scene, name: name.to_owned(), draws: 0 }
    }

    pub fn nonce(&mut self) -> Value {
        self.draws += 1;
        json!([draw("the owner's nonce", &format!("owner {}", self.draws), 16)])
    }

    pub fn sent(&mut self, request: Value) -> Sent {
        let sent = self.scene.ask(request);
        Sent { message: bytes(&sent["message"]), pending: sent["pending"].as_u64().unwrap() }
    }

    fn provision_request(&mut self, challenge: &[u8], service: PublicKey) -> Value {
        json!({
            "role": "owner", "op": "provision", "card": hex(card()), "challenge": hex(challenge),
            "service": key(&service), "entropy": self.nonce(),
        })
    }

    fn provisioning(name: &str) -> (Self, Sent) {
        let mut phone = Self::new(name);
        let request = phone.provision_request(&challenge("challenge"), public("service"));
        let sent = phone.sent(request);
        (phone, sent)
    }

    pub fn answer(op: &str, sent: &Sent, answer: &[u8]) -> Value {
        json!({ "role": "owner", "op": op, "pending": sent.pending, "answer": hex(answer) })
    }

    /// The lock is this owner's.
    pub fn owning(name: &str) -> Self {
        let (mut phone, sent) = Self::provisioning(name);
        let body = provisioned_body(&digest(&sent.message));
        phone.scene.ask(Self::answer("provisioned", &sent, &by_lock(&body)));
        phone
    }

    fn order_request(&mut self, op: &str, challenge: &[u8]) -> Value {
        json!({
            "role": "owner", "op": op, "slot": SLOT.index(), "action": "Open", "to": 1_000,
            "owner": key(&public("next owner")), "service": key(&public("next service")),
            "challenge": hex(challenge), "entropy": self.nonce(),
        })
    }

    pub fn order(&mut self, op: &str) -> Sent {
        let mut request = self.order_request(op, &challenge("challenge"));
        let unneeded: &[&str] = match op {
            "transfer" => &["slot", "action", "to"],
            "act" => &["slot", "to", "owner", "service"],
            "set_clock" => &["slot", "action", "owner", "service"],
            _ => &["action", "to", "owner", "service"],
        };
        unneeded.iter().for_each(|name| drop(request.as_object_mut().unwrap().remove(*name)));
        self.sent(request)
    }

    /// The slot was activated with number 1.
    pub fn active(name: &str) -> Self {
        let mut phone = Self::owning(name);
        let sent = phone.order("activate");
        phone.scene.ask(Self::answer("done", &sent, &by_lock(&done_body(digest(&sent.message), activated(1)))));
        phone
    }

    fn share_request(subject: &PublicKey) -> Value {
        json!({ "role": "owner", "op": "share", "slot": SLOT.index(), "subject": key(subject), "rights": 3, "limits": null })
    }

    fn share(&mut self) -> Vec<u8> {
        let shared = self.scene.ask(Self::share_request(&public("subject")));
        bytes(&shared["message"])
    }

    /// A grant with number 2 was signed; it is `grant(2)`.
    pub fn sharing(name: &str) -> Self {
        let mut phone = Self::active(name);
        assert_eq!(phone.share(), grant(2));
        phone
    }

    pub fn learn_request(message: &[u8]) -> Value {
        json!({ "role": "owner", "op": "learn", "message": hex(message) })
    }

    #[track_caller]
    pub fn learn(&mut self, message: &[u8]) -> Value {
        self.scene.ask(Self::learn_request(message))["learned"].clone()
    }

    pub fn slot_request(op: &str) -> Value {
        json!({ "role": "owner", "op": op, "slot": SLOT.index() })
    }

    /// Ends with what the view shows of the slot.
    pub fn case(mut self, rule: &str) -> Value {
        self.scene.ask(Self::slot_request("status"));
        self.finish(rule)
    }

    pub fn finish(self, rule: &str) -> Value {
        self.scene.case(&self.name, rule)
    }
}

pub fn file() -> Value {
    let mut cases = provisions();
    cases.extend(answers());
    cases.extend(dones());
    cases.extend(shares());
    cases.extend(owner_learn::lessons());
    cases.extend(owner_report::reports());
    cases.extend(owner_learn::handovers());
    super::file(
        "An owner, from the first message on. Most cases end with what the view shows of the slot.",
        json!({ "keys": signing(&["owner", "service", "lock", "subject", "device", "next owner", "next service", "stranger"]) }),
        cases,
    )
}

fn provisions() -> Vec<Value> {
    let small = PublicKey::from_bytes([0; 32]);
    let mut phone = Phone::new("provision: a bad challenge, a bad lock, a bad service");
    let request = phone.provision_request(&challenge("challenge")[..51], public("service"));
    phone.scene.refused(request, "Wire.Truncated");
    let bad_lock = bare(&Challenge { lock: LockId::new(small), nonce: nonce("challenge") });
    let request = phone.provision_request(&bad_lock, public("service"));
    phone.scene.refused(request, "LockKey.SmallOrder");
    let request = phone.provision_request(&challenge("challenge"), small);
    phone.scene.refused(request, "ServiceKey.SmallOrder");
    let mut cases = vec![phone.finish("KEY-2")];

    let (mut phone, sent) = Phone::provisioning("provisioned: every wrong answer, then the right one");
    let good = provisioned_body(&digest(&sent.message));
    let answers = [
        (by_lock(&good)[..183].to_vec(), "Wire.Truncated"),
        (grant(2), "Wire.Kind"),
        (signed(&good, &seed("stranger")), "ProvisionedSignature.Mismatch"),
        (by_lock(&Provisioned { lock: lock("stranger"), ..good }), "WrongLock"),
        (by_lock(&Provisioned { epoch: Epoch::new(2), ..good }), "WrongEpoch"),
        (by_lock(&Provisioned { owner: public("stranger"), ..good }), "WrongOwner"),
        (by_lock(&Provisioned { service: public("stranger"), ..good }), "WrongService"),
        (by_lock(&provisioned_body(&some_digest("another provision"))), "CardTag"),
        (b"SK\x01\x0e".to_vec(), "RefusedOpaque"),
        (refused(digest(&sent.message), RefuseReason::AlreadyProvisioned), "Refused.AlreadyProvisioned"),
        (refused(digest(&sent.message), RefuseReason::BadKey), "Refused.BadKey"),
        (refused(some_digest("another request"), RefuseReason::Busy), "RefusedOther"),
    ];
    for (answer, error) in answers {
        phone.scene.refused(Phone::answer("provisioned", &sent, &answer), error);
    }
    for (_, spoilt, why) in bad::signatures(&by_lock(&good)).into_iter().take(5) {
        phone.scene.refused(Phone::answer("provisioned", &sent, &spoilt), &format!("ProvisionedSignature.{why}"));
    }
    phone.scene.ask(Phone::answer("provisioned", &sent, &by_lock(&good)));
    cases.push(phone.case("OWN-2"));
    cases
}

fn answers() -> Vec<Value> {
    let mut cases = Vec::new();
    let mut phone = Phone::owning("an order over another lock's challenge");
    let other = bare(&Challenge { lock: lock("stranger"), nonce: nonce("challenge") });
    let request = phone.order_request("activate", &other);
    phone.scene.refused(request, "WrongLock");
    cases.push(phone.case("OWN-8"));
    cases.push(transfers_to_bad_keys());
    cases.push(number_line_at_its_end());

    let mut phone = Phone::active("done: every wrong answer, then the right one");
    let sent = phone.order("deactivate");
    let good = done_body(digest(&sent.message), deactivated(2));
    let stale = RefuseReason::StaleNumber;
    let strangers = RefusedBody { request: digest(&sent.message), reason: stale };
    let answers = [
        (by_lock(&good)[..140].to_vec(), "Wire.Truncated"),
        (receipt(&grant(2), 2), "Wire.Kind"),
        (signed(&good, &seed("stranger")), "DoneSignature.Mismatch"),
        (by_lock(&Done { lock: lock("stranger"), ..good }), "WrongLock"),
        (by_lock(&Done { command: some_digest("another command"), ..good }), "OtherCommand"),
        (by_lock(&Done { epoch: Epoch::new(2), ..good }), "WrongEpoch"),
        (by_lock(&Done { completed: deactivated(3), ..good }), "OtherOperation"),
        (by_lock(&Done { completed: activated(2), ..good }), "OtherOperation"),
        (b"SK\x01\x0e".to_vec(), "RefusedOpaque"),
        (refused(digest(&sent.message), stale), "Refused.StaleNumber"),
        (refused(some_digest("another request"), stale), "RefusedOther"),
        (signed(&strangers, &seed("stranger")), "RefusalSignature.Mismatch"),
    ];
    for (answer, error) in answers {
        phone.scene.refused(Phone::answer("done", &sent, &answer), error);
    }
    phone.scene.ask(Phone::answer("done", &sent, &by_lock(&good)));
    cases.push(phone.case("OWN-5"));
    cases
}

fn transfers_to_bad_keys() -> Value {
    let mut phone = Phone::owning("transfer to a bad owner's key, to a bad service's, and over no challenge");
    let (small, canonical) = ([0; 32], bad::array(bad::FIELD_PRIME));
    for (of, key, error) in [
        ("owner", small, "OwnerKey.SmallOrder"),
        ("owner", canonical, "OwnerKey.NotCanonical"),
        ("service", small, "ServiceKey.SmallOrder"),
        ("service", canonical, "ServiceKey.NotCanonical"),
    ] {
        // The keys come first: the challenge is cut short.
        let mut request = phone.order_request("transfer", &challenge("challenge")[..51]);
        request[of] = hex(key);
        phone.scene.refused(request, error);
    }
    let request = phone.order_request("transfer", &challenge("challenge")[..51]);
    phone.scene.refused(request, "Wire.Truncated");
    phone.case("KEY-2")
}

fn number_line_at_its_end() -> Value {
    let mut phone = Phone::owning("orders and a share at the end of the number line");
    phone.learn(&by_lock(&done_body(some_digest("another phone's command"), activated(u32::MAX))));
    for op in ["activate", "deactivate"] {
        let request = phone.order_request(op, &challenge("challenge"));
        phone.scene.refused(request, "Slot.Exhausted");
    }
    phone.scene.refused(Phone::share_request(&public("subject")), "Slot.Exhausted");
    phone.case("SLO-6")
}

/// Every order, and its answer.
fn dones() -> Vec<Value> {
    let mut phone = Phone::sharing("every order, and its answer");
    let holder = Holding::Installed { grant: digest(&grant(2)), device: public("device") };
    let to = sharekey::limits::Timestamp::from_unix_seconds(1_000);
    for (op, completed) in [
        ("set_clock", Completed::SetClock { to }),
        ("act", Completed::Act { action: Action::Open }),
        ("inspect", inspected(2, holder)),
        ("deactivate", deactivated(3)),
        ("activate", activated(4)),
        ("inspect", inspected(4, Holding::Empty)),
    ] {
        let sent = phone.order(op);
        phone.scene.ask(Phone::answer("done", &sent, &by_lock(&done_body(digest(&sent.message), completed))));
        phone.scene.ask(Phone::slot_request("status"));
    }
    let sent = phone.order("transfer");
    let (owner, service) = (public("next owner"), public("next service"));
    let body = Done {
        epoch: Epoch::new(2),
        ..done_body(digest(&sent.message), Completed::Transfer { owner, service, slots: SLOTS })
    };
    let early = Done { epoch: Epoch::FIRST, ..body };
    phone.scene.refused(Phone::answer("done", &sent, &by_lock(&early)), "WrongEpoch");
    phone.scene.ask(Phone::answer("done", &sent, &by_lock(&body)));
    let request = phone.order_request("act", &challenge("challenge"));
    phone.scene.refused(request, "Transferred");
    phone.scene.refused(Phone::share_request(&public("subject")), "Transferred");
    vec![phone.case("OWN-5")]
}

fn limits_that_cannot_be_meant() -> Value {
    let mut phone = Phone::active("share: limits that cannot be meant, then some that can");
    // Saturdays and Sundays; from a Monday to the Friday after it.
    let weekends = json!({ "days": 0x60, "start": 0, "end": 1440, "offset": 0, "next": null });
    let limits = |until: u64, schedule: &Value, uses: Value| json!({ "from": 1_704_067_200, "until": until, "schedule": schedule, "uses": uses });
    let (friday, year_10000) = (1_704_412_800, 253_402_300_800);
    let share = |rights: u8, limits: Value| {
        let mut request = Phone::share_request(&public("subject"));
        (request["rights"], request["limits"]) = (rights.into(), limits);
        request
    };
    phone.scene.refused(share(3, limits(year_10000, &Value::Null, Value::Null)), "Limits.FarAway");
    phone.scene.refused(share(2, limits(friday, &Value::Null, 1.into())), "Limits.UsesWithoutOpen");
    phone.scene.refused(share(3, limits(friday, &weekends, Value::Null)), "Limits.NoTime");
    phone.scene.ask(share(3, limits(year_10000 - 1, &weekends, 1.into())));
    let mut clock = phone.order_request("set_clock", &challenge("challenge"));
    ["slot", "action", "owner", "service"].iter().for_each(|name| drop(clock.as_object_mut().unwrap().remove(*name)));
    clock["to"] = 1_795_435_200_000_u64.into();
    phone.scene.refused(clock, "Limits.FarAway");
    phone.case("LIM-18")
}

fn shares() -> Vec<Value> {
    let small = PublicKey::from_bytes([0; 32]);
    let canonical = PublicKey::from_bytes(bad::array(bad::FIELD_PRIME));
    let mut phone = Phone::active("share: bad keys, then one grant, and no second");
    phone.scene.refused(Phone::share_request(&small), "SubjectKey.SmallOrder");
    phone.scene.refused(Phone::share_request(&canonical), "SubjectKey.NotCanonical");
    phone.scene.refused(Phone::slot_request("withdraw"), "NothingShared");
    phone.share();
    phone.scene.refused(Phone::share_request(&public("subject")), "Slot.AlreadyShared");
    let mut cases = vec![phone.case("SLO-11"), limits_that_cannot_be_meant()];
    let mut phone = Phone::owning("share a slot that is closed");
    phone.scene.refused(Phone::share_request(&public("subject")), "Slot.NotActive");
    cases.push(phone.case("SLO-11"));
    let mut phone = Phone::owning("a slot that the lock does not have");
    for op in ["activate", "deactivate"] {
        let mut request = phone.order_request(op, &challenge("challenge"));
        ["action", "to", "owner", "service"]
            .iter()
            .for_each(|name| drop(request.as_object_mut().unwrap().remove(*name)));
        request["slot"] = SLOTS.value().into();
        phone.scene.refused(request, "NoSuchSlot");
    }
    let mut request = Phone::share_request(&small);
    request["slot"] = SLOTS.value().into();
    phone.scene.refused(request, "NoSuchSlot");
    cases.push(phone.case("OWN-42"));
    let mut phone = Phone::active("share by a code, and withdraw");
    let code = json!({
        "role": "owner", "op": "share_by_code", "slot": SLOT.index(), "code": "7k3q xm9t fr2a w8bc 4dfy", "rights": 1,
        "limits": { "from": null, "until": 1_900_000_000, "schedule": null, "uses": 3 },
    });
    let grant = bytes(&phone.scene.ask(code)["message"]);
    phone.scene.ask(Phone::slot_request("status"));
    phone.scene.ask(Phone::slot_request("withdraw"));
    phone.scene.ask(Phone::slot_request("status"));
    phone.learn(&withdrawn(&grant, 2, WithdrawnOutcome::NeverReleased));
    let mut again = Phone::slot_request("withdraw_key");
    (again["generation"], again["grant"]) = (2.into(), hex(digest(&grant).as_bytes()));
    phone.scene.refused(again, "UnknownGrant");
    cases.push(phone.case("OWN-9"));
    let mut phone = Phone::active("share while 16 keys may open");
    for n in 2..18 {
        let grant = phone.share();
        let released = WithdrawnOutcome::Released { install: some_digest("an install") };
        phone.learn(&withdrawn(&grant, n, released));
    }
    phone.scene.refused(Phone::share_request(&public("subject")), "Slot.LiveFull");
    cases.push(phone.case("SLO-12"));
    cases
}
