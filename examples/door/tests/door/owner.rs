//! What an owner's phone shows is true, and no owner is stuck: lost answers, a service that is out, two phones, restores.

use std::path::Path;

use super::common::Scene;

/// Another phone of the same owner, which begins with a copy of this one's folder.
fn copy_phone(scene: &Scene, name: &str) {
    copy(&scene.path("owners/owner"), &scene.path(&format!("owners/{name}")));
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn a_second_phone_does_not_say_nobody_of_a_key_that_opens() {
    let scene = Scene::new(101);
    copy_phone(&scene, "second");
    scene.ok("owner share 0 --to-id ana");
    scene.ok("guest ana receive");
    scene.ok("guest ana download 0 --keep-receipt");
    scene.ok("owner withdraw 0");
    let told = scene.ok("owner --as second status 0");
    assert!(told.contains("key 2") && !told.contains("nobody"), "{told}");
    scene.ok("guest ana open 0");
}

#[test]
fn provisioning_again_forgets_nothing() {
    let scene = Scene::downloaded(102);
    scene.ok("owner status");
    let before = scene.status(0);
    scene.ok(&format!("owner provision --card {}", scene.card()));
    let after = scene.status(0);
    assert_eq!((&after["shared"], &after["may_open"]), (&before["shared"], &before["may_open"]));
    assert!(scene.ok("owner status").contains("ana"));
    scene.ok("guest ana open 0");
}

#[test]
fn what_is_said_of_one_key_is_not_said_of_the_slot() {
    let scene = Scene::new(103);
    copy_phone(&scene, "second");
    scene.ok("owner share 0 --to-id ana");
    let told = scene.ok("--offline owner --as second share 0 --to-id ben");
    assert!(told.contains("it hears of this at the next contact"), "{told}");
    let told = scene.ok("owner --as second withdraw 0");
    assert!(told.starts_with("Revoked: nobody downloaded key 2 (grant "), "{told}");
    assert!(told.contains("Slot 0 may still be opened by key 2 (grant "), "{told}");
    scene.ok("guest ana receive");
    scene.ok("guest ana download 0");
    scene.ok("guest ana open 0");
    assert!(scene.ok("owner --as second status 0").contains("key 2"));
}

#[test]
fn a_refused_report_or_a_service_that_is_out_leaves_the_table_as_of_when_it_was_true() {
    let scene = Scene::downloaded(104);
    let restored = scene.copy();
    scene.ok("owner withdraw 0");
    scene.ok("owner status");
    copy(&restored.path("service/records"), &scene.path("service/records"));
    let told = scene.ok("owner status");
    assert!(told.contains("\n0 ") && told.contains("\n1 "), "every slot: {told}");
    assert!(told.contains("Slot 0 is as of 2026-11-23T12:00:00Z: refused by owner's phone: an older report"), "{told}");
    let told = scene.ok("--at +1h --offline owner status");
    assert!(told.contains("key 2"), "{told}");
    for slot in [0, 1] {
        let stale = format!("Slot {slot} is as of 2026-11-23T12:00:00Z: ");
        assert!(told.contains(&stale), "{told}");
    }
}

#[test]
fn a_phone_syncs_before_it_signs_so_that_a_seventeenth_share_is_no_dead_end() {
    let scene = Scene::new(105);
    for _ in 0..16 {
        scene.download("ana", 0);
        scene.ok("owner withdraw 0");
    }
    scene.ok("owner share 0 --to-id ana");
}

/// Sixteen that were released, and that no download of can ever end the one before: the lock takes none of them.
#[test]
fn sixteen_dated_keys_at_a_lock_without_a_clock_are_no_dead_end() {
    let scene = Scene::empty(112);
    scene.ok("lock new --no-clock --slots 1");
    scene.ok(&format!("owner provision --card {}", scene.card()));
    scene.ok("owner activate 0");
    scene.befriend("owner", "ana");
    let dated = "owner share 0 --to-id ana --until +1d";
    for _ in 0..16 {
        scene.ok(dated);
        scene.ok("guest ana receive");
        scene.lock_refuses("guest ana download 0", "NoClock");
        scene.ok("owner withdraw 0");
    }
    let told = scene.refused(dated, "owner's phone", ".LiveFull)");
    assert!(told.contains("ends by an Activate") && told.contains("inspect"), "{told}");
    scene.ok("owner inspect 0");
    scene.refused("owner share 0 --to-id ana", "owner's phone", ".LiveFull)");
    scene.ok("owner activate 0");
    scene.download("ana", 0);
    scene.ok("guest ana open 0");
}

/// The guest kept the receipt back, and the owner took the share back before anybody inspected the lock.
#[test]
fn a_receipt_that_was_lost_before_a_reset_is_made_up_for_by_an_inspection() {
    let scene = Scene::new(113);
    scene.ok("owner share 0 --to-id ana");
    scene.ok("guest ana receive");
    scene.ok("guest ana download 0 --keep-receipt");
    assert!(scene.ok("owner withdraw 0").starts_with("Reset: "));
    let confirmed = |scene: &Scene| scene.status(0)["may_open"][0]["downloaded"]["device"].clone();
    assert_eq!(confirmed(&scene), serde_json::Value::Null);
    scene.ok("owner inspect 0");
    assert_ne!(confirmed(&scene), serde_json::Value::Null);
}

#[test]
fn a_lost_answer_to_a_transfer_leads_to_a_takeover() {
    let scene = Scene::downloaded(106);
    assert_eq!(scene.call("owner transfer --to owner --lose-answer").code, 1);
    let told = scene.lock_refuses("owner open", "WrongEpoch");
    assert!(told.contains("\"owner take-over\""), "the lock signed that: {told}");
    // To another: the refusal is opaque, and anybody can send one, so one is not enough.
    let sold = Scene::new(114);
    assert_eq!(sold.call("owner transfer --to otto --lose-answer").code, 1);
    assert!(!sold.call("owner --as owner open").err.contains("take-over"));
    assert!(sold.call("owner --as owner open").err.contains("if to another, it is theirs"));
    assert!(scene.ok("owner status").contains("owner take-over"));
    let told = scene.ok("owner take-over");
    assert!(told.contains("The lock is owner's now: epoch 3."), "{told}");
    assert!(!scene.ok("owner status").contains("owner take-over"));
    scene.ok("owner activate 0");
    scene.download("ana", 0);
    scene.ok("guest ana open 0");
}

#[test]
fn a_new_owner_whose_answer_was_lost_is_told_of_the_takeover_and_not_only_to_provision() {
    let scene = Scene::new(107);
    assert_eq!(scene.call("owner transfer --to otto --lose-answer").code, 1);
    let told = scene.call("owner --as otto open").err;
    assert!(told.contains("\"owner take-over\""), "{told}");
    assert!(scene.call("owner --as otto take-over").err.contains("--epoch N"));
    scene.ok("owner --as otto take-over --epoch 2");
    scene.ok("owner activate 0");
    scene.ok("owner open");
    scene.lock_refuses("owner --as owner open", "CommandSignature.Mismatch");
}

/// A phone that was bought anew, with the owner's key from a backup: no view, and the card is in a drawer.
#[test]
fn a_phone_with_the_owners_key_alone_begins_without_the_card_and_ends_no_key() {
    let scene = Scene::downloaded(111);
    std::fs::create_dir(scene.path("owners/found")).unwrap();
    std::fs::copy(scene.path("owners/owner/seed"), scene.path("owners/found/seed")).unwrap();
    assert!(scene.call("owner --as found status").err.contains("\"owner adopt\""));
    assert!(scene.ok("owner --as found adopt").contains("epoch 1. No key ended."));
    assert!(scene.ok("owner --as found status 0").contains("key 2"));
    scene.ok("guest ana open 0");
    scene.ok("owner --as found deactivate 0");
    scene.refused("owner --as thief adopt", "the service", ".RequestSignature.");
}

#[test]
fn what_the_service_did_not_hear_it_hears_at_the_next_contact() {
    let scene = Scene::new(108);
    scene.ok("--offline owner activate 0");
    scene.ok("--offline owner share 1 --to-id ben");
    scene.ok("owner share 0 --to-id ana");
    for (guest, slot) in [("ana", 0), ("ben", 1)] {
        scene.ok(&format!("guest {guest} receive"));
        scene.ok(&format!("guest {guest} download {slot}"));
    }
    // Closed at the lock, and still offered until the service hears of it.
    scene.ok("owner withdraw 0");
    scene.ok("owner share 0 --to-id ben");
    scene.ok("--offline owner deactivate 0");
    scene.ok("owner status");
    let told = scene.ok("guest ben receive");
    assert!(!told.contains("slot 0"), "{told}");
    let told = scene.ok("--offline owner withdraw 1");
    assert!(told.contains("Until the service has answered, key 2 of slot 1 can still be downloaded"), "{told}");
    let told = scene.ok("owner status 1");
    assert!(told.contains("Not shared") && !told.contains("has not answered"), "{told}");
}

#[test]
fn a_code_of_a_share_that_went_out_later_is_good() {
    let scene = Scene::new(109);
    let told = scene.ok("--offline owner share 0 --to-code");
    let code = told.strip_prefix("The code is ").unwrap().split(':').next().unwrap().to_owned();
    assert_eq!(scene.call(&format!("guest ben redeem {code}")).code, 1);
    scene.ok("owner status");
    scene.ok(&format!("guest ben redeem {code}"));
    scene.ok("guest ben download 0");
    scene.ok("guest ben open 0");
}

#[test]
fn an_order_for_a_slot_that_the_lock_does_not_have_leaves_no_row() {
    let scene = Scene::new(110);
    for line in ["owner activate 10", "owner deactivate 10", "owner share 10 --to-id ana"] {
        scene.refused(line, "owner's phone", "(Owner.NoSuchSlot)");
    }
    scene.ok("owner status");
    let view = std::fs::read_to_string(scene.path("owners/owner/view.json")).unwrap();
    let view: serde_json::Value = serde_json::from_str(&view).unwrap();
    let slots: Vec<&String> = view["slots"].as_object().unwrap().keys().collect();
    assert!(slots.len() == 10 && slots.iter().all(|slot| *slot != "10"), "{slots:?}");
}
