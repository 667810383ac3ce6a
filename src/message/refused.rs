use crate::crypto::{Digest, Signature, Verify};
use crate::error::{RefuseReason, SignatureError, WireError};
use crate::id::LockId;
use crate::wire::{self, Kind, Unverified, Verified, message};

message! {
    /// What a signed refusal says: proves that the lock refused this very request, and why.
    pub struct RefusedBody: Refused, Signature {
        /// The request: a bundle, a command or a provision.
        pub request: Digest,
        /// Why.
        pub reason: RefuseReason,
    }
}

/// The lock's refusal: opaque before the request's signatures held, signed with its reason after.
#[derive(Clone, Copy, Debug)]
pub enum Refused<'a> {
    /// Nothing but the header. Anybody could have sent it.
    Opaque,
    /// With a reason, under the lock's signature.
    Signed(Unverified<'a, RefusedBody>),
}

impl<'a> Refused<'a> {
    /// The opaque form.
    pub const OPAQUE: [u8; wire::HEADER_LEN] = Kind::Refused.header();

    /// Decodes either form.
    ///
    /// # Errors
    /// [`WireError`], naming what is wrong with the bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, WireError> {
        if wire::expect_header(bytes, Kind::Refused)?.is_empty() {
            return Ok(Self::Opaque);
        }
        Unverified::parse(bytes).map(Self::Signed)
    }

    /// The reason, if the refusal is signed by `lock` and answers `request`; `None` where it is
    /// opaque or answers something else.
    ///
    /// # Errors
    /// [`SignatureError`] where it claims to be signed and is not by `lock`.
    pub fn reason(
        self,
        crypto: &impl Verify,
        lock: &LockId,
        request: &Digest,
    ) -> Result<Option<RefuseReason>, SignatureError> {
        let Self::Signed(unverified) = self else { return Ok(None) };
        let body: Verified<'_, RefusedBody> = unverified.verify(crypto, lock.key())?;
        Ok((body.request == *request).then_some(body.reason))
    }
}
