//! Keys that should be dead are, and keys that live are not hidden.

use super::common::Scene;
use serde_json::Value;

fn numbers(status: &Value) -> Vec<u64> {
    status["may_open"].as_array().unwrap().iter().map(|key| key["generation"].as_u64().unwrap()).collect()
}

#[test]
fn a_reset_hides_no_key_and_the_next_download_overwrites_it() {
    let scene = Scene::downloaded(21);
    let told = scene.ok("owner withdraw 0");
    assert!(told.starts_with("Reset: "), "{told}");
    assert_eq!((&scene.status(0)["state"], numbers(&scene.status(0))), (&"not_shared".into(), vec![2]));
    scene.ok("guest ana open 0");

    let old_bundle = scene.newest("bundle", "lock");
    scene.download("ben", 0);
    scene.lock_refuses("guest ana open 0", "UnlockMac");
    scene.ok("guest ben open 0");
    assert_eq!(numbers(&scene.status(0)), [3]);
    scene.refused("guest ana download 0 --again", "the service", ".ClaimNamesOtherGrant)");
    scene.lock_refuses(&format!("wire replay {old_bundle}"), "WrongNonce");
}

#[test]
fn a_deactivated_key_stays_dead_after_the_slot_is_opened_again() {
    let scene = Scene::downloaded(22);
    scene.ok("owner deactivate 0");
    scene.lock_refuses("guest ana open 0", "NotInstalled");
    scene.refused("guest ana download 0 --again", "the service", ".NothingShared)");
    assert_eq!(numbers(&scene.status(0)), [0_u64; 0]);
    scene.ok("owner activate 0");
    scene.lock_refuses("guest ana open 0", "NotInstalled");
    scene.refused("guest ana download 0 --again", "the service", ".NothingShared)");
    assert_eq!(scene.status(0)["state"], "not_shared");
    scene.download("ben", 0);
    scene.ok("guest ben open 0");
}

#[test]
fn a_service_taken_over_cannot_bring_an_old_generation_back() {
    // The attacker has the service: its records are put back to before the withdrawal.
    let scene = Scene::downloaded(23);
    let before = scene.copy();
    scene.ok("owner withdraw 0");
    scene.download("ben", 0);
    copy_records(&before, &scene);
    scene.lock_refuses("guest ana download 0 --again", "StaleGeneration");
    scene.ok("owner deactivate 0");
    copy_records(&before, &scene);
    scene.lock_refuses("guest ana download 0 --again", "SlotInactive");
    scene.ok("owner activate 0");
    copy_records(&before, &scene);
    scene.lock_refuses("guest ana download 0 --again", "StaleGeneration");
}

fn copy_records(from: &Scene, to: &Scene) {
    for entry in std::fs::read_dir(from.path("service/records")).unwrap().map(Result::unwrap) {
        if entry.path().is_file() {
            std::fs::copy(entry.path(), to.path("service/records").join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn whoever_hoards_grant_and_claim_has_nothing_after_the_withdrawal() {
    let scene = Scene::new(24);
    scene.ok("owner share 0 --to-id ana");
    scene.ok("guest ana receive");
    let told = scene.ok("owner withdraw 0");
    assert!(told.starts_with("Revoked: "), "{told}");
    scene.refused("guest ana download 0", "the service", ".NothingShared)");
    let claim = scene.newest("claim", "service");
    scene.refused(&format!("wire replay {claim}"), "the service", ".NothingShared)");
    let grant = scene.newest("grant", "service");
    scene.refused(&format!("wire replay {grant}"), "the service", "StaleNumber");
    assert_eq!(numbers(&scene.status(0)), [0_u64; 0]);
}

#[test]
fn a_code_is_good_for_one_device() {
    let scene = Scene::new(25);
    let told = scene.ok("owner share 1 --to-code");
    let code = told.split_whitespace().find(|word| word.len() == 25).unwrap().trim_end_matches(':').to_lowercase();
    scene.ok(&format!("guest ana redeem {code}"));
    scene.ok(&format!("guest ben redeem {}", code.replace('-', "")));
    scene.ok("guest ana download 1");
    scene.refused("guest ben download 1", "the service", "ClaimedByOtherDevice");
    scene.refused("guest ana download 1 --new-device", "the service", "ClaimedByOtherDevice");
    scene.ok("guest ana open 1");
}

#[test]
fn a_mistyped_or_unknown_code_is_refused() {
    let scene = Scene::new(26);
    scene.refused("guest ana redeem 7K3Q-XM9T-FR2A-W8BC-4DFZ", "ana's phone", ".CheckFailed)");
    scene.refused("guest ana redeem 7K3Q-XM9T", "ana's phone", ".TooShort)");
    scene.refused("guest ana redeem 7K3Q-XM9T-FR2A-W8BC-4DFY", "the service", "nothing is shared by this code");
}

#[test]
fn releases_cannot_be_swapped() {
    let scene = Scene::new(27);
    scene.ok("owner share 0 --to-id ana");
    scene.ok("owner share 1 --to-id ben");
    scene.ok("guest ana receive");
    scene.ok("guest ben receive");
    scene.ok("guest ben download 1");
    let bens = scene.newest("release", "ben");
    let swapped = format!("guest ana download 0 --release-with {bens}");
    scene.refused(&swapped, "ana's phone", ".ReleaseNamesOtherInstall)");

    // An app that does not check it gets no further at the lock.
    scene.lock_refuses(&format!("{swapped} --rogue"), "ReleaseNamesOtherInstall");
    let own = scene.newest("release", "ana");
    scene.lock_refuses(&format!("guest ana download 0 --release-with {own} --rogue"), "ReleaseNamesOtherInstall");
    scene.ok("guest ana download 0");
}

#[test]
fn downloading_again_gives_no_uses_back() {
    let scene = Scene::new(28);
    scene.ok("owner share 0 --to-id ana --uses 2");
    scene.ok("guest ana receive");
    scene.ok("guest ana download 0");
    scene.ok("guest ana open 0");
    scene.ok("guest ana download 0 --again");
    scene.ok("guest ana open 0");
    scene.lock_refuses("guest ana open 0", "UsesSpent");
    scene.ok("guest ana download 0 --again");
    scene.lock_refuses("guest ana open 0", "UsesSpent");
    scene.ok("guest ana open 0 --lock");
}

#[test]
fn a_withheld_receipt_hides_nothing_from_an_inspection() {
    let scene = Scene::new(29);
    scene.ok("owner share 0 --to-id ana");
    scene.ok("guest ana receive");
    scene.ok("guest ana download 0 --keep-receipt");
    let status = scene.status(0);
    assert_eq!((&status["shared"]["downloaded"], numbers(&status)), (&Value::Null, vec![2]));
    scene.ok("owner inspect 0");
    assert_ne!(scene.status(0)["shared"]["downloaded"], Value::Null);
}

#[test]
fn a_lost_receipt_may_come_late() {
    let scene = Scene::new(30);
    scene.ok("owner share 0 --to-id ana");
    scene.ok("guest ana receive");
    let call = scene.call("guest ana download 0 --lose-answer");
    assert_eq!(call.code, 1, "{call:?}");
    assert_eq!(scene.ok("guest ana keys"), "ana has no keys.\n");
    assert_eq!(
        scene.ok(&format!("wire replay {}", scene.newest("receipt", "ana"))),
        "ana has the key that this receipt is of.\n"
    );
    scene.ok("guest ana open 0");
}

#[test]
fn limits_are_judged_at_every_opening() {
    let scene = Scene::new(31);
    scene.ok(
        "owner share 0 --to-id ana --from +1d --until +8d --days mon-fri --hours 09:00-18:00 --offset Z --only open",
    );
    scene.ok("guest ana receive");
    scene.ok("guest ana download 0");
    scene.lock_refuses("guest ana open 0", "NotYetValid");
    scene.ok("--at +1d guest ana open 0");
    scene.lock_refuses("guest ana open 0 --lock", "ActionNotAllowed");
    scene.lock_refuses("--at +6h guest ana open 0", "OutsideSchedule");
    scene.ok("lock power-cut");
    scene.lock_refuses("guest ana open 0", "ClockUnset");
    scene.ok("--at 2026-11-25T09:00:00Z owner set-clock");
    scene.ok("guest ana open 0");
    scene.lock_refuses("--at 2026-12-01T12:00:00Z guest ana open 0", "Expired");
}

#[test]
fn a_lock_without_a_clock_takes_no_key_with_dates() {
    let scene = Scene::empty(32);
    scene.ok("lock new --no-clock --slots 1");
    scene.ok(&format!("owner provision --card {}", scene.card()));
    scene.lock_refuses("owner set-clock", "NoClock");
    scene.ok("owner activate 0");
    scene.befriend("owner", "ana");
    scene.refused("owner share 0 --to-id ana --until +1d", "owner's phone", "the lock can never tell the time");
    scene.ok("owner share 0 --to-id ana --until +1d --anyway");
    scene.ok("guest ana receive");
    scene.lock_refuses("guest ana download 0", "NoClock");
    scene.ok("owner withdraw 0");
    scene.download("ana", 0);
    scene.ok("guest ana open 0");
}

#[test]
fn a_key_that_works_is_not_downloaded_again_by_accident() {
    let scene = Scene::downloaded(33);
    scene.refused("guest ana download 0", "ana's phone", "(Guest.KeyHeld)");
    scene.ok("guest ana open 0");
    // Told to, and the answer lost: the key that worked is dead, and the late answer gives one.
    assert_eq!(scene.call("guest ana download 0 --again --lose-answer").code, 1);
    scene.lock_refuses("guest ana open 0", "UnlockMac");
    scene.ok(&format!("wire replay {}", scene.newest("receipt", "ana")));
    scene.ok("guest ana open 0");
}

#[test]
fn an_older_grant_that_comes_late_stands_in_nobodys_way() {
    let scene = Scene::new(34);
    scene.ok("owner share 0 --to-id ana");
    let older = scene.newest("grant", "service");
    scene.ok("owner withdraw 0");
    scene.ok("owner share 0 --to-id ana");
    scene.ok("guest ana receive");
    assert_eq!(scene.ok(&format!("wire replay {older} --to ana")), "ana keeps the grant.\n");
    scene.ok("guest ana download 0");
    scene.ok("guest ana open 0");
    let told = scene.ok(&format!("wire replay {older} --to ana"));
    assert_eq!(told, "ana has a later key: the lock installs that grant no more.\n");
    scene.ok("guest ana open 0");
}

#[test]
fn a_receipt_that_the_service_could_not_take_is_sent_at_the_next_contact() {
    let scene = Scene::new(35);
    scene.ok("owner share 0 --to-id ana");
    scene.ok("guest ana receive");
    assert_eq!(scene.call("guest ana download 0 --lose-answer").code, 1);
    // The service is out: there is a file where its records were.
    let (records, away) = (scene.path("service/records"), scene.path("service/away"));
    std::fs::rename(&records, &away).unwrap();
    std::fs::write(&records, []).unwrap();
    assert_eq!(scene.call(&format!("wire replay {}", scene.newest("receipt", "ana"))).code, 1);
    scene.ok("guest ana open 0");
    assert!(scene.ok("guest ana keys").contains(" is still to be sent to the service."));
    std::fs::remove_file(&records).unwrap();
    std::fs::rename(&away, &records).unwrap();
    assert_eq!(scene.status(0)["shared"]["downloaded"], Value::Null);
    scene.ok("guest ana receive");
    assert!(!scene.ok("guest ana keys").contains("to be sent"));
    assert_ne!(scene.status(0)["shared"]["downloaded"], Value::Null);
}

#[test]
fn a_key_that_is_over_or_used_up_is_shown_so() {
    let scene = Scene::new(36);
    scene.ok("owner share 0 --to-id ana --uses 2 --until +1d");
    scene.ok("guest ana receive");
    scene.ok("guest ana download 0");
    assert!(scene.ok("guest ana keys").contains("at most 2 left"));
    scene.ok("guest ana open 0");
    assert!(scene.ok("guest ana keys").contains("at most 1 left"));
    scene.ok("guest ana open 0");
    assert!(scene.ok("guest ana keys").contains("used up"));
    assert!(scene.ok("--at +2d guest ana keys").contains("over"));
}

#[test]
fn limits_that_cannot_be_meant_are_refused_and_what_never_opens_is_said() {
    let scene = Scene::new(37);
    let share = |limits: &str| format!("owner share 0 --to-id ana {limits}");
    scene.refused(&share("--uses 2 --only lock"), "owner's phone", "(Limits.UsesWithoutOpen)");
    // It is noon on a Monday.
    let weekend = "--from +1d --until +3d --days sat,sun --offset Z";
    scene.refused(&share(weekend), "owner's phone", "(Limits.NoTime)");
    scene.refused(&share("--until 2026-11-23T11:59:59Z"), "owner's phone", "it is over already");
    scene.refused(&share("--until +3d --days mon --hours 09:00-11:00 --offset Z"), "owner's phone", "no time");
    for wrong in ["--offset +01:00", "--hours 09:00-18:00", "--days mon"] {
        assert_eq!(scene.call(&share(wrong)).code, 2, "{wrong}");
    }
    assert_eq!(scene.status(0)["state"], "not_shared");
    scene.ok(&share("--until 2026-11-23T11:59:59Z --anyway"));
}

#[test]
fn a_contact_added_again_with_another_key_is_noticed_and_is_not_who_had_the_id_before() {
    let scene = Scene::new(38);
    scene.ok("owner share 0 --to-id ana");
    let other = scene.ok("guest dora account");
    let key = other.lines().find_map(|line| line.strip_prefix("key ")).unwrap().trim().to_owned();
    scene.ok("owner contact delete ana");
    let add = format!("owner contact add ana {key}");
    scene.refused(&add, "owner's phone", "(Contact.KeyChanged)");
    scene.ok(&format!("owner contact accept ana {key}"));
    scene.ok(&add);
    scene.refused("owner share 1 --to-id ana", "owner's phone", "(Owner.UnverifiedContact)");
    assert!(scene.ok("owner status 0").contains("who was ana"));
    assert_eq!(scene.status(0)["shared"]["former_contact"], "ana");
    for twin in ["an\u{430}", "ana\u{200b}", "\u{202e}ana", "an\u{ad}a", "ane\u{301}"] {
        assert_eq!(scene.call(&format!("owner contact add {twin} {key}")).code, 2, "{twin:?}");
    }
    scene.ok("owner share 1 --to-id ana --unverified");
}
