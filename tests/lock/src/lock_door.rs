//! The front door: a frame in, an answer out; boot and sessions, writes and their order are its business.

use sharekey::counter::{Epoch, Generation, Term};
use sharekey::crypto::Nonce;
use sharekey::error::{LockError, WireError};
use sharekey::id::SlotId;
use sharekey::limits::{Action, Timestamp};
use sharekey::lock::{
    Answer, Battery, BootError, By, Cell, Clock, Condition, Door, Effect, Now, Pending, PhysicalPresence, Record,
    ServeError, Served, Step, Store as _,
};
use sharekey::message::{Challenge, Command, Connect, FactoryReset, Operation, Refused};
use sharekey::wire::{Kind, Unverified, VERSION};
use sharekey_stage::board::{Bench, Fault};
use sharekey_stage::cells::{tag_record, transfer};
use sharekey_stage::provider::Provider;
use sharekey_stage::stand::{CARD, DEVICE, Key, NOON, OWNER, SLOTS, Stand, card};
use sharekey_stage::store::PowerCut;
use sharekey_stage::{forge, rng, seed};

type TestDoor = Door<Provider, Bench, SLOTS>;

const NOW: Now = Now { ticks: 1_000, clock: Clock::At(Timestamp::from_unix_seconds(NOON)), battery: Battery::UNKNOWN };
const HALL: SlotId = SlotId::new(0);

fn boot(bench: Bench) -> Result<TestDoor, BootError<PowerCut>> {
    let mut place = None;
    Door::boot_in(&mut place, Provider, card(), bench, &mut rng(7))?;
    Ok(place.unwrap())
}

fn fresh() -> TestDoor {
    boot(Bench::default()).unwrap()
}

fn serve(door: &mut TestDoor, frame: &[u8]) -> Served {
    door.serve(frame, NOW, None, &mut rng(8)).unwrap()
}

/// The nonce of a fresh challenge.
fn connect(door: &mut TestDoor, frame: &[u8]) -> Nonce {
    let served = serve(door, frame);
    assert_eq!(served.effect(), Effect::Nothing);
    Unverified::<Challenge>::parse(served.answer()).unwrap().claims().nonce
}

fn provision(door: &mut TestDoor) -> Served {
    let nonce = connect(door, &Connect::OPERATE);
    let message = Stand::fresh().provision_message(nonce);
    serve(door, &message)
}

fn command(door: &mut TestDoor, operation: Operation) -> Vec<u8> {
    let lock_nonce = connect(door, &Connect::OPERATE);
    let (lock, owner_nonce) = (door.lock().id(), Nonce::from_bytes([7; 16]));
    let epoch = door.lock().ownership().map_or(Epoch::FIRST, |owned| owned.epoch);
    forge::signed(&Command { lock, epoch, by: Term::OWNER, lock_nonce, owner_nonce, operation }, &seed(OWNER))
}

fn order(door: &mut TestDoor, operation: Operation) -> Served {
    let message = command(door, operation);
    serve(door, &message)
}

fn activate() -> Operation {
    Operation::Activate { slot: HALL, generation: Generation::new(1) }
}

/// A key, number 2, in the hall; the stand's messages are good for this lock too, but for its name.
fn installed() -> (TestDoor, Key) {
    let mut door = fresh();
    let _ = provision(&mut door);
    let _ = order(&mut door, activate());
    let nonce = connect(&mut door, &Connect::INSTALL);
    let mut chain = Stand::provisioned().chain(nonce, 0, 2);
    chain.grant.lock = door.lock().id();
    let served = serve(&mut door, &chain.bundle());
    assert_eq!(Kind::of(served.answer()), Ok(Kind::Receipt));
    let key = Key::of(served.answer(), &sharekey_stage::stand::agreement());
    (door, key)
}

fn unlock(door: &mut TestDoor, key: &Key) -> Vec<u8> {
    let nonce = connect(door, &Connect::OPERATE);
    key.message(Action::Open, nonce)
}

fn opaque(served: &Served, why: LockError) {
    assert_eq!((served.effect(), served.answer()), (Effect::Refused(why), &Refused::OPAQUE[..]));
}

//= spec/protocol.md#sessions
//# SES-10. A lock that takes a Connect MUST give a challenge for the purpose that it names.
#[test]
fn a_life_goes_by_frames_alone() {
    let (mut door, key) = installed();
    let message = unlock(&mut door, &key);
    let served = serve(&mut door, &message);
    let by = By::Guest { slot: HALL, generation: Generation::new(2), device: sharekey_stage::public(&seed(DEVICE)) };
    assert_eq!(served.effect(), Effect::Bolt { action: Action::Open, by });
    assert_eq!(Kind::of(served.answer()), Ok(Kind::Reply));
    let served = order(&mut door, Operation::Act { action: Action::Lock });
    assert_eq!(served.effect(), Effect::Bolt { action: Action::Lock, by: By::Owner });
    assert_eq!(Kind::of(served.answer()), Ok(Kind::Done));
    let served = order(&mut door, transfer());
    assert_eq!((served.effect(), door.lock().ownership().unwrap().epoch), (Effect::Nothing, Epoch::new(2)));
}

//= spec/protocol.md#versioning
//# VER-5. A lock MUST answer a message of a version that it does not speak with the opaque Refused, in a version that it speaks.
#[test]
fn a_lock_says_in_its_own_version_that_it_does_not_speak_another() {
    let mut door = fresh();
    for found in [0, 2, 255] {
        let [s, k, _, kind, purpose] = Connect::OPERATE;
        let served = serve(&mut door, &[s, k, found, kind, purpose]);
        opaque(&served, LockError::Wire(WireError::Version { found }));
        assert_eq!(served.answer()[2], VERSION);
    }
}

#[test]
fn a_boot_loads_the_lock_that_is_there_and_makes_one_where_none_was_made_to_the_end() {
    let (mut door, _) = installed();
    let id = door.lock().id();
    let store = std::mem::take(door.board()).store;
    let again = boot(Bench { store: store.clone(), ..Bench::default() }).unwrap();
    assert_eq!((again.lock().id(), again.lock().report(HALL).is_ok()), (id, true));
    let mut half = store;
    let unmade = [&half.get(Cell::Seed).unwrap()[..37], &[0]].concat();
    let unmade = tag_record(&half, unmade);
    half.set(Cell::Seed, unmade);
    let made = boot(Bench { store: half, ..Bench::default() }).unwrap();
    assert_ne!(made.lock().id(), id);
    assert_eq!(made.lock().ownership(), Err(LockError::NotProvisioned));
}

#[test]
fn a_seed_that_cannot_be_read_makes_no_lock_without_an_order() {
    let (mut door, _) = installed();
    let (id, store) = (door.lock().id(), std::mem::take(door.board()).store);
    let bench = |fault| Bench { store: store.clone(), fault, ..Bench::default() };
    // Once is not for good.
    assert_eq!(boot(bench(Some(Fault::Read(Cell::Seed, 1)))).unwrap().lock().id(), id);
    let mut unreadable = bench(Some(Fault::Read(Cell::Seed, 2)));
    assert_eq!(
        Door::<_, _, SLOTS>::boot(Provider, card(), &mut unreadable, &mut rng(7)).unwrap_err(),
        BootError::SeedUnreadable
    );
    assert!(unreadable.store == store, "nothing was written");
    let mut spoilt = bench(None);
    spoilt.store.set(Cell::Seed, vec![0xff; 38]);
    assert_eq!(boot(spoilt).unwrap_err(), BootError::SeedUnreadable);
    let anew = Door::<_, _, SLOTS>::make_anew(Provider, card(), bench(None), &mut rng(9)).unwrap();
    assert_ne!(anew.lock().id(), id);
}

#[test]
fn a_record_that_cannot_be_read_is_read_again_and_then_counts_as_damaged() {
    let (mut door, _) = installed();
    let store = std::mem::take(door.board()).store;
    let slot = Cell::Slot(HALL);
    for (times, condition) in [(1, Condition::Ready), (2, Condition::Damaged)] {
        let bench = Bench { store: store.clone(), fault: Some(Fault::Read(slot, times)), ..Bench::default() };
        assert_eq!(boot(bench).unwrap().lock().condition(slot), Ok(condition), "{times}");
    }
}

#[test]
fn a_session_is_good_for_one_frame_of_its_purpose() {
    let (mut door, key) = installed();
    let message = unlock(&mut door, &key);
    // A session of the other purpose, and what is no request, leave it alone.
    let _ = connect(&mut door, &Connect::INSTALL);
    //= spec/protocol.md#sessions
    //# SES-11. A message that is none of Connect, Bundle, Unlock, Command, Provision and FactoryReset MUST NOT use a session up.
    opaque(&serve(&mut door, &Kind::Grant.header()), LockError::NoRequest);
    opaque(&serve(&mut door, b"SK"), LockError::Wire(WireError::Truncated));
    opaque(&serve(&mut door, &[b'S', b'K', 1, 18, 9]), LockError::Wire(WireError::Value));
    assert!(matches!(serve(&mut door, &message).effect(), Effect::Bolt { .. }));
    opaque(&serve(&mut door, &message), LockError::SessionSuperseded);
    // A malformed message of the kind uses it up.
    let message = unlock(&mut door, &key);
    opaque(&serve(&mut door, &message[..9]), LockError::Wire(WireError::Truncated));
    opaque(&serve(&mut door, &message), LockError::SessionSuperseded);
    let mut other = fresh();
    opaque(&serve(&mut other, &Kind::Bundle.header()), LockError::SessionSuperseded);
}

#[test]
fn a_write_that_fails_is_answered_with_nothing_and_healed_before_the_next_frame() {
    for reaches in [true, false] {
        let mut door = fresh();
        let _ = provision(&mut door);
        let message = command(&mut door, activate());
        door.board().fault = Some(Fault::Write { reaches });
        let failed = door.serve(&message, NOW, None, &mut rng(8));
        assert_eq!(failed.unwrap_err(), ServeError::Board(PowerCut));
        assert_eq!(door.lock().condition(Cell::Slot(HALL)), Ok(Condition::Failed));
        let _ = connect(&mut door, &Connect::OPERATE);
        let floor = door.lock().report(HALL).unwrap().floor;
        assert_eq!(floor, Generation::new(u32::from(reaches)), "as the store has it");
    }
}

/// A connection drops while the ceiling is written for its challenge, in a loop that awaits the store; or the board fails at
/// it. Every request needs the counter: the next frame, of whomever, reads it first.
#[test]
fn a_connection_that_drops_while_the_counter_is_written_leaves_nobody_outside() {
    for (drops, reaches) in [(true, true), (true, false), (false, true), (false, false)] {
        let (mut door, key) = installed();
        let store = std::mem::take(door.board()).store;
        // The first challenge after a boot writes.
        let mut door = boot(Bench { store, ..Bench::default() }).unwrap();
        if drops {
            let Step::Write(accepted) = door.lock_mut().step(&Connect::INSTALL, NOW, None, &mut rng(9)) else {
                panic!("no challenge")
            };
            let mut written = None;
            {
                let commit = accepted.commit_async(async |record: &Record| {
                    written = Some(record.as_bytes().to_vec());
                    std::future::pending::<Result<(), PowerCut>>().await
                });
                let mut commit = std::pin::pin!(commit);
                let polled = commit.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
                assert!(polled.is_pending());
            }
            if reaches {
                door.board().store.set(Cell::Counter, written.unwrap());
            }
        } else {
            door.board().fault = Some(Fault::Write { reaches });
            let failed = door.serve(&Connect::INSTALL, NOW, None, &mut rng(9));
            assert_eq!(failed.unwrap_err(), ServeError::Board(PowerCut));
        }
        assert_eq!(door.lock().unsettled(), Some(Cell::Counter));
        match door.lock_mut().step(&Connect::OPERATE, NOW, None, &mut rng(8)) {
            Step::Served(served) => opaque(&served, LockError::Busy),
            other => panic!("{other:?}"),
        }
        let message = unlock(&mut door, &key);
        assert_eq!(door.lock().unsettled(), None);
        assert!(matches!(serve(&mut door, &message).effect(), Effect::Bolt { .. }));
    }
}

/// A buffer is used for one answer after the other.
#[test]
fn a_buffer_has_this_requests_answer_or_none() {
    let (mut door, mut answer) = (fresh(), Answer::new());
    let mut into = |door: &mut TestDoor, frame: &[u8]| {
        let effect = door.serve_into(&mut answer, frame, NOW, None, &mut rng(8));
        (effect, answer.to_vec())
    };
    let (effect, challenge) = into(&mut door, &Connect::OPERATE);
    assert_eq!((effect, Kind::of(&challenge)), (Ok(Effect::Nothing), Ok(Kind::Challenge)));
    let refused = Effect::Refused(LockError::NoRequest);
    assert_eq!(into(&mut door, &Kind::Grant.header()), (Ok(refused), Refused::OPAQUE.to_vec()));
    let _ = provision(&mut door);
    let message = command(&mut door, activate());
    door.board().fault = Some(Fault::Write { reaches: true });
    assert_eq!(into(&mut door, &message), (Err(ServeError::Board(PowerCut)), Vec::new()));
}

//= spec/protocol.md#clock
//# CLK-5. The firmware MUST set its clock to the time of a SetClock before the record is stored, and drop the operation where it could not.
#[test]
fn the_boards_clock_is_set_before_the_record_and_where_it_cannot_be_nothing_happened() {
    let mut door = fresh();
    let _ = provision(&mut door);
    let to = Timestamp::from_unix_seconds(NOON + 60);
    let message = command(&mut door, Operation::SetClock { to });
    door.board().fault = Some(Fault::Clock);
    let before = door.board().store.clone();
    assert_eq!(door.serve(&message, NOW, None, &mut rng(8)).unwrap_err(), ServeError::Board(PowerCut));
    assert!(door.board().store == before);
    assert_eq!(door.lock().condition(Cell::Counter), Ok(Condition::Ready));
    opaque(&serve(&mut door, &message), LockError::SessionSuperseded);
    let served = order(&mut door, Operation::SetClock { to });
    assert_eq!((served.effect(), Kind::of(served.answer())), (Effect::Nothing, Ok(Kind::Done)));
    assert_eq!(door.board().written_at.last(), Some(&Some(to)), "the record came after the clock");
}

#[test]
fn the_clock_of_a_lock_that_is_made_is_not_set_until_its_owner_sets_it() {
    let to = Timestamp::from_unix_seconds(NOON);
    let mut door = boot(Bench { clock: Some(to), ..Bench::default() }).unwrap();
    assert_eq!(door.board().written_at[0], None, "before any record");
    let _ = provision(&mut door);
    let _ = order(&mut door, Operation::SetClock { to });
    let message = reset_message(&mut door);
    assert_eq!(pressed(&mut door, &message).unwrap().effect(), Effect::Reset);
    assert_eq!(door.board().clock, None);
    // Where it cannot be, no lock is made.
    let bench = Bench { fault: Some(Fault::Clock), ..Bench::default() };
    assert_eq!(boot(bench).unwrap_err(), BootError::Board(PowerCut));
}

fn reset_message(door: &mut TestDoor) -> Vec<u8> {
    let nonce = connect(door, &Connect::OPERATE);
    forge::tagged(&FactoryReset { lock: door.lock().id(), nonce }, &CARD)
}

fn pressed(door: &mut TestDoor, message: &[u8]) -> Result<Served, ServeError<PowerCut>> {
    door.serve(message, NOW, Some(PhysicalPresence::button_is_pressed()), &mut rng(9))
}

#[test]
fn a_reset_takes_a_hand_at_the_button_and_the_next_lock_is_there_at_once() {
    let (mut door, _) = installed();
    let id = door.lock().id();
    let message = reset_message(&mut door);
    opaque(&serve(&mut door, &message), LockError::NoPresence);
    let served = pressed(&mut door, &message).unwrap();
    assert_eq!((served.effect(), served.answer()), (Effect::Reset, &[][..]));
    assert_ne!(door.lock().id(), id);
    assert_eq!(provision(&mut door).effect(), Effect::Nothing);
    let store = std::mem::take(door.board()).store;
    let made = door.lock().id();
    assert_eq!(boot(Bench { store, ..Bench::default() }).unwrap().lock().id(), made);
}

#[test]
fn a_making_that_was_cut_short_goes_on_at_the_next_frame() {
    let (mut door, _) = installed();
    let (id, message) = (door.lock().id(), reset_message(&mut door));
    // The reset's own write went through; the first of the making does not.
    let (record, pending) = detached(&mut door, &message, Some(PhysicalPresence::button_is_pressed()));
    door.board().put(&record).unwrap();
    assert_eq!(door.lock_mut().written(pending).unwrap().effect(), Effect::Reset);
    door.board().fault = Some(Fault::Write { reaches: false });
    let failed = door.serve(&Connect::OPERATE, NOW, None, &mut rng(9));
    assert_eq!(failed.unwrap_err(), ServeError::Board(PowerCut));
    let _ = connect(&mut door, &Connect::OPERATE);
    assert_ne!(door.lock().id(), id);
}

#[test]
fn a_reset_whose_write_left_what_cannot_be_read_makes_no_lock() {
    let (mut door, _) = installed();
    let message = reset_message(&mut door);
    door.board().fault = Some(Fault::Write { reaches: false });
    assert_eq!(pressed(&mut door, &message).unwrap_err(), ServeError::Board(PowerCut));
    door.board().fault = Some(Fault::Read(Cell::Seed, 99));
    let before = door.board().store.clone();
    assert_eq!(door.serve(&Connect::OPERATE, NOW, None, &mut rng(9)).unwrap_err(), ServeError::Boot);
    assert!(door.board().store == before, "an owner's lock is not erased for a reading that failed");
}

/// The frame is accepted, and its write goes on elsewhere.
fn detached(door: &mut TestDoor, frame: &[u8], presence: Option<PhysicalPresence>) -> (Record, Pending<Served>) {
    match door.lock_mut().step(frame, NOW, presence, &mut rng(9)) {
        Step::Write(staged) => {
            let (record, pending) = staged.detach();
            (record.unwrap(), pending)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn several_writes_can_be_under_way_on_different_cells_and_end_in_any_order() {
    let (mut door, key) = installed();
    let pending = [1, 2].map(|slot| {
        let close = Operation::Deactivate { slot: SlotId::new(slot), generation: Generation::new(1) };
        let message = command(&mut door, close);
        detached(&mut door, &message, None)
    });
    let message = unlock(&mut door, &key);
    assert!(matches!(serve(&mut door, &message).effect(), Effect::Bolt { .. }), "the other slot goes on");
    for slot in [1, 2] {
        let waits = door.lock().condition(Cell::Slot(SlotId::new(slot)));
        assert_eq!(waits, Ok(Condition::Pending), "a frame heals what failed, and not what is under way");
        let served = order(&mut door, Operation::Inspect { slot: SlotId::new(slot) });
        assert_eq!(served.effect(), Effect::Refused(LockError::Busy));
    }
    for (record, pending) in pending.into_iter().rev() {
        door.board().put(&record).unwrap();
        let served = door.lock_mut().written(pending).unwrap();
        assert_eq!(Kind::of(served.answer()), Ok(Kind::Done));
    }
    let floors = [1, 2].map(|slot| door.lock().report(SlotId::new(slot)).unwrap().floor);
    assert_eq!(floors, [Generation::new(1); 2]);
}
