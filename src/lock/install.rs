//! Install: a downloaded key takes its slot (spec: "Install").

use rand_core::CryptoRng;

use super::accepted::Accepted;
use super::memory::{Change, Ownership, SlotView};
use super::pins::Keys;
use super::plan::{FromPlan, Plan, Turned};
use super::record::{Content, InstalledKey, SlotRecord, Write};
use super::refusal::{Denied, Refusal};
use super::{Clock, Lock, Now, Role, Session, memory, purpose};
use crate::counter::{Generation, Term};
use crate::crypto::{Crypto, Nonce, PublicKey};
use crate::error::{LockError, SealError, WireError};
use crate::id::{LockId, SlotId};
use crate::message::{Bundle, Claim, Grant, Install, Receipt, Release};
use crate::pairing;
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

impl FromPlan for Installed {
    fn from_plan(plan: &Plan, _: LockId) -> Self {
        let Plan { slot, generation, device, answer, .. } = plan;
        Self { receipt: Encoded::taken(answer), slot: *slot, generation: *generation, device: *device }
    }
}

/// The four messages of a bundle, well-formed, nothing checked.
struct Chain<'a> {
    grant: Unverified<'a, Grant>,
    claim: Unverified<'a, Claim>,
    install: Unverified<'a, Install>,
    release: Unverified<'a, Release>,
}

/// The four messages of a bundle, each signed by whom it must be and naming the one before it. They stay where they
/// were decoded.
struct Authorised<'c> {
    grant: Verified<'c, &'c Grant>,
    claim: Verified<'c, &'c Claim>,
    install: Verified<'c, &'c Install>,
}

impl<'a> Chain<'a> {
    #[inline(never)]
    fn parse(bundle: &'a [u8]) -> Result<Self, WireError> {
        //= spec/protocol.md#message-bundle
        //# MSG-19. A decoder MUST divide a bundle into its four parts, and refuse bytes that follow them, before it decodes any part.
        let bundle = Bundle::parse(bundle)?;
        Ok(Self {
            grant: Unverified::parse(bundle.grant)?,
            claim: Unverified::parse(bundle.claim)?,
            install: Unverified::parse(bundle.install)?,
            release: Unverified::parse(bundle.release)?,
        })
    }

    /// Four signature checks at most; the first that fails ends it.
    //= spec/protocol.md#install
    //# INS-18. A lock MUST NOT make more than four signature checks in one install.
    #[inline(never)]
    fn verify<C: Crypto>(&self, crypto: &C, keys: &Keys<C>, nonce: &Nonce) -> Result<Authorised<'_>, LockError> {
        //= spec/protocol.md#install
        //# INS-22. The grant MUST be signed by somebody whose key the lock has, so its `by` is 0.
        if self.grant.claims().by != Term::OWNER {
            return Err(LockError::UnknownSigner);
        }
        //= spec/protocol.md#install
        //# INS-6. The grant's signature MUST verify under the owner key.
        let grant = self.grant.check_pinned(crypto, &keys.owner).map_err(LockError::GrantSignature)?;
        //= spec/protocol.md#install
        //# INS-7. The claim MUST name the grant by its digest.
        if self.claim.claims().grant != grant.digest(crypto) {
            return Err(LockError::ClaimNamesOtherGrant);
        }
        //= spec/protocol.md#install
        //# INS-8. The claim's signature MUST verify under the grant's subject.
        let claim = self.claim.check(crypto, &grant.subject).map_err(LockError::ClaimSignature)?;
        //= spec/protocol.md#install
        //# INS-9. The install MUST name the claim by its digest.
        if self.install.claims().claim != claim.digest(crypto) {
            return Err(LockError::InstallNamesOtherClaim);
        }
        //= spec/protocol.md#install
        //# INS-10. The install MUST carry the session's nonce.
        if self.install.claims().nonce != *nonce {
            return Err(LockError::WrongNonce);
        }
        //= spec/protocol.md#strict-keys
        //# KEY-7. A lock MUST make the checks KEY-1 and KEY-2 on every public key that it is to store, before anything is staged.
        //= spec/protocol.md#install
        //# INS-11. The install's signature MUST verify under the claim's device.
        let install = self.install.check(crypto, &claim.device).map_err(LockError::InstallSignature)?;
        //= spec/protocol.md#install
        //# INS-12. The release MUST name the install by its digest.
        if self.release.claims().install != install.digest(crypto) {
            return Err(LockError::ReleaseNamesOtherInstall);
        }
        //= spec/protocol.md#install
        //# INS-13. The release's signature MUST verify under the service key.
        self.release.check_pinned(crypto, &keys.service).map_err(LockError::ReleaseSignature)?;
        Ok(Authorised { grant, claim, install })
    }
}

/// The generation rule: above the floor overwrites, with no openings used; at the floor, the very
/// key that is installed is keyed again, its used openings kept; anything else is stale.
fn used_openings(
    view: &SlotView<'_>,
    grant: &Verified<'_, &Grant>,
    device: &PublicKey,
    crypto: &impl Crypto,
) -> Result<u32, LockError> {
    //= spec/protocol.md#generation-rule
    //# GEN-1. A grant whose generation is above the slot's floor MUST install: it overwrites what was there, becomes the floor, and starts with no use counted.
    if grant.generation > view.floor() {
        return Ok(0);
    }
    match view.content() {
        //= spec/protocol.md#generation-rule
        //# GEN-2. A grant whose generation equals the floor MUST be re-keyed if, and only if, a key with the same grant digest and the same device is installed.
        Content::Installed { key }
            if grant.generation == view.floor() && key.grant == grant.digest(crypto) && key.device == *device =>
        {
            //= spec/protocol.md#generation-rule
            //# GEN-3. A re-key MUST replace the pairing key and nothing else.
            Ok(key.used)
        }
        //= spec/protocol.md#generation-rule
        //# GEN-4. Any other grant MUST be refused as stale.
        _ => Err(LockError::StaleGeneration),
    }
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
    ) -> Result<Accepted<'_, Installed>, Refusal> {
        Ok(self.plan(|role, plan| role.install(session, bundle, now, rng, plan))?)
    }
}

impl<C: Crypto, const SLOTS: usize> Role<C, SLOTS> {
    #[inline(never)]
    pub(super) fn install(
        &mut self,
        session: Session<purpose::Install>,
        bundle: &[u8],
        now: Now,
        rng: &mut (impl CryptoRng + ?Sized),
        plan: &mut Plan,
    ) -> Result<(), Turned> {
        let nonce = self.spend(session, now);
        //= spec/protocol.md#errors-and-refusals
        //# ERR-2. A refusal MUST change nothing but the session that it used.
        let decided = self.decide_install(nonce, bundle, now, rng, plan);
        //= spec/protocol.md#install
        //# INS-19. The receipt MUST NOT be given to the caller before the slot's record is stored.
        self.settle(bundle, decided, plan)
    }

    //= spec/protocol.md#install
    //# INS-23. The lock MUST make these checks in this order; the first that fails decides the error.
    #[inline(never)]
    fn decide_install(
        &mut self,
        nonce: Result<Nonce, LockError>,
        bundle: &[u8],
        now: Now,
        rng: &mut (impl CryptoRng + ?Sized),
        plan: &mut Plan,
    ) -> Result<(), Denied> {
        //= spec/protocol.md#install
        //# INS-1. The bundle and its four parts MUST decode.
        let chain = Chain::parse(bundle).map_err(LockError::Wire)?;
        //= spec/protocol.md#install
        //# INS-2. The session MUST be the newest for Install and in time.
        let nonce = nonce?;
        //= spec/protocol.md#install
        //# INS-20. The header's and the counter's cells MUST be free and sound.
        //= spec/protocol.md#install
        //# INS-21. The lock MUST be provisioned.
        let owned = self.core.ownership()?;
        //= spec/protocol.md#install
        //# INS-3. The grant MUST name this lock.
        if chain.grant.claims().lock != self.id() {
            return Err(LockError::WrongLock.into());
        }
        //= spec/protocol.md#install
        //# INS-17. A lock MUST NOT let an epoch, a slot, a generation, a use or a time decide before all four signatures held.
        let chain = chain.verify(&self.crypto, self.pins.of(&self.crypto, &owned), &nonce)?;
        self.install_authorised(&chain, &owned, now, rng, plan).map_err(Denied::Known)
    }

    #[inline(never)]
    fn install_authorised(
        &self,
        chain: &Authorised<'_>,
        owned: &Ownership,
        now: Now,
        rng: &mut (impl CryptoRng + ?Sized),
        plan: &mut Plan,
    ) -> Result<(), LockError> {
        let (grant, device) = (&chain.grant, chain.claim.device);
        //= spec/protocol.md#install
        //# INS-4. The grant MUST be of the lock's epoch.
        if grant.epoch != owned.epoch {
            return Err(LockError::WrongEpoch);
        }
        //= spec/protocol.md#install
        //# INS-5. The slot MUST exist, undamaged and active.
        let view = memory::view(&self.core, &self.slots, grant.slot)?;
        //= spec/protocol.md#install
        //# INS-5. The slot MUST exist, undamaged and active.
        if matches!(view.content(), Content::Inactive) {
            return Err(LockError::SlotInactive);
        }
        //= spec/protocol.md#install
        //# INS-14. A lock whose clock is Absent MUST refuse a grant with `from`, `until` or a schedule.
        if grant.limits.need_clock() && now.clock == Clock::Absent {
            return Err(LockError::NoClock);
        }
        //= spec/protocol.md#install
        //# INS-15. The generation rule MUST allow the grant.
        let used = used_openings(&view, grant, &device, &self.crypto)?;

        let install = chain.install.digest(&self.crypto);
        //= spec/protocol.md#pairing-key
        //= type=implication
        //= reason=the secret wipes itself when this call ends, and nothing else holds it
        //# KDF-5. A party MUST wipe its X25519 secret once the pairing key is derived.
        let secret = self.keys.agreement_secret(&self.crypto, &install, rng).map_err(SealError::from)?;
        //= spec/protocol.md#install
        //# INS-16. The X25519 agreement MUST contribute, as KEY-8 says.
        let shared = self.crypto.agree(&secret, &chain.install.agreement)?;
        let receipt = Receipt {
            install,
            lock: self.id(),
            epoch: owned.epoch,
            slot: grant.slot,
            generation: grant.generation,
            grant: grant.digest(&self.crypto),
            device,
            agreement: self.crypto.agreement_key(&secret),
        };
        wire::seal_into(&self.crypto, &self.keys.signer, &receipt, &mut plan.answer)?;
        let pairing = pairing::derive(&self.crypto, &wire::digest(&self.crypto, &plan.answer), &shared)
            .map_err(SealError::from)?;
        let key =
            InstalledKey { grant: receipt.grant, device, pairing, rights: grant.rights, limits: grant.limits, used };
        let record = SlotRecord { epoch: owned.epoch, floor: grant.generation, content: Content::Installed { key } };
        plan.change = Change::Writes(Write::Slot(grant.slot, record));
        (plan.slot, plan.generation, plan.device) = (grant.slot, grant.generation, device);
        Ok(())
    }
}
