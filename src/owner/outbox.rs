use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::view::{OwnedLock, OwnedSlot};
use crate::counter::Epoch;
use crate::crypto::Digest;
use crate::id::SlotId;
use crate::message::{Done, Receipt};
use crate::slot::{GrantRef, Observer, Proof, Slot, State, Told};
use crate::wire::{Kind, Unverified};

/// A message that the service must hear of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outgoing<'v> {
    /// Whose slot's record it is for; `None` for the lock's statement of ownership, which is for every record of the lock.
    pub slot: Option<SlotId>,
    /// The bytes to send.
    pub message: &'v [u8],
}

/// How far a grant that the view holds is on its way to the service.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Delivery {
    /// It is by a code that the owner has not [seen](super::Owner::code_shown) yet: it is not sent.
    Held,
    /// No report has shown it: it is sent at the next contact.
    Due,
    /// The service's latest report shows it, or it is another phone's.
    Heard,
}

/// A statement of the lock's about a slot, which the service must hear of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Unheard(#[serde(with = "crate::form::messages::one")] pub(super) Vec<u8>);

impl OwnedLock {
    /// What the service must hear of and, as far as this view knows, has not: to be sent now, in this order, at each
    /// contact with the service. A Withdraw is answered with a Withdrawn, to be [learned](super::Owner::learn); all else
    /// is answered by the next report ([`see`](super::Owner::see)), which takes out of here what it shows. That the
    /// network said "taken" proves nothing, and changes nothing. Sending one again does no harm; one that is refused does
    /// not hold up the others.
    ///
    /// It is part of the stored view, so a crash between two steps loses none of it, and bounded: for the lock one statement of
    /// ownership; for a slot the lock's latest word and, at the same floor, what that leaves open, one grant, and a
    /// Withdraw for each key that may open. What falls out is what a later word of the lock's made void.
    ///
    /// Once the lock was [handed on](super::Standing::Transferred) there is the lock's word for that, and nothing else:
    /// for the new owner, and for both services where they differ.
    pub fn outbox(&self) -> impl Iterator<Item = Outgoing<'_>> {
        //= spec/protocol.md#owner
        //# OWN-36. The owner MUST keep the statement of ownership with its view, and send it at each contact before all else, until it took in a report of each slot that the view knows, and of one at least.
        let unreported = self.slots.is_empty() || self.slots.values().any(|known| known.reported.is_none());
        let ownership = unreported.then_some(Outgoing { slot: None, message: &self.ownership });
        let slots = self
            .slots
            .iter()
            .flat_map(|(slot, known)| known.outgoing().map(|message| Outgoing { slot: Some(*slot), message }));
        ownership.into_iter().chain(slots)
    }
}

impl OwnedSlot {
    /// First what the lock says, for on it depends whether the rest is taken.
    fn outgoing(&self) -> impl Iterator<Item = &[u8]> {
        //= spec/protocol.md#owner
        //# OWN-41. The owner MUST keep what the lock tells of a slot with its view, and send it at each contact, until a report shows that the record was told as much.
        let told = self.unheard.iter().map(|Unheard(message)| message.as_slice());
        //= spec/protocol.md#owner
        //# OWN-35. The owner MUST keep a Withdraw with its view, and send it at each contact, until it is answered or its grant is proved dead.
        let withdraws = self.withdrawing.iter().map(|withdraw| withdraw.bytes.as_slice());
        told.chain(withdraws).chain(self.due())
    }

    /// The grant that is to be published.
    fn due(&self) -> Option<&[u8]> {
        let key = self.slot.shared().filter(|key| self.slot.state() == State::Sharing && !self.is_withdrawing(*key))?;
        //= spec/protocol.md#owner
        //# OWN-34. The owner MUST send a Grant that it signed, and that its view shows as being shared, at each contact until a report shows it or its Withdraw is signed.
        let issued = self.issued(key).filter(|issued| issued.delivery == Delivery::Due)?;
        Some(issued.grant.bytes().as_bytes())
    }

    pub(super) fn is_withdrawing(&self, key: GrantRef) -> bool {
        self.withdrawing.iter().any(|withdraw| withdraw.key == key)
    }

    /// Takes in what the lock says of the slot, and keeps it for the service where it is news.
    pub(super) fn hear(&mut self, message: &[u8], hear: impl FnOnce(&mut Slot<Observer>)) {
        let before = self.slot.clone();
        hear(&mut self.slot);
        if self.slot != before {
            self.keep(message);
        }
    }

    /// Keeps what the lock says for the service, unless what is kept says as much.
    pub(super) fn keep(&mut self, message: &[u8]) {
        let before = told(self.slot.epoch(), self.unheard.iter().map(|Unheard(kept)| kept.as_slice()));
        let mut after = before.clone();
        hear(&mut after, message);
        // What is told at a lower floor changes no record that was told of a higher one.
        if after.floor() > before.floor() {
            self.unheard.clear();
        }
        if after != before {
            self.unheard.push(Unheard(Vec::from(message)));
        }
    }

    /// A report was taken in, which held these messages and grants.
    pub(super) fn shown<'m>(&mut self, messages: impl Iterator<Item = &'m [u8]>, grants: &[GrantRef]) {
        let record = told(self.slot.epoch(), messages);
        self.unheard.retain(|Unheard(message)| {
            let mut after = record.clone();
            hear(&mut after, message);
            after != record
        });
        let own = self.issued.iter_mut().filter(|issued| issued.method.is_some());
        for issued in own.filter(|issued| issued.delivery != Delivery::Held) {
            issued.delivery = if grants.contains(&issued.key) { Delivery::Heard } else { Delivery::Due };
        }
    }
}

/// What a record knows that was told this by the lock, and nothing else.
fn told<'m>(epoch: Epoch, messages: impl Iterator<Item = &'m [u8]>) -> Slot<Observer> {
    let mut slot = Slot::new(epoch);
    messages.for_each(|message| hear(&mut slot, message));
    slot
}

/// What the lock says changes a slot; nothing else does. Its signature was checked before.
fn hear(slot: &mut Slot<Observer>, message: &[u8]) {
    // Two statements that say the same are the same here.
    let proof = Digest::from_bytes([0; 32]);
    match Kind::of(message) {
        Ok(Kind::Done) => {
            let done = Unverified::<Done>::parse(message).ok();
            if let Some((_, told)) = done.and_then(|done| Told::by(&done.claims().completed)) {
                slot.hear(told, || proof);
            }
        }
        Ok(Kind::Receipt) => {
            if let Ok(receipt) = Unverified::<Receipt>::parse(message) {
                let Receipt { generation, grant, device, install, .. } = *receipt.claims();
                let key = GrantRef { generation, grant };
                slot.confirm(&Proof { key, device, install: Some(install), proof });
            }
        }
        _ => {}
    }
}
