//! Factory reset: each accept rule, broken alone and in pairs; what the store holds after each step;
//! and that the lock which comes of it is another one.

use sharekey::crypto::Nonce;
use sharekey::error::{LoadError, LockError, WireError};
use sharekey::id::{LockId, SlotId};
use sharekey::limits::Action;
use sharekey::lock::{Cell, Found, Lock, StoredSeed, purpose};
use sharekey::message::{FactoryReset, Operation};
use sharekey_stage::provider::Provider;
use sharekey_stage::stand::{CARD, OWNER, Stand, TestLock, card, fails};
use sharekey_stage::{firmware, forge, public, seed};

const OTHER: u8 = 40;

/// A reset that is good but for `change`.
#[track_caller]
fn refuses(stand: &mut Stand, change: impl FnOnce(&mut FactoryReset), error: LockError) {
    let (nonce, session) = stand.operate();
    let mut reset = stand.reset_body(nonce);
    change(&mut reset);
    stand.refuses_reset(session, &forge::tagged(&reset, &CARD), error);
}

#[track_caller]
fn resets(stand: &mut Stand) {
    let (nonce, session) = stand.operate();
    let reset = stand.reset_message(nonce);
    stand.factory_reset(session, &reset).unwrap();
}

/// Makes the next lock out of one that was reset, checking the store at each step.
fn remake(stand: &mut Stand) {
    let Stand { mut store, mut rng, .. } = std::mem::replace(stand, Stand::fresh());
    let mut making = firmware::begin(Provider, CARD, &store, &mut rng);
    let mut cells = Vec::new();
    let Ok(()) = firmware::records(&mut making, |record| {
        assert_eq!(StoredSeed::read(&Provider, store.found(Cell::Seed)).unwrap_err(), LoadError::NotMade);
        cells.push(record.cell());
        store.put(record)
    }) else {
        panic!("the store takes everything")
    };
    let others: Vec<_> = TestLock::cells().collect();
    assert_eq!(cells, [&[Cell::Seed], &others[..], &[Cell::Seed]].concat());
    StoredSeed::read(&Provider, store.found(Cell::Seed)).unwrap();
    (stand.lock, stand.store, stand.rng) = (firmware::made(making), store, rng);
}

//= spec/protocol.md#factory-reset
//# RST-3. The FactoryReset MUST name this lock.
//= spec/protocol.md#factory-reset
//# RST-4. The FactoryReset MUST carry the session's nonce.
#[test]
fn a_reset_of_another_lock_or_with_another_nonce_is_refused() {
    let mut stand = Stand::active();
    refuses(&mut stand, |reset| reset.lock = LockId::new(public(&seed(OTHER))), LockError::WrongLock);
    let (earlier, _) = stand.operate();
    for nonce in [earlier, Nonce::from_bytes([0; 16])] {
        refuses(&mut stand, |reset| reset.nonce = nonce, LockError::WrongNonce);
    }
    stand.goes_on();
    resets(&mut stand);
}

//= spec/protocol.md#factory-reset
//# RST-5. The FactoryReset's tag MUST verify under the activation secret.
#[test]
fn a_reset_without_the_cards_secret_is_refused() {
    let mut stand = Stand::active();
    let mut close = CARD;
    close[0] ^= 0x80;
    for secret in [&close[..], &[0; 16], seed(OWNER).expose()] {
        let (nonce, session) = stand.operate();
        let reset = forge::tagged(&stand.reset_body(nonce), secret);
        stand.refuses_reset(session, &reset, LockError::CardMac);
    }
    stand.goes_on();
}

/// The rules, in their order, each broken below.
const RULES: [LockError; 6] = [
    LockError::Wire(WireError::Version { found: 2 }),
    LockError::SessionExpired,
    LockError::Busy,
    LockError::WrongLock,
    LockError::WrongNonce,
    LockError::CardMac,
];

//= spec/protocol.md#factory-reset
//# RST-11. A factory reset MUST be refused while any cell waits for a write.
//= spec/protocol.md#factory-reset
//# RST-12. A refusal of a factory reset MUST be the opaque Refused.
//= spec/protocol.md#factory-reset
//# RST-13. The lock MUST make these checks in this order; the first that fails decides the error.
#[test]
fn of_two_broken_rules_the_earlier_one_is_reported() {
    for (at, first) in RULES.into_iter().enumerate() {
        for second in RULES.into_iter().skip(at) {
            let mut stand = Stand::active();
            let is = |rule: usize| first == RULES[rule] || second == RULES[rule];
            if is(2) {
                leave_slot_busy(&mut stand);
            }
            let (nonce, session) = stand.operate();
            let mut reset = stand.reset_body(nonce);
            if is(3) {
                reset.lock = LockId::new(public(&seed(OTHER)));
            }
            if is(4) {
                reset.nonce = Nonce::from_bytes([0; 16]);
            }
            let mut frame = forge::frame(&reset);
            if is(0) {
                frame[2] = 2;
            }
            if is(1) {
                stand.ticks += 10_001;
            }
            let secret = if is(5) { [0; 16] } else { CARD };
            stand.refuses_reset(session, &forge::tag(frame, &secret), first);
        }
    }
}

fn leave_slot_busy(stand: &mut Stand) {
    let (nonce, session) = stand.operate();
    let operation = Operation::Inspect { slot: SlotId::new(0) };
    let message = stand.order(nonce, operation);
    let now = stand.now();
    let (record, _pending) = stand.lock.command(session, &message, now).unwrap().detach();
    assert!(record.is_none());
}

/// What refuses everything but a reset: the lock after a boot that could not read `cell`.
fn damaged(cell: Cell) -> (Stand, sharekey_stage::stand::Key) {
    let (mut stand, key) = Stand::installed();
    stand.store.remove(cell);
    stand.reboot();
    (stand, key)
}

//= spec/protocol.md#replay-counter
//# CTR-8. A challenge on a lock whose header or counter is damaged MUST serve a factory reset only.
//= spec/protocol.md#factory-reset
//# RST-10. A lock whose header or counter is damaged MUST still accept a factory reset.
#[test]
fn a_lock_whose_header_or_counter_is_damaged_does_nothing_but_a_reset() {
    for cell in [Cell::Header, Cell::Counter] {
        let (mut stand, key) = damaged(cell);
        let (nonce, session) = stand.for_install();
        let bundle = stand.chain(nonce, 0, 3).bundle();
        stand.refuses_bundle(session, &bundle, LockError::Damaged, None);
        let (nonce, session) = stand.operate();
        stand.refuses_unlock(session, &key.message(Action::Open, nonce), LockError::Damaged, None);
        let (nonce, session) = stand.operate();
        let operation = Operation::Act { action: Action::Open };
        let command = stand.order(nonce, operation);
        stand.refuses_command(session, &command, LockError::Damaged, None);
        let (nonce, session) = stand.operate();
        let provision = stand.provision_message(nonce);
        stand.refuses_provision(session, &provision, LockError::Damaged, None);

        resets(&mut stand);
        remake(&mut stand);
        stand.begins();
    }
}

//= spec/protocol.md#replay-counter
//# CTR-8. A challenge on a lock whose header or counter is damaged MUST serve a factory reset only.
#[test]
fn a_session_of_a_damaged_lock_is_good_for_nothing_else_once_the_cell_was_read_after_all() {
    for cell in [Cell::Header, Cell::Counter] {
        let (mut stand, _) = Stand::installed();
        let stored = stand.store.get(cell).unwrap().to_vec();
        stand.store.remove(cell);
        stand.reboot();
        let (nonce, session) = stand.for_install();
        stand.store.set(cell, stored);
        stand.lock.reload(cell, stand.store.found(cell)).unwrap();
        let bundle = stand.chain(nonce, 0, 3).bundle();
        stand.refuses_bundle(session, &bundle, LockError::SessionSuperseded, None);
        stand.goes_on();
    }
}

#[test]
fn a_damaged_lock_checks_a_reset_like_any_other() {
    for cell in [Cell::Header, Cell::Counter] {
        let (mut stand, _) = damaged(cell);
        refuses(&mut stand, |reset| reset.lock = LockId::new(public(&seed(OTHER))), LockError::WrongLock);
        refuses(&mut stand, |reset| reset.nonce = Nonce::from_bytes([0; 16]), LockError::WrongNonce);
        let (nonce, session) = stand.operate();
        let reset = forge::tagged(&stand.reset_body(nonce), &[0; 16]);
        stand.refuses_reset(session, &reset, LockError::CardMac);
        let (nonce, session) = stand.operate();
        let (newer, _) = stand.operate();
        let reset = stand.reset_message(nonce);
        assert_ne!(newer, nonce);
        stand.refuses_reset(session, &reset, LockError::SessionSuperseded);
    }
}

//= spec/protocol.md#factory-reset
//# RST-7. A factory reset MUST write a seed record with a new seed and `initialised` false, before anything else.
#[test]
fn a_reset_writes_the_next_seed_not_initialised_and_nothing_else() {
    let (mut stand, _) = Stand::installed();
    let mut before = stand.store.clone();
    let old = before.get(Cell::Seed).unwrap().to_vec();
    resets(&mut stand);
    let new = stand.store.get(Cell::Seed).unwrap().to_vec();
    assert_eq!((&new[..5], new.len(), new[37]), (&old[..5], old.len(), 0));
    assert_ne!(new[5..37], old[5..37]);
    before.set(Cell::Seed, new);
    before.writes += 1;
    assert_eq!(stand.store, before);
    assert_eq!(StoredSeed::read(&Provider, stand.store.found(Cell::Seed)).unwrap_err(), LoadError::NotMade);
}

//= spec/protocol.md#factory-reset
//# RST-8. After that write a lock MUST refuse everything until it was made anew.
#[test]
fn after_a_reset_everything_is_refused_as_resetting() {
    let (mut stand, _) = Stand::installed();
    let (nonce, session) = stand.for_install();
    let bundle = stand.chain(nonce, 0, 3).bundle();
    resets(&mut stand);
    stand.refuses_bundle(session, &bundle, LockError::Resetting, None);
    assert_eq!(stand.challenge::<purpose::Operate>().unwrap_err(), LockError::Resetting);
    assert_eq!(stand.challenge::<purpose::Install>().unwrap_err(), LockError::Resetting);
    assert_eq!(stand.owner(), Err(LockError::Resetting));
    assert_eq!(stand.report(0), Err(LockError::Resetting));
    for cell in [Cell::Seed].into_iter().chain(TestLock::cells()) {
        assert_eq!(stand.lock.reload(cell, stand.store.found(cell)), Err(LockError::Resetting));
        assert_eq!(stand.lock.reload(cell, Found::Nothing), Err(LockError::Resetting));
    }
}

//= spec/protocol.md#persist-then-act
//# STG-14. A lock whose seed cell, read again, does not hold its own seed with `initialised` true MUST refuse everything until it was booted.
#[test]
fn a_reset_that_was_not_written_holds_the_lock_until_its_seed_is_read_again() {
    for written in [false, true] {
        let (mut stand, _) = Stand::installed();
        let (nonce, session) = stand.operate();
        let reset = stand.reset_message(nonce);
        let (now, presence) = (stand.now(), sharekey::lock::PhysicalPresence::button_is_pressed());
        let staged = stand.lock.factory_reset(session, &reset, presence, now, &mut stand.rng).unwrap();
        let mut put = |record: &sharekey::lock::Record| if written { stand.store.put(record) } else { Ok(()) };
        staged.commit(|record| put(record).and(fails(record))).unwrap_err();
        assert_eq!(stand.challenge::<purpose::Operate>().unwrap_err(), LockError::Busy);
        stand.lock.reload(Cell::Seed, stand.store.found(Cell::Seed)).unwrap();
        if written {
            assert_eq!(stand.owner(), Err(LockError::Resetting));
        } else {
            stand.goes_on();
        }
    }
}

#[test]
fn records_of_the_lock_that_was_reset_are_foreign_to_the_next_one() {
    let (mut stand, _) = Stand::installed();
    let old = stand.store.clone();
    resets(&mut stand);
    remake(&mut stand);
    for cell in TestLock::cells() {
        let kept = stand.store.get(cell).unwrap().to_vec();
        stand.store.set(cell, old.get(cell).unwrap().to_vec());
        stand.reboot();
        let error = if matches!(cell, Cell::Slot(_)) { LockError::NotProvisioned } else { LockError::Damaged };
        assert_eq!(stand.owner(), Err(error), "{cell:?}");
        stand.store.set(cell, kept);
    }
    stand.reboot();
    stand.begins();
    stand.store.set(Cell::Slot(SlotId::new(0)), old.get(Cell::Slot(SlotId::new(0))).unwrap().to_vec());
    stand.reboot();
    assert_eq!(stand.report(0), Err(LockError::SlotDamaged));
}

//= spec/protocol.md#factory-reset
//# RST-9. A factory reset MUST keep the activation secret.
#[test]
fn the_lock_made_anew_is_another_lock_under_the_same_card() {
    let (mut stand, key) = Stand::installed();
    let old = stand.id();
    resets(&mut stand);
    remake(&mut stand);
    assert_ne!(stand.id(), old);
    refuses(&mut stand, |reset| reset.lock = old, LockError::WrongLock);
    assert_eq!(stand.owner(), Err(LockError::NotProvisioned));
    stand.begins();

    let (nonce, session) = stand.for_install();
    let mut chain = stand.chain(nonce, 0, 9);
    chain.grant.lock = old;
    stand.refuses_bundle(session, &chain.bundle(), LockError::WrongLock, None);
    let (nonce, session) = stand.operate();
    let mut command = stand.command_body(nonce, Operation::Act { action: Action::Open });
    command.lock = old;
    stand.refuses_command(session, &forge::signed(&command, &seed(OWNER)), LockError::WrongLock, None);
    let (nonce, session) = stand.operate();
    stand.refuses_unlock(session, &key.message(Action::Open, nonce), LockError::UnlockMac, None);
    refuses(&mut stand, |reset| reset.lock = old, LockError::WrongLock);
    let seed = StoredSeed::read(&Provider, stand.store.found(Cell::Seed)).unwrap();
    assert_eq!(Lock::<Provider, 1>::load(Provider, card(), &seed).unwrap().id(), stand.id());
}
