//! The firmware: the real lock on a flash that tears. Every accepted call and every write of a making is
//! a *moment*, at which a trap can spring.

use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, TryCryptoRng, TryRng};
use sharekey::error::{LoadError, LockError};
use sharekey::id::{LockId, SlotId};
use sharekey::limits::Timestamp;
use sharekey::lock::{self, Accepted, Battery, Cell, Clock, Found, Lock, Making, Now, Record};
use sharekey_model::invariant::Event;
use sharekey_model::power::{Flash, Stopped};
use sharekey_stage::entropy::Broken;
use sharekey_stage::firmware::{self, AnySession, Finish, Outcome, Output, Put};
use sharekey_stage::ops::{For, Op, Sent, To};
pub use sharekey_stage::stand::card;

use crate::facts::{Change, SLOTS, assert_tells, stored};
use crate::fates::{Befallen, Fate};
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

impl Intent {
    /// This operation, about this slot.
    pub fn of(op: Op, slot: SlotId, change: Change, event: Option<Event>) -> Self {
        Self { name: op.name(), writes: op.written(slot), change, event }
    }
}

/// A call that was under way when the power went.
#[derive(Clone, Debug)]
pub struct Caught {
    pub intent: Intent,
    pub record: Option<(Cell, Vec<u8>)>,
}

/// A message to the lock, and the call that it is given to.
pub type Request = (To, Vec<u8>);

/// What is asked of the lock.
pub enum Ask<'m> {
    Challenge(For),
    Send(AnySession, To, &'m [u8]),
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
        Broken.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Broken.try_next_u64()
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Self::Error> {
        match self {
            Self::Broken => Broken.try_fill_bytes(dst),
            Self::Sound(rng) => rng.try_fill_bytes(dst),
        }
    }
}

impl TryCryptoRng for Entropy {}

/// The flash as a firmware has it.
pub struct Torn<'f>(pub &'f mut Flash);

impl lock::Store for Torn<'_> {
    type Error = Stopped;

    fn put(&mut self, record: &Record) -> Result<(), Stopped> {
        self.0.put(record)
    }

    fn read<T>(&mut self, cell: Cell, look: impl FnOnce(Found<'_>) -> T) -> T {
        look(self.0.read(cell).found())
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

/// What became of an operation that the lock accepted.
enum Came {
    Given(Output),
    /// The power went in the middle of this write, or before the result where there is none.
    Cut(Option<(Cell, Vec<u8>)>),
    Befallen(Fate, Befallen),
}

/// Writes the record, unless the trap of this moment springs.
struct Write<'f> {
    intent: &'f Intent,
    trap: Option<Trap>,
    flash: &'f mut Flash,
}

impl Finish for Write<'_> {
    type Out = Came;

    fn finish<T: Outcome>(&mut self, staged: Accepted<'_, T>) -> Came {
        assert_eq!(staged.record().map(Record::cell), self.intent.writes, "{}", self.intent.name);
        match self.trap {
            Some(Trap::Cut(_)) => {
                let record = staged.record().map(|record| (record.cell(), record.as_bytes().to_vec()));
                match &record {
                    Some(_) => assert!(staged.commit(|_| Err(())).is_err(), "a result without its record"),
                    None => drop(staged),
                }
                Came::Cut(record)
            }
            Some(Trap::Fate(_, fate)) => Came::Befallen(fate, fate.befall(staged, self.flash)),
            _ => Came::Given(staged.commit(|record| self.flash.put(record)).unwrap().output()),
        }
    }
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
        Now { ticks: self.ticks, clock: Clock::At(Timestamp::from_unix_seconds(self.clock)), battery: Battery::UNKNOWN }
    }

    /// The power comes back: what is left is what was stored. A lock that is found unmade is made.
    pub fn boot(&mut self, world: &mut World<C>) -> Result<(), Stop> {
        self.flash.boot(None).unwrap();
        (self.lock, self.ticks, self.next) = (None, 0, 0);
        match firmware::load(C::default(), CARD, Torn(&mut self.flash), |_| true) {
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

    /// Every write of a making is a moment.
    fn make(&mut self, world: &mut World<C>) -> Result<(), Stop> {
        assert_eq!(world.facts, None, "a lock that was there is gone");
        let mut making: Making<C, SLOTS> =
            firmware::begin(C::default(), CARD, Torn(&mut self.flash), &mut self.entropy);
        let (mut written, all) = (0, SLOTS + 4);
        firmware::records(&mut making, |record| {
            written += 1;
            let change = if written == all { Change::Made } else { Change::Nothing };
            let intent = Intent { name: "making", writes: Some(record.cell()), change, event: None };
            let at = self.next_moment();
            if self.trap == Some(Trap::Cut(at)) {
                self.caught = Some(Caught { intent, record: Some((record.cell(), record.as_bytes().to_vec())) });
                return Err(Stop::Cut);
            }
            if let Some(Trap::Fate(_, fate)) = self.trap.take_if(|trap| matches!(trap, Trap::Fate(n, _) if *n == at)) {
                assert_eq!(fate.put(&mut self.flash, record), Err(Stopped::Failed));
                self.flash.recover(record.cell()).unwrap();
            }
            self.flash.put(record).unwrap();
            world.happened(&intent);
            self.assert_stored(world);
            Ok(())
        })?;
        let lock = firmware::made(making);
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
    fn call(&mut self, world: &mut World<C>, intent: Intent, ask: Ask<'_>) -> Result<Output, Stop> {
        self.spring_before(world)?;
        (self.ticks, self.clock) = (self.ticks + 10, self.clock + 1);
        let at = self.moments;
        let trap = self.trap.filter(|trap| matches!(trap, Trap::Cut(n) | Trap::Fate(n, _) if *n == at));
        let came = self.ask(ask, |flash| Write { intent: &intent, trap, flash }).map_err(Stop::Refused)?;
        self.moments += 1;
        match came {
            Came::Given(output) => {
                world.happened(&intent);
                self.assert_stored(world);
                if let Some(facts) = world.facts.as_ref().filter(|_| !self.damaged) {
                    assert_tells(self.lock(), facts);
                }
                Ok(output)
            }
            Came::Cut(record) => {
                (self.lock, self.caught) = (None, Some(Caught { intent, record }));
                Err(Stop::Cut)
            }
            Came::Befallen(fate, befallen) => {
                self.trap = None;
                self.resolve(world, intent, fate, befallen)
            }
        }
    }

    /// Puts it to the lock; what is accepted is finished as `finish` says, at this flash.
    fn ask<'d, F: Finish>(
        &'d mut self,
        ask: Ask<'_>,
        finish: impl FnOnce(&'d mut Flash) -> F,
    ) -> Result<F::Out, LockError> {
        let (now, Self { lock, entropy, flash, .. }) = (self.now(), self);
        let (lock, mut finish) = (lock.as_mut().unwrap(), finish(flash));
        match ask {
            Ask::Challenge(purpose) => firmware::challenge(lock, purpose, now, entropy, &mut finish),
            Ask::Send(session, to, message) => firmware::send(lock, (session, to), message, now, entropy, &mut finish)
                .map_err(|refusal| refusal.error()),
        }
    }

    /// A call that is no moment, and takes no time. Nobody keeps books of what it does.
    pub fn quietly(&mut self, ask: Ask<'_>) -> Result<Output, LockError> {
        struct Quiet<'f>(Torn<'f>);

        impl Finish for Quiet<'_> {
            type Out = Output;

            fn finish<T: Outcome>(&mut self, staged: Accepted<'_, T>) -> Output {
                Put(&mut self.0).finish(staged)
            }
        }

        self.ask(ask, |flash| Quiet(Torn(flash)))
    }

    pub fn challenge(&mut self, world: &mut World<C>, purpose: For) -> Result<(Vec<u8>, AnySession), Stop> {
        self.spring_before(world)?;
        let leases = self.next >= world.facts().ceiling;
        // The clock moves on within the call.
        let change = if leases { Change::Lease(Some(self.clock + 1)) } else { Change::Nothing };
        let intent = Intent::of(Op::of(Sent::Nothing, leases), NO_SLOT, change, None);
        let (challenge, session) = self.call(world, intent, Ask::Challenge(purpose))?.given();
        self.next += 1;
        let event = Event::Challenged { lock: self.id(), nonce: nonce_of(&challenge) };
        world.observe(&event);
        Ok((challenge, session))
    }

    /// Puts a message to the lock; where that was a reset, another is made.
    pub fn send(
        &mut self,
        world: &mut World<C>,
        intent: Intent,
        (session, to): (AnySession, To),
        message: &[u8],
    ) -> Result<Output, Stop> {
        self.request = Some((to, message.to_vec()));
        let output = self.call(world, intent, Ask::Send(session, to, message))?;
        if let Output::Erased(_) = output {
            let (_crypto, _card) = self.lock.take().unwrap().into_parts();
            self.boot(world)?;
        }
        Ok(output)
    }

    /// A slot that another than `cell` is kept in.
    pub fn other_slot(cell: Cell) -> SlotId {
        if cell == Cell::Slot(SlotId::new(0)) { SlotId::new(1) } else { SlotId::new(0) }
    }
}

/// What an operation that is about no slot is about.
pub const NO_SLOT: SlotId = SlotId::new(0);

/// Entropy that is the same in every run.
pub fn entropy(rng: ChaCha20Rng) -> Entropy {
    fn takes(_: &impl CryptoRng) {}
    takes(&rng);
    Entropy::Sound(Box::new(rng))
}
