//! Writes that go wrong while the power stays on: failed, cancelled at an await point, taken off the
//! lock and reported late or never. That one is reported twice does not compile: `Lock::written` takes
//! the `Pending`.

use std::cell::RefCell;
use std::future::{Future, pending};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use sharekey::error::LockError;
use sharekey::lock::{Cell, Condition, Pending, PhysicalPresence, Record, Staged, purpose};
use sharekey::message::{Challenge, FactoryReset};
use sharekey::wire::Unverified;
use sharekey_model::invariant::Event;
use sharekey_model::power::{Failure, Flash, Stopped};

use crate::door::{Door, Intent, Stop, card};
use crate::facts::{Change, assert_tells};
use crate::script::{SPARE, Step};
use crate::world::{Provider, World, nonce_of};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// `put` fails.
    Fails(Failure),
    /// The future is dropped where it waits: before the first word, between two words, after the last.
    Cancelled(Failure),
    /// The staged operation is dropped before its write.
    Dropped,
    /// Taken off the lock, and reported in time.
    Detached,
    /// Taken off the lock, and never reported.
    Lost { written: bool },
    /// Reported after the cell was read again.
    Late { written: bool },
    /// Reported to the run after.
    AfterBoot { written: bool },
    /// Given up.
    Abandoned,
}

/// How the writing ended.
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
pub enum End<T> {
    Result(T),
    Nothing,
    Pending(Option<Record>, Pending<T>),
}

pub struct Befallen<T> {
    cell: Cell,
    record: Option<Vec<u8>>,
    end: End<T>,
}

/// One step of an executor.
fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

impl Fate {
    /// A put that fails, for a making.
    pub fn put(self, flash: &mut Flash, record: &Record) -> Result<(), Stopped> {
        let (Self::Fails(failure) | Self::Cancelled(failure)) = self else { return Err(Stopped::Failed) };
        flash.fail_next(failure);
        flash.put(record)
    }

    pub fn befall<T>(self, staged: Staged<'_, T>, flash: &mut Flash) -> Befallen<T> {
        let cell = staged.cell();
        let record = staged.record().map(|record| record.as_bytes().to_vec());
        let end = match self {
            Self::Fails(_) => staged.commit(|record| self.put(flash, record)).map_or(End::Nothing, End::Result),
            Self::Cancelled(_) => {
                let flash = RefCell::new(flash);
                let put = async |record: &Record| {
                    let failed = self.put(&mut flash.borrow_mut(), record);
                    pending::<()>().await;
                    failed
                };
                match poll_once(staged.commit_async(put)) {
                    Poll::Ready(result) => End::Result(result.unwrap()),
                    Poll::Pending => End::Nothing,
                }
            }
            Self::Dropped => {
                drop(staged);
                End::Nothing
            }
            Self::Detached | Self::Lost { .. } | Self::Late { .. } | Self::AfterBoot { .. } | Self::Abandoned => {
                let (record, pending) = staged.detach();
                End::Pending(record, pending)
            }
        };
        Befallen { cell, record, end }
    }

    fn condition(self) -> Condition {
        match self {
            Self::Fails(_) | Self::Cancelled(_) => Condition::Failed,
            Self::Dropped => Condition::Ready,
            Self::Detached | Self::Lost { .. } | Self::Late { .. } | Self::AfterBoot { .. } | Self::Abandoned => {
                Condition::Pending
            }
        }
    }

    fn is_written(self) -> bool {
        match self {
            Self::Lost { written } | Self::Late { written } | Self::AfterBoot { written } => written,
            _ => self == Self::Detached,
        }
    }
}

impl<C: Provider> Door<C> {
    /// What the firmware does after the write met its fate: nothing is answered unless it is through.
    pub fn resolve<T>(
        &mut self,
        world: &mut World<C>,
        intent: Intent,
        fate: Fate,
        befallen: Befallen<T>,
    ) -> Result<T, Stop> {
        let Befallen { cell, record, end } = befallen;
        if let End::Result(result) = end {
            assert_eq!(intent.writes, None, "{}: a result without its record", intent.name);
            world.happened(&intent);
            return Ok(result);
        }
        assert_eq!(self.lock().condition(cell), Ok(fate.condition()), "{} {fate:?}", intent.name);
        if fate == Fate::Dropped {
            return self.put_right(world, &intent, cell, None, false);
        }
        self.assert_held(world, cell);
        let End::Pending(to_write, pending) = end else {
            return self.put_right(world, &intent, cell, record, true);
        };
        if let Some(to_write) = to_write.filter(|_| fate.is_written()) {
            self.flash.put(&to_write).unwrap();
        }
        match fate {
            Fate::Detached => {
                let result = self.lock().written(pending).unwrap_or_else(|error| panic!("{error}"));
                world.happened(&intent);
                self.assert_stored(world);
                Ok(result)
            }
            Fate::Abandoned => {
                let given_up = self.lock().abandon(pending);
                assert_eq!(given_up, if record.is_some() { Err(LockError::Busy) } else { Ok(()) });
                let held = record.is_some();
                self.put_right(world, &intent, cell, record, held)
            }
            Fate::AfterBoot { .. } => self.report_to_next_run(world, &intent, (cell, record), pending),
            Fate::Late { .. } => {
                let id = self.id();
                let stopped = self.put_right(world, &intent, cell, record, true);
                // Of a reset that arrived, the lock is another one by now.
                let late = self.lock().written(pending);
                assert_eq!(late.err(), Some(LockError::NotPending), "{} {id:?}", intent.name);
                stopped
            }
            _ => self.put_right(world, &intent, cell, record, true),
        }
    }

    /// The power goes before the report. The next run waits for a challenge of its own, with the same
    /// ticket: what was of the run before is not taken for it.
    fn report_to_next_run<T, R>(
        &mut self,
        world: &mut World<C>,
        intent: &Intent,
        (cell, record): (Cell, Option<Vec<u8>>),
        pending: Pending<T>,
    ) -> Result<R, Stop> {
        self.flash.boot(None).unwrap();
        let arrived = record.is_some() && self.flash.read(cell).bytes() == record.as_deref();
        world.settle(intent, arrived);
        self.boot(world)?;
        let (now, id) = (self.now(), self.id());
        let Self { lock, entropy, flash, .. } = self;
        let lock = lock.as_mut().unwrap();
        let (lease, waiting) = lock.challenge::<purpose::Operate>(now, entropy).unwrap().detach();
        let lease = lease.unwrap();
        flash.put(&lease).unwrap();
        // With this entropy, a first challenge that was not written and the one of the next run are the
        // same in every bit, and so are their reports.
        if record.as_deref() == Some(lease.as_bytes()) {
            drop(pending);
        } else {
            assert_eq!(lock.written(pending).err(), Some(LockError::NotPending), "{} of the run before", intent.name);
        }
        let given = lock.written(waiting).unwrap_or_else(|error| panic!("{error}"));
        self.next += 1;
        world.facts = Change::Lease(Some(self.clock)).applied(&world.facts);
        world.observe(&Event::Challenged { lock: id, nonce: nonce_of(&given.challenge) });
        self.assert_stored(world);
        Err(Stop::NoAnswer)
    }

    /// The store ends what it began, and the cell is read again: before or after, nothing else.
    fn put_right<T>(
        &mut self,
        world: &mut World<C>,
        intent: &Intent,
        cell: Cell,
        record: Option<Vec<u8>>,
        held: bool,
    ) -> Result<T, Stop> {
        self.flash.recover(cell).unwrap();
        let stored = self.flash.read(cell);
        let reloaded = self.lock().reload(cell, stored.bytes());
        assert_eq!(reloaded, if held { Ok(()) } else { Err(LockError::NotBusy) });
        let arrived = record.is_some() && stored.bytes() == record.as_deref();
        world.settle(intent, arrived);
        self.assert_stored(world);
        match world.facts.clone() {
            Some(facts) => assert_tells(self.lock(), &facts),
            None => {
                assert_eq!(self.lock().ownership(), Err(LockError::Resetting));
                self.boot(world)?;
            }
        }
        Err(Stop::NoAnswer)
    }

    /// What needs the cell is refused as busy; a slot's neighbours go on, and nothing ends the epoch or
    /// the lock meanwhile.
    fn assert_held(&mut self, world: &mut World<C>, cell: Cell) {
        let now = self.now();
        let Cell::Slot(slot) = cell else {
            let Self { lock, entropy, .. } = self;
            let refused = lock.as_mut().unwrap().challenge::<purpose::Operate>(now, entropy).map(|_| ());
            assert_eq!(refused, Err(LockError::Busy), "{cell:?}");
            assert_eq!(self.lock().ownership(), Err(LockError::Busy), "{cell:?}");
            return;
        };
        assert_eq!(self.lock().report(slot), Err(LockError::Busy));
        let other = Self::other_slot(cell);
        assert!(self.lock().report(other).is_ok());
        world.assert_neighbour_works(self, other);
        // Another slot is written meanwhile. What flash says of the held one is not known yet.
        self.damaged = true;
        world.perform(self, Step::Activate(SPARE)).unwrap();
        self.damaged = false;
        let now = self.now();
        let challenge = self.challenge_quietly(world);
        let claims = *Unverified::<Challenge>::parse(&challenge.0).unwrap().claims();
        let reset = FactoryReset::seal(&C::default(), &card(), &claims).unwrap();
        let Self { lock, entropy, .. } = self;
        let button = PhysicalPresence::button_is_pressed();
        let refused = lock.as_mut().unwrap().factory_reset(challenge.1, &reset, button, now, entropy);
        assert_eq!(refused.map(|_| ()).map_err(|refusal| refusal.error()), Err(LockError::Busy));
        let (challenge, session) = self.challenge_quietly(world);
        let transfer = world.transfer_to_oneself(&challenge);
        let refused = self.lock().command(session, &transfer, now);
        assert_eq!(refused.map(|_| ()).map_err(|refusal| refusal.error()), Err(LockError::Busy));
    }

    /// A challenge that is no moment.
    pub fn challenge_quietly(&mut self, world: &mut World<C>) -> (Vec<u8>, sharekey::lock::Session<purpose::Operate>) {
        let (now, id) = (self.now(), self.id());
        let Self { lock, entropy, flash, .. } = self;
        let staged = lock.as_mut().unwrap().challenge::<purpose::Operate>(now, entropy).unwrap();
        if staged.record().is_some() {
            world.facts = Change::Lease(Some(self.clock)).applied(&world.facts);
        }
        let given = staged.commit(|record| flash.put(record)).unwrap();
        self.next += 1;
        world.observe(&Event::Challenged { lock: id, nonce: nonce_of(&given.challenge) });
        (given.challenge.to_vec(), given.session)
    }
}
