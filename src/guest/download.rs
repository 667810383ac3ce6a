//! The download, from a claim to a key.

use arrayvec::ArrayVec;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use super::{GuestKey, Invitation, Unstored};
use crate::crypto::{Crypto, Digest, Signer};
use crate::error::GuestError;
use crate::id::{LockId, SlotId};
use crate::limits::{Limits, Rights};
use crate::message::{Bundle, Challenge, Claim, Grant, Install, Receipt, Refused, Release};
use crate::pairing;
use crate::secret::{AgreementSecret, Seed, holds_secret, plain};
use crate::wire::{self, Encoded, Kept, Kind, Unverified};

/// A grant that was claimed for this device. Keep it until the key is there: after a connection
/// that dropped, the same device may be installed again, no other can.
#[derive(PartialEq, Eq, Debug)]
pub struct Claimed {
    grant: Invitation,
    claim: Encoded<Claim>,
    device: Seed,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Claimed")]
struct PlainClaimed {
    grant: Invitation,
    claim: Encoded<Claim>,
    #[serde(with = "plain")]
    device: Seed,
}

holds_secret!(Claimed by PlainClaimed);

/// One attempt to install: send [`claim`](Self::claim) and [`install`](Self::install) to the service,
/// and give its release to [`bundle`](Self::bundle).
#[derive(PartialEq, Eq, Debug)]
pub struct Installing {
    grant: Invitation,
    claim: Encoded<Claim>,
    install: Encoded<Install>,
    secret: AgreementSecret,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Installing")]
struct PlainInstalling {
    grant: Invitation,
    claim: Encoded<Claim>,
    install: Encoded<Install>,
    #[serde(with = "plain")]
    secret: AgreementSecret,
}

holds_secret!(Installing by PlainInstalling);

/// A released attempt: send [`bundle`](Self::bundle) to the lock, and give its answer to
/// [`finish`](Self::finish). To survive a restart, store the [`Installing`] and the release.
#[derive(Debug)]
pub struct Download<'a> {
    attempt: &'a Installing,
    bundle: ArrayVec<u8, { Bundle::MAX_LEN }>,
}

impl Claimed {
    pub(super) const fn new(grant: Invitation, claim: Encoded<Claim>, device: Seed) -> Self {
        Self { grant, claim, device }
    }

    #[cfg(feature = "alloc")]
    pub(super) const fn invitation(&self) -> &Invitation {
        &self.grant
    }

    /// The grant, as the service gave it.
    #[must_use]
    pub const fn grant(&self) -> &Encoded<Grant> {
        self.grant.grant()
    }

    /// The lock at which to install it, as the grant says.
    #[must_use]
    pub const fn lock(&self) -> LockId {
        self.grant.lock()
    }

    /// The slot that it is for, as the grant says.
    #[must_use]
    pub const fn slot(&self) -> SlotId {
        self.grant.slot()
    }

    /// What the key will be allowed, as the grant says. Whose word that is, is known where the owner's key was given to
    /// [`claim`](super::Account::claim); otherwise once the lock has installed it.
    #[must_use]
    pub const fn rights(&self) -> Rights {
        self.grant.rights()
    }

    /// When, and how often, as the grant says.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        self.grant.limits()
    }

    /// The claim, for the service.
    #[must_use]
    pub const fn claim(&self) -> &Encoded<Claim> {
        &self.claim
    }

    /// Asks the lock that gave `challenge` to install the key; `rng` gives the X25519 key.
    ///
    /// A device that holds the key already asks only where that was lost or the lock does not know it any more: once the
    /// lock has installed again, the key of before is dead, and where the lock's answer is lost then, the guest has
    /// none until the next download, which needs the service again.
    ///
    /// # Errors
    /// [`GuestError::Wire`], [`GuestError::WrongLock`], [`GuestError::Seal`].
    pub fn install(
        &self,
        crypto: &impl Crypto,
        challenge: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Unstored<Installing>, GuestError> {
        let challenge = Unverified::<Challenge>::parse(challenge)?;
        //= spec/protocol.md#guest
        //# GST-3. A guest MUST check that a challenge names the lock of its grant.
        if challenge.claims().lock != self.lock() {
            return Err(GuestError::WrongLock);
        }
        //= spec/protocol.md#pairing-key
        //# KDF-2. For an install the guest device MUST draw a new X25519 secret.
        let secret = AgreementSecret::random(rng);
        //= spec/protocol.md#guest
        //# GST-4. A guest MUST make a new install for each challenge.
        let install = Install {
            claim: self.claim.digest(crypto),
            nonce: challenge.claims().nonce,
            agreement: crypto.agreement_key(&secret),
        };
        let install = wire::seal(crypto, &Signer::from_seed(crypto, &self.device)?, &install)?;
        Ok(Unstored::new(Installing { grant: self.grant.clone(), claim: self.claim.clone(), install, secret }))
    }
}

impl Installing {
    /// The claim, for the service.
    #[must_use]
    pub const fn claim(&self) -> &Encoded<Claim> {
        &self.claim
    }

    /// The install, for the service.
    #[must_use]
    pub const fn install(&self) -> &Encoded<Install> {
        &self.install
    }

    /// Puts the chain together, once the service has released the install. A bad release leaves the
    /// attempt as it is.
    ///
    /// # Errors
    /// [`GuestError::Wire`], [`GuestError::ReleaseNamesOtherInstall`].
    pub fn bundle(&self, crypto: &impl Crypto, release: &[u8]) -> Result<Download<'_>, GuestError> {
        //= spec/protocol.md#guest
        //# GST-5. A guest MUST check that a release names its install before it sends the bundle.
        if Unverified::<Release>::parse(release)?.claims().install != self.install.digest(crypto) {
            return Err(GuestError::ReleaseNamesOtherInstall);
        }
        let Self { grant, claim, install, .. } = self;
        let bundle = Bundle { grant: grant.grant(), claim, install, release }.encode()?;
        Ok(Download { attempt: self, bundle })
    }
}

impl Download<'_> {
    /// The bundle, for the lock.
    #[must_use]
    pub fn bundle(&self) -> &[u8] {
        &self.bundle
    }

    /// Takes the lock's answer: a receipt gives the key. Pass the receipt
    /// ([`GuestKey::receipt`]) on to the service, so that the owner sees the download.
    ///
    /// # Errors
    /// [`GuestError::Refused`] or [`GuestError::RefusedOpaquely`] where the lock refused; otherwise
    /// the check of the receipt that failed. The attempt stays as it is: the answer may come again
    /// unaltered. Where it does not, [install](Claimed::install) again with a new challenge.
    pub fn finish(&self, crypto: &impl Crypto, answer: &[u8]) -> Result<Unstored<GuestKey>, GuestError> {
        let grant = &self.attempt.grant;
        if Kind::of(answer)? == Kind::Refused {
            return Err(self.refused(crypto, &grant.lock(), answer)?);
        }
        let receipt = Unverified::<Receipt>::parse(answer)?;
        let kept = Kept::of(&receipt)?;
        //= spec/protocol.md#receipt-checks
        //# GST-9. The receipt's signature MUST verify under the lock id of the guest's grant.
        let receipt = receipt.verify(crypto, grant.lock().key()).map_err(GuestError::ReceiptSignature)?;
        //= spec/protocol.md#receipt-checks
        //# GST-10. The receipt MUST name the guest's install.
        if receipt.install != self.attempt.install.digest(crypto) {
            return Err(GuestError::ReceiptNamesOtherInstall);
        }
        let claim = Unverified::<Claim>::parse(&self.attempt.claim)?;
        if !fits(&receipt, grant.body(), claim.claims(), &grant.grant().digest(crypto)) {
            return Err(GuestError::ReceiptDoesNotFit);
        }
        //= spec/protocol.md#pairing-key
        //# KDF-4. A guest MUST NOT derive a pairing key from a receipt that it did not check as the receipt checks of the guest say.
        let shared = crypto.agree(&self.attempt.secret, &receipt.agreement)?;
        let pairing = pairing::derive(crypto, &receipt.digest(crypto), &shared)?;
        Ok(Unstored::new(GuestKey::new(grant.body(), kept, pairing)))
    }

    /// What a refusal of the bundle says.
    fn refused(&self, crypto: &impl Crypto, lock: &LockId, answer: &[u8]) -> Result<GuestError, GuestError> {
        let request = wire::digest(crypto, &self.bundle);
        let refused = Refused::parse(answer)?;
        //= spec/protocol.md#reply-checks
        //# GST-17. A guest MUST NOT take a Refused for a statement of the lock unless it is signed by the lock and names the guest's own request.
        let reason = refused.reason(crypto, lock, &request).map_err(GuestError::RefusalSignature)?;
        Ok(reason.map_or(GuestError::RefusedOpaquely, GuestError::Refused))
    }
}

/// Whether a receipt is about this grant and this device.
fn fits(receipt: &Receipt, grant: &Grant, claim: &Claim, digest: &Digest) -> bool {
    receipt.lock == grant.lock
        //= spec/protocol.md#receipt-checks
        //# GST-13. The receipt MUST name the grant's epoch, slot and generation.
        && receipt.epoch == grant.epoch
        && receipt.slot == grant.slot
        && receipt.generation == grant.generation
        //= spec/protocol.md#receipt-checks
        //# GST-11. The receipt MUST name the guest's grant.
        && receipt.grant == *digest
        //= spec/protocol.md#receipt-checks
        //# GST-12. The receipt MUST name the guest's device.
        && receipt.device == claim.device
}
