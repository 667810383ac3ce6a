//! The slot state machine, as the service's record and the owner's view run it (spec: "Slots").
//!
//! A [`Slot`] is in one of four states, each a type: [`Inactive`], [`NotShared`], [`Sharing`] and
//! [`Shared`]. A transition takes the slot and gives the slot that it became, so an impossible step
//! does not compile: there is no `revoke` on a `Slot<Shared>`. [`AnySlot`] is the same machine with
//! the state known only at run time, for storage and for whatever a message brings.
//!
//! Both follow one transition table, [`next`]: [`AnySlot`] asks it, and the typed transitions are
//! checked against it by the compiler.
//!
//! Whatever the state, a slot carries its number line and its **live keys**: every key that may open
//! the slot. A key leaves them only by proof.

mod any;
mod line;
mod live;
mod state;
mod stored;
mod table;
mod witness;

use core::marker::PhantomData;

pub use self::any::AnySlot;
pub use self::line::{Proof, Turn};
pub use self::live::{Confirmation, LiveKey, MAX_LIVE};
pub use self::state::{GrantRef, Inactive, NotShared, Shared, Sharing, State};
pub use self::table::{Event, Outcome, next};
pub use self::witness::{Observer, Recorder, Witness};

use self::line::Line;
use self::state::Share;
use self::table::{On, event};
use crate::counter::{Epoch, Generation};
use crate::crypto::{Digest, PublicKey};
use crate::error::SlotError;
use crate::message::WithdrawnOutcome;

/// A slot in state `S`, as `W` knows it. Only transitions make one, and none can be copied.
#[derive(Debug)]
pub struct Slot<S, W = Recorder> {
    line: Line,
    state: S,
    witness: PhantomData<fn() -> W>,
}

impl<W: Witness> Slot<Inactive, W> {
    /// The slot at the beginning of `epoch`: closed, all numbers 0.
    #[must_use]
    pub fn new(epoch: Epoch) -> Self {
        //= spec/protocol.md#slot-record
        //# SLO-1. A record of a new epoch MUST begin Inactive, with all numbers 0 and nothing live.
        Self::in_state(Line::new(epoch), Inactive(()))
    }
}

impl<W: Witness> Slot<NotShared, W> {
    /// Publishes (at the owner: signs) a grant. Refused or not, at the record its number is taken.
    ///
    /// # Errors
    /// The slot, and [`SlotError::StaleNumber`] unless the number is above the highest seen, or
    /// [`SlotError::LiveFull`].
    #[allow(clippy::result_large_err, reason = "who gives the slot away gets it back")]
    pub fn publish(mut self, key: GrantRef) -> Result<Slot<Sharing, W>, (Self, SlotError)> {
        let judged = self.line.publish(key, None);
        self.line.take(key.generation);
        match judged {
            Event::Publish => match witness::signed::<W>(&mut self.line, key) {
                Ok(()) => Ok(self.follow::<event::Publish>(Sharing { key })),
                Err(error) => Err((self, error)),
            },
            Event::PublishFull => Err((self, SlotError::LiveFull)),
            _ => Err((self, SlotError::StaleNumber)),
        }
    }
}

impl Slot<Sharing, Recorder> {
    /// Releases the grant to the first device that claims it: the point of no return.
    ///
    /// # Errors
    /// The slot, and [`SlotError::NotPublished`] where `grant` is not the one that is shared.
    #[allow(clippy::result_large_err, reason = "who gives the slot away gets it back")]
    pub fn release(
        mut self,
        grant: &Digest,
        device: PublicKey,
        install: Digest,
    ) -> Result<Slot<Shared, Recorder>, (Self, SlotError)> {
        if Line::release(grant, &device, Some(self.state.share())) != Event::Release {
            return Err((self, SlotError::NotPublished));
        }
        let key = self.state.key;
        match self.line.live.note(key, Some(install)) {
            Ok(()) => Ok(self.follow::<event::Release>(Shared { key, device })),
            Err(error) => Err((self, error)),
        }
    }

    /// Takes the grant back before it was released: now it never is.
    #[must_use]
    pub fn revoke(self) -> Slot<NotShared, Recorder> {
        self.follow::<event::WithdrawCurrent>(NotShared(()))
    }
}

impl Slot<Shared, Recorder> {
    /// Releases the grant again, for a new install of the same device.
    ///
    /// # Errors
    /// The slot, and [`SlotError::NotPublished`] or [`SlotError::ClaimedByOtherDevice`].
    #[allow(clippy::result_large_err, reason = "who gives the slot away gets it back")]
    pub fn release(mut self, grant: &Digest, device: PublicKey, install: Digest) -> Result<Self, (Self, SlotError)> {
        match Line::release(grant, &device, Some(self.state.share())) {
            Event::Release => {}
            Event::ReleaseToOtherDevice => return Err((self, SlotError::ClaimedByOtherDevice)),
            _ => return Err((self, SlotError::NotPublished)),
        }
        let key = self.state.key;
        match self.line.live.note(key, Some(install)) {
            Ok(()) => Ok(self.follow::<event::Release>(Shared { key, device })),
            Err(error) => Err((self, error)),
        }
    }

    /// Frees the slot for another grant. The key that was released stays among the live ones.
    #[must_use]
    pub fn reset(self) -> Slot<NotShared, Recorder> {
        self.follow::<event::WithdrawCurrent>(NotShared(()))
    }
}

impl<W: Witness> Slot<Sharing, W> {
    /// The lock proved the key installed: an owner learns of the release by its proof.
    ///
    /// # Errors
    /// The slot, unchanged, where the proof is not of the grant that is shared
    /// ([`SlotError::NotPublished`]); give it to [`AnySlot::confirm`].
    #[allow(clippy::result_large_err, reason = "who gives the slot away gets it back")]
    pub fn confirm(mut self, proof: &Proof) -> Result<Slot<Shared, W>, (Self, SlotError)> {
        let share = self.state.share();
        if share.key != proof.key || self.line.confirm(proof, Some(share)) != Event::ConfirmCurrent {
            return Err((self, SlotError::NotPublished));
        }
        Ok(self.follow::<event::ConfirmCurrent>(Shared { key: proof.key, device: proof.device }))
    }

    /// The grant that is shared.
    #[must_use]
    pub const fn key(&self) -> GrantRef {
        self.state.key
    }
}

impl<W: Witness> Slot<Shared, W> {
    /// The lock proved the key installed: from now on the slot [is downloaded](Self::is_downloaded).
    ///
    /// # Errors
    /// The slot, unchanged, where the proof is not of the grant that is shared, or is not news
    /// ([`SlotError::NotPublished`]); give it to [`AnySlot::confirm`].
    #[allow(clippy::result_large_err, reason = "who gives the slot away gets it back")]
    pub fn confirm(mut self, proof: &Proof) -> Result<Self, (Self, SlotError)> {
        let share = self.state.share();
        if share.key != proof.key || self.line.confirm(proof, Some(share)) != Event::ConfirmCurrent {
            return Err((self, SlotError::NotPublished));
        }
        Ok(self.follow::<event::ConfirmCurrent>(Shared { key: proof.key, device: proof.device }))
    }

    /// The grant that is shared.
    #[must_use]
    pub const fn key(&self) -> GrantRef {
        self.state.key
    }

    /// The device that it was released to.
    #[must_use]
    pub const fn device(&self) -> &PublicKey {
        &self.state.device
    }

    /// The latest install that was released for it, where that is known.
    #[must_use]
    pub fn install(&self) -> Option<Digest> {
        self.line.live.find(self.state.key).and_then(LiveKey::install)
    }

    /// Whether the lock said that the key is installed. Until then it is only released.
    #[must_use]
    pub fn is_downloaded(&self) -> bool {
        //= spec/protocol.md#states
        //# SLO-3. A view MUST NOT say that a key was downloaded before the share is confirmed.
        self.confirmation().is_some()
    }

    /// The lock's word that the key is installed.
    #[must_use]
    pub fn confirmation(&self) -> Option<&Confirmation> {
        self.line.live.find(self.state.key).and_then(LiveKey::confirmation)
    }
}

impl<S, W: Witness> Slot<S, W> {
    /// The keys that may open the slot, in rising order. Empty only where none can, as far as
    /// whoever keeps this state was told.
    pub fn may_open(&self) -> impl Iterator<Item = &LiveKey> {
        self.line.live.as_slice().iter()
    }

    /// The highest number seen; a new grant needs a higher one.
    #[must_use]
    pub const fn highest(&self) -> Generation {
        self.line.highest
    }

    /// The proven floor: the highest number that a Done or a receipt proved.
    #[must_use]
    pub const fn floor(&self) -> Generation {
        self.line.floor
    }

    /// The ownership that all this belongs to.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.line.epoch
    }

    const fn in_state(line: Line, state: S) -> Self {
        Self { line, state, witness: PhantomData }
    }

    /// Goes where the table leads from `S` on `E`; another target does not compile.
    fn follow<E>(self, state: S::Next) -> Slot<S::Next, W>
    where
        S: On<E>,
    {
        Slot::in_state(self.line, state)
    }
}

impl Sharing {
    const fn share(&self) -> Share {
        Share { key: self.key, device: None }
    }
}

impl Shared {
    const fn share(&self) -> Share {
        Share { key: self.key, device: Some(self.device) }
    }
}
