//! A provisioned lock on a test stand: every message to it can be forged.

use crate::provider::Provider;
use rand_chacha::ChaCha20Rng;
use sharekey::counter::{Epoch, Generation};
use sharekey::crypto::{Agree, Kdf, Nonce, PublicKey};
use sharekey::error::LockError;
use sharekey::id::{LockId, SlotId};
use sharekey::limits::{Action, Limits, Rights, Timestamp};
use sharekey::lock::{Challenged, Clock, Commanded, Installed, Lock, Now, Refusal, Session};
use sharekey::lock::{Unlocked, purpose};
use sharekey::message::{Bundle, Challenge, Claim, Command, Grant, Install, Operation, Provision, Receipt, Release};
use sharekey::message::{SlotReport, Unlock};
use sharekey::secret::{ActivationSecret, AgreementSecret, Seed};
use sharekey::wire::Unverified;

use super::store::{PowerCut, Store};
use super::{digest, firmware, forge, public, rng, seed};

pub const SLOTS: usize = 3;
pub const CARD: [u8; 16] = [0xca; 16];
pub const OWNER: u8 = 1;
pub const SERVICE: u8 = 2;
pub const SUBJECT: u8 = 3;
pub const DEVICE: u8 = 4;
/// A Monday, 2024-01-01T12:00:00Z.
pub const NOON: u64 = 1_704_110_400;

pub type TestLock = Lock<Provider, SLOTS>;

pub struct Stand {
    pub lock: TestLock,
    pub store: Store,
    pub rng: ChaCha20Rng,
    pub ticks: u64,
    pub clock: Clock,
}

/// A download chain, to be changed before it is signed.
pub struct Chain {
    pub grant: Grant,
    pub owner: Seed,
    pub subject: Seed,
    pub device: Seed,
    pub service: Seed,
    pub nonce: Nonce,
    pub agreement: AgreementSecret,
}

/// The signed parts of a chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parts {
    pub grant: Vec<u8>,
    pub claim: Vec<u8>,
    pub install: Vec<u8>,
    pub release: Vec<u8>,
}

impl Parts {
    pub fn bundle(&self) -> Vec<u8> {
        let Self { grant, claim, install, release } = self;
        Bundle { grant, claim, install, release }.encode().unwrap().to_vec()
    }

    /// The bundle, also of parts that are longer than any message.
    pub fn unchecked_bundle(&self) -> Vec<u8> {
        forge::bundle(&[&self.grant, &self.claim, &self.install, &self.release])
    }
}

impl Chain {
    pub fn claim(&self, grant: &[u8]) -> Claim {
        Claim { grant: digest(grant), device: public(&self.device) }
    }

    pub fn install(&self, claim: &[u8]) -> Install {
        Install { claim: digest(claim), nonce: self.nonce, agreement: Provider.agreement_key(&self.agreement) }
    }

    pub fn parts(&self) -> Parts {
        self.after_grant(forge::signed(&self.grant, &self.owner))
    }

    /// The chain on this grant.
    pub fn after_grant(&self, grant: Vec<u8>) -> Parts {
        let claim = forge::signed(&self.claim(&grant), &self.subject);
        self.after_claim(grant, claim)
    }

    /// The chain on this claim.
    pub fn after_claim(&self, grant: Vec<u8>, claim: Vec<u8>) -> Parts {
        let install = forge::signed(&self.install(&claim), &self.device);
        self.after_install(grant, claim, install)
    }

    /// The chain on this install.
    pub fn after_install(&self, grant: Vec<u8>, claim: Vec<u8>, install: Vec<u8>) -> Parts {
        let release = forge::signed(&Release { install: digest(&install) }, &self.service);
        Parts { grant, claim, install, release }
    }

    pub fn bundle(&self) -> Vec<u8> {
        self.parts().bundle()
    }
}

/// An installed key as the guest holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    pub slot: SlotId,
    pub pairing: [u8; 32],
}

impl Key {
    pub fn unlock(&self, action: Action, lock_nonce: Nonce) -> Unlock {
        Unlock { slot: self.slot, action, lock_nonce, guest_nonce: Nonce::from_bytes([9; 16]) }
    }

    pub fn message(&self, action: Action, lock_nonce: Nonce) -> Vec<u8> {
        forge::tagged(&self.unlock(action, lock_nonce), &self.pairing)
    }
}

impl Stand {
    /// A lock that was made, and has no owner.
    pub fn fresh() -> Self {
        Self::made_with(7)
    }

    /// A lock that was made with this entropy: another number, another lock.
    pub fn made_with(entropy: u64) -> Self {
        let (mut store, mut rng) = (Store::default(), rng(entropy));
        let lock = firmware::make(CARD, &mut store, &mut rng);
        store.writes = 0;
        Self { lock, store, rng, ticks: 1_000, clock: Clock::At(Timestamp::from_unix_seconds(NOON)) }
    }

    /// A lock that belongs to [`OWNER`] and [`SERVICE`].
    pub fn provisioned() -> Self {
        let mut stand = Self::fresh();
        stand.take_ownership();
        stand
    }

    /// Provisions the lock for [`OWNER`] and [`SERVICE`].
    pub fn take_ownership(&mut self) {
        let (nonce, session) = self.operate();
        let provision = forge::tagged(&self.provision_body(nonce), &CARD);
        self.provision(session, &provision).unwrap();
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
        let mut stand = Self::active();
        let key = stand.download(0, 2, |chain| (chain.grant.rights, chain.grant.limits) = (rights, limits)).unwrap();
        (stand, key)
    }

    pub fn now(&self) -> Now {
        Now { ticks: self.ticks, clock: self.clock }
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
        Ok((Unverified::<Challenge>::parse(&challenge).unwrap().claims().nonce, session))
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

    pub fn provision(&mut self, session: Session<purpose::Operate>, message: &[u8]) -> Result<Vec<u8>, Refusal> {
        let now = self.now();
        let staged = self.lock.provision(session, message, now)?;
        Ok(staged.commit(|record| self.store.put(record)).unwrap().provisioned.to_vec())
    }

    pub fn command_body(&self, lock_nonce: Nonce, operation: Operation) -> Command {
        let epoch = self.lock.ownership().map_or(Epoch::FIRST, |owned| owned.epoch);
        Command { lock: self.id(), epoch, lock_nonce, owner_nonce: Nonce::from_bytes([7; 16]), operation }
    }

    pub fn send_command(&mut self, session: Session<purpose::Operate>, message: &[u8]) -> Result<Commanded, Refusal> {
        let now = self.now();
        let staged = self.lock.command(session, message, now)?;
        Ok(staged.commit(|record| self.store.put(record)).unwrap())
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
            agreement: AgreementSecret::from_bytes([5; 32]),
        }
    }

    pub fn send_bundle(&mut self, session: Session<purpose::Install>, bundle: &[u8]) -> Result<Installed, Refusal> {
        let now = self.now();
        let staged = self.lock.install(session, bundle, now, &mut self.rng)?;
        Ok(staged.commit(|record| self.store.put(record)).unwrap())
    }

    /// Downloads a key, after `change` to its chain.
    pub fn download(&mut self, slot: u8, generation: u32, change: impl FnOnce(&mut Chain)) -> Result<Key, Refusal> {
        let (nonce, session) = self.for_install();
        let mut chain = self.chain(nonce, slot, generation);
        change(&mut chain);
        let installed = self.send_bundle(session, &chain.bundle())?;
        Ok(key(&chain, &installed.receipt))
    }

    pub fn send_unlock(&mut self, session: Session<purpose::Operate>, message: &[u8]) -> Result<Unlocked, Refusal> {
        let now = self.now();
        let staged = self.lock.unlock(session, message, now)?;
        Ok(staged.commit(|record| self.store.put(record)).unwrap())
    }

    pub fn act(&mut self, key: &Key, action: Action) -> Result<Unlocked, Refusal> {
        let (nonce, session) = self.operate();
        self.send_unlock(session, &key.message(action, nonce))
    }

    pub fn open(&mut self, key: &Key) -> Result<Unlocked, Refusal> {
        self.act(key, Action::Open)
    }

    /// Cuts the power: what is left is what was stored.
    pub fn reboot(&mut self) {
        self.lock = firmware::boot(CARD, &self.store).unwrap();
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

/// The guest's copy of a key that was installed with `chain`, as the receipt says.
pub fn key(chain: &Chain, receipt: &[u8]) -> Key {
    let salt = digest(receipt);
    let receipt = *Unverified::<Receipt>::parse(receipt).unwrap().claims();
    let shared = Provider.agree(&chain.agreement, &receipt.agreement).unwrap();
    let pairing = Provider.hkdf_sha256(salt.as_bytes(), shared.expose(), b"sharekey v1 pairing").unwrap();
    Key { slot: receipt.slot, pairing: *pairing }
}

/// A write that fails.
pub fn fails(_: &sharekey::lock::Record) -> Result<(), PowerCut> {
    Err(PowerCut)
}
