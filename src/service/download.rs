use alloc::vec::Vec;

use super::taken::staged;
use super::{Changed, RecordChange, Service, ShareRecord};
use crate::crypto::Crypto;
use crate::error::ServiceError;
use crate::message::{Claim, Install, Release};
use crate::wire::{self, Unverified};

impl<C: Crypto> Service<C> {
    /// Releases the shared grant for one install of the device that its subject claims it for: the
    /// point of no return. The answer is the `Release`. The same device may be released again, for a new install;
    /// no other can. One that was released before is answered again, and changes nothing: of a share the record knows
    /// the latest 16.
    ///
    /// # Errors
    /// [`ServiceError::Moved`], [`ServiceError::Wire`], [`ServiceError::NothingShared`],
    /// [`ServiceError::ClaimNamesOtherGrant`], [`ServiceError::ClaimSignature`],
    /// [`ServiceError::InstallNamesOtherClaim`], [`ServiceError::InstallSignature`],
    /// [`ServiceError::Slot`] (claimed by another device), [`ServiceError::Exhausted`],
    /// [`ServiceError::Seal`].
    pub fn release<'r>(&self, record: &'r mut ShareRecord, claim: &[u8], install: &[u8]) -> RecordChange<'r> {
        self.check_serves(record)?;
        let claim = Unverified::<Claim>::parse(claim)?;
        let install = Unverified::<Install>::parse(install)?;
        let (Some(shared), Some(grant)) = (record.own.slot.shared(), record.parsed_grant()) else {
            return Err(ServiceError::NothingShared);
        };
        //= spec/protocol.md#service-release-checks
        //# SVC-8. The claim MUST name the grant that is being shared.
        if claim.claims().grant != shared.grant {
            return Err(ServiceError::ClaimNamesOtherGrant);
        }
        //= spec/protocol.md#service-release-checks
        //# SVC-9. The claim's signature MUST verify under the grant's subject.
        let claim = claim.verify(&self.crypto, &grant.subject).map_err(ServiceError::ClaimSignature)?;
        //= spec/protocol.md#service-release-checks
        //# SVC-10. The install MUST name the claim.
        if install.claims().claim != claim.digest(&self.crypto) {
            return Err(ServiceError::InstallNamesOtherClaim);
        }
        //= spec/protocol.md#service-release-checks
        //# SVC-11. The install's signature MUST verify under the claim's device.
        let install = install.verify(&self.crypto, &claim.device).map_err(ServiceError::InstallSignature)?;

        let mut next = record.draft()?;
        let digest = install.digest(&self.crypto);
        //= spec/protocol.md#service-release-checks
        //# SVC-12. The record MUST allow the release, as SLO-14 says.
        next.change_slot(|slot| slot.release(&shared.grant, claim.device, digest))?;
        //= spec/protocol.md#service-confirmation
        //# SVC-32. A claim and an install that were released before MUST be answered with the same Release, and change nothing.
        if record.knows_release(&digest) {
            next = record.draft()?;
        } else {
            next.note_release(digest);
        }
        let release = wire::seal(&self.crypto, &self.signer, &Release { install: digest })?;
        let changed = Changed::Released { key: shared, device: claim.device };
        staged(record, next, changed, Ok(Vec::from(release.as_bytes())))
    }
}
