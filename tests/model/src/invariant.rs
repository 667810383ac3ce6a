//! The fifteen invariants of the protocol, by name, judged over what happened.
//!
//! A harness tells a [`Ledger`] each [`Event`] when it has happened for good: signed, stored, or done
//! at the bolt. The ledger knows no rule of lock, owner, guest or service; it keeps what happened and
//! says which invariant a further event breaks. It is a value, so that it can be part of a model
//! checker's state.
//!
//! Judged by the ledger: 1 to 10, 13 to 15. The harness judges [`Invariant::Power`] (11) by comparing
//! what is stored with the state before and after, and [`Invariant::Progress`] (12) by running on; it
//! reports them as [`Violation`]s too.

use alloc::collections::{BTreeMap, BTreeSet};

use sharekey::counter::{Epoch, Generation};
use sharekey::crypto::{Digest, Nonce, PublicKey};
use sharekey::id::{LockId, SlotId};

mod judge;
mod order;
mod view;

pub use self::order::Order;
pub use self::view::ViewFacts;

/// What must hold, numbered as in the spec.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Invariant {
    /// The bolt opens only for the owner, or for the device whose key is installed in that slot then.
    Entry = 1,
    /// Once a generation is installed or taken at the lock, no lower one installs or opens again.
    Overwrite,
    /// No nonce repeats; each is good for one accepted message, not after its deadline.
    Replay,
    /// A grant of which `Withdrawn` says that it was not released never installs.
    Revocation,
    /// An install implies that the service's record was already shared for that device.
    Release,
    /// A grant is installed for at most one device.
    OneDevice,
    /// An owner who sees a key confirmed for a device is right.
    Proof,
    /// After `Done(Deactivate n)` no key granted with a number up to n opens that slot.
    Deactivation,
    /// After a transfer nothing signed before works; after a factory reset nothing but the card does.
    Epoch,
    /// Nothing meant for one lock, slot, kind or version works for another.
    Isolation,
    /// A cut leaves before or after; the bolt never moved for a record that was not written.
    Power,
    /// From every reachable state an undisturbed honest run succeeds.
    Progress,
    /// No view says, as of the record version that it names, that nobody can open while some key can.
    HonestView,
    /// Never more openings than granted.
    Uses,
    /// With the service taken over: every installed device was named by the grant's subject.
    Takeover,
}

/// An invariant that does not hold, and what showed it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// What happened.
    pub what: &'static str,
}

impl core::fmt::Display for Violation {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:?}: {}", self.invariant, self.what)
    }
}

impl core::error::Error for Violation {}

/// Refuses with `invariant` unless `holds`.
pub(crate) const fn must(holds: bool, invariant: Invariant, what: &'static str) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation { invariant, what }) }
}

/// Whether the service's key is its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Service {
    /// It runs the real service.
    Honest,
    /// The attacker has its key: what rests on it (4, 5, and 13 beyond what the lock signed) is not
    /// judged, the rest is.
    TakenOver,
}

/// A slot of a lock in one ownership: what one number line belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place {
    /// The lock.
    pub lock: LockId,
    /// The ownership.
    pub epoch: Epoch,
    /// The slot.
    pub slot: SlotId,
}

/// The challenge that an accepted message answered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Answered {
    /// Its nonce.
    pub nonce: [u8; Nonce::LEN],
    /// Whether the session's deadline had not passed, by the harness's own count.
    pub in_time: bool,
}

/// What the service's record said of a withdrawn grant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Withdrawal {
    /// It was never released.
    NeverReleased,
    /// It had been released.
    Released,
    /// It had already been proved dead.
    Settled,
}

/// Something that happened for good.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Event {
    /// A lock gave a challenge.
    Challenged {
        /// The lock.
        lock: LockId,
        /// The nonce in it.
        nonce: [u8; Nonce::LEN],
    },
    /// A lock was provisioned or transferred.
    Owned {
        /// The lock.
        lock: LockId,
        /// The ownership that began.
        epoch: Epoch,
        /// The new owner.
        owner: PublicKey,
        /// The challenge.
        answered: Answered,
        /// The command, of a transfer; `None` of a provisioning under the card.
        command: Option<Digest>,
    },
    /// The card erased a lock.
    Erased {
        /// The lock, which is no more.
        lock: LockId,
        /// The challenge.
        answered: Answered,
    },
    /// An owner signed a command.
    Ordered {
        /// The command.
        command: Digest,
        /// By whom.
        owner: PublicKey,
        /// For which lock.
        lock: LockId,
        /// In which ownership.
        epoch: Epoch,
    },
    /// What a command orders, where the harness can tell: told after [`Ordered`](Self::Ordered).
    Meant {
        /// The command.
        command: Digest,
        /// What it orders.
        order: Order,
    },
    /// An owner signed a grant.
    Granted {
        /// The grant.
        grant: Digest,
        /// By whom.
        owner: PublicKey,
        /// For which slot.
        place: Place,
        /// Its number.
        generation: Generation,
        /// How many openings it allows; `None` for any number.
        uses: Option<u32>,
    },
    /// Whoever holds the subject's key signed a claim.
    Claimed {
        /// The grant.
        grant: Digest,
        /// The device that it names.
        device: PublicKey,
    },
    /// The honest service released a grant: its store took the record with this version.
    Released {
        /// The grant.
        grant: Digest,
        /// To which device.
        device: PublicKey,
        /// The record's version afterwards.
        version: u64,
    },
    /// The honest service answered a withdrawal: its store took the record.
    Withdrawn {
        /// The grant.
        grant: Digest,
        /// What the answer says.
        outcome: Withdrawal,
    },
    /// A lock installed a key, anew or again.
    Installed {
        /// Where.
        place: Place,
        /// The grant.
        grant: Digest,
        /// Its number.
        generation: Generation,
        /// The device.
        device: PublicKey,
        /// The challenge.
        answered: Answered,
    },
    /// The bolt moved for a guest.
    Acted {
        /// The slot whose key was used.
        place: Place,
        /// The device that asked.
        device: PublicKey,
        /// The number of its key.
        generation: Generation,
        /// The challenge.
        answered: Answered,
        /// Whether it was an opening, which counts as a use.
        opened: bool,
    },
    /// The bolt moved for an owner, or the lock looked at a slot, or set its clock.
    Obeyed {
        /// The lock.
        lock: LockId,
        /// In which ownership.
        epoch: Epoch,
        /// The command.
        command: Digest,
        /// The challenge.
        answered: Answered,
    },
    /// A lock opened or closed a slot for sharing.
    Switched {
        /// Which slot.
        place: Place,
        /// Whether it is open now.
        active: bool,
        /// The number that this took.
        generation: Generation,
        /// The command.
        command: Digest,
        /// The challenge.
        answered: Answered,
    },
}

/// A key at a lock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Held {
    /// The grant that it came from.
    pub grant: Digest,
    /// The device that holds it.
    pub device: PublicKey,
    /// The grant's number.
    pub generation: Generation,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
struct LockFacts {
    owned: Option<(Epoch, PublicKey)>,
    erased: bool,
    given: BTreeSet<[u8; Nonce::LEN]>,
    answered: BTreeSet<[u8; Nonce::LEN]>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
struct SlotFacts {
    /// The highest number that was installed or taken by a switch.
    taken: Generation,
    /// The highest number that a deactivation took.
    deactivated: Option<Generation>,
    active: bool,
    held: Option<Held>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct GrantFacts {
    owner: PublicKey,
    place: Place,
    generation: Generation,
    uses: Option<u32>,
    claimed: BTreeSet<PublicKey>,
    /// To which device, and at which version first.
    released: Option<(PublicKey, u64)>,
    withdrawn: Option<Withdrawal>,
    installed: Option<PublicKey>,
    opened: u32,
}

/// Everything that happened, as far as the invariants speak of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ledger {
    service: Service,
    locks: BTreeMap<LockId, LockFacts>,
    places: BTreeMap<Place, SlotFacts>,
    grants: BTreeMap<Digest, GrantFacts>,
    orders: BTreeMap<Digest, (PublicKey, LockId, Epoch)>,
    meant: BTreeMap<Digest, Order>,
}

impl Ledger {
    /// Nothing happened yet.
    #[must_use]
    pub const fn new(service: Service) -> Self {
        Self {
            service,
            locks: BTreeMap::new(),
            places: BTreeMap::new(),
            grants: BTreeMap::new(),
            orders: BTreeMap::new(),
            meant: BTreeMap::new(),
        }
    }

    /// What a slot holds.
    #[must_use]
    pub fn held(&self, place: Place) -> Option<Held> {
        self.places.get(&place).and_then(|slot| slot.held)
    }

    /// The highest number that was installed or taken at the lock.
    #[must_use]
    pub fn taken(&self, place: Place) -> Generation {
        self.places.get(&place).map_or(Generation::ZERO, |slot| slot.taken)
    }

    /// Whether a slot is open for sharing.
    #[must_use]
    pub fn is_active(&self, place: Place) -> bool {
        self.places.get(&place).is_some_and(|slot| slot.active)
    }

    /// How often the keys of a grant opened.
    #[must_use]
    pub fn opened(&self, grant: Digest) -> u32 {
        self.grants.get(&grant).map_or(0, |grant| grant.opened)
    }

    /// The ownership of a lock, and who owns it.
    #[must_use]
    pub fn owned(&self, lock: LockId) -> Option<(Epoch, PublicKey)> {
        self.locks.get(&lock).filter(|lock| !lock.erased).and_then(|lock| lock.owned)
    }
}
