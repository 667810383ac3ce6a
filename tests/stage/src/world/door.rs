//! The firmware: the lock role around a store that survives power cuts.

use crate::provider::Provider;
use rand_chacha::ChaCha20Rng;
use sharekey::error::{LoadError, LockError};
use sharekey::id::LockId;
use sharekey::limits::{Action, Timestamp};
use sharekey::lock::{Challenged, Clock, Lock, Now, PhysicalPresence, Refusal, Session, Staged, purpose};
use sharekey::message::{Challenge, FactoryReset, Operation};
use sharekey::secret::ActivationSecret;
use sharekey::wire::Unverified;

use super::{Stop, Tape, rng};
use crate::firmware;
use crate::store::{PowerCut, Store};

pub const SLOTS: usize = 3;
pub type TestLock = Lock<Provider, SLOTS>;

/// A Monday, 2024-01-01T12:00:00Z.
pub const NOON: u64 = 1_704_110_400;
pub const DAY: u64 = 86_400;

/// When the power goes, as seen by one call of the firmware.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moment {
    /// Before the message came; its session is of the run before.
    Before,
    /// Before the record reached the flash.
    Writing,
    /// After it reached the flash, before anybody heard of it.
    Answering,
}

pub struct Door {
    pub lock: TestLock,
    pub store: Store,
    pub ticks: u64,
    pub clock: Clock,
    /// What the bolt did.
    pub bolt: Vec<Action>,
    /// The answer to the last request that was refused.
    pub refusal: Vec<u8>,
    /// After how many further calls the power goes, and when.
    pub cut: Option<(usize, Moment)>,
    /// How many calls there were.
    pub calls: usize,
    pub card: [u8; 16],
    pub rng: ChaCha20Rng,
    tape: Tape,
}

/// Why the lock refused, and what it answers.
type Refused = (LockError, Vec<u8>);

fn refused(refusal: Refusal) -> Refused {
    (refusal.error(), refusal.answer().to_vec())
}

impl Door {
    pub fn make(number: u8, tape: &Tape) -> Self {
        let (mut store, mut rng) = (Store::default(), rng(u64::from(number)));
        let card = [number; 16];
        let lock = firmware::make(card, &mut store, &mut rng);
        let clock = Clock::At(Timestamp::from_unix_seconds(NOON));
        let (bolt, refusal, tape) = (Vec::new(), Vec::new(), tape.clone());
        Self { lock, store, ticks: 0, clock, bolt, refusal, cut: None, calls: 0, card, rng, tape }
    }

    pub fn id(&self) -> LockId {
        self.lock.id()
    }

    pub fn now(&self) -> Now {
        Now { ticks: self.ticks, clock: self.clock }
    }

    pub fn set_time(&mut self, unix_seconds: u64) {
        self.clock = Clock::At(Timestamp::from_unix_seconds(unix_seconds));
    }

    /// Cuts the power: what is left is what was stored. A lock that is found unmade is made.
    pub fn reboot(&mut self) {
        self.ticks = 0;
        self.lock = match firmware::boot(self.card, &self.store) {
            Err(LoadError::NotMade) => firmware::make(self.card, &mut self.store, &mut self.rng),
            booted => booted.unwrap(),
        };
    }

    /// Somebody connects.
    pub fn challenge<P: purpose::Purpose>(&mut self) -> Result<(Vec<u8>, Session<P>), Stop> {
        let Challenged { challenge, session } =
            self.call(|lock, now, rng| lock.challenge::<P>(now, rng).map_err(|error| (error, Vec::new())))?;
        Ok((self.tape.note(&challenge), session))
    }

    /// Somebody connects to a lock that is well.
    pub fn connect<P: purpose::Purpose>(&mut self) -> (Vec<u8>, Session<P>) {
        self.challenge().unwrap()
    }

    pub fn provision(&mut self, session: Session<purpose::Operate>, message: &[u8]) -> Result<Vec<u8>, Stop> {
        let owned = self.call(|lock, now, _| lock.provision(session, message, now).map_err(refused))?;
        Ok(self.tape.note(&owned.provisioned))
    }

    pub fn command(&mut self, session: Session<purpose::Operate>, message: &[u8]) -> Result<Vec<u8>, Stop> {
        let commanded = self.call(|lock, now, _| lock.command(session, message, now).map_err(refused))?;
        match commanded.operation {
            Operation::Act { action } => self.bolt.push(action),
            Operation::SetClock { to } => self.clock = Clock::At(to),
            _ => {}
        }
        Ok(self.tape.note(&commanded.done))
    }

    pub fn install(&mut self, session: Session<purpose::Install>, bundle: &[u8]) -> Result<Vec<u8>, Stop> {
        let installed = self.call(|lock, now, rng| lock.install(session, bundle, now, rng).map_err(refused))?;
        Ok(self.tape.note(&installed.receipt))
    }

    pub fn unlock(&mut self, session: Session<purpose::Operate>, message: &[u8]) -> Result<Vec<u8>, Stop> {
        let unlocked = self.call(|lock, now, _| lock.unlock(session, message, now).map_err(refused))?;
        self.bolt.push(unlocked.action);
        Ok(self.tape.note(&unlocked.reply))
    }

    /// Somebody presses the button inside and sends a reset; the lock is made anew.
    pub fn factory_reset(&mut self, session: Session<purpose::Operate>, message: &[u8]) -> Result<(), Stop> {
        let button = PhysicalPresence::button_is_pressed();
        self.call(|lock, now, rng| lock.factory_reset(session, message, button, now, rng).map_err(refused))?;
        self.reboot();
        Ok(())
    }

    /// The holder of the card stands at the lock and resets it.
    pub fn reset_by_card(&mut self) -> Result<(), Stop> {
        let (challenge, session) = self.challenge::<purpose::Operate>()?;
        let challenge = *Unverified::<Challenge>::parse(&challenge).unwrap().claims();
        let reset = FactoryReset::seal(&Provider, &ActivationSecret::from_bytes(self.card), &challenge).unwrap();
        let reset = self.tape.note(&reset);
        self.factory_reset(session, &reset)
    }

    /// One call of the firmware: decide, write, and only then act.
    fn call<T>(
        &mut self,
        decide: impl for<'l> FnOnce(&'l mut TestLock, Now, &mut ChaCha20Rng) -> Result<Staged<'l, T>, Refused>,
    ) -> Result<T, Stop> {
        let moment = self.cut.filter(|(at, _)| *at == self.calls).map(|(_, moment)| moment);
        self.calls += 1;
        self.ticks += 10;
        if moment == Some(Moment::Before) {
            self.reboot();
        }
        let now = self.now();
        let staged = match decide(&mut self.lock, now, &mut self.rng) {
            Ok(staged) => staged,
            Err((error, answer)) => {
                self.refusal = self.tape.note(&answer);
                return Err(error.into());
            }
        };
        let written = staged.commit(|record| match moment {
            Some(Moment::Writing) => Err(PowerCut),
            _ => self.store.put(record),
        });
        match (written, moment) {
            (Ok(result), None | Some(Moment::Before | Moment::Writing)) => Ok(result),
            (Err(PowerCut), _) | (Ok(_), Some(Moment::Answering)) => {
                self.reboot();
                Err(Stop::PowerCut)
            }
        }
    }
}

/// The attacker connects and sends what it has.
impl Door {
    pub fn sent_bundle(&mut self, bundle: &[u8]) -> Result<Vec<u8>, Stop> {
        let (_, session) = self.connect::<purpose::Install>();
        self.install(session, bundle)
    }

    pub fn sent_unlock(&mut self, unlock: &[u8]) -> Result<Vec<u8>, Stop> {
        let (_, session) = self.connect::<purpose::Operate>();
        self.unlock(session, unlock)
    }

    pub fn sent_command(&mut self, command: &[u8]) -> Result<Vec<u8>, Stop> {
        let (_, session) = self.connect::<purpose::Operate>();
        self.command(session, command)
    }

    pub fn sent_provision(&mut self, provision: &[u8]) -> Result<Vec<u8>, Stop> {
        let (_, session) = self.connect::<purpose::Operate>();
        self.provision(session, provision)
    }

    pub fn sent_reset(&mut self, reset: &[u8]) -> Result<(), Stop> {
        let (_, session) = self.connect::<purpose::Operate>();
        self.factory_reset(session, reset)
    }
}
