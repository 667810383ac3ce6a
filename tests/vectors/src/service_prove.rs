//! Of `service_errors.json`: releases, receipts and Dones.

use serde_json::Value;
use sharekey::counter::Epoch;
use sharekey::crypto::PublicKey;
use sharekey::id::SlotId;
use sharekey::limits::Action;
use sharekey::message::{Claim, Completed, Holding, Install, Receipt};

use super::bad;
use super::desk::{
    activated, by_lock, claim_of, deactivated, done, grant, inspected, install_of, receipt, receipt_body,
    transfer_done, twin, withdraw,
};
use super::forge::{frame, signed};
use super::keys::{digest, lock, public, seed};
use super::service::{Cloud, refusal};

pub fn releases() -> Vec<Value> {
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

pub fn receipts() -> Vec<Value> {
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

pub fn dones() -> Vec<Value> {
    let shared = |name: &str| Cloud::shared(name);
    let refused =
        |name: &str, rule: &str, message: &[u8], error: &str| refusal(shared(name), rule, "done", message, error);
    let body = super::desk::done_body(super::keys::some_digest("a command"), activated(3));
    let other = |epoch| by_lock(&sharekey::message::Done { epoch: Epoch::new(epoch), ..body });
    let elsewhere = Completed::Inspect {
        slot: SlotId::new(0),
        slots: super::desk::SLOTS,
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
