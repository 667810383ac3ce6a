//! The slot state machine, as the service's record and the owner's view run it (spec: "Slots").
//!
//! A [`Slot`] is in one of four [`State`]s. Whatever the state, it carries its number line (the highest number
//! seen, the last told, the proven floor) and its **live keys**: every key that may open the slot. A key leaves
//! them only by proof.
//!
//! Each step takes what happened, judges it against the numbers, and leaves the slot as it is then. One that is
//! refused changes nothing, but for a number that it may have taken. Which step leads where is drawn in the spec,
//! from the table of transitions that the tests hold this code to.

mod live;
mod observer;
mod record;
mod state;
mod step;
mod stored;

use core::marker::PhantomData;

use serde::{Deserialize, Serialize};

pub use self::live::{Confirmation, LiveKey, MAX_LIVE};
pub use self::observer::Observer;
pub use self::record::Recorder;
pub use self::state::{GrantRef, Witness};
pub use self::step::{Proof, Told, Turn};
#[cfg(feature = "alloc")]
pub(crate) use self::stored::Stored as StoredSlot;
pub use crate::message::report::State;

use self::live::Live;
use crate::counter::{Epoch, Generation};
use crate::crypto::PublicKey;
use crate::error::SlotError;

/// A slot in one epoch, as `W` keeps it. Only its steps change it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "stored::Stored", into = "stored::Stored", bound = "W: Witness")]
pub struct Slot<W = Recorder> {
    line: Line,
    content: Content,
    witness: PhantomData<fn() -> W>,
}

/// A slot's numbers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Line {
    epoch: Epoch,
    /// The highest number seen in a grant, a withdrawal or a proof.
    highest: Generation,
    /// The highest floor of which the lock told whether the slot was open then.
    //= spec/protocol.md#done-and-receipt
    //# SLO-38. The last told MUST be kept apart from the highest number and from the proven floor.
    last_told: Generation,
    /// The highest number that a Done or a receipt proved.
    floor: Generation,
    live: Live,
}

/// The state, with what is shared in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Content {
    Inactive,
    NotShared,
    Sharing(GrantRef),
    Shared(GrantRef, PublicKey),
}

impl<W: Witness> Slot<W> {
    /// The slot at the beginning of `epoch`: closed, all numbers 0.
    #[must_use]
    pub fn new(epoch: Epoch) -> Self {
        let zero = Generation::ZERO;
        //= spec/protocol.md#slot-record
        //# SLO-1. A record of a new epoch MUST begin Inactive, with all numbers 0 and nothing live.
        let line = Line { epoch, highest: zero, last_told: zero, floor: zero, live: Live::default() };
        Self { line, content: Content::Inactive, witness: PhantomData }
    }

    /// Which state it is in.
    #[must_use]
    pub const fn state(&self) -> State {
        match self.content {
            Content::Inactive => State::Inactive,
            Content::NotShared => State::NotShared,
            Content::Sharing(_) => State::Sharing,
            Content::Shared(..) => State::Shared,
        }
    }

    /// The grant that is shared, if one is.
    #[must_use]
    pub const fn shared(&self) -> Option<GrantRef> {
        match self.content {
            Content::Inactive | Content::NotShared => None,
            Content::Sharing(key) | Content::Shared(key, _) => Some(key),
        }
    }

    /// The device that the shared grant was released to, where that is known.
    #[must_use]
    pub const fn device(&self) -> Option<PublicKey> {
        match self.content {
            Content::Shared(_, device) => Some(device),
            _ => None,
        }
    }

    /// Whether the lock said that the shared grant's key is installed.
    #[must_use]
    pub fn is_downloaded(&self) -> bool {
        //= spec/protocol.md#states
        //# SLO-3. A view MUST NOT say that a key was downloaded before the share is confirmed.
        self.shared().and_then(|key| self.live(key)).is_some_and(|live| live.confirmation().is_some())
    }

    /// The keys that may open the slot, in rising order. Empty only where none can, as far as whoever keeps this
    /// state was told.
    #[must_use]
    pub fn may_open(&self) -> &[LiveKey] {
        self.line.live.as_slice()
    }

    /// What is known of the grant's key, where it is among [`may_open`](Self::may_open).
    #[must_use]
    pub fn live(&self, key: GrantRef) -> Option<&LiveKey> {
        self.line.live.find(key)
    }

    /// Whether the grant's key is among [`may_open`](Self::may_open).
    #[must_use]
    pub fn is_live(&self, key: GrantRef) -> bool {
        self.live(key).is_some()
    }

    /// The next number, which a grant is to carry.
    ///
    /// # Errors
    /// [`SlotError::Exhausted`] after the last number of the epoch.
    pub fn next_number(&self) -> Result<Generation, SlotError> {
        //= spec/protocol.md#number-line
        //# SLO-6. An owner MUST give each grant, Activate and Deactivate a number above the highest seen.
        self.line.highest.next().ok_or(SlotError::Exhausted)
    }

    /// The highest number seen; a new grant needs a higher one.
    #[must_use]
    pub const fn highest(&self) -> Generation {
        self.line.highest
    }

    /// The last told: the highest floor of which the lock told whether the slot was open then, in a Done of an Activate,
    /// a Deactivate or an Inspect, or in a receipt.
    #[must_use]
    pub const fn last_told(&self) -> Generation {
        self.line.last_told
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
}

impl<W> core::fmt::Debug for Slot<W> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Slot").field("line", &self.line).field("content", &self.content).finish()
    }
}
