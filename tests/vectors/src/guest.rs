//! `guest_errors.json`: what a guest refuses.

use crate::provider::Provider;
use serde_json::{Value, json};
use sharekey::counter::Epoch;
use sharekey::crypto::{Agree, AgreementKey, Kdf, PublicKey, Tag};
use sharekey::error::RefuseReason;
use sharekey::id::{LockId, SlotId};
use sharekey::message::{Battery, Challenge, Grant, Install, Outcome, Receipt, Reply};
use sharekey::wire::Unverified;

use super::bad;
use super::bench::bytes;
use super::desk::{SLOT, by_lock, challenge, grant, grant_body, number, refused, release_of};
use super::forge::{bare, frame, signed, tagged};
use super::keys::{agreement, agreement_secret, digest, draw, lock, nonce, public, seed, signing, some_digest};
use super::peer::form::{hex, key};
use super::scene::Scene;

/// A guest who claims the grant with number 2.
struct Phone {
    scene: Scene,
    name: String,
    claim: Vec<u8>,
    install: Vec<u8>,
    bundle: Vec<u8>,
    pairing: [u8; 32],
    unlock: Vec<u8>,
}

impl Phone {
    fn new(name: &str) -> Self {
        let mut scene = Scene::recorded();
        scene.ask(json!({ "role": "guest", "op": "make", "seed": hex(seed("subject").expose()) }));
        let none = Vec::new();
        let name = name.to_owned();
        Self {
            scene,
            name,
            claim: none.clone(),
            install: none.clone(),
            bundle: none.clone(),
            pairing: [0; 32],
            unlock: none,
        }
    }

    fn claim_request(grant: &[u8], owner: Option<PublicKey>) -> Value {
        let entropy = [draw("the seed of the device key", "a guest's device", 32)];
        let owner = owner.map(|owner| key(&owner));
        json!({ "role": "guest", "op": "claim", "grant": hex(grant), "owner": owner, "entropy": entropy })
    }

    fn claimed(name: &str) -> Self {
        let mut phone = Self::new(name);
        let claimed = phone.scene.ask(Self::claim_request(&grant(2), Some(public("owner"))));
        phone.claim = bytes(&claimed["claim"]);
        phone
    }

    fn install_request(challenge: &[u8]) -> Value {
        let entropy = [draw("the guest's X25519 secret", "a guest's agreement", 32)];
        json!({ "role": "guest", "op": "install", "challenge": hex(challenge), "entropy": entropy })
    }

    fn installing(name: &str) -> Self {
        let mut phone = Self::claimed(name);
        let attempt = phone.scene.ask(Self::install_request(&challenge("challenge")));
        phone.install = bytes(&attempt["install"]);
        phone
    }

    fn bundle_request(release: &[u8]) -> Value {
        json!({ "role": "guest", "op": "bundle", "release": hex(release) })
    }

    fn downloading(name: &str) -> Self {
        let mut phone = Self::installing(name);
        let bundle = phone.scene.ask(Self::bundle_request(&release_of(&phone.install)));
        phone.bundle = bytes(&bundle["message"]);
        phone
    }

    fn finish_request(answer: &[u8]) -> Value {
        json!({ "role": "guest", "op": "finish", "answer": hex(answer) })
    }

    /// The receipt that fits.
    fn receipt(&self) -> Receipt {
        let device = Unverified::<sharekey::message::Claim>::parse(&self.claim).unwrap().claims().device;
        Receipt {
            install: digest(&self.install),
            lock: lock("lock"),
            epoch: Epoch::FIRST,
            slot: SLOT,
            generation: number(2),
            grant: digest(&grant(2)),
            device,
            agreement: agreement("lock's agreement"),
        }
    }

    fn installed(name: &str) -> Self {
        let mut phone = Self::downloading(name);
        let receipt = by_lock(&phone.receipt());
        phone.scene.ask(Self::finish_request(&receipt));
        let theirs = Unverified::<Install>::parse(&phone.install).unwrap().claims().agreement;
        let shared = Provider.agree(&agreement_secret("lock's agreement"), &theirs).unwrap();
        let salt = digest(&receipt);
        phone.pairing = *Provider
            .hkdf_sha256(salt.as_bytes(), shared.expose(), sharekey_stage::forge::label::PAIRING.as_bytes())
            .unwrap();
        phone
    }

    fn unlock_request(challenge: &[u8]) -> Value {
        let entropy = [draw("the guest's nonce", "a guest's unlock", 16)];
        json!({ "role": "guest", "op": "unlock", "challenge": hex(challenge), "action": "Open", "entropy": entropy })
    }

    fn unlocking(name: &str) -> Self {
        let mut phone = Self::installed(name);
        let unlock = phone.scene.ask(Self::unlock_request(&challenge("challenge to operate")));
        phone.unlock = bytes(&unlock["message"]);
        phone
    }

    fn reply_request(answer: &[u8]) -> Value {
        json!({ "role": "guest", "op": "reply", "answer": hex(answer) })
    }

    fn reply(&self, outcome: Outcome, key: &[u8]) -> Vec<u8> {
        let unlock = Tag::from_bytes(*self.unlock.last_chunk().unwrap());
        tagged(&Reply { outcome, unlock, battery: Battery::at(9) }, key)
    }

    fn case(self, rule: &str) -> Value {
        self.scene.case(&self.name, rule)
    }
}

pub fn file() -> Value {
    let mut cases = claims();
    cases.extend(installs());
    cases.extend(receipts());
    cases.extend(refusals());
    cases.extend(unlocks());
    cases.extend(replies());
    super::file(
        "A guest, from its first message on.",
        json!({ "keys": signing(&["owner", "service", "lock", "subject", "stranger"]) }),
        cases,
    )
}

fn claims() -> Vec<Value> {
    let refused = |name: &str, rule: &str, grant: &[u8], owner, error: &str| {
        let mut phone = Phone::new(name);
        phone.scene.refused(Phone::claim_request(grant, owner), error);
        phone.case(rule)
    };
    let by_owner = |body: &Grant| signed(body, &seed("owner"));
    let body = grant_body(2);
    let small = LockId::new(PublicKey::from_bytes([0; 32]));
    let stranger = signed(&body, &seed("stranger"));
    let mut cases = vec![
        refused("claim: a grant cut short", "GST-2", &grant(2)[..145], None, "Wire.Truncated"),
        refused("claim: a challenge for a grant", "GST-2", &challenge("challenge"), None, "Wire.Kind"),
        refused(
            "claim: a grant for somebody else",
            "GST-2",
            &by_owner(&Grant { subject: public("stranger"), ..body }),
            None,
            "NotTheSubject",
        ),
        refused(
            "claim: a lock whose key is of small order",
            "KEY-2",
            &by_owner(&Grant { lock: small, ..body }),
            None,
            "LockKey.SmallOrder",
        ),
        refused(
            "claim: a stranger's grant, where the owner is known",
            "GST-2",
            &stranger,
            Some(public("owner")),
            "GrantSignature.Mismatch",
        ),
    ];
    let mut phone = Phone::new("claim: a stranger's grant, where the owner is not known");
    phone.scene.ask(Phone::claim_request(&stranger, None));
    cases.push(phone.case("GST-2"));
    cases
}

fn installs() -> Vec<Value> {
    let mut cases = Vec::new();
    let other = bare(&Challenge { lock: lock("stranger"), nonce: nonce("challenge") });
    for (name, challenge, error) in [
        ("install: a challenge cut short", challenge("challenge")[..51].to_vec(), "Wire.Truncated"),
        ("install: a challenge that is too long", [challenge("challenge"), vec![0]].concat(), "Wire.TooLong"),
        ("install: a challenge of another lock", other, "WrongLock"),
    ] {
        let mut phone = Phone::claimed(name);
        phone.scene.refused(Phone::install_request(&challenge), error);
        cases.push(phone.case("GST-3"));
    }
    let mut phone = Phone::installing("bundle: a release of another install, then the right one");
    let other = release_of(&challenge("some bytes"));
    phone.scene.refused(Phone::bundle_request(&other), "ReleaseNamesOtherInstall");
    phone.scene.refused(Phone::bundle_request(&other[..99]), "Wire.Truncated");
    phone.scene.ask(Phone::bundle_request(&release_of(&phone.install)));
    cases.push(phone.case("GST-5"));
    cases
}

fn receipts() -> Vec<Value> {
    let changed = |name: &str, rule: &str, error: &str, change: &dyn Fn(&mut Receipt)| {
        let mut phone = Phone::downloading(name);
        let mut receipt = phone.receipt();
        change(&mut receipt);
        phone.scene.refused(Phone::finish_request(&by_lock(&receipt)), error);
        phone.case(rule)
    };
    let fit = "ReceiptDoesNotFit";
    let mut cases = vec![
        changed("a receipt for another install", "GST-10", "ReceiptNamesOtherInstall", &|receipt| {
            receipt.install = some_digest("another install")
        }),
        changed("a receipt of another lock, signed by this one", "GST-9", fit, &|receipt| {
            receipt.lock = lock("stranger")
        }),
        changed("a receipt of another grant", "GST-11", fit, &|receipt| receipt.grant = some_digest("another grant")),
        changed("a receipt for another device", "GST-12", fit, &|receipt| receipt.device = public("stranger")),
        changed("a receipt of another epoch", "GST-13", fit, &|receipt| receipt.epoch = Epoch::new(2)),
        changed("a receipt of another slot", "GST-13", fit, &|receipt| receipt.slot = SlotId::new(0)),
        changed("a receipt of another number", "GST-13", fit, &|receipt| receipt.generation = number(3)),
    ];
    for (number, low) in bad::LOW_ORDER.iter().enumerate() {
        let name = format!("a receipt with an X25519 key of low order, {number}");
        cases.push(changed(&name, "KEY-8", "NonContributory", &|receipt| {
            receipt.agreement = AgreementKey::from_bytes(bad::array(low))
        }));
    }
    for at in 0..6 {
        let (what, _, why) = bad::signatures(&[0; 100])[at].clone();
        let mut phone = Phone::downloading(&format!("a receipt with {what}"));
        let spoilt = bad::signatures(&by_lock(&phone.receipt()))[at].1.clone();
        phone.scene.refused(Phone::finish_request(&spoilt), &format!("ReceiptSignature.{why}"));
        cases.push(phone.case("GST-9"));
    }
    let mut phone = Phone::downloading("other answers than a receipt, then the receipt");
    let receipt = by_lock(&phone.receipt());
    phone.scene.refused(Phone::finish_request(&receipt[..236]), "Wire.Truncated");
    phone.scene.refused(Phone::finish_request(&challenge("challenge")), "Wire.Kind");
    for reserved in [0, 22, 32, 33] {
        let mut unknown = receipt.clone();
        unknown[3] = reserved;
        phone.scene.refused(Phone::finish_request(&unknown), "Wire.Value");
    }
    phone
        .scene
        .refused(Phone::finish_request(&signed(&phone.receipt(), &seed("stranger"))), "ReceiptSignature.Mismatch");
    phone.scene.ask(Phone::finish_request(&receipt));
    cases.push(phone.case("GST-9"));
    cases
}

fn refusals() -> Vec<Value> {
    let mut phone = Phone::downloading("the lock refuses the bundle, for every reason");
    for reason in RefuseReason::ALL {
        let answer = refused(digest(&phone.bundle), *reason);
        phone.scene.refused(Phone::finish_request(&answer), &format!("Refused.{reason:?}"));
    }
    let mut cases = vec![phone.case("ERR-3")];
    let mut phone = Phone::downloading("refusals that prove nothing");
    let stale = RefuseReason::StaleGeneration;
    phone.scene.refused(Phone::finish_request(b"SK\x01\x0e"), "RefusedOpaquely");
    phone.scene.refused(Phone::finish_request(&refused(some_digest("another request"), stale)), "RefusedOpaquely");
    let body = sharekey::message::RefusedBody { request: digest(&phone.bundle), reason: stale };
    phone.scene.refused(Phone::finish_request(&signed(&body, &seed("stranger"))), "RefusalSignature.Mismatch");
    phone.scene.refused(Phone::finish_request(b"SK\x01\x0e\x00"), "Wire.Truncated");
    cases.push(phone.case("ERR-1"));
    cases
}

fn unlocks() -> Vec<Value> {
    let other = bare(&Challenge { lock: lock("stranger"), nonce: nonce("challenge") });
    let mut phone = Phone::installed("unlock: another lock's challenge, and none");
    phone.scene.refused(Phone::unlock_request(&other), "WrongLock");
    phone.scene.refused(Phone::unlock_request(&other[..4]), "Wire.Truncated");
    phone.scene.ask(Phone::unlock_request(&challenge("challenge to operate")));
    vec![phone.case("GST-3")]
}

fn replies() -> Vec<Value> {
    let mut phone = Phone::unlocking("replies that are not this lock's, then the lock's");
    let (pairing, accepted) = (phone.pairing, Outcome::Accepted);
    let good = phone.reply(accepted, &pairing);
    phone.scene.refused(Phone::reply_request(&good[..36]), "Wire.Truncated");
    phone.scene.refused(Phone::reply_request(&phone.reply(accepted, &super::bench::other_secret())), "ReplyMac");
    let mut flipped = good.clone();
    flipped[36] ^= 1;
    phone.scene.refused(Phone::reply_request(&flipped), "ReplyMac");
    let (unlock, battery) = (Tag::from_bytes(super::keys::bytes16("another unlock")), Battery::UNKNOWN);
    let other = tagged(&Reply { outcome: accepted, unlock, battery }, &pairing);
    phone.scene.refused(Phone::reply_request(&other), "ReplyToOther");
    phone.scene.refused(Phone::reply_request(b"SK\x01\x0e"), "RefusedOpaquely");
    phone
        .scene
        .refused(Phone::reply_request(&refused(digest(&phone.unlock), RefuseReason::Expired)), "RefusedOpaquely");
    let mut undefined = frame(&Reply { outcome: accepted, unlock: Tag::from_bytes([0; 16]), battery });
    undefined[4] = 3;
    phone.scene.refused(Phone::reply_request(&super::forge::tag(undefined, &pairing)), "Wire.Value");
    for byte in [101, 254] {
        let mut overfull = good[..22].to_vec();
        overfull[21] = byte;
        phone.scene.refused(Phone::reply_request(&super::forge::tag(overfull, &pairing)), "Wire.Value");
    }
    phone.scene.ask(Phone::reply_request(&good));
    let mut cases = vec![phone.case("GST-14")];
    let mut phone = Phone::unlocking("the lock replies with every reason");
    for reason in RefuseReason::ALL {
        let answer = phone.reply(Outcome::Refused { reason: *reason }, &pairing);
        phone.scene.refused(Phone::reply_request(&answer), &format!("Refused.{reason:?}"));
    }
    cases.push(phone.case("ERR-3"));
    cases
}
