//! Who owns the lock: cards, transfers, resets, and a service whose key changed.

use serde_json::Value;

use super::common::{Scene, copy_folder};

#[test]
fn a_photo_of_the_card_resets_nothing() {
    let scene = Scene::downloaded(61);
    let photo = scene.card();
    let told = scene.refused(&format!("lock reset --card {photo}"), "the lock", "nobody presses the button inside");
    assert!(told.contains("fault: the owner"), "{told}");
    scene.lock_refuses(&format!("owner --as thief provision --card {photo}"), "AlreadyProvisioned");
    scene.ok("guest ana open 0");
}

#[test]
fn the_button_without_the_card_resets_nothing() {
    let scene = Scene::downloaded(62);
    scene.lock_refuses(&format!("lock reset --button --card {}", "00".repeat(16)), "CardMac");
    scene.ok("guest ana open 0");
}

#[test]
fn a_captured_reset_is_good_for_nothing_even_with_the_button() {
    let scene = Scene::downloaded(63);
    let call = scene.call(&format!("lock reset --card {}", scene.card()));
    assert_eq!(call.code, 1);
    let reset = scene.newest("factoryreset", "lock");
    scene.lock_refuses(&format!("wire replay {reset} --button"), "WrongNonce");
    scene.ok("guest ana open 0");
}

#[test]
fn a_factory_reset_makes_another_lock_for_which_nothing_old_works() {
    let scene = Scene::downloaded(64);
    scene.ok("guest ana open 0");
    let messages = ["bundle", "unlock", "command", "provision"].map(|kind| scene.newest(kind, "lock"));
    scene.ok(&format!("lock reset --card {} --button", scene.card()));
    assert!(scene.call("guest ana open 0").err.contains("ana has no key to slot 0 of this lock"));
    scene.refused("owner open", "owner's phone", ".WrongLock)");
    for number in messages {
        scene.refused(&format!("wire replay {number}"), "the lock", "(");
    }
    scene.ok(&format!("owner provision --card {}", scene.card()));
    assert!(scene.call("guest ana open 0").err.contains("ana has no key to slot 0 of this lock"));
    scene.ok("owner activate 0");
    scene.download("ana", 0);
    scene.ok("guest ana open 0");
}

#[test]
fn after_a_transfer_nothing_from_before_works() {
    let scene = Scene::downloaded(65);
    scene.ok("owner share 1 --to-id ben");
    scene.ok("guest ben receive");
    scene.ok("owner status");
    let old = ["grant", "withdraw", "receipt", "provisioned"];
    scene.ok("owner withdraw 1");
    let numbers = old.map(|kind| scene.newest(kind, "service"));
    scene.ok("owner transfer --to otto");
    scene.lock_refuses("guest ana open 0", "NotInstalled");
    scene.refused("owner --as owner open", "owner's phone", "(Owner.Transferred)");
    scene.refused("guest ben download 1", "the service", ".NothingShared)");
    for (number, why) in numbers.into_iter().zip(["GrantSignature", "WithdrawSignature", "WrongEpoch", "OldEpoch"]) {
        scene.refused(&format!("wire replay {number}"), "the service", why);
    }
    assert!(scene.ok("owner inspect 0").contains("slot 0 is closed; number 0"));
    scene.ok("owner activate 0");
    scene.befriend("otto", "ben");
    scene.download("ben", 0);
    scene.ok("guest ben open 0");
    let done = scene.newest("done", "otto");
    assert!(scene.call(&format!("wire replay {done} --to owner")).err.contains("(Owner.Transferred)"));
}

#[test]
fn a_new_owner_takes_no_lock_that_names_another_service() {
    let scene = Scene::new(66);
    // The old owner hands the lock over with a service's key of the attacker's.
    let account = scene.ok("guest mallory account");
    let attackers = account.lines().find_map(|line| line.strip_prefix("key ")).unwrap().trim().to_owned();
    let line = format!("owner transfer --to otto --service {attackers}");
    let call = scene.call(&line);
    assert_eq!(call.code, 1);
    assert!(call.err.contains("refused by otto's phone") && call.err.contains("(Owner.WrongService)"), "{}", call.err);
}

#[test]
fn a_service_with_a_replaced_key_serves_nothing_before_a_transfer() {
    let scene = Scene::downloaded(67);
    std::fs::write(scene.path("service/seed"), "07".repeat(32)).unwrap();
    scene.refused("owner share 1 --to-id ben", "the service", "Service.Moved");
    scene.refused("owner withdraw 0", "the service", "Service.Moved");
    scene.ok("guest ana open 0");
    scene.ok("owner transfer --to owner");
    scene.ok("owner activate 1");
    scene.download("ben", 1);
    scene.ok("guest ben open 1");
}

#[test]
fn a_service_that_denies_what_it_released_is_convicted() {
    let scene = Scene::new(68);
    scene.ok("owner share 0 --to-id ana");
    scene.ok("guest ana receive");
    let before = scene.copy();
    scene.ok("guest ana download 0");
    // The service forgets the release, and answers the withdrawal as if there had been none.
    for entry in std::fs::read_dir(before.path("service/records")).unwrap().map(Result::unwrap) {
        std::fs::copy(entry.path(), scene.path("service/records").join(entry.file_name())).unwrap();
    }
    assert!(scene.ok("owner withdraw 0").starts_with("Revoked"), "so the service says");
    let told = scene.ok(&format!("wire replay {} --to owner", scene.newest("receipt", "ana")));
    assert!(told.contains("convicts the service"), "{told}");
    assert!(scene.ok("owner status").contains("THE SERVICE LIED about key 2 of slot 0"));
    assert!(scene.ok("owner status").contains("key 2"), "the key that lives is not hidden");
}

#[test]
fn contacts_are_pinned_and_compared() {
    let scene = Scene::new(69);
    let account = scene.ok("guest ana account");
    let line = |name| account.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().replace(' ', "");
    scene.refused(&format!("owner contact verify ben {}", line("fingerprint")), "owner's phone", "FingerprintMismatch");
    scene.ok(&format!("owner contact verify ana {}", line("fingerprint")));
    scene.refused(&format!("owner contact add ana {}", line("key")), "owner's phone", ".Duplicate)");
    scene.ok("owner contact delete ana");
    scene.refused("owner contact delete ana", "owner's phone", ".NotFound)");
    scene.refused("owner share 0 --to-id ana", "owner's phone", ".UnknownContact)");
}

#[test]
fn wrong_usage_exits_with_2_and_makes_nothing() {
    let scene = Scene::empty(70);
    for line in [
        "",
        "lock",
        "lock new --slots 11",
        "owner activate 255",
        "guest a-b account",
        "owner share 0",
        "owner share 0 --to-code --to-id ana",
        "owner provision --card 12",
        "--at yesterday lock show",
        "guest ana open 0 --delay 5",
        "wire replay x",
    ] {
        assert_eq!(scene.call(line).code, 2, "door {line}");
    }
    assert_eq!(std::fs::read_dir(scene.home()).unwrap().count(), 0);
    let call = scene.call("owner open");
    assert!(call.code == 1 && call.err.contains("lock new"), "{call:?}");
    scene.ok("lock new");
    let call = scene.call("owner open");
    assert!(call.code == 1 && call.err.contains("owner provision"), "{call:?}");
}

#[test]
fn two_owners_apps_at_once_lose_nothing() {
    // Two processes race for the service's records; compare-and-swap lets both through.
    let scene = Scene::new(71);
    scene.ok("owner share 0 --to-id ana");
    scene.ok("owner share 1 --to-id ben");
    scene.ok("guest ana receive");
    scene.ok("guest ben receive");
    std::thread::scope(|scope| {
        for line in ["guest ana download 0", "guest ben download 1", "owner status", "guest ana receive"] {
            let scene = &scene;
            scope.spawn(move || scene.ok(line));
        }
    });
    assert_eq!((&scene.status(0)["state"], &scene.status(1)["state"]), (&"shared".into(), &"shared".into()));
    assert_ne!(scene.status(0)["shared"]["downloaded"], serde_json::Value::Null);
}

#[test]
fn a_lost_answer_of_the_locks_is_no_dead_end() {
    let scene = Scene::empty(72);
    scene.ok("lock new --slots 3");
    let provision = format!("owner provision --card {}", scene.card());
    assert_eq!(scene.call(&format!("{provision} --lose-answer")).code, 1);
    assert!(scene.ok("lock show").contains("epoch    1"), "the lock has an owner, who does not know it");
    scene.ok(&provision);
    assert_eq!(scene.call("owner activate 0 --lose-answer").code, 1);
    assert_eq!(scene.status(0)["state"], "inactive", "as far as the owner was told");
    let done = scene.newest("done", "owner");
    assert_eq!(scene.ok(&format!("wire replay {done}")), "owner took it, and it was news.\n");
    assert_eq!(scene.status(0)["state"], "not_shared");
    assert_eq!(scene.call("owner deactivate 0 --lose-answer").code, 1);
    scene.ok("owner activate 0");
    scene.befriend("owner", "ana");
    scene.download("ana", 0);
}

#[test]
fn the_json_has_the_fields_that_the_page_documents() {
    let scene = Scene::downloaded(73);
    let names = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let all: serde_json::Value = serde_json::from_str(&scene.ok("owner status --json")).unwrap();
    assert_eq!(names(&all), ["lock", "epoch", "owner", "service", "owned", "slots", "service_lied"]);
    let slot = &all["slots"][0];
    assert_eq!(names(slot), ["slot", "state", "shared", "may_open", "inspected", "as_of", "nobody_can_open"]);
    let key = &slot["shared"];
    let who = ["generation", "grant", "method", "contact", "former_contact", "subject"];
    assert_eq!(names(key), [&who[..], &["rights", "limits", "downloaded", "withdrawing"]].concat());
    assert_eq!(names(&key["limits"]), ["from", "until", "schedule", "uses"]);
    assert_eq!(names(&key["downloaded"]), ["device", "proof"]);
}

/// A second phone of the owner, with the folder of the first as it is now.
fn second_phone(scene: &Scene) {
    copy_folder(&scene.path("owners/owner"), &scene.path("owners/second"));
}

fn seen_by_the_second(scene: &Scene) -> Vec<Value> {
    let all: Value = serde_json::from_str(&scene.ok("owner --as second status --json")).unwrap();
    all["slots"].as_array().unwrap().clone()
}

//= spec/protocol.md#reports
//# RPT-18. A view MUST keep the highest number of slots that a message of the lock, or a Report, has named that it took in.
#[test]
fn a_phone_that_heard_of_no_share_shows_the_key_that_opens_and_of_an_unheard_slot_too() {
    let scene = Scene::new(33);
    second_phone(&scene);
    scene.ok("owner share 0 --to-id ana");
    scene.ok("guest ana receive");
    scene.ok("guest ana download 0 --keep-receipt");
    let told = scene.ok("owner withdraw 0");
    assert!(told.starts_with("Reset: "), "{told}");
    // A slot that no view which was copied knows of.
    scene.ok("owner activate 7");
    scene.download("ben", 7);
    let slots = seen_by_the_second(&scene);
    assert_eq!(slots.len(), 10, "every slot of the lock is asked for");
    assert_eq!(slots[0]["may_open"].as_array().unwrap().len(), 1, "{}", slots[0]);
    assert_eq!((&slots[7]["state"], slots[7]["may_open"].as_array().unwrap().len()), (&"shared".into(), 1));
    for slot in [&slots[0], &slots[7]] {
        assert_eq!(slot["nobody_can_open"], Value::Null);
    }
    let table = scene.ok("owner --as second status");
    assert!(table.lines().any(|row| row.starts_with("0 ") && row.ends_with("key 2")), "{table}");
    assert!(!table.lines().any(|row| row.starts_with("0 ") && row.contains("nobody")), "{table}");
    scene.ok("guest ana open 0");
    // Where nothing is known, nothing is said.
    let all: Value = serde_json::from_str(&scene.ok("owner status 200 --json")).unwrap();
    assert_eq!((&all["slots"][0]["state"], &all["slots"][0]["nobody_can_open"]), (&Value::Null, &Value::Null));
}
