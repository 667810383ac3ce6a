//! `owner_errors.json`: what an owner refuses, and what the view shows.

use serde_json::{Value, json};
use sharekey::counter::Epoch;
use sharekey::crypto::PublicKey;
use sharekey::error::RefuseReason;
use sharekey::id::LockId;
use sharekey::limits::Action;
use sharekey::message::{
    Challenge, Completed, Done, Grant, Holding, Provisioned, Receipt, RefusedBody, WithdrawnOutcome,
};

use super::bad;
use super::bench::bytes;
use super::desk::{
    SLOT, activated, by_lock, challenge, claim_of, deactivated, done, done_body, grant, grant_body, inspected,
    provisioned_body, receipt, receipt_body, refused, transfer_done, twin, withdraw_body, withdrawn,
};
use super::forge::{bare, signed};
use super::keys::{card, digest, draw, lock, nonce, public, seed, signing, some_digest};
use super::peer::form::{hex, key};
use super::scene::Scene;

/// An owner's phone.
struct Phone {
    scene: Scene,
    name: String,
    draws: usize,
}

/// A message that was sent, and the number of what waits for its answer.
struct Sent {
    message: Vec<u8>,
    pending: u64,
}

impl Phone {
    fn new(name: &str) -> Self {
        let mut scene = Scene::recorded();
        scene.ask(json!({ "role": "owner", "op": "make", "seed": hex(seed("owner").expose()) }));
        Self { scene, name: name.to_owned(), draws: 0 }
    }

    fn nonce(&mut self) -> Value {
        self.draws += 1;
        json!([draw("the owner's nonce", &format!("owner {}", self.draws), 16)])
    }

    fn sent(&mut self, request: Value) -> Sent {
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

    fn answer(op: &str, sent: &Sent, answer: &[u8]) -> Value {
        json!({ "role": "owner", "op": op, "pending": sent.pending, "answer": hex(answer) })
    }

    /// The lock is this owner's.
    fn owning(name: &str) -> Self {
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

    fn order(&mut self, op: &str) -> Sent {
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
    fn active(name: &str) -> Self {
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
    fn sharing(name: &str) -> Self {
        let mut phone = Self::active(name);
        assert_eq!(phone.share(), grant(2));
        phone
    }

    fn learn_request(message: &[u8]) -> Value {
        json!({ "role": "owner", "op": "learn", "message": hex(message) })
    }

    #[track_caller]
    fn learn(&mut self, message: &[u8]) -> Value {
        self.scene.ask(Self::learn_request(message))["learned"].clone()
    }

    fn slot_request(op: &str) -> Value {
        json!({ "role": "owner", "op": op, "slot": SLOT.index() })
    }

    /// Ends with what the view shows of the slot.
    fn case(mut self, rule: &str) -> Value {
        self.scene.ask(Self::slot_request("status"));
        self.finish(rule)
    }

    fn finish(self, rule: &str) -> Value {
        self.scene.case(&self.name, rule)
    }
}

pub fn file() -> Value {
    let mut cases = provisions();
    cases.extend(answers());
    cases.extend(dones());
    cases.extend(shares());
    cases.extend(lessons());
    cases.extend(reports());
    cases.extend(handovers());
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
    let body =
        Done { epoch: Epoch::new(2), ..done_body(digest(&sent.message), Completed::Transfer { owner, service }) };
    let early = Done { epoch: Epoch::FIRST, ..body };
    phone.scene.refused(Phone::answer("done", &sent, &by_lock(&early)), "WrongEpoch");
    phone.scene.ask(Phone::answer("done", &sent, &by_lock(&body)));
    let request = phone.order_request("act", &challenge("challenge"));
    phone.scene.refused(request, "Transferred");
    phone.scene.refused(Phone::share_request(&public("subject")), "Transferred");
    vec![phone.case("OWN-5")]
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
    let mut cases = vec![phone.case("SLO-11")];
    let mut phone = Phone::owning("share a slot that is closed");
    phone.scene.refused(Phone::share_request(&public("subject")), "Slot.NotActive");
    cases.push(phone.case("SLO-11"));
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

fn lessons() -> Vec<Value> {
    let body = receipt_body(&grant(2), 2, "device");
    let other = |epoch| signed(&Grant { epoch: Epoch::new(epoch), ..grant_body(5) }, &seed("owner"));
    let never = WithdrawnOutcome::NeverReleased;
    let denial = sharekey::message::Withdrawn { withdraw: withdraw_body(&grant(2), 2), outcome: never };
    let mut phone = Phone::sharing("learn: what no owner learns from");
    for (message, error) in [
        (receipt(&grant(2), 2)[..100].to_vec(), "Wire.Truncated"),
        (b"SK\x01\x20".to_vec(), "Wire.Value"),
        (b"SK\x02\x08".to_vec(), "Wire.Version"),
        (claim_of(&grant(2), "device"), "NothingToLearn"),
        (challenge("challenge"), "NothingToLearn"),
        (signed(&grant_body(5), &seed("stranger")), "GrantSignature.Mismatch"),
        (signed(&body, &seed("stranger")), "ReceiptSignature.Mismatch"),
        (signed(&done_body(some_digest("a command"), activated(3)), &seed("stranger")), "DoneSignature.Mismatch"),
        (signed(&denial, &seed("stranger")), "WithdrawnSignature.Mismatch"),
        (by_lock(&Receipt { lock: lock("stranger"), ..body }), "WrongLock"),
        (by_lock(&Receipt { epoch: Epoch::new(2), ..body }), "WrongEpoch"),
        (other(2), "WrongEpoch"),
        (transfer_done(public("next owner"), public("service"), 1), "OldEpoch"),
    ] {
        phone.scene.refused(Phone::learn_request(&message), error);
    }
    let mut cases = vec![phone.case("OWN-10")];
    let mut phone = Phone::sharing("a receipt, and again");
    phone.learn(&receipt(&grant(2), 2));
    phone.scene.ask(Phone::slot_request("status"));
    phone.learn(&receipt(&grant(2), 2));
    cases.push(phone.case("SLO-28"));
    let mut phone = Phone::sharing("a released grant stays among those that may open");
    phone.learn(&withdrawn(&grant(2), 2, WithdrawnOutcome::Released { install: some_digest("an install") }));
    cases.push(phone.case("OWN-15"));
    let mut phone = Phone::sharing("a settled grant stays until the proof comes");
    phone.learn(&withdrawn(&grant(2), 2, WithdrawnOutcome::Settled));
    phone.scene.ask(Phone::slot_request("status"));
    phone.learn(&done(deactivated(3)));
    cases.push(phone.case("OWN-15"));
    for (name, first, second) in [
        ("the service denies a release that the lock proves", receipt(&grant(2), 2), withdrawn(&grant(2), 2, never)),
        ("the lock proves a release that the service denied", withdrawn(&grant(2), 2, never), receipt(&grant(2), 2)),
    ] {
        let mut phone = Phone::sharing(name);
        phone.learn(&first);
        let learned = phone.learn(&second);
        assert_eq!(learned["type"], "ServiceEquivocated");
        cases.push(phone.case("OWN-11"));
    }
    let mut phone = Phone::sharing("another phone's grant of the same number");
    phone.learn(&twin(2));
    phone.learn(&withdrawn(&grant(2), 2, never));
    phone.scene.ask(Phone::slot_request("status"));
    phone.learn(&twin(2));
    cases.push(phone.case("OWN-17"));
    cases
}

fn reports() -> Vec<Value> {
    let see = |version: u64, messages: &[Vec<u8>]| {
        let messages: Vec<Value> = messages.iter().map(hex).collect();
        json!({ "role": "owner", "op": "see", "slot": SLOT.index(), "version": version, "messages": messages })
    };
    let mut phone = Phone::sharing("reports, and an older one");
    phone.scene.ask(see(5, &[grant(2)]));
    phone.scene.ask(see(5, &[]));
    phone.scene.refused(see(4, &[receipt(&grant(2), 2)]), "OlderReport");
    phone.scene.refused(see(9, &[receipt(&grant(2), 2), challenge("challenge")]), "NothingToLearn");
    phone.scene.ask(Phone::slot_request("status"));
    phone.scene.ask(see(7, &[grant(2), receipt(&grant(2), 2)]));
    vec![phone.case("SLO-5")]
}

fn handovers() -> Vec<Value> {
    let adopt = |lock_name: &str, transfer: &[u8]| {
        json!({
            "role": "owner", "op": "adopt", "lock": key(lock(lock_name).key()), "service": key(&public("service")),
            "transfer": hex(transfer),
        })
    };
    let (owner, service) = (public("owner"), public("service"));
    let mut phone = Phone::new("adopt: every wrong statement, then the right one");
    for (lock_name, transfer, error) in [
        ("lock", transfer_done(owner, service, 2)[..90].to_vec(), "Wire.Truncated"),
        ("stranger", transfer_done(owner, service, 2), "DoneSignature.Mismatch"),
        ("lock", done(activated(1)), "NotATransfer"),
        ("lock", transfer_done(public("stranger"), service, 2), "WrongOwner"),
        ("lock", transfer_done(owner, public("stranger"), 2), "WrongService"),
    ] {
        phone.scene.refused(adopt(lock_name, &transfer), error);
    }
    phone.scene.ask(adopt("lock", &transfer_done(owner, service, 2)));
    let mut cases = vec![phone.case("OWN-12")];
    let mut phone = Phone::new("take over a lock whose transfer's answer was lost");
    let request = json!({
        "role": "owner", "op": "take_over", "lock": key(lock("lock").key()), "epoch": 2, "service": key(&service),
        "challenge": hex(challenge("challenge")), "entropy": phone.nonce(),
    });
    let sent = phone.sent(request);
    let body =
        Done { epoch: Epoch::new(3), ..done_body(digest(&sent.message), Completed::Transfer { owner, service }) };
    let wrong = Done { epoch: Epoch::new(2), ..body };
    phone.scene.refused(Phone::answer("taken_over", &sent, &by_lock(&wrong)), "WrongEpoch");
    phone.scene.refused(Phone::answer("taken_over", &sent, b"SK\x01\x0e"), "RefusedOpaque");
    phone.scene.ask(Phone::answer("taken_over", &sent, &by_lock(&body)));
    cases.push(phone.case("OWN-12"));
    cases
}
