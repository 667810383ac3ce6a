//! The owner's commands at the lock (spec: "Commands").

use super::record::{self, Cell, Content, CounterRecord, HeaderRecord, Record, SlotRecord};
use super::refusal::{Denied, Refusal};
use super::staged::Staged;
use super::state::{self, Change, Ownership};
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

/// What an accepted command leaves.
struct Decision {
    held: Cell,
    record: Option<Record>,
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
    ) -> Result<Staged<'_, Commanded>, Refusal> {
        let nonce = self.spend(session, now);
        let (decision, output) =
            self.decide_command(nonce, command, now).map_err(|denied| self.refuse(command, denied))?;
        Ok(Staged::new(self.state(), decision.held, decision.record, decision.change, output))
    }

    fn decide_command(
        &mut self,
        nonce: Result<Nonce, LockError>,
        bytes: &[u8],
        now: Now,
    ) -> Result<(Decision, Commanded), Denied> {
        let command = Unverified::<Command>::parse(bytes).map_err(LockError::Wire)?;
        let nonce = nonce?;
        let owned = self.core.ownership()?;
        let claims = command.claims();
        if claims.lock != self.id() {
            return Err(LockError::WrongLock.into());
        }
        if claims.epoch != owned.epoch {
            return Err(LockError::WrongEpoch.into());
        }
        if claims.lock_nonce != nonce {
            return Err(LockError::WrongNonce.into());
        }
        let command = command.verify(&self.crypto, &owned.owner).map_err(LockError::CommandSignature)?;
        let decision = self.carry_out(command.operation, &owned, now).map_err(Denied::Known)?;
        let done = self.done(&command, &decision).map_err(|error| Denied::Known(error.into()))?;
        Ok((decision, Commanded { operation: command.operation, done }))
    }

    fn done(&self, command: &Verified<'_, Command>, decision: &Decision) -> Result<Encoded<Done>, SealError> {
        let done = Done {
            command: command.digest(&self.crypto),
            lock: self.id(),
            epoch: decision.epoch,
            completed: decision.completed,
        };
        wire::seal(&self.crypto, &self.keys.signer, &done)
    }

    fn carry_out(&mut self, operation: Operation, owned: &Ownership, now: Now) -> Result<Decision, LockError> {
        match operation {
            Operation::Activate { slot, generation } => {
                let (record, change, left) = self.renumber(slot, generation, Content::Empty, owned)?;
                let completed = Completed::Activate { slot, generation, left };
                Ok(Decision { held: Cell::Slot(slot), record, change, epoch: owned.epoch, completed })
            }
            Operation::Deactivate { slot, generation } => {
                let (record, change, left) = self.renumber(slot, generation, Content::Inactive, owned)?;
                let completed = Completed::Deactivate { slot, generation, left };
                Ok(Decision { held: Cell::Slot(slot), record, change, epoch: owned.epoch, completed })
            }
            Operation::Transfer { owner, service } => self.transfer(owner, service, owned),
            Operation::SetClock { to } => self.set_clock(to, owned, now),
            Operation::Act { action } => {
                let completed = Completed::Act { action };
                let epoch = owned.epoch;
                Ok(Decision { held: Cell::Header, record: None, change: Change::Nothing, epoch, completed })
            }
            Operation::Inspect { slot } => {
                let left = state::view(&self.slots, slot, owned.epoch)?.report();
                let completed = Completed::Inspect { slot, left };
                let epoch = owned.epoch;
                Ok(Decision { held: Cell::Slot(slot), record: None, change: Change::Nothing, epoch, completed })
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
    ) -> Result<(Option<Record>, Change, SlotReport), LockError> {
        let floor = state::view(&self.slots, slot, owned.epoch)?.floor();
        if floor == Generation::MAX {
            return Err(LockError::Exhausted);
        }
        if generation <= floor {
            return Err(LockError::StaleNumber);
        }
        let next = SlotRecord { epoch: owned.epoch, floor: generation, content };
        let left = next.report();
        let record = record::encode(&self.crypto, &self.keys, Cell::Slot(slot), &next)?;
        Ok((Some(record), Change::Slot(slot, next), left))
    }

    /// Ends the epoch in one write: every slot of the old one reads as inactive from there on.
    fn transfer(&mut self, owner: PublicKey, service: PublicKey, owned: &Ownership) -> Result<Decision, LockError> {
        owner.check().map_err(LockError::OwnerKey)?;
        service.check().map_err(LockError::ServiceKey)?;
        self.state().check_all_idle()?;
        let epoch = owned.epoch.next().ok_or(LockError::Exhausted)?;
        let next = HeaderRecord::Owned { epoch, owner, service };
        let record = record::encode(&self.crypto, &self.keys, Cell::Header, &next)?;
        let completed = Completed::Transfer { owner, service };
        Ok(Decision { held: Cell::Header, record: Some(record), change: Change::Header(next), epoch, completed })
    }

    /// Records the time from which on the clock is believed, forward or back.
    fn set_clock(&self, to: Timestamp, owned: &Ownership, now: Now) -> Result<Decision, LockError> {
        if now.clock == Clock::Absent {
            return Err(LockError::NoClock);
        }
        let (_, counter) = self.core.sound()?;
        let next = CounterRecord { latest: to, ..*counter };
        let record = record::encode(&self.crypto, &self.keys, Cell::Counter, &next)?;
        Ok(Decision {
            held: Cell::Counter,
            record: Some(record),
            change: Change::Counter(next),
            epoch: owned.epoch,
            completed: Completed::SetClock { to },
        })
    }
}
