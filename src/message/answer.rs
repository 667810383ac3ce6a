use alloc::vec::Vec;

use super::bundle::split_part;
use crate::crypto::{Digest, Hash};
use crate::error::WireError;
use crate::wire::{self, MAX_MESSAGE};

/// The answer to a [`ReportRequest`](super::ReportRequest): the [`Report`](super::Report), and the messages that go with
/// it, each behind its length as a `u16`, little-endian.
#[derive(Clone, Copy, Debug)]
pub struct ReportAnswer<'a> {
    /// The [`Report`](super::Report).
    pub report: &'a [u8],
    messages: &'a [u8],
}

impl<'a> ReportAnswer<'a> {
    /// How many messages go with a report at most.
    pub const MAX_MESSAGES: usize = 64;

    /// Splits an answer into its parts, which are counted and measured, and not looked into.
    ///
    /// # Errors
    /// [`WireError::Truncated`]; [`WireError::TooLong`] for more messages than go with a report, and for one that is longer
    /// than any message.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, WireError> {
        let (report, messages) = split_part(bytes)?;
        let mut rest = messages;
        //= spec/protocol.md#reports
        //# RPT-8. A phone MUST refuse an answer with more than 64 messages, or with one that is longer than any message can be, before it checks a signature.
        for _ in 0..Self::MAX_MESSAGES {
            if rest.is_empty() {
                break;
            }
            let (part, after) = split_part(rest)?;
            if part.len() > MAX_MESSAGE {
                return Err(WireError::TooLong);
            }
            rest = after;
        }
        if rest.is_empty() { Ok(Self { report, messages }) } else { Err(WireError::TooLong) }
    }

    /// The first message: the statement of ownership of the record's epoch.
    #[must_use]
    pub fn statement(&self) -> Option<&'a [u8]> {
        self.messages().next()
    }

    /// The messages, in their order.
    pub fn messages(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.messages;
        core::iter::from_fn(move || {
            let (part, after) = split_part(rest).ok()?;
            rest = after;
            Some(part)
        })
    }

    /// The digest by which a report names its messages: SHA-256 over their digests, in their order.
    #[must_use]
    pub fn digest(crypto: &impl Hash, messages: impl Iterator<Item = &'a [u8]>) -> Digest {
        let digests: Vec<Digest> = messages.map(|message| wire::digest(crypto, message)).collect();
        let parts: Vec<&[u8]> = digests.iter().map(|digest| digest.as_bytes().as_slice()).collect();
        Digest::from_bytes(crypto.sha256(&parts))
    }

    /// The bytes of an answer. (Parts of more than 65 535 bytes, which no message has, are cut short in their length.)
    #[must_use]
    pub fn encode(report: &[u8], messages: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in core::iter::once(&report).chain(messages) {
            let length = u16::try_from(part.len()).unwrap_or(u16::MAX);
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }
}
