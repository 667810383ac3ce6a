//! The firmware: the real lock on a flash that tears. Every accepted call and every write of a making is
//! a *moment*, at which a trap can spring.

use std::borrow::Cow;

use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, TryCryptoRng, TryRng};
use sharekey::error::{LoadError, LockError};
use sharekey::id::{LockId, SlotId};
use sharekey::limits::Timestamp;
use sharekey::lock::{Cell, Clock, Found, Lock, Making, Now, PhysicalPresence, Record, Refusal, Session, Staged};
use sharekey::lock::{Challenged, Installed, Owned, Unlocked, purpose};
use sharekey::secret::ActivationSecret;
use sharekey_model::invariant::Event;
use sharekey_model::power::{Flash, Stopped};
use sharekey_stage::firmware;

use crate::facts::{Change, SLOTS, assert_tells, stored};
use crate::fates::Fate;
use crate::world::{CARD, Provider, World, nonce_of};

/// What the firmware's clock reads before anybody set it: some day in 2023.
pub const BEFORE: u64 = 1_700_000_000;

/// Why a step did not come to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// The power went: the door is dark.
    Cut,
    /// A write went wrong; the lock answered nothing and was put right.
    NoAnswer,
    Refused(LockError),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trap {
    /// The power goes while the call of this number writes, or before its result where it writes nothing.
    Cut(usize),
    /// The power goes and comes back before the call of this number.
    Before(usize),
    /// The write of this number meets its fate with the power on.
    Fate(usize, Fate),
}

/// What one call is about to do, as far as the outside knows.
#[derive(Clone, Debug)]
pub struct Intent {
    pub name: &'static str,
    /// The cell that it must write; `None` where it must not.
    pub writes: Option<Cell>,
    pub change: Change,
    pub event: Option<Event>,
}

/// A call that was under way when the power went.
#[derive(Clone, Debug)]
pub struct Caught {
    pub intent: Intent,
    pub record: Option<(Cell, Vec<u8>)>,
}

/// A message to the lock.
#[derive(Clone, Debug)]
pub enum Request {
    Provision(Vec<u8>),
    Command(Vec<u8>),
    Install(Vec<u8>),
    Unlock(Vec<u8>),
    Reset(Vec<u8>),
}

/// Where the lock's entropy comes from.
#[derive(Clone)]
pub enum Entropy {
    /// The same byte for ever: nothing but the counter keeps nonces apart.
    Broken,
    Sound(Box<ChaCha20Rng>),
}

impl TryRng for Entropy {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(0x5a5a_5a5a)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(0x5a5a_5a5a_5a5a_5a5a)
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Self::Error> {
        match self {
            Self::Broken => dst.fill(0x5a),
            Self::Sound(rng) => rand_core::Rng::fill_bytes(rng.as_mut(), dst),
        }
        Ok(())
    }
}

impl TryCryptoRng for Entropy {}

/// The flash as a firmware has it.
struct Torn<'f>(&'f mut Flash);

impl firmware::Flash for Torn<'_> {
    type Error = Stopped;

    fn put(&mut self, record: &Record) -> Result<(), Stopped> {
        self.0.put(record)
    }

    fn seed<T>(&self, look: impl FnOnce(Found<'_>) -> T) -> T {
        look(self.0.read(Cell::Seed).found())
    }

    fn read(&self, cell: Cell) -> Option<Cow<'_, [u8]>> {
        self.0.read(cell).bytes().map(|bytes| Cow::Owned(bytes.to_vec()))
    }
}

pub struct Door<C: Provider> {
    /// `None` while the power is off.
    pub lock: Option<Lock<C, SLOTS>>,
    pub flash: Flash,
    pub ticks: u64,
    /// The clock runs on through power cuts.
    pub clock: u64,
    /// The number that the next challenge takes.
    pub next: u64,
    pub moments: usize,
    pub trap: Option<Trap>,
    pub caught: Option<Caught>,
    /// What was sent last.
    pub request: Option<Request>,
    pub entropy: Entropy,
    /// A cell is damaged: flash and lock are not asked after every call.
    pub damaged: bool,
}

pub fn card() -> ActivationSecret {
    ActivationSecret::from_bytes(CARD)
}

fn refused(refusal: Refusal) -> LockError {
    refusal.error()
}

impl<C: Provider> Door<C> {
    /// A door whose power is off.
    pub fn dark(flash: Flash) -> Self {
        let entropy = Entropy::Broken;
        let (lock, trap, caught) = (None, None, None);
        Self {
            lock,
            flash,
            ticks: 0,
            clock: BEFORE,
            next: 0,
            moments: 0,
            request: None,
            trap,
            caught,
            entropy,
            damaged: false,
        }
    }

    pub fn lock(&mut self) -> &mut Lock<C, SLOTS> {
        self.lock.as_mut().unwrap()
    }

    pub fn id(&self) -> LockId {
        self.lock.as_ref().unwrap().id()
    }

    pub fn now(&self) -> Now {
        Now { ticks: self.ticks, clock: Clock::At(Timestamp::from_unix_seconds(self.clock)) }
    }

    /// The power comes back: what is left is what was stored. A lock that is found unmade is made.
    pub fn boot(&mut self, world: &mut World<C>) -> Result<(), Stop> {
        self.flash.boot(None).unwrap();
        (self.lock, self.ticks, self.next) = (None, 0, 0);
        match firmware::boot::<C, SLOTS>(CARD, &Torn(&mut self.flash)) {
            Ok(lock) => {
                world.ids.insert(lock.id());
                let facts = world.facts.as_ref().expect("a lock where none should be");
                assert_tells(&lock, facts);
                self.next = facts.ceiling;
                self.lock = Some(lock);
                Ok(())
            }
            Err(LoadError::NotMade) => self.make(world),
            Err(other) => panic!("{other}"),
        }
    }

    /// Every write of a making is a moment; so it is taken step by step here, and not by the stage.
    fn make(&mut self, world: &mut World<C>) -> Result<(), Stop> {
        assert_eq!(world.facts, None, "a lock that was there is gone");
        let found = self.flash.read(Cell::Seed);
        let mut making = Making::<C, SLOTS>::new(C::default(), card(), found.found(), &mut self.entropy).unwrap();
        let (mut written, all) = (0, SLOTS + 4);
        while let Some(record) = making.record().unwrap() {
            written += 1;
            let change = if written == all { Change::Made } else { Change::Nothing };
            let intent = Intent { name: "making", writes: Some(record.cell()), change, event: None };
            let at = self.next_moment();
            if self.trap == Some(Trap::Cut(at)) {
                self.caught = Some(Caught { intent, record: Some((record.cell(), record.as_bytes().to_vec())) });
                return Err(Stop::Cut);
            }
            if let Some(Trap::Fate(_, fate)) = self.trap.take_if(|trap| matches!(trap, Trap::Fate(n, _) if *n == at)) {
                assert_eq!(fate.put(&mut self.flash, &record), Err(Stopped::Failed));
                self.flash.recover(record.cell()).unwrap();
            }
            self.flash.put(&record).unwrap();
            making.written();
            world.happened(&intent);
            self.assert_stored(world);
        }
        let lock = making.finish().unwrap_or_else(|_| panic!("all records are written"));
        assert!(world.ids.insert(lock.id()), "a lock came back");
        self.lock = Some(lock);
        Ok(())
    }

    fn spring_before(&mut self, world: &mut World<C>) -> Result<(), Stop> {
        if self.trap.take_if(|trap| *trap == Trap::Before(self.moments)).is_some() {
            self.boot(world)?;
        }
        Ok(())
    }

    pub fn next_moment(&mut self) -> usize {
        self.moments += 1;
        self.moments - 1
    }

    /// Were the power to go now, the flash would say what happened.
    pub fn assert_stored(&self, world: &World<C>) {
        if self.damaged {
            return;
        }
        let mut cut = self.flash.clone();
        cut.boot(None).unwrap();
        assert_eq!(stored(&cut), world.facts, "what is stored is not what happened");
    }

    /// One call of the firmware: decide, write, and only then act.
    pub fn call<T>(
        &mut self,
        world: &mut World<C>,
        intent: Intent,
        decide: impl for<'l> FnOnce(&'l mut Lock<C, SLOTS>, Now, &mut Entropy) -> Result<Staged<'l, T>, LockError>,
    ) -> Result<T, Stop> {
        self.spring_before(world)?;
        (self.ticks, self.clock) = (self.ticks + 10, self.clock + 1);
        let (now, at) = (self.now(), self.moments);
        let staged = decide(self.lock.as_mut().unwrap(), now, &mut self.entropy).map_err(Stop::Refused)?;
        assert_eq!(staged.record().map(|record| record.cell()), intent.writes, "{}", intent.name);
        self.moments += 1;
        match self.trap {
            Some(Trap::Cut(moment)) if moment == at => {
                let record = staged.record().map(|record| (record.cell(), record.as_bytes().to_vec()));
                match &record {
                    Some(_) => assert!(staged.commit(|_| Err(())).is_err(), "a result without its record"),
                    None => drop(staged),
                }
                (self.lock, self.caught) = (None, Some(Caught { intent, record }));
                Err(Stop::Cut)
            }
            Some(Trap::Fate(moment, fate)) if moment == at => {
                self.trap = None;
                let result = fate.befall(staged, &mut self.flash);
                self.resolve(world, intent, fate, result)
            }
            _ => {
                let result = staged.commit(|record| self.flash.put(record)).unwrap();
                world.happened(&intent);
                self.assert_stored(world);
                if let Some(facts) = world.facts.as_ref().filter(|_| !self.damaged) {
                    assert_tells(self.lock(), facts);
                }
                Ok(result)
            }
        }
    }

    pub fn challenge<P: purpose::Purpose>(&mut self, world: &mut World<C>) -> Result<(Vec<u8>, Session<P>), Stop> {
        self.spring_before(world)?;
        let leases = self.next >= world.facts().ceiling;
        // The clock moves on within the call.
        let change = if leases { Change::Lease(Some(self.clock + 1)) } else { Change::Nothing };
        let writes = leases.then_some(Cell::Counter);
        let intent =
            Intent { name: if leases { "challenge that leases" } else { "challenge" }, writes, change, event: None };
        let Challenged { challenge, session } =
            self.call(world, intent, |lock, now, entropy| lock.challenge::<P>(now, entropy))?;
        self.next += 1;
        let event = Event::Challenged { lock: self.id(), nonce: nonce_of(&challenge) };
        world.observe(&event);
        Ok((challenge.to_vec(), session))
    }

    pub fn provision(
        &mut self,
        world: &mut World<C>,
        intent: Intent,
        session: Session<purpose::Operate>,
        message: &[u8],
    ) -> Result<Owned, Stop> {
        self.request = Some(Request::Provision(message.to_vec()));
        self.call(world, intent, |lock, now, _| lock.provision(session, message, now).map_err(refused))
    }

    pub fn command(
        &mut self,
        world: &mut World<C>,
        intent: Intent,
        session: Session<purpose::Operate>,
        message: &[u8],
    ) -> Result<sharekey::lock::Commanded, Stop> {
        self.request = Some(Request::Command(message.to_vec()));
        self.call(world, intent, |lock, now, _| lock.command(session, message, now).map_err(refused))
    }

    pub fn install(
        &mut self,
        world: &mut World<C>,
        intent: Intent,
        session: Session<purpose::Install>,
        bundle: &[u8],
    ) -> Result<Installed, Stop> {
        self.request = Some(Request::Install(bundle.to_vec()));
        self.call(world, intent, |lock, now, entropy| lock.install(session, bundle, now, entropy).map_err(refused))
    }

    pub fn unlock(
        &mut self,
        world: &mut World<C>,
        intent: Intent,
        session: Session<purpose::Operate>,
        message: &[u8],
    ) -> Result<Unlocked, Stop> {
        self.request = Some(Request::Unlock(message.to_vec()));
        self.call(world, intent, |lock, now, _| lock.unlock(session, message, now).map_err(refused))
    }

    /// Resets the lock, and makes another.
    pub fn factory_reset(
        &mut self,
        world: &mut World<C>,
        intent: Intent,
        session: Session<purpose::Operate>,
        message: &[u8],
    ) -> Result<(), Stop> {
        self.request = Some(Request::Reset(message.to_vec()));
        let button = PhysicalPresence::button_is_pressed();
        self.call(world, intent, |lock, now, entropy| {
            lock.factory_reset(session, message, button, now, entropy).map_err(refused)
        })?;
        let (_crypto, _card) = self.lock.take().unwrap().into_parts();
        self.boot(world)
    }

    /// A slot that another than `cell` is kept in.
    pub fn other_slot(cell: Cell) -> SlotId {
        if cell == Cell::Slot(SlotId::new(0)) { SlotId::new(1) } else { SlotId::new(0) }
    }
}

/// Entropy that is the same in every run.
pub fn entropy(rng: ChaCha20Rng) -> Entropy {
    fn takes(_: &impl CryptoRng) {}
    takes(&rng);
    Entropy::Sound(Box::new(rng))
}
