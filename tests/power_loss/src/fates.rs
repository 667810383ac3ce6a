//! Writes that go wrong while the power stays on: failed, cancelled at an await point, taken off the
//! lock and reported late or never. That one is reported twice does not compile: `Lock::written` takes
//! the `Pending`.

use std::cell::RefCell;
use std::future::pending;
use std::task::Poll;

use sharekey::error::LockError;
use sharekey::lock::{Accepted, Cell, Condition, Record, purpose};
use sharekey::message::{Challenge, FactoryReset};
use sharekey::wire::Unverified;
use sharekey_model::invariant::Event;
use sharekey_model::power::{Failure, Flash, Stopped};

use sharekey_stage::firmware::{AnySession, Outcome, Output, Waiting};
use sharekey_stage::ops::{For, To};
use sharekey_stage::poll_once;

use crate::door::{Ask, Door, Intent, Stop, card};
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
pub enum End {
    Result(Output),
    Nothing,
    Pending(Option<Record>, Waiting),
}

pub struct Befallen {
    cell: Cell,
    record: Option<Vec<u8>>,
    end: End,
}

impl Fate {
    /// A put that fails, for a making.
    pub fn put(self, flash: &mut Flash, record: &Record) -> Result<(), Stopped> {
        let (Self::Fails(failure) | Self::Cancelled(failure)) = self else { return Err(Stopped::Failed) };
        flash.fail_next(failure);
        flash.put(record)
    }

    pub fn befall<T: Outcome>(self, staged: Accepted<'_, T>, flash: &mut Flash) -> Befallen {
        let cell = staged.cell();
        let record = staged.record().map(|record| record.as_bytes().to_vec());
        let end = match self {
            Self::Fails(_) => {
                let written = staged.commit(|record| self.put(flash, record));
                written.map_or(End::Nothing, |result| End::Result(result.output()))
            }
            Self::Cancelled(_) => {
                let flash = RefCell::new(flash);
                let put = async |record: &Record| {
                    let failed = self.put(&mut flash.borrow_mut(), record);
                    pending::<()>().await;
                    failed
                };
                match poll_once(staged.commit_async(put)) {
                    Poll::Ready(result) => End::Result(result.unwrap().output()),
                    Poll::Pending => End::Nothing,
                }
            }
            Self::Dropped => {
                drop(staged);
                End::Nothing
            }
            Self::Detached | Self::Lost { .. } | Self::Late { .. } | Self::AfterBoot { .. } | Self::Abandoned => {
                let (record, pending) = staged.detach();
                End::Pending(record, T::waiting(pending))
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
    pub fn resolve(
        &mut self,
        world: &mut World<C>,
        intent: Intent,
        fate: Fate,
        befallen: Befallen,
    ) -> Result<Output, Stop> {
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
                let result = pending.written(self.lock()).unwrap_or_else(|error| panic!("{error}"));
                world.happened(&intent);
                self.assert_stored(world);
                Ok(result)
            }
            Fate::Abandoned => {
                let given_up = pending.abandon(self.lock());
                assert_eq!(given_up, if record.is_some() { Err(LockError::Busy) } else { Ok(()) });
                let held = record.is_some();
                self.put_right(world, &intent, cell, record, held)
            }
            Fate::AfterBoot { .. } => self.report_to_next_run(world, &intent, (cell, record), pending),
            Fate::Late { .. } => {
                let id = self.id();
                let stopped = self.put_right(world, &intent, cell, record, true);
                // Of a reset that arrived, the lock is another one by now.
                let late = pending.written(self.lock());
                assert_eq!(late.err(), Some(LockError::NotPending), "{} {id:?}", intent.name);
                stopped
            }
            _ => self.put_right(world, &intent, cell, record, true),
        }
    }

    /// The power goes before the report. The next run waits for a challenge of its own, with the same
    /// ticket: what was of the run before is not taken for it.
    fn report_to_next_run(
        &mut self,
        world: &mut World<C>,
        intent: &Intent,
        (cell, record): (Cell, Option<Vec<u8>>),
        pending: Waiting,
    ) -> Result<Output, Stop> {
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
            assert_eq!(pending.written(lock).err(), Some(LockError::NotPending), "{} of the run before", intent.name);
        }
        let given = lock.written(waiting).unwrap_or_else(|error| panic!("{error}"));
        self.next += 1;
        world.facts = Change::Lease(Some(self.clock)).applied(&world.facts);
        world.observe(&Event::Challenged { lock: id, nonce: nonce_of(&given.challenge) });
        self.assert_stored(world);
        Err(Stop::NoAnswer)
    }

    /// The store ends what it began, and the cell is read again: before or after, nothing else.
    fn put_right(
        &mut self,
        world: &mut World<C>,
        intent: &Intent,
        cell: Cell,
        record: Option<Vec<u8>>,
        held: bool,
    ) -> Result<Output, Stop> {
        self.flash.recover(cell).unwrap();
        let stored = self.flash.read(cell);
        let reloaded = self.lock().reload(cell, stored.found());
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
        let busy = |refused: Result<Output, LockError>| assert_eq!(refused.err(), Some(LockError::Busy), "{cell:?}");
        let Cell::Slot(slot) = cell else {
            busy(self.quietly(Ask::Challenge(For::Operate)));
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
        let (challenge, session) = self.challenge_quietly(world);
        let reset = reset_of::<C>(&challenge);
        busy(self.quietly(Ask::Send(session, To::Reset, &reset)));
        let (challenge, session) = self.challenge_quietly(world);
        let transfer = world.transfer_to_oneself(&challenge);
        busy(self.quietly(Ask::Send(session, To::Command, &transfer)));
    }

    /// A challenge that is no moment.
    pub fn challenge_quietly(&mut self, world: &mut World<C>) -> (Vec<u8>, AnySession) {
        let stored = self.flash.read(Cell::Counter);
        let (challenge, session) = self.quietly(Ask::Challenge(For::Operate)).unwrap().given();
        if self.flash.read(Cell::Counter) != stored {
            world.facts = Change::Lease(Some(self.clock)).applied(&world.facts);
        }
        self.next += 1;
        world.observe(&Event::Challenged { lock: self.id(), nonce: nonce_of(&challenge) });
        (challenge, session)
    }
}

/// Whoever has the card answers a challenge with a factory reset.
pub fn reset_of<C: Provider>(challenge: &[u8]) -> Vec<u8> {
    let claims = *Unverified::<Challenge>::parse(challenge).unwrap().claims();
    FactoryReset::seal(&C::default(), &card(), &claims).unwrap().to_vec()
}
