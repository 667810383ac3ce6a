//! Factory reset: the card's secret and a hand at the lock make it another lock (spec: "Factory
//! reset").

use rand_core::CryptoRng;

use super::accepted::Accepted;
use super::memory::Change;
use super::plan::{FromPlan, Plan, Turned};
use super::record::{SeedRecord, Write};
use super::refusal::Refusal;
use super::step::Then;
use super::{Lock, Now, Role, Session, purpose};
use crate::crypto::{Crypto, Nonce};
use crate::error::{LockError, SealError};
use crate::id::LockId;
use crate::message::FactoryReset;
use crate::wire::Unverified;

/// Somebody is at the lock and presses the button inside. Without it, a photo of the card would be
/// a backdoor.
///
/// Nothing else makes one:
///
/// ```compile_fail,E0423
/// use sharekey::lock::PhysicalPresence;
///
/// let photo = PhysicalPresence(());
/// ```
///
/// and one does for one reset:
///
/// ```compile_fail,E0382
/// use sharekey::lock::PhysicalPresence;
///
/// let pressed = PhysicalPresence::button_is_pressed();
/// drop(pressed);
/// drop(pressed);
/// ```
#[derive(Debug)]
pub struct PhysicalPresence(());

impl PhysicalPresence {
    /// The firmware's word that the button inside is pressed now. Make it from nothing else.
    #[must_use]
    pub const fn button_is_pressed() -> Self {
        Self(())
    }
}

/// The lock is no more: every record on flash is foreign from here on. Make a new one with
/// [`Lock::into_parts`] and [`Making::new`](super::Making::new).
#[derive(Debug)]
pub struct Erased(());

impl FromPlan for Erased {
    fn from_plan(_: &Plan, _: LockId) -> Self {
        Self(())
    }
}

impl<C: Crypto, const SLOTS: usize> Lock<C, SLOTS> {
    /// Ends this lock: writes the seed of the next one. Works on a lock whose header or counter is
    /// damaged, too.
    ///
    /// # Errors
    /// [`Refusal`] with the first check that failed, always opaque. The session is spent.
    pub fn factory_reset(
        &mut self,
        session: Session<purpose::Operate>,
        reset: &[u8],
        presence: PhysicalPresence,
        now: Now,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Accepted<'_, Erased>, Refusal> {
        Ok(self.plan(|role, plan| role.factory_reset(session, reset, presence, now, rng, plan))?)
    }
}

impl<C: Crypto, const SLOTS: usize> Role<C, SLOTS> {
    #[inline(never)]
    pub(super) fn factory_reset(
        &mut self,
        session: Session<purpose::Operate>,
        reset: &[u8],
        //= spec/protocol.md#factory-reset
        //# RST-6. A factory reset MUST be refused without physical presence inside the door.
        _presence: PhysicalPresence,
        now: Now,
        rng: &mut (impl CryptoRng + ?Sized),
        plan: &mut Plan,
    ) -> Result<(), Turned> {
        //= spec/protocol.md#factory-reset
        //# RST-10. A lock whose header or counter is damaged MUST still accept a factory reset.
        let nonce = self.spend_rescue(session, now);
        //= spec/protocol.md#factory-reset
        //# RST-12. A refusal of a factory reset MUST be the opaque Refused.
        self.check_reset(nonce, reset)?;
        let next = self.keys.next_seed(&self.crypto, rng).map_err(SealError::from)?;
        //= spec/protocol.md#factory-reset
        //# RST-7. A factory reset MUST write a seed record with a new seed and `initialised` false, before anything else.
        plan.change = Change::Writes(Write::Seed(SeedRecord { seed: next, initialised: false }));
        plan.then = Then::Reset;
        Ok(self.record(plan)?)
    }

    //= spec/protocol.md#factory-reset
    //# RST-13. The lock MUST make these checks in this order; the first that fails decides the error.
    #[inline(never)]
    fn check_reset(&mut self, nonce: Result<Nonce, LockError>, bytes: &[u8]) -> Result<(), LockError> {
        //= spec/protocol.md#factory-reset
        //# RST-1. The FactoryReset MUST decode.
        let reset = Unverified::<FactoryReset>::parse(bytes)?;
        //= spec/protocol.md#factory-reset
        //# RST-2. The session MUST be the newest for Operate and in time.
        let nonce = nonce?;
        //= spec/protocol.md#factory-reset
        //# RST-11. A factory reset MUST be refused while any cell waits for a write.
        self.memory().check_all_idle()?;
        //= spec/protocol.md#factory-reset
        //# RST-3. The FactoryReset MUST name this lock.
        if reset.claims().lock != self.id() {
            return Err(LockError::WrongLock);
        }
        //= spec/protocol.md#factory-reset
        //# RST-4. The FactoryReset MUST carry the session's nonce.
        if reset.claims().nonce != nonce {
            return Err(LockError::WrongNonce);
        }
        //= spec/protocol.md#factory-reset
        //# RST-5. The FactoryReset's tag MUST verify under the activation secret.
        reset.verify_mac(&self.crypto, self.card.expose()).map_err(|_| LockError::CardMac)?;
        Ok(())
    }
}
