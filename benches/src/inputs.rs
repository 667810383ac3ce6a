//! Signed inputs, as many as are rotated. They live as long as the process.

use std::cell::RefCell;
use std::hint::black_box;
use std::time::{Duration, Instant};

use sharekey::crypto::PublicKey;
use sharekey::guest::{Claimed, GuestKey};
use sharekey::limits::{Limits, OffsetChange, Rights, Schedule, Timestamp, UtcOffset, Weekdays};
use sharekey::lock::{Session, purpose};
use sharekey::owner::Method;
use sharekey::secret::Seed;

use sharekey_stage::house::{House, NOON, NOW, stored};
use sharekey_stage::provider::Plain as Provider;
use sharekey_stage::rng;

use super::INPUTS;

pub const SLOTS: usize = sharekey::lock::SLOTS;
/// How many locks are operated in one batch: each has room for one session of a purpose.
pub const LOCKS: usize = 16;

pub fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// From now on for two weeks: the limits of the payload that the peers carry too.
pub fn dates() -> Limits {
    let at = Timestamp::from_unix_seconds;
    Limits::new(Some(at(NOON - 3600)), Some(at(NOON + 14 * 86_400)), None, None).unwrap()
}

/// Every limit that there is.
pub fn every_limit() -> Limits {
    let at = Timestamp::from_unix_seconds;
    let change = OffsetChange { at: at(NOON + 7 * 86_400), offset: UtcOffset::UTC };
    let schedule = Schedule::new(Weekdays::ALL, 0, 1440, UtcOffset::UTC, Some(change)).unwrap();
    Limits::new(Some(at(NOON - 3600)), Some(at(NOON + 14 * 86_400)), Some(schedule), Some(u32::MAX)).unwrap()
}

/// The message with a signature that fails only at the equation: the last check, and the whole cost.
pub fn forged(message: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    let scalar = message.len() - 32;
    message[scalar] ^= 1;
    message
}

/// Grants to as many subjects, by one owner.
pub fn grants<C: Provider>(limits: Limits) -> (PublicKey, Vec<Vec<u8>>) {
    let house = House::<C, SLOTS>::new(1);
    let (mut rng, crypto) = (rng(2), C::default());
    let grants = (0..INPUTS).map(|_| {
        let subject = crypto.public_key(&crypto.signing_key(&Seed::random(&mut rng)).unwrap());
        let (mut view, rights) = (house.view.clone(), Rights::OPEN_AND_LOCK);
        let staged = house.owner.share(&mut view, house.slot, subject, Method::Account, rights, limits).unwrap();
        let Ok(grant) = staged.commit(stored);
        grant.to_vec()
    });
    (*house.owner.key(), grants.collect())
}

/// A lock's receipts for one grant, re-keyed each time, and the owner who waits for them.
pub fn receipts<C: Provider>() -> (House<C, SLOTS>, Vec<Vec<u8>>) {
    let mut house = House::<C, SLOTS>::new(3);
    let claimed = house.share(dates());
    let receipts = (0..INPUTS)
        .map(|_| {
            let (session, bundle) = house.bundle(&claimed);
            house.install(session, &bundle).receipt.to_vec()
        })
        .collect();
    (house, receipts)
}

/// What the service is asked to release: one claim, and installs for as many nonces.
pub fn releases<C: Provider>() -> (House<C, SLOTS>, Vec<u8>, PublicKey, Vec<Vec<u8>>) {
    let mut house = House::<C, SLOTS>::new(4);
    let claimed = house.share(dates());
    let claim = claimed.claim().to_vec();
    let device = *sharekey::wire::Unverified::<sharekey::message::Claim>::parse(&claim).unwrap().claims();
    let installs = (0..INPUTS).map(|_| house.arrive(&claimed).1.install().to_vec()).collect();
    (house, claim, device.device, installs)
}

/// Locks that a key was downloaded from, each with its guest.
pub struct Row<C: Provider, const S: usize = SLOTS>(RefCell<Vec<Guarded<C, S>>>);

pub struct Guarded<C: Provider, const S: usize = SLOTS> {
    pub house: House<C, S>,
    pub claimed: Claimed,
    pub key: GuestKey,
}

impl<C: Provider, const S: usize> Row<C, S> {
    pub fn new(limits: Limits) -> &'static Self {
        let row = (0..LOCKS).map(|number| {
            let mut house = House::new(100 + u64::try_from(number).unwrap());
            let claimed = house.share(limits);
            let key = house.download(&claimed);
            Guarded { house, claimed, key }
        });
        leak(Self(RefCell::new(row.collect())))
    }

    /// Something of each lock.
    pub fn sample<T>(&self, take: impl FnMut(&mut Guarded<C, S>) -> T) -> Vec<T> {
        self.0.borrow_mut().iter_mut().map(take).collect()
    }

    /// A batch at the next `size` locks: prepares an attempt at each, then times what is done with them. All is
    /// done twice, and the second time counts, for the first brings code and locks into the cache.
    pub fn batch<P: purpose::Purpose>(
        &'static self,
        size: usize,
        mut prepare: impl FnMut(&mut Guarded<C, S>) -> Attempt<P>,
        mut act: impl FnMut(&mut Guarded<C, S>, Session<P>, &[u8]) -> bool,
    ) -> impl FnMut() -> Duration {
        let mut next = 0;
        move || {
            let mut row = self.0.borrow_mut();
            let row = &mut row[next..next + size];
            next = (next + size) % LOCKS;
            let mut pass = || {
                let mut attempts: Vec<_> = row.iter_mut().map(&mut prepare).collect();
                let start = Instant::now();
                for (guarded, (session, message)) in row.iter_mut().zip(&mut attempts) {
                    black_box(act(guarded, session.take().unwrap(), message));
                }
                start.elapsed()
            };
            pass();
            pass()
        }
    }
}

/// A session to be used once, and the message for it.
pub type Attempt<P> = (Option<Session<P>>, Vec<u8>);

/// Whether it was accepted.
pub fn install<C: Provider, const S: usize>(
    guarded: &mut Guarded<C, S>,
    session: Session<purpose::Install>,
    bundle: &[u8],
) -> bool {
    let house = &mut guarded.house;
    house.lock.install(session, bundle, NOW, &mut house.rng).is_ok_and(|staged| staged.commit(stored).is_ok())
}

pub fn command<C: Provider, const S: usize>(
    guarded: &mut Guarded<C, S>,
    session: Session<purpose::Operate>,
    command: &[u8],
) -> bool {
    guarded.house.lock.command(session, command, NOW).is_ok_and(|staged| staged.commit(stored).is_ok())
}

pub fn unlock<C: Provider, const S: usize>(
    guarded: &mut Guarded<C, S>,
    session: Session<purpose::Operate>,
    unlock: &[u8],
) -> bool {
    guarded.house.lock.unlock(session, unlock, NOW).is_ok_and(|staged| staged.commit(stored).is_ok())
}

impl<C: Provider, const S: usize> Guarded<C, S> {
    pub fn bundle(&mut self) -> Attempt<purpose::Install> {
        let (session, bundle) = self.house.bundle(&self.claimed);
        (Some(session), bundle)
    }

    pub fn unlock(&mut self) -> Attempt<purpose::Operate> {
        let (session, unlock) = self.house.unlock_message(&self.key);
        (Some(session), unlock.to_vec())
    }

    pub fn command(&mut self) -> Attempt<purpose::Operate> {
        let (session, command) = self.house.command_message();
        (Some(session), command.to_vec())
    }
}
