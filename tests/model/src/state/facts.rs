//! What a lock is asked, as facts.

use sharekey::counter::{Epoch, Generation, Term};
use sharekey::crypto::{Digest, PublicKey};
use sharekey::error::{KeyError, SignatureError, WireError};
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Rights};
use sharekey::message::Operation;

/// What a challenge is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Purpose {
    /// A download.
    Install,
    /// An unlock, a command, a provisioning or a factory reset.
    Operate,
}

/// Who signed a message, and what is wrong with the signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signed {
    /// Whose key signed it.
    pub by: PublicKey,
    /// How the signature, or the key to check it with, is spoilt.
    pub flaw: Option<SignatureError>,
}

impl Signed {
    /// A sound signature.
    #[must_use]
    pub const fn by(by: PublicKey) -> Self {
        Self { by, flaw: None }
    }

    /// Whether it holds under this key.
    pub(super) fn check(&self, key: &PublicKey) -> Result<(), SignatureError> {
        match self.flaw {
            Some(flaw) => Err(flaw),
            None if self.by == *key => Ok(()),
            None => Err(SignatureError::Mismatch),
        }
    }
}

/// A key that a lock is to store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NewKey {
    /// The key.
    pub key: PublicKey,
    /// Why it is no good key.
    pub flaw: Option<KeyError>,
}

/// A bundle.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BundleFacts {
    /// The grant names this lock.
    pub for_this_lock: bool,
    /// The grant's epoch.
    pub epoch: Epoch,
    /// The grant's slot.
    pub slot: SlotId,
    /// The grant's number.
    pub generation: Generation,
    /// The grant's subject.
    pub subject: PublicKey,
    /// What it allows.
    pub rights: Rights,
    /// Within which limits.
    pub limits: Limits,
    /// The grant's digest.
    pub grant: Digest,
    /// Who the grant says that signed it.
    pub grant_by: Term,
    /// Who signed the grant.
    pub grant_signed: Signed,
    /// The claim carries the grant's digest.
    pub claim_names_grant: bool,
    /// Who signed the claim.
    pub claim_signed: Signed,
    /// The claim's device.
    pub device: PublicKey,
    /// The install carries the claim's digest.
    pub install_names_claim: bool,
    /// Which challenge's nonce the install carries.
    pub nonce: Option<u64>,
    /// Who signed the install.
    pub install_signed: Signed,
    /// The release carries the install's digest.
    pub release_names_install: bool,
    /// Who signed the release.
    pub release_signed: Signed,
    /// The guest's X25519 key contributes.
    pub contributes: bool,
}

/// An unlock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnlockFacts {
    /// The slot.
    pub slot: SlotId,
    /// What the bolt is to do.
    pub action: Action,
    /// Which challenge's nonce it carries.
    pub nonce: Option<u64>,
    /// Under which pairing key its tag holds, by the number that the model gave the key.
    pub tagged: Option<u64>,
}

/// A command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CommandFacts {
    /// It names this lock.
    pub for_this_lock: bool,
    /// Its epoch.
    pub epoch: Epoch,
    /// Which challenge's nonce it carries.
    pub nonce: Option<u64>,
    /// Who it says that signed it.
    pub by: Term,
    /// Who signed it.
    pub signed: Signed,
    /// What it orders.
    pub order: Operation,
    /// Why the owner's and the service's key that it brings are no good keys, where it brings them.
    pub flaws: [Option<KeyError>; 2],
}

/// A provision.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProvisionFacts {
    /// Which challenge's nonce it carries.
    pub nonce: Option<u64>,
    /// Its tag holds under the card's secret.
    pub by_the_card: bool,
    /// The owner.
    pub owner: NewKey,
    /// The service.
    pub service: NewKey,
}

/// A factory reset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResetFacts {
    /// It names this lock.
    pub for_this_lock: bool,
    /// Which challenge's nonce it carries.
    pub nonce: Option<u64>,
    /// Its tag holds under the card's secret.
    pub by_the_card: bool,
}

/// Something sent to a lock in a session.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant, reason = "a test keeps few of them")]
pub enum Request {
    /// What does not decode, sent in a session for this purpose.
    Malformed(Purpose, WireError),
    /// A bundle.
    Bundle(BundleFacts),
    /// An unlock.
    Unlock(UnlockFacts),
    /// A command.
    Command(CommandFacts),
    /// A provision.
    Provision(ProvisionFacts),
    /// A factory reset.
    Reset(ResetFacts),
}

impl Request {
    /// For which purpose its session has to be.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        match self {
            Self::Malformed(purpose, _) => *purpose,
            Self::Bundle(_) => Purpose::Install,
            Self::Unlock(_) | Self::Command(_) | Self::Provision(_) | Self::Reset(_) => Purpose::Operate,
        }
    }
}
