//! A provisioned lock on a test stand: every message to it can be forged.

use rand_chacha::ChaCha20Rng;
use sharekey::counter::{Epoch, Generation, Term};
use sharekey::crypto::{Agree as _, Crypto, Nonce, PublicKey};
use sharekey::error::LockError;
use sharekey::id::{LockId, SlotCount, SlotId};
use sharekey::limits::{Action, Limits, Rights, Timestamp};
use sharekey::lock::{Battery, Cell, Challenged, Clock, Commanded, Erased, Installed, Lock, Now, Pending, Record};
use sharekey::lock::{Refusal, Session, Unlocked, purpose};
use sharekey::message::{Command, FactoryReset, Grant, Operation, Provision, SlotReport, Unlock};
use sharekey::secret::{ActivationSecret, AgreementSecret};

use super::firmware::{self, AnySession, Detach, Outcome, Output, Put};
use super::ops::{For, To};
use super::provider::Provider;
use super::store::{PowerCut, Store};
use super::{forge, nonce_of, public, rng, seed};

pub use super::NOON;
pub use super::chain::{Chain, Parts};

pub const SLOTS: usize = 3;
pub fn slot_count() -> SlotCount {
    u8::try_from(SLOTS).ok().and_then(SlotCount::new).unwrap()
}

/// How full its battery is.
pub const BATTERY: Battery = Battery::at(62);
pub const CARD: [u8; 16] = [0xca; 16];
pub const OWNER: u8 = 1;
pub const SERVICE: u8 = 2;
pub const SUBJECT: u8 = 3;
pub const DEVICE: u8 = 4;

pub type TestLock = Lock<Provider, SLOTS>;

/// The cast's provider, or one that looks on.
pub struct Stand<C: Crypto = Provider> {
    pub lock: Lock<C, SLOTS>,
    pub store: Store,
    pub rng: ChaCha20Rng,
    pub ticks: u64,
    pub clock: Clock,
    crypto: C,
}

/// An installed key as the guest holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    pub slot: SlotId,
    pub pairing: [u8; 32],
}

impl Key {
    /// The guest's copy of a key that a receipt proves, where this was the guest's part in the agreement.
    pub fn of(receipt: &[u8], agreement: &AgreementSecret) -> Self {
        let (slot, pairing) = forge::pairing(receipt, agreement);
        Self { slot, pairing }
    }

    pub fn unlock(&self, action: Action, lock_nonce: Nonce) -> Unlock {
        Unlock { slot: self.slot, action, lock_nonce, guest_nonce: Nonce::from_bytes([9; 16]) }
    }

    pub fn message(&self, action: Action, lock_nonce: Nonce) -> Vec<u8> {
        forge::tagged(&self.unlock(action, lock_nonce), &self.pairing)
    }
}

/// The guest's part in the agreement of every chain here.
pub fn agreement() -> AgreementSecret {
    AgreementSecret::from_bytes([5; 32])
}

impl Stand {
    /// A lock that was made, and has no owner.
    pub fn fresh() -> Self {
        Self::made_with(7)
    }

    /// A lock that was made with this entropy: another number, another lock.
    pub fn made_with(entropy: u64) -> Self {
        Self::made_by(Provider, entropy)
    }

    /// A lock that belongs to [`OWNER`] and [`SERVICE`].
    pub fn provisioned() -> Self {
        let mut stand = Self::fresh();
        stand.take_ownership();
        stand
    }

    /// A lock whose slot 0 was activated with number 1.
    pub fn active() -> Self {
        let mut stand = Self::provisioned();
        stand.activate(0, 1);
        stand
    }

    /// A lock with an unlimited key, number 2, in slot 0.
    pub fn installed() -> (Self, Key) {
        Self::installed_with(Rights::OPEN_AND_LOCK, Limits::NONE)
    }

    /// A lock with a key of these rights and limits, number 2, in slot 0.
    pub fn installed_with(rights: Rights, limits: Limits) -> (Self, Key) {
        Self::fresh().with_key(rights, limits)
    }
}

impl<C: Crypto + Clone> Stand<C> {
    /// A lock that was made under this provider.
    pub fn made_by(crypto: C, entropy: u64) -> Self {
        let (mut store, mut rng) = (Store::default(), rng(entropy));
        let lock = firmware::boot(crypto.clone(), CARD, &mut store, &mut rng);
        store.writes = 0;
        Self { lock, store, rng, ticks: 1_000, clock: Clock::At(Timestamp::from_unix_seconds(NOON)), crypto }
    }

    /// The same lock, booted under another provider.
    pub fn under<D: Crypto + Clone>(self, crypto: D) -> Stand<D> {
        let Self { mut store, mut rng, ticks, clock, .. } = self;
        let lock = firmware::boot(crypto.clone(), CARD, &mut store, &mut rng);
        Stand { lock, store, rng, ticks, clock, crypto }
    }

    /// Of the owner and service, with a key of these rights and limits, number 2, in slot 0. Where those need the time,
    /// the owner set the clock.
    pub fn with_key(mut self, rights: Rights, limits: Limits) -> (Self, Key) {
        self.take_ownership();
        if limits.valid_from().is_some() || limits.valid_until().is_some() || limits.schedule().is_some() {
            let _ = self.set_clock(NOON).unwrap();
        }
        self.activate(0, 1);
        let key = self.download(0, 2, |chain| (chain.grant.rights, chain.grant.limits) = (rights, limits)).unwrap();
        (self, key)
    }

    /// Provisions the lock for [`OWNER`] and [`SERVICE`].
    pub fn take_ownership(&mut self) {
        let (nonce, session) = self.operate();
        self.provision(session, &self.provision_message(nonce)).unwrap();
    }

    pub fn now(&self) -> Now {
        Now { ticks: self.ticks, clock: self.clock, battery: BATTERY }
    }

    /// The epoch, and the owner's key.
    pub fn owner(&self) -> Result<(Epoch, PublicKey), LockError> {
        self.lock.ownership().map(|owned| (owned.epoch, owned.owner))
    }

    pub fn id(&self) -> LockId {
        self.lock.id()
    }

    pub fn report(&self, slot: u8) -> Result<SlotReport, LockError> {
        self.lock.report(SlotId::new(slot))
    }

    pub fn challenge<P: purpose::Purpose>(&mut self) -> Result<(Nonce, Session<P>), LockError> {
        let now = self.now();
        let staged = self.lock.challenge::<P>(now, &mut self.rng)?;
        let Challenged { challenge, session } = staged.commit(|record| self.store.put(record)).unwrap();
        Ok((nonce_of(&challenge), session))
    }

    /// Puts a message to the lock, whose record is stored.
    ///
    /// # Errors
    /// Why it is refused, and the answer.
    pub fn send(&mut self, to: To, session: impl Into<AnySession>, message: &[u8]) -> Result<Output, Refusal> {
        let now = self.now();
        let Self { lock, store, rng, .. } = self;
        firmware::send(lock, (session.into(), to), message, now, rng, &mut Put(store))
    }

    /// Puts a message to the lock, which must accept it, and takes the operation off the lock.
    pub fn detached<T: Outcome>(
        &mut self,
        to: To,
        session: impl Into<AnySession>,
        message: &[u8],
    ) -> (Option<Record>, Pending<T>) {
        let now = self.now();
        let Self { lock, rng, .. } = self;
        let sent = firmware::send(lock, (session.into(), to), message, now, rng, &mut Detach);
        let (record, waiting) = sent.unwrap();
        (record, T::pending(waiting).unwrap())
    }

    /// Somebody connects, for either purpose.
    pub fn connect(&mut self, purpose: For) -> (Nonce, AnySession) {
        match purpose {
            For::Install => {
                let (nonce, session) = self.for_install();
                (nonce, session.into())
            }
            For::Operate => {
                let (nonce, session) = self.operate();
                (nonce, session.into())
            }
        }
    }

    pub fn operate(&mut self) -> (Nonce, Session<purpose::Operate>) {
        self.challenge().unwrap()
    }

    pub fn for_install(&mut self) -> (Nonce, Session<purpose::Install>) {
        self.challenge().unwrap()
    }

    pub fn provision_body(&self, lock_nonce: Nonce) -> Provision {
        let owner_nonce = Nonce::from_bytes([8; 16]);
        Provision { lock_nonce, owner_nonce, owner: public(&seed(OWNER)), service: public(&seed(SERVICE)) }
    }

    pub fn provision_message(&self, lock_nonce: Nonce) -> Vec<u8> {
        forge::tagged(&self.provision_body(lock_nonce), &CARD)
    }

    pub fn provision(&mut self, session: Session<purpose::Operate>, message: &[u8]) -> Result<Vec<u8>, Refusal> {
        self.send(To::Provision, session, message).map(|owned| owned.answer().to_vec())
    }

    pub fn command_body(&self, lock_nonce: Nonce, operation: Operation) -> Command {
        let epoch = self.lock.ownership().map_or(Epoch::FIRST, |owned| owned.epoch);
        let (lock, by, owner_nonce) = (self.id(), Term::OWNER, Nonce::from_bytes([7; 16]));
        Command { lock, epoch, by, lock_nonce, owner_nonce, operation }
    }

    pub fn send_command(&mut self, session: Session<purpose::Operate>, message: &[u8]) -> Result<Commanded, Refusal> {
        self.send(To::Command, session, message).map(Output::take)
    }

    /// An operation ordered by [`OWNER`].
    pub fn command(&mut self, operation: Operation) -> Result<Commanded, Refusal> {
        self.command_by(OWNER, operation)
    }

    pub fn command_by(&mut self, owner: u8, operation: Operation) -> Result<Commanded, Refusal> {
        let (nonce, session) = self.operate();
        let message = forge::signed(&self.command_body(nonce, operation), &seed(owner));
        self.send_command(session, &message)
    }

    /// A command's body and signature by [`OWNER`].
    pub fn order(&self, nonce: Nonce, operation: Operation) -> Vec<u8> {
        forge::signed(&self.command_body(nonce, operation), &seed(OWNER))
    }

    pub fn activate(&mut self, slot: u8, generation: u32) {
        let (slot, generation) = (SlotId::new(slot), Generation::new(generation));
        let _ = self.command(Operation::Activate { slot, generation }).unwrap();
    }

    pub fn deactivate(&mut self, slot: u8, generation: u32) {
        let (slot, generation) = (SlotId::new(slot), Generation::new(generation));
        let _ = self.command(Operation::Deactivate { slot, generation }).unwrap();
    }

    /// A chain that this lock accepts in the session of `nonce`.
    pub fn chain(&self, nonce: Nonce, slot: u8, generation: u32) -> Chain {
        let grant = Grant {
            lock: self.id(),
            epoch: self.lock.ownership().map_or(Epoch::FIRST, |owned| owned.epoch),
            by: Term::OWNER,
            slot: SlotId::new(slot),
            generation: Generation::new(generation),
            subject: public(&seed(SUBJECT)),
            rights: Rights::OPEN_AND_LOCK,
            limits: Limits::NONE,
        };
        Chain {
            grant,
            owner: seed(OWNER),
            subject: seed(SUBJECT),
            device: seed(DEVICE),
            service: seed(SERVICE),
            nonce,
            agreement: Provider.agreement_key(&agreement()),
        }
    }

    pub fn send_bundle(&mut self, session: Session<purpose::Install>, bundle: &[u8]) -> Result<Installed, Refusal> {
        self.send(To::Install, session, bundle).map(Output::take)
    }

    /// Downloads a key, after `change` to its chain.
    pub fn download(&mut self, slot: u8, generation: u32, change: impl FnOnce(&mut Chain)) -> Result<Key, Refusal> {
        let (nonce, session) = self.for_install();
        let mut chain = self.chain(nonce, slot, generation);
        change(&mut chain);
        let installed = self.send_bundle(session, &chain.bundle())?;
        Ok(Key::of(&installed.receipt, &agreement()))
    }

    pub fn send_unlock(&mut self, session: Session<purpose::Operate>, message: &[u8]) -> Result<Unlocked, Refusal> {
        self.send(To::Unlock, session, message).map(Output::take)
    }

    pub fn act(&mut self, key: &Key, action: Action) -> Result<Unlocked, Refusal> {
        let (nonce, session) = self.operate();
        self.send_unlock(session, &key.message(action, nonce))
    }

    pub fn open(&mut self, key: &Key) -> Result<Unlocked, Refusal> {
        self.act(key, Action::Open)
    }

    pub fn reset_body(&self, nonce: Nonce) -> FactoryReset {
        FactoryReset { lock: self.id(), nonce }
    }

    pub fn reset_message(&self, nonce: Nonce) -> Vec<u8> {
        forge::tagged(&self.reset_body(nonce), &CARD)
    }

    /// Somebody sends a factory reset while the button inside is pressed.
    pub fn factory_reset(&mut self, session: Session<purpose::Operate>, message: &[u8]) -> Result<Erased, Refusal> {
        self.send(To::Reset, session, message).map(Output::take)
    }

    /// Cuts the power: what is left is what was stored.
    pub fn reboot(&mut self) {
        self.boot_without(&[]);
    }

    /// The same, and does not read these cells yet.
    pub fn boot_without(&mut self, unread: &[Cell]) {
        self.lock = firmware::load(self.crypto.clone(), CARD, &self.store, |cell| !unread.contains(&cell)).unwrap();
        self.ticks = 0;
    }

    /// Everything that must not change when something is refused.
    pub fn snapshot(&self) -> (Store, Vec<Result<SlotReport, LockError>>) {
        let reports = (0..=u8::try_from(SLOTS).unwrap()).map(|slot| self.report(slot)).collect();
        (self.store.clone(), reports)
    }
}

/// The secret on the activation card.
pub fn card() -> ActivationSecret {
    ActivationSecret::from_bytes(CARD)
}

/// A write that fails.
pub fn fails(_: &sharekey::lock::Record) -> Result<(), PowerCut> {
    Err(PowerCut)
}
