//! What only the owner's view does: it hears of what was decided elsewhere.

use super::{Content, GrantRef, LiveKey, Slot, State, Witness, state};
use crate::error::SlotError;
use crate::message::WithdrawnOutcome;

/// The owner's view. Releases happen elsewhere: whatever the owner signed may have been released, until a
/// withdrawal's answer or something that the lock signed says otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Observer {}

impl state::sealed::Sealed for Observer {}

impl Witness for Observer {
    const SIGNED_MAY_OPEN: bool = true;
}

impl Slot<Observer> {
    /// Takes in the record's answer to a withdrawal. `NeverReleased` removes the key from those that may open
    /// unless something said otherwise before; `Settled` leaves it there until the lock's own word arrives.
    ///
    /// # Errors
    /// [`SlotError::LiveFull`] where a key that the view did not know was released, and too many are live; nothing
    /// changed.
    pub fn withdrawn(&mut self, key: GrantRef, outcome: &WithdrawnOutcome) -> Result<(), SlotError> {
        match *outcome {
            WithdrawnOutcome::NeverReleased => self.line.live.deny(key),
            //= spec/protocol.md#owner
            //# OWN-24. A Withdrawn of Released MUST make its grant live, with the install that it names, unless the grant was proved dead.
            WithdrawnOutcome::Released { install } if key.generation > self.line.floor || self.is_live(key) => {
                self.line.live.note(key, Some(install))?;
            }
            // The record's word alone proves nothing dead.
            //= spec/protocol.md#owner
            //# OWN-15. The owner's view MUST NOT take a generation out of live on a Withdrawn of Released or Settled.
            WithdrawnOutcome::Released { .. } | WithdrawnOutcome::Settled => {}
        }
        self.line.live.withdraw(key);
        self.take(key.generation);
        //= spec/protocol.md#owner
        //# OWN-29. A Withdrawn of the grant that a view shows as shared MUST end that share in the view, whatever its outcome.
        self.end_share_of(key);
        Ok(())
    }

    /// Takes in a grant that another phone of the same owner signed. Where nothing is shared, one that may open and
    /// was not withdrawn is what is shared, however it came to be known before: also by the lock's proof that it
    /// was downloaded.
    ///
    /// # Errors
    /// [`SlotError::LiveFull`] where too many keys are live; nothing changed.
    pub fn learn(&mut self, key: GrantRef) -> Result<(), SlotError> {
        let proved_dead = key.generation <= self.line.floor && !self.is_live(key);
        if proved_dead {
            return Ok(());
        }
        self.line.live.note(key, None)?;
        //= spec/protocol.md#owner
        //# OWN-18. A view MUST show a grant that it learns, and whose number is above the highest that it had seen, in place of the grant that it showed as shared.
        let newer = key.generation > self.line.highest;
        self.take(key.generation);
        let withdrawn = self.live(key).is_some_and(|live| live.withdrawn);
        //= spec/protocol.md#owner
        //# OWN-17. A view in which nothing is shared MUST show a grant that it learns as shared, unless the slot is Inactive, the grant was proved dead or its withdrawal was answered.
        if newer && self.state() != State::Inactive || self.state() == State::NotShared && !withdrawn {
            let confirmation = self.live(key).and_then(LiveKey::confirmation);
            self.content = confirmation.map_or(Content::Sharing(key), |told| Content::Shared(key, told.device));
        }
        Ok(())
    }
}
