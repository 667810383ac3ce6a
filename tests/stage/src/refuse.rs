//! What a refusal must be: the exact error, the exact answer, and nothing changed.

use crate::provider::Provider;
use sharekey::crypto::{Kdf, Tag};
use sharekey::error::{LockError, RefuseReason};
use sharekey::limits::Limits;
use sharekey::lock::{Cell, PhysicalPresence, Refusal, Session, purpose};
use sharekey::message::{Outcome, Refused, RefusedBody, Reply, SlotReport};
use sharekey::secret::Seed;

use super::stand::{Key, Stand};
use super::store::Store;
use super::{digest, forge};

type Snapshot = (Store, Vec<Result<SlotReport, LockError>>);

impl Stand {
    /// A key from the lock's stored seed, by the spec's key schedule.
    pub fn derived(&self, label: &str) -> [u8; 32] {
        let seed = &self.store.get(Cell::Seed).unwrap()[5..37];
        *Provider.hkdf_sha256(&[], seed, label.as_bytes()).unwrap()
    }

    /// The lock's own signing key.
    pub fn lock_key(&self) -> Seed {
        Seed::from_bytes(self.derived("sharekey v1 lock key"))
    }

    /// The record of a cell with this content, as the lock itself would write it.
    pub fn record(&self, cell: Cell, content: &[u8]) -> Vec<u8> {
        let (kind, index) = match cell {
            Cell::Seed => (1, 0),
            Cell::Header => (2, 0),
            Cell::Counter => (3, 0),
            Cell::Slot(slot) => (4, slot.index()),
        };
        let bytes = [&[b'S', b'R', 1, kind, index], content].concat();
        forge::tag(bytes, &self.derived("sharekey v1 record mac"))
    }

    /// What the lock answers to a request that it refuses: opaque without a reason.
    pub fn refused(&self, request: &[u8], told: Option<RefuseReason>) -> Vec<u8> {
        let Some(reason) = told else { return Refused::OPAQUE.to_vec() };
        forge::signed(&RefusedBody { request: digest(request), reason }, &self.lock_key())
    }

    /// The bundle is refused with exactly this error and answer, and nothing changed.
    #[track_caller]
    pub fn refuses_bundle(
        &mut self,
        session: Session<purpose::Install>,
        bundle: &[u8],
        error: LockError,
        told: Option<RefuseReason>,
    ) {
        let (before, answer) = (self.snapshot(), self.refused(bundle, told));
        let refusal = self.send_bundle(session, bundle).unwrap_err();
        self.check_refusal(&refusal, error, &answer, &before);
    }

    /// The command is refused with exactly this error and answer, and nothing changed.
    #[track_caller]
    pub fn refuses_command(
        &mut self,
        session: Session<purpose::Operate>,
        command: &[u8],
        error: LockError,
        told: Option<RefuseReason>,
    ) {
        let (before, answer) = (self.snapshot(), self.refused(command, told));
        let refusal = self.send_command(session, command).unwrap_err();
        self.check_refusal(&refusal, error, &answer, &before);
    }

    /// The unlock is refused with exactly this error, and answered opaquely, or by a reply under
    /// the key that gives the reason; and nothing changed.
    #[track_caller]
    pub fn refuses_unlock(
        &mut self,
        session: Session<purpose::Operate>,
        unlock: &[u8],
        error: LockError,
        told: Option<(&Key, RefuseReason)>,
    ) {
        let before = self.snapshot();
        let answer = told
            .map_or_else(|| Refused::OPAQUE.to_vec(), |(key, reason)| key.reply(unlock, Outcome::Refused { reason }));
        let refusal = self.send_unlock(session, unlock).unwrap_err();
        self.check_refusal(&refusal, error, &answer, &before);
    }

    /// The provision is refused with exactly this error and answer, and nothing changed.
    #[track_caller]
    pub fn refuses_provision(
        &mut self,
        session: Session<purpose::Operate>,
        provision: &[u8],
        error: LockError,
        told: Option<RefuseReason>,
    ) {
        let (before, owner, answer) = (self.snapshot(), self.owner(), self.refused(provision, told));
        let refusal = self.provision(session, provision).unwrap_err();
        self.check_refusal(&refusal, error, &answer, &before);
        assert_eq!(self.owner(), owner);
    }

    /// The factory reset is refused with exactly this error, opaquely, and nothing changed.
    #[track_caller]
    pub fn refuses_reset(&mut self, session: Session<purpose::Operate>, reset: &[u8], error: LockError) {
        let before = self.snapshot();
        let refusal = self.reset(session, reset).unwrap_err();
        self.check_refusal(&refusal, error, &Refused::OPAQUE, &before);
    }

    /// Somebody sends a factory reset while the button inside is pressed.
    pub fn reset(&mut self, session: Session<purpose::Operate>, reset: &[u8]) -> Result<(), Refusal> {
        let (now, presence) = (self.now(), PhysicalPresence::button_is_pressed());
        let staged = self.lock.factory_reset(session, reset, presence, now, &mut self.rng)?;
        let _erased = staged.commit(|record| self.store.put(record)).unwrap();
        Ok(())
    }

    #[track_caller]
    fn check_refusal(&self, refusal: &Refusal, error: LockError, answer: &[u8], before: &Snapshot) {
        assert_eq!(refusal.error(), error);
        assert_eq!(refusal.answer(), answer, "{error:?}");
        //= spec/protocol.md#errors-and-refusals
        //# ERR-2. A refusal MUST change nothing but the session that it used.
        assert_eq!(&self.snapshot(), before, "{error:?}");
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
        forge::tagged(&Reply { outcome, unlock: tag }, &self.pairing)
    }
}
