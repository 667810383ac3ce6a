//! Grants, proofs and answers by number. A digest in the model spells out what it is the digest of, so
//! that the real one can be made from it.

use sharekey::counter::{Epoch, Generation};
use sharekey::crypto::{Digest, PublicKey};
use sharekey::id::SlotId;
use sharekey::message::{Holding, SlotReport};
use sharekey::slot::GrantRef;

pub const OWNER: u8 = 1;
pub const LOCK: u8 = 99;
/// The service that is tested, and another one.
pub const SERVICES: [u8; 2] = [11, 12];
pub const SUBJECTS: [u8; 3] = [21, 22, 23];
pub const DEVICES: [u8; 2] = [31, 32];
pub const BAD: u8 = 200;
pub const SLOT: SlotId = SlotId::new(3);

pub fn key(who: u8) -> PublicKey {
    PublicKey::from_bytes([who; 32])
}

fn name(kind: u8, parts: &[u32]) -> Digest {
    let mut bytes = [0; 32];
    bytes[0] = kind;
    for (at, part) in parts.iter().enumerate() {
        bytes[1 + 4 * at..5 + 4 * at].copy_from_slice(&part.to_le_bytes());
    }
    Digest::from_bytes(bytes)
}

/// A grant. Two of one number differ by their subjects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grant {
    pub epoch: u32,
    pub generation: u32,
    pub subject: u8,
}

impl Grant {
    pub fn digest(self) -> Digest {
        name(1, &[self.epoch, self.generation, self.subject.into()])
    }

    pub fn key(self) -> GrantRef {
        GrantRef { generation: Generation::new(self.generation), grant: self.digest() }
    }
}

/// The n-th install of a grant for a device; its receipt has the same numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Install {
    pub grant: Grant,
    pub device: u8,
    pub n: u8,
}

impl Install {
    fn parts(self) -> [u32; 5] {
        let Grant { epoch, generation, subject } = self.grant;
        [epoch, generation, subject.into(), self.device.into(), self.n.into()]
    }

    pub fn digest(self) -> Digest {
        name(2, &self.parts())
    }

    pub fn receipt(self) -> Digest {
        name(3, &self.parts())
    }
}

/// What an Inspect found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Inspected {
    pub epoch: u32,
    pub floor: u32,
    /// Whose key, for which device.
    pub holder: Option<(u8, u8)>,
}

impl Inspected {
    pub fn digest(self) -> Digest {
        let (subject, device) = self.holder.unwrap_or_default();
        name(4, &[self.epoch, self.floor, subject.into(), device.into()])
    }

    pub fn report(self) -> SlotReport {
        let Self { epoch, floor, holder } = self;
        let holding = match holder {
            None => Holding::Empty,
            Some((subject, device)) => {
                Holding::Installed { grant: Grant { epoch, generation: floor, subject }.digest(), device: key(device) }
            }
        };
        SlotReport { floor: Generation::new(floor), holding }
    }
}

/// What a digest of the model names.
pub enum Named {
    Grant(Grant),
    Install(Install),
    Receipt(Install),
    Inspected(Inspected),
}

pub fn named(digest: &Digest) -> Named {
    let bytes = digest.as_bytes();
    let part = |at: usize| u32::from_le_bytes(bytes[1 + 4 * at..5 + 4 * at].try_into().unwrap());
    let byte = |at: usize| u8::try_from(part(at)).unwrap();
    let grant = || Grant { epoch: part(0), generation: part(1), subject: byte(2) };
    let install = || Install { grant: grant(), device: byte(3), n: byte(4) };
    match bytes[0] {
        1 => Named::Grant(grant()),
        2 => Named::Install(install()),
        3 => Named::Receipt(install()),
        _ => {
            let holder = (part(2) > 0).then(|| (byte(2), byte(3)));
            Named::Inspected(Inspected { epoch: part(0), floor: part(1), holder })
        }
    }
}

/// Something that the lock signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proof {
    Receipt(Install),
    Turned { epoch: u32, activate: bool, number: u32 },
    Inspected(Inspected),
}

impl Proof {
    pub fn epoch(self) -> Epoch {
        Epoch::new(match self {
            Self::Receipt(install) => install.grant.epoch,
            Self::Turned { epoch, .. } => epoch,
            Self::Inspected(inspected) => inspected.epoch,
        })
    }
}

/// The answer to a withdrawal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    Never,
    Released(Digest),
    Settled,
}

/// How a message to the service is spoilt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spoil {
    None,
    /// Signed by somebody else.
    Signer,
    Lock,
    Slot,
    /// Of a grant or a withdrawal: it says that a steward signed it.
    Term,
    /// Of a release: claim or install name another message than the one before.
    Names,
    /// Of a release: the claim is signed by somebody else.
    Claim,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// A phone signs a grant for this subject.
    Share {
        phone: usize,
        subject: u8,
    },
    /// A phone signs an order that takes a number.
    Order {
        phone: usize,
    },
    /// What the owner signed reaches the service.
    Publish {
        grant: Grant,
        spoil: Spoil,
        stored: bool,
    },
    Withdraw {
        grant: Grant,
        spoil: Spoil,
        stored: bool,
    },
    /// A claim and an install reach the service.
    Release {
        install: Install,
        spoil: Spoil,
        stored: bool,
    },
    /// What the lock signed reaches the service.
    Prove {
        proof: Proof,
        spoil: Spoil,
        stored: bool,
    },
    Reopen {
        epoch: u32,
        owner: u8,
        service: u8,
        spoil: Spoil,
    },
    /// A phone learns something.
    LearnGrant {
        phone: usize,
        grant: Grant,
    },
    LearnProof {
        phone: usize,
        proof: Proof,
    },
    LearnAnswer {
        phone: usize,
        grant: Grant,
        outcome: Outcome,
    },
    /// A phone learns that the lock was handed to the same owner.
    LearnTransfer {
        phone: usize,
        epoch: u32,
    },
    /// A phone sees the report of the record.
    See {
        phone: usize,
    },
}
