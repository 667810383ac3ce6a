//! A lock plans an operation in its own memory: whatever becomes of it, nothing secret is left there.

use std::future::{Future as _, pending};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::task::{Context, Waker};

use secrets::place::{Place, holds};
use secrets::scene::{CARD, Fresh, NOW, Scene, pairing_of};
use sharekey::crypto::RustCrypto;
use sharekey::limits::Action;
use sharekey::lock::{Accepted, Installed, PhysicalPresence, purpose};
use sharekey::message::FactoryReset;
use sharekey::secret::ActivationSecret;
use sharekey::wire::Unverified;

/// What becomes of an operation that the lock accepted.
type End = fn(Accepted<'_, Installed>);

const ENDS: [(&str, End); 5] = [
    ("dropped", |staged| drop(staged)),
    ("its write failed", |staged| assert!(staged.commit(|_| Err(())).is_err())),
    ("its write panicked", |staged| {
        let write = AssertUnwindSafe(|| staged.commit(|_| -> Result<(), ()> { resume_unwind(Box::new(())) }));
        assert!(catch_unwind(write).is_err());
    }),
    ("cancelled", |staged| {
        let write = pin!(staged.commit_async(async |_| pending::<Result<(), ()>>().await));
        assert!(write.poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }),
    ("detached", |staged| drop(staged.detach())),
];

/// Of two equal runs, the first tells the key that the second plans.
#[test]
fn whatever_becomes_of_an_install_its_key_is_gone_from_the_locks_plan() {
    let told = pairing_of(&Fresh::new(RustCrypto).owned().download());
    for (way, end) in ENDS {
        let mut scene = Fresh::new(RustCrypto).owned();
        let place = Place::of(&*scene.lock);
        stage_install(&mut scene, |staged| {
            assert!(place.count(&told) > 0, "{way}: nothing to wipe");
            end(staged);
        });
        assert!(!holds(&place.bytes(), &told), "{way}, and the key is still in the lock's memory");
    }
}

#[test]
fn an_install_that_is_forgotten_leaves_its_key_no_longer_than_until_the_next_request() {
    let told = pairing_of(&Fresh::new(RustCrypto).owned().download());
    let mut scene = Fresh::new(RustCrypto).owned();
    let place = Place::of(&*scene.lock);
    stage_install(&mut scene, |staged| std::mem::forget(staged));
    assert!(place.count(&told) > 0, "nothing to wipe");
    let _ = scene.challenge::<purpose::Operate>();
    assert!(!holds(&place.bytes(), &told), "the key is still in the lock's memory");
}

fn stage_install(scene: &mut Scene<RustCrypto>, end: impl FnOnce(Accepted<'_, Installed>)) {
    let claimed = scene.claim();
    let (challenge, session) = scene.challenge::<purpose::Install>();
    let attempt = claimed.install(&RustCrypto, &challenge, &mut scene.rng).unwrap().stored();
    let release = scene.release(&attempt);
    let download = attempt.bundle(&RustCrypto, &release).unwrap();
    end(scene.lock.install(session, download.bundle(), NOW, &mut scene.rng).unwrap());
}

#[test]
fn a_lock_holds_a_key_once_whether_it_was_installed_or_opened() {
    let mut scene = Fresh::new(RustCrypto).owned();
    let place = Place::of(&*scene.lock);
    let key = scene.download();
    let pairing = pairing_of(&key);
    assert_eq!(place.count(&pairing), 1, "installed");
    let (challenge, session) = scene.challenge::<purpose::Operate>();
    let (unlock, _) = key.unlock(&RustCrypto, &challenge, Action::Open, &mut scene.rng).unwrap();
    let staged = scene.lock.unlock(session, &unlock, NOW).unwrap();
    // A use is counted: planned, and in the record.
    assert_eq!(place.count(&pairing), 3, "nothing to wipe");
    let Ok(_) = staged.commit(|record| scene.flash.put(record));
    assert_eq!(place.count(&pairing), 1, "opened");
}

#[test]
fn a_factory_reset_leaves_nothing_of_the_next_seed_in_the_lock() {
    let mut scene = Fresh::new(RustCrypto).owned();
    let place = Place::of(&*scene.lock);
    let (challenge, session) = scene.challenge::<purpose::Operate>();
    let challenge = Unverified::parse(&challenge).unwrap();
    let reset = FactoryReset::seal(&RustCrypto, &ActivationSecret::from_bytes(CARD), challenge.claims()).unwrap();
    let button = PhysicalPresence::button_is_pressed();
    let staged = scene.lock.factory_reset(session, &reset, button, NOW, &mut scene.rng).unwrap();
    let mut seed = Vec::new();
    let Ok(_) = staged.commit(|record| {
        seed.extend_from_slice(&record.as_bytes()[5..37]);
        assert_eq!(place.count(&seed), 2, "nothing to wipe");
        scene.flash.put(record)
    });
    assert!(!holds(&place.bytes(), &seed), "the next lock's seed is in this one's memory");
}
