//! What can be done to a lock, in numbers: who, which challenge, which key. The machine resolves it to
//! facts for the model; the door to bytes for the lock.

use std::collections::{BTreeMap, BTreeSet};

use sharekey::counter::{Epoch, Generation, Term};
use sharekey::crypto::{Digest, PublicKey};
use sharekey::error::{KeyError, SignatureError, WireError};
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Rights};
use sharekey::lock::{Cell, Now};
use sharekey::message::Operation;
use sharekey_model::state::{
    BundleFacts, CommandFacts, Ending, NewKey, Op, ProvisionFacts, Purpose, Read, Request, ResetFacts, Signed,
    UnlockFacts,
};
use sharekey_stage::ops::For;
pub use sharekey_stage::ops::To;

/// Somebody, by number: the seed of the key.
pub type Who = u8;

pub const OWNERS: [Who; 3] = [1, 2, 3];
pub const SERVICES: [Who; 2] = [11, 12];
pub const SUBJECTS: [Who; 2] = [21, 22];
pub const DEVICES: [Who; 3] = [31, 32, 33];
/// Whose key is a point of small order.
pub const BAD: Who = 200;
/// A lock that is not this one, nor ever was.
pub const ELSEWHERE: u64 = 1 << 40;

/// The key as the model knows it.
pub fn key(who: Who) -> PublicKey {
    PublicKey::from_bytes([who; 32])
}

pub fn new_key(who: Who) -> NewKey {
    NewKey { key: key(who), flaw: (who == BAD).then_some(KeyError::SmallOrder) }
}

/// How a signature is spoilt.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Flaw {
    None,
    /// Over other bytes.
    Mismatch,
    /// S is not below the order.
    Scalar,
    /// R is a point of small order.
    Commitment,
}

/// A signature by somebody, to be checked with somebody's key.
pub fn signed(by: Who, flaw: Flaw, under: Option<Who>) -> Signed {
    let flaw = match flaw {
        _ if under == Some(BAD) => Some(SignatureError::Key(KeyError::SmallOrder)),
        Flaw::None => None,
        Flaw::Mismatch => Some(SignatureError::Mismatch),
        Flaw::Scalar => Some(SignatureError::ScalarNotReduced),
        Flaw::Commitment => Some(SignatureError::Commitment(KeyError::SmallOrder)),
    };
    Signed { by: key(by), flaw }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Grant {
    pub lock: u64,
    pub epoch: u32,
    pub slot: u8,
    pub generation: u32,
    pub subject: Who,
    pub rights: Rights,
    pub limits: Limits,
    /// Who it says that signed it.
    pub term: Term,
    pub by: Who,
    pub flaw: Flaw,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bundle {
    pub grant: Grant,
    pub device: Who,
    pub nonce: Option<u64>,
    /// Claim, install and release name another message than the one before them.
    pub names_other: [bool; 3],
    /// Who signs claim, install and release.
    pub by: [Who; 3],
    pub flaws: [Flaw; 3],
    pub contributes: bool,
}

/// Its keys are those that the model knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Command {
    pub lock: u64,
    pub epoch: u32,
    pub nonce: Option<u64>,
    /// Who it says that signed it.
    pub term: Term,
    pub by: Who,
    pub flaw: Flaw,
    pub order: Operation,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Broken {
    Empty,
    Magic,
    Version,
    Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant, reason = "a test keeps few of them")]
pub enum Sent {
    /// For which call it was to be.
    Malformed(To, Broken),
    Bundle(Bundle),
    /// The pairing key by the model's number; none for a made-up one.
    Unlock {
        slot: u8,
        action: Action,
        nonce: Option<u64>,
        pairing: Option<u64>,
    },
    Command(Command),
    Provision {
        nonce: Option<u64>,
        by_the_card: bool,
        owner: Who,
        service: Who,
    },
    Reset {
        lock: u64,
        nonce: Option<u64>,
        by_the_card: bool,
    },
}

/// One step of a history.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant, reason = "a test keeps few of them")]
pub enum Step {
    Challenge {
        purpose: Purpose,
        ending: Ending,
    },
    Send {
        session: u64,
        sent: Sent,
        ending: Ending,
    },
    Store {
        ticket: u64,
    },
    Written {
        ticket: u64,
    },
    Abandon {
        ticket: u64,
    },
    Reload {
        cell: Cell,
        read: Read,
    },
    Boot {
        reads: BTreeMap<Cell, Read>,
    },
    Make {
        writes: usize,
    },
    /// Challenges until so many numbers below the ceiling are left.
    Spin {
        left: u64,
    },
    Now(Now),
}

/// The purpose as the model names it.
pub fn purpose(purpose: For) -> Purpose {
    match purpose {
        For::Install => Purpose::Install,
        For::Operate => Purpose::Operate,
    }
}

impl Sent {
    /// The call that it is given to.
    pub fn to(&self) -> To {
        match self {
            Self::Malformed(to, _) => *to,
            Self::Bundle(_) => To::Install,
            Self::Unlock { .. } => To::Unlock,
            Self::Command(_) => To::Command,
            Self::Provision { .. } => To::Provision,
            Self::Reset { .. } => To::Reset,
        }
    }

    pub fn purpose(&self) -> Purpose {
        purpose(self.to().purpose())
    }

    /// The facts of it, at the lock with this number.
    pub fn facts(&self, lock: u64, grants: &Interned) -> Request {
        match *self {
            Self::Malformed(to, broken) => {
                let error = match broken {
                    Broken::Empty => WireError::Truncated,
                    Broken::Magic => WireError::Magic,
                    Broken::Version => WireError::Version { found: 2 },
                    Broken::Kind => WireError::Kind { expected: to.kind(), found: 32 },
                };
                Request::Malformed(self.purpose(), error)
            }
            Self::Bundle(bundle) => Request::Bundle(bundle.facts(lock, grants)),
            Self::Unlock { slot, action, nonce, pairing } => {
                Request::Unlock(UnlockFacts { slot: SlotId::new(slot), action, nonce, tagged: pairing })
            }
            Self::Command(command) => Request::Command(CommandFacts {
                for_this_lock: command.lock == lock,
                epoch: Epoch::new(command.epoch),
                nonce: command.nonce,
                by: command.term,
                signed: signed(command.by, command.flaw, None),
                order: command.order,
                flaws: command.flaws(),
            }),
            Self::Provision { nonce, by_the_card, owner, service } => Request::Provision(ProvisionFacts {
                nonce,
                by_the_card,
                owner: new_key(owner),
                service: new_key(service),
            }),
            Self::Reset { lock: meant, nonce, by_the_card } => {
                Request::Reset(ResetFacts { for_this_lock: meant == lock, nonce, by_the_card })
            }
        }
    }
}

impl Command {
    /// What is wrong with the keys that it hands the lock to.
    fn flaws(&self) -> [Option<KeyError>; 2] {
        let Operation::Transfer { owner, service } = self.order else { return [None; 2] };
        [owner, service].map(|new| (new == key(BAD)).then_some(KeyError::SmallOrder))
    }
}

impl Bundle {
    /// One with which nothing is wrong: of this owner (epoch, owner, service), to this subject and device.
    pub const fn good(
        lock: u64,
        (epoch, owner, service): (u32, Who, Who),
        (slot, generation): (u8, u32),
        (subject, device): (Who, Who),
        (rights, limits): (Rights, Limits),
        nonce: Option<u64>,
    ) -> Self {
        let (term, flaw) = (Term::OWNER, Flaw::None);
        Self {
            grant: Grant { lock, epoch, slot, generation, subject, rights, limits, term, by: owner, flaw },
            device,
            nonce,
            names_other: [false; 3],
            by: [subject, device, service],
            flaws: [Flaw::None; 3],
            contributes: true,
        }
    }

    fn facts(&self, lock: u64, grants: &Interned) -> BundleFacts {
        let Self { grant, device, nonce, names_other, by, flaws, contributes } = *self;
        BundleFacts {
            for_this_lock: grant.lock == lock,
            epoch: Epoch::new(grant.epoch),
            slot: SlotId::new(grant.slot),
            generation: Generation::new(grant.generation),
            subject: key(grant.subject),
            rights: grant.rights,
            limits: grant.limits,
            grant: grants.digest(&grant),
            grant_by: grant.term,
            grant_signed: signed(grant.by, grant.flaw, None),
            claim_names_grant: !names_other[0],
            claim_signed: signed(by[0], flaws[0], Some(grant.subject)),
            device: key(device),
            install_names_claim: !names_other[1],
            nonce,
            install_signed: signed(by[1], flaws[1], Some(device)),
            release_names_install: !names_other[2],
            release_signed: signed(by[2], flaws[2], None),
            contributes,
        }
    }
}

/// Grants by number: what stands for their digests in the model.
#[derive(Clone, Default, Debug)]
pub struct Interned(Vec<Grant>);

impl Interned {
    pub fn intern(&mut self, grant: Grant) {
        if !self.0.contains(&grant) {
            self.0.push(grant);
        }
    }

    /// The model's name for a grant that was interned.
    pub fn digest(&self, grant: &Grant) -> Digest {
        let at = self.0.iter().position(|known| known == grant).expect("interned");
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&u64::try_from(at).unwrap().to_le_bytes());
        Digest::from_bytes(bytes)
    }
}

impl Step {
    /// What happens, in the model's terms; none for a change of time, and for many challenges.
    pub fn op(&self, now: Now, lock: u64, grants: &Interned) -> Option<Op> {
        Some(match self.clone() {
            Self::Challenge { purpose, ending } => Op::Challenge { purpose, now, ending },
            Self::Send { session, sent, ending } => {
                Op::Request { session, request: sent.facts(lock, grants), now, ending }
            }
            Self::Store { ticket } => Op::Store { ticket },
            Self::Written { ticket } => Op::Written { ticket },
            Self::Abandon { ticket } => Op::Abandon { ticket },
            Self::Reload { cell, read } => Op::Reload { cell, read },
            Self::Boot { reads } => Op::Boot { reads },
            Self::Make { writes } => Op::Make { writes },
            Self::Spin { .. } | Self::Now(_) => return None,
        })
    }
}

/// Sessions that were given, and not used.
pub type Handles = BTreeSet<(u64, Purpose)>;
