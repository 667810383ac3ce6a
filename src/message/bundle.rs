use arrayvec::ArrayVec;

use super::{Claim, Grant, Install, Release};
use crate::error::{SealError, WireError};
use crate::wire::{self, HEADER_LEN, Kind, Message};

/// The whole chain of a download, sent to the lock in one piece: grant, claim, install, release,
/// each behind its length as a `u16`, little-endian. Its parts carry the signatures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bundle<'a> {
    /// A [`Grant`].
    pub grant: &'a [u8],
    /// A [`Claim`].
    pub claim: &'a [u8],
    /// An [`Install`].
    pub install: &'a [u8],
    /// A [`Release`].
    pub release: &'a [u8],
}

const LENGTH_LEN: usize = 2;

impl<'a> Bundle<'a> {
    /// The length of the shortest bundle whose parts are whole messages.
    pub const MIN_LEN: usize =
        HEADER_LEN + 4 * LENGTH_LEN + Grant::MIN_LEN + Claim::MIN_LEN + Install::MIN_LEN + Release::MIN_LEN;
    /// The length of the longest bundle.
    pub const MAX_LEN: usize =
        HEADER_LEN + 4 * LENGTH_LEN + Grant::MAX_LEN + Claim::MAX_LEN + Install::MAX_LEN + Release::MAX_LEN;

    /// Splits a bundle exactly into its parts, which are not looked into.
    ///
    /// # Errors
    /// [`WireError`], naming what is wrong with the bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, WireError> {
        let rest = wire::expect_header(bytes, Kind::Bundle)?;
        //= spec/protocol.md#encoding
        //# MSG-10. A decoder MUST refuse a message longer than MAX_LEN of its kind.
        if bytes.len() > Self::MAX_LEN {
            return Err(WireError::TooLong);
        }
        let (grant, rest) = split_part(rest)?;
        let (claim, rest) = split_part(rest)?;
        let (install, rest) = split_part(rest)?;
        let (release, rest) = split_part(rest)?;
        //= spec/protocol.md#message-bundle
        //# MSG-17. A decoder MUST refuse a bundle in which bytes follow the fourth part.
        //= spec/protocol.md#message-bundle
        //# MSG-19. A decoder MUST divide a bundle into its four parts, and refuse bytes that follow them, before it decodes any part.
        if rest.is_empty() { Ok(Self { grant, claim, install, release }) } else { Err(WireError::Trailing) }
    }

    /// The bytes of the bundle.
    ///
    /// # Errors
    /// [`SealError::TooLong`] when the parts are longer than messages of their kinds can be.
    pub fn encode(&self) -> Result<ArrayVec<u8, { Bundle::MAX_LEN }>, SealError> {
        let mut bytes = wire::empty();
        bytes.try_extend_from_slice(&Kind::Bundle.header()).map_err(|_| SealError::TooLong)?;
        for part in [self.grant, self.claim, self.install, self.release] {
            let length = u16::try_from(part.len()).map_err(|_| SealError::TooLong)?;
            bytes.try_extend_from_slice(&length.to_le_bytes()).map_err(|_| SealError::TooLong)?;
            bytes.try_extend_from_slice(part).map_err(|_| SealError::TooLong)?;
        }
        Ok(bytes)
    }
}

/// The first part, behind its length, and what follows it.
pub(super) fn split_part(bytes: &[u8]) -> Result<(&[u8], &[u8]), WireError> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH_LEN>().ok_or(WireError::Truncated)?;
    rest.split_at_checked(usize::from(u16::from_le_bytes(*length))).ok_or(WireError::Truncated)
}
