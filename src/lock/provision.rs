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
#[must_use = "the owner waits for the proof"]
#[derive(Debug)]
#[non_exhaustive]
pub struct Owned {
    /// The proof, for the owner and, through it, for the service.
    pub provisioned: Encoded<Provisioned>,
}

impl<C: Crypto, const SLOTS: usize> Lock<C, SLOTS> {
    /// Takes the owner's and the service's keys from whoever holds the activation card. While the
    /// first epoch lasts, the same keys again get the same answer again, for one that was lost.
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
        let Some(header) = header else {
            return Ok(Staged::new(self.state(), Cell::Header, None, Change::Nothing, output));
        };
        let record = record::encode(&self.crypto, &self.keys, Cell::Header, &header)
            .map_err(|error| self.refuse(provision, Denied::Known(error.into())))?;
        Ok(Staged::new(self.state(), Cell::Header, Some(record), Change::Header(header), output))
    }

    fn decide_provision(
        &mut self,
        nonce: Result<Nonce, LockError>,
        bytes: &[u8],
    ) -> Result<(Option<HeaderRecord>, Owned), Denied> {
        let provision = Unverified::<Provision>::parse(bytes).map_err(LockError::Wire)?;
        let nonce = nonce?;
        self.core.sound()?;
        if provision.claims().lock_nonce != nonce {
            return Err(LockError::WrongNonce.into());
        }
        let provision = provision.verify_mac(&self.crypto, self.card.expose()).map_err(|_| LockError::CardMac)?;
        self.take_owner(&provision).map_err(Denied::Known)
    }

    /// The header to write, or none where it stands already; and the answer.
    fn take_owner(&mut self, provision: &Verified<'_, Provision>) -> Result<(Option<HeaderRecord>, Owned), LockError> {
        let (owner, service) = (provision.owner, provision.service);
        let (lock, epoch) = (self.id(), Epoch::FIRST);
        let header = HeaderRecord::Owned { epoch, owner, service };
        let again = match self.core.sound()?.0 {
            HeaderRecord::Unprovisioned => false,
            // The answer was lost: the same lock, owner and service, so there is only that to repeat.
            present if *present == header => true,
            HeaderRecord::Owned { .. } => return Err(LockError::AlreadyProvisioned),
        };
        owner.check().map_err(LockError::OwnerKey)?;
        service.check().map_err(LockError::ServiceKey)?;
        if !again {
            self.state().check_all_idle()?;
        }
        let card = Provisioned::card_tag(&self.crypto, &self.card, &provision.digest(&self.crypto), &lock);
        let body = Provisioned { lock, epoch, owner, service, card };
        let provisioned = wire::seal(&self.crypto, &self.keys.signer, &body)?;
        Ok(((!again).then_some(header), Owned { provisioned }))
    }
}
