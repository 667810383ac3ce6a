use super::outbox::Delivery;
use super::view::{Equivocation, Issued, OwnedLock, OwnedSlot};
use super::{Owner, ViewChange};
use crate::counter::{Epoch, Term};
use crate::crypto::{Crypto, PublicKey};
use crate::error::OwnerError;
use crate::id::{LockId, SlotCount, SlotId};
use crate::limits::Timestamp;
use crate::message::{Battery, Completed, Done, Grant, Receipt, Withdraw, Withdrawn, WithdrawnOutcome};
use crate::slot::{GrantRef, Proof, Told};
use crate::wire::{self, Kept, Kind, Unverified, Verified};

/// What came of a message that the view took in.
#[must_use = "it may convict the service"]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Learned {
    /// What the message says. Its signature held; it is of this lock, and of the view's ownership or a later one.
    pub fact: Fact,
    /// Whether the view did not know it all. An old fact is still true of its time, and changes nothing.
    pub news: bool,
    /// Where it convicts the service, the two messages that do; whether this one is news or not.
    pub equivocation: Option<Equivocation>,
}

/// What a message says that an owner learns from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fact {
    /// This owner shared a slot: a grant, which another phone signed.
    Shared {
        /// The grant's number and digest.
        key: GrantRef,
        /// What it says.
        grant: Grant,
    },
    /// A guest downloaded a key: the lock's receipt. (An inspection that finds a key installed proves as much.)
    Downloaded {
        /// The slot.
        slot: SlotId,
        /// The grant that the key is from.
        key: GrantRef,
        /// The device that holds it.
        device: PublicKey,
    },
    /// The service answered a withdrawal.
    Withdrawn {
        /// The slot.
        slot: SlotId,
        /// The grant that was withdrawn.
        key: GrantRef,
        /// Whether it had been released before. The service's word.
        outcome: WithdrawnOutcome,
    },
    /// The lock carried out an order that leaves its owner.
    Done {
        /// Which, and what it left.
        completed: Completed,
        /// The lock's time then; `None` where it could not tell.
        time: Option<Timestamp>,
        /// Its battery then: warn before it is empty.
        battery: Battery,
    },
    /// The lock has an owner anew: nothing from before is known or good any more.
    Transferred {
        /// The ownership that began.
        epoch: Epoch,
        /// Whose the lock is.
        owner: PublicKey,
        /// Which service it names.
        service: PublicKey,
        /// How many slots the lock has.
        slots: SlotCount,
    },
}

impl Fact {
    /// Which slot it is about; `None` for what is about the whole lock.
    #[must_use]
    pub fn slot(&self) -> Option<SlotId> {
        match *self {
            Self::Shared { grant: Grant { slot, .. }, .. }
            | Self::Downloaded { slot, .. }
            | Self::Withdrawn { slot, .. } => Some(slot),
            Self::Done { completed, .. } => completed.operation().slot(),
            Self::Transferred { .. } => None,
        }
    }

    /// The grant that was shared, where it says so.
    pub(super) const fn shared(&self) -> Option<GrantRef> {
        match *self {
            Self::Shared { key, .. } => Some(key),
            _ => None,
        }
    }
}

impl<C: Crypto> Owner<C> {
    /// Takes a signed message into the view, and gives what it says: a `Receipt`, `Done` or `Withdrawn`, or a `Grant`
    /// that another phone of this owner signed. An old one changes nothing. They may come in any order: a
    /// wrong one can at worst leave a key listed that cannot open (a grant that is learned after its
    /// denial, say, until the denial is learned again).
    ///
    /// # Errors
    /// [`OwnerError::Busy`], [`OwnerError::NotOwner`], [`OwnerError::Transferred`], [`OwnerError::Wire`],
    /// [`OwnerError::NothingToLearn`] for a message of another kind,
    /// [`OwnerError::UnknownSigner`], [`OwnerError::GrantSignature`], [`OwnerError::ReceiptSignature`],
    /// [`OwnerError::DoneSignature`], [`OwnerError::WithdrawnSignature`], [`OwnerError::WrongLock`],
    /// [`OwnerError::WithdrawSignature`], [`OwnerError::WrongEpoch`] (a [hint](OwnedLock::suspect)),
    /// [`OwnerError::OldEpoch`] for an old transfer, [`OwnerError::WrongService`] for a transfer to another service
    /// ([`moved`](Self::moved)), and [`OwnerError::Slot`] where too many keys are live.
    pub fn learn<'v>(&self, view: &'v mut OwnedLock, message: &[u8]) -> ViewChange<'v, Learned> {
        self.check_owns(view)?;
        let mut next = view.clone();
        let learned = self.apply(&mut next, message)?;
        Ok(view.staged(next, learned))
    }

    /// Takes in the `Done` of a transfer by which the lock went over to another service, where the owner knows from
    /// elsewhere that it did, and to which. (Else whoever owned the lock in between could put a service of his own
    /// under the view.)
    ///
    /// # Errors
    /// As [`learn`](Self::learn); [`OwnerError::NotATransfer`] for another message, and [`OwnerError::WrongService`] for
    /// a transfer to another service than this.
    pub fn moved<'v>(&self, view: &'v mut OwnedLock, transfer: &[u8], service: &PublicKey) -> ViewChange<'v, Learned> {
        self.check_owns(view)?;
        let mut next = view.clone();
        let done = self.verified_done(&next, transfer)?;
        if !matches!(done.completed, Completed::Transfer { .. }) {
            return Err(OwnerError::NotATransfer);
        }
        check_service(&done, service)?;
        let learned = self.apply_done(&mut next, &done)?;
        Ok(view.staged(next, learned))
    }

    pub(super) fn apply(&self, next: &mut OwnedLock, message: &[u8]) -> Result<Learned, OwnerError> {
        //= spec/protocol.md#encoding
        //# MSG-21. Where messages of several kinds may come, a reader MUST check the header, and then that the kind may come, before it reads anything behind the header.
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
        let parsed = Unverified::<Grant>::parse(message)?;
        let kept = Kept::of(&parsed)?;
        check_signer(parsed.claims().by)?;
        //= spec/protocol.md#owner
        //# OWN-26. A grant MUST NOT be learned unless its signature verifies under the owner key of the view's epoch.
        let grant = parsed.verify(&self.crypto, &next.owner).map_err(OwnerError::GrantSignature)?;
        check_meant_for(next, &grant.lock, grant.epoch)?;
        let key = GrantRef { generation: grant.generation, grant: grant.digest(&self.crypto) };
        let fact = Fact::Shared { key, grant: *grant };
        //= spec/protocol.md#owner
        //# OWN-17. A view in which nothing is shared MUST show a grant that it learns as shared, unless the slot is Inactive, the grant was proved dead or its withdrawal was answered.
        take_in(next, (grant.slot, Some(key)), fact, |known| {
            if known.is_denied(key) && !known.may_open(key) {
                return Ok(());
            }
            known.slot.learn(key)?;
            // Its withdrawal ends the share whichever of the two comes first.
            if known.answered.contains(&key) {
                known.slot.withdrawn(key, &WithdrawnOutcome::Settled)?;
            }
            if known.issued(key).is_none() {
                // Whoever signed it has it in its own outbox.
                let delivery = Delivery::Heard;
                known.issued.push(Issued { key, method: None, contact: None, delivery, grant: kept });
            }
            Ok(())
        })
    }

    fn learn_receipt(&self, next: &mut OwnedLock, message: &[u8]) -> Result<Learned, OwnerError> {
        let receipt = Unverified::<Receipt>::parse(message)?;
        //= spec/protocol.md#owner
        //# OWN-6. The owner MUST check a Done, a Receipt and a signed Refused under the lock id.
        let receipt = receipt.verify(&self.crypto, next.lock.key()).map_err(OwnerError::ReceiptSignature)?;
        check_meant_for(next, &receipt.lock, receipt.epoch)?;
        let Receipt { slot, generation, grant, device, install, .. } = *receipt;
        let key = GrantRef { generation, grant };
        let proof = receipt.digest(&self.crypto);
        take_in(next, (slot, Some(key)), Fact::Downloaded { slot, key, device }, |known| {
            known.note_release(key, message);
            known.hear(message, |slot| slot.confirm(&Proof { key, device, install: Some(install), proof }));
            Ok(())
        })
    }

    pub(super) fn learn_done(&self, next: &mut OwnedLock, message: &[u8]) -> Result<Learned, OwnerError> {
        let done = self.verified_done(next, message)?;
        check_service(&done, &next.service)?;
        self.apply_done(next, &done)
    }

    /// A Done that the lock signed, of the view's ownership, or of a transfer to a later one.
    fn verified_done<'m>(&self, next: &OwnedLock, message: &'m [u8]) -> Result<Verified<'m, Done>, OwnerError> {
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
        Ok(done)
    }

    /// Takes a Done into the view whose lock, epoch and signature were checked.
    pub(super) fn apply_done(&self, next: &mut OwnedLock, done: &Verified<'_, Done>) -> Result<Learned, OwnerError> {
        next.count_slots(done.completed.slots());
        if let Completed::Transfer { owner, service, slots } = done.completed {
            next.transferred(done, &owner, &service);
            let fact = Fact::Transferred { epoch: done.epoch, owner, service, slots };
            return Ok(Learned { fact, news: true, equivocation: None });
        }
        let fact = Fact::Done { completed: done.completed, time: done.time.known(), battery: done.battery };
        let Some((slot, told)) = Told::by(&done.completed) else {
            return Ok(Learned { fact, news: false, equivocation: None });
        };
        let found = told.found().map(|(key, _)| key);
        take_in(next, (slot, found), fact, |known| {
            known.hear(done.as_bytes(), |slot| slot.hear(told, || done.digest(&self.crypto)));
            if let Some(key) = found {
                //= spec/protocol.md#owner
                //# OWN-23. A Withdrawn of NeverReleased MUST be reported in the same way beside a Done of an Inspect that found the same grant installed, and beside a Withdrawn of Released of the same grant.
                known.note_release(key, done.as_bytes());
            }
            Ok(())
        })
    }

    fn learn_withdrawn(&self, next: &mut OwnedLock, message: &[u8]) -> Result<Learned, OwnerError> {
        let withdrawn = Unverified::<Withdrawn>::parse(message)?;
        //= spec/protocol.md#owner
        //# OWN-7. The owner MUST check a Withdrawn under the service key of the epoch.
        let withdrawn = withdrawn.verify(&self.crypto, &next.service).map_err(OwnerError::WithdrawnSignature)?;
        let Withdrawn { withdraw, withdraw_signature, outcome } = *withdrawn;
        check_meant_for(next, &withdraw.lock, withdraw.epoch)?;
        check_signer(withdraw.by)?;
        //= spec/protocol.md#owner
        //# OWN-31. The owner MUST check the signature of the Withdraw that a Withdrawn carries under the owner key of the epoch.
        let asked = wire::resealed(&withdraw, &withdraw_signature)?;
        let asked = Unverified::<Withdraw>::parse(&asked)?;
        asked.verify(&self.crypto, &next.owner).map_err(OwnerError::WithdrawSignature)?;
        let slot = withdraw.slot;
        let key = GrantRef { generation: withdraw.generation, grant: withdraw.grant };
        take_in(next, (slot, Some(key)), Fact::Withdrawn { slot, key, outcome }, |known| {
            known.slot.withdrawn(key, &outcome)?;
            match outcome {
                //= spec/protocol.md#owner
                //# OWN-39. A view MUST keep, for its epoch, each Withdrawn of NeverReleased that it took in, and of each grant one proof that it was released, also where the grant was proved dead or never heard of before.
                WithdrawnOutcome::NeverReleased => known.note_denial(key, message),
                //= spec/protocol.md#owner
                //# OWN-23. A Withdrawn of NeverReleased MUST be reported in the same way beside a Done of an Inspect that found the same grant installed, and beside a Withdrawn of Released of the same grant.
                WithdrawnOutcome::Released { .. } => known.note_release(key, message),
                WithdrawnOutcome::Settled => {}
            }
            known.note_answered(key);
            known.withdrawing.retain(|pending| pending.key != key);
            Ok(())
        })
    }
}

/// Changes one slot by a fact, which may be about a grant; tells whether that was news, and whether it convicts.
fn take_in(
    next: &mut OwnedLock,
    (slot, key): (SlotId, Option<GrantRef>),
    fact: Fact,
    change: impl FnOnce(&mut OwnedSlot) -> Result<(), OwnerError>,
) -> Result<Learned, OwnerError> {
    let before = next.slots.get(&slot).cloned();
    let known = next.slot_mut(slot);
    change(known)?;
    known.prune();
    let news = before.is_none_or(|before| *before != *known);
    //= spec/protocol.md#owner
    //# OWN-11. A Withdrawn of NeverReleased and a Receipt for the same grant MUST be reported as equivocation of the service, with both messages as evidence.
    //= spec/protocol.md#owner
    //# OWN-40. An equivocation MUST be reported with each message about its grant that a view takes in while it keeps both messages.
    let equivocation = key.and_then(|key| known.equivocation(slot, key));
    Ok(Learned { fact, news, equivocation })
}

/// Whether a transfer leaves the lock with this service; any other Done does.
pub(super) fn check_service(done: &Done, expected: &PublicKey) -> Result<(), OwnerError> {
    //= spec/protocol.md#reports
    //# RPT-13. A phone MUST refuse a statement of ownership that names another service key than its view's, unless its owner names that key as the one expected.
    match &done.completed {
        Completed::Transfer { service, .. } if service != expected => Err(OwnerError::WrongService),
        _ => Ok(()),
    }
}

/// Whether the view has a key for who signs.
fn check_signer(by: Term) -> Result<(), OwnerError> {
    //= spec/protocol.md#owner
    //# OWN-32. The owner MUST refuse a Grant, and a Withdrawn, whose `by` names nobody whose key the view has: another one than 0.
    if by == Term::OWNER { Ok(()) } else { Err(OwnerError::UnknownSigner) }
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
