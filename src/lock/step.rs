//! One frame in, one answer out: what every firmware does with a message, as a machine of one step.

use rand_core::CryptoRng;

use super::accepted::Accepted;
use super::challenge::Session;
use super::plan::{Denial, Plan};
use super::reset::PhysicalPresence;
use super::{Lock, MAX_ANSWER, Now, purpose};
use crate::counter::Generation;
use crate::crypto::{Crypto, PublicKey};
use crate::error::LockError;
use crate::id::{LockId, SlotId};
use crate::limits::{Action, Timestamp};
use crate::message::{Connect, ConnectFor, Operation, Refused};
use crate::wire::{self, Kind, Unverified};

/// What came of a frame: what to send, and what there is to do.
#[must_use = "the answer is to be sent, and the bolt does not move by itself"]
#[derive(Debug)]
pub struct Served {
    answer: arrayvec::ArrayVec<u8, MAX_ANSWER>,
    effect: Effect,
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
        let mut bytes = wire::empty();
        // No answer is longer than `MAX_ANSWER`.
        let _ = bytes.try_extend_from_slice(answer);
        Self { answer: bytes, effect }
    }

    fn refused(error: LockError) -> Self {
        Self::with(&Refused::OPAQUE, Effect::Refused(error))
    }
}

// What is made of an operation's plan, by what there is to do.

impl Served {
    fn answered(plan: &Plan, _: LockId) -> Self {
        Self::with(&plan.answer, Effect::Nothing)
    }

    fn reset(_: &Plan, _: LockId) -> Self {
        Self::with(&[], Effect::Reset)
    }

    fn unlocked(plan: &Plan, _: LockId) -> Self {
        let &Plan { action, slot, generation, device, .. } = plan;
        Self::with(&plan.answer, Effect::Bolt { action, by: By::Guest { slot, generation, device } })
    }

    fn commanded(plan: &Plan, _: LockId) -> Self {
        let effect = match plan.operation {
            Operation::Act { action } => Effect::Bolt { action, by: By::Owner },
            // The clock was set before: `Step::SetClock`.
            Operation::SetClock { .. }
            | Operation::Activate { .. }
            | Operation::Deactivate { .. }
            | Operation::Transfer { .. }
            | Operation::Inspect { .. } => Effect::Nothing,
        };
        Self::with(&plan.answer, effect)
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
        match Kind::of(frame) {
            Ok(Kind::Connect) => self.connect(frame, now, rng),
            Ok(Kind::Bundle) => match self.role.newest() {
                Ok(session) => self.step_install(session, frame, now, rng),
                Err(error) => Step::Served(Served::refused(error)),
            },
            Ok(Kind::FactoryReset) if presence.is_none() => Step::Served(Served::refused(LockError::NoPresence)),
            Ok(kind @ (Kind::Unlock | Kind::Command | Kind::Provision | Kind::FactoryReset)) => {
                self.operate(kind, frame, now, presence, rng)
            }
            //= spec/protocol.md#sessions
            //# SES-11. A message that is none of Connect, Bundle, Unlock, Command, Provision and FactoryReset MUST NOT use a session up.
            Ok(_) => Step::Served(Served::refused(LockError::NoRequest)),
            Err(error) => Step::Served(Served::refused(error.into())),
        }
    }

    #[inline(never)]
    fn connect(&mut self, frame: &[u8], now: Now, rng: &mut (impl CryptoRng + ?Sized)) -> Step<'_> {
        //= spec/protocol.md#sessions
        //# SES-10. A lock that takes a Connect MUST give a challenge for the purpose that it names.
        // The lock knows its newest session of each purpose; no token is needed to find it again.
        let purpose = match Unverified::<Connect>::parse(frame).map(|connect| connect.claims().purpose) {
            Ok(ConnectFor::Install) => <purpose::Install as purpose::Purpose>::INDEX,
            Ok(ConnectFor::Operate) => <purpose::Operate as purpose::Purpose>::INDEX,
            Err(error) => return Step::Served(Served::refused(error.into())),
        };
        accepted(self.plan(Served::answered, |role, plan| role.challenge(purpose, now, rng, plan)))
    }

    fn operate(
        &mut self,
        kind: Kind,
        frame: &[u8],
        now: Now,
        presence: Option<PhysicalPresence>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Step<'_> {
        let session = match self.role.newest() {
            Ok(session) => session,
            Err(error) => return Step::Served(Served::refused(error)),
        };
        match (kind, presence) {
            (Kind::Unlock, _) => self.step_unlock(session, frame, now),
            (Kind::Provision, _) => self.step_provision(session, frame, now),
            (Kind::FactoryReset, Some(button)) => self.step_reset(session, frame, button, now, rng),
            _ => self.step_command(session, frame, now),
        }
    }

    // Not inlined, here and in `Door`: the stack that one operation needs would be the sum of all.

    #[inline(never)]
    fn step_install(
        &mut self,
        session: Session<purpose::Install>,
        bundle: &[u8],
        now: Now,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Step<'_> {
        accepted(self.plan(Served::answered, |role, plan| role.install(session, bundle, now, rng, plan)))
    }

    #[inline(never)]
    fn step_unlock(&mut self, session: Session<purpose::Operate>, unlock: &[u8], now: Now) -> Step<'_> {
        accepted(self.plan(Served::unlocked, |role, plan| role.unlock(session, unlock, now, plan)))
    }

    #[inline(never)]
    fn step_provision(&mut self, session: Session<purpose::Operate>, provision: &[u8], now: Now) -> Step<'_> {
        accepted(self.plan(Served::answered, |role, plan| role.provision(session, provision, now, plan)))
    }

    #[inline(never)]
    fn step_reset(
        &mut self,
        session: Session<purpose::Operate>,
        reset: &[u8],
        button: PhysicalPresence,
        now: Now,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Step<'_> {
        accepted(self.plan(Served::reset, |role, plan| role.factory_reset(session, reset, button, now, rng, plan)))
    }

    #[inline(never)]
    fn step_command(&mut self, session: Session<purpose::Operate>, command: &[u8], now: Now) -> Step<'_> {
        match self.plan(Served::commanded, |role, plan| role.command(session, command, now, plan)) {
            Ok(accepted) => match accepted.plan().operation {
                Operation::SetClock { to } => Step::SetClock(ClockSetting { to, accepted }),
                _ => Step::Write(accepted),
            },
            refused @ Err(_) => accepted(refused),
        }
    }
}

fn accepted<'l>(decided: Result<Accepted<'l, Served>, Denial<'l>>) -> Step<'l> {
    match decided {
        Ok(accepted) => Step::Write(accepted),
        Err(denial) => {
            let answer = denial.answer().unwrap_or(&Refused::OPAQUE);
            Step::Served(Served::with(answer, Effect::Refused(denial.error)))
        }
    }
}
