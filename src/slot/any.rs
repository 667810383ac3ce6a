use super::line::Turn;
use super::{
    Event, GrantRef, Inactive, Line, LiveKey, NotShared, Observer, Outcome, Proof, Recorder, Share, Shared, Sharing,
    Slot, State, WithdrawnOutcome, Witness, next, witness,
};
use crate::counter::{Epoch, Generation};
use crate::crypto::{Digest, PublicKey};
use crate::error::SlotError;
use crate::message::{Holding, SlotReport};

/// A slot in whichever state it is: what is stored, and what messages act on.
///
/// Every step judges what happened against the slot's numbers, and then does what the transition
/// table ([`next`]) says. A refused step may still have taken a number: keep the slot that it gives.
#[derive(Debug)]
pub enum AnySlot<W = Recorder> {
    /// The slot is closed.
    Inactive(Slot<Inactive, W>),
    /// The slot is open, and nothing is shared in it.
    NotShared(Slot<NotShared, W>),
    /// A grant is published and was not released.
    Sharing(Slot<Sharing, W>),
    /// The grant was released to one device.
    Shared(Slot<Shared, W>),
}

impl<W: Witness> AnySlot<W> {
    /// The slot at the beginning of `epoch`: closed, all numbers 0.
    #[must_use]
    pub fn new(epoch: Epoch) -> Self {
        Self::Inactive(Slot::new(epoch))
    }

    /// Publishes (at the owner: signs) a grant. Whatever the answer, its number is taken.
    ///
    /// # Errors
    /// [`SlotError`], beside the slot as it is then.
    pub fn publish(self, key: GrantRef) -> (Self, Result<(), SlotError>) {
        let event = self.line().publish(key, self.share());
        let (mut slot, mut result) = self.follow(event, Some(Share { key, device: None }));
        //= spec/protocol.md#number-line
        //# SLO-7. A record MUST raise its highest number to that of every grant, withdrawal, Done and receipt of its slot and epoch whose authenticator held.
        //= spec/protocol.md#number-line
        //# SLO-9. A publication that is refused for another reason than its authenticator, lock, epoch or slot MUST still raise the highest number.
        slot.line_mut().take(key.generation);
        if result.is_ok() {
            result = witness::signed::<W>(slot.line_mut(), key);
        }
        (slot, result)
    }

    /// The lock proved a key installed, by a receipt or an inspection.
    #[must_use]
    pub fn confirm(mut self, proof: &Proof) -> Self {
        let share = self.share();
        let event = self.line_mut().confirm(proof, share);
        self.follow(event, Some(Share { key: proof.key, device: Some(proof.device) })).0
    }

    /// An Activate or Deactivate took `number` at the lock.
    #[must_use]
    pub fn done(mut self, turn: Turn, number: Generation) -> Self {
        let share = self.share();
        let event = self.line_mut().done(turn, number, share);
        self.follow(event, None).0
    }

    /// The lock says what the slot holds. It takes no number and does not decide whether the slot is
    /// active; `proof` is the digest of the `Done(Inspect)`. A share that it proves dead ends.
    #[must_use]
    pub fn inspected(mut self, report: &SlotReport, proof: Digest) -> Self {
        match report.holding {
            Holding::Installed { grant, device } => {
                let key = GrantRef { generation: report.floor, grant };
                //= spec/protocol.md#done-and-receipt
                //# SLO-35. A Done of an Inspect that reports a holder MUST have the effects of a receipt with the floor, grant and device that it reports.
                self.confirm(&Proof { key, device, install: None, proof })
            }
            //= spec/protocol.md#done-and-receipt
            //# SLO-34. A Done of an Inspect MUST take the generation at that floor out of live if, and only if, it reports no holder.
            Holding::Inactive | Holding::Empty => {
                let share = self.share();
                let event = self.line_mut().vacant(report.floor, share);
                self.follow(event, None).0
            }
        }
    }

    /// Takes a number that was seen: nothing at or below it is published any more.
    pub fn take(&mut self, number: Generation) {
        self.line_mut().take(number);
    }

    /// Takes the next number for an Activate or Deactivate that is to be ordered.
    ///
    /// # Errors
    /// [`SlotError::Exhausted`] after the last number of the epoch.
    pub fn take_number(&mut self) -> Result<Generation, SlotError> {
        let number = self.next_number()?;
        self.line_mut().take(number);
        Ok(number)
    }

    /// The next number, which a grant is to carry.
    ///
    /// # Errors
    /// [`SlotError::Exhausted`] after the last number of the epoch.
    pub fn next_number(&self) -> Result<Generation, SlotError> {
        //= spec/protocol.md#number-line
        //# SLO-6. An owner MUST give each grant, Activate and Deactivate a number above the highest seen.
        self.line().highest.next().ok_or(SlotError::Exhausted)
    }

    /// Which state it is in.
    #[must_use]
    pub const fn state(&self) -> State {
        match self {
            Self::Inactive(_) => State::Inactive,
            Self::NotShared(_) => State::NotShared,
            Self::Sharing(_) => State::Sharing,
            Self::Shared(_) => State::Shared,
        }
    }

    /// The grant that is shared, if one is.
    #[must_use]
    pub fn shared(&self) -> Option<GrantRef> {
        self.share().map(|share| share.key)
    }

    /// The device that the shared grant was released to, where that is known.
    #[must_use]
    pub fn device(&self) -> Option<PublicKey> {
        self.share().and_then(|share| share.device)
    }

    /// Whether the lock said that the shared grant's key is installed.
    #[must_use]
    pub fn is_downloaded(&self) -> bool {
        matches!(self, Self::Shared(slot) if slot.is_downloaded())
    }

    /// The keys that may open the slot, in rising order. Empty only where none can, as far as
    /// whoever keeps this state was told.
    #[must_use]
    pub fn may_open(&self) -> &[LiveKey] {
        self.line().live.as_slice()
    }

    /// Whether the grant's key is among [`may_open`](Self::may_open).
    #[must_use]
    pub fn is_live(&self, key: GrantRef) -> bool {
        self.line().live.find(key).is_some()
    }

    /// The highest number seen.
    #[must_use]
    pub const fn highest(&self) -> Generation {
        self.line().highest
    }

    /// The highest number of an Activate or Deactivate that is known done.
    #[must_use]
    pub const fn last_done(&self) -> Generation {
        self.line().last_done
    }

    /// The proven floor: the highest number that a Done or a receipt proved.
    #[must_use]
    pub const fn floor(&self) -> Generation {
        self.line().floor
    }

    /// The ownership that all this belongs to.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.line().epoch
    }

    /// Does what the table says; `share` is what a new state would carry.
    fn follow(self, event: Event, share: Option<Share>) -> (Self, Result<(), SlotError>) {
        match next(self.state(), event) {
            Outcome::Go(state) => (Self::arrive(self.into_line(), state, share), Ok(())),
            Outcome::Stay | Outcome::Never => (self, Ok(())),
            Outcome::Refuse(error) => (self, Err(error)),
        }
    }

    pub(super) fn arrive(line: Line, state: State, share: Option<Share>) -> Self {
        match (state, share) {
            (State::Inactive, _) => Self::Inactive(Slot::in_state(line, Inactive(()))),
            (State::Sharing, Some(Share { key, .. })) => Self::Sharing(Slot::in_state(line, Sharing { key })),
            (State::Shared, Some(Share { key, device: Some(device) })) => {
                Self::Shared(Slot::in_state(line, Shared { key, device }))
            }
            // Where there is nothing to carry, nothing is shared.
            (State::NotShared | State::Sharing | State::Shared, _) => {
                Self::NotShared(Slot::in_state(line, NotShared(())))
            }
        }
    }

    pub(super) fn share(&self) -> Option<Share> {
        match self {
            Self::Inactive(_) | Self::NotShared(_) => None,
            Self::Sharing(slot) => Some(slot.state.share()),
            Self::Shared(slot) => Some(slot.state.share()),
        }
    }

    pub(super) const fn line(&self) -> &Line {
        match self {
            Self::Inactive(slot) => &slot.line,
            Self::NotShared(slot) => &slot.line,
            Self::Sharing(slot) => &slot.line,
            Self::Shared(slot) => &slot.line,
        }
    }

    const fn line_mut(&mut self) -> &mut Line {
        match self {
            Self::Inactive(slot) => &mut slot.line,
            Self::NotShared(slot) => &mut slot.line,
            Self::Sharing(slot) => &mut slot.line,
            Self::Shared(slot) => &mut slot.line,
        }
    }

    fn into_line(self) -> Line {
        match self {
            Self::Inactive(slot) => slot.line,
            Self::NotShared(slot) => slot.line,
            Self::Sharing(slot) => slot.line,
            Self::Shared(slot) => slot.line,
        }
    }
}

impl AnySlot<Recorder> {
    /// Releases the shared grant to the device that claimed it, or to it again.
    ///
    /// # Errors
    /// [`SlotError::NotPublished`] or [`SlotError::ClaimedByOtherDevice`], beside the slot.
    pub fn release(self, grant: &Digest, device: PublicKey, install: Digest) -> (Self, Result<(), SlotError>) {
        let share = self.share();
        let event = Line::release(grant, &device, share);
        //= spec/protocol.md#service-release-checks
        //# SVC-13. The service MUST fix the device of a grant with its first release.
        let claimed = share.map(|share| Share { device: Some(device), ..share });
        let (mut slot, mut result) = self.follow(event, claimed);
        if let (Ok(()), Some(share)) = (result, claimed) {
            //= spec/protocol.md#release
            //# SLO-15. A release MUST make the state Shared and the grant's generation live.
            result = slot.line_mut().live.note(share.key, Some(install));
        }
        (slot, result)
    }

    /// Withdraws a grant: a revocation, a reset, or of no further effect, as the answer says. The
    /// same withdrawal again gets the same answer, until a proof settles it.
    #[must_use]
    pub fn withdraw(mut self, key: GrantRef) -> (Self, WithdrawnOutcome) {
        let share = self.share();
        let (event, outcome) = self.line_mut().withdraw(key, share);
        (self.follow(event, None).0, outcome)
    }
}

impl AnySlot<Observer> {
    /// Takes in the record's answer to a withdrawal. `NeverReleased` removes the key from those that
    /// may open unless something said otherwise before; `Settled` leaves it there until the lock's
    /// own word arrives.
    ///
    /// # Errors
    /// [`SlotError::LiveFull`] where a key that the view did not know was released, and too many are
    /// live; beside the slot, unchanged.
    pub fn withdrawn(mut self, key: GrantRef, outcome: &WithdrawnOutcome) -> (Self, Result<(), SlotError>) {
        let share = self.share();
        match self.line_mut().withdrawn(key, outcome, share) {
            Ok(event) => self.follow(event, None),
            Err(error) => (self, Err(error)),
        }
    }

    /// Takes in a grant that another phone of the same owner signed.
    ///
    /// # Errors
    /// [`SlotError::LiveFull`] where too many keys are live; beside the slot, unchanged.
    pub fn learn(mut self, key: GrantRef) -> (Self, Result<(), SlotError>) {
        let share = self.share();
        match self.line_mut().learn(key, share) {
            Ok(event) => {
                let confirmation = self.line().live.find(key).and_then(LiveKey::confirmation);
                let device = confirmation.map(|confirmation| confirmation.device);
                self.follow(event, Some(Share { key, device }))
            }
            Err(error) => (self, Err(error)),
        }
    }
}

impl<W: Witness> Clone for AnySlot<W> {
    fn clone(&self) -> Self {
        Self::arrive(self.line().clone(), self.state(), self.share())
    }
}

impl<W: Witness> PartialEq for AnySlot<W> {
    fn eq(&self, other: &Self) -> bool {
        self.state() == other.state() && self.share() == other.share() && self.line() == other.line()
    }
}

impl<W: Witness> Eq for AnySlot<W> {}
