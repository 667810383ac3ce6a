use alloc::vec::Vec;

use super::Owner;
use super::view::{Equivocation, Issued, OwnedLock};
use crate::counter::{Epoch, Generation};
use crate::crypto::Crypto;
use crate::error::OwnerError;
use crate::id::{LockId, SlotId};
use crate::message::{Completed, Done, Grant, Holding, Receipt, SlotReport, Withdrawn, WithdrawnOutcome};
use crate::slot::{GrantRef, Proof, Turn};
use crate::staged::Staged;
use crate::wire::{Kind, Unverified, Verified};

/// What the view learned.
#[must_use = "it may convict the service"]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Learned {
    /// Nothing that it did not know.
    Nothing,
    /// Something new.
    News,
    /// Something that convicts the service.
    ServiceEquivocated(Equivocation),
}

impl<C: Crypto> Owner<C> {
    /// Takes a signed message into the view: a `Receipt`, `Done` or `Withdrawn`, or a `Grant` that
    /// another phone of this owner signed. An old one changes nothing. They may come in any order: a
    /// wrong one can at worst leave a key listed that cannot open (a grant that is learned after its
    /// denial, say, until the denial is learned again).
    ///
    /// # Errors
    /// [`OwnerError::NotOwner`], [`OwnerError::Transferred`], [`OwnerError::Wire`],
    /// [`OwnerError::NothingToLearn`] for a message of another kind,
    /// [`OwnerError::GrantSignature`], [`OwnerError::ReceiptSignature`],
    /// [`OwnerError::DoneSignature`], [`OwnerError::WithdrawnSignature`], [`OwnerError::WrongLock`],
    /// [`OwnerError::WrongEpoch`], [`OwnerError::OldEpoch`] for an old transfer, and
    /// [`OwnerError::Slot`] where too many keys are live.
    pub fn learn<'v>(
        &self,
        view: &'v mut OwnedLock,
        message: &[u8],
    ) -> Result<Staged<'v, OwnedLock, Learned>, OwnerError> {
        self.check_owns(view)?;
        let mut next = view.clone();
        let learned = self.apply(&mut next, message)?;
        Ok(Staged::new(view, next, learned))
    }

    /// Takes in a report of the slot's record: all signed messages that came with it
    /// ([`Service::messages`](crate::service::Service::messages)), and its
    /// version, as of which the view is true from then on. The state that the report names is the
    /// service's word alone, and changes nothing.
    ///
    /// # Errors
    /// [`OwnerError::OlderReport`], or as [`learn`](Self::learn) for any of the messages; then
    /// nothing of the report is taken in.
    pub fn see<'v>(
        &self,
        view: &'v mut OwnedLock,
        slot: SlotId,
        version: u64,
        messages: &[&[u8]],
    ) -> Result<Staged<'v, OwnedLock, Vec<Learned>>, OwnerError> {
        self.check_owns(view)?;
        let mut next = view.clone();
        //= spec/protocol.md#owner
        //# OWN-28. A report MUST NOT change anything where one of its messages is refused.
        let learned = messages.iter().map(|message| self.apply(&mut next, message)).collect::<Result<_, _>>()?;
        let known = next.slot_mut(slot);
        //= spec/protocol.md#owner
        //# OWN-27. The owner MUST refuse a report whose version is below that of a report of the same slot and epoch that it took in before.
        if known.seen.is_some_and(|seen| seen > version) {
            return Err(OwnerError::OlderReport);
        }
        //= spec/protocol.md#states
        //# SLO-5. A view MUST name the version of the record that it is a view of.
        known.seen = Some(version);
        Ok(Staged::new(view, next, learned))
    }

    fn apply(&self, next: &mut OwnedLock, message: &[u8]) -> Result<Learned, OwnerError> {
        match Kind::of(message)? {
            Kind::Grant => self.learn_grant(next, message),
            Kind::Receipt => self.learn_receipt(next, message),
            Kind::Done => self.learn_done(next, message),
            Kind::Withdrawn => self.learn_withdrawn(next, message),
            //= spec/protocol.md#owner
            //# OWN-10. The owner's view MUST NOT be changed by any message of the service other than a Withdrawn.
            _ => Err(OwnerError::NothingToLearn),
        }
    }

    fn learn_grant(&self, next: &mut OwnedLock, message: &[u8]) -> Result<Learned, OwnerError> {
        let grant = Unverified::<Grant>::parse(message)?;
        //= spec/protocol.md#owner
        //# OWN-26. A grant MUST NOT be learned unless its signature verifies under the owner key of the view's epoch.
        let grant = grant.verify(&self.crypto, &next.owner).map_err(OwnerError::GrantSignature)?;
        check_meant_for(next, &grant.lock, grant.epoch)?;
        let key = GrantRef { generation: grant.generation, grant: grant.digest(&self.crypto) };
        let before = next.clone();
        let known = next.slot_mut(grant.slot);
        //= spec/protocol.md#owner
        //# OWN-17. A view in which nothing is shared MUST show a grant that it learns as shared, unless the slot is Inactive, the grant was proved dead or its withdrawal was answered.
        if known.is_denied(key) && !known.may_open(key) {
            return Ok(Learned::Nothing);
        }
        known.slot.learn(key)?;
        if known.issued(key).is_none() {
            known.issued.push(Issued { key, method: None, contact: None, grant: *grant, bytes: Vec::from(message) });
        }
        known.prune();
        Ok(learned(&before, next, grant.slot, key))
    }

    fn learn_receipt(&self, next: &mut OwnedLock, message: &[u8]) -> Result<Learned, OwnerError> {
        let receipt = Unverified::<Receipt>::parse(message)?;
        //= spec/protocol.md#owner
        //# OWN-6. The owner MUST check a Done, a Receipt and a signed Refused under the lock id.
        let receipt = receipt.verify(&self.crypto, next.lock.key()).map_err(OwnerError::ReceiptSignature)?;
        check_meant_for(next, &receipt.lock, receipt.epoch)?;
        let key = GrantRef { generation: receipt.generation, grant: receipt.grant };
        let proof = receipt.digest(&self.crypto);
        let before = next.clone();
        let known = next.slot_mut(receipt.slot);
        known.note_release(key, message);
        known.slot.confirm(&Proof { key, device: receipt.device, install: Some(receipt.install), proof });
        known.prune();
        Ok(learned(&before, next, receipt.slot, key))
    }

    fn learn_done(&self, next: &mut OwnedLock, message: &[u8]) -> Result<Learned, OwnerError> {
        let done = Unverified::<Done>::parse(message)?;
        //= spec/protocol.md#owner
        //# OWN-6. The owner MUST check a Done, a Receipt and a signed Refused under the lock id.
        let done = done.verify(&self.crypto, next.lock.key()).map_err(OwnerError::DoneSignature)?;
        if done.lock != next.lock {
            return Err(OwnerError::WrongLock);
        }
        match done.completed {
            Completed::Transfer { .. } if done.epoch <= next.epoch => return Err(OwnerError::OldEpoch),
            Completed::Transfer { .. } => {}
            //= spec/protocol.md#done-and-receipt
            //# SLO-39. A receipt or a Done of another epoch than the record's MUST change nothing.
            _ if done.epoch != next.epoch => return Err(OwnerError::WrongEpoch),
            _ => {}
        }
        self.apply_done(next, &done)
    }

    /// Takes a Done into the view whose lock, epoch and signature were checked.
    pub(super) fn apply_done(&self, next: &mut OwnedLock, done: &Verified<'_, Done>) -> Result<Learned, OwnerError> {
        let before = next.clone();
        match done.completed {
            Completed::Transfer { owner, service } => next.transferred(done.epoch, &owner, &service),
            Completed::SetClock { .. } | Completed::Act { .. } => {}
            Completed::Activate { slot, generation, .. } => turned(next, slot, Turn::Activate, generation),
            Completed::Deactivate { slot, generation, .. } => turned(next, slot, Turn::Deactivate, generation),
            Completed::Inspect { slot, left } => return Ok(self.inspected(next, slot, &left, done)),
        }
        Ok(if *next == before { Learned::Nothing } else { Learned::News })
    }

    fn inspected(&self, next: &mut OwnedLock, slot: SlotId, left: &SlotReport, done: &Verified<'_, Done>) -> Learned {
        let before = next.clone();
        let known = next.slot_mut(slot);
        known.slot.inspected(left, done.digest(&self.crypto));
        let Holding::Installed { grant, .. } = left.holding else {
            known.prune();
            return if *next == before { Learned::Nothing } else { Learned::News };
        };
        let key = GrantRef { generation: left.floor, grant };
        //= spec/protocol.md#owner
        //# OWN-23. A Withdrawn of NeverReleased MUST be reported in the same way beside a Done of an Inspect that found the same grant installed, and beside a Withdrawn of Released of the same grant.
        known.note_release(key, done.as_bytes());
        known.prune();
        learned(&before, next, slot, key)
    }

    fn learn_withdrawn(&self, next: &mut OwnedLock, message: &[u8]) -> Result<Learned, OwnerError> {
        let withdrawn = Unverified::<Withdrawn>::parse(message)?;
        //= spec/protocol.md#owner
        //# OWN-7. The owner MUST check a Withdrawn under the service key of the epoch.
        let withdrawn = withdrawn.verify(&self.crypto, &next.service).map_err(OwnerError::WithdrawnSignature)?;
        let Withdrawn { withdraw, outcome } = *withdrawn;
        check_meant_for(next, &withdraw.lock, withdraw.epoch)?;
        let key = GrantRef { generation: withdraw.generation, grant: withdraw.grant };
        let before = next.clone();
        let known = next.slot_mut(withdraw.slot);
        let heard_of = known.knows(key);
        known.slot.withdrawn(key, &outcome)?;
        // What the service says of grants that nobody else told of is not hoarded.
        if heard_of || known.may_open(key) {
            match outcome {
                WithdrawnOutcome::NeverReleased => known.note_denial(key, message),
                //= spec/protocol.md#owner
                //# OWN-23. A Withdrawn of NeverReleased MUST be reported in the same way beside a Done of an Inspect that found the same grant installed, and beside a Withdrawn of Released of the same grant.
                WithdrawnOutcome::Released { .. } => known.note_release(key, message),
                WithdrawnOutcome::Settled => {}
            }
        }
        known.withdrawing.retain(|pending| *pending != key);
        known.prune();
        Ok(learned(&before, next, withdraw.slot, key))
    }
}

fn turned(next: &mut OwnedLock, slot: SlotId, turn: Turn, generation: Generation) {
    let known = next.slot_mut(slot);
    known.slot.done(turn, generation);
    known.prune();
}

fn learned(before: &OwnedLock, next: &OwnedLock, slot: SlotId, key: GrantRef) -> Learned {
    let equivocation = next.slots.get(&slot).and_then(|known| known.equivocation(slot, key));
    match equivocation {
        //= spec/protocol.md#owner
        //# OWN-11. A Withdrawn of NeverReleased and a Receipt for the same grant MUST be reported as equivocation of the service, with both messages as evidence.
        Some(equivocation) => Learned::ServiceEquivocated(equivocation),
        None if next == before => Learned::Nothing,
        None => Learned::News,
    }
}

/// Whether a signed message is of this view's lock and ownership.
fn check_meant_for(view: &OwnedLock, lock: &LockId, epoch: Epoch) -> Result<(), OwnerError> {
    if *lock != view.lock {
        return Err(OwnerError::WrongLock);
    }
    //= spec/protocol.md#done-and-receipt
    //# SLO-39. A receipt or a Done of another epoch than the record's MUST change nothing.
    //= spec/protocol.md#owner
    //# OWN-12. A new owner MUST NOT rely on any statement about a slot that it did not get from the lock in its own epoch.
    if epoch == view.epoch { Ok(()) } else { Err(OwnerError::WrongEpoch) }
}
