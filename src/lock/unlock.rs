//! Unlock: an installed key asks the bolt to move, offline (spec: "Unlock").

use super::accepted::Accepted;
use super::memory::{self, Change, SlotView};
use super::plan::{FromPlan, Plan, Turned};
use super::record::{Cell, Content, InstalledKey, SlotRecord, Write};
use super::refusal::Refusal;
use super::step::Then;
use super::{Clock, Lock, Now, Role, Session, purpose};
use crate::counter::Generation;
use crate::crypto::{Crypto, Nonce, PublicKey, Tag};
use crate::error::{LockError, SealError};
use crate::id::{LockId, SlotId};
use crate::limits::{Action, Limits};
use crate::message::{Outcome, Reply, Unlock};
use crate::secret::PairingKey;
use crate::wire::{self, Encoded, Unverified, Verified};

/// Move the bolt now, and send the reply.
#[must_use = "the bolt does not move by itself"]
#[derive(Debug)]
#[non_exhaustive]
pub struct Unlocked {
    /// What to do with the bolt.
    pub action: Action,
    /// The answer to the guest.
    pub reply: Encoded<Reply>,
    /// The slot whose key was used.
    pub slot: SlotId,
    /// That key's number.
    pub generation: Generation,
    /// The device that holds it.
    pub device: PublicKey,
}

impl FromPlan for Unlocked {
    fn from_plan(plan: &Plan, _: LockId) -> Self {
        let Plan { action, slot, generation, device, answer, .. } = plan;
        let reply = Encoded::taken(answer);
        Self { action: *action, reply, slot: *slot, generation: *generation, device: *device }
    }
}

/// An unlock by an installed key, its MAC checked.
struct Authentic<'a, 'l> {
    unlock: Verified<'a, Unlock>,
    tag: Tag,
    record: &'l SlotRecord,
    key: &'l InstalledKey,
}

impl Authentic<'_, '_> {
    #[inline(never)]
    fn reply(&self, crypto: &impl Crypto, outcome: Outcome, now: Now, plan: &mut Plan) -> Result<(), SealError> {
        let reply = Reply { outcome, unlock: self.tag, battery: now.battery };
        wire::seal_mac_into(crypto, self.key.pairing.expose(), &reply, &mut plan.answer).map(|_| ())
    }

    /// The openings used after this unlock, where it counts as a use of a limited key.
    fn counted(&self) -> Result<Option<u32>, LockError> {
        //= spec/protocol.md#uses
        //# LIM-13. A lock MUST count exactly the accepted unlocks with the action Open as uses.
        //= spec/protocol.md#uses
        //# LIM-15. A lock MUST NOT refuse an unlock with the action Lock because no use is left.
        let (Some(uses), Action::Open) = (self.key.limits.max_uses(), self.unlock.action) else { return Ok(None) };
        //= spec/protocol.md#unlock
        //# UNL-13. A lock MUST NOT count a use ahead, for several unlocks at once.
        match self.key.used.checked_add(1) {
            //= spec/protocol.md#uses
            //# LIM-14. A lock MUST refuse an unlock with the action Open when as many uses were counted as the limits allow.
            Some(used) if used <= uses => Ok(Some(used)),
            _ => Err(LockError::UsesSpent),
        }
    }
}

/// Whether the dates and the schedule allow `clock`.
fn check_time(limits: &Limits, clock: Clock) -> Result<(), LockError> {
    if !limits.need_clock() {
        return Ok(());
    }
    let now = match clock {
        Clock::At(now) => now,
        //= spec/protocol.md#unlock
        //# UNL-6. Where the limits need the time, the lock MUST know it.
        Clock::Unset => return Err(LockError::ClockUnset),
        Clock::Absent => return Err(LockError::NoClock),
    };
    //= spec/protocol.md#dates
    //# LIM-8. A lock MUST refuse an unlock before `from`.
    //= spec/protocol.md#unlock
    //# UNL-7. The time MUST be within the dates, as LIM-8 and LIM-9 say.
    if limits.valid_from().is_some_and(|from| now < from) {
        return Err(LockError::NotYetValid);
    }
    //= spec/protocol.md#dates
    //# LIM-9. A lock MUST refuse an unlock at or after `until`.
    if limits.valid_until().is_some_and(|until| now >= until) {
        return Err(LockError::Expired);
    }
    //= spec/protocol.md#schedule
    //# LIM-12. A lock MUST refuse an unlock at a time that the schedule does not allow.
    //= spec/protocol.md#unlock
    //# UNL-8. The time MUST be within the schedule, as LIM-12 says.
    if limits.schedule().is_some_and(|schedule| !schedule.allows(now)) {
        return Err(LockError::OutsideSchedule);
    }
    Ok(())
}

impl<C: Crypto, const SLOTS: usize> Lock<C, SLOTS> {
    /// Lets an installed key move the bolt, within its limits and rights.
    ///
    /// Only the opening of a key with a limited number of uses writes a record: before the bolt
    /// moves, so that a power cut may lose a use and never adds one.
    ///
    /// # Errors
    /// [`Refusal`] with the first check that failed, in the order of the spec: opaque before the
    /// MAC held, a [`Reply`] with the reason after. The session is spent.
    pub fn unlock(
        &mut self,
        session: Session<purpose::Operate>,
        unlock: &[u8],
        now: Now,
    ) -> Result<Accepted<'_, Unlocked>, Refusal> {
        Ok(self.plan(|role, plan| role.unlock(session, unlock, now, plan))?)
    }
}

impl<C: Crypto, const SLOTS: usize> Role<C, SLOTS> {
    #[inline(never)]
    pub(super) fn unlock(
        &mut self,
        session: Session<purpose::Operate>,
        unlock: &[u8],
        now: Now,
        plan: &mut Plan,
    ) -> Result<(), Turned> {
        let nonce = self.spend(session, now);
        //= spec/protocol.md#unlock
        //# UNL-14. A refusal before the tag held MUST be the opaque Refused, whatever the cause.
        //= spec/protocol.md#errors-and-refusals
        //# ERR-1. A lock MUST NOT tell a sender that has not authenticated why it refuses.
        let authentic = self.authenticate(nonce, unlock)?;
        //= spec/protocol.md#errors-and-refusals
        //# ERR-2. A refusal MUST change nothing but the session that it used.
        if let Err(error) = self.decide_unlock(&authentic, now, plan) {
            //= spec/protocol.md#unlock
            //# UNL-15. A refusal after the tag held MUST be a Reply with the reason.
            let told = error.reason().map(|reason| Outcome::Refused { reason });
            let reply = told.map(|outcome| authentic.reply(&self.crypto, outcome, now, plan));
            return Err(Turned { error, told: matches!(reply, Some(Ok(()))) });
        }
        //= spec/protocol.md#unlock
        //# UNL-12. An accepted Open of a key with a limit of uses MUST be counted in the stored record before the bolt moves.
        Ok(self.record(plan)?)
    }

    //= spec/protocol.md#unlock
    //# UNL-20. The lock MUST make these checks in this order; the first that fails decides the error.
    #[inline(never)]
    fn authenticate<'a>(
        &self,
        nonce: Result<Nonce, LockError>,
        unlock: &'a [u8],
    ) -> Result<Authentic<'a, '_>, LockError> {
        //= spec/protocol.md#unlock
        //# UNL-1. The unlock MUST decode.
        let unlock = Unverified::<Unlock>::parse(unlock)?;
        //= spec/protocol.md#unlock
        //# UNL-2. The session MUST be the newest for Operate and in time.
        let nonce = nonce?;
        //= spec/protocol.md#unlock
        //# UNL-17. The header's and the counter's cells MUST be free and sound.
        //= spec/protocol.md#unlock
        //# UNL-18. The lock MUST be provisioned.
        self.core.ownership()?;
        //= spec/protocol.md#unlock
        //# UNL-3. The slot MUST exist, undamaged, with a key installed in this epoch.
        let (record, key) = match self.installed(unlock.claims().slot) {
            Ok(installed) => installed,
            Err(error) => {
                // The work of a MAC here too: how long a refusal takes tells no stranger which slots
                // hold keys.
                //= spec/protocol.md#unlock
                //# UNL-16. An unlock that UNL-3 refuses MUST cost the computation of a tag before it is refused.
                // Under a key of the kind that slots hold, which a secure element does not take for one of its own.
                let _ = unlock.verify_mac(&self.crypto, &[0; PairingKey::LEN]);
                return Err(error);
            }
        };
        let right_nonce = unlock.claims().lock_nonce == nonce;
        // Before the nonce is judged, so that every refusal from here on costs the same.
        //= spec/protocol.md#unlock
        //# UNL-19. An unlock that does not carry the session's nonce MUST cost the computation of a tag before it is refused.
        let authentic = unlock.verify_mac_tag(&self.crypto, key.pairing.expose());
        //= spec/protocol.md#unlock
        //# UNL-4. The unlock MUST carry the session's nonce.
        if !right_nonce {
            return Err(LockError::WrongNonce);
        }
        //= spec/protocol.md#unlock
        //# UNL-5. The unlock's tag MUST verify under the slot's pairing key.
        let (unlock, tag) = authentic?;
        Ok(Authentic { unlock, tag, record, key })
    }

    fn installed(&self, slot: SlotId) -> Result<(&SlotRecord, &InstalledKey), LockError> {
        match memory::view(&self.core, &self.slots, slot)? {
            SlotView::Current(record @ SlotRecord { content: Content::Installed { key }, .. }) => Ok((record, key)),
            SlotView::Current(_) | SlotView::Untouched => Err(LockError::NotInstalled),
        }
    }

    #[inline(never)]
    fn decide_unlock(&self, by: &Authentic<'_, '_>, now: Now, plan: &mut Plan) -> Result<(), LockError> {
        //= spec/protocol.md#unlock
        //# UNL-11. All limits MUST be checked at every unlock.
        check_time(&by.key.limits, self.clock(now)?)?;
        //= spec/protocol.md#unlock
        //# UNL-9. For the action Open a use MUST be left, as LIM-14 says.
        let counted = by.counted()?;
        //= spec/protocol.md#unlock
        //# UNL-10. The rights MUST allow the action.
        if !by.key.rights.allow(by.unlock.action) {
            return Err(LockError::ActionNotAllowed);
        }
        let slot = by.unlock.slot;
        plan.change = match counted {
            None => Change::Holds(Cell::Slot(slot)),
            Some(used) => {
                //= spec/protocol.md#unlock
                //# UNL-12. An accepted Open of a key with a limit of uses MUST be counted in the stored record before the bolt moves.
                let content = Content::Installed { key: by.key.with_used(used) };
                Change::Writes(Write::Slot(slot, SlotRecord { content, ..*by.record }))
            }
        };
        (plan.then, plan.action) = (Then::GuestsBolt, by.unlock.action);
        (plan.slot, plan.generation) = (slot, by.record.floor);
        plan.device = by.key.device;
        Ok(by.reply(&self.crypto, Outcome::Accepted, now, plan)?)
    }
}
