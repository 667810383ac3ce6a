//! Power cuts at every byte, and records that are damaged, missing, foreign or older.

use super::common::Scene;

/// Runs `line` with the power cut after each number of bytes, each time from the same state, until it
/// comes through; gives every home that was left, and the last, in which nothing was cut.
fn cut_everywhere(scene: &Scene, line: &str) -> (Vec<Scene>, Scene) {
    let mut cut = Vec::new();
    for bytes in 0_u64.. {
        let home = scene.copy();
        let call = home.call(&format!("{line} --crash-after {bytes}"));
        match call.code {
            3 => {
                assert!(call.err.contains(&format!("lost its power after {bytes} bytes")), "{}", call.err);
                cut.push(home);
            }
            0 => return (cut, home),
            _ => panic!("door {line}: {call:?}"),
        }
    }
    unreachable!()
}

/// What the lock says of a slot.
fn slot(scene: &Scene, slot: u8) -> String {
    let shown = scene.ok("lock show");
    let begin = format!("slot {slot} ");
    shown.lines().find(|line| line.starts_with(&begin)).unwrap_or("inactive").to_owned()
}

#[test]
fn a_cut_while_a_slot_is_opened_leaves_it_before_or_after() {
    let scene = Scene::new(41);
    let before = slot(&scene, 2);
    let (cut, whole) = cut_everywhere(&scene, "owner activate 2");
    let after = slot(&whole, 2);
    assert!(before == "inactive" && after.contains("number 1: open for sharing"), "{before}, {after}");
    let mut seen = (false, false);
    for home in cut {
        let left = slot(&home, 2);
        assert!(left == before || left == after, "{left}");
        seen = (seen.0 || left == before, seen.1 || left == after);
        home.ok("owner activate 2");
        home.download("ana", 2);
        home.ok("guest ana open 2");
    }
    assert_eq!(seen, (true, true), "both were met");
}

#[test]
fn a_cut_while_a_key_is_installed_leaves_the_old_key_or_the_new() {
    let scene = Scene::downloaded(42);
    scene.ok("owner withdraw 0");
    scene.ok("owner share 0 --to-id ben");
    scene.ok("guest ben receive");
    let (cut, whole) = cut_everywhere(&scene, "guest ben download 0");
    whole.ok("guest ben open 0");
    for home in cut {
        // Ben has no key before the lock's receipt came; Ana's opens exactly until his is installed.
        let ana_opens = home.call("guest ana open 0").code == 0;
        assert_eq!(ana_opens, slot(&home, 0).contains("number 2: a key"));
        home.ok("guest ben download 0");
        home.ok("guest ben open 0");
        home.lock_refuses("guest ana open 0", "UnlockMac");
    }
}

#[test]
fn a_cut_may_lose_a_use_and_never_adds_one_and_the_bolt_does_not_move() {
    let scene = Scene::new(43);
    scene.ok("owner share 0 --to-id ana --uses 2");
    scene.ok("guest ana receive");
    scene.ok("guest ana download 0");
    let (cut, whole) = cut_everywhere(&scene, "guest ana open 0");
    assert_eq!(whole.bolt_moves(), 1);
    let mut seen = Vec::new();
    for home in cut {
        assert_eq!(home.bolt_moves(), 0, "nothing was written to the end, so nothing moved");
        let opened = (0..3).filter(|_| home.call("guest ana open 0").code == 0).count();
        home.lock_refuses("guest ana open 0", "UsesSpent");
        seen.push(opened);
    }
    seen.dedup();
    assert_eq!(seen, [2, 1], "both were granted, or the cut came after the record and lost one");
}

#[test]
fn a_cut_while_the_lock_is_handed_over_leaves_one_owner() {
    let scene = Scene::downloaded(44);
    let (cut, _) = cut_everywhere(&scene, "owner transfer --to otto");
    for home in cut {
        let handed_over = home.ok("lock show").contains("epoch    2");
        assert_eq!(home.call("guest ana open 0").code == 0, !handed_over);
        let old_owner = home.call("owner --as owner open").code == 0;
        assert_eq!(old_owner, !handed_over);
    }
}

#[test]
fn a_cut_while_the_lock_is_made_or_reset_is_made_good_at_the_next_boot() {
    let scene = Scene::empty(45);
    let (cut, _) = cut_everywhere(&scene, "lock new --slots 1");
    for home in cut {
        home.ok("lock show");
        home.ok(&format!("owner provision --card {}", home.card()));
        home.ok("owner open");
    }
    scene.ok("lock new --slots 1");
    scene.ok(&format!("owner provision --card {}", scene.card()));
    let owned = scene.ok("lock show");
    let line = format!("lock reset --card {} --button", scene.card());
    for home in cut_everywhere(&scene, &line).0 {
        let shown = home.ok("lock show");
        let same_lock = shown.lines().next() == owned.lines().next();
        assert_eq!(home.call("owner open").code == 0, same_lock, "before the point of no return, or after");
        if !same_lock {
            home.ok(&format!("owner provision --card {}", home.card()));
            home.ok("owner open");
        }
    }
}

#[test]
fn a_power_cut_takes_the_time_and_nothing_else() {
    let scene = Scene::downloaded(46);
    let told = scene.ok("lock power-cut");
    assert!(told.contains("its clock lost the time"), "{told}");
    assert!(scene.ok("lock show").contains("clock    not set"));
    scene.ok("guest ana open 0");
    assert!(scene.ok("lock power-cut").contains("there was no time to lose"));
}

#[test]
fn a_nonce_never_comes_back_after_a_cut_even_with_the_same_entropy() {
    let scene = Scene::downloaded(47);
    // The number of the call decides what is drawn: put back, the next call draws the very same.
    let calls = std::fs::read(scene.path("calls")).unwrap();
    scene.ok("guest ana open 0");
    let unlock = scene.newest("unlock", "lock");
    let mut challenges = vec![scene.message(scene.newest("challenge", "ana"))];
    for _ in 0..3 {
        scene.ok("lock power-cut");
        std::fs::write(scene.path("calls"), &calls).unwrap();
        scene.lock_refuses(&format!("wire replay {unlock}"), "WrongNonce");
        challenges.push(scene.message(scene.newest("challenge", "somebody")));
    }
    challenges.sort();
    challenges.dedup();
    assert_eq!(challenges.len(), 4);
}

#[test]
fn a_damaged_slot_waits_for_the_next_epoch_and_the_others_go_on() {
    for damage in [Damage::Flipped, Damage::Missing, Damage::Foreign, Damage::Torn] {
        let scene = Scene::downloaded(48);
        scene.download("ben", 1);
        damage.to(&scene, "slot-0");
        scene.lock_refuses("guest ana open 0", "SlotDamaged");
        scene.lock_refuses("owner activate 0", "SlotDamaged");
        scene.lock_refuses("owner deactivate 0", "SlotDamaged");
        scene.ok("guest ben open 1");
        scene.ok("owner transfer --to owner");
        // The door wrote the slot anew with the epoch, and that survives a boot.
        scene.ok("lock power-cut");
        scene.ok("owner activate 0");
        scene.download("ana", 0);
        scene.ok("guest ana open 0");
    }
}

#[test]
fn with_a_damaged_header_or_counter_only_a_factory_reset_helps() {
    for record in ["header", "counter"] {
        for damage in [Damage::Flipped, Damage::Missing, Damage::Foreign, Damage::Torn] {
            let scene = Scene::downloaded(49);
            damage.to(&scene, record);
            for line in ["guest ana open 0", "owner open", "owner transfer --to owner"] {
                let call = scene.call(line);
                assert_eq!(call.code, 1, "{call:?}");
            }
            assert_eq!(scene.bolt_moves(), 0);
            scene.ok(&format!("lock reset --card {} --button", scene.card()));
            scene.ok(&format!("owner provision --card {}", scene.card()));
            scene.ok("owner open");
        }
    }
}

#[test]
fn a_damaged_seed_is_never_made_anew_unasked() {
    let scene = Scene::downloaded(50);
    std::fs::write(scene.path("lock/flash/seed.rec"), b"not a seed").unwrap();
    scene.refused("guest ana open 0", "the lock", ".SeedDamaged)");
    scene.refused("lock show", "the lock", ".SeedDamaged)");
}

#[test]
fn a_record_of_an_older_epoch_reads_as_inactive() {
    let scene = Scene::downloaded(51);
    let old = std::fs::read(scene.path("lock/flash/slot-0.rec")).unwrap();
    scene.ok("owner transfer --to owner");
    scene.ok("owner activate 0");
    std::fs::write(scene.path("lock/flash/slot-0.rec"), old).unwrap();
    assert_eq!(slot(&scene, 0), "inactive");
    scene.lock_refuses("guest ana open 0", "NotInstalled");
}

#[derive(Clone, Copy)]
enum Damage {
    Flipped,
    Missing,
    /// Another cell's record.
    Foreign,
    Torn,
}

impl Damage {
    fn to(self, scene: &Scene, record: &str) {
        let path = scene.path(&format!("lock/flash/{record}.rec"));
        let mut bytes = std::fs::read(&path).unwrap();
        match self {
            Self::Missing => return std::fs::remove_file(&path).unwrap(),
            Self::Flipped => bytes[10] ^= 1,
            Self::Foreign => bytes = std::fs::read(scene.path("lock/flash/slot-7.rec")).unwrap(),
            Self::Torn => bytes.truncate(bytes.len() / 2),
        }
        std::fs::write(&path, bytes).unwrap();
    }
}
