//! Old messages again: to whoever took them, in place of answers, and to another lock.

use super::common::Scene;

/// A home in which every kind of message crossed the wire.
fn full_story(seed: u64) -> Scene {
    let scene = Scene::downloaded(seed);
    scene.ok("guest ana open 0");
    scene.ok("owner share 1 --to-id ben");
    scene.ok("owner withdraw 1");
    scene.ok("owner status");
    scene
}

#[test]
fn the_lock_takes_nothing_twice() {
    let scene = full_story(1);
    for kind in ["provision", "command", "bundle", "unlock"] {
        scene.lock_refuses(&format!("wire replay {}", scene.newest(kind, "lock")), "WrongNonce");
    }
    let moves = scene.bolt_moves();
    assert_eq!(moves, 1);
}

#[test]
fn every_command_of_the_owner_works_once() {
    let scene = Scene::new(2);
    for command in ["owner open", "owner activate 0", "owner deactivate 0", "owner inspect 0", "owner set-clock"] {
        scene.ok(command);
        scene.lock_refuses(&format!("wire replay {}", scene.newest("command", "lock")), "WrongNonce");
    }
}

#[test]
fn the_service_is_not_moved_by_what_it_took_before() {
    let scene = full_story(3);
    let grant = scene.newest("grant", "service");
    scene.refused(&format!("wire replay {grant}"), "the service", "StaleNumber");
    for kind in ["withdraw", "claim", "install", "receipt", "done", "provisioned"] {
        let told = scene.ok(&format!("wire replay {}", scene.newest(kind, "service")));
        assert_eq!(told, "The service took it again, and it changed nothing.\n", "{kind}");
    }
}

#[test]
fn the_owner_learns_nothing_from_what_it_heard_before() {
    let scene = full_story(4);
    for kind in ["done", "withdrawn", "receipt"] {
        let told = scene.ok(&format!("wire replay {}", scene.newest(kind, "owner")));
        assert_eq!(told, "owner learned nothing new from it.\n", "{kind}");
    }
    let provisioned = scene.newest("provisioned", "owner");
    scene.refused(&format!("wire replay {provisioned}"), "owner's phone", "NothingToLearn");
    let challenge = scene.newest("challenge", "owner");
    scene.lock_refuses(&format!("wire replay {challenge}"), "WrongNonce");
}

#[test]
fn an_old_done_or_refusal_is_no_answer_to_a_new_command() {
    let scene = Scene::new(5);
    scene.ok("owner inspect 0");
    let done = scene.newest("done", "owner");
    scene.refused(&format!("owner inspect 0 --answer-with {done}"), "owner's phone", ".OtherCommand)");
    scene.lock_refuses("owner inspect 77", "NoSuchSlot");
    let refused = scene.newest("refused", "owner");
    scene.refused(&format!("owner inspect 0 --answer-with {refused}"), "owner's phone", ".RefusedOther)");
}

#[test]
fn an_old_provisioned_is_no_answer_to_a_new_provision() {
    let scene = Scene::new(6);
    let provisioned = scene.newest("provisioned", "owner");
    let line = format!("owner provision --card {} --answer-with {provisioned}", scene.card());
    scene.refused(&line, "owner's phone", ".CardTag)");
}

#[test]
fn an_old_reply_is_no_answer_to_a_new_unlock() {
    let scene = full_story(7);
    let reply = scene.newest("reply", "ana");
    scene.refused(&format!("wire replay {reply}"), "ana's phone", "(Guest.ReplyToOther)");
    let call = scene.call(&format!("guest ana open 0 --answer-with {reply}"));
    assert_eq!(call.code, 1);
    assert!(call.err.contains("(Guest.ReplyToOther)"), "{}", call.err);
}

#[test]
fn an_old_receipt_is_no_answer_to_a_new_install() {
    let scene = full_story(8);
    let receipt = scene.newest("receipt", "ana");
    scene.ok("wire list");
    let call = scene.call(&format!("guest ana download 0 --again --answer-with {receipt}"));
    assert_eq!(call.code, 1);
    assert!(call.err.contains("(Guest.ReceiptNamesOtherInstall)"), "{}", call.err);
}

#[test]
fn an_old_challenge_gets_an_answer_that_the_lock_refuses() {
    let scene = full_story(9);
    let challenge = scene.newest("challenge", "ana");
    scene.lock_refuses(&format!("guest ana open 0 --challenge-with {challenge}"), "WrongNonce");
    scene.lock_refuses(&format!("wire replay {challenge}"), "WrongNonce");
}

#[test]
fn a_captured_unlock_is_too_late_after_its_deadline_or_a_newer_challenge() {
    let scene = Scene::downloaded(10);
    scene.ok("guest ana open 0 --delay 10s");
    scene.lock_refuses("guest ana open 0 --delay 10001ms", "SessionExpired");
    scene.lock_refuses("guest ana open 0 --interrupt", "WrongNonce");
    scene.ok("guest ana open 0");
    assert_eq!(scene.bolt_moves(), 2);
}

#[test]
fn a_download_is_too_late_after_its_deadline_and_its_bundle_is_good_for_nothing() {
    let scene = Scene::new(11);
    scene.ok("owner share 0 --to-id ana");
    scene.ok("guest ana receive");
    scene.lock_refuses("guest ana download 0 --delay 120001ms", "SessionExpired");
    scene.lock_refuses(&format!("wire replay {}", scene.newest("bundle", "lock")), "WrongNonce");
    scene.lock_refuses("guest ana download 0 --interrupt", "WrongNonce");
    scene.ok("guest ana download 0 --delay 120s");
}

#[test]
fn nothing_for_one_lock_works_at_another() {
    let (here, there) = (full_story(12), full_story(13));
    for (kind, why) in [("command", "WrongLock"), ("bundle", "WrongLock"), ("unlock", "WrongNonce")] {
        let forged = there.forge(kind, "lock", &here.message(here.newest(kind, "lock")));
        there.lock_refuses(&format!("wire replay {forged}"), why);
    }
    let provision = there.forge("provision", "lock", &here.message(here.newest("provision", "lock")));
    there.lock_refuses(&format!("wire replay {provision}"), "WrongNonce");
    for kind in ["done", "receipt"] {
        let forged = there.forge(kind, "owner", &here.message(here.newest(kind, "owner")));
        there.refused(&format!("wire replay {forged}"), "owner's phone", "Signature");
    }
    for (kind, why) in [("grant", "does not know this lock"), ("withdraw", "does not know this lock")] {
        let forged = there.forge(kind, "service", &here.message(here.newest(kind, "service")));
        there.refused(&format!("wire replay {forged}"), "the service", why);
    }
    let grant = there.forge("grant", "ana", &here.message(here.newest("grant", "ana")));
    there.refused(&format!("wire replay {grant}"), "ana's phone", ".NotTheSubject)");
    let challenge = there.forge("challenge", "ana", &here.message(here.newest("challenge", "ana")));
    there.refused(&format!("guest ana open 0 --challenge-with {challenge}"), "ana's phone", ".WrongLock)");
}

#[test]
fn a_message_of_one_kind_or_version_is_no_other() {
    let scene = full_story(14);
    let number = scene.newest("unlock", "lock");
    let unlock = scene.message(number);
    let mut other_version = unlock.clone();
    other_version[2] = 2;
    let forged = scene.forge("unlock", "lock", &other_version);
    scene.refused(&format!("wire replay {forged}"), "the lock", "version 2");
    let mut other_kind = unlock;
    other_kind[3] = 12;
    let forged = scene.forge("command", "lock", &other_kind);
    scene.refused(&format!("wire replay {forged}"), "the lock", "malformed");
    for (kind, to) in [("grant", "service"), ("receipt", "service"), ("done", "owner"), ("reply", "ana")] {
        let number = scene.newest(kind, to);
        scene.lock_refuses(&format!("wire replay {number} --to lock"), "NoRequest");
    }
    scene.refused(&format!("wire replay {} --to service", number), "the service", "Service.NotOfASlot");
    scene.refused(&format!("wire replay {} --to ana", number), "ana's phone", "malformed");
    scene.refused(&format!("wire replay {} --to owner", number), "owner's phone", "NothingTo");
}

#[test]
fn nothing_for_one_slot_works_at_another() {
    let scene = Scene::downloaded(15);
    scene.ok("guest ana open 0");
    let mut unlock = scene.message(scene.newest("unlock", "lock"));
    unlock[4] = 1;
    let forged = scene.forge("unlock", "lock", &unlock);
    scene.lock_refuses(&format!("wire replay {forged}"), "NotInstalled");
    let mut receipt = scene.message(scene.newest("receipt", "service"));
    receipt[4 + 32 + 32 + 4] = 1;
    let forged = scene.forge("receipt", "service", &receipt);
    scene.refused(&format!("wire replay {forged}"), "the service", "ReceiptSignature");
    scene.ok("owner inspect 0");
    let done = scene.newest("done", "owner");
    scene.refused(&format!("owner inspect 1 --answer-with {done}"), "owner's phone", ".OtherCommand)");
}
