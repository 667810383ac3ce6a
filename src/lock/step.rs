//! One frame in, one answer out: what every firmware does with a message, as a machine of one step.

use rand_core::CryptoRng;

use super::accepted::Accepted;
use super::plan::{FromPlan, Plan, Turned};
use super::purpose::Purpose as _;
use super::reset::PhysicalPresence;
use super::{Lock, Now, Role, purpose};
use crate::counter::Generation;
use crate::crypto::{Crypto, PublicKey};
use crate::error::LockError;
use crate::id::{LockId, SlotId};
use crate::limits::{Action, Timestamp};
use crate::message::{Bundle, Connect, ConnectFor, Receipt};
use crate::wire::{self, Kind, Message as _, Unverified};

/// The length of the longest message that a lock takes: a [`Bundle`].
pub const MAX_REQUEST: usize = Bundle::MAX_LEN;

/// The length of the longest message that a lock sends: a [`Receipt`].
pub const MAX_ANSWER: usize = Receipt::MAX_LEN;

/// What came of a frame: what to send, and what there is to do.
#[must_use = "the answer is to be sent, and the bolt does not move by itself"]
#[derive(Debug)]
pub struct Served {
    pub(super) answer: Answer,
    pub(super) effect: Effect,
}

/// Room for an answer.
pub type Answer = arrayvec::ArrayVec<u8, MAX_ANSWER>;

pub(super) fn fill(room: &mut Answer, answer: &[u8]) {
    // No answer is longer than `MAX_ANSWER`.
    let _ = room.try_extend_from_slice(answer);
}

/// What is left for the firmware, before it sends the answer.
#[must_use = "the bolt does not move by itself"]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Nothing.
    Nothing,
    /// Move the bolt: the use, if one counts, is stored.
    Bolt {
        /// What to do with it.
        action: Action,
        /// On whose word, for the lock's log.
        by: By,
    },
    /// A factory reset ended this lock: no answer is sent, and nothing works until it is made anew.
    /// [`Door::serve`](super::Door::serve) has done that already; over [`Lock::step`], boot.
    Reset,
    /// It was refused, and nothing changed. Why, for the lock's log; the answer tells no more than it may.
    Refused(LockError),
}

/// On whose word the bolt moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// The owner's command.
    Owner,
    /// An installed key.
    Guest {
        /// The slot that holds it.
        slot: SlotId,
        /// Its number.
        generation: Generation,
        /// The device that has it.
        device: PublicKey,
    },
}

/// What a frame wants of the firmware: one write at most, then it is served.
#[must_use = "nothing happens until it is gone through"]
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "without an allocator there is no other place for an answer")]
pub enum Step<'l> {
    /// It was refused; nothing is to be written.
    Served(Served),
    /// Accepted: write its record, if it has one ([`Accepted::commit`], [`Accepted::commit_async`] or
    /// [`Accepted::detach`]), then it is served.
    Write(Accepted<'l, Served>),
    /// The owner sets the clock: set the board's before the record is written.
    SetClock(ClockSetting<'l>),
}

/// A clock that is to be set before its record is written.
#[must_use = "the clock is not set by itself"]
#[derive(Debug)]
pub struct ClockSetting<'l> {
    to: Timestamp,
    accepted: Accepted<'l, Served>,
}

impl<'l> ClockSetting<'l> {
    /// The time now, as the owner says.
    #[must_use]
    pub const fn to(&self) -> Timestamp {
        self.to
    }

    /// The board's clock was set to it; what is left is the record. For boards that set their clock asynchronously:
    /// where it could not be set, drop this instead.
    pub fn is_set(self) -> Accepted<'l, Served> {
        self.accepted
    }

    /// Sets the board's clock through `set`, then goes on to the record. A power cut between leaves a clock that is
    /// right and a command that was not carried out; the other way round would leave a proof of what is not so.
    ///
    /// # Errors
    /// Whatever `set` fails with: the command is dropped, and its session spent.
    pub fn set<E>(self, set: impl FnOnce(Timestamp) -> Result<(), E>) -> Result<Accepted<'l, Served>, E> {
        set(self.to)?;
        Ok(self.accepted)
    }
}

impl Served {
    /// The answer to send; empty where nothing is to be sent.
    #[must_use]
    pub fn answer(&self) -> &[u8] {
        &self.answer
    }

    /// What there is to do before it is sent.
    pub const fn effect(&self) -> Effect {
        self.effect
    }

    fn with(answer: &[u8], effect: Effect) -> Self {
        let mut room = wire::empty();
        fill(&mut room, answer);
        Self { answer: room, effect }
    }
}

impl FromPlan for Served {
    fn from_plan(plan: &Plan, _: LockId) -> Self {
        Self::with(&plan.answer, plan.effect())
    }
}

impl FromPlan for Effect {
    fn from_plan(plan: &Plan, _: LockId) -> Self {
        plan.effect()
    }
}

/// What is left to do of an operation, as its plan has it.
#[derive(Clone, Copy)]
pub(super) enum Then {
    Nothing,
    OwnersBolt,
    GuestsBolt,
    /// Before the record is written.
    Clock(Timestamp),
    Reset,
}

impl Plan {
    pub(super) const fn effect(&self) -> Effect {
        let &Self { action, slot, generation, device, .. } = self;
        match self.then {
            // The clock was set before: `Step::SetClock`.
            Then::Nothing | Then::Clock(_) => Effect::Nothing,
            Then::OwnersBolt => Effect::Bolt { action, by: By::Owner },
            Then::GuestsBolt => Effect::Bolt { action, by: By::Guest { slot, generation, device } },
            Then::Reset => Effect::Reset,
        }
    }
}

impl<C: Crypto, const SLOTS: usize> Lock<C, SLOTS> {
    /// Takes any frame that comes over the link: asks for a challenge ([`Connect`]) and requests, each in the newest
    /// session of its purpose. `presence` says that the button inside is pressed; without it a factory reset is
    /// refused, and spends no session, as a message that is no request does.
    ///
    /// A synchronous loop is [`Door::serve`](super::Door::serve). An asynchronous one is as short:
    ///
    /// ```
    /// use sharekey::crypto::Crypto;
    /// use sharekey::lock::{Lock, Now, Record, Served, Step};
    /// use sharekey::limits::Timestamp;
    ///
    /// trait Board {
    ///     type Error;
    ///     async fn put(&self, record: &Record) -> Result<(), Self::Error>;
    ///     async fn set_clock(&self, to: Timestamp) -> Result<(), Self::Error>;
    /// }
    ///
    /// async fn serve<C: Crypto, B: Board>(
    ///     lock: &mut Lock<C, 10>, board: &B, frame: &[u8], now: Now, rng: &mut impl rand_core::CryptoRng,
    /// ) -> Result<Served, B::Error> {
    ///     let accepted = match lock.step(frame, now, None, rng) {
    ///         Step::Served(served) => return Ok(served),
    ///         Step::Write(accepted) => accepted,
    ///         Step::SetClock(setting) => {
    ///             board.set_clock(setting.to()).await?;
    ///             setting.is_set()
    ///         }
    ///     };
    ///     accepted.commit_async(async |record| board.put(record).await).await
    /// }
    /// ```
    ///
    /// And so is one whose store calls back. A cell waits for one write at most, and other cells go on:
    ///
    /// ```
    /// use sharekey::crypto::Crypto;
    /// use sharekey::lock::{Cell, Lock, Now, Pending, Record, Served, Step};
    /// use sharekey::limits::Timestamp;
    ///
    /// trait Driver {
    ///     fn begin(&mut self, record: Record);
    ///     fn set_clock(&mut self, to: Timestamp) -> Option<()>;
    /// }
    ///
    /// struct Firmware<C: Crypto, D> {
    ///     lock: Lock<C, 10>,
    ///     driver: D,
    ///     waiting: [Option<Pending<Served>>; 13],   // by the key of the cell
    /// }
    ///
    /// impl<C: Crypto, D: Driver> Firmware<C, D> {
    ///     /// A frame came. Gives what is served already.
    ///     fn frame(&mut self, frame: &[u8], now: Now, rng: &mut impl rand_core::CryptoRng) -> Option<Served> {
    ///         let accepted = match self.lock.step(frame, now, None, rng) {
    ///             Step::Served(served) => return Some(served),
    ///             Step::Write(accepted) => accepted,
    ///             Step::SetClock(setting) => setting.set(|to| self.driver.set_clock(to).ok_or(())).ok()?,
    ///         };
    ///         let cell = accepted.cell();
    ///         let (record, pending) = accepted.detach();
    ///         *self.waiting.get_mut(usize::from(cell.key()))? = Some(pending);
    ///         match record {
    ///             None => self.written(cell),
    ///             Some(record) => {
    ///                 self.driver.begin(record);
    ///                 None
    ///             }
    ///         }
    ///     }
    ///
    ///     /// The driver calls back: this cell's record is durable.
    ///     fn written(&mut self, cell: Cell) -> Option<Served> {
    ///         let pending = self.waiting.get_mut(usize::from(cell.key()))?.take()?;
    ///         self.lock.written(pending).ok()
    ///     }
    /// }
    /// ```
    pub fn step(
        &mut self,
        frame: &[u8],
        now: Now,
        presence: Option<PhysicalPresence>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Step<'_> {
        match self.plan(|role, plan| role.serve(frame, now, presence, rng, plan)) {
            Ok(accepted) => match accepted.plan().then {
                Then::Clock(to) => Step::SetClock(ClockSetting { to, accepted }),
                _ => Step::Write(accepted),
            },
            Err(denial) => Step::Served(Served::with(denial.answer(), Effect::Refused(denial.error))),
        }
    }
}

impl<C: Crypto, const SLOTS: usize> Role<C, SLOTS> {
    /// Decides what a frame asks for, in the newest session of its purpose: the lock knows it, and no token is needed to
    /// find it again.
    #[inline(never)]
    pub(super) fn serve(
        &mut self,
        frame: &[u8],
        now: Now,
        presence: Option<PhysicalPresence>,
        rng: &mut (impl CryptoRng + ?Sized),
        plan: &mut Plan,
    ) -> Result<(), Turned> {
        //= spec/protocol.md#versioning
        //# VER-5. A lock MUST answer a message of a version that it does not speak with the opaque Refused, in a version that it speaks.
        match Kind::of(frame).map_err(LockError::Wire)? {
            Kind::Connect => {
                //= spec/protocol.md#sessions
                //# SES-10. A lock that takes a Connect MUST give a challenge for the purpose that it names.
                let purpose = match Unverified::<Connect>::parse(frame).map_err(LockError::Wire)?.claims().purpose {
                    ConnectFor::Install => purpose::Install::INDEX,
                    ConnectFor::Operate => purpose::Operate::INDEX,
                };
                self.challenge(purpose, now, rng, plan)
            }
            Kind::Bundle => self.install(self.newest()?, frame, now, rng, plan),
            Kind::Unlock => self.unlock(self.newest()?, frame, now, plan),
            Kind::Command => self.command(self.newest()?, frame, now, plan),
            Kind::Provision => self.provision(self.newest()?, frame, now, plan),
            Kind::FactoryReset => {
                let presence = presence.ok_or(LockError::NoPresence)?;
                self.factory_reset(self.newest()?, frame, presence, now, rng, plan)
            }
            //= spec/protocol.md#sessions
            //# SES-11. A message that is none of Connect, Bundle, Unlock, Command, Provision and FactoryReset MUST NOT use a session up.
            _ => Err(LockError::NoRequest.into()),
        }
    }
}
