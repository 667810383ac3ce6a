use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use super::view::OwnedLock;
use super::{Learned, Owner};
use crate::counter::Epoch;
use crate::crypto::{Crypto, Digest, Nonce, PublicKey};
use crate::error::OwnerError;
use crate::id::{LockId, SlotId};
use crate::limits::{Action, Timestamp};
use crate::message::{Challenge, Command, Completed, Done, Operation};
use crate::staged::Staged;
use crate::wire::{self, Encoded, Kind, Unverified, Verified};

/// A command that waits for the lock's answer. May be stored until it comes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PendingCommand {
    pub(super) lock: LockId,
    pub(super) epoch: Epoch,
    pub(super) command: Digest,
    pub(super) operation: Operation,
}

/// A command, and what waits for its answer; there once the view is stored.
type Ordered<'v> = Staged<'v, OwnedLock, (Encoded<Command>, PendingCommand)>;

/// Every order fails so: not this owner's lock ([`OwnerError::NotOwner`],
/// [`OwnerError::Transferred`]), a challenge that is malformed or another lock's
/// ([`OwnerError::Wire`], [`OwnerError::WrongLock`]), or [`OwnerError::Seal`].
impl<C: Crypto> Owner<C> {
    /// Orders the lock to open a slot for sharing. Takes the slot's next number.
    ///
    /// # Errors
    /// As above; [`OwnerError::Slot`] when the number line is at its end.
    pub fn activate<'v>(
        &self,
        view: &'v mut OwnedLock,
        slot: SlotId,
        challenge: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Ordered<'v>, OwnerError> {
        let number = |next: &mut OwnedLock| {
            //= spec/protocol.md#number-line
            //# SLO-6. An owner MUST give each grant, Activate and Deactivate a number above the highest seen.
            let generation = next.slot_mut(slot).slot.take_number()?;
            Ok(Operation::Activate { slot, generation })
        };
        self.order(view, number, challenge, rng)
    }

    /// Orders the lock to close a slot; wipes what is installed there. Takes the slot's next number.
    ///
    /// # Errors
    /// As above; [`OwnerError::Slot`] when the number line is at its end.
    pub fn deactivate<'v>(
        &self,
        view: &'v mut OwnedLock,
        slot: SlotId,
        challenge: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Ordered<'v>, OwnerError> {
        let number = |next: &mut OwnedLock| {
            //= spec/protocol.md#number-line
            //# SLO-6. An owner MUST give each grant, Activate and Deactivate a number above the highest seen.
            let generation = next.slot_mut(slot).slot.take_number()?;
            Ok(Operation::Deactivate { slot, generation })
        };
        self.order(view, number, challenge, rng)
    }

    /// Orders the lock to hand itself to an owner and a service (to oneself, perhaps). Ends the
    /// epoch, and with it every key.
    ///
    /// # Errors
    /// As above; [`OwnerError::OwnerKey`], [`OwnerError::ServiceKey`].
    pub fn transfer<'v>(
        &self,
        view: &'v mut OwnedLock,
        owner: PublicKey,
        service: PublicKey,
        challenge: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Ordered<'v>, OwnerError> {
        owner.check().map_err(OwnerError::OwnerKey)?;
        service.check().map_err(OwnerError::ServiceKey)?;
        self.order(view, |_| Ok(Operation::Transfer { owner, service }), challenge, rng)
    }

    /// Orders the lock to set its clock.
    ///
    /// # Errors
    /// As above.
    pub fn set_clock<'v>(
        &self,
        view: &'v mut OwnedLock,
        to: Timestamp,
        challenge: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Ordered<'v>, OwnerError> {
        self.order(view, |_| Ok(Operation::SetClock { to }), challenge, rng)
    }

    /// Orders the lock to move its bolt.
    ///
    /// # Errors
    /// As above.
    pub fn act<'v>(
        &self,
        view: &'v mut OwnedLock,
        action: Action,
        challenge: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Ordered<'v>, OwnerError> {
        self.order(view, |_| Ok(Operation::Act { action }), challenge, rng)
    }

    /// Asks the lock what a slot holds: the way to learn of a receipt that was withheld, of the floor that
    /// the next number must be above, and of what became of an order whose `Done` was lost. It does not
    /// open or close the slot in the view: where the lock says otherwise than the view, order Activate
    /// (which wipes an installed key) or Deactivate again.
    ///
    /// # Errors
    /// As above.
    pub fn inspect<'v>(
        &self,
        view: &'v mut OwnedLock,
        slot: SlotId,
        challenge: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Ordered<'v>, OwnerError> {
        self.order(view, |_| Ok(Operation::Inspect { slot }), challenge, rng)
    }

    /// Signs what `operation` says, which may take a number in the view that is to be stored.
    fn order<'v>(
        &self,
        view: &'v mut OwnedLock,
        operation: impl FnOnce(&mut OwnedLock) -> Result<Operation, OwnerError>,
        challenge: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Ordered<'v>, OwnerError> {
        let mut next = view.clone();
        let operation = operation(&mut next)?;
        self.check_owns(view)?;
        let ordered = self.sign_order((view.lock, view.epoch), operation, challenge, rng)?;
        //= spec/protocol.md#owner
        //# OWN-8. The owner MUST store the number that a grant or a command takes before the message exists for anybody else.
        Ok(Staged::new(view, next, ordered))
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
        let body = Command { lock, epoch, lock_nonce: given.nonce, owner_nonce: Nonce::random(rng), operation };
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

    /// Takes the lock's answer into the view; gives what the lock did, and what the view learned.
    /// A wrong answer leaves the command pending.
    ///
    /// # Errors
    /// [`OwnerError::NotOwner`], [`OwnerError::Transferred`], [`OwnerError::Wire`],
    /// [`OwnerError::DoneSignature`], [`OwnerError::WrongLock`], [`OwnerError::WrongEpoch`],
    /// [`OwnerError::OtherCommand`], [`OwnerError::OtherOperation`], [`OwnerError::Exhausted`]; for a
    /// refusal [`OwnerError::RefusedOpaque`], [`OwnerError::RefusalSignature`],
    /// [`OwnerError::RefusedOther`], [`OwnerError::Refused`].
    pub fn finish<'v, C: Crypto>(
        &self,
        owner: &Owner<C>,
        view: &'v mut OwnedLock,
        answer: &[u8],
    ) -> Result<Staged<'v, OwnedLock, (Completed, Learned)>, OwnerError> {
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
        if let Operation::Activate { slot, .. } | Operation::Deactivate { slot, .. } | Operation::Inspect { slot } =
            self.operation
        {
            next.slot_mut(slot).inspected = Some(done.digest(&owner.crypto));
        }
        Ok(Staged::new(view, next, (done.completed, learned)))
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
        let epoch = match self.operation {
            Operation::Transfer { .. } => self.epoch.next().ok_or(OwnerError::Exhausted)?,
            _ => self.epoch,
        };
        //= spec/protocol.md#owner
        //# OWN-30. The owner MUST refuse a Done for the answer to its command where it names another operation, or another epoch than that operation leaves.
        if done.epoch != epoch {
            return Err(OwnerError::WrongEpoch);
        }
        //= spec/protocol.md#owner
        //# OWN-30. The owner MUST refuse a Done for the answer to its command where it names another operation, or another epoch than that operation leaves.
        if operation_of(&done.completed) == self.operation { Ok(()) } else { Err(OwnerError::OtherOperation) }
    }
}

/// The operation that the lock says it carried out.
fn operation_of(completed: &Completed) -> Operation {
    match *completed {
        Completed::Activate { slot, generation, .. } => Operation::Activate { slot, generation },
        Completed::Deactivate { slot, generation, .. } => Operation::Deactivate { slot, generation },
        Completed::Transfer { owner, service } => Operation::Transfer { owner, service },
        Completed::SetClock { to } => Operation::SetClock { to },
        Completed::Act { action } => Operation::Act { action },
        Completed::Inspect { slot, .. } => Operation::Inspect { slot },
    }
}
