//! `service_errors.json`: what a service refuses, and what it does.

use serde_json::{Value, json};
use sharekey::counter::Epoch;
use sharekey::crypto::PublicKey;
use sharekey::id::SlotId;
use sharekey::limits::Action;
use sharekey::message::{Claim, Completed, Grant, Holding, Install, Provisioned, Receipt, Withdraw};

use super::bad;
use super::desk::{
    SLOT, activated, by_lock, claim_of, deactivated, done, grant, grant_body, inspected, install_of, receipt,
    receipt_body, statement, transfer_done, twin, withdraw, withdraw_body,
};
use super::forge::{frame, signed};
use super::keys::{digest, lock, public, seed, signing};
use super::peer::form::{hex, key};
use super::scene::Scene;

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
    fn sharing(name: &str) -> Self {
        let mut cloud = Self::active(name);
        cloud.message("publish", &grant(2));
        cloud
    }

    /// And released.
    fn shared(name: &str) -> Self {
        let mut cloud = Self::sharing(name);
        cloud.release(&grant(2), "device", "challenge");
        cloud
    }

    fn request(op: &str, arguments: &[(&str, &[u8])]) -> Value {
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
    fn refuses(&mut self, op: &str, message: &[u8], error: &str) {
        self.scene.refused(Self::request(op, &[("message", message)]), error);
    }

    fn release_request(grant: &[u8], device: &str, challenge: &str) -> Value {
        let claim = claim_of(grant, device);
        let install = install_of(&claim, device, challenge);
        Self::request("release", &[("claim", &claim), ("install", &install)])
    }

    #[track_caller]
    fn release(&mut self, grant: &[u8], device: &str, challenge: &str) -> Value {
        self.scene.ask(Self::release_request(grant, device, challenge))
    }

    fn state(&mut self) {
        self.scene.ask(Self::request("state", &[]));
    }

    fn case(mut self, rule: &str) -> Value {
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
    cases.extend(publications());
    cases.extend(withdrawals());
    cases.extend(releases());
    cases.extend(receipts());
    cases.extend(dones());
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
fn refusal(cloud: Cloud, rule: &str, op: &str, message: &[u8], error: &str) -> Value {
    let mut cloud = cloud;
    cloud.refuses(op, message, error);
    cloud.case(rule)
}

fn publications() -> Vec<Value> {
    let by_owner = |body: &Grant| signed(body, &seed("owner"));
    let body = grant_body(2);
    let small = Grant { subject: PublicKey::from_bytes([0; 32]), ..body };
    let active = |name: &str| Cloud::active(name);
    let mut cases = vec![
        refusal(active("publish a grant cut short"), "SVC-6", "publish", &grant(2)[..100], "Wire.Truncated"),
        refusal(active("publish a withdrawal"), "SVC-6", "publish", &withdraw(&grant(2), 2), "Wire.Kind"),
        refusal(
            active("publish a stranger's grant"),
            "SVC-6",
            "publish",
            &signed(&body, &seed("stranger")),
            "GrantSignature.Mismatch",
        ),
        refusal(
            active("publish a grant for another lock"),
            "SLO-9",
            "publish",
            &by_owner(&Grant { lock: lock("stranger"), ..body }),
            "WrongLock",
        ),
        refusal(
            active("publish a grant of another epoch"),
            "SVC-3",
            "publish",
            &by_owner(&Grant { epoch: Epoch::new(2), ..body }),
            "WrongEpoch",
        ),
        refusal(
            active("publish a grant for another slot"),
            "SLO-9",
            "publish",
            &by_owner(&Grant { slot: SlotId::new(2), ..body }),
            "WrongSlot",
        ),
        refusal(
            active("publish a grant to a key of small order: its number is taken"),
            "SVC-18",
            "publish",
            &by_owner(&small),
            "SubjectKey.SmallOrder",
        ),
        refusal(active("publish at the highest number"), "SLO-8", "publish", &grant(1), "Slot.StaleNumber"),
        refusal(
            Cloud::opened("publish in a closed slot: its number is taken"),
            "SLO-11",
            "publish",
            &grant(9),
            "Slot.NotActive",
        ),
        refusal(
            Cloud::sharing("publish while another is shared: its number is taken"),
            "SLO-11",
            "publish",
            &grant(7),
            "Slot.AlreadyShared",
        ),
        refusal(Cloud::sharing("publish the same grant again"), "SLO-8", "publish", &grant(2), "Slot.AlreadyPublished"),
        refusal(
            Cloud::sharing("publish another grant of the same number"),
            "SLO-8",
            "publish",
            &twin(2),
            "Slot.StaleNumber",
        ),
        refusal(Cloud::shared("publish while one is released"), "SLO-11", "publish", &grant(3), "Slot.AlreadyShared"),
    ];
    let mut cloud = Cloud::active("a refused publication took its number");
    cloud.refuses("publish", &by_owner(&small), "SubjectKey.SmallOrder");
    cloud.refuses("publish", &grant(2), "Slot.StaleNumber");
    cloud.message("publish", &grant(3));
    cases.push(cloud.case("SLO-9"));
    let mut cloud = Cloud::active("publish while 16 keys are live");
    for n in 2..18 {
        cloud.message("publish", &grant(n));
        cloud.release(&grant(n), "device", "challenge");
        cloud.message("withdraw", &withdraw(&grant(n), n));
    }
    cloud.refuses("publish", &grant(18), "Slot.LiveFull");
    cloud.message("confirm", &receipt(&grant(10), 10));
    cloud.message("publish", &grant(19));
    cases.push(cloud.case("SLO-12"));
    cases
}

fn withdrawals() -> Vec<Value> {
    let body = withdraw_body(&grant(2), 2);
    let by_owner = |body: &Withdraw| signed(body, &seed("owner"));
    let sharing = |name: &str| Cloud::sharing(name);
    let mut cases = vec![
        refusal(
            sharing("a withdrawal cut short"),
            "SVC-7",
            "withdraw",
            &withdraw(&grant(2), 2)[..140],
            "Wire.Truncated",
        ),
        refusal(
            sharing("a stranger's withdrawal"),
            "SVC-7",
            "withdraw",
            &signed(&body, &seed("stranger")),
            "WithdrawSignature.Mismatch",
        ),
        refusal(
            sharing("a withdrawal for another lock"),
            "SLO-16",
            "withdraw",
            &by_owner(&Withdraw { lock: lock("stranger"), ..body }),
            "WrongLock",
        ),
        refusal(
            sharing("a withdrawal of another epoch"),
            "SVC-3",
            "withdraw",
            &by_owner(&Withdraw { epoch: Epoch::ZERO, ..body }),
            "WrongEpoch",
        ),
        refusal(
            sharing("a withdrawal for another slot"),
            "SLO-16",
            "withdraw",
            &by_owner(&Withdraw { slot: SlotId::new(0), ..body }),
            "WrongSlot",
        ),
    ];
    let answered = |mut cloud: Cloud, rule: &str, withdrawals: &[(Vec<u8>, u32)]| {
        for (grant, n) in withdrawals {
            cloud.message("withdraw", &withdraw(grant, *n));
        }
        cloud.case(rule)
    };
    cases.push(answered(sharing("a revocation, and again"), "SLO-21", &[(grant(2), 2), (grant(2), 2)]));
    cases.push(answered(Cloud::shared("a reset, and again"), "SLO-19", &[(grant(2), 2), (grant(2), 2)]));
    cases.push(answered(
        sharing("a withdrawal of another grant ends no share"),
        "SLO-18",
        &[(twin(2), 2), (grant(9), 9)],
    ));
    cases.push(answered(Cloud::active("a withdrawal before the publication"), "SLO-10", &[(grant(2), 2)]));
    let mut cloud = Cloud::active("a grant that was withdrawn first is not published");
    cloud.message("withdraw", &withdraw(&grant(2), 2));
    cloud.refuses("publish", &grant(2), "Slot.StaleNumber");
    cases.push(cloud.case("SLO-10"));
    let mut cloud = Cloud::sharing("a grant that was withdrawn is not released");
    cloud.message("withdraw", &withdraw(&grant(2), 2));
    cloud.scene.refused(Cloud::release_request(&grant(2), "device", "challenge"), "NothingShared");
    cases.push(cloud.case("SLO-22"));
    let mut cloud = Cloud::shared("a withdrawal after an overwriting receipt is settled");
    cloud.message("withdraw", &withdraw(&grant(2), 2));
    cloud.message("publish", &grant(3));
    cloud.release(&grant(3), "other device", "challenge");
    cloud.message("confirm", &by_lock(&receipt_body(&grant(3), 3, "other device")));
    cloud.message("withdraw", &withdraw(&grant(2), 2));
    cases.push(cloud.case("SLO-20"));
    let mut cloud = Cloud::shared("a withdrawal after a deactivation is settled");
    cloud.message("done", &done(deactivated(3)));
    cloud.message("withdraw", &withdraw(&grant(2), 2));
    cases.push(cloud.case("SLO-20"));
    cases
}

fn releases() -> Vec<Value> {
    let (good, other) = (claim_of(&grant(2), "device"), claim_of(&grant(2), "other device"));
    let install = install_of(&good, "device", "challenge");
    let stranger = Claim { grant: digest(&grant(2)), device: public("device") };
    let strangers_claim = signed(&stranger, &seed("stranger"));
    let body = Install {
        claim: digest(&good),
        nonce: super::keys::nonce("challenge"),
        agreement: super::keys::agreement("guest's agreement"),
    };
    let small = PublicKey::from_bytes(bad::array(bad::SMALL_ORDER_Y[1]));
    let small_claim = signed(&Claim { grant: digest(&grant(2)), device: small }, &seed("subject"));
    let small_install = bad::sign_as_identity(frame(&Install { claim: digest(&small_claim), ..body }));
    let refused = |cloud: Cloud, rule: &str, claim: &[u8], install: &[u8], error: &str| {
        let mut cloud = cloud;
        cloud.scene.refused(Cloud::request("release", &[("claim", claim), ("install", install)]), error);
        cloud.case(rule)
    };
    let sharing = |name: &str| Cloud::sharing(name);
    let twin_claim = claim_of(&twin(2), "device");
    vec![
        refused(sharing("release: a claim cut short"), "SVC-8", &good[..131], &install, "Wire.Truncated"),
        refused(sharing("release: an install of another kind"), "SVC-10", &good, &good, "Wire.Kind"),
        refused(Cloud::active("release: nothing is shared"), "SVC-8", &good, &install, "NothingShared"),
        refused(
            sharing("release: a claim of another grant"),
            "SVC-8",
            &twin_claim,
            &install_of(&twin_claim, "device", "challenge"),
            "ClaimNamesOtherGrant",
        ),
        refused(
            sharing("release: a stranger's claim"),
            "SVC-9",
            &strangers_claim,
            &install_of(&strangers_claim, "device", "challenge"),
            "ClaimSignature.Mismatch",
        ),
        refused(
            sharing("release: an install on another claim"),
            "SVC-10",
            &good,
            &install_of(&other, "device", "challenge"),
            "InstallNamesOtherClaim",
        ),
        refused(
            sharing("release: a stranger's install"),
            "SVC-11",
            &good,
            &signed(&body, &seed("stranger")),
            "InstallSignature.Mismatch",
        ),
        refused(
            sharing("release: a device whose key is of small order"),
            "SVC-11",
            &small_claim,
            &small_install,
            "InstallSignature.Key.SmallOrder",
        ),
        refused(
            Cloud::shared("release: another device"),
            "SVC-13",
            &other,
            &install_of(&other, "other device", "challenge"),
            "Slot.ClaimedByOtherDevice",
        ),
        {
            let mut cloud = Cloud::shared("release again, to the same device");
            cloud.release(&grant(2), "device", "another challenge");
            cloud.message("withdraw", &withdraw(&grant(2), 2));
            cloud.case("SLO-19")
        },
    ]
}

fn receipts() -> Vec<Value> {
    let body = receipt_body(&grant(2), 2, "device");
    let shared = |name: &str| Cloud::shared(name);
    let refused =
        |name: &str, rule: &str, message: &[u8], error: &str| refusal(shared(name), rule, "confirm", message, error);
    let mut cases = vec![
        refused("a receipt cut short", "SVC-14", &receipt(&grant(2), 2)[..236], "Wire.Truncated"),
        refused("a stranger's receipt", "SVC-14", &signed(&body, &seed("stranger")), "ReceiptSignature.Mismatch"),
        refused(
            "a receipt of another lock",
            "SVC-14",
            &by_lock(&Receipt { lock: lock("stranger"), ..body }),
            "WrongLock",
        ),
        refused(
            "a receipt of another epoch",
            "SLO-39",
            &by_lock(&Receipt { epoch: Epoch::new(2), ..body }),
            "WrongEpoch",
        ),
        refused(
            "a receipt of another slot",
            "SVC-14",
            &by_lock(&Receipt { slot: SlotId::new(0), ..body }),
            "WrongSlot",
        ),
    ];
    let confirmed = |name: &str, rule: &str, cloud: fn(&str) -> Cloud, receipts: &[Vec<u8>]| {
        let mut cloud = cloud(name);
        for receipt in receipts {
            cloud.message("confirm", receipt);
        }
        cloud.case(rule)
    };
    cases.push(confirmed(
        "the receipt, and again",
        "SLO-28",
        Cloud::shared,
        &[receipt(&grant(2), 2), receipt(&grant(2), 2)],
    ));
    cases.push(confirmed(
        "a receipt of a grant that was never published",
        "SLO-41",
        Cloud::sharing,
        &[receipt(&grant(5), 5)],
    ));
    cases.push(confirmed("a receipt at the proven floor", "SLO-24", Cloud::active, &[receipt(&grant(1), 1)]));
    cases.push(confirmed("a receipt of a twin ends the share", "SLO-41", Cloud::shared, &[receipt(&twin(2), 2)]));
    cases
}

fn dones() -> Vec<Value> {
    let shared = |name: &str| Cloud::shared(name);
    let refused =
        |name: &str, rule: &str, message: &[u8], error: &str| refusal(shared(name), rule, "done", message, error);
    let body = super::desk::done_body(super::keys::some_digest("a command"), activated(3));
    let other = |epoch| by_lock(&sharekey::message::Done { epoch: Epoch::new(epoch), ..body });
    let elsewhere = Completed::Inspect {
        slot: SlotId::new(0),
        left: sharekey::message::SlotReport { floor: super::desk::number(1), holding: Holding::Empty },
    };
    let mut cases = vec![
        refused("a done cut short", "SVC-14", &done(activated(3))[..80], "Wire.Truncated"),
        refused("a stranger's done", "SVC-14", &signed(&body, &seed("stranger")), "DoneSignature.Mismatch"),
        refused(
            "a done of another lock",
            "SVC-14",
            &by_lock(&sharekey::message::Done { lock: lock("stranger"), ..body }),
            "WrongLock",
        ),
        refused("a done of another epoch", "SLO-39", &other(2), "WrongEpoch"),
        refused("a done of another slot", "SVC-14", &done(elsewhere), "WrongSlot"),
        refused("a done of an act", "SVC-14", &done(Completed::Act { action: Action::Open }), "NotOfASlot"),
        refused("a transfer for a done", "SVC-14", &transfer_done(public("owner"), public("service"), 2), "NotOfASlot"),
    ];
    let after = |name: &str, rule: &str, cloud: fn(&str) -> Cloud, dones: &[Completed]| {
        let mut cloud = cloud(name);
        for completed in dones {
            cloud.message("done", &done(*completed));
        }
        cloud.case(rule)
    };
    let holder = Holding::Installed { grant: digest(&grant(2)), device: public("device") };
    cases.extend([
        after("activate again", "SLO-30", Cloud::shared, &[activated(3)]),
        after("activate below the share", "SLO-30", Cloud::shared, &[activated(1)]),
        after("deactivate", "SLO-29", Cloud::shared, &[deactivated(3)]),
        after(
            "deactivate below the share",
            "SLO-40",
            |name| {
                let mut cloud = Cloud::active(name);
                cloud.message("publish", &grant(5));
                cloud.release(&grant(5), "device", "challenge");
                cloud
            },
            &[deactivated(3)],
        ),
        after("an old activation after a deactivation", "SLO-32", Cloud::shared, &[deactivated(9), activated(4)]),
        after("inspect: the key is installed", "SLO-35", Cloud::shared, &[inspected(2, holder)]),
        after("inspect: nothing is installed", "SLO-34", Cloud::shared, &[inspected(2, Holding::Empty)]),
        after("inspect: nothing yet", "SLO-33", Cloud::shared, &[inspected(1, Holding::Empty)]),
        after("inspect: inactive says nothing of active", "SLO-36", Cloud::sharing, &[inspected(9, Holding::Inactive)]),
    ]);
    cases
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
    let mut cases = vec![cloud.case("SLO-37")];
    let mut cloud = Cloud::active("the messages for the owner");
    cloud.message("publish", &grant(2));
    cloud.release(&grant(2), "device", "challenge");
    cloud.message("confirm", &receipt(&grant(2), 2));
    cloud.message("withdraw", &withdraw(&grant(2), 2));
    cloud.message("publish", &grant(3));
    cloud.scene.ask(Cloud::request("messages", &[]));
    cloud.scene.ask(json!({ "role": "service", "op": "find", "subject": key(&public("subject")) }));
    cases.push(cloud.case("SLO-4"));
    cases
}
