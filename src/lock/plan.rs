//! What an operation does once it is accepted, made where it stays: from the checks to the commit nothing of it moves.
//!
//! A request is decided into the lock's one [`Plan`], which an [`Accepted`] borrows. However that ends, the plan is
//! cleared, secrets included.

use super::accepted::Accepted;
use super::challenge::Number;
use super::memory::Change;
use super::record::{Cell, Record};
use super::refusal::{Denied, Refusal};
use super::step::Then;
use super::{Lock, Role};
use crate::counter::{Counter, Generation};
use crate::crypto::{Crypto, PublicKey};
use crate::error::{LockError, SealError};
use crate::id::{LockId, SlotId};
use crate::limits::Action;
use crate::message::{Operation, Refused};
use crate::wire;

/// What a request comes to. The message and the values beside it are of no use but to [`Accepted`], which knows
/// the operation and gives them as its result.
#[allow(missing_debug_implementations, reason = "nobody has one")]
pub struct Plan {
    pub(super) change: Change,
    //= spec/protocol.md#persist-then-act
    //# STG-2. One operation, other than making a lock, MUST write at most one record.
    pub(super) record: Record,
    /// The message that is sent, once the operation is through; of a refusal, at once.
    pub(super) answer: wire::Bytes,
    /// What else there is to do.
    pub(super) then: Then,
    /// Of a challenge.
    pub(super) number: Number,
    /// Of a command.
    pub(super) operation: Operation,
    /// Of the bolt.
    pub(super) action: Action,
    /// The key that was installed, or that opened.
    pub(super) slot: SlotId,
    pub(super) generation: Generation,
    pub(super) device: PublicKey,
}

/// What an operation gives once it is through: the results of the lock's calls, and no other type.
pub trait FromPlan {
    /// Made of the plan, at the lock of this name.
    #[doc(hidden)]
    fn from_plan(plan: &Plan, lock: LockId) -> Self;
}

impl Plan {
    pub(super) fn empty() -> Self {
        Self {
            change: Change::Holds(Cell::Header),
            record: Record::empty(),
            answer: wire::empty(),
            then: Then::Nothing,
            number: Number::Rescue(Counter::ZERO),
            operation: Operation::Act { action: Action::Lock },
            action: Action::Lock,
            slot: SlotId::new(0),
            generation: Generation::ZERO,
            device: PublicKey::from_bytes([0; 32]),
        }
    }

    /// Plans nothing. Keys are wiped where they stood.
    #[inline(never)]
    pub(super) fn clear(&mut self) {
        // What is dropped here wipes its keys.
        self.change = Change::Holds(Cell::Header);
        self.record.clear();
        wire::erase(&mut self.answer);
        self.then = Then::Nothing;
    }
}

/// A plan that is cleared whatever becomes of it.
pub(super) struct Planned<'l>(&'l mut Plan);

impl Drop for Planned<'_> {
    fn drop(&mut self) {
        self.0.clear();
    }
}

impl core::ops::Deref for Planned<'_> {
    type Target = Plan;

    fn deref(&self) -> &Plan {
        self.0
    }
}

/// Why an operation was refused, and whether what the plan has for an answer says so. Unless it was made for that,
/// the answer is the opaque one.
pub(super) struct Turned {
    pub(super) error: LockError,
    pub(super) told: bool,
}

impl From<LockError> for Turned {
    fn from(error: LockError) -> Self {
        //= spec/protocol.md#errors-and-refusals
        //# ERR-1. A lock MUST NOT tell a sender that has not authenticated why it refuses.
        Self { error, told: false }
    }
}

impl From<SealError> for Turned {
    fn from(error: SealError) -> Self {
        LockError::from(error).into()
    }
}

/// A refusal whose answer is still where it was made.
pub(super) struct Denial<'l> {
    pub(super) error: LockError,
    answer: Option<Planned<'l>>,
}

impl Denial<'_> {
    pub(super) fn answer(&self) -> &[u8] {
        self.answer.as_ref().map_or(&Refused::OPAQUE, |plan| &plan.answer)
    }
}

impl From<Denial<'_>> for Refusal {
    fn from(denial: Denial<'_>) -> Self {
        Self::with(denial.error, denial.answer())
    }
}

impl<C: Crypto, const SLOTS: usize> Lock<C, SLOTS> {
    /// Decides an operation into the plan, which holds nothing before.
    pub(super) fn plan<T>(
        &mut self,
        decide: impl FnOnce(&mut Role<C, SLOTS>, &mut Plan) -> Result<(), Turned>,
    ) -> Result<Accepted<'_, T>, Denial<'_>> {
        let Self { role, plan } = self;
        // An `Accepted` that was forgotten was not dropped.
        plan.clear();
        let plan = Planned(plan);
        match decide(role, plan.0) {
            Ok(()) => Ok(Accepted::new(role.memory(), plan)),
            Err(Turned { error, told }) => Err(Denial { error, answer: told.then_some(plan) }),
        }
    }
}

impl<C: Crypto, const SLOTS: usize> Role<C, SLOTS> {
    /// Makes the record of what was decided, if it has one.
    #[inline(never)]
    pub(super) fn record(&self, plan: &mut Plan) -> Result<(), SealError> {
        let Plan { change, record, .. } = plan;
        change.write().map_or(Ok(()), |write| write.record(&self.crypto, &self.keys, record))
    }

    /// Accepts or refuses a bundle, a command or a provision, as was decided.
    #[inline(never)]
    pub(super) fn settle(&self, request: &[u8], decided: Result<(), Denied>, plan: &mut Plan) -> Result<(), Turned> {
        let settled = decided.and_then(|()| self.record(plan).map_err(|error| Denied::Known(error.into())));
        settled.map_err(|denied| self.refuse(request, denied, plan))
    }
}
