//! Factory reset: the card's secret and a hand at the lock make it another lock (spec: "Factory
//! reset").

use rand_core::CryptoRng;

use super::record::{self, Cell, Record};
use super::refusal::Refusal;
use super::staged::Staged;
use super::state::Change;
use super::{Lock, Now, Session, purpose};
use crate::crypto::{Crypto, Nonce};
use crate::error::{LockError, SealError};
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
        _presence: PhysicalPresence,
        now: Now,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Staged<'_, Erased>, Refusal> {
        let nonce = self.spend_rescue(session, now);
        self.check_reset(nonce, reset).map_err(Refusal::opaque)?;
        let record = self.next_lock(rng).map_err(|error| Refusal::opaque(error.into()))?;
        Ok(Staged::new(self.state(), Cell::Seed, Some(record), Change::Seed, Erased(())))
    }

    fn next_lock(&self, rng: &mut (impl CryptoRng + ?Sized)) -> Result<Record, SealError> {
        record::encode_seed(&self.keys.next_seed(&self.crypto, rng)?, false)
    }

    fn check_reset(&mut self, nonce: Result<Nonce, LockError>, bytes: &[u8]) -> Result<(), LockError> {
        let reset = Unverified::<FactoryReset>::parse(bytes)?;
        let nonce = nonce?;
        self.state().check_all_idle()?;
        if reset.claims().lock != self.id() {
            return Err(LockError::WrongLock);
        }
        if reset.claims().nonce != nonce {
            return Err(LockError::WrongNonce);
        }
        reset.verify_mac(&self.crypto, self.card.expose()).map_err(|_| LockError::CardMac)?;
        Ok(())
    }
}
