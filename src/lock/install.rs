//! Install: a downloaded key takes its slot (spec: "Install").

use rand_core::CryptoRng;

use super::record::{self, Cell, Content, InstalledKey, SlotRecord};
use super::refusal::{Denied, Refusal};
use super::staged::Staged;
use super::state::{Change, Ownership, SlotView};
use super::{Clock, Lock, Now, Session, purpose, state};
use crate::counter::Generation;
use crate::crypto::{Crypto, Nonce, PublicKey};
use crate::error::{LockError, WireError};
use crate::id::SlotId;
use crate::message::{Bundle, Claim, Grant, Install, Receipt, Release};
use crate::pairing;
use crate::secret::AgreementSecret;
use crate::wire::{self, Encoded, Unverified, Verified};

/// A key was installed.
#[must_use = "the guest waits for the receipt"]
#[derive(Debug)]
#[non_exhaustive]
pub struct Installed {
    /// The proof of download, for the guest and, through it, for service and owner.
    pub receipt: Encoded<Receipt>,
    /// The slot.
    pub slot: SlotId,
    /// The key's number, now the slot's floor.
    pub generation: Generation,
    /// The device that holds the key.
    pub device: PublicKey,
}

/// The four messages of a bundle, well-formed, nothing checked.
struct Chain<'a> {
    grant: Unverified<'a, Grant>,
    claim: Unverified<'a, Claim>,
    install: Unverified<'a, Install>,
    release: Unverified<'a, Release>,
}

/// The four messages of a bundle, each signed by whom it must be and naming the one before it.
struct Authorised<'a> {
    grant: Verified<'a, Grant>,
    claim: Verified<'a, Claim>,
    install: Verified<'a, Install>,
}

impl<'a> Chain<'a> {
    fn parse(bundle: &'a [u8]) -> Result<Self, WireError> {
        let bundle = Bundle::parse(bundle)?;
        Ok(Self {
            grant: Unverified::parse(bundle.grant)?,
            claim: Unverified::parse(bundle.claim)?,
            install: Unverified::parse(bundle.install)?,
            release: Unverified::parse(bundle.release)?,
        })
    }

    /// Four signature checks at most; the first that fails ends it.
    fn verify(self, crypto: &impl Crypto, owned: &Ownership, nonce: &Nonce) -> Result<Authorised<'a>, LockError> {
        let grant = self.grant.verify(crypto, &owned.owner).map_err(LockError::GrantSignature)?;
        if self.claim.claims().grant != grant.digest(crypto) {
            return Err(LockError::ClaimNamesOtherGrant);
        }
        let claim = self.claim.verify(crypto, &grant.subject).map_err(LockError::ClaimSignature)?;
        if self.install.claims().claim != claim.digest(crypto) {
            return Err(LockError::InstallNamesOtherClaim);
        }
        if self.install.claims().nonce != *nonce {
            return Err(LockError::WrongNonce);
        }
        let install = self.install.verify(crypto, &claim.device).map_err(LockError::InstallSignature)?;
        if self.release.claims().install != install.digest(crypto) {
            return Err(LockError::ReleaseNamesOtherInstall);
        }
        self.release.verify(crypto, &owned.service).map_err(LockError::ReleaseSignature)?;
        Ok(Authorised { grant, claim, install })
    }
}

/// The generation rule: above the floor overwrites, with no openings used; at the floor, the very
/// key that is installed is keyed again, its used openings kept; anything else is stale.
fn used_openings(
    view: &SlotView<'_>,
    grant: &Verified<'_, Grant>,
    device: &PublicKey,
    crypto: &impl Crypto,
) -> Result<u32, LockError> {
    if grant.generation > view.floor() {
        return Ok(0);
    }
    match view.content() {
        Content::Installed { key }
            if grant.generation == view.floor() && key.grant == grant.digest(crypto) && key.device == *device =>
        {
            Ok(key.used)
        }
        _ => Err(LockError::StaleGeneration),
    }
}

/// What an accepted bundle leaves.
struct Decision {
    record: SlotRecord,
    output: Installed,
}

impl<C: Crypto, const SLOTS: usize> Lock<C, SLOTS> {
    /// Installs the key that a bundle carries: grant, claim, install and release. `rng` gives the
    /// lock's X25519 key.
    ///
    /// # Errors
    /// [`Refusal`] with the first check that failed, in the order of the spec. The session is spent.
    pub fn install(
        &mut self,
        session: Session<purpose::Install>,
        bundle: &[u8],
        now: Now,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Staged<'_, Installed>, Refusal> {
        let nonce = self.spend(session, now);
        let decision = match self.decide_install(nonce, bundle, now, rng) {
            Ok(decision) => decision,
            Err(denied) => return Err(self.refuse(bundle, denied)),
        };
        let cell = Cell::Slot(decision.output.slot);
        let record = record::encode(&self.crypto, &self.keys, cell, &decision.record)
            .map_err(|error| self.refuse(bundle, Denied::Known(error.into())))?;
        let change = Change::Slot(decision.output.slot, decision.record);
        Ok(Staged::new(self.state(), cell, Some(record), change, decision.output))
    }

    fn decide_install(
        &self,
        nonce: Result<Nonce, LockError>,
        bundle: &[u8],
        now: Now,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Decision, Denied> {
        let chain = Chain::parse(bundle).map_err(LockError::Wire)?;
        let nonce = nonce?;
        let owned = self.core.ownership()?;
        let claims = chain.grant.claims();
        if claims.lock != self.id() {
            return Err(LockError::WrongLock.into());
        }
        if claims.epoch != owned.epoch {
            return Err(LockError::WrongEpoch.into());
        }
        let view = state::view(&self.slots, claims.slot, owned.epoch)?;
        if matches!(view.content(), Content::Inactive) {
            return Err(LockError::SlotInactive.into());
        }
        let chain = chain.verify(&self.crypto, &owned, &nonce)?;
        self.install_authorised(&chain, &view, &owned, now, rng).map_err(Denied::Known)
    }

    fn install_authorised(
        &self,
        chain: &Authorised<'_>,
        view: &SlotView<'_>,
        owned: &Ownership,
        now: Now,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Decision, LockError> {
        let (grant, device) = (&chain.grant, chain.claim.device);
        if grant.limits.need_clock() && now.clock == Clock::Absent {
            return Err(LockError::NoClock);
        }
        let used = used_openings(view, grant, &device, &self.crypto)?;

        let secret = AgreementSecret::random(rng);
        let shared = self.crypto.agree(&secret, &chain.install.agreement)?;
        let receipt = Receipt {
            install: chain.install.digest(&self.crypto),
            lock: self.id(),
            epoch: owned.epoch,
            slot: grant.slot,
            generation: grant.generation,
            grant: grant.digest(&self.crypto),
            device,
            agreement: self.crypto.agreement_key(&secret),
        };
        let sealed = wire::seal(&self.crypto, &self.keys.signer, &receipt)?;
        let pairing = pairing::derive(&self.crypto, &sealed.digest(&self.crypto), &shared)
            .map_err(crate::error::SealError::Provider)?;
        let key =
            InstalledKey { grant: receipt.grant, device, pairing, rights: grant.rights, limits: grant.limits, used };
        Ok(Decision {
            record: SlotRecord { epoch: owned.epoch, floor: grant.generation, content: Content::Installed { key } },
            output: Installed { receipt: sealed, slot: grant.slot, generation: grant.generation, device },
        })
    }
}
