//! The firmware: the lock role around a store that survives power cuts.

use crate::provider::Provider;
use rand_chacha::ChaCha20Rng;
use sharekey::error::LockError;
use sharekey::id::LockId;
use sharekey::limits::{Action, Timestamp};
use sharekey::lock::{Accepted, Challenged, Clock, Effect, Lock, Now, Refusal, Session, Step, purpose};
use sharekey::message::{Challenge, FactoryReset, Operation};
use sharekey::secret::ActivationSecret;
use sharekey::wire::Unverified;

use super::{Stop, Tape, rng};
pub use crate::NOON;
use crate::firmware::{self, AnySession, Finish, For, Outcome, Output, To};
use crate::stand::BATTERY;
use crate::store::{PowerCut, Store};

pub const SLOTS: usize = 3;
pub type TestLock = Lock<Provider, SLOTS>;

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

/// Writes, if the power does not go.
struct Write<'s> {
    moment: Option<Moment>,
    store: &'s mut Store,
}

impl Finish for Write<'_> {
    type Out = Result<Output, PowerCut>;

    fn finish<T: Outcome>(&mut self, staged: Accepted<'_, T>) -> Self::Out {
        let written = staged.commit(|record| match self.moment {
            Some(Moment::Writing) => Err(PowerCut),
            _ => self.store.put(record),
        });
        written.map(T::output)
    }
}

impl Door {
    pub fn make(number: u8, tape: &Tape) -> Self {
        let (mut store, mut rng) = (Store::default(), rng(u64::from(number)));
        let card = [number; 16];
        let lock = firmware::boot(Provider, card, &mut store, &mut rng);
        let clock = Clock::At(Timestamp::from_unix_seconds(NOON));
        let (bolt, refusal, tape) = (Vec::new(), Vec::new(), tape.clone());
        Self { lock, store, ticks: 0, clock, bolt, refusal, cut: None, calls: 0, card, rng, tape }
    }

    pub fn id(&self) -> LockId {
        self.lock.id()
    }

    pub fn now(&self) -> Now {
        Now { ticks: self.ticks, clock: self.clock, battery: BATTERY }
    }

    pub fn set_time(&mut self, unix_seconds: u64) {
        self.clock = Clock::At(Timestamp::from_unix_seconds(unix_seconds));
    }

    /// Cuts the power: what is left is what was stored. A lock that is found unmade is made.
    pub fn reboot(&mut self) {
        self.ticks = 0;
        self.lock = firmware::boot(Provider, self.card, &mut self.store, &mut self.rng);
    }

    /// Somebody connects.
    pub fn challenge<P: purpose::Purpose>(&mut self) -> Result<(Vec<u8>, Session<P>), Stop>
    where
        Challenged<P>: Outcome,
    {
        let given = self.call(|lock, now, rng, write| match lock.challenge::<P>(now, rng) {
            Ok(staged) => Ok(write.finish(staged)),
            Err(error) => Err((error, Vec::new())),
        });
        let Challenged { challenge, session } = given?.take();
        Ok((self.tape.note(&challenge), session))
    }

    /// Somebody says that it connects, in these bytes.
    pub fn connects(&mut self, frame: &[u8]) -> Result<Vec<u8>, Stop> {
        let served = match self.lock.step(frame, self.now(), None, &mut self.rng) {
            Step::Served(served) => served,
            Step::Write(staged) => staged.commit(|record| self.store.put(record)).unwrap(),
            Step::SetClock(_) => panic!("nobody who connects sets the clock"),
        };
        match served.effect() {
            Effect::Refused(error) => Err(error.into()),
            _ => Ok(self.tape.note(served.answer())),
        }
    }

    /// Somebody connects to a lock that is well.
    pub fn connect<P: purpose::Purpose>(&mut self) -> (Vec<u8>, Session<P>)
    where
        Challenged<P>: Outcome,
    {
        self.challenge().unwrap()
    }

    /// Puts a message to the lock; what the firmware has to do then, it does.
    pub fn send(&mut self, to: To, session: impl Into<AnySession>, message: &[u8]) -> Result<Vec<u8>, Stop> {
        let session = session.into();
        let output = self.call(|lock, now, rng, write| {
            firmware::send(lock, (session, to), message, now, rng, write).map_err(refused)
        })?;
        match &output {
            Output::Unlocked(unlocked) => self.bolt.push(unlocked.action),
            Output::Commanded(commanded) => match commanded.operation {
                Operation::Act { action } => self.bolt.push(action),
                Operation::SetClock { to } => self.clock = Clock::At(to),
                _ => {}
            },
            // The lock is made anew.
            Output::Erased(_) => {
                self.reboot();
                return Ok(Vec::new());
            }
            _ => {}
        }
        Ok(self.tape.note(output.answer()))
    }

    pub fn provision(&mut self, session: Session<purpose::Operate>, message: &[u8]) -> Result<Vec<u8>, Stop> {
        self.send(To::Provision, session, message)
    }

    pub fn command(&mut self, session: Session<purpose::Operate>, message: &[u8]) -> Result<Vec<u8>, Stop> {
        self.send(To::Command, session, message)
    }

    pub fn install(&mut self, session: Session<purpose::Install>, bundle: &[u8]) -> Result<Vec<u8>, Stop> {
        self.send(To::Install, session, bundle)
    }

    pub fn unlock(&mut self, session: Session<purpose::Operate>, message: &[u8]) -> Result<Vec<u8>, Stop> {
        self.send(To::Unlock, session, message)
    }

    /// Somebody presses the button inside and sends a reset.
    pub fn factory_reset(&mut self, session: Session<purpose::Operate>, message: &[u8]) -> Result<(), Stop> {
        self.send(To::Reset, session, message).map(drop)
    }

    /// The holder of the card stands at the lock and resets it.
    pub fn reset_by_card(&mut self) -> Result<(), Stop> {
        let (challenge, session) = self.challenge::<purpose::Operate>()?;
        let challenge = *Unverified::<Challenge>::parse(&challenge).unwrap().claims();
        let reset = FactoryReset::seal(&Provider, &ActivationSecret::from_bytes(self.card), &challenge).unwrap();
        let reset = self.tape.note(&reset);
        self.factory_reset(session, &reset)
    }

    /// The attacker connects and sends what it has.
    pub fn sent(&mut self, to: To, message: &[u8]) -> Result<Vec<u8>, Stop> {
        let session = match to.purpose() {
            For::Install => self.connect::<purpose::Install>().1.into(),
            For::Operate => AnySession::from(self.connect::<purpose::Operate>().1),
        };
        self.send(to, session, message)
    }

    /// One call of the firmware: decide, write, and only then act.
    fn call(
        &mut self,
        decide: impl FnOnce(
            &mut TestLock,
            Now,
            &mut ChaCha20Rng,
            &mut Write<'_>,
        ) -> Result<Result<Output, PowerCut>, Refused>,
    ) -> Result<Output, Stop> {
        let moment = self.cut.filter(|(at, _)| *at == self.calls).map(|(_, moment)| moment);
        self.calls += 1;
        self.ticks += 10;
        if moment == Some(Moment::Before) {
            self.reboot();
        }
        let (now, Self { lock, store, rng, .. }) = (self.now(), &mut *self);
        let written = match decide(lock, now, rng, &mut Write { moment, store }) {
            Ok(written) => written,
            Err((error, answer)) => {
                self.refusal = self.tape.note(&answer);
                return Err(error.into());
            }
        };
        match (written, moment) {
            (Ok(result), None | Some(Moment::Before | Moment::Writing)) => Ok(result),
            (Err(PowerCut), _) | (Ok(_), Some(Moment::Answering)) => {
                self.reboot();
                Err(Stop::PowerCut)
            }
        }
    }
}
