//! Of `service_errors.json`: publications and withdrawals.

use serde_json::Value;
use sharekey::counter::{Epoch, Term};
use sharekey::crypto::PublicKey;
use sharekey::id::SlotId;
use sharekey::message::{Grant, Withdraw};

use super::desk::{
    by_lock, deactivated, done, grant, grant_body, receipt, receipt_body, twin, withdraw, withdraw_body,
};
use super::forge::signed;
use super::keys::{lock, seed};
use super::service::{Cloud, refusal};

pub fn publications() -> Vec<Value> {
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
            active("publish a grant of a steward, of whom there is none"),
            "SVC-28",
            "publish",
            &by_owner(&Grant { by: Term::new(1), ..body }),
            "UnknownSigner",
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
        refusal(
            Cloud::sharing("publish another grant of the same number"),
            "SLO-8",
            "publish",
            &twin(2),
            "Slot.StaleNumber",
        ),
        refusal(Cloud::shared("publish while one is released"), "SLO-11", "publish", &grant(3), "Slot.AlreadyShared"),
    ];
    for mut cloud in [Cloud::sharing("publish the same grant again"), Cloud::shared("publish what is released again")] {
        cloud.message("publish", &grant(2));
        cases.push(cloud.case("SVC-24"));
    }
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

pub fn withdrawals() -> Vec<Value> {
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
            sharing("a withdrawal by a steward, of whom there is none"),
            "SVC-28",
            "withdraw",
            &by_owner(&Withdraw { by: Term::new(1), ..body }),
            "UnknownSigner",
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
