//! Shipping code and model, in step over long histories.
//!
//! `PROPTEST_CASES` sets how many histories each test runs; `REACHED=1` prints what they reached.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use proptest::test_runner::Config;
use proptest_state_machine::{ReferenceStateMachine as _, StateMachineTest as _};
use sharekey::error::LockError;
use sharekey::limits::Action;
use sharekey::lock::Now;
use sharekey_model::state::limits::schedule_allows;
use sharekey_model::state::{Answer, Ending, Purpose, Verdict};
use sharekey_model::symbolic::Symbolic;
use sharekey_refinement::lock::steps::{Broken, Sent, Step, To};
use sharekey_refinement::lock::{Door, Machine};
use sharekey_refinement::share::Cloud;
use sharekey_refinement::{guest, lock, reach, share};
use sharekey_stage::ops::Op;
use sharekey_stage::provider::Provider as Real;

/// What a run against the lock has to reach, at least so often in a hundred histories; and each operation of the table
/// that is not here, ten times.
const LOCK: &[(&str, u64)] = &[
    ("installed", 20),
    ("re-keyed", 2),
    ("accepted: Open", 8),
    ("accepted: Lock", 2),
    ("challenge that leases", 100),
    ("challenge", 100),
    ("provision", 5),
    ("provision again", 0),
    ("activate", 50),
    ("transfer", 5),
    ("install", 20),
    ("unlock that counts", 2),
    ("unlock", 2),
    ("factory reset", 0),
    ("a lease was used up", 0),
    ("a challenge of a lock that cannot count", 2),
    ("installed near the end of the number line", 0),
    ("a detached operation was reported", 10),
    ("a report was refused: NotPending", 0),
    ("ended by Fail { written: true }, with a record", 2),
    ("ended by Fail { written: false }, with a record", 2),
    ("a reply with a reason", 10),
    ("a signed answer", 20),
    ("an opaque answer", 100),
    ("refused: Busy", 50),
    ("refused: Damaged", 2),
    ("refused: SlotDamaged", 0),
    ("refused: Exhausted", 20),
    ("refused: SessionExpired", 5),
    ("refused: SessionSuperseded", 50),
    ("refused: StaleGeneration", 10),
    ("refused: StaleNumber", 10),
    ("refused: WrongNonce", 20),
    ("refused: WrongEpoch", 10),
    ("refused: WrongLock", 10),
    ("refused: NoClock", 2),
    ("refused: ClockUnset", 5),
    ("refused: NotYetValid", 1),
    ("refused: Expired", 1),
    ("refused: OutsideSchedule", 1),
    ("refused: UsesSpent", 1),
    ("refused: ActionNotAllowed", 2),
    ("refused: UnlockMac", 1),
    ("refused: NonContributory", 0),
    ("refused: ClaimNamesOtherGrant", 0),
    ("refused: InstallNamesOtherClaim", 0),
    ("refused: ReleaseNamesOtherInstall", 0),
    ("refused: AlreadyProvisioned", 2),
];

/// The same for the service and the phones.
const SHARE: &[(&str, u64)] = &[
    ("MAX_LIVE keys are live", 50),
    ("record: Ok(Some(Taken(Slot(LiveFull))))", 20),
    ("record: Ok(Some(Published))", 200),
    ("record: Ok(Some(Released))", 200),
    ("record: Err(Slot(ClaimedByOtherDevice))", 5),
    ("record: Err(Slot(StaleNumber))", 50),
    ("record: Ok(Some(PublishedAgain))", 5),
    ("record: Ok(Some(Taken(Slot(AlreadyShared))))", 5),
    ("record: Ok(Some(Taken(Slot(NotActive))))", 2),
    ("record: Withdrawn NeverReleased", 50),
    ("record: Withdrawn Released", 100),
    ("record: Withdrawn Settled", 10),
    ("record: Err(Contradiction)", 1),
    ("record: Err(OldEpoch)", 2),
    ("record: Err(Moved)", 1),
    ("record: Err(WrongEpoch)", 20),
    ("record: Ok(None)", 10),
    ("phone: Share", 50),
    ("phone: See", 100),
    ("phone: LearnTransfer", 5),
    ("Share refused: Slot(AlreadyShared)", 20),
    ("Share refused: Slot(Exhausted)", 0),
    ("a phone shows a download", 20),
    ("a service is convicted", 20),
    ("two phones show two shares", 100),
    ("the end of the number line", 1),
    ("a later epoch", 100),
];

/// Few histories over the real cryptography: no more than that it is the same story.
const REAL_LOCK: &[(&str, u64)] = &[("installed", 5), ("activate", 20), ("an opaque answer", 50)];
const REAL_SHARE: &[(&str, u64)] =
    &[("record: Ok(Some(Published))", 50), ("record: Ok(Some(Released))", 20), ("phone: Share", 20)];

fn wanted() -> Vec<(&'static str, u64)> {
    let others = Op::ALL.map(Op::name).into_iter().filter(|name| LOCK.iter().all(|(wanted, _)| wanted != name));
    LOCK.iter().copied().chain(others.map(|name| (name, 10))).collect()
}

/// A run that never came to an operation of the table would show nothing of it.
#[test]
fn a_run_has_to_reach_every_operation() {
    let seldom = |op: &Op| wanted().iter().all(|(wanted, times)| *wanted != op.name() || *times == 0);
    let seldom: Vec<Op> = Op::ALL.into_iter().filter(seldom).collect();
    assert_eq!(seldom, [Op::ProvisionAgain, Op::FactoryReset], "too seldom to ask for");
}

#[test]
fn the_lock_does_what_the_model_says() {
    reach::run(900, &Machine::sequential_strategy(1..150), &wanted(), |(machine, steps, seen)| {
        Door::<Symbolic>::test_sequential(Config::default(), machine, steps, seen);
    });
}

/// Lock and model take the steps alike, and the last one comes to this.
fn comes_to(mut machine: Machine, steps: &[Step], verdict: Verdict) {
    Door::<Symbolic>::test_sequential(Config::default(), machine.clone(), steps.to_vec(), None);
    for step in steps {
        machine = Machine::apply(machine, step);
    }
    assert_eq!(machine.verdict, Some(verdict));
}

/// Too rare for chance: a session of one purpose is used late, then the ticks go back, to before that use and
/// after the other session's challenge (SES-5).
#[test]
fn ticks_that_go_back_after_another_sessions_use_end_a_session() {
    let (machine, ending) = (Machine::owned(), Ending::Commit);
    let at = |ticks| Step::Now(Now { ticks, ..Machine::owned().now });
    let malformed = Sent::Malformed(To::Install, Broken::Empty);
    let reset = Sent::Reset { lock: machine.model.lock, nonce: Some(1), by_the_card: true };
    let steps = [
        Step::Challenge { purpose: Purpose::Install, ending },
        Step::Challenge { purpose: Purpose::Operate, ending },
        at(6_000),
        Step::Send { session: 0, sent: malformed, ending },
        at(4_000),
        Step::Send { session: 1, sent: reset, ending },
    ];
    let expired = Verdict::Refused { why: LockError::SessionExpired, answer: Some(Answer::Opaque) };
    comes_to(machine, &steps, expired);
}

/// Found by chance: the model took the late report for a step backwards, and ended the other session.
#[test]
fn a_challenge_that_is_reported_late_is_no_step_backwards() {
    let (machine, ending) = (Machine::owned(), Ending::Commit);
    let malformed = Sent::Malformed(To::Install, Broken::Empty);
    let unlock = Sent::Unlock { slot: 0, action: Action::Open, nonce: Some(1), pairing: None };
    let steps = [
        Step::Challenge { purpose: Purpose::Install, ending },
        Step::Challenge { purpose: Purpose::Operate, ending },
        Step::Challenge { purpose: Purpose::Install, ending: Ending::Detach },
        Step::Now(Now { ticks: 6_000, ..machine.now }),
        Step::Send { session: 0, sent: malformed, ending },
        Step::Written { ticket: 0 },
        Step::Send { session: 1, sent: unlock, ending },
    ];
    let no_key = Verdict::Refused { why: LockError::NotInstalled, answer: Some(Answer::Opaque) };
    comes_to(machine, &steps, no_key);
}

#[test]
fn the_lock_over_real_keys_does_what_the_model_says() {
    reach::run(30, &Machine::sequential_strategy(1..100), REAL_LOCK, |(machine, steps, seen)| {
        Door::<Real>::test_sequential(Config::default(), machine, steps, seen);
    });
}

#[test]
fn the_record_and_the_phones_do_what_the_models_say() {
    reach::run(600, &share::Machine::sequential_strategy(1..150), SHARE, |(machine, steps, seen)| {
        Cloud::<Symbolic>::test_sequential(Config::default(), machine, steps, seen);
    });
}

#[test]
fn the_record_and_the_phones_over_real_keys_do_what_the_models_say() {
    reach::run(20, &share::Machine::sequential_strategy(1..60), REAL_SHARE, |(machine, steps, seen)| {
        Cloud::<Real>::test_sequential(Config::default(), machine, steps, seen);
    });
}

#[test]
fn a_schedule_allows_the_minutes_that_the_model_counts() {
    reach::run(20_000, &lock::schedule_at(), &[("allowed", 10), ("not allowed", 10)], |(schedule, at)| {
        let allowed = schedule_allows(&schedule, at);
        assert_eq!(schedule.allows(at), allowed, "{schedule:?} at {at:?}");
        reach::note(if allowed { "allowed" } else { "not allowed" });
    });
}

#[test]
fn a_guests_device_goes_along_as_the_model_says() {
    let wanted = [
        ("guest: Challenge true", 100),
        ("guest: Challenge false", 50),
        ("guest: Release true", 50),
        ("guest: Release false", 50),
        ("guest: Receipt true", 5),
        ("guest: Receipt false", 100),
    ];
    reach::run(400, &guest::moves(), &wanted, |moves| guest::run::<Symbolic>(&moves));
}
