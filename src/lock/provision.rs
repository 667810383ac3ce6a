//! Provisioning: a factory-fresh lock gets an owner and a service (spec: "Provisioning").

use super::accepted::Accepted;
use super::memory::Change;
use super::plan::{FromPlan, Plan, Turned};
use super::record::{Cell, HeaderRecord, Title, Write};
use super::refusal::{Denied, Refusal};
use super::{Lock, Now, Role, Session, purpose};
use crate::counter::Epoch;
use crate::crypto::{Crypto, Nonce};
use crate::error::LockError;
use crate::id::LockId;
use crate::message::{Provision, Provisioned};
use crate::wire::{self, Encoded, Unverified, Verified};

/// The lock has an owner.
#[must_use = "the owner waits for the proof"]
#[derive(Debug)]
#[non_exhaustive]
pub struct NewOwner {
    /// The proof, for the owner and, through it, for the service.
    pub provisioned: Encoded<Provisioned>,
}

impl FromPlan for NewOwner {
    fn from_plan(plan: &Plan, _: LockId) -> Self {
        Self { provisioned: Encoded::taken(&plan.answer) }
    }
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
    ) -> Result<Accepted<'_, NewOwner>, Refusal> {
        Ok(self.plan(|role, plan| role.provision(session, provision, now, plan))?)
    }
}

impl<C: Crypto, const SLOTS: usize> Role<C, SLOTS> {
    #[inline(never)]
    pub(super) fn provision(
        &mut self,
        session: Session<purpose::Operate>,
        provision: &[u8],
        now: Now,
        plan: &mut Plan,
    ) -> Result<(), Turned> {
        let nonce = self.spend(session, now);
        //= spec/protocol.md#errors-and-refusals
        //# ERR-2. A refusal MUST change nothing but the session that it used.
        let decided = self.decide_provision(nonce, provision, plan);
        //= spec/protocol.md#provisioning
        //# PRV-8. The Provisioned MUST NOT be given to the caller before the header is stored.
        self.settle(provision, decided, plan)
    }

    //= spec/protocol.md#provisioning
    //# PRV-14. The lock MUST make these checks in this order; the first that fails decides the error.
    #[inline(never)]
    fn decide_provision(
        &mut self,
        nonce: Result<Nonce, LockError>,
        bytes: &[u8],
        plan: &mut Plan,
    ) -> Result<(), Denied> {
        //= spec/protocol.md#provisioning
        //# PRV-1. The Provision MUST decode.
        let provision = Unverified::<Provision>::parse(bytes).map_err(LockError::Wire)?;
        //= spec/protocol.md#provisioning
        //# PRV-2. The session MUST be the newest for Operate and in time.
        let nonce = nonce?;
        //= spec/protocol.md#provisioning
        //# PRV-12. The header's and the counter's cells MUST be free and sound.
        self.core.sound()?;
        //= spec/protocol.md#provisioning
        //# PRV-3. The Provision MUST carry the session's nonce.
        if provision.claims().lock_nonce != nonce {
            return Err(LockError::WrongNonce.into());
        }
        //= spec/protocol.md#provisioning
        //# PRV-4. The Provision's tag MUST verify under the activation secret.
        let provision = provision.verify_mac(&self.crypto, self.card.expose()).map_err(|_| LockError::CardMac)?;
        //= spec/protocol.md#provisioning
        //# PRV-10. A refusal after the tag held MUST be a signed Refused with the reason.
        self.take_owner(&provision, plan).map_err(Denied::Known)
    }

    /// Writes the header, unless it stands already; and answers.
    fn take_owner(&mut self, provision: &Verified<'_, Provision>, plan: &mut Plan) -> Result<(), LockError> {
        let (owner, service) = (provision.owner, provision.service);
        //= spec/protocol.md#provisioning
        //# PRV-7. Provisioning MUST begin epoch 1.
        let (lock, epoch) = (self.id(), Epoch::FIRST);
        let title = Title::Owned { epoch, owner, service };
        let HeaderRecord { slots, title: present } = *self.core.sound()?.0;
        let again = match present {
            Title::Unprovisioned => false,
            // The answer was lost: the same lock, owner and service, so there is only that to repeat.
            //= spec/protocol.md#provisioning
            //# PRV-11. A lock in epoch 1 whose owner's and service's keys are those in the Provision MUST answer with a Provisioned again, and write nothing.
            present if present == title => true,
            //= spec/protocol.md#provisioning
            //# PRV-5. A provisioned lock MUST refuse with AlreadyProvisioned, unless PRV-11 applies.
            Title::Owned { .. } => return Err(LockError::AlreadyProvisioned),
        };
        //= spec/protocol.md#strict-keys
        //# KEY-7. A lock MUST make the checks KEY-1 and KEY-2 on every public key that it is to store, before anything is staged.
        //= spec/protocol.md#provisioning
        //# PRV-6. Both keys in the Provision MUST pass KEY-1 and KEY-2.
        owner.check().map_err(LockError::OwnerKey)?;
        service.check().map_err(LockError::ServiceKey)?;
        if !again {
            //= spec/protocol.md#persist-then-act
            //# STG-6. A Provision that writes, and a Transfer, MUST be refused while any cell is held or busy.
            self.memory().check_all_idle()?;
            //= spec/protocol.md#provisioning
            //# PRV-13. A Provision that writes MUST be refused where any record of the lock shows an epoch.
            if self.core.highest_epoch() > Epoch::ZERO {
                return Err(LockError::Damaged);
            }
        }
        let card = Provisioned::card_tag(&self.crypto, &self.card, &provision.digest(&self.crypto), &lock);
        let body = Provisioned { lock, epoch, owner, service, slots: self.slot_count()?, card };
        plan.change = if again {
            Change::Holds(Cell::Header)
        } else {
            Change::Writes(Write::Header(HeaderRecord { slots, title }))
        };
        Ok(wire::seal_into(&self.crypto, &self.keys.signer, &body, &mut plan.answer)?)
    }
}
