//! What a refusal must be: the exact error, the exact answer, and nothing changed.

use sharekey::crypto::{Crypto, Tag};
use sharekey::error::{LockError, RefuseReason};
use sharekey::limits::Limits;
use sharekey::lock::{Cell, Refusal, Session, purpose};
use sharekey::message::{Outcome, Refused, RefusedBody, Reply};
use sharekey::secret::Seed;

use super::digest;
use super::firmware::AnySession;
use super::forge::{self, label};
use super::ops::To;
use super::stand::{BATTERY, Key, Stand};

type Operate = Session<purpose::Operate>;
type Install = Session<purpose::Install>;

/// The reason, where the sender is told one.
type Told = Option<RefuseReason>;

impl<C: Crypto + Clone> Stand<C> {
    /// A key from the lock's stored seed, by the spec's key schedule.
    pub fn derived(&self, label: &str) -> [u8; 32] {
        forge::derived(&self.stored(Cell::Seed)[5..37], label)
    }

    /// The lock's own signing key.
    pub fn lock_key(&self) -> Seed {
        Seed::from_bytes(self.derived(label::LOCK_KEY))
    }

    /// What the lock answers to a request that it refuses: opaque without a reason.
    pub fn refused(&self, request: &[u8], told: Told) -> Vec<u8> {
        let Some(reason) = told else { return Refused::OPAQUE.to_vec() };
        forge::signed(&RefusedBody { request: digest(request), reason }, &self.lock_key())
    }

    /// The message is refused with exactly this error and answer, and nothing changed.
    #[track_caller]
    fn refuses(
        &mut self,
        (session, to): (impl Into<AnySession>, To),
        message: &[u8],
        (error, answer): (LockError, Vec<u8>),
    ) {
        let refusal = self.unchanged_by((session, to), message);
        assert_eq!(refusal.error(), error);
        assert_eq!(refusal.answer(), answer, "{error:?}");
    }

    /// The message is refused, and nothing changed.
    #[track_caller]
    pub fn unchanged_by(&mut self, (session, to): (impl Into<AnySession>, To), message: &[u8]) -> Refusal {
        let (before, owner) = (self.snapshot(), self.lock.ownership());
        let Err(refusal) = self.send(to, session, message) else { panic!("{to:?} is accepted, and not refused") };
        //= spec/protocol.md#errors-and-refusals
        //# ERR-2. A refusal MUST change nothing but the session that it used.
        assert_eq!((self.snapshot(), self.lock.ownership()), (before, owner), "{refusal:?}");
        refusal
    }

    /// A bundle, refused.
    #[track_caller]
    pub fn refuses_bundle(&mut self, session: Install, bundle: &[u8], error: LockError, told: Told) {
        let answer = self.refused(bundle, told);
        self.refuses((session, To::Install), bundle, (error, answer));
    }

    /// A command, refused.
    #[track_caller]
    pub fn refuses_command(&mut self, session: Operate, command: &[u8], error: LockError, told: Told) {
        let answer = self.refused(command, told);
        self.refuses((session, To::Command), command, (error, answer));
    }

    /// An unlock, refused and answered opaquely, or by a reply under the key that gives the reason.
    #[track_caller]
    pub fn refuses_unlock(
        &mut self,
        session: Operate,
        unlock: &[u8],
        error: LockError,
        told: Option<(&Key, RefuseReason)>,
    ) {
        let answer = told
            .map_or_else(|| Refused::OPAQUE.to_vec(), |(key, reason)| key.reply(unlock, Outcome::Refused { reason }));
        self.refuses((session, To::Unlock), unlock, (error, answer));
    }

    /// A provision, refused.
    #[track_caller]
    pub fn refuses_provision(&mut self, session: Operate, provision: &[u8], error: LockError, told: Told) {
        let answer = self.refused(provision, told);
        self.refuses((session, To::Provision), provision, (error, answer));
    }

    /// A factory reset, refused opaquely.
    #[track_caller]
    pub fn refuses_reset(&mut self, session: Operate, reset: &[u8], error: LockError) {
        self.refuses((session, To::Reset), reset, (error, Refused::OPAQUE.to_vec()));
    }

    /// An honest owner provisions the lock, and opens slot 0.
    #[track_caller]
    pub fn begins(&mut self) {
        self.take_ownership();
        self.activate(0, 1);
        self.goes_on();
    }

    /// An honest bundle, one number up, installs in slot 0, and its key opens.
    #[track_caller]
    pub fn goes_on(&mut self) {
        let generation = self.report(0).unwrap().floor.value() + 1;
        let key = self.download(0, generation, |chain| chain.grant.limits = Limits::NONE).unwrap();
        let _ = self.open(&key).unwrap();
    }
}

impl Key {
    /// The lock's reply to an unlock by this key.
    pub fn reply(&self, unlock: &[u8], outcome: Outcome) -> Vec<u8> {
        let tag = Tag::from_bytes(*unlock.last_chunk().unwrap());
        forge::tagged(&Reply { outcome, unlock: tag, battery: BATTERY }, &self.pairing)
    }
}
