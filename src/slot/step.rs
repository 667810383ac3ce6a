//! The steps that record and view have in common.

use super::live::Confirmation;
use super::{Content, GrantRef, Slot, State, Witness};
use crate::counter::Generation;
use crate::crypto::{Digest, PublicKey};
use crate::error::SlotError;
use crate::id::SlotId;
use crate::message::{Completed, Holding, SlotReport};

/// What the lock proved of one installed key: a receipt, or a `Done(Inspect)` that found it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Proof {
    /// The key.
    pub key: GrantRef,
    /// The device that holds it.
    pub device: PublicKey,
    /// The install that a receipt answers.
    pub install: Option<Digest>,
    /// The digest of the receipt or Done.
    pub proof: Digest,
}

/// Which way a Done of the number line turned the slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// `Done(Activate)`
    Activate,
    /// `Done(Deactivate)`
    Deactivate,
}

/// What a Done says of a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// It was opened or closed, which took this number.
    Turned(Turn, Generation),
    /// It holds this.
    Holds(SlotReport),
}

impl Told {
    /// What is told by the Done of an operation, and of which slot; `None` where it tells nothing of any.
    #[must_use]
    pub const fn by(completed: &Completed) -> Option<(SlotId, Self)> {
        match *completed {
            Completed::Activate { slot, generation, .. } => Some((slot, Self::Turned(Turn::Activate, generation))),
            Completed::Deactivate { slot, generation, .. } => Some((slot, Self::Turned(Turn::Deactivate, generation))),
            Completed::Inspect { slot, left, .. } => Some((slot, Self::Holds(left))),
            Completed::Transfer { .. } | Completed::SetClock { .. } | Completed::Act { .. } => None,
        }
    }

    /// The key that it says is installed, and the device that holds it.
    #[must_use]
    pub const fn found(&self) -> Option<(GrantRef, PublicKey)> {
        match *self {
            Self::Holds(SlotReport { floor, holding: Holding::Installed { grant, device } }) => {
                Some((GrantRef { generation: floor, grant }, device))
            }
            Self::Holds(_) | Self::Turned(..) => None,
        }
    }
}

impl<W: Witness> Slot<W> {
    /// Publishes (at the owner: signs) a grant. Whatever the answer, its number is taken.
    ///
    /// # Errors
    /// [`SlotError::AlreadyPublished`] for the very grant that is shared, [`SlotError::StaleNumber`] unless its
    /// number is above the highest seen, [`SlotError::NotActive`], [`SlotError::AlreadyShared`],
    /// [`SlotError::LiveFull`].
    pub fn publish(&mut self, key: GrantRef) -> Result<(), SlotError> {
        let judged = self.may_publish(key);
        //= spec/protocol.md#number-line
        //# SLO-9. A publication that is refused for another reason than its authenticator, lock, epoch or slot MUST still raise the highest number.
        self.take(key.generation);
        judged?;
        //= spec/protocol.md#owner
        //# OWN-14. The owner's view MUST count a grant as live from its signing until a Withdrawn of NeverReleased, a Done or a receipt says otherwise.
        if W::SIGNED_MAY_OPEN {
            self.line.live.note(key, None)?;
        }
        self.content = Content::Sharing(key);
        Ok(())
    }

    fn may_publish(&self, key: GrantRef) -> Result<(), SlotError> {
        if self.shared() == Some(key) {
            return Err(SlotError::AlreadyPublished);
        }
        //= spec/protocol.md#number-line
        //# SLO-8. A publication at or below the highest number MUST be refused.
        if key.generation <= self.line.highest {
            return Err(SlotError::StaleNumber);
        }
        //= spec/protocol.md#number-line
        //# SLO-11. A publication MUST be refused unless the state is NotShared.
        match self.state() {
            State::Inactive => Err(SlotError::NotActive),
            State::Sharing | State::Shared => Err(SlotError::AlreadyShared),
            //= spec/protocol.md#number-line
            //# SLO-12. A publication MUST be refused while MAX_LIVE grants are live.
            State::NotShared if self.line.live.is_full() => Err(SlotError::LiveFull),
            State::NotShared => Ok(()),
        }
    }

    /// The lock proved a key installed, by a receipt or an inspection: so the slot was open then. A proof at or below
    /// the proven floor changes nothing.
    pub fn confirm(&mut self, proof: &Proof) {
        let Proof { key, device, install, proof } = *proof;
        //= spec/protocol.md#done-and-receipt
        //# SLO-24. A receipt at or below the proven floor MUST change nothing.
        if key.generation <= self.line.floor {
            return;
        }
        //= spec/protocol.md#done-and-receipt
        //# SLO-25. A receipt above the proven floor MUST raise the proven floor to its generation.
        self.line.floor = key.generation;
        self.take(key.generation);
        //= spec/protocol.md#done-and-receipt
        //# SLO-47. A receipt above the last told MUST make the slot active.
        self.tell(key.generation, Turn::Activate);
        //= spec/protocol.md#done-and-receipt
        //# SLO-37. A receipt or a Done that comes late MUST still have these effects.
        self.line.live.confirm(key, install, Confirmation { device, proof });
        match self.shared() {
            //= spec/protocol.md#done-and-receipt
            //# SLO-28. A receipt for the grant that is being shared MUST make the share confirmed.
            Some(shared) if shared == key => self.content = Content::Shared(key, device),
            //= spec/protocol.md#done-and-receipt
            //# SLO-41. A receipt above the proven floor MUST end a share of another grant whose generation is at or below the receipt's.
            _ => self.end_share_up_to(key.generation),
        }
    }

    /// Takes in what a Done says of the slot; `digest` gives that of the Done, where it is to be kept.
    pub fn hear(&mut self, told: Told, digest: impl FnOnce() -> Digest) {
        match told {
            Told::Turned(turn, number) => self.done(turn, number),
            Told::Holds(report) => self.inspected(&report, digest()),
        }
    }

    /// An Activate or Deactivate took `number` at the lock, and left no key. Whether the slot is open is a function of
    /// the lock's floor: one at or below the last told does not decide it.
    pub fn done(&mut self, turn: Turn, number: Generation) {
        //= spec/protocol.md#done-and-receipt
        //# SLO-29. A Done of an Activate or Deactivate at n MUST take all generations at or below n out of live.
        //= spec/protocol.md#done-and-receipt
        //# SLO-37. A receipt or a Done that comes late MUST still have these effects.
        self.prove_dead(number);
        self.tell(number, turn);
    }

    /// At this floor the slot was open, or was not; that decides unless a higher one told already.
    fn tell(&mut self, floor: Generation, turn: Turn) {
        //= spec/protocol.md#done-and-receipt
        //# SLO-32. A Done of an Activate or Deactivate at n MUST decide whether the slot is active if, and only if, n is above the last told.
        if floor <= self.line.last_told {
            return;
        }
        self.line.last_told = floor;
        match turn {
            //= spec/protocol.md#done-and-receipt
            //# SLO-40. A Done of a Deactivate above the last told MUST end the share, whatever its generation.
            Turn::Deactivate => self.content = Content::Inactive,
            Turn::Activate if self.state() == State::Inactive => self.content = Content::NotShared,
            Turn::Activate => {}
        }
    }

    /// The lock says what the slot holds, and so whether it is open. It takes no number; `proof` is the digest of the
    /// `Done(Inspect)`. A share that it proves dead ends.
    pub fn inspected(&mut self, report: &SlotReport, proof: Digest) {
        //= spec/protocol.md#done-and-receipt
        //# SLO-33. A Done of an Inspect MUST take all generations below the floor that it reports out of live.
        match report.holding {
            Holding::Installed { grant, device } => {
                let key = GrantRef { generation: report.floor, grant };
                //= spec/protocol.md#done-and-receipt
                //# SLO-35. A Done of an Inspect that reports a holder MUST have the effects of a receipt with the floor, grant and device that it reports.
                self.confirm(&Proof { key, device, install: None, proof });
            }
            //= spec/protocol.md#done-and-receipt
            //# SLO-34. A Done of an Inspect MUST take the generation at that floor out of live if, and only if, it reports no holder.
            //= spec/protocol.md#done-and-receipt
            //# SLO-45. A Done of an Inspect that finds the slot Inactive MUST have the effects of a Done of a Deactivate at the floor that it reports.
            Holding::Inactive => self.done(Turn::Deactivate, report.floor),
            //= spec/protocol.md#done-and-receipt
            //# SLO-46. A Done of an Inspect that finds the slot Empty MUST have the effects of a Done of an Activate at the floor that it reports.
            Holding::Empty => self.done(Turn::Activate, report.floor),
        }
    }

    /// Takes a number that was seen: nothing at or below it is published any more.
    pub fn take(&mut self, number: Generation) {
        //= spec/protocol.md#number-line
        //# SLO-7. A record MUST raise its highest number to that of every grant, withdrawal, Done and receipt of its slot and epoch whose authenticator held.
        self.line.highest = self.line.highest.max(number);
    }

    /// Takes the next number for an Activate or Deactivate that is to be ordered.
    ///
    /// # Errors
    /// [`SlotError::Exhausted`] after the last number of the epoch.
    pub fn take_number(&mut self) -> Result<Generation, SlotError> {
        let number = self.next_number()?;
        self.take(number);
        Ok(number)
    }

    /// Nothing up to `number` ever opens, so none of it is shared either.
    fn prove_dead(&mut self, number: Generation) {
        //= spec/protocol.md#done-and-receipt
        //# SLO-31. A Done of an Activate or Deactivate at n MUST raise the proven floor to n where it is lower.
        //= spec/protocol.md#done-and-receipt
        //# SLO-36. A Done of an Inspect that reports no holder MUST raise the proven floor to the floor that it reports where it is lower.
        self.line.floor = self.line.floor.max(number);
        self.take(number);
        self.line.live.forget_up_to(number);
        //= spec/protocol.md#done-and-receipt
        //# SLO-30. A Done of an Activate or Deactivate at n MUST end a share whose generation is at or below n.
        //= spec/protocol.md#done-and-receipt
        //# SLO-42. A Done of an Inspect that reports no holder MUST end a share whose generation is at or below the floor that it reports.
        self.end_share_up_to(number);
    }

    fn end_share_up_to(&mut self, number: Generation) {
        self.end_share(|shared| shared.generation <= number);
    }

    /// Ends the share of a grant that was withdrawn, and of no other.
    pub(super) fn end_share_of(&mut self, key: GrantRef) {
        //= spec/protocol.md#withdrawal
        //# SLO-17. A withdrawal of the grant that is being shared MUST end the share.
        //= spec/protocol.md#withdrawal
        //# SLO-18. A withdrawal of a grant that is not being shared MUST NOT end a share.
        self.end_share(|shared| shared == key);
    }

    fn end_share(&mut self, ends: impl FnOnce(GrantRef) -> bool) {
        if self.shared().is_some_and(ends) {
            self.content = Content::NotShared;
        }
    }
}
