//! What only the service's record does: it releases, and answers withdrawals.

use super::{Content, GrantRef, LiveKey, Slot, Witness, state};
use crate::crypto::{Digest, PublicKey};
use crate::error::SlotError;
use crate::message::WithdrawnOutcome;

/// The service's record. It decides every release, so it knows which grants were released.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recorder {}

impl state::sealed::Sealed for Recorder {}

impl Witness for Recorder {
    const SIGNED_MAY_OPEN: bool = false;
}

impl Slot<Recorder> {
    /// Releases the shared grant to the device that claimed it, or to it again: the point of no return.
    ///
    /// # Errors
    /// [`SlotError::NotPublished`] or [`SlotError::ClaimedByOtherDevice`].
    pub fn release(&mut self, grant: &Digest, device: PublicKey, install: Digest) -> Result<(), SlotError> {
        //= spec/protocol.md#release
        //# SLO-14. A release MUST be refused unless the state is Sharing, or Shared with the same grant and the same device.
        //= spec/protocol.md#withdrawal
        //# SLO-22. A grant that was withdrawn MUST NOT be released afterwards.
        let key = self.shared().filter(|key| key.grant == *grant).ok_or(SlotError::NotPublished)?;
        if self.device().is_some_and(|first| first != device) {
            return Err(SlotError::ClaimedByOtherDevice);
        }
        //= spec/protocol.md#release
        //# SLO-15. A release MUST make the state Shared and the grant's generation live.
        self.line.live.note(key, Some(install))?;
        //= spec/protocol.md#service-release-checks
        //# SVC-13. The service MUST fix the device of a grant with its first release.
        self.content = Content::Shared(key, device);
        Ok(())
    }

    /// Withdraws a grant: a revocation, a reset, or of no further effect, as the answer says. The same withdrawal
    /// again gets the same answer, until a proof settles it.
    #[must_use]
    pub fn withdraw(&mut self, key: GrantRef) -> WithdrawnOutcome {
        self.end_share_of(key);
        //= spec/protocol.md#withdrawal
        //# SLO-23. A withdrawal MUST NOT take a released generation out of live.
        match self.live(key) {
            //= spec/protocol.md#withdrawal
            //# SLO-19. The answer MUST be Released, with the latest install, where the grant was released and its generation is live.
            Some(live) => WithdrawnOutcome::Released { install: install_or_proof(live) },
            //= spec/protocol.md#withdrawal
            //# SLO-20. The answer MUST be Settled where a Done or a receipt proved the grant's generation dead.
            None if key.generation <= self.line.floor => WithdrawnOutcome::Settled,
            None => {
                //= spec/protocol.md#number-line
                //# SLO-10. A withdrawal of a grant that was not published MUST still raise the highest number.
                self.take(key.generation);
                //= spec/protocol.md#withdrawal
                //# SLO-21. Otherwise the answer MUST be NeverReleased.
                WithdrawnOutcome::NeverReleased
            }
        }
    }
}

/// Of a key that the record never released and an inspection found, it knows no install.
fn install_or_proof(live: &LiveKey) -> Digest {
    //= spec/protocol.md#withdrawal
    //# SLO-44. Where the record knows no install of a live grant, the digest of the Done that proved the grant installed MUST stand in the answer for the install.
    let proof = live.confirmation().map(|confirmation| confirmation.proof);
    live.install().or(proof).unwrap_or(live.key().grant)
}
