use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use super::view::OwnedLock;
use super::{Learned, Owner, ViewChange};
use crate::counter::{Epoch, Term};
use crate::crypto::{Crypto, Digest, Nonce, PublicKey};
use crate::error::{LimitsError, OwnerError};
use crate::id::{LockId, SlotId};
use crate::limits::{Action, Timestamp};
use crate::message::{Challenge, Command, Done, Operation};
use crate::wire::{self, Encoded, Kind, Unverified, Verified};

/// A command that waits for the lock's answer. May be stored until it comes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PendingCommand {
    pub(super) lock: LockId,
    pub(super) epoch: Epoch,
    pub(super) command: Digest,
    pub(super) operation: Operation,
}

/// What an owner orders at the lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Order {
    /// Open a slot for sharing; wipes what is installed there. Takes the slot's next number.
    Activate {
        /// The slot.
        slot: SlotId,
    },
    /// Close a slot; wipes what is installed there, so that whatever key it held is dead. Takes the slot's next number.
    Deactivate {
        /// The slot.
        slot: SlotId,
    },
    /// Hand the lock to an owner and a service (to oneself, perhaps). Ends the epoch, and with it every key.
    Transfer {
        /// The new owner's key.
        owner: PublicKey,
        /// The key of the service that the new owner uses.
        service: PublicKey,
    },
    /// Set the lock's clock: nobody else can.
    SetClock {
        /// The time now.
        to: Timestamp,
    },
    /// Move the bolt.
    Act {
        /// Which way.
        action: Action,
    },
    /// Ask what a slot holds: the way to learn of a receipt that was withheld, of the floor that
    /// the next number must be above, and of what became of an order whose `Done` was lost. It does not
    /// open or close the slot in the view: where the lock says otherwise than the view, order Activate
    /// (which wipes an installed key) or Deactivate again.
    Inspect {
        /// The slot.
        slot: SlotId,
    },
}

/// The order that has a lock carry this out. Where it took a number, the order takes a new one.
impl From<Operation> for Order {
    fn from(operation: Operation) -> Self {
        match operation {
            Operation::Activate { slot, .. } => Self::Activate { slot },
            Operation::Deactivate { slot, .. } => Self::Deactivate { slot },
            Operation::Transfer { owner, service } => Self::Transfer { owner, service },
            Operation::SetClock { to } => Self::SetClock { to },
            Operation::Act { action } => Self::Act { action },
            Operation::Inspect { slot } => Self::Inspect { slot },
        }
    }
}

impl<C: Crypto> Owner<C> {
    /// Orders the lock that gave `challenge` to do something: gives the command for the lock, and what waits for its
    /// answer, once the view is stored. `rng` gives the owner's nonce.
    ///
    /// # Errors
    /// [`OwnerError::Busy`] while an earlier change of the view waits for its store; [`OwnerError::NotOwner`] and
    /// [`OwnerError::Transferred`] where it is not this owner's lock; [`OwnerError::NoSuchSlot`] for a slot to open or to close that the lock is not known to have (a lock with new firmware
    /// names its number in each Done of an Inspect); [`OwnerError::Slot`] when the slot's number line
    /// is at its end; [`OwnerError::OwnerKey`] and [`OwnerError::ServiceKey`] for a transfer to what is no good key;
    /// [`OwnerError::Limits`] for a time that nobody means ([`Timestamp::is_plausible`]);
    /// [`OwnerError::Wire`] for a malformed challenge, and [`OwnerError::WrongLock`] for another lock's;
    /// [`OwnerError::Seal`].
    pub fn order<'v>(
        &self,
        view: &'v mut OwnedLock,
        order: Order,
        challenge: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> ViewChange<'v, (Encoded<Command>, PendingCommand)> {
        self.check_owns(view)?;
        if let Order::Activate { slot } | Order::Deactivate { slot } = order {
            view.check_slot(slot)?;
        }
        let mut next = view.clone();
        //= spec/protocol.md#number-line
        //# SLO-6. An owner MUST give each grant, Activate and Deactivate a number above the highest seen.
        let mut number = |slot| next.slot_mut(slot).slot.take_number();
        let operation = match order {
            Order::Activate { slot } => Operation::Activate { slot, generation: number(slot)? },
            Order::Deactivate { slot } => Operation::Deactivate { slot, generation: number(slot)? },
            Order::Transfer { owner, service } => {
                owner.check().map_err(OwnerError::OwnerKey)?;
                service.check().map_err(OwnerError::ServiceKey)?;
                Operation::Transfer { owner, service }
            }
            Order::SetClock { to } => {
                //= spec/protocol.md#limits-that-cannot-be-meant
                //# LIM-19. An owner MUST NOT order a clock to be set to a time at or after 253402300800.
                if !to.is_plausible() {
                    return Err(OwnerError::Limits(LimitsError::FarAway));
                }
                Operation::SetClock { to }
            }
            Order::Act { action } => Operation::Act { action },
            Order::Inspect { slot } => Operation::Inspect { slot },
        };
        let ordered = self.sign_order((view.lock, view.epoch), operation, challenge, rng)?;
        //= spec/protocol.md#owner
        //# OWN-8. The owner MUST store the number that a grant or a command takes before the message exists for anybody else.
        Ok(view.staged(next, ordered))
    }

    pub(super) fn sign_order(
        &self,
        (lock, epoch): (LockId, Epoch),
        operation: Operation,
        challenge: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(Encoded<Command>, PendingCommand), OwnerError> {
        let given = *Unverified::<Challenge>::parse(challenge)?.claims();
        if given.lock != lock {
            return Err(OwnerError::WrongLock);
        }
        //= spec/protocol.md#owner
        //# OWN-4. The owner MUST draw the owner nonce of each Provision and each Command fresh and unpredictable.
        let (by, lock_nonce, owner_nonce) = (Term::OWNER, given.nonce, Nonce::random(rng));
        let body = Command { lock, epoch, by, lock_nonce, owner_nonce, operation };
        let message = wire::seal(&self.crypto, &self.signer, &body)?;
        let pending = PendingCommand { lock, epoch, command: message.digest(&self.crypto), operation };
        Ok((message, pending))
    }
}

impl PendingCommand {
    /// What was ordered.
    #[must_use]
    pub const fn operation(&self) -> &Operation {
        &self.operation
    }

    /// Takes the lock's answer into the view; gives what the lock did: [`Fact::Done`](super::Fact::Done), or
    /// [`Fact::Transferred`](super::Fact::Transferred). A wrong answer leaves the command pending.
    ///
    /// # Errors
    /// [`OwnerError::Busy`], [`OwnerError::NotOwner`], [`OwnerError::Transferred`], [`OwnerError::Wire`],
    /// [`OwnerError::DoneSignature`], [`OwnerError::WrongLock`], [`OwnerError::WrongEpoch`],
    /// [`OwnerError::OtherCommand`], [`OwnerError::OtherOperation`], [`OwnerError::Exhausted`]; for a
    /// refusal [`OwnerError::RefusedOpaque`] (a [hint](OwnedLock::suspect)), [`OwnerError::RefusalSignature`],
    /// [`OwnerError::RefusedOther`], [`OwnerError::Refused`].
    pub fn finish<'v, C: Crypto>(
        &self,
        owner: &Owner<C>,
        view: &'v mut OwnedLock,
        answer: &[u8],
    ) -> ViewChange<'v, Learned> {
        owner.check_owns(view)?;
        if view.lock != self.lock {
            return Err(OwnerError::WrongLock);
        }
        if view.epoch != self.epoch {
            return Err(OwnerError::WrongEpoch);
        }
        let done = self.answered(owner, answer)?;
        let mut next = view.clone();
        let learned = owner.apply_done(&mut next, &done)?;
        if let Some(slot) = self.operation.slot() {
            let known = next.slot_mut(slot);
            known.inspected = Some(done.digest(&owner.crypto));
            // Also where it is no news here: the service may have lost what it was told before.
            known.keep(answer);
        }
        next.obeyed();
        Ok(view.staged(next, learned))
    }

    /// The lock's Done, where the answer is one, and this command's.
    pub(super) fn answered<'a, C: Crypto>(
        &self,
        owner: &Owner<C>,
        answer: &'a [u8],
    ) -> Result<Verified<'a, Done>, OwnerError> {
        if Kind::of(answer)? == Kind::Refused {
            return Err(owner.refusal(answer, &self.lock, &self.command));
        }
        let done = Unverified::<Done>::parse(answer)?;
        //= spec/protocol.md#owner
        //# OWN-6. The owner MUST check a Done, a Receipt and a signed Refused under the lock id.
        let done = done.verify(&owner.crypto, self.lock.key()).map_err(OwnerError::DoneSignature)?;
        self.check_answers(&done)?;
        Ok(done)
    }

    /// Whether a Done that the lock signed is this command's.
    fn check_answers(&self, done: &Done) -> Result<(), OwnerError> {
        if done.lock != self.lock {
            return Err(OwnerError::WrongLock);
        }
        //= spec/protocol.md#owner
        //# OWN-5. The owner MUST NOT take a Done for the answer to a command whose digest it does not name.
        if done.command != self.command {
            return Err(OwnerError::OtherCommand);
        }
        let possible = match self.operation {
            // Not always the next one (OPR-15).
            Operation::Transfer { .. } => done.epoch >= self.epoch.next().ok_or(OwnerError::Exhausted)?,
            _ => done.epoch == self.epoch,
        };
        //= spec/protocol.md#owner
        //# OWN-30. The owner MUST refuse a Done for the answer to its command where it names another operation, or another epoch than that operation can leave.
        if !possible {
            return Err(OwnerError::WrongEpoch);
        }
        //= spec/protocol.md#owner
        //# OWN-30. The owner MUST refuse a Done for the answer to its command where it names another operation, or another epoch than that operation can leave.
        if done.completed.operation() == self.operation { Ok(()) } else { Err(OwnerError::OtherOperation) }
    }
}
