use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use super::view::OwnedLock;
use super::{NewView, Owner, PendingCommand};
use crate::counter::Epoch;
use crate::crypto::{Crypto, Digest, Nonce, PublicKey, Tag};
use crate::error::OwnerError;
use crate::id::{LockId, SlotCount};
use crate::message::{Challenge, Command, Completed, Done, Operation, Provision, Provisioned};
use crate::secret::{ActivationSecret, holds_secret};
use crate::wire::{self, Encoded, Kind, Unverified};

/// A lock that is being taken over; waits for the lock's answer. May be stored until it comes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PendingTakeover(PendingCommand);

/// A provision that waits for the lock's answer. May be stored until it comes, [sealed or exposed](crate::secret):
/// it holds the tag by which the lock will be known.
#[derive(Clone, PartialEq, Eq)]
pub struct PendingProvision {
    lock: LockId,
    service: PublicKey,
    provision: Digest,
    card: Tag,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "PendingProvision")]
struct PlainPendingProvision {
    lock: LockId,
    service: PublicKey,
    provision: Digest,
    card: Tag,
}

holds_secret!(PendingProvision by PlainPendingProvision);

impl Drop for PendingProvision {
    fn drop(&mut self) {
        self.card.zeroize();
    }
}

// Who reads the card's tag before the lock answered could answer for it.
impl core::fmt::Debug for PendingProvision {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { lock, service, provision, card: _ } = self;
        f.debug_struct("PendingProvision")
            .field("lock", lock)
            .field("service", service)
            .field("provision", provision)
            .finish_non_exhaustive()
    }
}

impl<C: Crypto> Owner<C> {
    /// Makes a factory-fresh lock this owner's, by its activation card.
    ///
    /// # Errors
    /// [`OwnerError::Wire`] for a malformed challenge, [`OwnerError::LockKey`],
    /// [`OwnerError::ServiceKey`], [`OwnerError::Seal`].
    pub fn provision(
        &self,
        card: &ActivationSecret,
        challenge: &[u8],
        service: PublicKey,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(Encoded<Provision>, PendingProvision), OwnerError> {
        let Challenge { lock, nonce } = *Unverified::<Challenge>::parse(challenge)?.claims();
        lock.key().check().map_err(OwnerError::LockKey)?;
        service.check().map_err(OwnerError::ServiceKey)?;
        //= spec/protocol.md#owner
        //# OWN-4. The owner MUST draw the owner nonce of each Provision and each Command fresh and unpredictable.
        let body = Provision { lock_nonce: nonce, owner_nonce: Nonce::random(rng), owner: *self.key(), service };
        let (message, _) = wire::seal_mac(&self.crypto, card.expose(), &body)?;
        let provision = message.digest(&self.crypto);
        let card = Provisioned::card_tag(&self.crypto, card, &provision, &lock);
        Ok((message, PendingProvision { lock, service, provision, card }))
    }

    /// The view of a lock that stores this owner's key, by the lock's statement of that: the `Done` of the transfer that
    /// handed it over; or, in its first epoch, the `Provisioned`, for a phone that has this owner's key and neither a view
    /// nor the card. This owner names the lock it stands at and the service it uses; the statement may come from
    /// anybody, for the lock signed it, and the service gives it to whoever [asks without a view](Self::ask_anew). The view
    /// knows nothing of any slot until this owner inspects it, or takes in a report.
    ///
    /// The statement may be an old one, of an ownership that a transfer ended. Where a view is
    /// [stored](NewView::put_new), the later one stays; and show the lock as owned only once a command on the new view was
    /// answered.
    ///
    /// # Errors
    /// [`OwnerError::Wire`], [`OwnerError::DoneSignature`], [`OwnerError::ProvisionedSignature`], [`OwnerError::WrongLock`],
    /// [`OwnerError::NotATransfer`], [`OwnerError::WrongEpoch`] for a `Provisioned` of another than the first,
    /// [`OwnerError::WrongOwner`], [`OwnerError::WrongService`].
    pub fn adopt(&self, lock: LockId, service: &PublicKey, statement: &[u8]) -> Result<NewView, OwnerError> {
        let begun = match Kind::of(statement)? {
            //= spec/protocol.md#owner
            //# OWN-44. An owner without a view MUST take up a Provisioned as it takes up a Done of a Transfer.
            Kind::Provisioned => {
                let Provisioned { epoch, slots, owner, service, .. } = self.provisioned(lock, statement)?;
                Begun { epoch, slots, owner, service }
            }
            _ => self.handed_over(lock, statement)?,
        };
        if begun.owner != *self.key() {
            return Err(OwnerError::WrongOwner);
        }
        //= spec/protocol.md#owner
        //# OWN-20. A new owner MUST refuse a statement of ownership that names another service than the one that this owner uses.
        if begun.service != *service {
            return Err(OwnerError::WrongService);
        }
        //= spec/protocol.md#owner
        //# OWN-12. A new owner MUST NOT rely on any statement about a slot that it did not get from the lock in its own epoch.
        let Begun { epoch, slots, owner, service } = begun;
        Ok(NewView::new(OwnedLock::new((lock, epoch), slots, owner, service, statement)))
    }

    fn handed_over(&self, lock: LockId, statement: &[u8]) -> Result<Begun, OwnerError> {
        let done = Unverified::<Done>::parse(statement)?;
        let done = done.verify(&self.crypto, lock.key()).map_err(OwnerError::DoneSignature)?;
        if done.lock != lock {
            return Err(OwnerError::WrongLock);
        }
        let Completed::Transfer { owner, service, slots } = done.completed else {
            return Err(OwnerError::NotATransfer);
        };
        Ok(Begun { epoch: done.epoch, slots, owner, service })
    }

    /// What a `Provisioned` says, whoever it answered: without its card's tag it proves nothing of which lock has the card,
    /// and all of whose this lock is.
    fn provisioned(&self, lock: LockId, statement: &[u8]) -> Result<Provisioned, OwnerError> {
        let body = Unverified::<Provisioned>::parse(statement)?;
        //= spec/protocol.md#owner
        //# OWN-1. The owner MUST check the signature of a Provisioned under the lock id of the challenge that its Provision answered.
        let body = body.verify(&self.crypto, lock.key()).map_err(OwnerError::ProvisionedSignature)?;
        //= spec/protocol.md#owner
        //# OWN-22. The owner MUST refuse a Provisioned of another lock than the one whose challenge its Provision answered.
        if body.lock != lock {
            return Err(OwnerError::WrongLock);
        }
        //= spec/protocol.md#owner
        //# OWN-21. The owner MUST refuse a Provisioned of another epoch than 1.
        if body.epoch != Epoch::FIRST {
            return Err(OwnerError::WrongEpoch);
        }
        Ok(*body)
    }
}

/// What a statement of ownership says.
struct Begun {
    epoch: Epoch,
    slots: SlotCount,
    owner: PublicKey,
    service: PublicKey,
}

impl<C: Crypto> Owner<C> {
    /// Takes over a lock that stores this owner's key, where the `Done` of the transfer that stored it
    /// was lost (a transfer to oneself included): orders a transfer to oneself, whose `Done` then
    /// stands for it. `epoch` is the one that the lost transfer began: one above that of the view from
    /// before it.
    ///
    /// # Errors
    /// [`OwnerError::Wire`] for a malformed challenge, [`OwnerError::WrongLock`],
    /// [`OwnerError::ServiceKey`], [`OwnerError::Seal`].
    pub fn take_over(
        &self,
        (lock, epoch): (LockId, Epoch),
        service: PublicKey,
        challenge: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(Encoded<Command>, PendingTakeover), OwnerError> {
        service.check().map_err(OwnerError::ServiceKey)?;
        let operation = Operation::Transfer { owner: *self.key(), service };
        let (message, pending) = self.sign_order((lock, epoch), operation, challenge, rng)?;
        Ok((message, PendingTakeover(pending)))
    }
}

impl PendingTakeover {
    /// Takes the lock's answer, which also tells the service whose the lock is. A wrong one leaves the
    /// takeover pending.
    ///
    /// # Errors
    /// As [`PendingCommand::finish`].
    pub fn finish<C: Crypto>(&self, owner: &Owner<C>, answer: &[u8]) -> Result<NewView, OwnerError> {
        let done = self.0.answered(owner, answer)?;
        match done.completed {
            Completed::Transfer { owner: key, service, slots } if key == *owner.key() => {
                Ok(NewView::new(OwnedLock::new((done.lock, done.epoch), slots, key, service, answer)))
            }
            _ => Err(OwnerError::WrongOwner),
        }
    }
}

impl PendingProvision {
    /// The lock that is being provisioned.
    #[must_use]
    pub const fn lock(&self) -> LockId {
        self.lock
    }

    /// Takes the lock's answer. A wrong one leaves the provision pending.
    ///
    /// The view knows nothing of any slot: in its first epoch a lock answers the same keys again (for an
    /// answer that was lost), so keys may be installed already.
    ///
    /// # Errors
    /// [`OwnerError::Wire`], [`OwnerError::ProvisionedSignature`], [`OwnerError::WrongLock`],
    /// [`OwnerError::WrongEpoch`], [`OwnerError::WrongOwner`], [`OwnerError::WrongService`],
    /// [`OwnerError::CardTag`]; for a refusal [`OwnerError::RefusedOpaque`],
    /// [`OwnerError::RefusalSignature`], [`OwnerError::RefusedOther`], [`OwnerError::Refused`].
    pub fn finish<C: Crypto>(&self, owner: &Owner<C>, answer: &[u8]) -> Result<NewView, OwnerError> {
        if Kind::of(answer)? == Kind::Refused {
            return Err(owner.refusal(answer, &self.lock, &self.provision));
        }
        let body = owner.provisioned(self.lock, answer)?;
        //= spec/protocol.md#owner
        //# OWN-3. The owner MUST refuse a Provisioned with other keys than its own Provision carried.
        if body.owner != *owner.key() {
            return Err(OwnerError::WrongOwner);
        }
        //= spec/protocol.md#owner
        //# OWN-3. The owner MUST refuse a Provisioned with other keys than its own Provision carried.
        if body.service != self.service {
            return Err(OwnerError::WrongService);
        }
        //= spec/protocol.md#owner
        //# OWN-2. The owner MUST check the card tag of the answer to its Provision under the activation secret and the digest of that Provision.
        if body.card != self.card {
            return Err(OwnerError::CardTag);
        }
        //= spec/protocol.md#owner
        //# OWN-16. A Provisioned MUST NOT be taken for a statement about any slot.
        Ok(NewView::new(OwnedLock::new((self.lock, body.epoch), body.slots, body.owner, body.service, answer)))
    }
}
