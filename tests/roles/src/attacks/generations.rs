//! The overwrite counter: old keys, old grants, second devices, and uses that do not come back. The
//! cloud's key is the attacker's where that makes it harder.

use sharekey::code::ShareCode;
use sharekey::counter::Generation;
use sharekey::error::{GuestError, LockError, RefuseReason, ServiceError, SlotError};
use sharekey::limits::{Action, Limits, Rights};
use sharekey::lock::purpose;
use sharekey::message::Release;
use sharekey_stage::ops::To;
use sharekey_stage::provider::Provider;

use super::MISMATCH;
use sharekey_stage::forge;
use sharekey_stage::world::guest::Guest;
use sharekey_stage::world::{ANA, BEN, HALL, STUDIO, World, digest, rng, seed};

#[test]
fn after_an_overwrite_the_old_key_neither_opens_nor_installs_again() {
    let (mut w, mut ana) = World::downloaded();
    w.withdraw(HALL).unwrap();
    let mut ben = w.downloads(HALL, BEN);
    w.lock_refuses(LockError::UnlockMac, |w| w.open(&mut ana));
    w.refuses(ServiceError::ClaimNamesOtherGrant, |w| ana.fetch(&mut w.door, &mut w.cloud));
    w.lock_refuses(LockError::StaleGeneration, |w| ana.fetch_colluding(&mut w.door));
    assert_eq!(ana.told, Some(GuestError::Refused(RefuseReason::StaleGeneration)));
    w.door.reboot();
    let _ = w.door.connect::<purpose::Install>();
    w.lock_refuses(LockError::StaleGeneration, |w| ana.fetch_colluding(&mut w.door));
    w.open(&mut ben).unwrap();
}

#[test]
fn after_a_deactivation_the_key_neither_opens_nor_installs_again() {
    let (mut w, mut ana) = World::downloaded();
    w.deactivate(HALL).unwrap();
    w.lock_refuses(LockError::NotInstalled, |w| w.open(&mut ana));
    w.refuses(ServiceError::NothingShared, |w| ana.fetch(&mut w.door, &mut w.cloud));
    w.lock_refuses(LockError::SlotInactive, |w| ana.fetch_colluding(&mut w.door));
}

#[test]
fn after_closing_and_opening_the_slot_the_key_neither_opens_nor_installs_again() {
    let (mut w, mut ana) = World::downloaded();
    w.deactivate(HALL).unwrap();
    w.activate(HALL).unwrap();
    w.lock_refuses(LockError::NotInstalled, |w| w.open(&mut ana));
    w.refuses(ServiceError::NothingShared, |w| ana.fetch(&mut w.door, &mut w.cloud));
    w.lock_refuses(LockError::StaleGeneration, |w| ana.fetch_colluding(&mut w.door));
}

#[test]
fn a_grant_with_the_number_that_an_activation_took_never_installs() {
    let mut w = World::active();
    let (mut tablet, mut ana) = (w.olga.twin(), w.guest(ANA));
    // Signed with number 2 on one phone, while the other turns the slot with number 2.
    w.claims(HALL, &mut ana);
    tablet.activate(&mut w.door, &mut w.cloud, HALL).unwrap();
    assert_eq!(w.door.lock.report(HALL).unwrap().floor, Generation::new(2));
    w.lock_refuses(LockError::StaleGeneration, |w| ana.fetch_colluding(&mut w.door));
    w.refuses(ServiceError::NothingShared, |w| ana.fetch(&mut w.door, &mut w.cloud));
}

#[test]
fn higher_numbers_in_one_slot_outdate_nothing_in_another() {
    let (mut w, mut ana) = World::downloaded();
    for _ in 0..3 {
        w.activate(STUDIO).unwrap();
    }
    ana.fetch(&mut w.door, &mut w.cloud).unwrap();
    w.open(&mut ana).unwrap();
}

#[test]
fn a_hoarded_grant_claim_and_install_are_worth_nothing_after_the_withdrawal() {
    let (mut w, mut ana) = World::claimed();
    let (session, hoarded) = w.asks(&mut ana);
    w.withdraw(HALL).unwrap();

    let (place, claim) = (ana.place(), ana.claimed().claim().to_vec());
    w.refuses(ServiceError::NothingShared, |w| w.cloud.take(place, (&claim, hoarded.install())));
    let (fresh_session, fresh) = w.asks(&mut ana);
    w.refuses(ServiceError::NothingShared, |w| w.cloud.take(place, (&claim, fresh.install())));

    // With releases of her own making, over the older and over the newer challenge.
    let own = |install: &[u8]| forge::signed(&Release { install: digest(install) }, &seed(ANA));
    let (old, new) = (own(hoarded.install()), own(fresh.install()));
    let download = hoarded.bundle(&Provider, &old).unwrap();
    w.lock_refuses(LockError::SessionSuperseded, |w| w.door.install(session, download.bundle()));
    let download = fresh.bundle(&Provider, &new).unwrap();
    w.lock_refuses(LockError::ReleaseSignature(MISMATCH), |w| w.door.install(fresh_session, download.bundle()));
    let download = hoarded.bundle(&Provider, &old).unwrap();
    w.lock_refuses(LockError::WrongNonce, |w| w.door.sent(To::Install, download.bundle()));
}

#[test]
fn a_release_hoarded_past_its_deadline_is_worth_nothing() {
    let (mut w, mut ana) = World::claimed();
    let (session, installing, release) = w.released(&mut ana);
    w.withdraw(HALL).unwrap();
    let download = installing.bundle(&Provider, &release).unwrap();
    w.door.ticks += 120_000;
    w.lock_refuses(LockError::SessionExpired, |w| w.door.install(session, download.bundle()));
    w.lock_refuses(LockError::WrongNonce, |w| w.door.sent(To::Install, download.bundle()));
}

#[test]
fn a_code_is_good_for_one_device_whatever_the_cloud_says() {
    let mut w = World::active();
    let code = ShareCode::issue(&mut rng(5));
    let shared = w.olga.change(|owner, view, _| owner.share_by_code(view, HALL, code, Rights::OPEN, Limits::NONE));
    let text = shared.unwrap().as_str().to_owned();
    let redeemed = || ShareCode::parse(&text).unwrap().redeem(&Provider);
    let grant = w.olga.change(|owner, view, _| owner.code_shown(view, HALL)).unwrap();
    w.cloud.take(w.place(HALL), &grant).unwrap();

    let (mut first, mut second) = (Guest::new(redeemed(), &w.tape), Guest::new(redeemed(), &w.tape));
    second.rng = rng(6);
    second.claim(&grant).unwrap();
    w.download(&mut first).unwrap();
    let claimed = ServiceError::Slot(SlotError::ClaimedByOtherDevice);
    w.refuses(claimed, |w| second.fetch(&mut w.door, &mut w.cloud));
    w.lock_refuses(LockError::StaleGeneration, |w| second.fetch_colluding(&mut w.door));
    w.open(&mut first).unwrap();
}

#[test]
fn of_two_devices_that_a_colluding_cloud_releases_only_the_first_installs() {
    let mut w = World::active();
    let mut phone = w.guest(ANA);
    let mut tablet = phone.twin(ANA);
    let grant = w.share(HALL, &phone).unwrap();
    phone.claim(&grant).unwrap();
    tablet.claim(&grant).unwrap();
    tablet.fetch_colluding(&mut w.door).unwrap();
    w.lock_refuses(LockError::StaleGeneration, |w| phone.fetch_colluding(&mut w.door));
    w.open(&mut tablet).unwrap();
}

#[test]
fn installing_again_gives_no_used_openings_back() {
    let (mut w, mut ana) = World::downloaded_with(Limits::new(None, None, None, Some(2)).unwrap());
    w.open(&mut ana).unwrap();
    ana.fetch(&mut w.door, &mut w.cloud).unwrap();
    w.open(&mut ana).unwrap();
    ana.fetch(&mut w.door, &mut w.cloud).unwrap();
    w.lock_refuses(LockError::UsesSpent, |w| w.open(&mut ana));
    w.door.reboot();
    ana.fetch_colluding(&mut w.door).unwrap();
    w.lock_refuses(LockError::UsesSpent, |w| w.open(&mut ana));
    ana.act(&mut w.door, Action::Lock).unwrap();
    assert_eq!(w.door.bolt, [Action::Open, Action::Open, Action::Lock]);
}

#[test]
fn installing_again_ends_the_pairing_before() {
    let (mut w, mut ana) = World::downloaded();
    let before = ana.key.take().unwrap();
    ana.fetch(&mut w.door, &mut w.cloud).unwrap();
    let after = ana.key.replace(before).unwrap();
    w.lock_refuses(LockError::UnlockMac, |w| w.open(&mut ana));
    ana.key = Some(after);
    w.open(&mut ana).unwrap();
}
