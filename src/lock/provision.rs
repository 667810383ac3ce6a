//! Provisioning: a factory-fresh lock gets an owner and a service (spec: "Provisioning").

use super::record::{self, Cell, HeaderRecord};
use super::refusal::{Denied, Refusal};
use super::staged::Staged;
use super::state::Change;
use super::{Lock, Now, Session, purpose};
use crate::counter::Epoch;
use crate::crypto::{Crypto, Nonce};
use crate::error::LockError;
use crate::message::{Provision, Provisioned};
use crate::wire::{self, Encoded, Unverified, Verified};

/// The lock has an owner.
#[derive(Debug)]
pub struct Owned {
    /// The proof, for the owner and, through it, for the service.
    pub provisioned: Encoded<Provisioned>,
}

impl<C: Crypto, const SLOTS: usize> Lock<C, SLOTS> {
    /// Takes the owner's and the service's keys from whoever holds the activation card.
    ///
    /// # Errors
    /// [`Refusal`] with the first check that failed, in the order of the spec: opaque before the
    /// card's MAC held, signed with the reason after. The session is spent.
    pub fn provision(
        &mut self,
        session: Session<purpose::Operate>,
        provision: &[u8],
        now: Now,
    ) -> Result<Staged<'_, Owned>, Refusal> {
        let nonce = self.spend(session, now);
        let (header, output) =
            self.decide_provision(nonce, provision).map_err(|denied| self.refuse(provision, denied))?;
        let record = record::encode(&self.crypto, &self.keys, Cell::Header, &header)
            .map_err(|error| self.refuse(provision, Denied::Known(error.into())))?;
        Ok(Staged::new(self.state(), Cell::Header, Some(record), Change::Header(header), output))
    }

    fn decide_provision(
        &mut self,
        nonce: Result<Nonce, LockError>,
        bytes: &[u8],
    ) -> Result<(HeaderRecord, Owned), Denied> {
        let provision = Unverified::<Provision>::parse(bytes).map_err(LockError::Wire)?;
        let nonce = nonce?;
        self.core.sound()?;
        if provision.claims().lock_nonce != nonce {
            return Err(LockError::WrongNonce.into());
        }
        let provision = provision.verify_mac(&self.crypto, self.card.expose()).map_err(|_| LockError::CardMac)?;
        self.take_owner(&provision).map_err(Denied::Known)
    }

    fn take_owner(&mut self, provision: &Verified<'_, Provision>) -> Result<(HeaderRecord, Owned), LockError> {
        match self.core.ownership() {
            Err(LockError::NotProvisioned) => {}
            Ok(_) => return Err(LockError::AlreadyProvisioned),
            Err(other) => return Err(other),
        }
        let (owner, service) = (provision.owner, provision.service);
        owner.check().map_err(LockError::OwnerKey)?;
        service.check().map_err(LockError::ServiceKey)?;
        self.state().check_all_idle()?;
        let (lock, epoch) = (self.id(), Epoch::FIRST);
        let card = Provisioned::card_tag(&self.crypto, &self.card, &provision.digest(&self.crypto), &lock);
        let body = Provisioned { lock, epoch, owner, service, card };
        let provisioned = wire::seal(&self.crypto, &self.keys.signer, &body)?;
        Ok((HeaderRecord::Owned { epoch, owner, service }, Owned { provisioned }))
    }
}
