//! The owner's commands at the lock (spec: "Commands").

use super::accepted::Accepted;
use super::memory::{self, Change, Ownership};
use super::plan::{FromPlan, Plan, Turned};
use super::record::{Cell, Content, CounterRecord, HeaderRecord, SlotRecord, Title, Write};
use super::refusal::{Denied, Refusal};
use super::step::Then;
use super::{Clock, Lock, Now, Role, Session, purpose};
use crate::counter::{Epoch, Generation, Term};
use crate::crypto::{Crypto, Nonce, PublicKey};
use crate::error::LockError;
use crate::id::{LockId, SlotId};
use crate::limits::Timestamp;
use crate::message::{Command, Completed, Done, LockTime, Operation, SlotReport};
use crate::wire::{self, Encoded, Unverified, Verified};

/// A command was carried out, as far as records go.
#[must_use = "what is left to do stands in it, and the proof"]
#[derive(Debug)]
#[non_exhaustive]
pub struct Commanded {
    /// What is left for the firmware: [`Operation::Act`] moves the bolt, [`Operation::SetClock`]
    /// sets the clock. Nothing for the others.
    pub operation: Operation,
    /// The proof, for the owner and, through it, for the service.
    pub done: Encoded<Done>,
}

impl FromPlan for Commanded {
    fn from_plan(plan: &Plan, _: LockId) -> Self {
        Self { operation: plan.operation, done: Encoded::taken(&plan.answer) }
    }
}

impl<C: Crypto, const SLOTS: usize> Lock<C, SLOTS> {
    /// Carries out a command of the owner.
    ///
    /// # Errors
    /// [`Refusal`] with the first check that failed, in the order of the spec: opaque before the
    /// signature held, signed with the reason after. The session is spent.
    pub fn command(
        &mut self,
        session: Session<purpose::Operate>,
        command: &[u8],
        now: Now,
    ) -> Result<Accepted<'_, Commanded>, Refusal> {
        Ok(self.plan(|role, plan| role.command(session, command, now, plan))?)
    }
}

impl<C: Crypto, const SLOTS: usize> Role<C, SLOTS> {
    #[inline(never)]
    pub(super) fn command(
        &mut self,
        session: Session<purpose::Operate>,
        command: &[u8],
        now: Now,
        plan: &mut Plan,
    ) -> Result<(), Turned> {
        let nonce = self.spend(session, now);
        //= spec/protocol.md#errors-and-refusals
        //# ERR-2. A refusal MUST change nothing but the session that it used.
        let decided = self.decide_command(nonce, command, now, plan);
        //= spec/protocol.md#commands
        //# CMD-10. The Done MUST NOT be given to the caller before the record of the operation, if it has one, is stored.
        self.settle(command, decided, plan)
    }

    //= spec/protocol.md#commands
    //# CMD-14. The lock MUST make these checks in this order; the first that fails decides the error.
    #[inline(never)]
    fn decide_command(
        &mut self,
        nonce: Result<Nonce, LockError>,
        bytes: &[u8],
        now: Now,
        plan: &mut Plan,
    ) -> Result<(), Denied> {
        //= spec/protocol.md#commands
        //# CMD-1. The command MUST decode.
        let command = Unverified::<Command>::parse(bytes).map_err(LockError::Wire)?;
        //= spec/protocol.md#commands
        //# CMD-2. The session MUST be the newest for Operate and in time.
        let nonce = nonce?;
        //= spec/protocol.md#commands
        //# CMD-11. The header's and the counter's cells MUST be free and sound.
        //= spec/protocol.md#commands
        //# CMD-3. The lock MUST be provisioned.
        let owned = self.core.ownership()?;
        let claims = command.claims();
        //= spec/protocol.md#commands
        //# CMD-4. The command MUST name this lock.
        if claims.lock != self.id() {
            return Err(LockError::WrongLock.into());
        }
        //= spec/protocol.md#commands
        //# CMD-6. The command MUST carry the session's nonce.
        if claims.lock_nonce != nonce {
            return Err(LockError::WrongNonce.into());
        }
        //= spec/protocol.md#commands
        //# CMD-12. The command MUST be signed by somebody whose key the lock has, so its `by` is 0.
        if claims.by != Term::OWNER {
            return Err(LockError::UnknownSigner.into());
        }
        //= spec/protocol.md#commands
        //# CMD-7. The command's signature MUST verify under the owner key.
        let owner = &self.pins.of(&self.crypto, &owned).owner;
        let command = command.check_pinned(&self.crypto, owner).map_err(LockError::CommandSignature)?;
        //= spec/protocol.md#commands
        //# CMD-5. The command MUST be of the lock's epoch.
        if command.epoch != owned.epoch {
            return Err(Denied::Known(LockError::WrongEpoch));
        }
        //= spec/protocol.md#commands
        //# CMD-9. A refusal after the signature held MUST be a signed Refused with the reason.
        self.obey(&command, &owned, now, plan).map_err(Denied::Known)
    }

    #[inline(never)]
    fn obey(
        &mut self,
        command: &Verified<'_, &Command>,
        owned: &Ownership,
        now: Now,
        plan: &mut Plan,
    ) -> Result<(), LockError> {
        let (epoch, completed) = self.carry_out(&command.operation, owned, now, plan)?;
        plan.operation = command.operation;
        let time = self.told_time(&completed, now)?;
        let (command, lock, battery) = (command.digest(&self.crypto), self.id(), now.battery);
        let done = Done { command, lock, epoch, time, battery, completed };
        //= spec/protocol.md#operations
        //# OPR-7. The Done of a Transfer MUST carry the new epoch and both new keys, under the lock key.
        Ok(wire::seal_into(&self.crypto, &self.keys.signer, &done, &mut plan.answer)?)
    }

    /// The time that stands in the Done.
    fn told_time(&self, completed: &Completed, now: Now) -> Result<LockTime, LockError> {
        //= spec/protocol.md#commands
        //# CMD-13. A Done MUST carry the lock's time, or 0 where the lock cannot tell it; that of a SetClock the time that it sets, and that of a Transfer 0.
        Ok(match (completed, self.clock(now)?) {
            (Completed::SetClock { to }, _) => LockTime::at(*to),
            (Completed::Transfer { .. }, _) | (_, Clock::Absent | Clock::Unset) => LockTime::UNKNOWN,
            (_, Clock::At(time)) => LockTime::at(time),
        })
    }

    //= spec/protocol.md#operations
    //# OPR-16. Within an operation the lock MUST make the checks in the order of this table; the first that fails decides the error.
    /// Gives the epoch and what is left, for the Done.
    fn carry_out(
        &mut self,
        operation: &Operation,
        owned: &Ownership,
        now: Now,
        plan: &mut Plan,
    ) -> Result<(Epoch, Completed), LockError> {
        let completed = match *operation {
            Operation::Activate { slot, generation } => {
                //= spec/protocol.md#operations
                //# OPR-2. Activate MUST make its generation the floor and leave the slot Empty.
                let left = self.renumber(slot, generation, Content::Empty, owned, plan)?;
                Completed::Activate { slot, generation, left }
            }
            Operation::Deactivate { slot, generation } => {
                //= spec/protocol.md#operations
                //# OPR-3. Deactivate MUST make its generation the floor and leave the slot Inactive.
                let left = self.renumber(slot, generation, Content::Inactive, owned, plan)?;
                Completed::Deactivate { slot, generation, left }
            }
            Operation::Transfer { owner, service } => {
                let epoch = self.transfer(owner, service, plan)?;
                //= spec/protocol.md#operations
                //# OPR-7. The Done of a Transfer MUST carry the new epoch and both new keys, under the lock key.
                return Ok((epoch, Completed::Transfer { owner, service, slots: self.slot_count()? }));
            }
            //= spec/protocol.md#clock
            //# CLK-1. A lock MUST take no time from a guest or from the service.
            Operation::SetClock { to } => {
                self.set_clock(to, owned.epoch, now, plan)?;
                plan.then = Then::Clock(to);
                Completed::SetClock { to }
            }
            //= spec/protocol.md#operations
            //# OPR-10. Act MUST NOT depend on any slot.
            Operation::Act { action } => {
                //= spec/protocol.md#persist-then-act
                //# STG-10. An Act MUST hold the header's cell until its result is taken.
                plan.change = Change::Holds(Cell::Header);
                (plan.then, plan.action) = (Then::OwnersBolt, action);
                Completed::Act { action }
            }
            Operation::Inspect { slot } => {
                //= spec/protocol.md#operations
                //# OPR-11. Inspect MUST report the slot's floor and what it holds in this epoch.
                let left = memory::view(&self.core, &self.slots, slot)?.report();
                plan.change = Change::Holds(Cell::Slot(slot));
                Completed::Inspect { slot, slots: self.slot_count()?, left }
            }
        };
        Ok((owned.epoch, completed))
    }

    /// Takes a number above the slot's floor, which becomes the floor; wipes what is installed.
    fn renumber(
        &self,
        slot: SlotId,
        generation: Generation,
        content: Content,
        owned: &Ownership,
        plan: &mut Plan,
    ) -> Result<SlotReport, LockError> {
        let floor = memory::view(&self.core, &self.slots, slot)?.floor();
        //= spec/protocol.md#operations
        //# OPR-14. Activate and Deactivate at a floor of 2^32 − 1 MUST be refused with Exhausted.
        if floor == Generation::MAX {
            return Err(LockError::Exhausted);
        }
        //= spec/protocol.md#operations
        //# OPR-1. Activate and Deactivate MUST be refused unless their generation is above the slot's floor.
        //= spec/protocol.md#operations
        //# OPR-13. An epoch, a counter and, within an epoch, a floor MUST NOT go down.
        if generation <= floor {
            return Err(LockError::StaleNumber);
        }
        //= spec/protocol.md#operations
        //# OPR-4. Activate and Deactivate MUST wipe the key that was installed.
        let next = SlotRecord { epoch: owned.epoch, floor: generation, content };
        let left = next.report();
        plan.change = Change::Writes(Write::Slot(slot, next));
        Ok(left)
    }

    /// Ends the epoch in one write: every slot of the old one reads as inactive from there on.
    fn transfer(&mut self, owner: PublicKey, service: PublicKey, plan: &mut Plan) -> Result<Epoch, LockError> {
        //= spec/protocol.md#strict-keys
        //# KEY-7. A lock MUST make the checks KEY-1 and KEY-2 on every public key that it is to store, before anything is staged.
        owner.check().map_err(LockError::OwnerKey)?;
        service.check().map_err(LockError::ServiceKey)?;
        //= spec/protocol.md#persist-then-act
        //# STG-6. A Provision that writes, and a Transfer, MUST be refused while any cell is held or busy.
        self.memory().check_all_idle()?;
        //= spec/protocol.md#operations
        //# OPR-6. Transfer MUST be refused when the epoch has no further number.
        //= spec/protocol.md#operations
        //# OPR-13. An epoch, a counter and, within an epoch, a floor MUST NOT go down.
        //= spec/protocol.md#operations
        //# OPR-15. The epoch that a Transfer begins MUST be the next after the highest that any record of the lock shows.
        let epoch = self.core.highest_epoch().next().ok_or(LockError::Exhausted)?;
        //= spec/protocol.md#operations
        //# OPR-5. Transfer MUST begin a new epoch, and replace the owner's and the service's key, in one write.
        let next = HeaderRecord { title: Title::Owned { epoch, owner, service }, ..*self.core.sound()?.0 };
        plan.change = Change::Writes(Write::Header(next));
        Ok(epoch)
    }

    /// Records the time from which on the clock is believed, forward or back.
    fn set_clock(&self, to: Timestamp, set_in: Epoch, now: Now, plan: &mut Plan) -> Result<(), LockError> {
        //= spec/protocol.md#operations
        //# OPR-9. SetClock MUST be refused by a lock whose clock is Absent.
        if now.clock == Clock::Absent {
            return Err(LockError::NoClock);
        }
        let (_, counter) = self.core.sound()?;
        //= spec/protocol.md#operations
        //# OPR-8. SetClock MUST store the time that it sets as the latest time known, also where that is earlier.
        //= spec/protocol.md#clock
        //# CLK-4. Until a SetClock of the present epoch was stored, a lock MUST take its clock for Unset, unless it is Absent.
        let next = CounterRecord { latest: to, set_in, ..*counter };
        plan.change = Change::Writes(Write::Counter(next));
        Ok(())
    }
}
