use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{AnySlot, Line, LiveKey, MAX_LIVE, Share, State, Witness};
use crate::crypto::PublicKey;
use crate::error::StoredSlotError;
use crate::slot::GrantRef;

/// The stored form of a slot. Reading it back checks that it is a state that transitions reach.
#[derive(Serialize, Deserialize)]
struct Stored {
    line: Line,
    state: StoredState,
}

#[derive(Serialize, Deserialize)]
enum StoredState {
    Inactive,
    NotShared,
    Sharing(GrantRef),
    Shared(GrantRef, PublicKey),
}

impl<W: Witness> Serialize for AnySlot<W> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let state = match (self.state(), self.share()) {
            (State::Inactive, _) => StoredState::Inactive,
            (_, None) => StoredState::NotShared,
            (_, Some(Share { key, device: None })) => StoredState::Sharing(key),
            (_, Some(Share { key, device: Some(device) })) => StoredState::Shared(key, device),
        };
        Stored { line: self.line().clone(), state }.serialize(serializer)
    }
}

impl<'de, W: Witness> Deserialize<'de> for AnySlot<W> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Stored { line, state } = Stored::deserialize(deserializer)?;
        let (state, share) = match state {
            StoredState::Inactive => (State::Inactive, None),
            StoredState::NotShared => (State::NotShared, None),
            StoredState::Sharing(key) => (State::Sharing, Some(Share { key, device: None })),
            StoredState::Shared(key, device) => (State::Shared, Some(Share { key, device: Some(device) })),
        };
        check_line(&line).and_then(|()| check_share::<W>(&line, share)).map_err(serde::de::Error::custom)?;
        Ok(Self::arrive(line, state, share))
    }
}

fn check_line(line: &Line) -> Result<(), StoredSlotError> {
    if line.last_done > line.floor {
        return Err(StoredSlotError::LastDoneAboveFloor);
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

fn check_share<W: Witness>(line: &Line, share: Option<Share>) -> Result<(), StoredSlotError> {
    let Some(Share { key, device }) = share else { return Ok(()) };
    if key.generation <= line.last_done || key.generation > line.highest {
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
