use core::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::{Content, Line, LiveKey, MAX_LIVE, Slot, Witness};
use crate::error::StoredSlotError;

/// The stored form of a slot. Reading it back checks that it is a state that steps reach.
#[derive(Serialize, Deserialize)]
pub(crate) struct Stored {
    line: Line,
    state: Content,
}

impl<W> From<Slot<W>> for Stored {
    fn from(Slot { line, content, .. }: Slot<W>) -> Self {
        Self { line, state: content }
    }
}

impl<W: Witness> TryFrom<Stored> for Slot<W> {
    type Error = StoredSlotError;

    fn try_from(Stored { line, state }: Stored) -> Result<Self, StoredSlotError> {
        let slot = Self { line, content: state, witness: PhantomData };
        check_line(&slot.line)?;
        check_share(&slot)?;
        Ok(slot)
    }
}

fn check_line(line: &Line) -> Result<(), StoredSlotError> {
    if line.last_told > line.floor {
        return Err(StoredSlotError::LastToldAboveFloor);
    }
    if line.floor > line.highest {
        return Err(StoredSlotError::FloorAboveHighest);
    }
    let live = line.live.as_slice();
    if !live.is_sorted_by(|a, b| a.key < b.key) {
        return Err(StoredSlotError::LiveUnsorted);
    }
    if line.live.unproven() > MAX_LIVE {
        return Err(StoredSlotError::LiveTooMany);
    }
    live.iter().try_for_each(|key| check_live(line, key))
}

fn check_live(line: &Line, live: &LiveKey) -> Result<(), StoredSlotError> {
    let number = live.key.generation;
    if number < line.floor || number > line.highest {
        return Err(StoredSlotError::LiveOutOfRange);
    }
    if (number == line.floor) == live.confirmation.is_some() { Ok(()) } else { Err(StoredSlotError::LiveConfirmation) }
}

fn check_share<W: Witness>(slot: &Slot<W>) -> Result<(), StoredSlotError> {
    let (line, device) = (&slot.line, slot.device());
    let Some(key) = slot.shared() else { return Ok(()) };
    if key.generation > line.highest {
        return Err(StoredSlotError::ShareOutOfRange);
    }
    let live = line.live.find(key);
    // A released share may open; an unreleased one exactly where signing counts already.
    if live.is_some() != (device.is_some() || W::SIGNED_MAY_OPEN) {
        return Err(StoredSlotError::ShareNotLive);
    }
    if live.is_none() && key.generation <= line.floor {
        return Err(StoredSlotError::ShareOutOfRange);
    }
    match live.and_then(LiveKey::confirmation) {
        Some(confirmation) if device != Some(confirmation.device) => Err(StoredSlotError::ShareDevice),
        _ => Ok(()),
    }
}
