//! A lock with its owner, its service and one guest, all of them real, so that secrets come to be where
//! they come to be in use.
//!
//! Not the stage's house: here the provider has a state (which leak is put in), the lock stays in its place on the heap,
//! and what it wrote can be read and hidden.

use std::collections::BTreeMap;
use std::convert::Infallible;

use rand_chacha::ChaCha20Rng;
use sharekey::crypto::Crypto;
use sharekey::guest::{Account, Claimed, GuestKey, Installing};
use sharekey::id::SlotId;
use sharekey::limits::{Limits, Rights};
use sharekey::lock::{Battery, Cell, Clock, Found, Lock, Making, Now, Record, Session, purpose};
use sharekey::message::{Challenge, Grant, Provision, Provisioned};
use sharekey::owner::{Method, Order, OwnedLock, Owner, PendingProvision};
use sharekey::secret::{ActivationSecret, Exposed};
use sharekey::service::{Service, ShareRecord};
use sharekey::staged::Staged;
use sharekey::wire::Encoded;
use sharekey_stage::desk::{keep, open, serve};
use sharekey_stage::firmware;
pub use sharekey_stage::rng;
use sharekey_stage::seed;
use sharekey_stage::store::stored;

pub const CARD: [u8; 16] = *b"card of the lock";
pub const SLOT: SlotId = SlotId::new(0);
pub const NOW: Now = Now { ticks: 0, clock: Clock::Unset, battery: Battery::UNKNOWN };
pub const SLOTS: usize = 2;

/// What is on flash, cell by cell. Other than the stage's store, it cannot fail: whether something was written is then no
/// branch that memcheck has to look at.
#[derive(Default)]
pub struct Flash(BTreeMap<Cell, Vec<u8>>);

pub struct Scene<C: Crypto + Copy> {
    pub crypto: C,
    /// On the heap, where it stays in its place.
    pub lock: Box<Lock<C, SLOTS>>,
    pub flash: Flash,
    pub owner: Owner<C>,
    pub service: Service<C>,
    pub view: OwnedLock,
    pub record: ShareRecord,
    pub account: Account<C>,
    pub rng: ChaCha20Rng,
}

/// A lock that has no owner yet.
pub struct Fresh<C: Crypto + Copy> {
    pub crypto: C,
    pub lock: Box<Lock<C, SLOTS>>,
    pub flash: Flash,
    pub owner: Owner<C>,
    pub service: Service<C>,
    pub rng: ChaCha20Rng,
}

impl Flash {
    /// Never fails.
    pub fn put(&mut self, record: &Record) -> Result<(), Infallible> {
        self.0.insert(record.cell(), record.as_bytes().to_vec());
        Ok(())
    }

    #[must_use]
    pub fn get(&self, cell: Cell) -> &[u8] {
        &self.0[&cell]
    }

    pub fn get_mut(&mut self, cell: Cell) -> &mut [u8] {
        self.0.get_mut(&cell).expect("it was written")
    }
}

impl sharekey::lock::Store for Flash {
    type Error = Infallible;

    fn put(&mut self, record: &Record) -> Result<(), Infallible> {
        Self::put(self, record)
    }

    fn read<T>(&mut self, cell: Cell, look: impl FnOnce(Found<'_>) -> T) -> T {
        look(Found::Bytes(self.get(cell)))
    }
}

/// Commits to a store that always accepts.
pub fn accept<S, T>(staged: Staged<'_, S, T>) -> T {
    let Ok(output) = staged.commit(stored);
    output
}

/// Makes a lock from this entropy. Not by the stage's functions: in the room that a lock's records do not use stands what
/// stood on the stack where the lock was put together. Put together in the stage's, that was half of its signing seed, which
/// then nobody wiped (`tests/wiped.rs`).
pub fn make<C: Crypto + Copy>(
    crypto: C,
    card: [u8; 16],
    rng: &mut impl rand_core::CryptoRng,
) -> (Box<Lock<C, SLOTS>>, Flash) {
    let mut flash = Flash::default();
    let mut making = Making::new(crypto, ActivationSecret::from_bytes(card), Found::Nothing, rng).unwrap();
    firmware::records(&mut making, |record| flash.put(record)).unwrap();
    let Ok(lock) = making.finish() else { panic!("all records are written") };
    (Box::new(lock), flash)
}

impl<C: Crypto + Copy> Fresh<C> {
    #[must_use]
    pub fn new(crypto: C) -> Self {
        Self::with_card(crypto, CARD)
    }

    #[must_use]
    pub fn with_card(crypto: C, card: [u8; 16]) -> Self {
        Self::drawn(crypto, card, 1)
    }

    /// Of entropy, and so with keys, that no other has.
    #[must_use]
    pub fn drawn(crypto: C, card: [u8; 16], entropy: u64) -> Self {
        let mut rng = rng(entropy);
        let (lock, flash) = make(crypto, card, &mut rng);
        let owner = Owner::new(crypto, &seed(1)).unwrap();
        let service = Service::new(crypto, &seed(2)).unwrap();
        Self { crypto, lock, flash, owner, service, rng }
    }

    pub fn challenge(&mut self) -> (Encoded<Challenge>, Session<purpose::Operate>) {
        let Ok(given) = self.lock.challenge(NOW, &mut self.rng).unwrap().commit(|record| self.flash.put(record));
        (given.challenge, given.session)
    }

    /// The owner's provision for this challenge.
    pub fn order(&mut self, card: [u8; 16], challenge: &[u8]) -> (Encoded<Provision>, PendingProvision) {
        let card = ActivationSecret::from_bytes(card);
        self.owner.provision(&card, challenge, *self.service.key(), &mut self.rng).unwrap()
    }

    pub fn provision(&mut self, session: Session<purpose::Operate>, message: &[u8]) -> Encoded<Provisioned> {
        let staged = self.lock.provision(session, message, NOW).unwrap();
        let Ok(owned) = staged.commit(|record| self.flash.put(record));
        owned.provisioned
    }

    /// Gives it an owner, and opens its slot.
    #[must_use]
    pub fn owned(mut self) -> Scene<C> {
        let (challenge, session) = self.challenge();
        let (message, pending) = self.order(CARD, &challenge);
        let provisioned = self.provision(session, &message);
        let view = keep(pending.finish(&self.owner, &provisioned).unwrap());
        let record = open(&self.service, &provisioned, SLOT).unwrap();
        let Self { crypto, lock, flash, owner, service, rng } = self;
        let account = Account::from_seed(&crypto, &seed(3)).unwrap();
        let mut scene = Scene { crypto, lock, flash, owner, service, view, record, account, rng };
        scene.activate();
        scene
    }
}

impl<C: Crypto + Copy> Scene<C> {
    pub fn challenge<P: purpose::Purpose>(&mut self) -> (Encoded<Challenge>, Session<P>) {
        let Ok(given) = self.lock.challenge(NOW, &mut self.rng).unwrap().commit(|record| self.flash.put(record));
        (given.challenge, given.session)
    }

    /// The owner opens the slot, standing at the lock.
    pub fn activate(&mut self) {
        let (challenge, session) = self.challenge();
        let (command, pending) = accept(
            self.owner.order(&mut self.view, Order::Activate { slot: SLOT }, &challenge, &mut self.rng).unwrap(),
        );
        let done = self.command(session, &command);
        let _ = accept(pending.finish(&self.owner, &mut self.view, &done).unwrap());
        serve(&self.service, &mut self.record, &done).unwrap();
    }

    /// The owner ends the slot's key, standing at the lock.
    pub fn deactivate(&mut self) {
        let (challenge, session) = self.challenge();
        let (command, pending) = accept(
            self.owner.order(&mut self.view, Order::Deactivate { slot: SLOT }, &challenge, &mut self.rng).unwrap(),
        );
        let done = self.command(session, &command);
        let _ = accept(pending.finish(&self.owner, &mut self.view, &done).unwrap());
        serve(&self.service, &mut self.record, &done).unwrap();
    }

    pub fn command(&mut self, session: Session<purpose::Operate>, command: &[u8]) -> Vec<u8> {
        let staged = self.lock.command(session, command, NOW).unwrap();
        let Ok(commanded) = staged.commit(|record| self.flash.put(record));
        commanded.done.to_vec()
    }

    /// The owner shares the slot, and the guest claims the grant.
    pub fn claim(&mut self) -> Claimed {
        let grant = self.share();
        self.account.claim(&self.crypto, &grant, Some(self.owner.key()), &mut self.rng).unwrap().stored()
    }

    /// The owner shares the slot.
    pub fn share(&mut self) -> Encoded<Grant> {
        let uses = Limits::new(None, None, None, Some(1_000)).unwrap();
        let subject = *self.account.public_key();
        let staged = self.owner.share(&mut self.view, SLOT, subject, Method::Account, Rights::OPEN, uses).unwrap();
        let grant = accept(staged);
        serve(&self.service, &mut self.record, &grant).unwrap();
        grant
    }

    /// The owner takes back what is shared, so that it can be shared again.
    pub fn withdraw(&mut self) {
        let message = accept(self.owner.withdraw(&mut self.view, SLOT).unwrap());
        let answer = serve(&self.service, &mut self.record, &message).unwrap();
        let _ = accept(self.owner.learn(&mut self.view, &answer).unwrap());
    }

    pub fn release(&mut self, attempt: &Installing) -> Vec<u8> {
        self.release_of(attempt.claim(), attempt.install())
    }

    pub fn release_of(&mut self, claim: &[u8], install: &[u8]) -> Vec<u8> {
        serve(&self.service, &mut self.record, (claim, install)).unwrap()
    }

    /// The guest downloads a key.
    pub fn download(&mut self) -> GuestKey {
        let claimed = self.claim();
        let (challenge, session) = self.challenge::<purpose::Install>();
        let attempt = claimed.install(&self.crypto, &challenge, &mut self.rng).unwrap().stored();
        let release = self.release(&attempt);
        let download = attempt.bundle(&self.crypto, &release).unwrap();
        let staged = self.lock.install(session, download.bundle(), NOW, &mut self.rng).unwrap();
        let Ok(installed) = staged.commit(|record| self.flash.put(record));
        let key = download.finish(&self.crypto, &installed.receipt).unwrap().stored();
        serve(&self.service, &mut self.record, key.receipt()).unwrap();
        let _ = accept(self.owner.learn(&mut self.view, key.receipt()).unwrap());
        key
    }

    /// Boots from what is on flash.
    pub fn boot(&mut self) {
        *self.lock = firmware::load(self.crypto, CARD, &mut self.flash, |_| true).unwrap();
    }
}

/// The pairing key that a guest holds: the last field of what it stores.
#[must_use]
pub fn pairing_of(key: &GuestKey) -> [u8; 32] {
    *postcard::to_allocvec(&Exposed(key)).unwrap().last_chunk().unwrap()
}

/// The X25519 secret of a guest's attempt: the last field of what it stores.
#[must_use]
pub fn agreement_of(attempt: &Installing) -> [u8; 32] {
    *postcard::to_allocvec(&Exposed(attempt)).unwrap().last_chunk().unwrap()
}

/// Where a secret stands in the bytes; it is there once.
#[must_use]
pub fn find<'a>(bytes: &'a mut [u8], secret: &[u8]) -> &'a mut [u8] {
    let at = bytes.windows(secret.len()).position(|window| window == secret).expect("it is there");
    &mut bytes[at..at + secret.len()]
}
