//! The guest's side: claim a grant, download the key once, open offline from then on (spec:
//! "Guest").
//!
//! ```text
//! grant ─▶ Account::claim ─▶ Claimed ─▶ install(challenge) ─▶ Installing ─▶ bundle(release) ─▶ Download
//!                               │                                                               │
//!                               └── again, where the connection dropped        finish(receipt) ─▶ GuestKey
//! ```
//!
//! With an allocator, keep all of it in one `Keyring`, which knows which grant is the newer, which key is for which
//! door, and what is still to be sent; the steps above are what it is made of, for devices without.
//!
//! Each step gives its value [`Unstored`]: nothing leaves before it is stored. [`Claimed`], [`Installing`] and
//! [`GuestKey`] hold secrets, and are stored [sealed or exposed](crate::secret).

use rand_core::CryptoRng;

use crate::code::ShareCode;
use crate::crypto::{Crypto, Nonce, PublicKey, Sign, Signer, Stretch};
use crate::error::{GuestError, ProviderFailed};
use crate::limits::Timestamp;
use crate::message::{Claim, FindRequest, Grant};
use crate::secret::Seed;
use crate::wire::{self, Encoded, Unverified};

mod download;
mod invitation;
mod key;
#[cfg(feature = "alloc")]
mod ring;
mod unstored;

pub use self::download::{Claimed, Download, Installing};
pub use self::invitation::Invitation;
pub use self::key::{AwaitingReply, GuestKey};
#[cfg(feature = "alloc")]
pub use self::ring::{Keyring, RingChange, RingKey, Taken};
pub use self::unstored::Unstored;

/// Who a grant is for: a guest's account, or whoever redeemed a share code.
pub struct Account<C: Sign> {
    signer: Signer<C>,
}

impl<C: Sign> Account<C> {
    /// The account that `seed` stands for.
    ///
    /// # Errors
    /// [`ProviderFailed`] when the provider cannot load the key.
    pub fn from_seed(crypto: &C, seed: &Seed) -> Result<Self, ProviderFailed> {
        Signer::from_seed(crypto, seed).map(|signer| Self { signer })
    }

    /// The account that a share code stands for. The code is used up; what stays is the account, for
    /// one grant. Takes 100 000 rounds of key stretching.
    ///
    /// # Errors
    /// [`ProviderFailed`] when the provider cannot load the key.
    pub fn redeem(crypto: &C, code: ShareCode) -> Result<Self, ProviderFailed>
    where
        C: Stretch,
    {
        //= spec/protocol.md#issuing-and-using-a-code
        //# COD-14. A party MUST NOT send a code or its seed to the service.
        Self::from_seed(crypto, &code.redeem(crypto))
    }

    /// The account's key: what contacts pin, and what the service finds grants by.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        self.signer.public()
    }

    /// Asks a service for what is shared with this account: gives the request to send. `service` is that service's key,
    /// which the app comes with; `now` is the phone's time, which may be at most 300 seconds from the service's; `rng`
    /// gives the nonce.
    ///
    /// # Errors
    /// [`GuestError::Seal`].
    pub fn ask(
        &self,
        crypto: &C,
        service: &PublicKey,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Encoded<FindRequest>, GuestError>
    where
        C: Crypto,
    {
        //= spec/protocol.md#reports
        //# RPT-1. The nonce of a ReportRequest and of a FindRequest MUST be drawn fresh and unpredictable.
        let nonce = Nonce::random(rng);
        let body = FindRequest { service: *service, subject: *self.public_key(), nonce, time: now };
        Ok(wire::seal(crypto, &self.signer, &body)?)
    }

    /// Claims a grant for this device, with a device key drawn from `rng`.
    ///
    /// A grant goes to one device only: the first whose claim the service releases. `owner` is the
    /// owner's key where the guest knows it; the lock checks it in any case.
    ///
    /// # Errors
    /// [`GuestError::Wire`], [`GuestError::NotTheSubject`], [`GuestError::LockKey`],
    /// [`GuestError::GrantSignature`], [`GuestError::Seal`].
    pub fn claim(
        &self,
        crypto: &C,
        grant: &[u8],
        owner: Option<&PublicKey>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Unstored<Claimed>, GuestError>
    where
        C: Crypto,
    {
        let parsed = Unverified::<Grant>::parse(grant)?;
        let invitation = Invitation::of(&parsed)?;
        //= spec/protocol.md#guest
        //# GST-2. A guest MUST check, before it claims, that the grant names its own key as the subject.
        if invitation.subject() != self.public_key() {
            return Err(GuestError::NotTheSubject);
        }
        //= spec/protocol.md#guest
        //# GST-16. A guest MUST refuse a grant whose lock id fails KEY-1 or KEY-2.
        invitation.lock().key().check().map_err(GuestError::LockKey)?;
        if let Some(owner) = owner {
            parsed.verify(crypto, owner).map_err(GuestError::GrantSignature)?;
        }
        //= spec/protocol.md#guest
        //# GST-1. A guest MUST draw a new device key for each claim.
        let device = Seed::random(rng);
        let device_key = *Signer::from_seed(crypto, &device)?.public();
        let claim = Claim { grant: invitation.grant().digest(crypto), device: device_key };
        let claim = wire::seal(crypto, &self.signer, &claim)?;
        Ok(Unstored::new(Claimed::new(invitation, claim, device)))
    }
}

impl<C: Sign> core::fmt::Debug for Account<C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Account").field("public_key", self.public_key()).finish_non_exhaustive()
    }
}
