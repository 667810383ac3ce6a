//! A lock whose work is counted, with a key in slot 0.

use rand_chacha::ChaCha20Rng;
use sharekey::counter::{Epoch, Generation};
use sharekey::crypto::Nonce;
use sharekey::error::LockError;
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Rights};
use sharekey::lock::{Cell, Clock, Lock, Now, Refusal, Session, purpose};
use sharekey::message::{Challenge, Command, FactoryReset, Grant, Operation, Provision};
use sharekey::secret::AgreementSecret;
use sharekey::wire::Unverified;

use super::counting::{Counting, Work};
use sharekey_stage::firmware::{self, AnySession, For, To};
use sharekey_stage::stand::{CARD, Chain, DEVICE, Key, OWNER, SERVICE, SLOTS, SUBJECT, key};
use sharekey_stage::store::Store;
use sharekey_stage::{forge, public, rng, seed};

pub const NOW: Now = Now { ticks: 0, clock: Clock::Unset };

pub struct Door {
    pub lock: Lock<Counting, SLOTS>,
    pub store: Store,
    pub counting: Counting,
    pub rng: ChaCha20Rng,
    pub key: Key,
}

impl Door {
    pub fn new() -> Self {
        let (counting, mut rng, mut store) = (Counting::default(), rng(1), Store::default());
        let lock = firmware::make_with(counting.clone(), CARD, &mut store, &mut rng);
        let key = Key { slot: SlotId::new(0), pairing: [0; 32] };
        let mut door = Self { lock, store, counting, rng, key };
        door.take_ownership();
        door.order(Operation::Activate { slot: SlotId::new(0), generation: Generation::new(1) });
        door.key = door.download(2).unwrap();
        door
    }

    fn take_ownership(&mut self) {
        let (lock_nonce, session) = self.challenge::<purpose::Operate>();
        let message = forge::tagged(&self.provision(lock_nonce), &CARD);
        let staged = self.lock.provision(session, &message, NOW).unwrap();
        let _ = staged.commit(|record| self.store.put(record)).unwrap();
    }

    fn order(&mut self, operation: Operation) {
        let (nonce, session) = self.challenge::<purpose::Operate>();
        let message = forge::signed(&self.command(nonce, operation), &seed(OWNER));
        let staged = self.lock.command(session, &message, NOW).unwrap();
        let _ = staged.commit(|record| self.store.put(record)).unwrap();
    }

    pub fn challenge<P: purpose::Purpose>(&mut self) -> (Nonce, Session<P>) {
        let staged = self.lock.challenge::<P>(NOW, &mut self.rng).unwrap();
        let given = staged.commit(|record| self.store.put(record)).unwrap();
        (Unverified::<Challenge>::parse(&given.challenge).unwrap().claims().nonce, given.session)
    }

    /// Somebody connects, for either purpose.
    fn connect(&mut self, purpose: For) -> (Nonce, AnySession) {
        match purpose {
            For::Install => {
                let (nonce, session) = self.challenge();
                (nonce, AnySession::Install(session))
            }
            For::Operate => {
                let (nonce, session) = self.challenge();
                (nonce, AnySession::Operate(session))
            }
        }
    }

    pub fn provision(&self, lock_nonce: Nonce) -> Provision {
        let owner_nonce = Nonce::from_bytes([8; 16]);
        Provision { lock_nonce, owner_nonce, owner: public(&seed(OWNER)), service: public(&seed(SERVICE)) }
    }

    pub fn command(&self, lock_nonce: Nonce, operation: Operation) -> Command {
        let (lock, owner_nonce) = (self.lock.id(), Nonce::from_bytes([7; 16]));
        Command { lock, epoch: Epoch::FIRST, lock_nonce, owner_nonce, operation }
    }

    pub fn reset(&self, nonce: Nonce) -> FactoryReset {
        FactoryReset { lock: self.lock.id(), nonce }
    }

    /// A chain that the lock accepts, if its number is above the floor.
    pub fn chain(&self, nonce: Nonce, generation: u32) -> Chain {
        let grant = Grant {
            lock: self.lock.id(),
            epoch: Epoch::FIRST,
            slot: SlotId::new(0),
            generation: Generation::new(generation),
            subject: public(&seed(SUBJECT)),
            rights: Rights::OPEN,
            limits: Limits::NONE,
        };
        let [owner, subject, device, service] = [OWNER, SUBJECT, DEVICE, SERVICE].map(seed);
        Chain { grant, owner, subject, device, service, nonce, agreement: AgreementSecret::from_bytes([5; 32]) }
    }

    /// An honest guest downloads, at the first attempt.
    pub fn download(&mut self, generation: u32) -> Result<Key, Refusal> {
        let (nonce, session) = self.challenge::<purpose::Install>();
        let chain = self.chain(nonce, generation);
        let staged = self.lock.install(session, &chain.bundle(), NOW, &mut self.rng)?;
        let installed = staged.commit(|record| self.store.put(record)).unwrap();
        Ok(key(&chain, &installed.receipt))
    }

    /// The honest guest opens, at the first attempt.
    pub fn open(&mut self) -> Result<(), Refusal> {
        let (nonce, session) = self.challenge::<purpose::Operate>();
        let message = self.key.message(Action::Open, nonce);
        let staged = self.lock.unlock(session, &message, NOW)?;
        let _ = staged.commit(|record| self.store.put(record)).unwrap();
        Ok(())
    }

    /// Sends what `message` makes of a fresh challenge's nonce; gives why it was refused, and the work of the
    /// refusal. That it was refused, and that flash holds what it held, is checked here.
    pub fn attack(&mut self, to: To, message: impl FnOnce(&Self, Nonce) -> Vec<u8>) -> (LockError, Work, usize) {
        let purpose = if to == To::Install { For::Install } else { For::Operate };
        let (nonce, session) = self.connect(purpose);
        let message = message(self, nonce);
        let before = self.kept();
        let Self { lock, rng, counting, .. } = self;
        let (refusal, work) =
            counting.of(|| firmware::send(lock, (session, to), &message, NOW, rng, &mut firmware::Forget).unwrap_err());
        assert!(before == self.kept());
        (refusal.error(), work, message.len())
    }

    /// What a refusal must not change: flash, and what the lock says of its slots.
    pub fn kept(&self) -> (Vec<Option<Vec<u8>>>, Vec<sharekey::message::SlotReport>) {
        let cells = Lock::<Counting, SLOTS>::cells().chain([Cell::Seed]);
        let stored = cells.map(|cell| self.store.get(cell).map(<[u8]>::to_vec)).collect();
        let slots = (0..SLOTS).map(|slot| self.lock.report(SlotId::new(u8::try_from(slot).unwrap())).unwrap());
        (stored, slots.collect())
    }
}
