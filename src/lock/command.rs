//! The owner's commands at the lock (spec: "Commands").

use super::accepted::Accepted;
use super::memory::{self, Change, Ownership};
use super::record::{Cell, Content, CounterRecord, HeaderRecord, SlotRecord, Write};
use super::refusal::{Denied, Refusal};
use super::{Clock, Lock, Now, Session, purpose};
use crate::counter::{Epoch, Generation};
use crate::crypto::{Crypto, Nonce, PublicKey};
use crate::error::{LockError, SealError};
use crate::id::SlotId;
use crate::limits::Timestamp;
use crate::message::{Command, Completed, Done, Operation, SlotReport};
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

/// What an accepted command does.
struct Decision {
    change: Change,
    epoch: Epoch,
    completed: Completed,
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
        let nonce = self.spend(session, now);
        //= spec/protocol.md#errors-and-refusals
        //# ERR-2. A refusal MUST change nothing but the session that it used.
        let decided = self.decide_command(nonce, command, now);
        //= spec/protocol.md#commands
        //# CMD-10. The Done MUST NOT be given to the caller before the record of the operation, if it has one, is stored.
        self.settle(command, decided)
    }

    fn decide_command(
        &mut self,
        nonce: Result<Nonce, LockError>,
        bytes: &[u8],
        now: Now,
    ) -> Result<(Change, Commanded), Denied> {
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
        //# CMD-5. The command MUST be of the lock's epoch.
        if claims.epoch != owned.epoch {
            return Err(LockError::WrongEpoch.into());
        }
        //= spec/protocol.md#commands
        //# CMD-6. The command MUST carry the session's nonce.
        if claims.lock_nonce != nonce {
            return Err(LockError::WrongNonce.into());
        }
        //= spec/protocol.md#commands
        //# CMD-7. The command's signature MUST verify under the owner key.
        let owner = &self.pins.of(&self.crypto, &owned).owner;
        let command = command.verify_pinned(&self.crypto, owner).map_err(LockError::CommandSignature)?;
        //= spec/protocol.md#commands
        //# CMD-9. A refusal after the signature held MUST be a signed Refused with the reason.
        let decision = self.carry_out(command.operation, &owned, now).map_err(Denied::Known)?;
        let done = self.done(&command, &decision).map_err(|error| Denied::Known(error.into()))?;
        Ok((decision.change, Commanded { operation: command.operation, done }))
    }

    fn done(&self, command: &Verified<'_, Command>, decision: &Decision) -> Result<Encoded<Done>, SealError> {
        let done = Done {
            command: command.digest(&self.crypto),
            lock: self.id(),
            epoch: decision.epoch,
            completed: decision.completed,
        };
        //= spec/protocol.md#operations
        //# OPR-7. The Done of a Transfer MUST carry the new epoch and both new keys, under the lock key.
        wire::seal(&self.crypto, &self.keys.signer, &done)
    }

    fn carry_out(&mut self, operation: Operation, owned: &Ownership, now: Now) -> Result<Decision, LockError> {
        match operation {
            Operation::Activate { slot, generation } => {
                //= spec/protocol.md#operations
                //# OPR-2. Activate MUST make its generation the floor and leave the slot Empty.
                let (change, left) = self.renumber(slot, generation, Content::Empty, owned)?;
                let completed = Completed::Activate { slot, generation, left };
                Ok(Decision { change, epoch: owned.epoch, completed })
            }
            Operation::Deactivate { slot, generation } => {
                //= spec/protocol.md#operations
                //# OPR-3. Deactivate MUST make its generation the floor and leave the slot Inactive.
                let (change, left) = self.renumber(slot, generation, Content::Inactive, owned)?;
                let completed = Completed::Deactivate { slot, generation, left };
                Ok(Decision { change, epoch: owned.epoch, completed })
            }
            Operation::Transfer { owner, service } => self.transfer(owner, service, owned),
            //= spec/protocol.md#clock
            //# CLK-1. A lock MUST take no time from a guest or from the service.
            Operation::SetClock { to } => self.set_clock(to, owned, now),
            //= spec/protocol.md#operations
            //# OPR-10. Act MUST NOT depend on any slot.
            Operation::Act { action } => {
                //= spec/protocol.md#persist-then-act
                //# STG-10. An Act MUST hold the header's cell until its result is taken.
                let change = Change::Holds(Cell::Header);
                Ok(Decision { change, epoch: owned.epoch, completed: Completed::Act { action } })
            }
            Operation::Inspect { slot } => {
                //= spec/protocol.md#operations
                //# OPR-11. Inspect MUST report the slot's floor and what it holds in this epoch.
                let left = memory::view(&self.slots, slot, owned.epoch)?.report();
                let change = Change::Holds(Cell::Slot(slot));
                Ok(Decision { change, epoch: owned.epoch, completed: Completed::Inspect { slot, left } })
            }
        }
    }

    /// Takes a number above the slot's floor, which becomes the floor; wipes what is installed.
    fn renumber(
        &self,
        slot: SlotId,
        generation: Generation,
        content: Content,
        owned: &Ownership,
    ) -> Result<(Change, SlotReport), LockError> {
        let floor = memory::view(&self.slots, slot, owned.epoch)?.floor();
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
        Ok((Change::Writes(Write::Slot(slot, next)), left))
    }

    /// Ends the epoch in one write: every slot of the old one reads as inactive from there on.
    fn transfer(&mut self, owner: PublicKey, service: PublicKey, owned: &Ownership) -> Result<Decision, LockError> {
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
        let epoch = owned.epoch.next().ok_or(LockError::Exhausted)?;
        //= spec/protocol.md#operations
        //# OPR-5. Transfer MUST raise the epoch by one, and replace the owner's and the service's key, in one write.
        let next = HeaderRecord::Owned { epoch, owner, service };
        let change = Change::Writes(Write::Header(next));
        //= spec/protocol.md#operations
        //# OPR-7. The Done of a Transfer MUST carry the new epoch and both new keys, under the lock key.
        let completed = Completed::Transfer { owner, service };
        Ok(Decision { change, epoch, completed })
    }

    /// Records the time from which on the clock is believed, forward or back.
    fn set_clock(&self, to: Timestamp, owned: &Ownership, now: Now) -> Result<Decision, LockError> {
        //= spec/protocol.md#operations
        //# OPR-9. SetClock MUST be refused by a lock whose clock is Absent.
        if now.clock == Clock::Absent {
            return Err(LockError::NoClock);
        }
        let (_, counter) = self.core.sound()?;
        //= spec/protocol.md#operations
        //# OPR-8. SetClock MUST store the time that it sets as the latest time known, also where that is earlier.
        let next = CounterRecord { latest: to, ..*counter };
        let change = Change::Writes(Write::Counter(next));
        Ok(Decision { change, epoch: owned.epoch, completed: Completed::SetClock { to } })
    }
}
