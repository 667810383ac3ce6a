//! A guest's device, as far as states go (spec: "Guest").

use sharekey::counter::{Epoch, Generation};
use sharekey::crypto::{Digest, PublicKey};
use sharekey::id::{LockId, SlotId};

/// What a receipt says, and whether the lock signed it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ReceiptFacts {
    /// It is signed under this lock's id.
    pub signed_by: LockId,
    /// The install that it answers.
    pub install: Digest,
    /// The grant.
    pub grant: Digest,
    /// The device.
    pub device: PublicKey,
    /// Epoch, slot and generation.
    pub place: (Epoch, SlotId, Generation),
}

/// Something that the guest's device does or gets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum GuestStep {
    /// It makes an install for a challenge of this lock.
    Challenge {
        /// The lock that the challenge names.
        lock: LockId,
        /// The digest of the install that it makes.
        install: Digest,
    },
    /// It gets a release for this install.
    Release {
        /// The install.
        install: Digest,
    },
    /// It gets a receipt.
    Receipt(ReceiptFacts),
}

/// What the guest's device must be able to do, for one grant that it claimed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct GuestModel {
    /// The lock of the grant.
    pub lock: LockId,
    /// The grant.
    pub grant: Digest,
    /// Epoch, slot and generation of the grant.
    pub place: (Epoch, SlotId, Generation),
    /// The device key, drawn for this claim.
    pub device: PublicKey,
    /// The latest install, made for the latest challenge.
    pub install: Option<Digest>,
    /// Whether that was released, so that the bundle may be sent.
    pub released: bool,
    /// The receipt that the pairing key comes from.
    pub holds: Option<ReceiptFacts>,
}

impl GuestModel {
    /// A grant was claimed.
    #[must_use]
    pub const fn claimed(lock: LockId, grant: Digest, place: (Epoch, SlotId, Generation), device: PublicKey) -> Self {
        Self { lock, grant, place, device, install: None, released: false, holds: None }
    }

    /// Something happens; says whether the device goes along. If not, nothing changes.
    pub fn apply(&mut self, step: &GuestStep) -> bool {
        match *step {
            GuestStep::Challenge { lock, .. } if lock != self.lock => false,
            GuestStep::Challenge { install, .. } => {
                (self.install, self.released) = (Some(install), false);
                true
            }
            GuestStep::Release { install } if self.install == Some(install) => {
                self.released = true;
                true
            }
            GuestStep::Release { .. } => false,
            GuestStep::Receipt(facts) => {
                let mine = self.released
                    && facts.signed_by == self.lock
                    && Some(facts.install) == self.install
                    && (facts.grant, facts.device, facts.place) == (self.grant, self.device, self.place);
                if mine {
                    self.holds = Some(facts);
                }
                mine
            }
        }
    }
}
