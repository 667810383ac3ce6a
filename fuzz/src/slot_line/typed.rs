//! The typed transitions do what the machine does whose state is known at run time.

use sharekey::crypto::{Digest, PublicKey};
use sharekey::error::SlotError;
use sharekey::slot::{AnySlot, GrantRef, Proof, Recorder, Slot, State, Witness};

/// The slot that a typed step gives, accepted or not.
fn given<S, T, W>(
    result: Result<Slot<T, W>, (Slot<S, W>, SlotError)>,
    ok: fn(Slot<T, W>) -> AnySlot<W>,
    refused: fn(Slot<S, W>) -> AnySlot<W>,
) -> (AnySlot<W>, Result<(), SlotError>) {
    match result {
        Ok(slot) => (ok(slot), Ok(())),
        Err((slot, error)) => (refused(slot), Err(error)),
    }
}

pub fn publish<W: Witness>(slot: &AnySlot<W>, key: GrantRef) {
    if let AnySlot::NotShared(free) = slot.clone() {
        assert_eq!(given(free.publish(key), AnySlot::Sharing, AnySlot::NotShared), slot.clone().publish(key));
    }
}

pub fn release(slot: &AnySlot, grant: &Digest, device: PublicKey, install: Digest) {
    let typed = match slot.clone() {
        AnySlot::Sharing(slot) => given(slot.release(grant, device, install), AnySlot::Shared, AnySlot::Sharing),
        AnySlot::Shared(slot) => given(slot.release(grant, device, install), AnySlot::Shared, AnySlot::Shared),
        AnySlot::Inactive(_) | AnySlot::NotShared(_) => return,
    };
    assert_eq!(typed, slot.clone().release(grant, device, install));
}

pub fn withdraw(slot: &AnySlot, key: GrantRef) {
    let typed = match slot.clone() {
        AnySlot::Sharing(slot) if slot.key() == key => slot.revoke(),
        AnySlot::Shared(slot) if slot.key() == key => slot.reset(),
        _ => return,
    };
    assert_eq!(AnySlot::<Recorder>::NotShared(typed), slot.clone().withdraw(key).0);
}

/// A proof of the shared grant, that is news.
pub fn confirm<W: Witness>(slot: &AnySlot<W>, proof: &Proof) {
    let (typed, result) = match slot.clone() {
        AnySlot::Sharing(slot) => given(slot.confirm(proof), AnySlot::Shared, AnySlot::Sharing),
        AnySlot::Shared(slot) => given(slot.confirm(proof), AnySlot::Shared, AnySlot::Shared),
        AnySlot::Inactive(_) | AnySlot::NotShared(_) => return,
    };
    let fits = slot.shared() == Some(proof.key) && proof.key.generation > slot.floor();
    assert_eq!(result, if fits { Ok(()) } else { Err(SlotError::NotPublished) });
    assert_eq!(typed, if fits { slot.clone().confirm(proof) } else { slot.clone() });
}

/// What a typed slot shows of itself.
pub fn views<W: Witness>(slot: &AnySlot<W>) {
    fn same<S, W: Witness>(typed: &Slot<S, W>, slot: &AnySlot<W>) {
        assert_eq!((typed.highest(), typed.floor(), typed.epoch()), (slot.highest(), slot.floor(), slot.epoch()));
        assert!(typed.may_open().eq(slot.may_open()));
    }
    match slot {
        AnySlot::Inactive(typed) => same(typed, slot),
        AnySlot::NotShared(typed) => same(typed, slot),
        AnySlot::Sharing(typed) => {
            same(typed, slot);
            assert_eq!(slot.shared(), Some(typed.key()));
        }
        AnySlot::Shared(typed) => {
            same(typed, slot);
            assert_eq!((slot.shared(), slot.device()), (Some(typed.key()), Some(*typed.device())));
            let live = slot.may_open().iter().find(|live| live.key() == typed.key());
            assert_eq!(typed.install(), live.and_then(|live| live.install()));
            assert_eq!(typed.confirmation(), live.and_then(|live| live.confirmation()));
            assert_eq!(typed.is_downloaded(), slot.is_downloaded());
        }
    }
    assert!(!slot.is_downloaded() || slot.state() == State::Shared);
}
