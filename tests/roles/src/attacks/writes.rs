//! Writes that fail, are cancelled half-way, or never happen: during a download and during an
//! opening that counts.

use std::future::{Future, pending};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use sharekey::error::LockError;
use sharekey::limits::{Action, Limits};
use sharekey::lock::{Accepted, Cell, Condition, FromPlan, Installed, Unlocked, purpose};
use sharekey::message::Holding;
use sharekey::owner::Order;
use sharekey_stage::provider::Provider;

use sharekey_stage::store::{PowerCut, Store};
use sharekey_stage::world::guest::Guest;
use sharekey_stage::world::{BEN, HALL, STUDIO, World};

/// What becomes of a write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// The firmware never began it.
    NeverBegun,
    /// It failed, and nothing was written.
    Failed,
    /// It failed as far as the firmware was told, and was written.
    FailedButWritten,
    /// The task was cancelled while the flash was busy.
    Cancelled,
    /// It was handed to a driver, which never reported.
    NeverReported,
}

use Fate::{Cancelled, Failed, FailedButWritten, NeverBegun, NeverReported};

const FATES: [Fate; 5] = [NeverBegun, Failed, FailedButWritten, Cancelled, NeverReported];

/// Lets the write meet its fate. There is no way to the result of the operation.
fn suffer<T: FromPlan>(fate: Fate, staged: Accepted<'_, T>, store: &mut Store) {
    match fate {
        NeverBegun => drop(staged),
        Failed => assert_eq!(staged.commit(|_| Err(PowerCut)).err(), Some(PowerCut)),
        FailedButWritten => {
            let failed = staged.commit(|record| {
                store.put(record)?;
                Err(PowerCut)
            });
            assert_eq!(failed.err(), Some(PowerCut));
        }
        Cancelled => {
            let mut write = pin!(staged.commit_async(async |_| {
                pending::<()>().await;
                Ok::<_, PowerCut>(())
            }));
            let polled = write.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(matches!(polled, Poll::Pending));
        }
        NeverReported => {
            let (record, waiting) = staged.detach();
            assert!(record.is_some());
            drop(waiting);
        }
    }
}

/// The cell waits, unless nothing was begun; then the firmware reads it again.
fn recover(w: &mut World, fate: Fate, cell: Cell) {
    let waits = match fate {
        NeverBegun => Condition::Ready,
        NeverReported => Condition::Pending,
        _ => Condition::Failed,
    };
    assert_eq!(w.door.lock.condition(cell), Ok(waits), "{fate:?}");
    if waits != Condition::Ready {
        w.door.lock.reload(cell, w.door.store.found(cell)).unwrap();
    }
}

/// Ana's download up to the lock, whose write meets its fate.
fn install(w: &mut World, ana: &mut Guest, fate: Fate) {
    let (session, installing, release) = w.released(ana);
    let download = installing.bundle(&Provider, &release).unwrap();
    let now = w.door.now();
    let staged: Accepted<'_, Installed> =
        w.door.lock.install(session, download.bundle(), now, &mut w.door.rng).unwrap();
    suffer(fate, staged, &mut w.door.store);
}

//= spec/protocol.md#install
//# INS-19. The receipt MUST NOT be given to the caller before the slot's record is stored.
#[test]
fn an_install_that_is_not_written_gives_no_receipt_and_the_guest_tries_again() {
    for fate in FATES {
        let (mut w, mut ana) = World::claimed();
        install(&mut w, &mut ana, fate);
        recover(&mut w, fate, Cell::Slot(HALL));
        let holding = w.door.lock.report(HALL).unwrap().holding;
        let written = matches!(holding, Holding::Installed { .. });
        assert_eq!(written, fate == FailedButWritten, "{fate:?}: before or after, nothing else");

        w.download(&mut ana).unwrap();
        w.open(&mut ana).unwrap();
        w.sync();
        assert_eq!(w.olga.downloaded(HALL), Some(ana.key().device()));
    }
}

#[test]
fn while_a_slot_waits_for_its_write_it_refuses_everything_and_the_others_go_on() {
    for fate in FATES.into_iter().filter(|fate| *fate != NeverBegun) {
        let (mut w, mut ana) = World::downloaded();
        let mut ben = w.guest(BEN);
        w.share(STUDIO, &ben).unwrap();
        install(&mut w, &mut ana, fate);
        w.lock_refuses(LockError::Busy, |w| w.open(&mut ana));
        w.lock_refuses(LockError::Busy, |w| ana.fetch_colluding(&mut w.door));
        assert_eq!(w.deactivate(HALL), Err(LockError::Busy.into()));
        w.download(&mut ben).unwrap();
        w.open(&mut ben).unwrap();
        // The epoch does not end under a write: whether it is through, nobody can say.
        let (owner, service) = (w.olga.key(), w.cloud.key());
        assert_eq!(w.olga.transfer(&mut w.door, owner, service).err(), Some(LockError::Busy.into()));
        recover(&mut w, fate, Cell::Slot(HALL));
        w.olga.transfer(&mut w.door, owner, service).unwrap();
    }
}

//= spec/protocol.md#unlock
//# UNL-12. An accepted Open of a key with a limit of uses MUST be counted in the stored record before the bolt moves.
#[test]
fn an_opening_that_is_not_counted_does_not_move_the_bolt() {
    for fate in FATES {
        let (mut w, mut ana) = World::downloaded_with(Limits::new(None, None, None, Some(2)).unwrap());
        let (session, unlock, _awaiting) = w.asked(&mut ana, Action::Open);
        let now = w.door.now();
        let staged: Accepted<'_, Unlocked> = w.door.lock.unlock(session, &unlock, now).unwrap();
        assert!(staged.record().is_some(), "the use is written before the bolt moves");
        suffer(fate, staged, &mut w.door.store);
        recover(&mut w, fate, Cell::Slot(HALL));
        assert!(w.door.bolt.is_empty());

        // What was written counts, what was not does not.
        let left = if fate == FailedButWritten { 1 } else { 2 };
        for _ in 0..left {
            w.open(&mut ana).unwrap();
        }
        w.lock_refuses(LockError::UsesSpent, |w| w.open(&mut ana));
        assert_eq!(w.door.bolt.len(), left, "{fate:?}");
    }
}

#[test]
fn a_write_reported_after_the_cell_was_read_again_gives_nothing() {
    let (mut w, mut ana) = World::downloaded_with(Limits::new(None, None, None, Some(1)).unwrap());
    let (session, unlock, _awaiting) = w.asked(&mut ana, Action::Open);
    let now = w.door.now();
    let (record, waiting) = w.door.lock.unlock(session, &unlock, now).unwrap().detach();
    drop(record);
    recover(&mut w, NeverReported, Cell::Slot(HALL));
    assert_eq!(w.door.lock.written(waiting).err(), Some(LockError::NotPending));
    w.open(&mut ana).unwrap();
    w.lock_refuses(LockError::UsesSpent, |w| w.open(&mut ana));
}

#[test]
fn a_write_of_the_run_before_is_not_reported_to_this_one() {
    let (mut w, mut ana) = World::downloaded_with(Limits::new(None, None, None, Some(1)).unwrap());
    let (session, unlock, _awaiting) = w.asked(&mut ana, Action::Open);
    let now = w.door.now();
    let (_record, waiting) = w.door.lock.unlock(session, &unlock, now).unwrap().detach();
    w.door.reboot();
    assert_eq!(w.door.lock.written(waiting).err(), Some(LockError::NotPending));
    assert!(w.door.bolt.is_empty());
    w.open(&mut ana).unwrap();
}

#[test]
fn an_activation_or_transfer_that_is_not_written_leaves_the_lock_as_it_was() {
    for fate in FATES.into_iter().filter(|fate| *fate != FailedButWritten) {
        let (mut w, mut ana) = World::downloaded();
        let (owner, service) = (sharekey_stage::world::key_of(sharekey_stage::world::OTTO), w.cloud.key());
        for transfer in [false, true] {
            let (challenge, session) = w.door.connect::<purpose::Operate>();
            let ordered = w.olga.change(|olga, view, rng| match transfer {
                true => olga.order(view, Order::Transfer { owner, service }, &challenge, rng),
                false => olga.order(view, Order::Deactivate { slot: HALL }, &challenge, rng),
            });
            let (command, _pending) = ordered.unwrap();
            let now = w.door.now();
            let staged = w.door.lock.command(session, &command, now).unwrap();
            let cell = staged.cell();
            suffer(fate, staged, &mut w.door.store);
            recover(&mut w, fate, cell);
        }
        assert_eq!(w.door.lock.ownership().unwrap().owner, w.olga.key());
        w.open(&mut ana).unwrap();
    }
}
