//! A lock on a bench: every message to it is made by hand, under keys that the bench knows. Not the stage's stand: what is
//! asked and answered is JSON, which is what the files hold, and who plays is told by name.

use crate::provider::Provider;
use serde_json::{Value, json};
use sharekey::counter::{Epoch, Generation, Term};
use sharekey::crypto::Nonce;
use sharekey::error::RefuseReason;
use sharekey::id::{LockId, SlotId};
use sharekey::limits::{Action, Limits, Rights, Timestamp};
use sharekey::message::{Battery, Command, Grant, Operation, Outcome, Provision, RefusedBody, Reply, Unlock};
use sharekey::wire::Unverified;

use sharekey_stage::chain::Chain;
use sharekey_stage::ops::To;

use super::forge;
use super::keys::{self, bytes32, card, digest, draw, nonce, public, seed};
use super::peer::form::hex;
use super::peer::request::unhex;
use super::scene::Scene;

/// 2026-12-01T12:00:00Z, a Tuesday.
pub const NOON: u64 = 1_796_126_400;
/// How full its battery is, in percent.
pub const BATTERY: u8 = 62;

pub struct Bench {
    pub scene: Scene,
    pub id: LockId,
    pub epoch: u32,
    pub ticks: u64,
    pub clock: Value,
    label: String,
    draws: usize,
    recording: bool,
}

/// A challenge that was given: its nonce, and the session.
#[derive(Clone, Copy)]
pub struct Given {
    pub nonce: Nonce,
    pub session: u64,
}

/// An installed key, as the guest holds it.
#[derive(Clone, Copy)]
pub struct Key {
    pub slot: u8,
    pub pairing: [u8; 32],
}

impl Key {
    pub fn unlock(&self, action: Action, given: Given) -> Vec<u8> {
        let unlock = Unlock {
            slot: SlotId::new(self.slot),
            action,
            lock_nonce: given.nonce,
            guest_nonce: nonce("guest's nonce"),
        };
        forge::tagged(&unlock, &self.pairing)
    }

    /// The reply that says why not.
    pub fn reply(&self, unlock: &[u8], reason: RefuseReason) -> Vec<u8> {
        let unlock = sharekey::crypto::Tag::from_bytes(*unlock.last_chunk().unwrap());
        let battery = Battery::at(BATTERY);
        forge::tagged(&Reply { outcome: Outcome::Refused { reason }, unlock, battery }, &self.pairing)
    }
}

/// The bytes of a text in a reply.
pub fn bytes(value: &Value) -> Vec<u8> {
    unhex(value.as_str().unwrap()).unwrap()
}

impl Bench {
    /// A lock that was made, and has no owner. Nothing is recorded yet.
    pub fn fresh(label: &str) -> Self {
        let mut scene = Scene::default();
        let entropy = [draw("the seed", "the lock on the bench", 32)];
        let made = scene.ask(json!({ "role": "lock", "op": "make", "card": hex(card()), "entropy": entropy }));
        let id: [u8; 32] = bytes(&made["lock"]).try_into().unwrap();
        Self {
            scene,
            id: LockId::new(sharekey::crypto::PublicKey::from_bytes(id)),
            epoch: 1,
            ticks: 1_000,
            clock: NOON.into(),
            label: label.to_owned(),
            draws: 0,
            recording: false,
        }
    }

    pub fn provisioned(label: &str) -> Self {
        let mut bench = Self::fresh(label);
        let given = bench.challenge("Operate");
        let provision = forge::tagged(&bench.provision_body(given), &card());
        bench.send("provision", given, &provision);
        bench
    }

    /// Slot 0 was activated with number 1.
    pub fn active(label: &str) -> Self {
        let mut bench = Self::provisioned(label);
        bench.activate(0, 1);
        bench
    }

    /// A key of these rights and limits, number 2, is installed in slot 0. Where those need the time, the owner set the
    /// clock.
    pub fn installed(label: &str, rights: Rights, limits: Limits) -> (Self, Key) {
        let mut bench = Self::active(label);
        if limits.valid_from().is_some() || limits.valid_until().is_some() || limits.schedule().is_some() {
            bench.command(Operation::SetClock { to: Timestamp::from_unix_seconds(NOON) });
        }
        let key = bench.download(0, 2, |chain| (chain.grant.rights, chain.grant.limits) = (rights, limits));
        (bench, key)
    }

    /// From here on every step is kept: the lock boots with its records as they are now.
    pub fn record(mut self) -> Self {
        let records = self.scene.ask(json!({ "role": "lock", "op": "records" }))["records"].clone();
        self.record_with(records)
    }

    /// The same with some records damaged, by the number of the cell: `null` is missing.
    pub fn record_damaged(mut self, damage: &[(u64, Option<Vec<u8>>)]) -> Self {
        let mut records = self.records();
        for (cell, bytes) in damage {
            let records = records.as_object_mut().unwrap();
            match bytes {
                Some(bytes) => records.insert(cell.to_string(), hex(bytes)),
                None => records.remove(&cell.to_string()),
            };
        }
        self.record_with(records)
    }

    pub fn records(&mut self) -> Value {
        self.scene.ask(json!({ "role": "lock", "op": "records" }))["records"].clone()
    }

    fn record_with(mut self, records: Value) -> Self {
        self.scene = Scene::recorded();
        (self.recording, self.ticks) = (true, 0);
        self.scene.ask(json!({ "role": "lock", "op": "load", "card": hex(card()), "records": records }));
        self
    }

    pub fn now(&self) -> Value {
        json!({ "ticks": self.ticks, "clock": self.clock, "battery": BATTERY })
    }

    /// Entropy that no other case draws.
    fn draw(&mut self, what: &str) -> Value {
        self.draws += 1;
        let name = if self.recording { self.label.as_str() } else { "before" };
        json!([draw(what, &format!("{name} {}", self.draws), 32)])
    }

    pub fn challenge_request(&mut self, purpose: &str) -> Value {
        let entropy = self.draw("the nonce");
        json!({ "role": "lock", "op": "challenge", "purpose": purpose, "now": self.now(), "entropy": entropy })
    }

    pub fn challenge(&mut self, purpose: &str) -> Given {
        let request = self.challenge_request(purpose);
        let given = self.scene.ask(request);
        let nonce = Nonce::from_bytes(*bytes(&given["challenge"]).last_chunk().unwrap());
        Given { nonce, session: given["session"].as_u64().unwrap() }
    }

    pub fn request(&mut self, op: &str, given: Given, message: &[u8]) -> Value {
        let (session, now) = (given.session.into(), self.now());
        with_role(op, lock_arguments(op, (session, hex(message), now), |what| self.draw(what)))
    }

    #[track_caller]
    pub fn send(&mut self, op: &str, given: Given, message: &[u8]) -> Value {
        let request = self.request(op, given, message);
        self.scene.ask(request)
    }

    /// Refused before anything was authenticated: nothing but the header.
    #[track_caller]
    pub fn opaque(&mut self, op: &str, given: Given, message: &[u8], error: &str) {
        let request = self.request(op, given, message);
        let reply = self.scene.refused(request, error);
        assert_eq!(reply["answer"], "534b010e", "{error}");
    }

    /// Refused with a reason, under the lock's signature.
    #[track_caller]
    pub fn signed(&mut self, op: &str, given: Given, message: &[u8], (error, reason): (&str, RefuseReason)) {
        let request = self.request(op, given, message);
        let reply = self.scene.refused(request, error);
        let answer = bytes(&reply["answer"]);
        let answer = Unverified::<RefusedBody>::parse(&answer).unwrap().verify(&Provider, self.id.key()).unwrap();
        assert_eq!((answer.request, answer.reason), (digest(message), reason), "{error}");
    }

    /// An unlock that is refused with a reason, under the pairing key.
    #[track_caller]
    pub fn replied(&mut self, given: Given, key: &Key, action: Action, (error, reason): (&str, RefuseReason)) {
        let message = key.unlock(action, given);
        let request = self.request("unlock", given, &message);
        let reply = self.scene.refused(request, error);
        assert_eq!(bytes(&reply["answer"]), key.reply(&message, reason), "{error}");
    }

    pub fn provision_body(&self, given: Given) -> Provision {
        let owner_nonce = nonce("owner's nonce");
        Provision { lock_nonce: given.nonce, owner_nonce, owner: public("owner"), service: public("service") }
    }

    pub fn command_body(&self, given: Given, operation: Operation) -> Command {
        let owner_nonce = nonce("owner's nonce");
        let (lock, epoch, by) = (self.id, Epoch::new(self.epoch), Term::OWNER);
        Command { lock, epoch, by, lock_nonce: given.nonce, owner_nonce, operation }
    }

    pub fn order(&self, given: Given, operation: Operation) -> Vec<u8> {
        forge::signed(&self.command_body(given, operation), &seed("owner"))
    }

    pub fn command(&mut self, operation: Operation) -> Value {
        let given = self.challenge("Operate");
        let message = self.order(given, operation);
        self.send("command", given, &message)
    }

    pub fn activate(&mut self, slot: u8, generation: u32) {
        self.command(Operation::Activate { slot: SlotId::new(slot), generation: Generation::new(generation) });
    }

    pub fn deactivate(&mut self, slot: u8, generation: u32) {
        self.command(Operation::Deactivate { slot: SlotId::new(slot), generation: Generation::new(generation) });
    }

    /// Hands the lock to the same owner and service: a new epoch.
    pub fn transfer(&mut self) {
        self.command(Operation::Transfer { owner: public("owner"), service: public("service") });
        self.epoch += 1;
    }

    /// A chain that this lock accepts in the session of this challenge.
    pub fn chain(&self, given: Given, slot: u8, generation: u32) -> Chain {
        let grant = Grant {
            lock: self.id,
            epoch: Epoch::new(self.epoch),
            by: Term::OWNER,
            slot: SlotId::new(slot),
            generation: Generation::new(generation),
            subject: public("subject"),
            rights: Rights::OPEN_AND_LOCK,
            limits: Limits::NONE,
        };
        let agreement = keys::agreement("guest's agreement");
        let [owner, subject, device, service] = ["owner", "subject", "device", "service"].map(seed);
        Chain { grant, owner, subject, device, service, nonce: given.nonce, agreement }
    }

    pub fn download(&mut self, slot: u8, generation: u32, change: impl FnOnce(&mut Chain)) -> Key {
        let given = self.challenge("Install");
        let mut chain = self.chain(given, slot, generation);
        change(&mut chain);
        let installed = self.send("install", given, &chain.parts().unchecked_bundle());
        key_of(&bytes(&installed["answer"]))
    }

    #[track_caller]
    pub fn unlock(&mut self, key: &Key, action: Action) -> Value {
        let given = self.challenge("Operate");
        self.send("unlock", given, &key.unlock(action, given))
    }

    pub fn case(self, rule: &str) -> Value {
        let Self { scene, label, .. } = self;
        scene.case(&label, rule)
    }
}

/// What a call of the lock is asked with: the session, the message and the time, and what else its row says.
pub fn lock_arguments(
    op: &str,
    (session, message, now): (Value, Value, Value),
    draw: impl FnOnce(&str) -> Value,
) -> Value {
    let call = To::named(op).unwrap_or_else(|| panic!("a lock has no call {op}")).row();
    let mut arguments = json!({ "session": session, "message": message, "now": now });
    if let Some(what) = call.draws {
        arguments["entropy"] = draw(what);
    }
    if call.presence {
        arguments["presence"] = true.into();
    }
    arguments
}

fn with_role(op: &str, mut request: Value) -> Value {
    (request["role"], request["op"]) = ("lock".into(), op.into());
    request
}

/// The guest's copy of the key that a receipt proves, where the agreement was the bench's own.
fn key_of(receipt: &[u8]) -> Key {
    let (slot, pairing) = forge::pairing(receipt, &keys::agreement_secret("guest's agreement"));
    Key { slot: slot.index(), pairing }
}

/// Under nobody's key: what a wrong tag is made with.
pub fn other_secret() -> [u8; 32] {
    bytes32("another secret")
}
