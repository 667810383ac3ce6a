//! What a kept message says of a grant's release (spec: "Owner").

use crate::counter::Epoch;
use crate::id::{LockId, SlotId};
use crate::message::{Done, Receipt, Withdraw, Withdrawn, WithdrawnOutcome};
use crate::slot::{GrantRef, Told};
use crate::wire::{Kind, Unverified};

/// Of which grant a message tells, and whether that it was released.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) lock: LockId,
    pub(super) epoch: Epoch,
    pub(super) slot: SlotId,
    pub(super) key: GrantRef,
    pub(super) released: bool,
}

impl Said {
    /// Reads a message whose signature was checked before it was kept. `None` where it tells nothing of the kind.
    pub(super) fn by(message: &[u8]) -> Option<Self> {
        match Kind::of(message).ok()? {
            Kind::Withdrawn => withdrawn(Unverified::parse(message).ok()?.claims()),
            Kind::Receipt => Some(receipt(Unverified::parse(message).ok()?.claims())),
            Kind::Done => inspected(Unverified::parse(message).ok()?.claims()),
            _ => None,
        }
    }
}

fn withdrawn(Withdrawn { withdraw, outcome, .. }: &Withdrawn) -> Option<Said> {
    let released = match outcome {
        WithdrawnOutcome::NeverReleased => false,
        WithdrawnOutcome::Released { .. } => true,
        WithdrawnOutcome::Settled => return None,
    };
    let Withdraw { lock, epoch, slot, generation, grant, .. } = *withdraw;
    Some(Said { lock, epoch, slot, key: GrantRef { generation, grant }, released })
}

fn receipt(receipt: &Receipt) -> Said {
    let Receipt { lock, epoch, slot, generation, grant, .. } = *receipt;
    Said { lock, epoch, slot, key: GrantRef { generation, grant }, released: true }
}

fn inspected(done: &Done) -> Option<Said> {
    let (slot, told) = Told::by(&done.completed)?;
    let (key, _) = told.found()?;
    Some(Said { lock: done.lock, epoch: done.epoch, slot, key, released: true })
}
