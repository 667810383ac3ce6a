//! A downloaded key, and opening with it.

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use crate::counter::{Epoch, Generation};
use crate::crypto::{Crypto, Digest, Nonce, PublicKey, Tag};
use crate::error::GuestError;
use crate::id::{LockId, SlotId};
use crate::limits::{Action, Limits, Rights};
use crate::message::{Battery, Challenge, Grant, Outcome, Receipt, Refused, Reply, Unlock};
use crate::secret::{PairingKey, holds_secret, plain};
use crate::wire::{self, Encoded, Kept, Kind, Unverified};

/// A key that is installed at a lock. It is a secret: under 600 bytes of JSON where it is exposed.
#[derive(PartialEq, Eq, Debug)]
pub struct GuestKey {
    receipt: Kept<Receipt>,
    rights: Rights,
    limits: Limits,
    pairing: PairingKey,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "GuestKey")]
struct PlainGuestKey {
    receipt: Kept<Receipt>,
    rights: Rights,
    limits: Limits,
    #[serde(with = "plain")]
    pairing: PairingKey,
}

holds_secret!(GuestKey by PlainGuestKey);

/// What the reply to one unlock is checked with.
#[must_use = "without its reply, an unlock may or may not have opened"]
#[derive(Debug)]
pub struct AwaitingReply {
    unlock: Tag,
    #[cfg(feature = "alloc")]
    pub(super) grant: Digest,
    #[cfg(feature = "alloc")]
    pub(super) action: Action,
}

impl GuestKey {
    pub(super) const fn new(grant: &Grant, receipt: Kept<Receipt>, pairing: PairingKey) -> Self {
        Self { receipt, rights: grant.rights, limits: grant.limits, pairing }
    }

    /// The lock.
    #[must_use]
    pub const fn lock(&self) -> LockId {
        self.receipt.body().lock
    }

    /// The ownership in which it was granted.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.receipt.body().epoch
    }

    /// The slot that holds it.
    #[must_use]
    pub const fn slot(&self) -> SlotId {
        self.receipt.body().slot
    }

    /// Its number.
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.receipt.body().generation
    }

    /// What it may do.
    #[must_use]
    pub const fn rights(&self) -> Rights {
        self.rights
    }

    /// When, and how often. The lock judges; this is for showing.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The grant that it came from.
    #[must_use]
    pub const fn grant(&self) -> Digest {
        self.receipt.body().grant
    }

    /// This device, as the lock and the owner know it.
    #[must_use]
    pub const fn device(&self) -> PublicKey {
        self.receipt.body().device
    }

    /// The lock's proof of download, to pass on to the service until it has it.
    #[must_use]
    pub const fn receipt(&self) -> &Encoded<Receipt> {
        self.receipt.bytes()
    }

    /// Asks the lock that gave `challenge` for an action. `rng` gives the guest's nonce, which makes
    /// the reply fresh: it MUST be unpredictable.
    ///
    /// # Errors
    /// [`GuestError::Wire`], [`GuestError::WrongLock`], [`GuestError::Seal`].
    pub fn unlock(
        &self,
        crypto: &impl Crypto,
        challenge: &[u8],
        action: Action,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(Encoded<Unlock>, AwaitingReply), GuestError> {
        let challenge = Unverified::<Challenge>::parse(challenge)?;
        //= spec/protocol.md#guest
        //# GST-3. A guest MUST check that a challenge names the lock of its grant.
        if challenge.claims().lock != self.lock() {
            return Err(GuestError::WrongLock);
        }
        //= spec/protocol.md#guest
        //# GST-6. A guest MUST draw the guest nonce of each unlock fresh and unpredictable.
        let guest_nonce = Nonce::random(rng);
        let unlock = Unlock { slot: self.slot(), action, lock_nonce: challenge.claims().nonce, guest_nonce };
        let (message, unlock) = wire::seal_mac(crypto, self.pairing.expose(), &unlock)?;
        let awaiting = AwaitingReply {
            unlock,
            #[cfg(feature = "alloc")]
            grant: self.grant(),
            #[cfg(feature = "alloc")]
            action,
        };
        Ok((message, awaiting))
    }

    /// Checks the lock's answer to an unlock: `Ok` where the lock says that it acted, with how full its battery is: warn
    /// before the door stays shut.
    ///
    /// # Errors
    /// [`GuestError::Refused`] with the lock's reason; [`GuestError::RefusedOpaquely`] where the
    /// answer proves nothing, however often it comes: the lock may not know this key any more, or anybody sends these
    /// four bytes. Keep the key, and ask the owner;
    /// [`GuestError::ReplyMac`], [`GuestError::ReplyToOther`], [`GuestError::Wire`].
    pub fn check_reply(
        &self,
        crypto: &impl Crypto,
        awaiting: &AwaitingReply,
        answer: &[u8],
    ) -> Result<Battery, GuestError> {
        if Kind::of(answer)? == Kind::Refused {
            Refused::parse(answer)?;
            return Err(GuestError::RefusedOpaquely);
        }
        let reply = Unverified::<Reply>::parse(answer)?;
        //= spec/protocol.md#reply-checks
        //# GST-14. The reply's tag MUST verify under the pairing key.
        let reply = reply.verify_mac(crypto, self.pairing.expose()).map_err(|_| GuestError::ReplyMac)?;
        //= spec/protocol.md#reply-checks
        //# GST-15. The reply MUST name the tag of the guest's own unlock.
        if reply.unlock != awaiting.unlock {
            return Err(GuestError::ReplyToOther);
        }
        match reply.outcome {
            Outcome::Accepted => Ok(reply.battery),
            Outcome::Refused { reason } => Err(GuestError::Refused(reason)),
        }
    }
}
