//! What a command orders, and what has happened when it was carried out.

use sharekey::counter::{Epoch, Generation};
use sharekey::crypto::{Digest, PublicKey};
use sharekey::id::{LockId, SlotId};
use sharekey::message::Operation;

use super::{Answered, Event, Place};

/// What a command orders, as far as it is judged that the lock did just that.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Order {
    /// To open (`active`) or close a slot.
    Switch {
        /// Which slot.
        slot: SlotId,
        /// Whether it is to be open.
        active: bool,
        /// The number that this takes.
        generation: Generation,
    },
    /// To hand the lock to this owner.
    Transfer {
        /// The new owner.
        owner: PublicKey,
    },
    /// Anything else.
    Other,
}

impl Order {
    /// What this operation is judged as.
    #[must_use]
    pub const fn of(operation: &Operation) -> Self {
        match *operation {
            Operation::Activate { slot, generation } => Self::Switch { slot, active: true, generation },
            Operation::Deactivate { slot, generation } => Self::Switch { slot, active: false, generation },
            Operation::Transfer { owner, .. } => Self::Transfer { owner },
            Operation::SetClock { .. } | Operation::Act { .. } | Operation::Inspect { .. } => Self::Other,
        }
    }

    /// What happened when a lock carried it out: in which ownership the lock was then, by which command, and which
    /// challenge that answered.
    #[must_use]
    pub const fn done(&self, (lock, epoch): (LockId, Epoch), command: Digest, answered: Answered) -> Event {
        match *self {
            Self::Switch { slot, active, generation } => {
                Event::Switched { place: Place { lock, epoch, slot }, active, generation, command, answered }
            }
            Self::Transfer { owner } => Event::Owned { lock, epoch, owner, answered, command: Some(command) },
            Self::Other => Event::Obeyed { lock, epoch, command, answered },
        }
    }
}
