//! `conversations.json`: whole runs between all roles, every message and every draw of entropy.

use serde_json::{Value, json};

use super::bench::{NOON, lock_arguments};
use super::keys::{bytes32, card, draw};
use super::peer::form::hex;
use super::scene::Scene;

/// All roles in one scene, and the time.
struct Story {
    scene: Scene,
    name: String,
    ticks: u64,
    clock: Value,
    draws: usize,
}

impl Story {
    fn new(name: &str) -> Self {
        Self { scene: Scene::recorded(), name: name.to_owned(), ticks: 0, clock: NOON.into(), draws: 0 }
    }

    fn entropy(&mut self, what: &str, length: usize) -> Value {
        self.draws += 1;
        json!([draw(what, &format!("{} {}", self.name, self.draws), length)])
    }

    fn ask(&mut self, role: &str, op: &str, arguments: Value) -> Value {
        let request = request(role, op, arguments);
        self.scene.ask(request)
    }

    fn refused(&mut self, role: &str, op: &str, arguments: Value, error: &str) -> Value {
        self.scene.refused(request(role, op, arguments), error)
    }

    /// Everybody is there; the lock is the owner's; slot 0 is open.
    fn begin(name: &str) -> Self {
        let mut story = Self::new(name);
        let entropy = story.entropy("the seed", 32);
        story.ask("lock", "make", json!({ "card": hex(card()), "entropy": entropy }));
        story.ask("owner", "make", json!({ "seed": hex(bytes32("owner")) }));
        story.ask("service", "make", json!({ "seed": hex(bytes32("service")) }));
        story.provision();
        story.order("activate", json!({ "slot": 0 }));
        story
    }

    fn provision(&mut self) {
        let service = service_key();
        let given = self.challenge("Operate");
        let entropy = self.entropy("the owner's nonce", 16);
        let arguments =
            json!({ "card": hex(card()), "challenge": given["challenge"], "service": service, "entropy": entropy });
        let sent = self.ask("owner", "provision", arguments);
        let done = self.at_lock("provision", &given, &sent["message"]);
        self.ask("owner", "provisioned", json!({ "pending": sent["pending"], "answer": done["answer"] }));
        self.ask("service", "open", json!({ "statement": done["answer"], "slot": 0 }));
    }

    fn lock_id(&self) -> Value {
        self.scene.seen("lock")
    }

    fn now(&mut self) -> Value {
        self.ticks += 250;
        json!({ "ticks": self.ticks, "clock": self.clock, "battery": super::bench::BATTERY })
    }

    fn challenge(&mut self, purpose: &str) -> Value {
        let (entropy, now) = (self.entropy("the nonce", 32), self.now());
        self.ask("lock", "challenge", json!({ "purpose": purpose, "now": now, "entropy": entropy }))
    }

    fn lock_arguments(&mut self, op: &str, given: &Value, message: &Value) -> Value {
        let asked = (given["session"].clone(), message.clone(), self.now());
        lock_arguments(op, asked, |what| self.entropy(what, 32))
    }

    fn at_lock(&mut self, op: &str, given: &Value, message: &Value) -> Value {
        let arguments = self.lock_arguments(op, given, message);
        self.ask("lock", op, arguments)
    }

    fn refused_at_lock(&mut self, op: &str, given: &Value, message: &Value, error: &str) -> Value {
        let arguments = self.lock_arguments(op, given, message);
        self.refused("lock", op, arguments, error)["answer"].clone()
    }

    /// The owner orders at the lock, and passes the answer on to the service.
    fn order(&mut self, op: &str, arguments: Value) -> Value {
        let given = self.challenge("Operate");
        let mut arguments = arguments;
        arguments["challenge"] = given["challenge"].clone();
        arguments["entropy"] = self.entropy("the owner's nonce", 16);
        let sent = self.ask("owner", op, arguments);
        let done = self.at_lock("command", &given, &sent["message"]);
        self.ask("owner", "done", json!({ "pending": sent["pending"], "answer": done["answer"] }));
        if matches!(op, "activate" | "deactivate" | "inspect") {
            self.service("done", json!({ "message": done["answer"] }));
        }
        done
    }

    fn service(&mut self, op: &str, arguments: Value) -> Value {
        let mut arguments = arguments;
        (arguments["lock"], arguments["slot"]) = (self.lock_id(), 0.into());
        self.ask("service", op, arguments)
    }

    /// The owner shares with a guest who is there, and the service publishes it.
    fn share(&mut self, subject: &Value, rights: u8, limits: Value) {
        let arguments = json!({ "slot": 0, "subject": subject, "rights": rights, "limits": limits });
        let shared = self.ask("owner", "share", arguments);
        self.service("publish", json!({ "message": shared["message"] }));
    }

    /// A guest with an account; gives the account's key.
    fn guest(&mut self, name: &str) -> Value {
        self.ask("guest", "make", json!({ "as": name, "seed": hex(bytes32(name)) }))["key"].clone()
    }

    fn claim(&mut self, guest: &str) {
        let entropy = self.entropy("the nonce of the request", 16);
        let arguments = json!({ "as": guest, "service": service_key(), "time": NOON, "entropy": entropy });
        let asked = self.ask("guest", "ask", arguments);
        let found = self.ask("service", "find", json!({ "message": asked["message"], "time": NOON }));
        let entropy = self.entropy("the seed of the device key", 32);
        self.ask("guest", "claim", json!({ "as": guest, "grant": found["grant"], "entropy": entropy }));
    }

    /// As far as the bundle.
    fn released(&mut self, guest: &str) -> (Value, Value) {
        let given = self.challenge("Install");
        let entropy = self.entropy("the guest's X25519 secret", 32);
        let arguments = json!({ "as": guest, "challenge": given["challenge"], "entropy": entropy });
        let attempt = self.ask("guest", "install", arguments);
        let released = self.service("release", json!({ "claim": attempt["claim"], "install": attempt["install"] }));
        let bundle = self.ask("guest", "bundle", json!({ "as": guest, "release": released["message"] }));
        (given, bundle["message"].clone())
    }

    fn installed(&mut self, guest: &str) {
        let (given, bundle) = self.released(guest);
        let installed = self.at_lock("install", &given, &bundle);
        let found = self.ask("guest", "finish", json!({ "as": guest, "answer": installed["answer"] }));
        self.service("confirm", json!({ "message": found["receipt"] }));
    }

    fn download(&mut self, guest: &str) {
        self.claim(guest);
        self.installed(guest);
    }

    fn unlock(&mut self, guest: &str, action: &str) -> (Value, Value) {
        let given = self.challenge("Operate");
        let entropy = self.entropy("the guest's nonce", 16);
        let arguments = json!({ "as": guest, "challenge": given["challenge"], "action": action, "entropy": entropy });
        let message = self.ask("guest", "unlock", arguments)["message"].clone();
        (given, message)
    }

    fn opens(&mut self, guest: &str, action: &str) {
        let (given, message) = self.unlock(guest, action);
        let done = self.at_lock("unlock", &given, &message);
        self.ask("guest", "reply", json!({ "as": guest, "answer": done["answer"] }));
    }

    fn fails(&mut self, guest: &str, error: &str, told: &str) {
        let (given, message) = self.unlock(guest, "Open");
        let answer = self.refused_at_lock("unlock", &given, &message, error);
        self.refused("guest", "reply", json!({ "as": guest, "answer": answer }), told);
    }

    fn withdraw(&mut self) {
        let message = self.ask("owner", "withdraw", json!({ "slot": 0 }))["message"].clone();
        let answer = self.service("withdraw", json!({ "message": message }));
        self.ask("owner", "learn", json!({ "message": answer["message"] }));
        self.status();
    }

    /// The owner asks, and takes in what the service answers.
    fn see(&mut self) {
        let entropy = self.entropy("the nonce of the request", 16);
        let asked = self.ask("owner", "ask", json!({ "slot": 0, "time": NOON, "entropy": entropy }));
        let report = self.service("report", json!({ "message": asked["message"], "time": NOON }));
        self.ask("owner", "see", json!({ "pending": asked["pending"], "answer": report["answer"] }));
        self.status();
    }

    fn status(&mut self) {
        self.ask("owner", "status", json!({ "slot": 0 }));
    }

    fn case(self, rule: &str) -> Value {
        self.scene.case(&self.name, rule)
    }
}

fn service_key() -> Value {
    super::peer::form::key(&super::keys::public("service"))
}

fn request(role: &str, op: &str, arguments: Value) -> Value {
    let mut request = arguments;
    (request["role"], request["op"]) = (role.into(), op.into());
    request
}

pub fn file() -> Value {
    let cases = vec![
        shared_with_an_account(),
        shared_by_a_code(),
        revoked(),
        reset_and_overwritten(),
        closed_at_the_lock(),
        receipt_lost(),
        sold(),
        made_anew(),
    ];
    super::file(
        "Whole runs: each step is a request to one role and its reply. The bytes that one role gives are what the next one \
         gets. rule names what a run shows best.",
        json!({}),
        cases,
    )
}

fn shared_with_an_account() -> Value {
    let mut story = Story::begin("shared with an account");
    let ana = story.guest("ana");
    let limits = json!({
        "from": NOON - 60, "until": NOON + 86_400, "uses": 2,
        "schedule": { "days": 127, "start": 0, "end": 1440, "offset": 60, "next": { "at": NOON, "offset": 120 } },
    });
    story.order("set_clock", json!({ "to": NOON }));
    story.share(&ana, 3, limits);
    story.see();
    story.download("ana");
    story.opens("ana", "Open");
    story.see();
    story.ask("lock", "reboot", json!({}));
    story.opens("ana", "Lock");
    story.opens("ana", "Open");
    story.fails("ana", "UsesSpent", "Refused.UsesSpent");
    story.clock = (NOON + 86_400).into();
    story.fails("ana", "Expired", "Refused.Expired");
    story.ask("lock", "status", json!({}));
    story.case("UNL-12")
}

fn shared_by_a_code() -> Value {
    let mut story = Story::begin("shared by a code");
    let entropy = story.entropy("the 18 data symbols, a byte each", 18);
    let code = story.ask("owner", "issue", json!({ "entropy": entropy }))["code"].as_str().unwrap().to_owned();
    let arguments = json!({ "slot": 0, "code": code, "rights": 1, "limits": null });
    let shared = story.ask("owner", "share_by_code", arguments);
    story.service("publish", json!({ "message": shared["message"] }));
    let typed = code.to_lowercase().replace('-', " ");
    story.ask("guest", "make", json!({ "as": "ben", "code": typed }));
    story.download("ben");
    story.opens("ben", "Open");
    story.see();
    story.case("COD-12")
}

fn revoked() -> Value {
    let mut story = Story::begin("revoked before the download");
    let ana = story.guest("ana");
    story.share(&ana, 3, Value::Null);
    story.claim("ana");
    story.withdraw();
    let given = story.challenge("Install");
    let entropy = story.entropy("the guest's X25519 secret", 32);
    let arguments = json!({ "as": "ana", "challenge": given["challenge"], "entropy": entropy });
    let attempt = story.ask("guest", "install", arguments);
    let lock = story.lock_id();
    let arguments = json!({ "lock": lock, "slot": 0, "claim": attempt["claim"], "install": attempt["install"] });
    story.refused("service", "release", arguments, "NothingShared");
    story.see();
    story.case("SLO-22")
}

fn reset_and_overwritten() -> Value {
    let mut story = Story::begin("reset after the download, and overwritten");
    let (ana, ben) = (story.guest("ana"), story.guest("ben"));
    story.share(&ana, 3, Value::Null);
    story.download("ana");
    story.see();
    story.withdraw();
    story.opens("ana", "Open");
    story.share(&ben, 1, Value::Null);
    story.see();
    story.download("ben");
    story.opens("ben", "Open");
    story.fails("ana", "UnlockMac", "RefusedOpaquely");
    story.see();
    story.case("GEN-1")
}

fn closed_at_the_lock() -> Value {
    let mut story = Story::begin("closed at the lock");
    let ana = story.guest("ana");
    story.share(&ana, 3, Value::Null);
    story.download("ana");
    story.order("deactivate", json!({ "slot": 0 }));
    story.fails("ana", "NotInstalled", "RefusedOpaquely");
    story.status();
    story.order("inspect", json!({ "slot": 0 }));
    story.order("activate", json!({ "slot": 0 }));
    story.see();
    story.case("SLO-29")
}

fn receipt_lost() -> Value {
    let mut story = Story::begin("the receipt was lost");
    let ana = story.guest("ana");
    story.share(&ana, 3, json!({ "from": null, "until": null, "schedule": null, "uses": 1 }));
    story.claim("ana");
    let (given, bundle) = story.released("ana");
    story.at_lock("install", &given, &bundle);
    // Nobody got the answer. The owner learns of the key from the lock; the guest asks again.
    story.order("inspect", json!({ "slot": 0 }));
    story.status();
    story.installed("ana");
    story.opens("ana", "Open");
    story.fails("ana", "UsesSpent", "Refused.UsesSpent");
    story.see();
    story.case("GEN-2")
}

fn sold() -> Value {
    let mut story = Story::begin("sold");
    let ana = story.guest("ana");
    story.share(&ana, 3, Value::Null);
    story.download("ana");
    let service = service_key();
    let otto = story.ask("owner", "make", json!({ "as": "otto", "seed": hex(bytes32("otto")) }))["key"].clone();
    let done = story.order("transfer", json!({ "owner": otto, "service": service }));
    let lock = story.lock_id();
    let adopted = json!({ "as": "otto", "lock": lock, "service": service, "statement": done["answer"] });
    story.ask("owner", "adopt", adopted);
    story.service("reopen", json!({ "statement": done["answer"] }));
    story.fails("ana", "NotInstalled", "RefusedOpaquely");
    let given = story.challenge("Operate");
    let entropy = story.entropy("the owner's nonce", 16);
    let arguments = json!({ "as": "otto", "slot": 0, "challenge": given["challenge"], "entropy": entropy });
    let sent = story.ask("owner", "inspect", arguments);
    let done = story.at_lock("command", &given, &sent["message"]);
    story.ask("owner", "done", json!({ "as": "otto", "pending": sent["pending"], "answer": done["answer"] }));
    story.ask("owner", "status", json!({ "as": "otto", "slot": 0 }));
    story.ask("owner", "status", json!({ "slot": 0 }));
    story.case("OPR-7")
}

fn made_anew() -> Value {
    let mut story = Story::begin("made anew by the card");
    let ana = story.guest("ana");
    story.share(&ana, 3, Value::Null);
    story.download("ana");
    let given = story.challenge("Operate");
    let body = sharekey::message::FactoryReset {
        lock: sharekey::id::LockId::new(sharekey::crypto::PublicKey::from_bytes(
            super::bench::bytes(&story.lock_id()).try_into().unwrap(),
        )),
        nonce: sharekey::crypto::Nonce::from_bytes(*super::bench::bytes(&given["challenge"]).last_chunk().unwrap()),
    };
    let message = hex(super::forge::tagged(&body, &card()));
    story.at_lock("reset", &given, &message);
    let entropy = story.entropy("the seed", 32);
    story.ask("lock", "make", json!({ "entropy": entropy }));
    story.provision();
    let given = story.challenge("Operate");
    let entropy = story.entropy("the guest's nonce", 16);
    let arguments = json!({ "as": "ana", "challenge": given["challenge"], "action": "Open", "entropy": entropy });
    story.refused("guest", "unlock", arguments, "WrongLock");
    story.ask("lock", "status", json!({}));
    story.case("RST-7")
}
