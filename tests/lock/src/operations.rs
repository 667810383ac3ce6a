//! What the table of operations says is what the lock does: whoever looks something up there goes by this.

use std::collections::BTreeSet;

use rand_core::Rng as _;
use sharekey::error::{LockError, WireError};
use sharekey::lock::{PhysicalPresence, Record, Step};
use sharekey::message::{Command, Done};
use sharekey::wire::Kind;
use sharekey_stage::ops::{For, Op, Order, Sent, To};
use sharekey_stage::ready::{Commit, Ready, SLOT};
use sharekey_stage::samples::{Samples as _, Size, message};
use sharekey_stage::stand::Stand;
use sharekey_stage::store::stored;

/// What it holds and writes, [`Ready::end`] compares.
#[test]
fn each_operation_answers_draws_and_begins_an_epoch_as_its_row_says() {
    for op in Op::ALL {
        let (ready, mut answered) = (Ready::new(op), Commit::default());
        let (epoch, mut rng) = (ready.stand.epoch(), ready.stand.rng.clone());
        let mut stand = ready.end(&mut answered).0;
        let row = op.row();
        assert_eq!(Kind::of(&answered.0).ok(), row.answer, "{op:?}");
        let epochs = (epoch.ok(), stand.epoch().ok());
        assert_eq!(epochs.1 > epochs.0, row.begins_epoch, "{op:?}: {epochs:?}");
        let draws = op.to().is_none_or(|to| to.row().draws.is_some());
        assert_eq!(stand.rng.next_u64() != rng.next_u64(), draws, "{op:?}");
    }
}

#[test]
fn each_call_takes_its_kind_in_its_session_and_no_other() {
    for (to, found) in To::ALL.into_iter().flat_map(|to| Kind::ALL.map(|kind| (to, kind))) {
        let mut stand = Stand::active();
        let (_, session) = stand.connect(to.purpose());
        let Err(refusal) = stand.send(to, session, &found.header()) else { panic!("{to:?} takes a header") };
        let (expected, found) = (to.kind(), found.byte());
        let error = if expected.byte() == found { WireError::Truncated } else { WireError::Kind { expected, found } };
        assert_eq!(refusal.error(), LockError::Wire(error), "{to:?}");
    }
}

#[test]
fn the_rows_are_told_apart_by_what_is_sent_and_whether_it_writes_and_by_their_names() {
    for op in Op::ALL {
        assert_eq!(Op::of(op.row().sent, op.writes()), op);
    }
    assert_eq!(Op::ALL.map(Op::name).into_iter().collect::<BTreeSet<_>>().len(), Op::ALL.len());
}

#[test]
fn no_call_and_no_order_of_a_command_is_without_a_row() {
    let calls: BTreeSet<To> = Op::ALL.into_iter().filter_map(Op::to).collect();
    assert_eq!(calls, BTreeSet::from(To::ALL));
    let order = |op: Op| if let Sent::Command(order) = op.row().sent { Some(order) } else { None };
    let orders: BTreeSet<Order> = Op::ALL.into_iter().filter_map(order).collect();
    assert_eq!(orders, BTreeSet::from(Order::ALL));
    // Where the tag of a command stands, and that of its Done.
    let sent = Command::samples(Size::Low).into_iter().map(|sent| (Order::of(&sent.operation), message(&sent)[76]));
    let done =
        Done::samples(Size::Low).into_iter().map(|done| (Order::of(&done.completed.operation()), message(&done)[81]));
    let tags = BTreeSet::from(Order::ALL.map(|order| (order, order.tag())));
    assert_eq!(sent.collect::<BTreeSet<_>>(), tags);
    assert_eq!(done.collect::<BTreeSet<_>>(), tags);
}

/// What comes through the front door is what a caller of the lock's own calls is given.
#[test]
fn the_front_door_takes_what_each_operation_is_sent_as() {
    for op in Op::ALL {
        let Ready { mut stand, message, .. } = Ready::new(op);
        let frame = if op.to().is_none() { Sent::connect(For::Operate).to_vec() } else { message };
        let button = op.to().is_some_and(|to| to.row().presence).then(PhysicalPresence::button_is_pressed);
        let now = stand.now();
        let staged = match stand.lock.step(&frame, now, button, &mut stand.rng) {
            Step::Served(served) => panic!("{op:?}: {:?}", served.effect()),
            Step::Write(staged) => staged,
            Step::SetClock(setting) => setting.is_set(),
        };
        assert_eq!((staged.cell(), staged.record().map(Record::cell)), (op.cell(SLOT), op.written(SLOT)), "{op:?}");
        let served = staged.commit(stored).unwrap();
        assert_eq!(Kind::of(served.answer()).ok(), op.row().answer, "{op:?}");
    }
}
