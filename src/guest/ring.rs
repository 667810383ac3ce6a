use alloc::vec::Vec;
use core::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::{Claimed, GuestKey, Installing, Invitation};
use crate::crypto::Digest;
use crate::error::GuestError;
use crate::id::{LockId, SlotId};
use crate::limits::{KeyStanding, Timestamp};
use crate::message::{Receipt, Release};
use crate::secret::{holds_secret, plain};
use crate::staged::{Counted, Held, Hold, Staged};
use crate::wire::Encoded;

mod step;

pub use self::step::Taken;

/// What one phone has of what was shared with it: claims, downloads under way, keys, and the receipts that the service
/// has not got yet. It holds secrets: it is stored whole, [sealed or exposed](crate::secret), and nothing leaves before it is.
///
/// ```text
/// find ─▶ take(grant) ─▶ install(challenge) ─▶ bundle(release) ─▶ finish(receipt) ─▶ key
///                             └── again, where the connection dropped          └──▶ to_send ─▶ sent
/// ```
///
/// It keeps these rules, so that no app has to:
///
/// - A claim is kept until the lock's own word says that its grant is dead: only the device that claimed first is ever
///   released, and neither a refusal nor a service that answers wrongly makes this phone another one.
/// - Of two grants for one slot the newer one comes first, in whatever order they came.
/// - Keys are found by lock *and* slot.
/// - A key that is held is not downloaded again by accident ([`install_again`](Self::install_again)).
/// - No answer without proof takes a key away.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Keyring {
    /// One more with every change, for the store's compare-and-swap.
    version: u64,
    /// Sorted by lock and slot, the newest grant of each first.
    downloads: Vec<Downloading>,
    keys: Vec<HeldKey>,
    /// Receipts that the service has not got yet.
    due: Vec<Encoded<Receipt>>,
    hold: Hold,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Keyring")]
struct PlainKeyring {
    version: u64,
    downloads: Vec<Downloading>,
    keys: Vec<HeldKey>,
    due: Vec<Encoded<Receipt>>,
    #[serde(skip)]
    hold: Hold,
}

holds_secret!(Keyring by PlainKeyring);

/// A grant that was claimed, and the latest attempt to install it. Copies of a ring share their secrets.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Downloading {
    #[serde(with = "plain")]
    claimed: Counted<Claimed>,
    #[serde(with = "plain")]
    attempt: Option<Counted<Installing>>,
    release: Option<Encoded<Release>>,
    /// Whether the service, or the lock, said that this grant is none any more.
    aside: bool,
}

/// A key, and what the lock said of its uses.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct HeldKey {
    #[serde(with = "plain")]
    key: Counted<GuestKey>,
    /// How many openings the lock confirmed, where they count.
    opened: u32,
    /// Whether the lock said that none is left.
    spent: bool,
}

/// What the calls that change a ring give.
pub type RingChange<'r, T> = Result<Staged<'r, Keyring, T>, GuestError>;

/// A key in a ring, and what is known of how it stands.
#[derive(Clone, Copy, Debug)]
pub struct RingKey<'r>(&'r HeldKey);

impl Held for Keyring {
    fn hold(&mut self) -> &mut Hold {
        &mut self.hold
    }
}

impl Keyring {
    /// A ring without anything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The version: one more with everything that changes the ring. Put one only in place of the version before, where an
    /// app and its widget share the store.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The key to a slot of a lock.
    #[must_use]
    pub fn key(&self, lock: LockId, slot: SlotId) -> Option<RingKey<'_>> {
        self.keys().find(|held| held.key().lock() == lock && held.key().slot() == slot)
    }

    /// All keys.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = RingKey<'_>> {
        self.keys.iter().map(RingKey)
    }

    /// The claim that [`install`](Self::install) asks for at a door: of the newest grant, unless that was
    /// [set aside](Self::set_aside).
    #[must_use]
    pub fn claimed(&self, lock: LockId, slot: SlotId) -> Option<&Claimed> {
        self.next(lock, slot).and_then(|at| self.downloads.get(at)).map(|download| &*download.claimed)
    }

    /// Every claim, by lock and slot, the newest of each first.
    pub fn claims(&self) -> impl ExactSizeIterator<Item = &Claimed> {
        self.downloads.iter().map(|download| &*download.claimed)
    }

    /// The receipts that the service has not got yet: send them at every contact, in this order, and report each as
    /// [sent](Self::sent). Without them the owner is not shown the download.
    #[must_use]
    pub fn to_send(&self) -> &[Encoded<Receipt>] {
        &self.due
    }

    /// Where the claim stands that is to be installed next.
    fn next(&self, lock: LockId, slot: SlotId) -> Option<usize> {
        //= spec/protocol.md#guest
        //# GST-19. Of two grants for one slot of one lock a guest MUST try first that of the higher epoch, and in one epoch that of the higher number, whichever came first.
        let here = |download: &Downloading| (download.claimed.lock(), download.claimed.slot()) == (lock, slot);
        let good = self.downloads.iter().position(|download| here(download) && !download.aside);
        good.or_else(|| self.downloads.iter().position(here))
    }

    /// No second change is decided on what the first one changes.
    const fn free(&self) -> Result<(), GuestError> {
        if self.hold.is_held() { Err(GuestError::Busy) } else { Ok(()) }
    }

    fn staged<T>(&mut self, next: Self, output: T) -> Staged<'_, Self, T> {
        let version = if next == *self { self.version } else { self.version.saturating_add(1) };
        Staged::new(self, Self { version, ..next }, output)
    }

    fn holds(&self, grant: &Digest) -> bool {
        self.keys.iter().any(|held| held.key.grant() == *grant)
    }
}

impl<'r> RingKey<'r> {
    /// The key, to open with.
    #[must_use]
    pub fn key(&self) -> &'r GuestKey {
        &self.0.key
    }

    /// How many openings are left at most, of a key that has a number of uses. The lock counts; an opening whose reply was
    /// lost is not known here.
    #[must_use]
    pub fn uses_left(&self) -> Option<u32> {
        let left = self.0.key.limits().max_uses()?.saturating_sub(self.0.opened);
        Some(if self.0.spent { 0 } else { left })
    }

    /// How the key stands at this moment, by the phone's clock; the lock judges by its own. What is
    /// [`Over`](KeyStanding::Over) or [`UsedUp`](KeyStanding::UsedUp) is to be shown so, and kept: a used up key still locks.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> KeyStanding {
        match (self.uses_left(), self.0.key.limits().standing(now)) {
            (Some(0), KeyStanding::Valid | KeyStanding::NotYet) => KeyStanding::UsedUp,
            (_, standing) => standing,
        }
    }
}

impl Downloading {
    fn grant(&self) -> &Invitation {
        self.claimed.invitation()
    }

    /// What sorts downloads.
    fn rank(&self) -> impl Ord + use<> {
        let grant = self.grant();
        (grant.lock(), grant.slot(), Reverse((grant.epoch(), grant.generation())))
    }
}

/// Whether the lock, which signed that it installed this key, installs that grant no more.
fn outdates(key: &GuestKey, grant: &Invitation) -> bool {
    let later_here = key.slot() == grant.slot() && key.generation() >= grant.generation();
    key.lock() == grant.lock() && (key.epoch() > grant.epoch() || key.epoch() == grant.epoch() && later_here)
}
