//! What the power is cut in the middle of.

use sharekey::id::SlotId;

use super::Dice;
use super::world::World;

/// How many slots are played with.
pub const PLAYED: u8 = 3;

/// An operation that is interrupted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Operation {
    /// The first challenge after a boot, which writes the counter.
    Challenge,
    /// The owner opens the slot.
    Activate(SlotId),
    /// The owner closes the slot.
    Deactivate(SlotId),
    /// A new key takes the slot.
    Install(SlotId),
    /// The key that is there is installed again, with a new pairing key.
    Rekey(SlotId),
    /// The slot's key opens, with a use limit or without.
    Open(SlotId),
    /// The owner sets the clock.
    SetClock,
    /// The owner gives the lock to the other owner.
    Transfer,
    /// The card's holder resets the lock.
    Reset,
    /// A lock that was just reset gets an owner.
    Provision,
}

impl Operation {
    /// One that the world allows now.
    pub fn draw(dice: &mut Dice, world: &World) -> Self {
        loop {
            let slot = SlotId::new(dice.below(PLAYED.into()) as u8);
            let held = world.holds_key(slot);
            match dice.below(43) {
                0 | 1 => return Self::Challenge,
                2..=4 => return Self::Activate(slot),
                5 | 6 => return Self::Deactivate(slot),
                7..=19 if world.is_active(slot) => return Self::Install(slot),
                20..=27 if held => return Self::Rekey(slot),
                28..=37 if held => return Self::Open(slot),
                38 | 39 => return Self::SetClock,
                40 => return Self::Transfer,
                41 => return Self::Reset,
                42 => return Self::Provision,
                _ => {}
            }
        }
    }

    /// Its name in the tally.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Challenge => "challenge",
            Self::Activate(_) => "activate",
            Self::Deactivate(_) => "deactivate",
            Self::Install(_) => "install",
            Self::Rekey(_) => "re-key",
            Self::Open(_) => "open",
            Self::SetClock => "set clock",
            Self::Transfer => "transfer",
            Self::Reset => "reset",
            Self::Provision => "provision",
        }
    }

    /// About how many words of flash it writes, where it writes any.
    pub fn words(self, world: &World) -> Option<u64> {
        match self {
            Self::Challenge | Self::SetClock | Self::Activate(_) | Self::Deactivate(_) => Some(18),
            Self::Install(_) | Self::Rekey(_) => Some(48),
            Self::Transfer | Self::Provision => Some(32),
            // The seed, and the records of the lock that is made then.
            Self::Reset => Some(240),
            Self::Open(slot) => world.is_limited(slot).then_some(48),
        }
    }
}
