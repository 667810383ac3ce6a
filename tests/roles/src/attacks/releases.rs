//! Releases: spent by another install, swapped, given out before or after their time.

use sharekey::error::{GuestError, LockError, ServiceError};
use sharekey::guest::Installing;
use sharekey::id::SlotId;
use sharekey::limits::{Limits, Rights};
use sharekey::lock::{Session, purpose};
use sharekey::message::{Bundle, Holding, Release};
use sharekey::wire::Kind;
use sharekey_stage::ops::To;
use sharekey_stage::provider::Provider;

use super::MISMATCH;
use sharekey_stage::forge;
use sharekey_stage::world::cloud::Cloud;
use sharekey_stage::world::guest::Guest;
use sharekey_stage::world::{ANA, BEN, HALL, OTHER_CLOUD, STUDIO, World, digest, seed};

/// A guest in the middle of a download: released, not yet at the lock.
struct Halfway {
    guest: Guest,
    installing: Installing,
    release: Vec<u8>,
    session: Session<purpose::Install>,
}

impl Halfway {
    fn new(w: &mut World, mut guest: Guest, slot: SlotId) -> Self {
        let grant = w.share(slot, &guest).unwrap();
        guest.claim(&grant).unwrap();
        let (session, installing, release) = w.released(&mut guest);
        Self { guest, installing, release, session }
    }

    /// The bundle of a phone that checks nothing.
    fn bundle_with(&self, release: &[u8]) -> Vec<u8> {
        let (grant, claim) = (self.guest.claimed().grant(), self.guest.claimed().claim());
        Bundle { grant, claim, install: self.installing.install(), release }.encode().unwrap().to_vec()
    }
}

//= spec/protocol.md#guest
//# GST-5. A guest MUST check that a release names its install before it sends the bundle.
#[test]
fn a_release_is_not_spent_by_somebody_elses_install() {
    let mut w = World::active();
    let (ana, ben) = (w.guest(ANA), w.guest(BEN));
    let victim = Halfway::new(&mut w, ana, HALL);
    let thief = Halfway::new(&mut w, ben, STUDIO);
    let refused = thief.installing.bundle(&Provider, &victim.release);
    assert_eq!(refused.err(), Some(GuestError::ReleaseNamesOtherInstall));
    let bundle = thief.bundle_with(&victim.release);
    w.lock_refuses(LockError::ReleaseNamesOtherInstall, |w| w.door.install(thief.session, &bundle));
    assert_eq!(w.door.lock.report(STUDIO).unwrap().holding, Holding::Empty);
}

#[test]
fn swapped_releases_of_two_downloads_under_way_install_neither_and_both_recover() {
    let mut w = World::active();
    let (ana, ben) = (w.guest(ANA), w.guest(BEN));
    let one = Halfway::new(&mut w, ana, HALL);
    let two = Halfway::new(&mut w, ben, STUDIO);
    for (installing, release) in [(&one.installing, &two.release), (&two.installing, &one.release)] {
        assert_eq!(installing.bundle(&Provider, release).err(), Some(GuestError::ReleaseNamesOtherInstall));
    }
    let (newer, older) = (two.bundle_with(&one.release), one.bundle_with(&one.release));
    w.lock_refuses(LockError::ReleaseNamesOtherInstall, |w| w.door.install(two.session, &newer));
    w.lock_refuses(LockError::SessionSuperseded, |w| w.door.install(one.session, &older));

    let (mut ana, mut ben) = (one.guest, two.guest);
    w.download(&mut ana).unwrap();
    w.download(&mut ben).unwrap();
    w.open(&mut ana).unwrap();
    w.open(&mut ben).unwrap();
}

#[test]
fn parts_of_two_chains_do_not_make_one() {
    let mut w = World::active();
    let (ana, ben) = (w.guest(ANA), w.guest(BEN));
    let one = Halfway::new(&mut w, ana, HALL);
    let two = Halfway::new(&mut w, ben, STUDIO);
    let (grant, install, release) = (one.guest.claimed().grant(), two.installing.install(), &two.release);
    let (own, foreign) = (one.guest.claimed().claim(), two.guest.claimed().claim());
    let stolen = Bundle { grant, claim: foreign, install, release }.encode().unwrap();
    w.lock_refuses(LockError::ClaimNamesOtherGrant, |w| w.door.install(two.session, &stolen));
    let stolen = Bundle { grant, claim: own, install, release }.encode().unwrap();
    w.lock_refuses(LockError::InstallNamesOtherClaim, |w| w.door.sent(To::Install, &stolen));
    let place = w.place(HALL);
    w.refuses(ServiceError::InstallNamesOtherClaim, |w| w.cloud.take(place, (own, install)));
    w.refuses(ServiceError::ClaimNamesOtherGrant, |w| w.cloud.take(place, (foreign, install)));
}

#[test]
fn after_a_transfer_the_old_clouds_release_is_worth_nothing() {
    let (mut w, _ana) = World::downloaded();
    let mut cloud = Cloud::new(OTHER_CLOUD, &w.tape);
    let owner = w.olga.key();
    let done = w.olga.transfer(&mut w.door, owner, cloud.key()).unwrap();
    cloud.hear(&done).unwrap();
    w.olga.activate(&mut w.door, &mut cloud, HALL).unwrap();
    let mut ben = w.guest(BEN);
    let grant = w.olga.share(&mut cloud, HALL, ben.subject(), Rights::OPEN, Limits::NONE).unwrap();
    ben.claim(&grant).unwrap();
    w.lock_refuses(LockError::ReleaseSignature(MISMATCH), |w| ben.fetch_colluding(&mut w.door));
    ben.download(&mut w.door, &mut cloud).unwrap();

    // An honest old cloud knows that it has moved, once it is told.
    w.cloud.hear(&done).unwrap();
    let (place, install) = (w.place(HALL), w.tape.last(Kind::Install));
    w.refuses(ServiceError::Moved, |w| w.cloud.take(place, &grant));
    w.refuses(ServiceError::Moved, |w| w.cloud.take(place, (ben.claimed().claim(), &install)));
}

#[test]
fn before_a_transfer_the_new_clouds_release_is_worth_nothing() {
    let (mut w, mut ana) = World::claimed();
    let (session, installing) = w.asks(&mut ana);
    let release = forge::signed(&Release { install: digest(installing.install()) }, &seed(OTHER_CLOUD));
    let download = installing.bundle(&Provider, &release).unwrap();
    w.lock_refuses(LockError::ReleaseSignature(MISMATCH), |w| w.door.install(session, download.bundle()));
}
