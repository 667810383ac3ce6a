use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize, Serializer};

use super::ViewChange;
use super::outbox::{Delivery, Unheard};
use super::reported::{Contradiction, Reported};
use crate::counter::Epoch;
use crate::crypto::{Digest, PublicKey};
use crate::error::{OwnerError, RefuseReason};
use crate::id::{AccountId, LockId, SlotCount, SlotId};
use crate::message::{Done, Grant};
use crate::slot::{GrantRef, Observer, Slot};
use crate::staged::{Counted, Held, Hold, Staged};
use crate::wire::{Kept, Verified};

/// How a grant's subject was named.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Method {
    /// A contact's account key.
    Account,
    /// A key derived from a share code.
    Code,
}

/// Whether the view's owner still owns the lock.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Standing {
    /// The lock is the view's owner's.
    Owned,
    /// The lock said that it was handed to another owner.
    Transferred,
}

/// What one phone knows of one lock: what it stores. Another phone of the same owner begins with a copy
/// of it (its `serde` form), and both then [ask](super::Owner::ask) for the service's reports.
///
/// Reading one back with `serde` checks that it does not contradict itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "super::stored::Stored")]
pub struct OwnedLock {
    pub(super) lock: LockId,
    pub(super) owner: PublicKey,
    pub(super) service: PublicKey,
    pub(super) epoch: Epoch,
    /// What the lock signed of whose it is.
    #[serde(with = "crate::form::messages::one")]
    pub(super) ownership: Vec<u8>,
    /// One more with every change, for the store's compare-and-swap.
    pub(super) version: u64,
    pub(super) standing: Standing,
    /// Whether something came that hints at a later ownership.
    pub(super) suspected: bool,
    /// How many slots the lock has.
    pub(super) slot_count: SlotCount,
    /// Copies of a view share the slots that are the same.
    #[serde(serialize_with = "plain")]
    pub(super) slots: BTreeMap<SlotId, Counted<OwnedSlot>>,
    #[serde(skip)]
    pub(super) hold: Hold,
}

impl Held for OwnedLock {
    fn hold(&mut self) -> &mut Hold {
        &mut self.hold
    }
}

/// How many denials, proofs of release and answers to withdrawals of one slot are kept in one epoch: the latest. A
/// service is convicted by two of the same grant.
const MAX_STATEMENTS: usize = 256;

/// What one phone knows of one slot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct OwnedSlot {
    pub(super) slot: Slot<Observer>,
    /// The grants whose keys may open.
    pub(super) issued: Vec<Issued>,
    /// The grants whose withdrawal was answered, while they may open or are above the floor.
    pub(super) answered: Vec<GrantRef>,
    /// Withdrawals that were signed and not answered yet.
    pub(super) withdrawing: Vec<Statement>,
    /// What the lock told, as far as the service may not have heard of it.
    pub(super) unheard: Vec<Unheard>,
    /// What says that a grant was never released: a Withdrawn(NeverReleased).
    pub(super) denials: Vec<Statement>,
    /// What says that a grant was released: a receipt, a Done(Inspect), a Withdrawn(Released).
    pub(super) releases: Vec<Statement>,
    /// The digest of the latest Done of an order of this phone that tells how the slot stood.
    pub(super) inspected: Option<Digest>,
    /// The latest report that was seen.
    pub(super) reported: Option<Reported>,
    /// Two reports of one version that say different things, where the service gave such.
    pub(super) contradiction: Option<Contradiction>,
    /// The grant that the service says it released, in the latest report.
    pub(super) said_released: Option<GrantRef>,
}

/// A grant that this owner signed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Issued {
    pub(super) key: GrantRef,
    /// `None` where another phone signed it.
    pub(super) method: Option<Method>,
    /// Whose key it was in the contact book of the phone that signed it.
    pub(super) contact: Option<AccountId>,
    pub(super) delivery: Delivery,
    pub(super) grant: Kept<Grant>,
}

/// A signed message about one grant, kept as evidence or to be sent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Statement {
    pub(super) key: GrantRef,
    #[serde(with = "crate::form::messages::one")]
    pub(super) bytes: Vec<u8>,
}

/// Two signed messages that convict the service.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Equivocation {
    /// That a grant was never released, and that it was.
    Release {
        /// The slot.
        slot: SlotId,
        /// The grant.
        key: GrantRef,
        /// The service's `Withdrawn(NeverReleased)`.
        denial: Vec<u8>,
        /// The lock's receipt or `Done(Inspect)`, or the service's own `Withdrawn(Released)`.
        release: Vec<u8>,
    },
    /// Two reports of one version of one record, with different content.
    Report {
        /// The slot.
        slot: SlotId,
        /// The `Report` that came first.
        first: Vec<u8>,
        /// The other.
        second: Vec<u8>,
    },
}

impl OwnedLock {
    /// The view of an ownership that begins, by the lock's statement.
    pub(super) fn new(
        (lock, epoch): (LockId, Epoch),
        slot_count: SlotCount,
        owner: PublicKey,
        service: PublicKey,
        statement: impl Into<Vec<u8>>,
    ) -> Self {
        let (standing, suspected, ownership) = (Standing::Owned, false, statement.into());
        let (slots, hold) = (BTreeMap::new(), Hold::default());
        Self { lock, owner, service, epoch, ownership, version: 1, standing, suspected, slot_count, slots, hold }
    }

    /// The lock.
    #[must_use]
    pub const fn lock(&self) -> LockId {
        self.lock
    }

    /// The owner's key.
    #[must_use]
    pub const fn owner(&self) -> &PublicKey {
        &self.owner
    }

    /// The service that the lock names.
    #[must_use]
    pub const fn service(&self) -> &PublicKey {
        &self.service
    }

    /// The ownership that the view is of.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The version: 1 for a new view, one more with everything that changes it. Put a view only in place of the one that it
    /// [follows](Self::follows): two processes of one phone (an app and its widget) share one store, and what one of them
    /// wrote meanwhile would be forgotten, a share and its number with it.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// How many slots the lock has: by its own word, or by the service's where a report names more. It never goes down.
    #[must_use]
    pub const fn slot_count(&self) -> SlotCount {
        self.slot_count
    }

    /// Whether the view's owner still owns the lock.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.standing
    }

    /// Whether the lock may have changed hands without this phone, as far as [`suspect`](Self::suspect) was told. A
    /// question to show, and no answer: anybody between phone and lock can cause it. It goes once the lock carries
    /// out an order of this view, or with the lock's word on who owns it.
    #[must_use]
    pub const fn may_have_moved(&self) -> bool {
        self.suspected
    }

    /// Takes the hint of a refusal; gives whether the lock [may have moved](Self::may_have_moved). Two errors hint at
    /// it: [`OwnerError::RefusedOpaque`], for so a lock answers an order of another owner; and
    /// [`OwnerError::WrongEpoch`], for so a message of a later ownership is refused, and one of an earlier. That the lock
    /// signed [`RefuseReason::WrongEpoch`] is more than a hint: this owner handed it to itself. It bears on no decision.
    ///
    /// Then ask whoever might have it for the `Done` of the transfer, and [learn](super::Owner::learn) it; where it
    /// names this owner and is lost, [take the lock over](super::Owner::take_over).
    ///
    /// # Errors
    /// [`OwnerError::Busy`] while an earlier change of the view waits for its store.
    pub fn suspect(&mut self, error: OwnerError) -> ViewChange<'_, bool> {
        if self.hold.is_held() {
            return Err(OwnerError::Busy);
        }
        let suspects = matches!(
            error,
            OwnerError::RefusedOpaque | OwnerError::WrongEpoch | OwnerError::Refused(RefuseReason::WrongEpoch)
        );
        let suspected = self.suspected || suspects;
        let next = Self { suspected, ..self.clone() };
        Ok(self.staged(next, suspected))
    }

    /// The slot as this view knows it; `None` for one that nothing is known of.
    #[must_use]
    pub fn slot(&self, slot: SlotId) -> Option<&Slot<Observer>> {
        self.slots.get(&slot).map(|known| &known.slot)
    }

    pub(super) fn check_slot(&self, slot: SlotId) -> Result<(), OwnerError> {
        //= spec/protocol.md#owner
        //# OWN-42. The owner MUST NOT sign a Grant, an Activate or a Deactivate for a slot at or above the number of slots that its view knows the lock to have.
        if slot.index() < self.slot_count.value() { Ok(()) } else { Err(OwnerError::NoSuchSlot) }
    }

    /// Every slot that the lock has, and any other that the view has heard of: those to [ask](super::Owner::ask) the
    /// service for.
    pub fn every_slot(&self) -> impl Iterator<Item = SlotId> + '_ {
        let others = self.slots.keys().filter(|slot| slot.index() >= self.slot_count.value());
        self.slot_count.slots().chain(others.copied())
    }

    /// Everything that convicts the service.
    pub fn equivocations(&self) -> impl Iterator<Item = Equivocation> + '_ {
        self.slots.iter().flat_map(|(slot, known)| {
            let denied = known.denials.iter().filter_map(|denial| known.equivocation(*slot, denial.key));
            denied.chain(known.contradicted(*slot))
        })
    }

    /// The next version of the view, and what it is for.
    pub(super) fn staged<T>(&mut self, next: Self, output: T) -> Staged<'_, Self, T> {
        // There is no end: it would take a change a nanosecond for 500 years.
        let version = if next == *self { self.version } else { self.version.saturating_add(1) };
        Staged::new(self, Self { version, ..next }, output)
    }

    pub(super) fn slot_mut(&mut self, slot: SlotId) -> &mut OwnedSlot {
        let epoch = self.epoch;
        Counted::make_mut(self.slots.entry(slot).or_insert_with(|| Counted::new(OwnedSlot::new(epoch))))
    }

    /// Somebody who may say so said how many slots the lock has.
    pub(super) fn count_slots(&mut self, count: Option<SlotCount>) {
        //= spec/protocol.md#reports
        //# RPT-18. A view MUST keep the highest number of slots that a message of the lock, or a Report, has named that it took in.
        self.slot_count = count.map_or(self.slot_count, |count| count.max(self.slot_count));
    }

    /// The lock carried out an order of this view.
    pub(super) fn obeyed(&mut self) {
        self.suspected = false;
    }

    /// The lock changed hands: everything of the epoch before is dead.
    pub(super) fn transferred(&mut self, done: &Verified<'_, Done>, owner: &PublicKey, service: &PublicKey) {
        self.standing = if *owner == self.owner { Standing::Owned } else { Standing::Transferred };
        self.epoch = done.epoch;
        self.service = *service;
        self.ownership = Vec::from(done.as_bytes());
        self.suspected = false;
        //= spec/protocol.md#owner
        //# OWN-12. A new owner MUST NOT rely on any statement about a slot that it did not get from the lock in its own epoch.
        self.slots.clear();
    }
}

impl OwnedSlot {
    pub(super) fn new(epoch: Epoch) -> Self {
        Self {
            slot: Slot::new(epoch),
            issued: Vec::new(),
            answered: Vec::new(),
            withdrawing: Vec::new(),
            unheard: Vec::new(),
            denials: Vec::new(),
            releases: Vec::new(),
            inspected: None,
            reported: None,
            contradiction: None,
            said_released: None,
        }
    }

    pub(super) fn issued(&self, key: GrantRef) -> Option<&Issued> {
        self.issued.iter().find(|issued| issued.key == key)
    }

    pub(super) fn may_open(&self, key: GrantRef) -> bool {
        self.slot.is_live(key)
    }

    pub(super) fn is_denied(&self, key: GrantRef) -> bool {
        self.denials.iter().any(|statement| statement.key == key)
    }

    pub(super) fn note_denial(&mut self, key: GrantRef, bytes: &[u8]) {
        note(&mut self.denials, key, bytes);
    }

    pub(super) fn note_answered(&mut self, key: GrantRef) {
        if !self.answered.contains(&key) {
            if self.answered.len() >= MAX_STATEMENTS {
                self.answered.remove(0);
            }
            self.answered.push(key);
        }
    }

    pub(super) fn note_release(&mut self, key: GrantRef, bytes: &[u8]) {
        note(&mut self.releases, key, bytes);
    }

    pub(super) fn equivocation(&self, slot: SlotId, key: GrantRef) -> Option<Equivocation> {
        let find = |statements: &[Statement]| {
            statements.iter().find(|statement| statement.key == key).map(|statement| statement.bytes.clone())
        };
        //= spec/protocol.md#owner
        //# OWN-11. A Withdrawn of NeverReleased and a Receipt for the same grant MUST be reported as equivocation of the service, with both messages as evidence.
        Some(Equivocation::Release { slot, key, denial: find(&self.denials)?, release: find(&self.releases)? })
    }

    /// Where the service signed two reports of one version that differ.
    pub(super) fn contradicted(&self, slot: SlotId) -> Option<Equivocation> {
        //= spec/protocol.md#reports
        //# RPT-15. Two Reports of one epoch, slot and version, each signed by the service, that differ in their state, their slots or their messages MUST be reported as equivocation of the service, with both as evidence.
        let Contradiction { first, second } = self.contradiction.clone()?;
        Some(Equivocation::Report { slot, first, second })
    }

    /// Drops the details of grants that cannot open any more. (What is shared always may.)
    pub(super) fn prune(&mut self) {
        let Self { slot, issued, answered, withdrawing, .. } = self;
        answered.retain(|key| key.generation > slot.floor() || slot.is_live(*key));
        withdrawing.retain(|withdraw| slot.is_live(withdraw.key));
        issued.retain(|issued| slot.is_live(issued.key));
    }
}

fn note(statements: &mut Vec<Statement>, key: GrantRef, bytes: &[u8]) {
    if statements.iter().all(|statement| statement.key != key) {
        if statements.len() >= MAX_STATEMENTS {
            statements.remove(0);
        }
        statements.push(Statement { key, bytes: Vec::from(bytes) });
    }
}

fn plain<S: Serializer>(slots: &BTreeMap<SlotId, Counted<OwnedSlot>>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(slots.iter().map(|(slot, known)| (slot, &**known)))
}
