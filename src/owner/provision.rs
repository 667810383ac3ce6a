use rand_core::CryptoRng;

use super::Owner;
use super::view::{Origin, OwnedLock};
use crate::counter::Epoch;
use crate::crypto::{Crypto, Digest, Nonce, PublicKey, Tag};
use crate::error::OwnerError;
use crate::id::LockId;
use crate::message::{Challenge, Completed, Done, Provision, Provisioned};
use crate::secret::ActivationSecret;
use crate::wire::{self, Encoded, Kind, Unverified};

/// A provision that waits for the lock's answer.
#[derive(Clone, Debug)]
pub struct PendingProvision {
    lock: LockId,
    service: PublicKey,
    provision: Digest,
    card: Tag,
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
        let body = Provision { lock_nonce: nonce, owner_nonce: Nonce::random(rng), owner: *self.key(), service };
        let (message, _) = wire::seal_mac(&self.crypto, card.expose(), &body)?;
        let provision = message.digest(&self.crypto);
        let card = Provisioned::card_tag(&self.crypto, card, &provision, &lock);
        Ok((message, PendingProvision { lock, service, provision, card }))
    }

    /// The view of a lock that was handed to this owner, who names the lock it stands at and the
    /// service it uses. The view knows nothing of any slot until this owner inspects it.
    ///
    /// # Errors
    /// [`OwnerError::Wire`], [`OwnerError::DoneSignature`], [`OwnerError::WrongLock`],
    /// [`OwnerError::NotATransfer`], [`OwnerError::WrongOwner`], [`OwnerError::WrongService`].
    pub fn adopt(&self, lock: LockId, service: &PublicKey, transfer: &[u8]) -> Result<OwnedLock, OwnerError> {
        let done = Unverified::<Done>::parse(transfer)?;
        let done = done.verify(&self.crypto, lock.key()).map_err(OwnerError::DoneSignature)?;
        if done.lock != lock {
            return Err(OwnerError::WrongLock);
        }
        let Completed::Transfer { owner: new_owner, service: new_service } = done.completed else {
            return Err(OwnerError::NotATransfer);
        };
        if new_owner != *self.key() {
            return Err(OwnerError::WrongOwner);
        }
        if new_service != *service {
            return Err(OwnerError::WrongService);
        }
        Ok(OwnedLock::new(lock, new_owner, new_service, done.epoch, Origin::Transferred))
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
    /// # Errors
    /// [`OwnerError::Wire`], [`OwnerError::ProvisionedSignature`], [`OwnerError::WrongLock`],
    /// [`OwnerError::WrongEpoch`], [`OwnerError::WrongOwner`], [`OwnerError::WrongService`],
    /// [`OwnerError::CardTag`]; for a refusal [`OwnerError::RefusedOpaque`],
    /// [`OwnerError::RefusalSignature`], [`OwnerError::RefusedOther`], [`OwnerError::Refused`].
    pub fn finish<C: Crypto>(&self, owner: &Owner<C>, answer: &[u8]) -> Result<OwnedLock, OwnerError> {
        if Kind::of(answer)? == Kind::Refused {
            return Err(owner.refusal(answer, &self.lock, &self.provision));
        }
        let body = Unverified::<Provisioned>::parse(answer)?;
        let body = body.verify(&owner.crypto, self.lock.key()).map_err(OwnerError::ProvisionedSignature)?;
        if body.lock != self.lock {
            return Err(OwnerError::WrongLock);
        }
        if body.epoch != Epoch::FIRST {
            return Err(OwnerError::WrongEpoch);
        }
        if body.owner != *owner.key() {
            return Err(OwnerError::WrongOwner);
        }
        if body.service != self.service {
            return Err(OwnerError::WrongService);
        }
        if body.card != self.card {
            return Err(OwnerError::CardTag);
        }
        Ok(OwnedLock::new(self.lock, body.owner, body.service, body.epoch, Origin::Provisioned))
    }
}
