//! What a guest's phone keeps in its ring: nothing leaves before it is stored, nothing is given up without the lock's word,
//! and no key that works is put at risk by accident.

use sharekey::error::{Fault, GuestError, RefuseReason, Retry, ServiceError, SlotError};
use sharekey::guest::{Account, Keyring, RingChange, Taken};
use sharekey::id::SlotId;
use sharekey::limits::{Action, KeyStanding, Limits, Timestamp};
use sharekey::lock::purpose;
use sharekey::message::{Grant, Refused};
use sharekey::wire::Kind;
use sharekey_stage::desk;
use sharekey_stage::forge::signed;
use sharekey_stage::provider::Provider;
use sharekey_stage::world::guest::Guest;
use sharekey_stage::world::{ANA, BEN, HALL, STUDIO, Stop, World, digest, exposed, seed};

/// A phone with a ring; what it stores is on `disk`.
struct Phone {
    guest: Guest,
    ring: Keyring,
    disk: Keyring,
}

impl Phone {
    fn of(guest: Guest) -> Self {
        Self { guest, ring: Keyring::new(), disk: Keyring::new() }
    }

    /// One step, stored.
    fn step<T>(
        &mut self,
        by: impl for<'r> FnOnce(&'r mut Keyring, &mut Guest) -> RingChange<'r, T>,
    ) -> Result<T, GuestError> {
        let Self { guest, ring, disk } = self;
        let staged = by(ring, guest)?;
        let Ok(output) = staged.commit(|next| {
            *disk = exposed(next);
            Ok::<(), core::convert::Infallible>(())
        });
        Ok(output)
    }

    /// The app dies, and starts again.
    fn restarts(&mut self) {
        self.ring = exposed(&self.disk);
    }

    fn takes(&mut self, grant: &[u8]) -> Taken {
        self.step(|ring, guest| ring.take(&Provider, &guest.account, grant, None, &mut guest.rng)).unwrap()
    }

    /// As far as the lock's answer.
    fn asks(&mut self, w: &mut World, slot: SlotId, again: bool) -> Result<Vec<u8>, Stop> {
        let place = (w.door.id(), slot);
        let (challenge, session) = w.door.connect::<purpose::Install>();
        let (claim, install) = self.step(|ring, guest| {
            let ask = if again { Keyring::install_again } else { Keyring::install };
            ask(ring, &Provider, place, &challenge, &mut guest.rng)
        })?;
        self.restarts();
        let release = w.cloud.take(place, (&*claim, &*install))?;
        self.restarts();
        let bundle: Vec<u8> = self.step(|ring, _| ring.bundle(&Provider, &release))?;
        self.restarts();
        w.door.install(session, &bundle)
    }

    fn downloads(&mut self, w: &mut World, slot: SlotId) -> Result<(), Stop> {
        let answer = self.asks(w, slot, false)?;
        let receipt = self.step(|ring, _| ring.finish(&Provider, &answer))?;
        self.restarts();
        assert_eq!(self.ring.to_send().last(), Some(&receipt));
        Ok(())
    }

    fn opens(&mut self, w: &mut World, slot: SlotId) -> Result<Result<(), RefuseReason>, Stop> {
        let (challenge, session) = w.door.connect::<purpose::Operate>();
        let key = self.ring.key(w.door.id(), slot).unwrap().key();
        let (unlock, awaiting) = key.unlock(&Provider, &challenge, Action::Open, &mut self.guest.rng)?;
        let answer = w.door.unlock(session, &unlock).unwrap_or_else(|_| w.door.refusal.clone());
        Ok(self.step(|ring, _| ring.reply(&Provider, &awaiting, &answer))?.map(drop))
    }
}

fn shared_with(limits: Limits) -> (World, Phone) {
    let mut w = World::active();
    let ana = w.guest(ANA);
    let grant = w.share_with(HALL, &ana, sharekey::limits::Rights::OPEN_AND_LOCK, limits).unwrap();
    let mut phone = Phone::of(ana);
    assert_eq!(phone.takes(&grant), Taken::Claimed);
    (w, phone)
}

fn shared() -> (World, Phone) {
    shared_with(Limits::NONE)
}

fn downloaded() -> (World, Phone) {
    let (mut w, mut phone) = shared();
    phone.downloads(&mut w, HALL).unwrap();
    (w, phone)
}

/// Its app dies at each step, and starts with what it stored.
#[test]
fn a_ring_downloads_and_opens_whenever_its_app_dies() {
    let (mut w, mut phone) = downloaded();
    assert_eq!(phone.opens(&mut w, HALL), Ok(Ok(())));
    assert_eq!(w.door.bolt.len(), 1);
}

//= spec/protocol.md#guest
//# GST-18. A guest MUST store a claim, with its device's seed, before the claim exists for anybody else.
#[test]
fn an_app_that_dies_after_the_release_is_still_the_device_that_claimed() {
    let (mut w, mut phone) = shared();
    let place = (w.door.id(), HALL);
    let (challenge, _session) = w.door.connect::<purpose::Install>();
    let (claim, install) =
        phone.step(|ring, guest| ring.install(&Provider, place, &challenge, &mut guest.rng)).unwrap();
    w.cloud.take(place, (&*claim, &*install)).unwrap();
    phone.restarts();
    phone.downloads(&mut w, HALL).unwrap();
    // The control: what was claimed and not stored is another device's.
    let (mut w, mut phone) = shared();
    let (challenge, _session) = w.door.connect::<purpose::Install>();
    let (claim, install) =
        phone.step(|ring, guest| ring.install(&Provider, place, &challenge, &mut guest.rng)).unwrap();
    w.cloud.take(place, (&*claim, &*install)).unwrap();
    let grant = phone.ring.claimed(w.door.id(), HALL).unwrap().grant().to_vec();
    phone.disk = Keyring::new();
    phone.restarts();
    assert_eq!(phone.takes(&grant), Taken::Claimed);
    assert_eq!(phone.downloads(&mut w, HALL), Err(ServiceError::Slot(SlotError::ClaimedByOtherDevice).into()));
}

#[test]
fn a_claim_does_not_exist_before_it_is_stored() {
    let account = Account::from_seed(&Provider, &desk::subject_seed()).unwrap();
    let grant = desk::granted(2);
    let unstored = account.claim(&Provider, &grant, None, &mut desk::rng()).unwrap();
    assert_eq!(unstored.commit(|_| Err("full")).err(), Some("full"));
    let unstored = account.claim(&Provider, &grant, None, &mut desk::rng()).unwrap();
    let mut disk = None;
    let stored = unstored.commit(|claimed| {
        disk = Some(exposed(claimed));
        Ok::<(), core::convert::Infallible>(())
    });
    let Ok(claimed) = stored;
    assert_eq!(disk, Some(claimed));

    let mut ring = Keyring::new();
    let waiting = ring.take(&Provider, &account, &grant, None, &mut desk::rng()).unwrap().detach();
    assert_eq!(ring.claimed(desk::lock(), desk::SLOT), None, "nothing has happened yet");
    let again = ring.take(&Provider, &account, &grant, None, &mut desk::rng()).map(drop);
    assert_eq!(again, Err(GuestError::Busy));
    assert_eq!((GuestError::Busy.fault(), GuestError::Busy.retry()), (Fault::Caller, Retry::Later));
    assert_eq!(waiting.stored(&mut ring), Ok(Taken::Claimed));
    assert_eq!((ring.version(), ring.claims().len()), (1, 1));
}

//= spec/protocol.md#guest
//# GST-19. Of two grants for one slot of one lock a guest MUST try first that of the higher epoch, and in one epoch that of the higher number, whichever came first.
#[test]
fn an_older_grant_that_comes_late_does_not_stand_before_the_newer() {
    let (mut w, mut phone) = shared();
    let older = phone.ring.claimed(w.door.id(), HALL).unwrap().grant().to_vec();
    let mut late = Phone::of(w.guest(ANA));
    w.withdraw(HALL).unwrap();
    let newer = w.share(HALL, &late.guest).unwrap();
    assert_eq!((late.takes(&newer), late.takes(&older)), (Taken::Claimed, Taken::Claimed));
    late.downloads(&mut w, HALL).unwrap();
    assert_eq!(late.opens(&mut w, HALL), Ok(Ok(())));
    // The lock's word says that the older one is dead.
    assert_eq!(late.ring.claims().len(), 1);
    assert_eq!(late.takes(&older), Taken::Dead);
    assert_eq!(phone.takes(&newer), Taken::Claimed);
    assert_eq!(phone.ring.claimed(w.door.id(), HALL).unwrap().grant().to_vec(), newer, "nor in the other order");
    assert_eq!(phone.ring.claims().map(|claimed| claimed.grant().to_vec()).collect::<Vec<_>>(), [newer, older]);
}

/// Whoever sees the subject's key can forge one of a high number: without the owner's key a guest cannot tell.
#[test]
fn a_forged_grant_that_was_set_aside_stands_in_nobodys_way() {
    let (mut w, mut phone) = shared();
    let place = (w.door.id(), HALL);
    let honest = phone.ring.claimed(w.door.id(), HALL).unwrap().grant().to_vec();
    let body = *sharekey::wire::Unverified::<Grant>::parse(&honest).unwrap().claims();
    let forged = signed(&Grant { generation: desk::generation(u32::MAX), ..body }, &seed(77));
    assert_eq!(phone.takes(&forged), Taken::Claimed);
    let refused = phone.downloads(&mut w, HALL).unwrap_err();
    assert_eq!((refused, refused.retry()), (ServiceError::ClaimNamesOtherGrant.into(), Retry::FetchGrant));
    phone.step(|ring, _| ring.set_aside(&Provider, &digest(&forged))).unwrap();
    assert_eq!(phone.ring.claimed(place.0, place.1).unwrap().grant().to_vec(), honest);
    phone.downloads(&mut w, HALL).unwrap();
    let unknown = phone.step(|ring, _| ring.set_aside(&Provider, &digest(&[])));
    assert_eq!(unknown, Err(GuestError::NotClaimed));
}

//= spec/protocol.md#guest
//# GST-21. A guest MUST keep a claim until a receipt of the grant's lock shows that the lock installs that grant no more.
#[test]
fn a_service_that_says_that_a_grant_is_none_takes_no_device_away() {
    let (mut w, mut phone) = shared();
    let (grant, device) = {
        let claimed = phone.ring.claimed(w.door.id(), HALL).unwrap();
        (claimed.grant().clone(), claimed.claim().to_vec())
    };
    // An answer of an old replica, say, after the release went out.
    phone.asks(&mut w, HALL, false).unwrap();
    phone.step(|ring, _| ring.set_aside(&Provider, &digest(&grant))).unwrap();
    assert_eq!(phone.takes(&grant), Taken::Known);
    assert_eq!(phone.ring.claimed(w.door.id(), HALL).unwrap().claim().to_vec(), device);
    phone.downloads(&mut w, HALL).unwrap();
    assert_eq!(phone.opens(&mut w, HALL), Ok(Ok(())));
}

//= spec/protocol.md#guest
//# GST-20. A guest that holds the key of a grant MUST NOT install that grant again unless it is told to.
#[test]
fn a_key_that_works_is_not_downloaded_again_by_accident() {
    let (mut w, mut phone) = downloaded();
    assert_eq!(phone.downloads(&mut w, HALL), Err(GuestError::KeyHeld.into()));
    assert_eq!((GuestError::KeyHeld.fault(), GuestError::KeyHeld.retry()), (Fault::Guest, Retry::Already));
    assert_eq!(phone.opens(&mut w, HALL), Ok(Ok(())));
    // Told to, it does; and where the answer is lost, the key that worked is dead.
    let lost = phone.asks(&mut w, HALL, true).unwrap();
    assert_eq!(phone.opens(&mut w, HALL), Err(GuestError::RefusedOpaquely.into()));
    // The answer comes late: the attempt was stored.
    phone.restarts();
    phone.step(|ring, _| ring.finish(&Provider, &lost)).unwrap();
    assert_eq!(phone.opens(&mut w, HALL), Ok(Ok(())));
    assert_eq!(phone.ring.keys().len(), 1);
}

//= spec/protocol.md#guest
//# GST-22. A guest MUST keep a receipt until the service took it, or refused it for good.
#[test]
fn a_receipt_that_could_not_be_uploaded_is_kept_and_sent_at_the_next_contact() {
    let (mut w, mut phone) = downloaded();
    phone.restarts();
    let [receipt] = phone.ring.to_send() else { panic!("one receipt is to be sent") };
    let receipt = receipt.clone();
    w.cloud.take((w.door.id(), HALL), &*receipt).unwrap();
    phone.step(|ring, _| ring.sent(&receipt)).unwrap();
    phone.restarts();
    assert!(phone.ring.to_send().is_empty());
    w.sync();
    assert_eq!(w.state(HALL), sharekey::slot::State::Shared);
}

//= spec/protocol.md#guest
//# GST-8. A guest MUST store the pairing key before it says that the download is done.
#[test]
fn neither_key_nor_receipt_is_there_before_the_ring_is_stored() {
    let (mut w, mut phone) = shared();
    let answer = phone.asks(&mut w, HALL, false).unwrap();
    let staged = phone.ring.finish(&Provider, &answer).unwrap();
    assert_eq!(staged.commit(|_| Err("full")).err(), Some("full"));
    assert_eq!((phone.ring.keys().len(), phone.ring.to_send().len()), (0, 0));
    // Read again, the answer is as good as before; and so it is by the steps alone.
    phone.restarts();
    phone.step(|ring, _| ring.finish(&Provider, &answer)).unwrap();
    assert_eq!(phone.opens(&mut w, HALL), Ok(Ok(())));
}

#[test]
fn a_key_is_found_by_its_lock_and_tried_at_no_other_door() {
    let (mut w, mut phone) = downloaded();
    let mut other = World::active_at(2);
    assert!(phone.ring.key(other.door.id(), HALL).is_none());
    assert_eq!(phone.asks(&mut other, HALL, false), Err(GuestError::NotClaimed.into()));
    let grant = other.share(HALL, &phone.guest).unwrap();
    assert_eq!(phone.takes(&grant), Taken::Claimed);
    phone.downloads(&mut other, HALL).unwrap();
    assert_eq!((phone.opens(&mut other, HALL), phone.opens(&mut w, HALL)), (Ok(Ok(())), Ok(Ok(()))));
    // At the one door the other's claim answers no challenge.
    let (challenge, _session) = w.door.connect::<purpose::Install>();
    let place = (other.door.id(), HALL);
    let asked = phone.step(|ring, guest| ring.install_again(&Provider, place, &challenge, &mut guest.rng));
    assert_eq!(asked.err(), Some(GuestError::WrongLock));
    phone.step(|ring, _| ring.forget(place.0)).unwrap();
    assert_eq!((phone.ring.keys().len(), phone.ring.claims().len()), (1, 1));
}

#[test]
fn a_later_key_ends_the_earlier_one_of_its_slot_and_of_an_earlier_ownership_all() {
    let (mut w, mut phone) = downloaded();
    let grant = w.share(STUDIO, &phone.guest).unwrap();
    phone.takes(&grant);
    phone.downloads(&mut w, STUDIO).unwrap();
    w.withdraw(HALL).unwrap();
    let grant = w.share(HALL, &phone.guest).unwrap();
    phone.takes(&grant);
    phone.downloads(&mut w, HALL).unwrap();
    assert_eq!(phone.ring.keys().len(), 2, "the studio's stays");
    assert_eq!(phone.ring.key(w.door.id(), HALL).unwrap().key().grant(), digest(&grant));
    assert_eq!(phone.opens(&mut w, STUDIO), Ok(Ok(())));
    let (olga, cloud) = (w.olga.key(), w.cloud.key());
    let done = w.olga.transfer(&mut w.door, olga, cloud).unwrap();
    w.cloud.hear(&done).unwrap();
    w.activate(HALL).unwrap();
    let grant = w.share(HALL, &phone.guest).unwrap();
    assert_eq!(phone.takes(&grant), Taken::Claimed);
    assert_eq!(phone.ring.keys().len(), 2, "a grant is no word of the lock");
    phone.downloads(&mut w, HALL).unwrap();
    assert_eq!((phone.ring.keys().len(), phone.ring.claims().len()), (1, 1));
    assert_eq!(phone.opens(&mut w, HALL), Ok(Ok(())));
}

//= spec/protocol.md#guest
//# GST-23. A guest MUST NOT give up a key because of an answer that proves nothing.
#[test]
fn opaque_refusals_never_take_a_key_away() {
    let (mut w, mut phone) = downloaded();
    let before = exposed(&phone.ring);
    for _ in 0..100 {
        let (challenge, _session) = w.door.connect::<purpose::Operate>();
        let key = phone.ring.key(w.door.id(), HALL).unwrap().key();
        let (_, awaiting) = key.unlock(&Provider, &challenge, Action::Open, &mut phone.guest.rng).unwrap();
        let answer = Refused::OPAQUE;
        let told = phone.step(|ring, _| ring.reply(&Provider, &awaiting, &answer));
        assert_eq!(told, Err(GuestError::RefusedOpaquely));
    }
    assert_eq!(phone.ring, before);
    assert_eq!(phone.opens(&mut w, HALL), Ok(Ok(())));
}

#[test]
fn a_key_that_is_over_or_used_up_says_so_and_is_kept() {
    let at = Timestamp::from_unix_seconds;
    let noon = sharekey_stage::world::door::NOON;
    let limits = Limits::NONE.from(at(noon)).unwrap().until(at(noon + 3_600)).unwrap().uses(2).unwrap();
    let (mut w, mut phone) = shared_with(limits);
    w.olga.set_clock(&mut w.door, at(noon)).unwrap();
    phone.downloads(&mut w, HALL).unwrap();
    let hall = (w.door.id(), HALL);
    let stands = |phone: &Phone, time: u64| phone.ring.key(hall.0, hall.1).unwrap().standing(at(time));
    let left = |phone: &Phone| phone.ring.key(hall.0, hall.1).unwrap().uses_left();
    assert_eq!((stands(&phone, noon - 1), stands(&phone, noon)), (KeyStanding::NotYet, KeyStanding::Valid));
    assert_eq!(stands(&phone, noon + 3_600), KeyStanding::Over);
    assert_eq!(left(&phone), Some(2));
    assert_eq!(phone.opens(&mut w, HALL), Ok(Ok(())));
    phone.restarts();
    assert_eq!(left(&phone), Some(1));
    // A reply that is lost: the lock counts, the phone does not know.
    let (challenge, session) = w.door.connect::<purpose::Operate>();
    let key = phone.ring.key(hall.0, hall.1).unwrap().key();
    let (unlock, _lost) = key.unlock(&Provider, &challenge, Action::Open, &mut phone.guest.rng).unwrap();
    w.door.unlock(session, &unlock).unwrap();
    assert_eq!((left(&phone), stands(&phone, noon)), (Some(1), KeyStanding::Valid));
    assert_eq!(phone.opens(&mut w, HALL), Ok(Err(RefuseReason::UsesSpent)));
    phone.restarts();
    assert_eq!((left(&phone), stands(&phone, noon)), (Some(0), KeyStanding::UsedUp));
    // Downloaded again it has no more.
    let answer = phone.asks(&mut w, HALL, true).unwrap();
    phone.step(|ring, _| ring.finish(&Provider, &answer)).unwrap();
    assert_eq!(left(&phone), Some(0));
}

#[test]
fn what_answers_no_download_of_the_ring_is_refused() {
    let (mut w, mut phone) = downloaded();
    let (receipt, release) = (w.tape.last(Kind::Receipt), w.tape.last(Kind::Release));
    let before = exposed(&phone.ring);
    assert_eq!(
        phone.step(|ring, _| ring.finish(&Provider, &receipt)).err(),
        Some(GuestError::KeyHeld),
        "it came again"
    );
    let mut elsewhere = World::active_at(2);
    elsewhere.downloads(HALL, BEN);
    let other = elsewhere.tape.last(Kind::Receipt);
    assert_eq!(phone.step(|ring, _| ring.finish(&Provider, &other)).err(), Some(GuestError::NotReleased));
    assert_eq!(
        phone.step(|ring, _| ring.bundle(&Provider, &release)).err(),
        Some(GuestError::ReleaseNamesOtherInstall)
    );
    let answer = phone.asks(&mut w, HALL, true).unwrap();
    assert_eq!(
        phone.step(|ring, _| ring.finish(&Provider, &receipt)).err(),
        Some(GuestError::ReceiptNamesOtherInstall)
    );
    let opaque = Refused::OPAQUE;
    assert_eq!(phone.step(|ring, _| ring.finish(&Provider, &opaque)).err(), Some(GuestError::RefusedOpaquely));
    phone.step(|ring, _| ring.finish(&Provider, &answer)).unwrap();
    assert_eq!(phone.ring.keys().len(), before.keys().len());
    let mut ben = Phone::of(w.guest(BEN));
    let grant = w.tape.last(Kind::Grant);
    let taken = ben.step(|ring, guest| ring.take(&Provider, &guest.account, &grant, None, &mut guest.rng));
    assert_eq!(taken.err(), Some(GuestError::NotTheSubject));
}
