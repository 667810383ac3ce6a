//! A store that loses what it tears, and one whose cells age: what cannot be read is never taken for
//! fresh, and the lock goes on as the damage rules say.

use sharekey::error::{LoadError, LockError};
use sharekey::id::SlotId;
use sharekey::limits::Action;
use sharekey::lock::{Cell, Condition, Found, Lock};
use sharekey::message::Holding;
use sharekey::owner::Order;
use sharekey_model::power::{Flash, Keeping, Reading, Tear};
use sharekey_model::symbolic::Symbolic;

use crate::cuts::moments;
use sharekey_power_loss::door::{Ask, Door, Stop, Torn, entropy};
use sharekey_power_loss::drive::{Run, cost, torn};
use sharekey_power_loss::facts::{FRESH, SLOTS, UNTOUCHED, assert_tells, slots};
use sharekey_power_loss::fates::reset_of;
use sharekey_power_loss::script::{Allowed, LIFE, Step};
use sharekey_power_loss::world::{self, CARD};
use sharekey_stage::firmware::{self, AnySession, Detach};
use sharekey_stage::ops::{For, Order as At, To};

const WORD: usize = 8;

type Life = Run<Symbolic>;

/// Boots with one cell that cannot be read.
fn boot_damaged(run: &mut Life, cell: Cell) -> bool {
    run.door.damaged = true;
    // A lock that cannot count says so: there, entropy is all that keeps nonces apart.
    run.door.entropy = entropy(sharekey_stage::rng(9));
    let Run { world, door } = run;
    let lock: Lock<Symbolic, SLOTS> = match firmware::load(Symbolic, CARD, Torn(&mut door.flash), |_| true) {
        Ok(lock) => lock,
        Err(LoadError::NotMade) => {
            // The cut came in the middle of a making, which begins again.
            world.facts = None;
            door.boot(world).unwrap();
            return false;
        }
        Err(LoadError::SeedDamaged) => {
            assert_eq!(cell, Cell::Seed);
            return false;
        }
        Err(LoadError::Seal(failed)) => panic!("{failed}"),
    };
    assert_eq!(lock.condition(cell), Ok(Condition::Damaged));
    (door.lock, door.ticks, door.next) = (Some(lock), 0, world.facts.as_ref().map_or(0, |facts| facts.ceiling));
    true
}

/// A slot is damaged: the others go on, this one waits for the next epoch.
fn live_with_damaged_slot(run: &mut Life, slot: SlotId) {
    let Run { world, door } = run;
    let Some((epoch, ..)) = world.facts().owner else {
        return reset_and_live(run);
    };
    assert_eq!(door.lock().report(slot), Err(LockError::SlotDamaged));
    for other in slots().into_iter().filter(|other| *other != slot) {
        let facts = world.facts().slots[usize::from(other.index())];
        let report = door.lock().report(other).unwrap();
        assert_eq!((report.floor, report.holding), (facts.floor, facts.holding));
    }
    let refused = |stopped: Result<(), Stop>| assert_eq!(stopped, Err(Stop::Refused(LockError::SlotDamaged)));
    refused(world.perform(door, Step::Activate(slot)));
    refused(world.perform(door, Step::Ordered(At::Inspect, slot)));
    for key in world.guests.clone().iter().flat_map(|guest| guest.keys.iter()) {
        if key.slot() == slot && key.lock() == door.id() {
            assert_eq!(world.unlock(door, key, Action::Open), Err(Stop::Refused(LockError::SlotDamaged)));
        }
    }
    world.facts.as_mut().unwrap().slots[usize::from(slot.index())].holding = Holding::Inactive;
    world.spend_all(door);
    world.perform(door, Step::Transfer).unwrap();
    assert!(world.facts().owner.unwrap().0 > epoch);
    let report = door.lock().report(slot).unwrap();
    assert_eq!((report.floor, report.holding), (UNTOUCHED.floor, UNTOUCHED.holding));
    share_and_open(run, slot);
}

fn share_and_open(run: &mut Life, slot: SlotId) {
    let Run { world, door } = run;
    for step in [
        Step::SetClock(sharekey_power_loss::script::NOON),
        Step::Activate(slot),
        Step::Share(slot, 0, Allowed::Uses(2)),
        Step::Download(slot, 0),
        Step::Open(slot, 0),
    ] {
        world.perform(door, step).unwrap_or_else(|stop| panic!("{step:?}: {stop:?}"));
    }
    door.damaged = false;
    door.boot(world).unwrap();
    run.end();
}

/// Nothing but the card helps.
fn reset_and_live(run: &mut Life) {
    let Run { world, door } = run;
    world.resetting = None;
    if world.facts.is_some() {
        let (_, session) = rescue(door);
        assert!(door.quietly(Ask::Send(session, To::Command, b"SK")).is_err());
        let (challenge, session) = rescue(door);
        door.quietly(Ask::Send(session, To::Reset, &reset_of::<Symbolic>(&challenge))).unwrap();
        world.facts = None;
        door.boot(world).unwrap();
    }
    provision_and_live(run);
}

fn rescue(door: &mut Door<Symbolic>) -> (Vec<u8>, AnySession) {
    door.quietly(Ask::Challenge(For::Operate)).unwrap().given()
}

pub fn provision_and_live(run: &mut Life) {
    run.door.damaged = false;
    run.world.perform(&mut run.door, Step::Provision).unwrap();
    share_and_open(run, SlotId::new(1));
}

/// Whoever services the lock orders another.
fn make_anew(run: &mut Life) {
    let Run { world, door } = run;
    assert_eq!(door.flash.read(Cell::Seed), Reading::Unreadable);
    let mut making = firmware::begin(Symbolic, CARD, Torn(&mut door.flash), &mut door.entropy);
    firmware::records(&mut making, |record| door.flash.put(record)).unwrap();
    let lock = firmware::made(making);
    assert!(world.ids.insert(lock.id()));
    (door.lock, door.ticks, door.next, world.facts) = (Some(lock), 0, 0, Some(FRESH));
    provision_and_live(run);
}

/// Lives on with a cell that cannot be read, as far as the rules go.
fn live_damaged(mut run: Life, cell: Cell) {
    if !boot_damaged(&mut run, cell) {
        return if run.door.lock.is_some() { provision_and_live(&mut run) } else { make_anew(&mut run) };
    }
    match cell {
        Cell::Slot(slot) => live_with_damaged_slot(&mut run, slot),
        _ => {
            assert_eq!(run.door.lock().ownership(), Err(LockError::Damaged));
            reset_and_live(&mut run);
        }
    }
}

fn is_unreadable(flash: &Flash, cell: Cell) -> bool {
    flash.read(cell) == Reading::Unreadable
}

#[test]
fn a_store_that_loses_what_it_tears_leaves_damage_and_never_a_fresh_record() {
    let (mut cuts, mut damaged) = (0, 0);
    for moment in 0..moments::<Symbolic>(WORD) {
        let mut stopped = Life::on(Keeping::InPlace, WORD);
        let caught = stopped.stop_at(moment);
        let Some((cell, _)) = caught.record.clone() else { continue };
        let whole = cost(&stopped.door.flash, &caught);
        let mut lived = false;
        for words in 0..=whole {
            let mut run = stopped.dark_at(torn(&stopped.door.flash, &caught, Tear::HalfTheBits, words));
            run.door.flash.boot(None).unwrap();
            cuts += 1;
            if !is_unreadable(&run.door.flash, cell) {
                run.judge(&caught);
                continue;
            }
            damaged += 1;
            if !core::mem::replace(&mut lived, true) || words % 8 == 0 {
                live_damaged(run, cell);
            }
        }
    }
    println!("torn in place: {cuts} cuts, {damaged} damaged");
    assert!(damaged > 750 && cuts > damaged, "{damaged} of {cuts}");
}

#[test]
fn a_cell_that_aged_is_damaged_at_any_moment_of_the_life() {
    let mut aged = 0;
    for moment in (0..moments::<Symbolic>(WORD)).step_by(3) {
        let mut stopped = Life::new(WORD);
        stopped.stop_at(moment);
        for cell in [Cell::Seed].into_iter().chain(Lock::<Symbolic, SLOTS>::cells()) {
            let mut run = stopped.dark_at(stopped.door.flash.clone());
            run.door.flash.boot(None).unwrap();
            run.door.flash.age(cell);
            if is_unreadable(&run.door.flash, cell) {
                aged += 1;
                live_damaged(run, cell);
            }
        }
    }
    println!("aged: {aged}");
    assert!(aged > 150, "{aged}");
}

/// Half-way through the life, an operation that needs `cell` is accepted, and its result never taken.
fn held(order: Option<Order>) -> (Life, Cell) {
    let mut run = Life::new(WORD);
    assert!(run.go_to(LIFE.len() / 2));
    let Run { world, door } = &mut run;
    let (now, (challenge, session)) = (door.now(), door.challenge_quietly(world));
    let command = order.map(|order| {
        world.with_view(|owner, view, rng| {
            owner.order(view, order, &challenge, rng).unwrap().commit(world::stored).unwrap().0
        })
    });
    let Door { lock, entropy, .. } = door;
    let lock = lock.as_mut().unwrap();
    let (_, waiting) = match command {
        Some(command) => firmware::send(lock, (session, To::Command), &command, now, entropy, &mut Detach).unwrap(),
        None => firmware::challenge(lock, For::Operate, now, entropy, &mut Detach).unwrap(),
    };
    let cell = waiting.cell();
    (run, cell)
}

#[test]
fn a_cell_that_cannot_be_read_again_is_damaged_until_it_can() {
    let inspect = Order::Inspect { slot: SlotId::new(0) };
    for order in [None, Some(inspect), Some(Order::Act { action: Action::Open })] {
        let (mut run, cell) = held(order);
        let Run { world, door } = &mut run;
        let lock = door.lock();
        assert_eq!(lock.reload(cell, Found::Nothing), Ok(()));
        assert_eq!(lock.condition(cell), Ok(Condition::Damaged));
        match cell {
            Cell::Slot(slot) => assert_eq!(lock.report(slot), Err(LockError::SlotDamaged)),
            _ => assert_eq!(lock.ownership(), Err(LockError::Damaged)),
        }
        let stored = door.flash.read(cell);
        assert_eq!(door.lock().reload(cell, stored.found()), Ok(()));
        assert_tells(door.lock(), world.facts());
        assert!(run.go());
        run.end();
    }
}
