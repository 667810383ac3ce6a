//! Persist, then act: nothing that an operation gives exists before its record is written, and
//! whatever ends a write early leaves before or after.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use sharekey::error::LockError;
use sharekey::id::SlotId;
use sharekey::lock::{Accepted, Cell, Found, Pending, Record};
use sharekey::message::Operation;
use sharekey_stage::cells::{SLOT_0, SLOT_1};
use sharekey_stage::firmware::{AnySession, Forget, Outcome, Waiting};
use sharekey_stage::ops::Op;
use sharekey_stage::poll_once;
use sharekey_stage::provider::Plain;
use sharekey_stage::ready::{Finish, Ready, SLOT, View};
use sharekey_stage::stand::{Stand, fails};
use sharekey_stage::store::{PowerCut, Store};

type Detached<T> = Option<(Option<Record>, Pending<T>)>;

/// How the writing of a record goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    Commit,
    CommitAsync,
    Detach,
    /// `put` fails.
    Fails,
    FailsAsync,
    /// `put` panics.
    Panics,
    /// The future is dropped while `put` waits.
    Cancelled,
    /// The record is taken off the lock, and nobody ever reports.
    Lost,
}

const COMPLETE: [Way; 3] = [Way::Commit, Way::CommitAsync, Way::Detach];
const BROKEN: [Way; 5] = [Way::Fails, Way::FailsAsync, Way::Panics, Way::Cancelled, Way::Lost];

/// Ends an operation one way; in a broken one, the record reached the flash or did not.
struct End {
    way: Way,
    reaches_flash: bool,
    given: bool,
}

impl End {
    const fn new(way: Way, reaches_flash: bool) -> Self {
        Self { way, reaches_flash, given: false }
    }
}

impl Finish for End {
    fn now<T: Outcome>(&mut self, staged: Accepted<'_, T>, store: &mut Store) -> Detached<T> {
        let mut reach = |record: &Record| if self.reaches_flash { store.put(record) } else { Ok(()) };
        self.given = match self.way {
            Way::Commit => staged.commit(reach).is_ok(),
            Way::CommitAsync => {
                let store = std::cell::RefCell::new(store);
                let put = async |record: &Record| store.borrow_mut().put(record);
                matches!(poll_once(staged.commit_async(put)), Poll::Ready(Ok(_)))
            }
            Way::Fails => staged.commit(|record| reach(record).and(Err(PowerCut))).is_ok(),
            Way::FailsAsync => {
                let reach = std::cell::RefCell::new(reach);
                let put = async |record: &Record| (reach.borrow_mut())(record).and(Err(PowerCut));
                matches!(poll_once(staged.commit_async(put)), Poll::Ready(Ok(_)))
            }
            Way::Panics => {
                let write = || staged.commit(|record| reach(record).map(|()| panic!("the driver's bug")));
                catch_unwind(AssertUnwindSafe(write)).is_ok()
            }
            Way::Cancelled => {
                let reach = std::cell::RefCell::new(reach);
                let put = async |record: &Record| {
                    (reach.borrow_mut())(record)?;
                    pending::<Result<(), PowerCut>>().await
                };
                poll_once(staged.commit_async(put)).is_ready()
            }
            Way::Detach => return Some(staged.detach()),
            Way::Lost => {
                let (record, lost) = staged.detach();
                record.map_or(Ok(()), |record| reach(&record)).unwrap();
                drop(lost);
                false
            }
        };
        None
    }

    fn later<C: Plain>(&mut self, stand: &mut Stand<C>, record: Option<Record>, pending: Waiting) {
        record.map_or(Ok(()), |record| stand.store.put(&record)).unwrap();
        self.given = pending.written(&mut stand.lock).is_ok();
    }
}

/// What the lock says before the operation, and what it says after.
fn before_and_after(op: Op) -> (View, View) {
    let mut ready = Ready::new(op);
    let before = ready.stand.view();
    let mut end = End::new(Way::Commit, true);
    let after = ready.end(&mut end).0.view();
    assert!(end.given, "{op:?}");
    (before, after)
}

/// Everything that needs the cell that is held is refused as busy; everything else goes on.
//= spec/protocol.md#persist-then-act
//# STG-4. A busy cell MUST refuse every operation that needs it until it was read again from the store.
//= spec/protocol.md#persist-then-act
//# STG-12. A held cell MUST refuse every operation that needs it, as a busy one does.
fn assert_held(op: Op, stand: &mut Stand, other: Option<AnySession>) {
    if op.cell(SLOT) == SLOT_0 {
        assert_eq!(stand.report(0).unwrap_err(), LockError::Busy, "{op:?}");
        assert_eq!(stand.command(Operation::Inspect { slot: SlotId::new(0) }).unwrap_err().error(), LockError::Busy);
        assert_eq!(stand.download(0, 9, |_| ()).unwrap_err().error(), LockError::Busy, "{op:?}");
        let (nonce, session) = stand.operate();
        let reset = stand.reset_message(nonce);
        //= spec/protocol.md#factory-reset
        //# RST-11. A factory reset MUST be refused while any cell waits for a write.
        assert_eq!(stand.factory_reset(session, &reset).unwrap_err().error(), LockError::Busy, "{op:?}");
        let epoch = stand.epoch().unwrap();
        assert_eq!(stand.command(sharekey_stage::cells::transfer()).unwrap_err().error(), LockError::Busy, "{op:?}");
        assert_eq!(stand.epoch(), Ok(epoch), "{op:?}");
        let key = stand.download(1, 2, |_| ()).unwrap();
        let _ = stand.open(&key).unwrap();
        return;
    }
    //= spec/protocol.md#persist-then-act
    //# STG-7. While the header's or the seed's write is pending, everything MUST be refused.
    assert_eq!(stand.owner().unwrap_err(), LockError::Busy, "{op:?}");
    assert_eq!(stand.report(1).unwrap_err(), LockError::Busy, "{op:?}");
    assert_eq!(stand.view().leases, Err(LockError::Busy), "{op:?}");
    let refused = match other {
        None => return,
        Some(AnySession::Install(session)) => {
            let bundle = Ready::new(Op::Install).message;
            stand.send_bundle(session, &bundle).unwrap_err().error()
        }
        Some(AnySession::Operate(session)) => {
            let command = Ready::new(Op::Inspect).message;
            stand.send_command(session, &command).unwrap_err().error()
        }
    };
    assert_eq!(refused, LockError::Busy, "{op:?}");
}

/// After a reload, the lock says exactly this.
fn reload_gives(op: Op, stand: &mut Stand, expected: &View) {
    assert_eq!(stand.reload(op.cell(SLOT)), Ok(()), "{op:?}");
    assert_eq!(&stand.view(), expected, "{op:?}");
}

//= spec/protocol.md#persist-then-act
//# STG-9. An operation that was dropped before its write began MUST change nothing but its session.
#[test]
fn dropped_before_the_write_nothing_happened_but_the_session_is_spent() {
    for op in Op::ALL {
        let mut ready = Ready::new(op);
        let (before, message) = (ready.stand.view(), ready.message.clone());
        let (mut stand, _) = ready.end(&mut Forget);
        assert_eq!(stand.view(), before, "{op:?}");
        if !message.is_empty() {
            assert_eq!(Ready::replay(op, &mut stand, &message), LockError::WrongNonce, "{op:?}");
        }
    }
}

//= spec/protocol.md#persist-then-act
//# STG-2. One operation, other than making a lock, MUST write at most one record.
#[test]
fn every_way_to_complete_a_write_gives_the_result_and_leaves_the_same() {
    for op in Op::ALL {
        let (before, after) = before_and_after(op);
        assert_eq!(after.store.writes, before.store.writes + usize::from(op.writes()), "{op:?}");
        assert_eq!(before == after, !op.writes(), "{op:?}");
        for way in COMPLETE {
            let mut end = End::new(way, true);
            let (mut stand, _) = Ready::new(op).end(&mut end);
            assert!(end.given, "{op:?} {way:?}");
            assert_eq!(stand.view(), after, "{op:?} {way:?}");
        }
    }
}

#[test]
fn a_boot_after_the_write_finds_what_the_write_left() {
    for op in Op::writing().filter(|op| *op != Op::FactoryReset) {
        let (_, mut after) = before_and_after(op);
        let mut stand = Ready::new(op).end(&mut End::new(Way::Commit, true)).0;
        stand.reboot();
        // The first challenge after a boot always writes.
        after.leases = Ok(true);
        assert_eq!(stand.view(), after, "{op:?}");
    }
}

//= spec/protocol.md#persist-then-act
//# STG-3. A write that fails, or of which it is unknown whether it succeeded, MUST leave its cell busy.
#[test]
fn a_write_that_ends_early_gives_nothing_and_holds_its_cell() {
    for op in Op::writing() {
        for way in BROKEN {
            for reaches_flash in [false, true] {
                let mut end = End::new(way, reaches_flash);
                let (mut stand, other) = Ready::new(op).end(&mut end);
                //= spec/protocol.md#commands
                //# CMD-10. The Done MUST NOT be given to the caller before the record of the operation, if it has one, is stored.
                //= spec/protocol.md#provisioning
                //# PRV-8. The Provisioned MUST NOT be given to the caller before the header is stored.
                //= spec/protocol.md#persist-then-act
                //# STG-1. The result of an accepted operation MUST NOT be given to the caller before its record was stored.
                assert!(!end.given, "{op:?} {way:?}");
                assert_held(op, &mut stand, other);
            }
        }
    }
}

#[test]
fn after_a_write_that_ended_early_a_reload_finds_before_or_after_and_nothing_else() {
    for op in Op::writing() {
        let (before, after) = before_and_after(op);
        for way in BROKEN {
            for (reaches_flash, expected) in [(false, &before), (true, &after)] {
                let (mut stand, _) = Ready::new(op).end(&mut End::new(way, reaches_flash));
                reload_gives(op, &mut stand, expected);
            }
        }
    }
}

#[test]
fn after_a_write_that_did_not_happen_the_operation_can_be_tried_again() {
    for op in Op::writing() {
        let mut stand = Ready::new(op).end(&mut End::new(Way::Fails, false)).0;
        stand.reload(op.cell(SLOT)).unwrap();
        let mut end = End::new(Way::Commit, true);
        Ready::of(op, stand).end(&mut end);
        assert!(end.given, "{op:?}");
    }
}

//= spec/protocol.md#persist-then-act
//# STG-5. An accepted operation whose result is not taken yet MUST hold its cell, whether it writes a record or not.
//= spec/protocol.md#persist-then-act
//# STG-11. A challenge MUST hold the counter's cell until its result is taken.
#[test]
fn a_lost_operation_without_a_record_holds_its_cell_too() {
    for op in Op::ALL.into_iter().filter(|op| !op.writes()) {
        let (before, _) = before_and_after(op);
        let (mut stand, other) = Ready::new(op).end(&mut End::new(Way::Lost, false));
        assert_held(op, &mut stand, other);
        let (mut stand, _) = Ready::new(op).end(&mut End::new(Way::Lost, false));
        reload_gives(op, &mut stand, &before);
    }
}

#[test]
fn an_operation_without_a_record_never_calls_the_store() {
    for op in Op::ALL.into_iter().filter(|op| !op.writes()) {
        let mut end = End::new(Way::Panics, false);
        let (mut stand, _) = Ready::new(op).end(&mut end);
        assert!(end.given, "{op:?}");
        assert_eq!(stand.reload(op.cell(SLOT)), Err(LockError::NotBusy), "{op:?}");
    }
}

//= spec/protocol.md#persist-then-act
//# STG-13. A cell that is neither held, busy nor damaged MUST NOT be read again.
#[test]
fn a_healthy_idle_cell_is_not_reloaded() {
    let (mut stand, key) = Stand::installed();
    let seen = stand.view();
    for cell in [Cell::Seed, Cell::Header, Cell::Counter, SLOT_0, SLOT_1] {
        assert_eq!(stand.reload(cell), Err(LockError::NotBusy), "{cell:?}");
        assert_eq!(stand.lock.reload(cell, Found::Nothing), Err(LockError::NotBusy), "{cell:?}");
    }
    assert_eq!(stand.lock.reload(Cell::Slot(SlotId::new(3)), Found::Nothing), Err(LockError::NoSuchSlot));
    assert_eq!(stand.view(), seen);
    let _ = stand.open(&key).unwrap();
}

//= spec/protocol.md#persist-then-act
//# STG-4. A busy cell MUST refuse every operation that needs it until it was read again from the store.
#[test]
fn what_is_held_by_a_failed_write_stays_held_until_its_own_cell_is_reloaded() {
    let mut stand = Stand::active();
    let (nonce, session) = stand.operate();
    let message = stand.order(nonce, Operation::Inspect { slot: SlotId::new(0) });
    drop(stand.lock.command(session, &message, stand.now()).unwrap().detach());
    let (nonce, session) = stand.operate();
    let generation = sharekey::counter::Generation::new(1);
    let message = stand.order(nonce, Operation::Activate { slot: SlotId::new(1), generation });
    let staged = stand.lock.command(session, &message, stand.now()).unwrap();
    assert_eq!(staged.commit(fails).unwrap_err(), PowerCut);
    stand.reload(SLOT_0).unwrap();
    assert_eq!(stand.report(1), Err(LockError::Busy));
    stand.reload(SLOT_1).unwrap();
    assert_eq!(stand.report(1).unwrap().floor.value(), 0);
}
