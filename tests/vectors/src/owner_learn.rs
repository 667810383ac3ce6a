//! Of `owner_errors.json`: what an owner learns from messages that others pass on, and how a lock changes hands.

use serde_json::{Value, json};
use sharekey::counter::{Epoch, Term};
use sharekey::message::{Completed, Done, Grant, Provisioned, Receipt, Withdraw, Withdrawn, WithdrawnOutcome};

use super::desk::{
    SLOTS, activated, by_lock, challenge, claim_of, deactivated, done, done_body, grant, grant_body, provisioned_body,
    receipt, receipt_body, transfer_done, twin, withdrawn, withdrawn_body,
};
use super::forge::{last_signature, signed};
use super::keys::{digest, lock, public, seed, some_digest};
use super::owner::Phone;
use super::peer::form::{hex, key};

pub fn lessons() -> Vec<Value> {
    let body = receipt_body(&grant(2), 2, "device");
    let other = |epoch| signed(&Grant { epoch: Epoch::new(epoch), ..grant_body(5) }, &seed("owner"));
    let never = WithdrawnOutcome::NeverReleased;
    let denial = withdrawn_body(&grant(2), 2, never);
    let of_a_stranger =
        Withdrawn { withdraw_signature: last_signature(&signed(&denial.withdraw, &seed("stranger"))), ..denial };
    let withdraw = Withdraw { by: Term::new(1), ..denial.withdraw };
    let withdraw_signature = last_signature(&signed(&withdraw, &seed("owner")));
    let by_a_steward = Withdrawn { withdraw, withdraw_signature, ..denial };
    let mut phone = Phone::sharing("learn: what no owner learns from");
    for (message, error) in [
        (receipt(&grant(2), 2)[..100].to_vec(), "Wire.Truncated"),
        (b"SK\x01\x20".to_vec(), "Wire.Value"),
        (b"SK\x02\x08".to_vec(), "Wire.Version"),
        (claim_of(&grant(2), "device"), "NothingToLearn"),
        (challenge("challenge"), "NothingToLearn"),
        (claim_of(&grant(2), "device")[..100].to_vec(), "NothingToLearn"),
        (claim_of(&grant(2), "device")[..3].to_vec(), "Wire.Truncated"),
        (signed(&grant_body(5), &seed("stranger")), "GrantSignature.Mismatch"),
        (signed(&body, &seed("stranger")), "ReceiptSignature.Mismatch"),
        (signed(&done_body(some_digest("a command"), activated(3)), &seed("stranger")), "DoneSignature.Mismatch"),
        (signed(&denial, &seed("stranger")), "WithdrawnSignature.Mismatch"),
        (signed(&of_a_stranger, &seed("service")), "WithdrawSignature.Mismatch"),
        (signed(&by_a_steward, &seed("service")), "UnknownSigner"),
        (signed(&Grant { by: Term::MAX, ..grant_body(5) }, &seed("owner")), "UnknownSigner"),
        (by_lock(&Receipt { lock: lock("stranger"), ..body }), "WrongLock"),
        (by_lock(&Receipt { epoch: Epoch::new(2), ..body }), "WrongEpoch"),
        (other(2), "WrongEpoch"),
        (transfer_done(public("next owner"), public("service"), 1), "OldEpoch"),
        (transfer_done(public("owner"), public("next service"), 2), "WrongService"),
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
    let released = WithdrawnOutcome::Released { install: some_digest("an install") };
    for (name, outcomes) in [
        ("the service denies a release that it told of itself", [released, never]),
        ("the service tells of a release that it denied itself", [never, released]),
    ] {
        let mut phone = Phone::sharing(name);
        let [_, second] = outcomes.map(|outcome| phone.learn(&withdrawn(&grant(2), 2, outcome)));
        assert_eq!(second["type"], "ServiceEquivocated");
        cases.push(phone.case("OWN-23"));
    }
    cases.push(moved());
    let mut phone = Phone::sharing("another phone's grant of the same number");
    phone.learn(&twin(2));
    phone.learn(&withdrawn(&grant(2), 2, never));
    phone.scene.ask(Phone::slot_request("status"));
    phone.learn(&twin(2));
    cases.push(phone.case("OWN-17"));
    cases.push(unasked());
    cases.extend(in_any_order());
    cases.extend(full());
    cases
}

/// What is learned of one grant ends the same, whichever message comes first.
fn in_any_order() -> Vec<Value> {
    let of = |outcome| withdrawn(&grant(2), 2, outcome);
    let never = of(WithdrawnOutcome::NeverReleased);
    let released = of(WithdrawnOutcome::Released { install: some_digest("an install") });
    let settled = of(WithdrawnOutcome::Settled);
    let (shared, proof, dead) = (grant(2), receipt(&grant(2), 2), done(activated(3)));
    let mut cases = Vec::new();
    for (name, rule, messages) in [
        ("a denial of a grant that is dead already, and the proof", "OWN-39", vec![&shared, &dead, &never, &proof]),
        ("the proof of a grant that is dead already, and a denial", "OWN-39", vec![&shared, &dead, &proof, &never]),
        ("an equivocation is reported each time", "OWN-40", vec![&never, &proof, &never, &proof, &shared]),
        ("a denial before the grant", "OWN-17", vec![&never, &shared]),
        ("learn, denial, proof, learn", "OWN-17", vec![&shared, &never, &proof, &shared]),
        ("learn, proof, denial, learn", "OWN-17", vec![&shared, &proof, &never, &shared]),
        ("denial, proof, learn", "OWN-17", vec![&never, &proof, &shared]),
        ("released, then the grant", "OWN-17", vec![&released, &shared]),
        ("the grant, then released, and learned again", "OWN-17", vec![&shared, &released, &shared]),
        ("settled, then the grant", "OWN-17", vec![&settled, &shared]),
        ("the grant, then settled, and learned again", "OWN-17", vec![&shared, &settled, &shared]),
    ] {
        let mut phone = Phone::active(name);
        for message in messages {
            phone.learn(message);
            phone.scene.ask(Phone::slot_request("status"));
        }
        cases.push(phone.case(rule));
    }
    cases
}

/// Sixteen keys that the lock did not confirm leave no room for another, and one that it did takes none.
fn full() -> Vec<Value> {
    let released = |n| withdrawn(&grant(n), n, WithdrawnOutcome::Released { install: some_digest("an install") });
    let mut phone = Phone::active("a release that is heard of while 16 keys may open");
    (2..18).for_each(|n| drop(phone.learn(&released(n))));
    phone.scene.refused(Phone::learn_request(&released(18)), "Slot.LiveFull");
    phone.learn(&released(17));
    phone.learn(&withdrawn(&grant(18), 18, WithdrawnOutcome::NeverReleased));
    let mut cases = vec![phone.case("OWN-25")];
    let mut phone = Phone::active("the key that the lock confirmed takes no room");
    phone.learn(&receipt(&grant(2), 2));
    (3..19).for_each(|n| drop(phone.learn(&grant(n))));
    phone.scene.refused(Phone::learn_request(&grant(19)), "Slot.LiveFull");
    phone.scene.refused(Phone::learn_request(&released(19)), "Slot.LiveFull");
    phone.learn(&receipt(&grant(19), 19));
    phone.scene.ask(Phone::slot_request("status"));
    cases.push(phone.case("OWN-25"));
    cases
}

/// After a transfer to oneself, with another service, that one answers.
fn moved() -> Value {
    let mut phone = Phone::sharing("a transfer to oneself brings another service's key");
    let transfer = transfer_done(public("owner"), public("next service"), 2);
    let mut request = json!({ "role": "owner", "op": "moved", "lock": key(lock("lock").key()) });
    (request["message"], request["service"]) = (hex(&transfer), key(&public("next service")));
    phone.scene.ask(request);
    let epoch = Epoch::new(2);
    let withdraw = Withdraw { epoch, ..withdrawn_body(&grant(2), 2, WithdrawnOutcome::NeverReleased).withdraw };
    let withdraw_signature = last_signature(&signed(&withdraw, &seed("owner")));
    let answer = Withdrawn { withdraw, withdraw_signature, outcome: WithdrawnOutcome::NeverReleased };
    let by = |who| signed(&answer, &seed(who));
    phone.scene.refused(Phone::learn_request(&by("service")), "WithdrawnSignature.Mismatch");
    phone.learn(&by("next service"));
    phone.case("OWN-7")
}

/// Withdrawals that no owner signed are not answered, whatever the service says.
fn unasked() -> Value {
    let mut phone = Phone::sharing("the service answers a withdrawal that no owner signed");
    let good = withdrawn_body(&grant(2), 2, WithdrawnOutcome::NeverReleased);
    let of = |withdraw_signature| signed(&Withdrawn { withdraw_signature, ..good }, &seed("service"));
    let by_service = last_signature(&signed(&good.withdraw, &seed("service")));
    let another = withdrawn_body(&twin(2), 2, WithdrawnOutcome::NeverReleased).withdraw_signature;
    for signature in [by_service, another] {
        phone.scene.refused(Phone::learn_request(&of(signature)), "WithdrawSignature.Mismatch");
    }
    phone.scene.ask(Phone::slot_request("status"));
    phone.learn(&of(good.withdraw_signature));
    phone.case("OWN-31")
}

pub fn handovers() -> Vec<Value> {
    let adopt = |lock_name: &str, statement: &[u8]| {
        json!({
            "role": "owner", "op": "adopt", "lock": key(lock(lock_name).key()), "service": key(&public("service")),
            "statement": hex(statement),
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
    let mut phone = Phone::new("adopt a lock in its first epoch: every wrong statement, then the right one");
    // Whatever Provision it answered: the card's tag is of somebody else's.
    let good = provisioned_body(&some_digest("another phone's provision"));
    for (lock_name, statement, error) in [
        ("lock", by_lock(&good)[..120].to_vec(), "Wire.Truncated"),
        ("lock", challenge("challenge"), "Wire.Kind"),
        ("stranger", by_lock(&good), "ProvisionedSignature.Mismatch"),
        ("lock", by_lock(&Provisioned { lock: lock("stranger"), ..good }), "WrongLock"),
        ("lock", by_lock(&Provisioned { epoch: Epoch::new(2), ..good }), "WrongEpoch"),
        ("lock", by_lock(&Provisioned { owner: public("stranger"), ..good }), "WrongOwner"),
        ("lock", by_lock(&Provisioned { service: public("stranger"), ..good }), "WrongService"),
    ] {
        phone.scene.refused(adopt(lock_name, &statement), error);
    }
    phone.scene.ask(adopt("lock", &by_lock(&good)));
    cases.push(phone.case("OWN-44"));
    let mut phone = Phone::new("take over a lock whose transfer's answer was lost");
    let request = json!({
        "role": "owner", "op": "take_over", "lock": key(lock("lock").key()), "epoch": 2, "service": key(&service),
        "challenge": hex(challenge("challenge")), "entropy": phone.nonce(),
    });
    let sent = phone.sent(request);
    let body = Done {
        epoch: Epoch::new(3),
        ..done_body(digest(&sent.message), Completed::Transfer { owner, service, slots: SLOTS })
    };
    let wrong = Done { epoch: Epoch::new(2), ..body };
    phone.scene.refused(Phone::answer("taken_over", &sent, &by_lock(&wrong)), "WrongEpoch");
    phone.scene.refused(Phone::answer("taken_over", &sent, b"SK\x01\x0e"), "RefusedOpaque");
    phone.scene.ask(Phone::answer("taken_over", &sent, &by_lock(&body)));
    cases.push(phone.case("OWN-12"));
    cases.push(last_epoch());
    cases
}

fn last_epoch() -> Value {
    let (owner, service) = (public("owner"), public("service"));
    let mut phone = Phone::new("take over a lock in its last epoch");
    let request = json!({
        "role": "owner", "op": "take_over", "lock": key(lock("lock").key()), "epoch": u32::MAX, "service": key(&service),
        "challenge": hex(challenge("challenge")), "entropy": phone.nonce(),
    });
    let sent = phone.sent(request);
    let body = Done {
        epoch: Epoch::new(u32::MAX),
        ..done_body(digest(&sent.message), Completed::Transfer { owner, service, slots: SLOTS })
    };
    phone.scene.refused(Phone::answer("taken_over", &sent, &by_lock(&body)), "Exhausted");
    phone.finish("OPR-6")
}
