//! Of `service_errors.json`: the lock's record beside the slot's, and what is said and asked twice.

use serde_json::Value;
use sharekey::id::SlotId;
use sharekey::message::{Grant, Holding, Provisioned, Receipt};

use super::desk::{
    SLOTS, by_lock, claim_of, done, grant, grant_body, inspected, install_of, receipt_body, statement, transfer_done,
    withdraw,
};
use super::forge::signed;
use super::keys::{digest, public, seed};
use super::service::Cloud;

fn at(slot: u8, mut request: Value) -> Value {
    request["slot"] = slot.into();
    request
}

pub fn rows() -> Vec<Value> {
    let mut cases = statements();
    cases.extend(repeated());
    cases.extend(installs());
    cases
}

fn statements() -> Vec<Value> {
    let owner = public("owner");
    let by_owner = |body: Grant| signed(&body, &seed("owner"));
    let opened = |slot| at(slot, Cloud::request("open", &[("statement", &by_lock(&statement()))]));
    let publish = |slot, grant: &[u8]| at(slot, Cloud::request("publish", &[("message", grant)]));
    let mut cases = Vec::new();

    let mut cloud = Cloud::sharing("a lock that is opened again keeps what was withdrawn");
    cloud.message("withdraw", &withdraw(&grant(2), 2));
    cloud.scene.ask(opened(1));
    cloud.message("done", &done(super::desk::activated(1)));
    cloud.refuses("publish", &grant(2), "Slot.StaleNumber");
    cases.push(cloud.case("SVC-31"));

    let mut cloud = Cloud::active("a slot that was never used is opened for no former owner");
    let gone = transfer_done(owner, public("next service"), 2);
    cloud.scene.ask(Cloud::request("reopen", &[("statement", &gone)]));
    cloud.scene.refused(opened(7), "OldEpoch");
    let old = by_owner(Grant { slot: SlotId::new(7), ..grant_body(2) });
    cloud.scene.refused(publish(7, &old), "WrongEpoch");
    cases.push(cloud.case("SVC-27"));

    let mut cloud = Cloud::sharing("a transfer is of every slot");
    cloud.scene.ask(at(2, Cloud::request("reopen", &[("statement", &transfer_done(owner, public("service"), 2))])));
    cloud.refuses("publish", &grant(3), "WrongEpoch");
    cases.push(cloud.case("SVC-27"));

    let mut cloud = Cloud::active("a grant for a slot that the lock does not have");
    let beyond = SLOTS.value();
    let grant = by_owner(Grant { slot: SlotId::new(beyond), ..grant_body(2) });
    cloud.scene.refused(publish(beyond, &grant), "NoSuchSlot");
    let more = by_lock(&Provisioned { slots: sharekey::id::SlotCount::MAX, ..statement() });
    cloud.scene.ask(Cloud::request("reopen", &[("statement", &more)]));
    cloud.scene.refused(publish(beyond, &grant), "Slot.NotActive");
    cases.push(cloud.case("SVC-33"));
    cases
}

/// Two requests in turn.
fn repeated() -> Vec<Value> {
    let mut cloud = Cloud::sharing("two installs that are asked for in turn: the latest stays");
    for challenge in ["challenge", "another challenge", "challenge", "another challenge", "challenge"] {
        cloud.release(&grant(2), "device", challenge);
    }
    cloud.message("withdraw", &withdraw(&grant(2), 2));
    let mut cases = vec![cloud.case("SVC-32")];
    let mut cloud = Cloud::sharing("two withdrawals that come in turn");
    for n in [2, 9, 2, 9] {
        cloud.message("withdraw", &withdraw(&grant(n), n));
    }
    cases.push(cloud.case("SVC-25"));
    cases
}

/// What a withdrawal names for the install.
fn installs() -> Vec<Value> {
    let earlier = install_of(&claim_of(&grant(2), "device"), "device", "challenge");
    let receipt = by_lock(&Receipt { install: digest(&earlier), ..receipt_body(&grant(2), 2, "device") });
    let mut cloud = Cloud::shared("a receipt of an earlier install does not take the place of the latest");
    cloud.release(&grant(2), "device", "another challenge");
    cloud.message("confirm", &receipt);
    cloud.message("withdraw", &withdraw(&grant(2), 2));
    let mut cases = vec![cloud.case("SLO-19")];
    let holding = Holding::Installed { grant: digest(&grant(2)), device: public("device") };
    let mut cloud = Cloud::active("of a grant that was only found installed, the done stands for the install");
    cloud.message("done", &done(inspected(2, holding)));
    cloud.message("withdraw", &withdraw(&grant(2), 2));
    cases.push(cloud.case("SLO-44"));
    cases
}
