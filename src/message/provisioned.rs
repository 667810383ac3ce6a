use crate::counter::Epoch;
use crate::crypto::{self, Digest, Mac, PublicKey, Signature, Tag};
use crate::id::{LockId, SlotCount};
use crate::secret::ActivationSecret;
use crate::wire::message;

message! {
    /// The lock's answer to a [`Provision`](super::Provision): proves whose it is, and that it is the
    /// lock whose card was used.
    pub struct Provisioned: Provisioned, Signature {
        /// The lock, under whose key it is signed.
        pub lock: LockId,
        /// The ownership that begins.
        pub epoch: Epoch,
        /// The owner's key.
        pub owner: PublicKey,
        /// The service's key.
        pub service: PublicKey,
        /// How many slots the lock has.
        pub slots: SlotCount,
        /// MAC under the activation secret over the provision and the lock id.
        pub card: Tag,
    }
}

/// Keeps the card's MAC here apart from those of whole messages, which begin with a header.
const CARD_LABEL: &[u8] = b"sharekey v1 provisioned";

impl Provisioned {
    /// The card's MAC: binds the lock id to the holder of the card.
    pub(crate) fn card_tag(crypto: &impl Mac, card: &ActivationSecret, provision: &Digest, lock: &LockId) -> Tag {
        //= spec/protocol.md#message-provisioned
        //# MSG-18. The card tag MUST be HMAC-SHA256(activation secret, `"sharekey v1 provisioned"` ‖ digest(Provision) ‖ lock id)[..16].
        crypto::tag(crypto, card.expose(), &[CARD_LABEL, provision.as_bytes(), lock.key().as_bytes()])
    }
}
